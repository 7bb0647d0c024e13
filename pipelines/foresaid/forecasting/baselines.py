"""The forecasts every law must beat: nothing is fitted here but a mean, a maximum or a straight line.

A baseline is one function that forecasts a row from other rows. Its spread is its own record: each training row is forecast
from the others, and the quantiles of those errors, taken with both signs so that the median stays the point, are put
around it (the forecast hubs build their baseline so). It is as unsure as it was wrong in training, with nothing to tune.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np

from foresaid.arrays import Array, sigmoid
from foresaid.fitting.data import Table
from foresaid.fitting.transforms import transform_named
from foresaid.forecasting import informed_baselines
from foresaid.forecasting.predict import Forecast
from foresaid.scoring.levels import LEVELS

Baseline = Callable[[Table, str, date | None, float], float]
"""Forecast one row from known rows: (rows, its cluster, its release day, its first covariate) -> value on the curve's scale."""


def training_mean(rows: Table, cluster: str, released_on: date | None, x: float) -> float:
    """Forecast the mean of all known values."""
    del cluster, released_on, x
    return float(rows.y.mean())


def best_known(rows: Table, cluster: str, released_on: date | None, x: float) -> float:
    """Forecast the best value known: progress has stopped at the frontier."""
    del cluster, released_on, x
    return float(rows.y.max())


def last_of_family(rows: Table, cluster: str, released_on: date | None, x: float) -> float:
    """Forecast the newest value of the same family, best first among equals; the mean of all where the family is new."""
    member = [i for i, name in enumerate(rows.clusters) if name == cluster]
    if not member:
        return training_mean(rows, cluster, released_on, x)
    newest = max(member, key=lambda i: (rows.released_on[i] or date.min, rows.y[i]))
    return float(rows.y[newest])


def last_value(rows: Table, cluster: str, released_on: date | None, x: float) -> float:
    """Forecast the value of the known run nearest in scale, the largest among equals: nothing more is gained."""
    del cluster, released_on
    return float(rows.y[np.lexsort((-rows.x.sum(axis=1), np.abs(rows.x[:, 0] - x)))[0]])


def straight_line(rows: Table, cluster: str, released_on: date | None, x: float) -> float:
    """Forecast by a straight line in the covariate (a logarithm, for sizes) through all known points."""
    del cluster, released_on
    at = rows.x[:, 0]
    if np.ptp(at) == 0:
        return float(rows.y.mean())
    slope = ((at - at.mean()) * (rows.y - rows.y.mean())).sum() / ((at - at.mean()) ** 2).sum()
    return float(rows.y.mean() + slope * (x - at.mean()))


FOR_RELEASES: dict[str, Baseline] = {"training_mean": training_mean, "best_known": best_known, "last_of_family": last_of_family}
FOR_SIZES: dict[str, Baseline] = {"last_value": last_value, "straight_line": straight_line}


def _first(table: Table, i: int) -> float:
    return float(table.x[i, 0])


def past_errors(baseline: Baseline, rows: Table) -> Array:
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
            errors.append(rows.y[i] - baseline(rows.where(keep), rows.clusters[i], rows.released_on[i], _first(rows, i)))
    return np.array(errors)


def forecast(baseline: Baseline, rows: Table, targets: Table) -> Forecast:
    """Forecast each target row: the baseline's point with the quantiles of its past errors around it."""
    errors = past_errors(baseline, rows)
    point = np.array([baseline(rows, targets.clusters[i], targets.released_on[i], _first(targets, i)) for i in range(targets.n)])
    return _around(point, errors, rows)


def _around(point: Array, errors: Array, rows: Table) -> Forecast:
    target = rows.target
    both = np.concatenate([errors, -errors]) if errors.size else np.zeros(1)
    values = point[:, None] + np.quantile(both, LEVELS)

    def in_unit(curve_scale: Array) -> Array:
        return np.clip(target.offset + target.span * curve_scale, target.lower, target.upper)

    return Forecast(in_unit(values), in_unit(point[:, None] + both).mean(axis=1), in_unit(point))


TOLD: dict[str, informed_baselines.Point] = {
    "nearest_known_model": informed_baselines.nearest_known_model,
    "ridge_on_others": informed_baselines.ridge_on_others,
    "sigmoid_of_mean": informed_baselines.sigmoid_of_mean,
}
"""N2 to N4: told the new model's scores on the other benchmarks, the covariates of the observational law."""

_LOGIT = transform_named("logit")


def tells(table: Table) -> bool:
    """Whether the covariates are scores on enough other benchmarks for the baselines of `TOLD`."""
    return bool(table.x.shape[1] >= informed_baselines.FEWEST_SHARED)


def _cells(table: Table, copied: bool) -> informed_baselines.Rows:
    """One cell a known score: other benchmarks as logits; the target, the last code, as a share where it is only `copied`."""
    shares = np.column_stack([table.x, table.y])
    z = _LOGIT.apply(shares)
    if copied:
        z[:, -1] = table.y
    row, q = np.nonzero(np.isfinite(z))
    subject, cluster = np.array(table.subjects)[row], np.array(table.clusters)[row]
    day = np.array([(released or date.min).toordinal() for released in table.released_on], dtype=float)[row]
    blank = np.full(len(row), "")
    effort = np.full(len(row), np.nan)
    return informed_baselines.Rows(subject, subject, cluster, blank, blank, cluster, effort, day, q.astype(np.intp), z[row, q])


def _told_points(name: str, rows: Table, targets: Table) -> Array:
    """Point forecasts (n,) of the targets on the curve's scale, from their covariates alone."""
    copied, last = name == "nearest_known_model", rows.x.shape[1]
    known, every = _cells(rows, copied), _cells(targets, copied)
    asked, told = every.where(every.q == last), every.where(every.q != last)
    found = np.array([TOLD[name](known, asked, i, told.where(told.system == asked.system[i])) for i in range(asked.n)])
    return found if copied else sigmoid(found)


def forecast_told(name: str, rows: Table, targets: Table) -> Forecast:
    """Forecast each target row by one of `TOLD`, with the quantiles of its errors on training families left out whole.

    N2 finds the nearest model by logits of the other benchmarks and copies its score; N3 and N4 regress the logit of the score.
    Scores are shares; a logit is taken `LOGIT_EDGE` off 0 and 1. The outcome of a target row is never read. Do not trust the
    width where few families are known.
    """
    clusters = np.array(rows.clusters)
    errors = [
        rows.y[clusters == one] - _told_points(name, rows.where(clusters != one), rows.where(clusters == one))
        for one in np.unique(clusters)
        if (clusters != one).any()
    ]
    past = np.concatenate(errors) if errors else np.zeros(0)
    return _around(_told_points(name, rows, targets), past, rows)
