"""A forecast is a predictive distribution: the 23 quantiles of the forecast hubs, and the mean.

A curve is applied to covariates; the spread of its draws (what the data leave open, put right for few clusters) and its
residual noise (what the law leaves out) are mixed, and the quantiles of the mixture are cut at the quantity's bounds. No
random numbers are drawn: the noise enters through evenly spaced normal quantiles, so the same curve always gives the same
forecast.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from foresaid.arrays import Array
from foresaid.errors import LedgerError, ParameterError
from foresaid.fitting.bootstrap import inflate_for_few_clusters
from foresaid.fitting.discrepancy import discrepancy_intervals, distances
from foresaid.fitting.frozen_curve import PROBE_TOLERANCE, Curve, check_probe, with_quantiles
from foresaid.fitting.law import Law
from foresaid.scoring.levels import LEVELS

if TYPE_CHECKING:
    import polars as pl

NOISE_POINTS = 101  # the outermost lie at half a per cent, beyond the outermost level


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


def mixture(location: Array, scale: float, noise: str, lower: float, upper: float) -> tuple[Array, Array]:
    """Quantiles (n, 23) and mean (n,) of normal noise around draws `location` (R, n), within [lower, upper].

    With noise `log` the noise multiplies: location * exp(scale z). A single draw without noise is a point mass.

    >>> q, mean = mixture(np.array([[0.5]]), 0.1, "natural", 0.0, 1.0)
    >>> q[0, [1, 11, 21]].round(2).tolist(), round(float(mean[0]), 6)
    ([0.3, 0.5, 0.7], 0.5)
    """
    values = _values(location, scale, noise, lower, upper)
    return np.quantile(values, LEVELS, axis=0, method="hazen").T, values.mean(axis=0)


def _values(location: Array, scale: float, noise: str, lower: float, upper: float) -> Array:
    from scipy.special import ndtri  # those who only read forecasts do not pay for it

    z = ndtri((np.arange(NOISE_POINTS) + 0.5) / NOISE_POINTS) * scale
    spread = location[:, None, :] * np.exp(z)[None, :, None] if noise == "log" else location[:, None, :] + z[None, :, None]
    return np.clip(spread.reshape(-1, location.shape[1]), lower, upper)


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
    """Apply a frozen curve to covariates `x` (n, k) on the curve's scales; NaN where the law can fill or must decline.

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
        plain, _ = mixture(offset + span * locations(law, curve, rows), scale, record.noise, lower, upper)
        # The mean is that of the draws as they are: with few clusters the corrected tails are too heavy to have one.
        draws = law.curve(curve.draws if len(curve.draws) else curve.point[None, :], rows)
        mean[known] = _values(offset + span * draws, scale, record.noise, lower, upper).mean(axis=0)
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
        point[known] = np.clip(offset + span * law.curve(curve.point, rows), lower, upper)
    return Forecast(quantiles, mean, point)


def rescale(quantiles: Array, scale: float, lower: Array, upper: Array) -> Array:
    """Stretch quantiles (n, L) about their median by a factor and cut them at the bounds (n,) of the quantity.

    >>> rescale(np.array([[0.2, 0.4, 0.8]]), 2.0, np.zeros(1), np.ones(1)).tolist()
    [[0.0, 0.4, 1.0]]
    """
    middle = quantiles[:, [quantiles.shape[1] // 2]]
    return np.clip(middle + scale * (quantiles - middle), lower[:, None], upper[:, None])
