"""Marginal returns to compute as sentences and tables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from foresaid.errors import UnreadableError
from foresaid.files import read_frame
from foresaid.fitting.frozen_curve import from_plain
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


def markdown(build: Path, laws: dict[str, dict[str, Any]], names: list[str]) -> list[str]:
    """Write the statement and the table of every loss surface the stage `fit` left; other laws have none."""
    lines: list[str] = []
    for name in names:
        path = build / "fits" / name / "curves.jsonl"
        if not path.is_file():
            raise UnreadableError(f"{path}: found no file, expected the curves of `foresaid fit {name}`; run `dvc repro`")
        curves = [from_plain(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]
        for curve in filter(is_surface, curves):
            law, drawing = load(name, laws[name]), read_frame(path.with_name("drawing.parquet"))
            found = of_drawing(law, curve, drawing)
            lines += [f"{law.title}, {curve.record.target_id} ({curve.record.status})", "", statement(found, "nats per token"), ""]
            lines += [f"| {' | '.join(HEADER)} |", "| " + " | ".join("---" for _ in HEADER) + " |"]
            lines += [*(f"| {' | '.join(cells(one))} |" for one in found), ""]
    return lines
