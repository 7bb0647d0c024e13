"""How wrong a law is beyond its rows, as part of a frozen curve: a bias and a spread that grow with the distance.

A bootstrap says what the rows leave open if the law is right. How wrong the law itself is cannot be seen inside one curve; it is
learned across series (forecasting/discrepancy.py) and frozen here as four numbers, so that applying a curve needs nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from foresaid.arrays import Array

TAIL = 5.0  # degrees of freedom of Student's t: heavier than normal, with a variance
LEAST_SHARE = 1e-3  # of the median: a quantile at or below nought has no logarithm


@dataclass(frozen=True)
class Discrepancy:
    """On the noise scale of the law (natural logarithm, or the curve's own), at distance d >= 0 beyond the last training row:

        quantile_l = m + bias d +- sqrt(scale^2 h_l^2 + t_l^2 ((growth d)^2 + floor^2)),   m median, h_l = q_l - m before

    with t_l the quantile of Student's t with TAIL degrees of freedom. `edge` is where the last training row stands and `progress`
    which way is on (see `Law.place`). `series` taught it, `independent` of them share no run; `set_aside` names those that went so
    much wronger than the others that they teach nobody.
    """

    bias: float
    scale: float
    growth: float
    floor: float
    edge: float
    progress: int
    series: int
    independent: int
    set_aside: tuple[str, ...] = ()


def distances(found: Discrepancy, place: Array) -> Array:
    """Return how far beyond the last training row places (n,) lie: zero within the rows."""
    return np.maximum(place - found.edge, 0.0)


def student(levels: Array) -> Array:
    """Return quantiles (L,) of Student's t with TAIL degrees of freedom, exactly zero at one half."""
    from scipy.special import stdtrit  # those who only read forecasts without a discrepancy do not pay for it

    return np.asarray(np.where(levels == 0.5, 0.0, stdtrit(TAIL, levels)))


def on_noise_scale(values: Array, noise: str, offset: float, span: float) -> Array:
    """Bring values in the unit of the quantity to the scale on which a law's errors are even."""
    return np.asarray(np.log(values) if noise == "log" else (values - offset) / span)


def halves(quantiles: Array, noise: str, offset: float, span: float) -> tuple[Array, Array]:
    """Return median (n,) and distances from it (n, L) of quantiles, on the noise scale."""
    middle = quantiles[:, [quantiles.shape[1] // 2]]
    if noise == "log":
        middle = np.maximum(middle, 1e-300)
        quantiles = np.maximum(quantiles, LEAST_SHARE * middle)
    centre = on_noise_scale(middle, noise, offset, span)
    return centre[:, 0], on_noise_scale(quantiles, noise, offset, span) - centre


def spread(half: Array, distance: Array, numbers: tuple[float, float, float, float], t: Array) -> Array:
    """Return quantiles (n, L) about the old median, on the noise scale, of bias, scale, growth and floor.

    >>> spread(np.array([[-3.0, 0.0, 3.0]]), np.array([2.0]), (0.5, 1.0, 2.0, 0.0), np.array([-1.0, 0.0, 1.0])).tolist()
    [[-4.0, 1.0, 6.0]]
    """
    bias, scale, growth, floor = numbers
    model = (growth * distance) ** 2 + floor**2
    return np.asarray((bias * distance)[:, None] + np.sign(t) * np.sqrt((scale * half) ** 2 + t**2 * model[:, None]))


def discrepancy_intervals(
    quantiles: Array, levels: Array, distance: Array, found: Discrepancy, noise: str, units: tuple[float, float, float, float]
) -> Array:
    """Apply a discrepancy to quantiles (n, L) at distances (n,); `units` are offset, span, lower and upper of the quantity."""
    offset, span, lower, upper = units
    middle, half = halves(quantiles, noise, offset, span)
    at = middle[:, None] + spread(half, distance, (found.bias, found.scale, found.growth, found.floor), student(levels))
    return np.clip(np.exp(np.minimum(at, 700.0)) if noise == "log" else offset + span * at, lower, upper)
