"""Two frontier laws of one shape, a Gaussian process in the day on Gompertz's scale with numbers shared over all boards.

    g_b(t) = a_b + r_b t + d_b(t) + e

`growth`: hierarchical asymmetric growth. Each board has a rate of its own, drawn about a shared one, and leaves its Gompertz curve
only for a while (Ornstein-Uhlenbeck d). `trend`: local trend. Level and slope wander for ever (Harvey 1989, Forecasting,
structural time series models and the Kalman filter, section 2.3.2, in continuous time). Shared: mean and spread of the rates and
sizes of the deviations, by marginal likelihood over all boards; so a young board borrows its rate and its spread from the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.optimize import minimize
from scipy.stats import norm, t

from foresaid.arrays import Array
from foresaid.laws._frontier_rows import LEVELS, Board, Question, path
from foresaid.laws._frontier_scale import to_line, to_share

Form = Literal["growth", "trend"]
FORMS: tuple[Form, Form] = ("growth", "trend")
LEVEL_VARIANCE = 9.0  # of a_b: wide on Gompertz's scale, where .004 to .996 is -1.7 to 5.5
PRIOR_SPREAD = 1.0  # standard deviation of the log of every shared size about its centre
CENTRES = {"growth": (0.5, 0.4, 0.4, 0.05), "trend": (0.5, 0.4, 0.3, 0.05)}
YEAR = 365.25


@dataclass(frozen=True)
class Settings:
    """Degrees of freedom of the predictive Student t (None: normal), factor on its spread, days between points of the path."""

    degrees: float | None = None
    factor: float = 1.0
    step: float = 365.25 / 12.0
    fewest: int = 3


@dataclass(frozen=True)
class Shared:
    """Shared numbers: mean rate (a year), spread of rates, size and second size of the deviation, nugget.

    `growth`: standard deviation and length (years) of the Ornstein-Uhlenbeck deviation. `trend`: standard deviation a year of the
    level's steps and of the slope's.
    """

    rate: float
    rate_spread: float
    size: float
    second: float
    nugget: float


def covariance(form: Form, shared: Shared, a: Array, b: Array) -> Array:
    """Covariance (A, B) of g at times a and b (years since the origin, so at most 0 in training), without the nugget.

    Integrated Brownian motion runs from the first time on: s = a - start, s^2 (3 u - s) / 6 for s <= u.
    """
    found = LEVEL_VARIANCE + shared.rate_spread**2 * np.outer(a, b)
    if form == "growth":
        return np.asarray(found + shared.size**2 * np.exp(-np.abs(a[:, None] - b[None, :]) / shared.second))
    start = min(a.min(), b.min())
    s, u = np.minimum(a[:, None], b[None, :]) - start, np.maximum(a[:, None], b[None, :]) - start
    return np.asarray(found + shared.size**2 * s + shared.second**2 * s * s * (3.0 * u - s) / 6.0)


def _series(boards: Sequence[Board], origin: float, top: int, settings: Settings) -> dict[str, tuple[Array, Array]]:
    found = {}
    for one in boards:
        if len(one.day) >= max(settings.fewest, top):
            days, values = path(one, origin, top, settings.step)
            found[one.name] = ((days - origin) / YEAR, to_line(values))
    return found


def _unpack(x: Array) -> Shared:
    return Shared(float(x[0]), *(float(size) for size in np.exp(x[1:])))


def fit(form: Form, series: Sequence[tuple[Array, Array]]) -> Shared:
    """Shared numbers by penalised marginal likelihood over the boards' paths (years, g), by Nelder and Mead from the centres."""
    centre = np.array([0.5, *np.log([0.4, *CENTRES[form][1:]])])

    def loss(x: Array) -> float:
        shared = _unpack(x)
        total = 0.5 * float((((x[1:] - centre[1:]) / PRIOR_SPREAD) ** 2).sum()) + 0.5 * float(x[0] - 0.5) ** 2
        for times, values in series:
            K = covariance(form, shared, times, times)
            K[np.diag_indices(len(times))] += shared.nugget**2
            L = np.linalg.cholesky(K)
            left = np.linalg.solve(L, values - shared.rate * times)
            total += 0.5 * float(left @ left) + float(np.log(np.diag(L)).sum())
        return total

    end = minimize(loss, centre, method="Nelder-Mead", options={"maxiter": 600, "xatol": 1e-4, "fatol": 1e-4})
    return _unpack(end.x)


def condition(form: Form, shared: Shared, times: Array, values: Array, at: Array) -> tuple[Array, Array]:
    """Mean and standard deviation (k,) of g at times `at`, given a board's path: exact Gaussian conditioning."""
    every = np.concatenate([times, at])
    whole = covariance(form, shared, every, every)
    n = len(times)
    K = whole[:n, :n] + shared.nugget**2 * np.eye(n)
    gain = np.linalg.solve(K, whole[:n, n:]).T
    mean = shared.rate * at + gain @ (values - shared.rate * times)
    variance = np.diag(whole[n:, n:]) - (gain * whole[n:, :n]).sum(axis=1)
    return mean, np.sqrt(np.maximum(variance, 0.0) + shared.nugget**2)


def forecast(
    form: Form, boards: Sequence[Board], origin: float, questions: Sequence[Question], settings: Settings | None = None
) -> Array:
    """Quantiles (n, 200) of each question: Gompertz's inverse of the conditioned process, never below today's frontier."""
    settings = settings or Settings()
    steps = norm.ppf(LEVELS) if settings.degrees is None else t.ppf(LEVELS, settings.degrees)
    found = np.empty((len(questions), len(LEVELS)))
    for top in sorted({one.top for one in questions}):
        series = _series(boards, origin, top, settings)
        shared = fit(form, [series[name] for name in sorted(series)])
        place = {one.name: one for one in boards}
        for i, question in enumerate(questions):
            if question.top == top:
                now = place[question.board].frontier(origin, top)
                mean, sd = condition(form, shared, *series[question.board], np.array([question.months / 12.0]))
                found[i] = np.maximum(now, to_share(mean[0] + settings.factor * sd[0] * steps))
    return found
