"""The forecasts every law must beat: nothing is fitted here but a mean, a maximum or a straight line.

A baseline is one function that forecasts a row from other rows. Its spread is its own record: each training row is forecast
from the others, and the quantiles of those errors, taken with both signs so that the median stays the point, are put
around it (the forecast hubs build their baseline so). It is as unsure as it was wrong in training, with nothing to tune.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from foresaid.arrays import Array
from foresaid.fitting.data import TrainingTable
from foresaid.forecasting.method import FAMILY, NOTHING, SCALE, Method
from foresaid.forecasting.predict import Forecast
from foresaid.scoring.levels import LEVELS

Baseline = Callable[[TrainingTable, str, date | None, Array], float]
"""Forecast one row from known rows: (rows, its cluster, its release day, its covariates (k,)) -> value on the curve's scale."""


@dataclass(frozen=True)
class NamedBaseline:
    """A baseline and what tables say of it: title, sentence, and what it is told."""

    method: Method
    forecast: Baseline


def named(baseline: Baseline, title: str, sentence: str, told: str) -> NamedBaseline:
    """Name a baseline by its function; a new one is its function and its entry in one of the lists below, and nothing else."""
    return NamedBaseline(Method(baseline.__name__, title, sentence, "baseline", told), baseline)


def by_name(listed: Sequence[NamedBaseline]) -> dict[str, Baseline]:
    """The functions by name, in the order of the list."""
    return {one.method.name: one.forecast for one in listed}


def training_mean(rows: TrainingTable, cluster: str, released_on: date | None, x: Array) -> float:
    """Forecast the mean of all known values."""
    del cluster, released_on, x
    return float(rows.y.mean())


def best_known(rows: TrainingTable, cluster: str, released_on: date | None, x: Array) -> float:
    """Forecast the best value known: progress has stopped at the frontier."""
    del cluster, released_on, x
    return float(rows.y.max())


def last_of_family(rows: TrainingTable, cluster: str, released_on: date | None, x: Array) -> float:
    """Forecast the newest value of the same family, best first among equals; the mean of all where the family is new."""
    member = [i for i, name in enumerate(rows.clusters) if name == cluster]
    if not member:
        return training_mean(rows, cluster, released_on, x)
    newest = max(member, key=lambda i: (rows.released_on[i] or date.min, rows.y[i]))
    return float(rows.y[newest])


def last_value(rows: TrainingTable, cluster: str, released_on: date | None, x: Array) -> float:
    """Forecast the value of the known run nearest in scale, the largest among equals: nothing more is gained."""
    del cluster, released_on
    return float(rows.y[np.lexsort((-rows.x.sum(axis=1), np.abs(rows.x[:, 0] - x[0])))[0]])


def straight_line(rows: TrainingTable, cluster: str, released_on: date | None, x: Array) -> float:
    """Forecast by a straight line in the covariate (a logarithm, for sizes) through all known points."""
    del cluster, released_on
    at = rows.x[:, 0]
    if np.ptp(at) == 0:
        return float(rows.y.mean())
    slope = ((at - at.mean()) * (rows.y - rows.y.mean())).sum() / ((at - at.mean()) ** 2).sum()
    return float(rows.y.mean() + slope * (x[0] - at.mean()))


RELEASES = (
    named(training_mean, "Mean (climatology)", "the mean score of the training models", NOTHING),
    named(best_known, "Best so far", "the best score of the training models", NOTHING),
    named(last_of_family, "Last value (persistence)", "the score of the newest known model of the same family", FAMILY),
)
SIZES = (
    named(last_value, "Nearest known run", "the score of the nearest smaller run of the series", SCALE),
    named(
        straight_line,
        "Straight line",
        "linear regression on the first covariate, or its logarithm, over all known runs",
        SCALE,
    ),
)
FOR_RELEASES, FOR_SIZES = by_name(RELEASES), by_name(SIZES)


def past_errors(baseline: Baseline, rows: TrainingTable) -> Array:
    """Errors the baseline made on each known row, forecast from the rows of other families (or from the other runs).

    The family is left out as a whole, as a new release is new to everybody, except for the baseline that is about the
    family: there, and within one series, only the row itself is left out.
    """
    errors = []
    single = len(set(rows.clusters)) == rows.n or len(set(rows.clusters)) == 1
    clusters = np.array(rows.clusters)
    for i in range(rows.n):
        keep = np.arange(rows.n) != i
        if not single and baseline is not last_of_family:
            keep = clusters != rows.clusters[i]
        if keep.any():
            errors.append(rows.y[i] - baseline(rows.where(keep), rows.clusters[i], rows.released_on[i], rows.x[i]))
    return np.array(errors)


def forecast(baseline: Baseline, rows: TrainingTable, targets: TrainingTable) -> Forecast:
    """Forecast each target row: the baseline's point with the quantiles of its past errors around it."""
    errors = past_errors(baseline, rows)
    point = np.array([baseline(rows, targets.clusters[i], targets.released_on[i], targets.x[i]) for i in range(targets.n)])
    target = rows.target
    both = np.concatenate([errors, -errors]) if errors.size else np.zeros(1)
    values = point[:, None] + np.quantile(both, LEVELS)

    def in_unit(curve_scale: Array) -> Array:
        return np.clip(target.offset + target.span * curve_scale, target.lower, target.upper)

    return Forecast(in_unit(values), in_unit(point[:, None] + both).mean(axis=1), in_unit(point))
