"""Will it reach 60 %? Probabilities of reaching numbers that a target froze, read off a forecast's quantiles, with Brier scores.

They are no further targets and enter no mean of WIS: the same distribution is asked another way, in a table of its own. Which
numbers are asked stands in the target, since whoever chose them afterwards would choose those that came out well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import polars as pl

from foresaid.ledger.entries.targets import TargetEntry
from foresaid.ledger.state.index import Aim

MARKS = ("author", "id", "version", "standing", "told")


def reached(levels: Sequence[float], values: Sequence[float], bounds: tuple[float, float], threshold: float, higher: bool) -> float:
    """The probability that an outcome is as good as a threshold or better, P(Y >= t), or P(Y <= t) where lower is better.

    The distribution function is linear between the quantiles, and between the outer ones and the bounds, where it is 0 and 1; all
    in the unit of the target. The score of a probability is (p - came)^2 (Brier 1950, Verification of forecasts expressed in terms
    of probability). Quantiles that coincide are an atom, which counts as reached. Not to be trusted beyond the outer quantiles,
    where nothing but the bounds is known.

    >>> [reached([0.25, 0.5, 0.75], [0.4, 0.5, 0.6], (0.0, 1.0), t, True) for t in (0.2, 0.5, 0.8)]
    [0.875, 0.5, 0.125]
    >>> reached([0.25, 0.75], [0.5, 0.5], (0.0, 1.0), 0.5, True), reached([0.25, 0.75], [0.5, 0.5], (0.0, 1.0), 0.5, False)
    (0.75, 0.75)
    """
    points = [(bounds[0], 0.0), *zip(values, levels, strict=True), (bounds[1], 1.0)]
    if not higher:
        points = [(-value, 1.0 - level) for value, level in reversed(points)]
        threshold = -threshold
    below = 0.0  # P(Y < t)
    for (left, low), (right, high) in pairwise(points):
        if right < threshold:
            below = high
        elif left < threshold:
            below = low + (high - low) * (threshold - left) / (right - left)
    return 1.0 - below


def crossings(frame: pl.DataFrame, levels: Sequence[float], targets: Mapping[Aim, TargetEntry]) -> Iterator[dict[str, Any]]:
    """Each row of forecasts that met an outcome, with each number its target asks about: probability, whether reached, Brier."""
    for row in frame.iter_rows(named=True):
        target = targets.get((row["case"], row["target_id"]))
        if target is None or not isinstance(target.crossings, list) or any(value != value for value in row["quantiles"]):
            continue
        bounds, higher = (float(target.min), float(target.max)), target.direction == "higher"
        for threshold in target.crossings:
            at = float(threshold)
            chance = reached(levels, row["quantiles"], bounds, at, higher)
            was = row["observed"] >= at if higher else row["observed"] <= at
            yield {
                **{name: row[name] for name in MARKS},
                "subject": row["subject_id"],
                "threshold": threshold,
                "probability": chance,
                "reached": was,
                "brier": (chance - float(was)) ** 2,
            }
