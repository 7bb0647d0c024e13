"""Marginal returns to compute as sentences and tables."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from foresaid.errors import UnreadableError
from foresaid.files import read_frame, read_json
from foresaid.fitting.frozen_curve import Curve, from_plain
from foresaid.fitting.law import Law
from foresaid.laws._loader import load
from foresaid.studies.compute_returns import USUAL, Budget, is_surface, of_drawing
from foresaid.text import number


def statement(found: list[Budget], unit: str) -> str:
    """Say in a sentence what ten times the compute still buys."""
    before, here, after = found[1], found[2], found[3]
    how = "at the best split" if here.inner else f"at {USUAL:g} tokens per parameter, as the law has no best split"
    gain, low, high, earlier, later = (
        number(one, 2) for one in (here.gain, here.gain_low, here.gain_high, before.gain, after.gain)
    )
    return (
        f"From {number(here.flops, 2)} FLOPs, the largest run, ten times the compute {how} reduces the loss by {gain} {unit} "
        f"(90 % range {low} to {high}); the tenfold step before reduced it by {earlier}, the one after would by {later}."
    )


HEADER = (
    "FLOPs",
    "parameters",
    "90 % range",
    "tokens",
    "tokens per parameter",
    "loss",
    "loss reduction per tenfold compute",
    "90 % range",
)


def cells(one: Budget) -> list[str]:
    """Spell one budget under HEADER."""
    sizes = [number(one.parameters, 2), f"{number(one.parameters_low, 2)} to {number(one.parameters_high, 2)}"]
    split = [*sizes, number(one.tokens, 2), number(one.tokens / one.parameters, 2)] if one.inner else ["no best split", "", "", ""]
    gains = [number(one.gain, 2), f"{number(one.gain_low, 2)} to {number(one.gain_high, 2)}"]
    return [number(one.flops, 2), *split, number(one.loss), *gains]


@dataclass(frozen=True)
class Surfaces:
    """The loss surfaces of one law as the stage `fit` left them: curves and budgets by target, and the rows it drew."""

    law: Law
    curves: dict[str, Curve]
    budgets: dict[str, list[Budget]]
    drawing: pl.DataFrame


def surfaces(build: Path, laws: dict[str, dict[str, Any]], names: list[str]) -> dict[str, Surfaces]:
    """Read every law among `names` that has a loss in parameters and tokens; raises UnreadableError where `fit` has not run."""
    made = {}
    for name in names:
        path = build / "fits" / name / "curves.jsonl"
        if not path.is_file():
            raise UnreadableError(f"{path}: found no file, expected the curves of `foresaid fit {name}`; run `dvc repro`")
        curves = [from_plain(plain) for plain in read_json(path)]
        kept = {curve.record.target_id: curve for curve in curves if is_surface(curve)}
        if kept:
            law, drawing = load(name, laws[name]), read_frame(path.with_name("drawing.parquet"))
            made[name] = Surfaces(law, kept, {key: of_drawing(law, curve, drawing) for key, curve in kept.items()}, drawing)
    return made


def markdown(build: Path, laws: dict[str, dict[str, Any]], names: list[str]) -> list[str]:
    """Write the statement and the table of every loss surface the stage `fit` left; other laws have none."""
    lines: list[str] = []
    for one in surfaces(build, laws, names).values():
        for target_id, found in one.budgets.items():
            status = one.curves[target_id].record.status
            lines += [f"{one.law.title}, {target_id} ({status})", "", statement(found, "nats per token"), ""]
            lines += [f"| {' | '.join(HEADER)} |", "| " + " | ".join("---" for _ in HEADER) + " |"]
            lines += [*(f"| {' | '.join(cells(budget))} |" for budget in found), ""]
    return lines
