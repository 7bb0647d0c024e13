"""Invented tables for the new work, of any size: cells of the capability law, backtests of series, boards of a frontier.

They have the shape of the real ones and plant a plain truth, so that an answer can be held against it; nothing is learned from
their numbers about any model.
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
from scipy.special import ndtr

from foresaid.arrays import Array
from foresaid.forecasting.discrepancy import SeriesBacktest
from foresaid.laws._capability_rows import SCHEMA
from foresaid.laws._frontier_rows import Board, board

FIRST = date(2023, 1, 1)
LINES, TIERS = 24, ("", "mini", "max")


def capability_cells(systems: int, boards: int, a_system: int, seed: int = 0) -> pl.DataFrame:
    """Cells (SCHEMA) of so many systems, each on `a_system` of the boards: ability in day, line and tier, probit scores."""
    rng = np.random.default_rng(seed)
    line_ability, tier_ability = rng.normal(0, 0.4, LINES), (0.0, -0.5, 0.3)
    hard, steep = rng.normal(0.8, 0.8, boards), rng.uniform(0.6, 1.3, boards)
    rows = []
    for i in range(systems):
        day = FIRST + timedelta(days=int(1200 * i / systems))
        line, tier = int(rng.integers(LINES)), int(rng.integers(len(TIERS)))
        ability = 0.8 * (day - FIRST).days / 365.25 + line_ability[line] + tier_ability[tier] + rng.normal(0, 0.2)
        name, launch = f"model {i:05d}", f"line {line}@{day}"
        about = (name, name, f"maker {line % 12}", f"line {line}", TIERS[tier], None, launch, day)
        for b in sorted(rng.choice(boards, min(a_system, boards), replace=False).tolist()):
            share = float(ndtr(steep[b] * (ability - hard[b]) + rng.normal(0, 0.12)))
            rows.append((*about, f"board {b:03d}", share, 0.0, 200, day))
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def backtests(series: int, rows: int, levels: Array, seed: int = 0) -> list[SeriesBacktest]:
    """Backtests of independent series whose errors grow with the distance: half of them of one data set."""
    from scipy.special import ndtri

    rng = np.random.default_rng(seed)
    made = []
    for i in range(series):
        distance = np.sort(rng.exponential(1.0, rows))
        error = 0.3 * distance + np.hypot(0.5, 0.8 * distance) * rng.standard_t(5.0, rows)
        half = np.tile(0.4 * ndtri(levels), (rows, 1)) * rng.uniform(0.5, 1.5, (rows, 1))
        made.append(SeriesBacktest(f"series {i}", "own" if i % 2 else "other", frozenset({f"run {i}"}), half, error, distance))
    return made


def frontier_boards(cells: pl.DataFrame) -> list[Board]:
    """The boards of a frame of cells, as the frontier laws see them."""
    parts = cells.sort("benchmark", "released_on", "model_id").partition_by("benchmark", maintain_order=True)
    return [board(part["benchmark"][0], "", part.select("released_on", "value").iter_rows()) for part in parts]
