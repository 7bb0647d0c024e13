"""A forecast is a predictive distribution: the 23 quantiles of the forecast hubs, and the mean.

A curve is applied to covariates; the spread of its draws (what the data leave open, put right for few clusters) and its
residual noise (what the law leaves out) are mixed, and the quantiles of the mixture are cut at the quantity's bounds. Where a curve
says how many items its share counts, no quantile lies within their binomial noise. No
random numbers are drawn: the noise enters through evenly spaced normal quantiles, so the same curve always gives the same
forecast.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from foresaid.arrays import Array
from foresaid.errors import LedgerError, ParameterError
from foresaid.fitting.bootstrap import inflate_for_few_clusters
from foresaid.fitting.discrepancy import discrepancy_intervals, distances
from foresaid.fitting.frozen_curve import PROBE_TOLERANCE, Curve, check_probe, with_quantiles
from foresaid.fitting.law import Law
from foresaid.forecasting import _mixture
from foresaid.scoring.levels import LEVELS

if TYPE_CHECKING:
    import polars as pl

NOISE_POINTS = 101  # the outermost lie at half a per cent, beyond the outermost level
BLOCK = 16  # draws whose mean is taken at once


@dataclass(frozen=True)
class Forecast:
    """Forecasts of n subjects: quantiles (n, 23) at LEVELS, mean (n,), and the curve's own point (n,), in the quantity's unit."""

    quantiles: Array
    mean: Array
    point: Array

    @property
    def levels(self) -> tuple[float, ...]:
        """The probability levels of the columns of `quantiles`."""
        return LEVELS

    def interval(self, coverage: float) -> Array:
        """The central interval of this nominal coverage (n, 2), for example 0.8; one the levels do not hold is refused.

        >>> q = np.array([np.linspace(0.0, 1.0, len(LEVELS))])
        >>> Forecast(q, q.mean(axis=1), q.mean(axis=1)).interval(0.8).round(3).tolist()
        [[0.136, 0.864]]
        """
        ends = ((1.0 - coverage) / 2.0, (1.0 + coverage) / 2.0)
        at = [int(np.argmin(np.abs(np.asarray(self.levels) - end))) for end in ends]
        if not 0.0 < coverage < 1.0 or any(abs(self.levels[i] - end) > 1e-9 for i, end in zip(at, ends, strict=True)):
            raise ParameterError(f"interval {coverage}: found no such levels, expected a coverage such as 0.5, 0.8, 0.9 or 0.95")
        return self.quantiles[:, at]

    def to_frame(self) -> pl.DataFrame:
        """One row a subject and level: row, level, quantile; as forecast hubs write forecasts."""
        import polars as pl  # most who predict want no frame

        n = len(self.quantiles)
        return pl.DataFrame(
            {
                "row": np.repeat(np.arange(n), len(self.levels)),
                "level": np.tile(self.levels, n),
                "quantile": self.quantiles.ravel(),
            }
        )


def mixture(location: Array, scale: float, noise: str, lower: float, upper: float) -> Array:
    """Quantiles (n, 23) of normal noise around draws `location` (R, n), cut at [lower, upper]; NaN where a draw is.

    With noise `log` the noise multiplies: location * exp(scale z). A single draw without noise is a point mass. They are the sample
    quantiles of Hazen (1914), the fifth kind of Hyndman and Fan 1996, to the byte what `numpy.quantile` gives. Compiled code finds
    the places at the levels where it pays. Else one subject at a time is sorted: its numbers stay in the processor's cache,
    and parting them at the 46 places takes twice as long.

    >>> mixture(np.array([[0.5]]), 0.1, "natural", 0.0, 1.0)[0, [1, 11, 21]].round(2).tolist()
    [0.3, 0.5, 0.7]
    """
    z = _noise(scale, noise)
    size = location.shape[0] * z.size
    place = size * np.array(LEVELS) + 0.5 - 1.0
    below = np.floor(place)
    share = place - below
    ends = np.clip(np.stack([below, below + 1.0]).astype(np.intp), 0, size - 1)
    pairs = np.empty((location.shape[1], *ends.shape))
    found: NDArray[np.bool_] = np.zeros(location.shape[1], dtype=np.bool_)
    if len(location) > 1 and _mixture.pays(size * location.shape[1]):
        places, where = np.unique(ends, return_inverse=True)
        values, found = _mixture.at_places(location, z, noise == "log", places)
        pairs[:] = values[:, where.reshape(ends.shape)]
    for i in np.flatnonzero(~found):
        values = _spread(location[:, i, None], z, noise).ravel()
        values.sort()  # what cannot be ordered comes last
        pairs[i] = np.nan if np.isnan(values[-1]) else values[ends]
    low, high = np.clip(pairs, lower, upper).swapaxes(0, 1)
    return np.asarray(np.where(share < 0.5, low + (high - low) * share, high - (high - low) * (1.0 - share)))


def mean_within(location: Array, scale: float, noise: str, lower: float, upper: float) -> Array:
    """Mean (n,) of the same noise around draws (R, n), each value cut at [lower, upper].

    >>> mean_within(np.array([[0.5, 1.0]]), 0.1, "natural", 0.0, 1.0).round(3).tolist()
    [0.5, 0.96]
    """
    z = _noise(scale, noise)
    if location.shape[1] > 1 and _mixture.pays(0):
        return _mixture.sums(location, z, noise == "log", lower, upper) / (len(location) * z.size)
    # One subject is added up in pairs, several row by row: a block of draws at a time changes no sum, and bounds the memory.
    step = BLOCK if location.shape[1] > 1 else len(location)
    total = np.empty((0, location.shape[1]))
    for first in range(0, len(location), step):
        values = _spread(location[first : first + step, None, :], z[:, None], noise).reshape(-1, location.shape[1])
        total = np.vstack([total, np.clip(values, lower, upper, out=values)]).sum(axis=0, keepdims=True)
    return np.asarray(total[0] / (len(location) * z.size))


def _noise(scale: float, noise: str) -> Array:
    """Evenly spaced normal quantiles times the scale; factors where the noise multiplies."""
    from scipy.special import ndtri  # those who only read forecasts do not pay for it

    z = ndtri((np.arange(NOISE_POINTS) + 0.5) / NOISE_POINTS) * scale
    return np.asarray(np.exp(z) if noise == "log" else z)


def _spread(draws: Array, z: Array, noise: str) -> Array:
    return np.asarray(draws * z if noise == "log" else draws + z)


def locations(law: Law, curve: Curve, x: Array) -> Array:
    """Return where the curve may run (R, n), on its own scale, at completed covariates `x` (n, k).

    These are the draws, moved apart as few clusters ask (see fitting/bootstrap.py): the one place where bands are made.
    """
    record = curve.record
    if not len(curve.draws):
        return np.asarray(law.curve(curve.point[None, :], x))
    draws = law.curve(curve.draws, x)
    if not record.cr1_factor:
        return draws
    return inflate_for_few_clusters(draws, float(record.cr1_factor), record.training.clusters, record.noise)


def predict(law: Law, curve: Curve, x: Array) -> Forecast:
    """Apply a frozen curve to covariates `x` (n, k) on the curve's scales; NaN where the law can fill it or makes no forecast.

    Rows whose covariates cannot be completed come back as NaN: nothing is forecast for them and the caller counts them.
    """
    check_probe(law, curve)
    check_quantiles(law, curve)
    return _predict(law, curve, x)


def probed(law: Law, curve: Curve) -> Curve:
    """The curve with the quantiles it forecasts at the rows of its probe: what a round freezes."""
    rows = curve.record.probe.x
    return with_quantiles(curve, _predict(law, curve, _floats(rows)).quantiles) if rows else curve


def check_quantiles(law: Law, curve: Curve) -> None:
    """Refuse a curve for which the code no longer forecasts the quantiles that it did when the curve was frozen.

    Raises LedgerError; a difference beyond 1e-6 of the quantity's bounds counts.
    """
    probe = curve.record.probe
    if not probe.quantiles:
        return
    then, now = _floats(probe.quantiles), _predict(law, curve, _floats(probe.x)).quantiles
    room = PROBE_TOLERANCE * max(1.0, float(np.abs(then).max()))
    if then.shape != now.shape or not bool((np.abs(then - now) <= room).all()):
        raise LedgerError(
            f"curve of {curve.record.law}, {curve.record.target_id}: the quantiles of its probe are not those that were frozen; "
            "the code that makes intervals changed its meaning: keep the old one for this curve"
        )


def _floats(rows: list[list[str]]) -> Array:
    return np.array([[float(value) for value in row] for row in rows])


def _predict(law: Law, curve: Curve, x: Array) -> Forecast:
    record = curve.record
    filled = curve.prepare(x)
    known = ~np.isnan(filled).any(axis=1)
    n = len(x)
    quantiles, mean, point = np.full((n, len(LEVELS)), np.nan), np.full(n, np.nan), np.full(n, np.nan)
    if known.any():
        offset, span, lower, upper = (float(item) for item in (record.offset, record.span, record.lower, record.upper))
        rows = filled[known]
        scale = float(record.residual_scale or 0.0) * (1.0 if record.noise == "log" else span)
        plain = mixture(offset + span * locations(law, curve, rows), scale, record.noise, lower, upper)
        # The mean is that of the draws as they are: with few clusters the corrected tails are too heavy to have one.
        draws = law.curve(curve.draws if len(curve.draws) else curve.point[None, :], rows)
        mean[known] = mean_within(offset + span * draws, scale, record.noise, lower, upper)
        found = curve.discrepancy
        place = None if found is None else law.place(rows, found.progress)
        if found is None or place is None:
            ends = (np.full(len(rows), lower), np.full(len(rows), upper))
            quantiles[known] = rescale(plain, float(record.interval_recalibration), *ends)
        else:
            away = distances(found, place)
            quantiles[known] = discrepancy_intervals(
                plain, np.array(LEVELS), away, found, record.noise, (offset, span, lower, upper)
            )
            shift = found.bias * away
            moved = mean[known] * np.exp(shift) if record.noise == "log" else mean[known] + span * shift
            mean[known] = np.clip(moved, lower, upper)
        if record.items is not None:
            from foresaid.forecasting.floors import binomial_floor  # loads polars, which most readers of a forecast do not pay for

            quantiles[known] = binomial_floor(quantiles[known], np.full(len(rows), record.items))
        point[known] = np.clip(offset + span * law.curve(curve.point, rows), lower, upper)
    return Forecast(quantiles, mean, point)


def rescale(quantiles: Array, scale: float, lower: Array, upper: Array) -> Array:
    """Stretch quantiles (n, L) about their median by a factor and cut them at the bounds (n,) of the quantity.

    >>> rescale(np.array([[0.2, 0.4, 0.8]]), 2.0, np.zeros(1), np.ones(1)).tolist()
    [[0.0, 0.4, 1.0]]
    """
    middle = quantiles[:, [quantiles.shape[1] // 2]]
    return np.clip(middle + scale * (quantiles - middle), lower[:, None], upper[:, None])
