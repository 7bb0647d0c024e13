"""The forms put against each other on the frontier question, by name, and their equal-weight quantile means.

The means take unlike forms: jumps by level, hierarchical growth and local trend, with and without simulated releases. Equal
weights, because choosing among forms on earlier cut-offs is nearly blind (docs/results-frontier.md). The three that have a smooth
path or draw releases afresh are told how often a frontier stands still; past jumps hold that already.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import polars as pl

from foresaid.arrays import Array
from foresaid.laws import _frontier_curves, _frontier_jumps, _frontier_process, _frontier_releases, _frontier_still
from foresaid.laws._frontier_rows import Board, Question
from foresaid.reproducible import generator
from foresaid.studies.frontier.protocol import Law

REFERENCE = "jumps"
MEANS = {
    "mean of three": ("jumps by level", "hierarchical growth", "local trend"),
    "mean of four": ("jumps by level", "hierarchical growth", "local trend", "simulated releases"),
}
DEFAULT = "mean of four"
LEVEL = _frontier_jumps.Settings(bandwidth=0.25, on_line=True)
STILL = _frontier_still.Settings(bandwidth=0.10, only_more=True)


def standing(law: Law) -> Law:
    """The law, told how often frontiers at a like level stood still (`_frontier_still`)."""

    def told(boards: Sequence[Board], origin: float, questions: Sequence[Question]) -> Array:
        return _frontier_still.with_still(law(boards, origin, questions), boards, origin, questions, STILL)

    return told


def forms(cells: pl.DataFrame, seed: int) -> dict[str, Law]:
    """Return every form; `cells` are the boards' values as cells, which the simulation fits the capability law to.

    The simulation draws anew from the seed and the origin at each origin, so an origin's forecast depends on no other.
    """

    def simulated(boards: Sequence[Board], origin: float, questions: Sequence[Question]) -> Array:
        rng = generator(seed, "frontier", str(int(origin)))
        return _frontier_releases.forecast(boards, origin, questions, cells, rng)

    return {
        "no change": _frontier_jumps.no_change,
        REFERENCE: _frontier_jumps.pooled,
        "constant growth": _frontier_curves.constant_growth,
        "logistic by board": _frontier_curves.logistic_growth,
        "jumps by level": partial(_frontier_jumps.by_level, settings=LEVEL),
        "hierarchical growth": standing(partial(_frontier_process.forecast, "growth")),
        "local trend": standing(partial(_frontier_process.forecast, "trend")),
        "simulated releases": standing(simulated),
    }


def with_mean(quantiles: Mapping[str, Array]) -> dict[str, Array]:
    """Add the means of MEANS over the quantiles of their forms, level by level."""
    means = {name: np.asarray(np.mean([quantiles[one] for one in parts], axis=0)) for name, parts in MEANS.items()}
    return {**quantiles, **means}
