"""Means over scored rows as expressions: what every table that averages them has to agree on.

The columns are those of `schema.SCORED`; the means of the scoring rules themselves are listed in scoring/row_scores.py.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

COUNTED = ("release", "maker")


def counts(units: Sequence[str] = COUNTED) -> dict[str, pl.Expr]:
    """How many rows, and how many of each unit that counts as one: `n`, `n_releases`, `n_makers`."""
    return {"n": pl.len(), **{f"n_{unit}s": pl.col(unit).n_unique() for unit in units}}


def bias() -> pl.Expr:
    """Mean of forecast median less observed value, in the unit of the quantity: positive where forecasts are too high.

    >>> rows = pl.DataFrame({"median": [0.5, 0.75], "observed": [0.25, 0.75]})
    >>> rows.select(bias()).item()
    0.125
    """
    return (pl.col("median") - pl.col("observed")).mean()


def coverage(levels: Sequence[float]) -> dict[str, pl.Expr]:
    """Share of observed values inside the central interval of each level, `coverage_80` for 0.8.

    >>> list(coverage([0.5, 0.95]))
    ['coverage_50', 'coverage_95']
    """
    percents = [round(100 * level) for level in levels]
    return {f"coverage_{percent}": pl.col(f"covered_{percent}").mean() for percent in percents}
