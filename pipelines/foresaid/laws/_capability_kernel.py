"""Which systems the capability law takes to be alike: the covariance of ability and of what a benchmark measures of its own.

    z_{s,q} = m + w_q theta_s + r_{s,q} + e_{s,q}

theta (ability) and r (residual, shared only within a benchmark) are sums of independent Gaussian effects. Each effect is one line
of a table here: its name, its prior size and the covariance it gives to two systems. All that is estimated is how large each
effect is, two lengths in time and one loading a benchmark.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foresaid.arrays import Array
from foresaid.laws._capability_rows import Systems

Covariance = Callable[[Systems, Systems, Array], Array]
"""Two sets of systems and the two lengths (years) give a covariance of unit size: (A, B)."""

GRAND_MEAN_VARIANCE = 4.0  # of m, on the probit scale: wide


@dataclass(frozen=True)
class Effect:
    """One Gaussian effect: prior centre of its standard deviation, and its covariance at unit size.

    `length` is the place of the length (in `LENGTHS`) that its covariance depends on; None for none.
    """

    name: str
    sd: float
    covariance: Covariance
    length: int | None = None


def _equal(a: tuple[str, ...], b: tuple[str, ...]) -> Array:
    place: dict[str, int] = {}
    codes = [np.array([place.setdefault(name, len(place)) for name in names], dtype=np.intp) for names in (a, b)]
    return np.asarray(codes[0][:, None] == codes[1][None, :], dtype=float)


def _constant(a: Systems, b: Systems, lengths: Array) -> Array:
    del lengths
    return np.ones((a.n, b.n))


def _date(a: Systems, b: Systems, lengths: Array) -> Array:
    del lengths
    return np.outer(a.t, b.t)


def _smooth(a: Systems, b: Systems, lengths: Array) -> Array:
    gap = (a.t[:, None] - b.t[None, :]) / lengths[0]
    return np.asarray(np.exp(-0.5 * gap * gap))


def _ornstein_uhlenbeck(a: Systems, b: Systems, lengths: Array) -> Array:
    return np.asarray(np.exp(-np.abs(a.t[:, None] - b.t[None, :]) / lengths[1]))


def _line(a: Systems, b: Systems, lengths: Array) -> Array:
    del lengths
    return _equal(a.lines, b.lines)


def _tier(a: Systems, b: Systems, lengths: Array) -> Array:
    del lengths
    return _equal(a.tiers, b.tiers)


def _line_tier(a: Systems, b: Systems, lengths: Array) -> Array:
    return _line(a, b, lengths) * _tier(a, b, lengths)


def _release(a: Systems, b: Systems, lengths: Array) -> Array:
    del lengths
    return _equal(a.releases, b.releases)


def _model(a: Systems, b: Systems, lengths: Array) -> Array:
    del lengths
    return _equal(a.models, b.models)


def _effort(a: Systems, b: Systems, lengths: Array) -> Array:
    del lengths
    return np.outer(a.step, b.step)


def _effort_line(a: Systems, b: Systems, lengths: Array) -> Array:
    return _effort(a, b, lengths) * _line(a, b, lengths)


def _stated(a: Systems, b: Systems, lengths: Array) -> Array:
    del lengths
    return np.outer(a.stated, b.stated)


def _stated_line(a: Systems, b: Systems, lengths: Array) -> Array:
    return _stated(a, b, lengths) * _line(a, b, lengths)


ABILITY = (
    Effect("linear in date", 0.5, _date),
    Effect("smooth in date", 0.2, _smooth, 0),
    Effect("line", 0.3, _line),
    Effect("line and tier", 0.3, _line_tier),
    Effect("tier", 0.3, _tier),
    Effect("release", 0.2, _release),
    Effect("model", 0.2, _model),
    Effect("effort", 0.2, _effort),
    Effect("effort by line", 0.1, _effort_line),
    Effect("effort stated, by line", 0.2, _stated_line),
)
RESIDUAL = (
    Effect("constant", 0.7, _constant),
    Effect("linear in date", 0.2, _date),
    Effect("line", 0.15, _line),
    Effect("line and tier", 0.15, _line_tier),
    Effect("release", 0.1, _release),
    Effect("effort", 0.1, _effort),
    Effect("slow in date", 0.15, _ornstein_uhlenbeck, 1),
    Effect("effort stated", 0.2, _stated),
    Effect("model", 0.1, _model),
)
LENGTHS = ("length of smooth (years)", "length of slow (years)")
PRIOR_LENGTHS = (0.6, 0.5)
PRIOR_NOISE = 0.15


@dataclass(frozen=True)
class Settings:
    """What is chosen, not estimated: the effects used and how strongly their sizes are held to their prior centres.

    `spread` is the standard deviation of ln(standard deviation) of every effect and of the noise about its centre,
    `loading_spread` that of ln(loading) about 0, `length_spread` that of ln(length), `noise_spread` that of
    ln(noise of a benchmark / common noise); 0 gives all benchmarks the same noise.
    """

    ability: tuple[Effect, ...] = ABILITY
    residual: tuple[Effect, ...] = RESIDUAL
    spread: float = 1.0
    loading_spread: float = 0.5
    length_spread: float = 0.4
    noise_spread: float = 0.0


@dataclass(frozen=True)
class Sizes:
    """The estimated numbers: variance of each effect, of the noise by benchmark (Q,), two lengths (years), loadings (Q,)."""

    ability: Array
    residual: Array
    noise: Array
    lengths: Array
    loadings: Array


def prior(settings: Settings, benchmarks: int) -> tuple[Array, Array]:
    """Centre and standard deviation (P,) of the normal prior of the log parameters, in the order of `unpack`.

    Order: ln sd of ability effects, of residual effects, of noise; ln lengths; ln loadings; then, where `noise_spread` is not 0,
    ln(noise of a benchmark / common noise).
    """
    sds = [effect.sd for effect in (*settings.ability, *settings.residual)]
    own = benchmarks if settings.noise_spread else 0
    centre = np.concatenate([np.log([*sds, PRIOR_NOISE]), np.log(PRIOR_LENGTHS), np.zeros(benchmarks + own)])
    spread = np.concatenate(
        [
            np.full(len(sds) + 1, settings.spread),
            np.full(len(PRIOR_LENGTHS), settings.length_spread),
            np.full(benchmarks, settings.loading_spread),
            np.full(own, settings.noise_spread),
        ]
    )
    return centre, spread


def unpack(settings: Settings, log_parameters: Array) -> Sizes:
    """Read the vector of log parameters (P,), ordered as in `prior`."""
    first, second = len(settings.ability), len(settings.ability) + len(settings.residual)
    variance, rest = np.exp(2.0 * log_parameters[: second + 1]), log_parameters[second + 1 :]
    lengths, rest = np.exp(rest[: len(LENGTHS)]), rest[len(LENGTHS) :]
    count = len(rest) // 2 if settings.noise_spread else len(rest)
    own = np.exp(2.0 * rest[count:]) if settings.noise_spread else np.ones(count)
    return Sizes(variance[:first], variance[first:second], variance[second] * own, lengths, np.exp(rest[:count]))


def names(settings: Settings, benchmarks: tuple[str, ...]) -> tuple[str, ...]:
    """Name the log parameters, in the order of `prior`."""
    return (
        *(f"ability: {effect.name}" for effect in settings.ability),
        *(f"residual: {effect.name}" for effect in settings.residual),
        "noise",
        *LENGTHS,
        *(f"loading: {name}" for name in benchmarks),
        *(f"noise ratio: {name}" for name in benchmarks if settings.noise_spread),
    )


def length_derivative(effect: Effect, unit: Array, gaps: Array, lengths: Array) -> Array:
    """Derivative of the covariance at unit size by ln(length): with g = |gap| / length, g^2 k (smooth), g k (slow)."""
    scaled = np.abs(gaps) / lengths[effect.length or 0]
    return np.asarray(unit * (scaled**2 if effect.length == 0 else scaled))


def total(effects: tuple[Effect, ...], variances: Array, a: Systems, b: Systems, lengths: Array) -> Array:
    """Covariance of the sum of the effects between systems `a` and `b`: (A, B)."""
    found = np.zeros((a.n, b.n))
    for effect, variance in zip(effects, variances, strict=True):
        found += variance * effect.covariance(a, b, lengths)
    return found


def cell_covariance(
    settings: Settings,
    sizes: Sizes,
    a: tuple[Systems, NDArray[np.intp], NDArray[np.intp]],
    b: tuple[Systems, NDArray[np.intp], NDArray[np.intp]],
) -> Array:
    """Covariance of the noise-free probit scores of two sets of cells, each (systems, system codes, benchmark codes): (n, k)."""
    (first, s, q), (second, u, p) = a, b
    ability = total(settings.ability, sizes.ability, first, second, sizes.lengths)
    residual = total(settings.residual, sizes.residual, first, second, sizes.lengths)
    found = np.outer(sizes.loadings[q], sizes.loadings[p]) * ability[np.ix_(s, u)]
    found += np.where(q[:, None] == p[None, :], residual[np.ix_(s, u)], 0.0)
    return np.asarray(found + GRAND_MEAN_VARIANCE)


def describe(settings: Settings, log_parameters: Array, benchmarks: tuple[str, ...]) -> Mapping[str, float]:
    """Every estimated number by name: standard deviations on the probit scale, lengths in years, loadings without unit."""
    return dict(zip(names(settings, benchmarks), np.exp(log_parameters).tolist(), strict=True))
