"""The forms put against each other on the frontier question, by name, and their equal-weight quantile means.

The means take unlike forms: jumps by level, hierarchical growth and local trend, with and without simulated releases. Equal
weights, because choosing among forms on earlier cut-offs is nearly blind (docs/results-frontier.md). The three that have a smooth
path or draw releases afresh are told how often a frontier stands still; past jumps hold that already. On the way to estimated
ceilings (`_frontier_ceiling`) they are forms of their own: better on the early cut-offs by which they were to be chosen, and worse
on the later ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import polars as pl

from foresaid.arrays import Array
from foresaid.laws import _frontier_curves, _frontier_jumps, _frontier_process, _frontier_releases, _frontier_still
from foresaid.laws._frontier_ceiling import to_ceilings
from foresaid.laws._frontier_rows import Board, Question
from foresaid.reproducible import generator
from foresaid.studies.frontier.protocol import Law

REFERENCE = "jumps"
MEANS = {
    "mean of three": ("jumps by level", "hierarchical growth", "local trend"),
    "mean of four": ("jumps by level", "hierarchical growth", "local trend", "simulated releases"),
    "mean of four to ceilings": (
        *("jumps by level to ceilings", "hierarchical growth to ceilings", "local trend to ceilings", "simulated releases"),
    ),
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

    by_level = partial(_frontier_jumps.by_level, settings=LEVEL)
    growth, trend = (partial(_frontier_process.forecast, form) for form in _frontier_process.FORMS)
    return {
        "no change": _frontier_jumps.no_change,
        REFERENCE: _frontier_jumps.pooled,
        "constant growth": _frontier_curves.constant_growth,
        "logistic by board": _frontier_curves.logistic_growth,
        "jumps by level": by_level,
        "hierarchical growth": standing(growth),
        "local trend": standing(trend),
        "simulated releases": standing(simulated),
        "jumps by level to ceilings": to_ceilings(by_level),
        "hierarchical growth to ceilings": standing(to_ceilings(growth)),
        "local trend to ceilings": standing(to_ceilings(trend)),
    }


def with_mean(quantiles: Mapping[str, Array]) -> dict[str, Array]:
    """Add the means of MEANS over the quantiles of their forms, level by level; a mean of a form that is absent is left out."""
    means = {
        name: np.asarray(np.mean([quantiles[one] for one in parts], axis=0))
        for name, parts in MEANS.items()
        if set(parts) <= set(quantiles)
    }
    return {**quantiles, **means}
