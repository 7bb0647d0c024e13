"""Proper scoring rules, as plain functions of forecast and outcome.

A forecast is a row of quantiles at ascending levels. Rules take quantiles (n, L), levels (L,) and outcomes (n,), and return
one number a row, in the unit of the quantity. Lower is better for all but coverage and bias, whose best values are the
nominal level and zero.

An outcome is known to its resolution only: a share of 164 items is no nearer to the truth than half an item. What asks whether an
outcome lies inside, above or below takes the resolution and calls everything within half of it a hit, on both sides. An outcome
that is not a number is refused: a comparison with it would count as a silent failure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foresaid.arrays import Array
from foresaid.errors import ParameterError
from foresaid.scoring.levels import _levels, position

Resolution = Array | float
"""Step between two neighbouring outcomes of each row (n,), or one for all; 0 where outcomes are exact."""


def _outcomes(outcomes: Array) -> Array:
    y = np.asarray(outcomes, dtype=float)
    if not np.isfinite(y).all():
        raise ParameterError(
            f"outcomes: found {int((~np.isfinite(y)).sum())} that are not numbers, expected none; leave such rows out"
        )
    return y


def half_width(resolution: Resolution, n: int) -> Array:
    """Half the resolution of each outcome: (n,). ParameterError where it is negative or not a number.

    >>> half_width(0.5, 2).tolist()
    [0.25, 0.25]
    """
    step = np.broadcast_to(np.asarray(resolution, dtype=float), (n,))
    if not (step >= 0).all():
        raise ParameterError("resolution: found a negative or missing step, expected 0 or more (0 where outcomes are exact)")
    return step / 2.0


def pinball(quantiles: Array, levels: Sequence[float], outcomes: Array) -> Array:
    """Pinball loss of each quantile: (n, L).

    rho_tau(y - q) = (tau - 1[y < q]) (y - q).   Koenker and Bassett 1978, equation 2.2.

    >>> pinball(np.array([[1.0]]), [0.5], np.array([3.0])).tolist()
    [[1.0]]
    """
    error = _outcomes(outcomes)[:, None] - quantiles
    return np.asarray((np.asarray(levels) - (error < 0)) * error)


@dataclass(frozen=True)
class IntervalScore:
    """Weighted interval score and its three parts, each (n,): wis = dispersion + overprediction + underprediction."""

    wis: Array
    dispersion: Array
    overprediction: Array
    underprediction: Array


def weighted_interval_score(quantiles: Array, levels: Sequence[float], outcomes: Array) -> IntervalScore:
    """Weighted interval score over the central intervals and the median.

    WIS = (sum_k (a_k / 2) IS_{a_k} + |y - m| / 2) / (K + 1/2), with a_k / 2 the lower level of interval k. This equals twice
    the mean pinball loss over the levels. Bracher, Ray, Gneiting, Reich 2021, equations 1 to 3 (arXiv 2005.12881). Quantiles
    must not descend; on 23 levels WIS is about a tenth below the exact CRPS, so the two never share a column.

    >>> levels = [0.25, 0.5, 0.75]
    >>> score = weighted_interval_score(np.array([[1.0, 2.0, 3.0]]), levels, np.array([5.0]))
    >>> [round(float(part[0]), 4) for part in (score.wis, score.dispersion, score.overprediction, score.underprediction)]
    [2.6667, 0.3333, 0.0, 2.3333]
    """
    level = _levels(levels)
    half = len(level) // 2
    lower, median, upper = quantiles[:, :half], quantiles[:, half], quantiles[:, :half:-1]
    alpha = 2.0 * level[:half]
    outcomes = _outcomes(outcomes)
    y = outcomes[:, None]
    count = half + 0.5
    dispersion = (alpha / 2 * (upper - lower)).sum(axis=1) / count
    over = np.maximum(lower - y, 0.0).sum(axis=1) / count + 0.5 * np.maximum(median - outcomes, 0.0) / count
    under = np.maximum(y - upper, 0.0).sum(axis=1) / count + 0.5 * np.maximum(outcomes - median, 0.0) / count
    return IntervalScore(dispersion + over + under, dispersion, over, under)


def covered(
    quantiles: Array, levels: Sequence[float], outcomes: Array, nominal: float, resolution: Resolution = 0.0
) -> NDArray[np.bool_]:
    """Say which outcomes lie in the central interval of this nominal coverage, ends included.

    An outcome y known to the resolution r lies in [l, u] where l - r/2 <= y <= u + r/2.

    >>> covered(np.array([[0.1, 0.5, 0.9]]), [0.1, 0.5, 0.9], np.array([0.9]), 0.8).tolist()
    [True]
    >>> covered(np.array([[0.1, 0.5, 0.9998]]), [0.1, 0.5, 0.9], np.array([1.0]), 0.8, 1 / 250).tolist()
    [True]
    """
    ends = [(1.0 - nominal) / 2.0, (1.0 + nominal) / 2.0]
    at = [position(levels, end) for end in ends]
    _levels(levels)
    if at[0] is None or at[1] is None:
        raise ParameterError(f"coverage {nominal}: found no such interval among the levels, expected {ends[0]:g} and {ends[1]:g}")
    y = _outcomes(outcomes)
    half = half_width(resolution, len(y))
    return np.asarray((quantiles[:, at[0]] - half <= y) & (y <= quantiles[:, at[1]] + half))


def bias(quantiles: Array, levels: Sequence[float], outcomes: Array, resolution: Resolution = 0.0) -> Array:
    """Bias in [-1, 1]: positive when the forecast lies above the outcome, zero when the outcome is the median.

    1 - 2 max{tau : q_tau <= y} for outcomes below the median, 1 - 2 min{tau : q_tau >= y} above it, as in scoringutils'
    `bias_quantile` (Bosse et al., arXiv 2205.07090, section on bias); y counts as at a quantile within half its resolution.

    >>> levels = [0.25, 0.5, 0.75]
    >>> bias(np.array([[1.0, 2.0, 3.0]] * 3), levels, np.array([0.0, 2.0, 3.0])).tolist()
    [1.0, 0.0, -0.5]
    >>> bias(np.array([[1.0, 2.0, 3.0]]), levels, np.array([2.4]), 1.0).tolist()
    [0.0]
    """
    level = _levels(levels)
    median = quantiles[:, len(level) // 2]
    outcomes = _outcomes(outcomes)
    half = half_width(resolution, len(outcomes))
    y, h = outcomes[:, None], half[:, None]
    below = np.max(np.where(quantiles <= y + h, level, 0.0), axis=1)
    above = np.min(np.where(quantiles >= y - h, level, 1.0), axis=1)
    off = np.where(outcomes < median, 1.0 - 2.0 * below, 1.0 - 2.0 * above)
    return np.where(np.abs(outcomes - median) <= half, 0.0, off)


def crps_of_draws(draws: Array, outcomes: Array) -> Array:
    """Continuous ranked probability score of equally likely draws (S, n): (n,), in the unit of the quantity.

    CRPS = mean |X - y| - (1/2) mean |X - X'| over all ordered pairs, the second from sorted draws: Gneiting and Raftery 2007,
    equation 21 (the biased, `energy` form, exact for the draws as they are). It is exact where WIS on 23 levels is a sum.

    >>> crps_of_draws(np.array([[0.0], [1.0]]), np.array([0.0])).tolist()
    [0.25]
    """
    outcomes = _outcomes(outcomes)
    ordered = np.sort(draws, axis=0)
    size = len(ordered)
    rank = 2.0 * np.arange(1, size + 1) - size - 1.0
    spread = np.einsum("s,sn->n", rank, ordered) / size**2
    return np.asarray(np.abs(ordered - outcomes).mean(axis=0) - spread)


def log_score_of_mixture(location: Array, scale: float, outcomes: Array, lower: float, upper: float) -> Array:
    """Negative log predictive density of normal noise around draws `location` (R, n), cut at the bounds: (n,), in nats.

    -ln mean_r N(y; location_r, scale). At a bound the density is the probability of reaching it or beyond, since values
    beyond are reported at the bound. Good 1952. It is infinite for an outcome a forecast called impossible, and NaN where the
    forecast is a point mass (scale 0): then no density exists. In units of one over the quantity's unit: compare only
    within one quantity.

    >>> log_score_of_mixture(np.array([[0.0]]), 1.0, np.array([0.0]), -9.0, 9.0).round(4).tolist()
    [0.9189]
    """
    outcomes = _outcomes(outcomes)
    if scale <= 0:
        return np.full(len(outcomes), np.nan)
    from scipy.special import logsumexp
    from scipy.stats import norm  # takes most of a second to load, and most who import this never ask

    inside = norm.logpdf(outcomes, location, scale)
    at_lower, at_upper = norm.logcdf((lower - location) / scale), norm.logsf((upper - location) / scale)
    logs = np.where(outcomes <= lower, at_lower, np.where(outcomes >= upper, at_upper, inside))
    return np.asarray(np.log(len(location)) - logsumexp(logs, axis=0))
