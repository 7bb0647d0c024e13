"""The tables on which whole families are held out: both Open LLM Leaderboards, as the sloth paper collected them.

Models with all six scores and both sizes enter, 149 of the first generation and 105 of the second. A level is a family's base
or chat models. The scores of guessing are the paper's own. The table comes from a mirror, since the record keeps
neither the paper's families nor its sizes.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from foresaid.family_holdout import METHODS, Board, leave_one_out

COLUMNS = {
    "leaderboard-v1": ("MMLU", "ARC", "HellaSwag", "Winogrande", "TruthfulQA", "GSM8K"),
    "leaderboard-v2": ("IFEval", "BBH", "MATH Lvl 5", "GPQA", "MUSR", "MMLU-PRO"),
}
SOURCE = "sloth"
SIZE, TOKENS = "#Params (B)", "Pretraining Data Size (T)"
SMALL = (1, 2)  # models of the held-out family that train


def read(folder: Path, name: str) -> Board:
    """Read one leaderboard from a folder of the sloth paper's repository; rows in the order of their names."""
    columns = list(COLUMNS[name])
    rows = pl.read_csv(folder / "data" / "data_v2.csv", infer_schema_length=None).drop_nulls([*columns, SIZE, TOKENS]).sort("Model")
    floor = pl.read_csv(folder / "data" / "lower_bounds.csv").select(columns).to_numpy()[0].astype(float)
    family = rows["Family"].to_numpy().astype(str)
    level = np.array([f"{name}/{'chat' if chat else 'base'}" for name, chat in zip(family, rows["Instruct"], strict=True)])
    size, tokens = 1e9 * rows[SIZE].to_numpy(), 1e12 * rows[TOKENS].to_numpy()
    return Board(family, level, size, tokens, rows.select(columns).to_numpy().astype(float), floor)


def markdown(board: Board) -> list[str]:
    """Hold every family out with one and with two small models left in, by every method, and write the table."""
    lines = ["| small models left in | families | models | method | settings chosen within | best setting afterwards |"]
    lines.append("| --- | --- | --- | --- | --- | --- |")
    for small in SMALL:
        found = {name: leave_one_out(board, method, small) for name, method in METHODS.items()}
        for name, result in sorted(found.items(), key=lambda item: item[1].within):
            counted = f"| {small} | {result.families} | {result.models} | {name}"
            lines.append(f"{counted} | {result.within:.4f} | {result.afterwards:.4f} |")
    return lines
