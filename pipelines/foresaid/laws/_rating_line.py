"""Ratings without a ceiling (log2 minutes of a time horizon, index points): a straight line in the day, with and without a bend.

Fitted to the models that set a record on their release, since a record is what is asked. `line`: ordinary least squares with the
exact Student t predictive distribution. `bend`: the line may change its slope once; every month at which it may, and none, is
weighted by its marginal likelihood (flat priors on line and log noise), so an unsure bend widens the forecast and is not picked.
Growth laws with a ceiling say nothing here: they would end in a flat line.
"""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln

from foresaid.arrays import Array
from foresaid.laws._frontier_rows import LEVELS, MONTH

YEAR = 12.0 * MONTH
SIDE = 3  # records on each side of a bend
NO_BEND = 0.5  # prior probability that the line has no bend in the range of the data
SLOPE_SPREAD = 2.0  # standard deviation of the change of slope, in units of the slope of the straight line
LEAST_NOISE = 1e-3


def records(day: Array, value: Array) -> tuple[Array, Array]:
    """Return days and values of the models that set a record on their release, in order; of one day the best counts."""
    order = np.lexsort((-value, day))
    day, value = day[order], value[order]
    best = np.r_[-np.inf, np.maximum.accumulate(value)[:-1]] if len(value) else value
    keep = value > best
    return day[keep], value[keep]


def _regress(X: Array, y: Array, at: Array, ridge: Array) -> tuple[float, float, float, float]:
    """Mean, scale and degrees of freedom of the predictive Student t at a row, and the log marginal likelihood.

    The last column may have a normal prior, given as a precision `ridge` relative to the noise; flat (0) for the others.
    """
    n, p = X.shape
    gram = X.T @ X + np.diag(ridge)
    beta = np.linalg.solve(gram, X.T @ y)
    left = y - X @ beta
    degrees = n - 2
    rest = max(float(left @ left + (ridge * beta * beta).sum()), degrees * LEAST_NOISE**2)
    scale = np.sqrt(rest / degrees * (1.0 + float(at @ np.linalg.solve(gram, at))))
    evidence = 0.5 * float(np.log(ridge[ridge > 0]).sum()) - 0.5 * float(np.linalg.slogdet(gram)[1])
    evidence += float(gammaln(0.5 * degrees)) - 0.5 * degrees * np.log(rest)
    del p
    return float(at @ beta), float(scale), float(degrees), evidence


def _mixture(parts: list[tuple[float, float, float, float]]) -> Array:
    """Quantiles (200) of a mixture of Student t distributions: 200 quantiles of each, pooled by weight."""
    from scipy.stats import t  # takes most of a second to load, and most laws never ask

    values = np.concatenate([mean + scale * t.ppf(LEVELS, degrees) for mean, scale, degrees, _ in parts])
    weight = np.repeat([part[3] for part in parts], len(LEVELS))
    order = np.argsort(values, kind="stable")
    middle = (np.cumsum(weight[order]) - 0.5 * weight[order]) / weight.sum()
    return np.asarray(np.interp(LEVELS, middle, values[order]))


def line(day: Array, value: Array, at: float) -> Array:
    """Quantiles (200) of the record on day `at`, by a straight line through the records; never below today's record."""
    when, record = records(day, value)
    now = float(value.max())
    if len(when) < SIDE + 1:
        return np.full(len(LEVELS), now)
    x = (when - when[-1]) / YEAR
    X = np.column_stack([np.ones_like(x), x])
    found = _regress(X, record, np.array([1.0, (at - when[-1]) / YEAR]), np.zeros(2))
    return np.maximum(now, _mixture([(*found[:3], 1.0)]))


def bend(day: Array, value: Array, at: float) -> Array:
    """Quantiles (200) of the record on day `at`, by a line that may change its slope once; never below today's record."""
    when, record = records(day, value)
    if len(when) < 2 * SIDE:
        return line(day, value, at)
    x, target = (when - when[-1]) / YEAR, (at - when[-1]) / YEAR
    straight = np.column_stack([np.ones_like(x), x])
    first = _regress(straight, record, np.array([1.0, target]), np.zeros(2))
    months = np.arange(x[SIDE - 1], x[-SIDE] + 1e-9, 1.0 / 12.0)
    parts = [(*first[:3], first[3] + np.log(NO_BEND))]
    slope, noise = np.linalg.lstsq(straight, record, rcond=None)[0][1], max(first[1], LEAST_NOISE)
    precision = (noise / max(SLOPE_SPREAD * abs(float(slope)), LEAST_NOISE)) ** 2
    for month in months:
        X = np.column_stack([straight, np.maximum(x - month, 0.0)])
        row = np.array([1.0, target, max(target - float(month), 0.0)])
        found = _regress(X, record, row, np.array([0.0, 0.0, precision]))
        parts.append((*found[:3], found[3] + np.log((1.0 - NO_BEND) / len(months))))
    top = max(part[3] for part in parts)
    weighted = [(mean, scale, degrees, float(np.exp(weight - top))) for mean, scale, degrees, weight in parts]
    return np.maximum(float(value.max()), _mixture(weighted))


def no_change(day: Array, value: Array, at: float) -> Array:
    """Quantiles (200), all equal: today's record."""
    del day, at
    return np.full(len(LEVELS), float(value.max()))
