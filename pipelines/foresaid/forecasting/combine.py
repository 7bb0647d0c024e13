"""Forecasts made of forecasts: equal weights, medians, weights learned from earlier origins, and widths corrected by them.

Members are combined level by level (averages of quantiles, not of probabilities), as the forecast hubs do: a combination of
calibrated members stays as sharp as they are. Whatever is learned here is learned from forecasts of earlier origins whose
outcomes were public by then; the caller passes those and no others. A member that has no forecast for a row (NaN) is left out
of that row and its weight shared among the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from foresaid.arrays import Array
from foresaid.errors import ParameterError
from foresaid.forecasting.predict import rescale
from foresaid.scoring.rules import weighted_interval_score

SCALES = (0.25, 8.0)  # how far a learned width may go
PRIOR_RELEASES = 5.0  # releases' worth of belief that the stated widths are right


def average(quantiles: Array, weights: Array) -> Array:
    """Average members' quantiles (K, n, L) under weights (K,): (n, L), NaN where no member has a forecast.

    Vincent 1912; Lichtendahl, Grushka-Cockayne, Winkler 2013 on why quantiles and not probabilities.

    >>> average(np.array([[[0.0, 1.0]], [[2.0, 5.0]], [[np.nan, np.nan]]]), np.array([0.25, 0.25, 0.5])).tolist()
    [[1.0, 3.0]]
    """
    present = np.asarray(~np.isnan(quantiles).any(axis=2))
    share = present * np.asarray(weights, dtype=float)[:, None]
    # A row whose only members have weight zero falls back to equal weights rather than to nothing.
    share = np.where(share.sum(axis=0) > 0, share, present.astype(float))
    total = share.sum(axis=0)
    mixed = np.einsum("kn,knl->nl", share, np.where(present[:, :, None], quantiles, 0.0))
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(total[:, None] > 0, mixed / np.where(total > 0, total, 1.0)[:, None], np.nan))


def median(quantiles: Array) -> Array:
    """Take the median of members' quantiles (K, n, L), level by level: (n, L). One wild member cannot move it far.

    >>> median(np.array([[[0.0]], [[1.0]], [[50.0]]])).tolist()
    [[1.0]]
    """
    nobody = np.asarray(np.isnan(quantiles).all(axis=(0, 2)))
    found = np.nanmedian(np.where(nobody[None, :, None], 0.0, quantiles), axis=0)
    return np.asarray(np.where(nobody[:, None], np.nan, found))


def stack(quantiles: Array, levels: Sequence[float], outcomes: Array, importance: Array) -> Array:
    """Weights (K,) >= 0 summing to one that minimise the mean pinball loss of the averaged quantiles on past rows.

    `quantiles` is (K, n, L) without NaN, `importance` (n,) weighs the rows (one over the release's rows, so that each
    release counts once; and over the unit's scale, where units differ). A linear programme, solved exactly: minimise the
    sum of importance * (tau u + (1 - tau) v) subject to Q w + u - v = y. Hall and Mitchell 2007 on stacking; Taylor and
    Taylor 2021 on quantiles.

    With few past releases the weights are noise: shrink them towards equal ones before use (see `shrunk`).

    >>> truth = np.linspace(0.0, 1.0, 9)
    >>> members = np.stack([truth[:, None] + 0.0, truth[:, None] + 1.0])
    >>> stack(members, [0.5], truth, np.ones(9)).round(6).tolist()
    [1.0, 0.0]
    """
    from scipy.optimize import linprog  # most fits combine nothing
    from scipy.sparse import csr_array, hstack, identity, vstack

    count, rows, size = quantiles.shape
    flat = quantiles.transpose(1, 2, 0).reshape(rows * size, count)
    level = np.tile(np.asarray(levels, dtype=float), rows)
    weight = np.repeat(importance / importance.sum(), size) / size
    cost = np.concatenate([np.zeros(count), weight * level, weight * (1 - level)])
    eye = identity(rows * size, format="csr")
    total = csr_array(np.concatenate([np.ones(count), np.zeros(2 * rows * size)])[None, :])
    matrix = vstack([hstack([csr_array(flat), eye, -eye]), total], format="csr")
    right = np.concatenate([np.repeat(outcomes, size), [1.0]])
    found = linprog(cost, A_eq=matrix, b_eq=right, bounds=(0, None), method="highs")
    if found.x is None:
        raise ParameterError(f"stack: the linear programme over {rows} rows failed: {found.message}")
    chosen = np.clip(np.asarray(found.x[:count], dtype=float), 0.0, None)
    return np.asarray(chosen / chosen.sum())


def shrunk(weights: Array, releases: int, prior: float = PRIOR_RELEASES) -> Array:
    """Pull learned weights (K,) towards equal ones, as if `prior` releases had said that all members are alike.

    >>> shrunk(np.array([1.0, 0.0]), 5, prior=5.0).tolist()
    [0.75, 0.25]
    """
    trust = releases / (releases + prior)
    return np.asarray(trust * weights + (1.0 - trust) / len(weights))


@dataclass(frozen=True)
class Width:
    """How much wider than stated a forecaster's intervals have to be, learned from `releases` past releases."""

    scale: float
    releases: int


def learn_width(
    quantiles: Array,
    levels: Sequence[float],
    outcomes: Array,
    importance: Array,
    bounds: tuple[Array, Array],
    releases: int,
    prior: float = PRIOR_RELEASES,
) -> Width:
    """Find the factor on the width of past forecasts (n, L) that would have had the least mean WIS, and shrink it a little.

    ln(scale) is the minimiser of the weighted mean WIS within SCALES, times releases / (releases + prior). `importance`
    (n,) and `bounds` are as in `stack` and `rescale`. A single number per forecaster, since few releases teach no more.

    >>> from foresaid.forecasting.predict import LEVELS
    >>> from scipy.stats import norm
    >>> y = 3.0 * norm.ppf((np.arange(50) + 0.5) / 50)
    >>> narrow = np.tile(norm.ppf(LEVELS), (50, 1))
    >>> far = (np.full(50, -99.0), np.full(50, 99.0))
    >>> round(learn_width(narrow, LEVELS, y, np.ones(50), far, 1000).scale, 1)
    3.0
    """
    from scipy.optimize import minimize_scalar  # those who only apply a width do not pay for it

    weight = importance / importance.sum()

    def loss(log_scale: float) -> float:
        wider = rescale(quantiles, float(np.exp(log_scale)), *bounds)
        return float(weight @ weighted_interval_score(wider, levels, outcomes).wis)

    found = minimize_scalar(loss, bounds=(np.log(SCALES[0]), np.log(SCALES[1])), method="bounded", options={"xatol": 1e-4})
    return Width(float(np.exp(found.x * releases / (releases + prior))), releases)
