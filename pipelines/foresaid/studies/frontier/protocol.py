"""The frontier question asked at cut-offs of the past: which rows count, what each law says, and how it is scored.

Pseudo-forward: what is known at a cut-off goes by release day, because one download has no history. A row is a board, top 1 or mean
of top 3, and 3, 6 or 12 months. It is asked where the board had FEWEST models by the cut-off and one released within the span: on a
closed board nothing is asked. Saturated boards (frontier at SATURATED or above at the cut-off) are scored apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date

import numpy as np
import polars as pl

from foresaid.arrays import Array
from foresaid.laws._frontier_rows import LEVELS, MONTH, Board, Question, known
from foresaid.scoring.rules import crps_of_draws

FEWEST = 5
SATURATED = 0.85
TOPS, MONTHS = (1, 3), (3, 6, 12)
CUTOFFS = (date(2024, 1, 1), date(2024, 7, 1), date(2025, 1, 1), date(2025, 7, 1), date(2026, 1, 1))
LAST = date(2026, 7, 31)  # the last day whose releases Epoch's file of 2026-08-11 holds
REPLICATES = 4000
Law = Callable[[Sequence[Board], float, Sequence[Question]], Array]


def questions(boards: Sequence[Board], cutoff: date, last: date = LAST, fewest: int = FEWEST) -> list[Question]:
    """Return what is asked at a cut-off, by board, top and span."""
    origin, found = float(cutoff.toordinal()), []
    for one in sorted(boards, key=lambda one: one.name):
        if (one.day <= origin).sum() >= fewest:
            for top in TOPS:
                for months in MONTHS:
                    until = origin + months * MONTH
                    if until <= last.toordinal() + 1 and one.measured_within(origin, until):
                        found.append(Question(one.name, top, months))
    return found


def run(
    boards: Sequence[Board], laws: Mapping[str, Law], cutoffs: Sequence[date] = CUTOFFS
) -> tuple[pl.DataFrame, dict[str, Array]]:
    """Ask every law at every cut-off; return the rows (board, family, cutoff, top, months, now, outcome) and quantiles by law."""
    rows: list[tuple[object, ...]] = []
    quantiles: dict[str, list[Array]] = {name: [] for name in laws}
    place = {one.name: one for one in boards}
    for cutoff in cutoffs:
        origin, asked = float(cutoff.toordinal()), questions(boards, cutoff)
        seen = known(boards, origin)
        for name, law in laws.items():
            quantiles[name].append(law(seen, origin, asked))
        for one in asked:
            board = place[one.board]
            until = origin + one.months * MONTH
            rows.append(
                (
                    one.board,
                    board.family,
                    cutoff,
                    one.top,
                    one.months,
                    board.frontier(origin, one.top),
                    board.frontier(until, one.top),
                )
            )
    schema = {"board": pl.String, "family": pl.String, "cutoff": pl.Date, "top": pl.Int64, "months": pl.Int64}
    frame = pl.DataFrame(rows, schema={**schema, "now": pl.Float64, "outcome": pl.Float64}, orient="row")
    return frame, {name: np.concatenate(parts) for name, parts in quantiles.items()}


def scored(rows: pl.DataFrame, quantiles: Array) -> pl.DataFrame:
    """Add CRPS, squared error of the median, and whether the outcome lay within, above or below the 80 % band."""
    outcome = rows["outcome"].to_numpy()
    low, middle, high = (np.array([np.interp(level, LEVELS, row) for row in quantiles]) for level in (0.1, 0.5, 0.9))
    return rows.with_columns(
        crps=pl.Series(crps_of_draws(quantiles.T, outcome)),
        squared_error=pl.Series((middle - outcome) ** 2),
        held=pl.Series((low - 1e-9 <= outcome) & (outcome <= high + 1e-9)),
        above=pl.Series(outcome > high + 1e-9),
        below=pl.Series(outcome < low - 1e-9),
    )


def skill(scores: pl.DataFrame, reference: pl.DataFrame, rng: np.random.Generator) -> tuple[float, float, float]:
    """Skill 1 - CRPS / reference CRPS on the same rows, with its 5 and 95 % bootstrap bounds over board families."""
    families, member = np.unique(scores["family"].to_numpy(), return_inverse=True)
    first, second = (np.bincount(member, frame["crps"].to_numpy(), len(families)) for frame in (scores, reference))
    drawn = rng.multinomial(len(families), np.full(len(families), 1.0 / len(families)), size=REPLICATES)
    low, high = np.quantile(1.0 - (drawn @ first) / (drawn @ second), [0.05, 0.95])
    return float(1.0 - first.sum() / second.sum()), float(low), float(high)
