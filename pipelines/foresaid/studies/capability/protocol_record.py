"""What the capability law scored on releases it had not seen, as measured once and kept under git.

The sets of 2025 and 2026 are downloads whose files are not in the repository, so no stage can measure them again; the table keeps
the day on which they were measured. How they were read and what was chosen before is in docs/results-capability.md.
"""

from __future__ import annotations

import csv
from pathlib import Path

from foresaid.errors import UnreadableError

FILE = "protocols/capability.csv"
COLUMNS = (
    *("measured_on", "set", "told", "rows", "releases", "makers", "wis", "goal", "coverage_50", "coverage_80", "coverage_95"),
    *("reference", "reference_wis", "skill", "skill_05", "skill_95"),
    *("skill_maker_05", "skill_maker_95", "skill_maker_025", "skill_maker_975", "skill_without_one_release"),
)
"""WIS in points of 100; coverage in per cent; skill 1 - WIS / reference WIS over `reference`, with 5 and 95 % bounds by release and
by maker, the bounds of the 95 % interval by maker, and its least value when any one release is left out."""


COSTS = "protocols/capability-cost.csv"
COST_COLUMNS = ("measured_on", "axis", "cells", "benchmarks", "systems", "form", "seconds")
"""Processor seconds of one evaluation of the likelihood, by what was varied; printed by `python -m benchmarks.capability`."""


def read(registry: Path) -> list[dict[str, str]]:
    """Return the kept rows as they are written, none where there is no file; UnreadableError for another head or a short row."""
    return _rows(registry / FILE, COLUMNS)


def costs(registry: Path) -> list[dict[str, str]]:
    """Return the kept measurements of cost in COST_COLUMNS, none where there is no file; UnreadableError as `read`."""
    return _rows(registry / COSTS, COST_COLUMNS)


def _rows(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))
    if not rows or tuple(rows[0]) != columns or any(len(row) != len(columns) for row in rows):
        raise UnreadableError(f"{path}: found another head or a short row, expected the columns {', '.join(columns)}")
    return [dict(zip(columns, row, strict=True)) for row in rows[1:]]
