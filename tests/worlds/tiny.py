"""A made-up source of one table and one run: what the tests of `update` and of damaged files read."""

from __future__ import annotations

from pathlib import Path

from foresaid.sources._reading import Reading, RunSubject, Score
from foresaid.sources._upstream import table

COLUMNS = ["Model", "mmlu", "training_tokens"]


def read(folder: Path) -> Reading:
    """Read one vintage of the tiny source."""
    scores = [
        Score(line.text("Model"), column, "", float(line.number(column)), file=line.file, row=line.row)
        for line in table(folder, "scores.csv", COLUMNS)
        for column in COLUMNS[1:]
        if line.decimal(column) is not None
    ]
    return Reading(scores, [RunSubject("tiny/run-a", "run", "tiny/run-a", "tiny-runs")])
