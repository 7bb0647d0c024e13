"""The tables on which whole families are held out: both Open LLM Leaderboards, as the sloth paper collected them.

Models with all six scores and both sizes enter, 149 of the first generation and 105 of the second. A level is a family's base
or chat models. The scores of guessing are the paper's own. The table comes from a mirror, since the record keeps
neither the paper's families nor its sizes; what was measured on it is kept in registry/protocols, and the pages show that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path

import numpy as np
import polars as pl

from foresaid.errors import UnreadableError
from foresaid.studies import kept as files_kept
from foresaid.studies.held_out_families.protocol import HeldOutResult, Leaderboard, Method, eligible, leave_one_out

COLUMNS = {
    "leaderboard-v1": ("MMLU", "ARC", "HellaSwag", "Winogrande", "TruthfulQA", "GSM8K"),
    "leaderboard-v2": ("IFEval", "BBH", "MATH Lvl 5", "GPQA", "MUSR", "MMLU-PRO"),
}
SOURCE = "sloth"
FILES = ("data/data_v2.csv", "data/lower_bounds.csv")
SIZE, TOKENS = "#Params (B)", "Pretraining Data Size (T)"
SMALL = (1, 2)  # models of the held-out family that train
FLOORS = {
    ("leaderboard-v1", 1): (0.0406, 19),
    ("leaderboard-v1", 2): (0.0410, 15),
    ("leaderboard-v2", 1): (0.0286, 12),
    ("leaderboard-v2", 2): (0.0325, 9),
}  # Sloth's own results, their best number of skills picked afterwards, over so many families: other rows than ours


@dataclass(frozen=True)
class Row:
    """One row of the table: a method with so many small models left in. Errors are means over families, fractions of one."""

    small: int
    method: str
    families: int
    models: int
    error: float
    standard_error: float
    afterwards: float
    wis: float | None
    coverage: tuple[float, ...] | None  # at family_holdout.NOMINAL
    by_family: dict[str, float]


@dataclass(frozen=True)
class Measured:
    """A whole table: its name, the day it was made, the SHA-256 of the files it was made from, its rows."""

    name: str
    measured_on: str
    files: dict[str, str]
    rows: tuple[Row, ...]


def read(folder: Path, name: str) -> Leaderboard:
    """Read one leaderboard from a folder of the sloth paper's repository; rows in the order of their names."""
    columns = list(COLUMNS[name])
    table, bounds = (folder / file for file in FILES)
    rows = pl.read_csv(table, infer_schema_length=None).drop_nulls([*columns, SIZE, TOKENS]).sort("Model")
    floor = pl.read_csv(bounds).select(columns).to_numpy()[0].astype(float)
    family = rows["Family"].to_numpy().astype(str)
    level = np.array([f"{name}/{'chat' if chat else 'base'}" for name, chat in zip(family, rows["Instruct"], strict=True)])
    size, tokens = 1e9 * rows[SIZE].to_numpy(), 1e12 * rows[TOKENS].to_numpy()
    return Leaderboard(family, level, size, tokens, rows.select(columns).to_numpy().astype(float), floor)


def rows_of(board: Leaderboard, methods: Sequence[Method], small: int) -> list[Row]:
    """Hold every family out by every method, the least error first."""
    found: dict[str, HeldOutResult] = {}
    for method in methods:
        found |= leave_one_out(board, method, small)
    families = len(eligible(board, small))
    rows = [
        Row(
            small, name, families, one.models, one.within, one.standard_error, one.afterwards, one.wis, one.coverage, one.by_family
        )
        for name, one in found.items()
    ]  # fmt: skip
    return sorted(rows, key=lambda row: row.error)


def measure(folder: Path, name: str, methods: Sequence[Method], day: date, say: Callable[[str], None]) -> Measured:
    """Make the whole table of one leaderboard, with one and with two small models left in."""
    board = read(folder, name)
    rows: list[Row] = []
    for small in SMALL:
        say(f"{name}: {len(eligible(board, small))} families held out, {small} small left in of each level")
        rows += rows_of(board, methods, small)
    digests = {file: sha256((folder / file).read_bytes()).hexdigest() for file in FILES}
    return Measured(name, day.isoformat(), digests, tuple(rows))


def write(registry: Path, measured: Measured) -> Path:
    """Keep a measured table."""
    return files_kept.write(registry, measured.name, asdict(measured))


def kept(registry: Path, name: str) -> Measured | None:
    """Return the measured table that is kept, or None where there is none."""
    said = files_kept.read(registry, name)
    if said is None:
        return None
    try:
        rows = tuple(Row(**(row | {"coverage": row["coverage"] and tuple(row["coverage"])})) for row in said["rows"])
        return Measured(said["name"], said["measured_on"], said["files"], rows)
    except (TypeError, KeyError) as error:
        path = files_kept.place(registry, name)
        raise UnreadableError(f"{path}: {error!r}, expected a measured table; run `foresaid protocol {name} --write`") from None
