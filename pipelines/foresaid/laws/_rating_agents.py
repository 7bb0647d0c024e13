"""Ratings without a ceiling by agent: all agents count, each with a residual of its own, and the record is the best of those to come.

    y_i = f(t_i) + u_maker(i) + v_i + e_i

f wanders as the local trend does (`_frontier_process`), on the rating's scale brought to unit spread; u is a maker's own level and
v an agent's residual, both Gaussian and shrunk, their sizes by penalised marginal likelihood; e is the error of measurement that the
source states. Agents to come are drawn as the makers released them in the past year. Lines through the records alone know neither
how far an agent may lie off the trend nor how many come.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from foresaid.arrays import Array
from foresaid.laws._frontier_process import PRIOR_SPREAD, YEAR, Shared, covariance
from foresaid.laws._frontier_rows import LEVELS

RATE, RATE_SPREAD = 0.5, 1.0  # of the trend: units of spread a year
CENTRES = np.log([0.4, 0.3, 0.3, 0.3])  # steps of level and of slope, maker, agent; in units of spread
DRAWS = 400


@dataclass(frozen=True)
class Agents:
    """n agents: day, value, standard error of the value as the source states it, each (n,), and maker."""

    day: Array
    value: Array
    error: Array
    maker: tuple[str, ...]

    def by(self, day: float) -> Agents:
        """Return the agents released by a day."""
        keep = self.day <= day
        return Agents(self.day[keep], self.value[keep], self.error[keep], tuple(np.array(self.maker)[keep]))


def kernel(sizes: Array, a: Array, b: Array, makers: Sequence[str], others: Sequence[str]) -> Array:
    """Covariance (A, B) of f + u at times a and b (years); sizes are the standard deviations of CENTRES."""
    found = covariance("trend", Shared(RATE, RATE_SPREAD, float(sizes[0]), float(sizes[1]), 0.0), a, b)
    return np.asarray(found + sizes[2] ** 2 * (np.array(makers)[:, None] == np.array(others)[None, :]))


def fit(times: Array, level: Array, error: Array, makers: Sequence[str]) -> Array:
    """The four standard deviations, by penalised marginal likelihood from the prior's centres (Nelder and Mead)."""

    def loss(x: Array) -> float:
        sizes = np.exp(x)
        K = kernel(sizes, times, times, makers, makers) + np.diag(sizes[3] ** 2 + error**2)
        L = np.linalg.cholesky(K)
        left = np.linalg.solve(L, level - RATE * times)
        penalty = 0.5 * float((((x - CENTRES) / PRIOR_SPREAD) ** 2).sum())
        return penalty + 0.5 * float(left @ left) + float(np.log(np.diag(L)).sum())

    end = minimize(loss, CENTRES, method="Nelder-Mead", options={"maxiter": 400, "xatol": 1e-3, "fatol": 1e-4})
    return np.asarray(np.exp(end.x))


def agents(known: Agents, at: float, origin: float, rng: np.random.Generator) -> Array:
    """Quantiles (200) of the record on day `at`, from the agents known at the origin; never below today's record."""
    spread = float(known.value.std())
    now = float(known.value.max())
    if len(known.day) < len(CENTRES) + 1 or spread < 1e-9:
        return np.full(len(LEVELS), now)
    times, level, error = (known.day - origin) / YEAR, (known.value - now) / spread, known.error / spread
    sizes = fit(times, level, error, known.maker)
    start = times.min()
    K = kernel(sizes, times, times, known.maker, known.maker) + np.diag(sizes[3] ** 2 + error**2)
    past = [maker for maker, when in zip(known.maker, times, strict=True) if when > -1.0]
    ahead = (at - origin) / YEAR
    records = np.empty(DRAWS)
    for i in range(DRAWS):
        picks = rng.integers(0, max(len(past), 1), rng.poisson(len(past) * ahead))
        makers = [past[pick] for pick in picks]
        when = rng.uniform(0.0, ahead, len(makers))
        if not makers:
            records[i] = now
            continue
        # Integrated Brownian motion runs from the first time of both sets on, so that time stands among the new ones too.
        cross = kernel(sizes, np.append(when, start), times, [*makers, ""], known.maker)[:-1]
        own = kernel(sizes, np.append(when, start), np.append(when, start), [*makers, ""], [*makers, ""])[:-1, :-1]
        pulled = np.linalg.solve(K, np.column_stack([level - RATE * times, cross.T]))
        mean = RATE * when + cross @ pulled[:, 0]
        left = own - cross @ pulled[:, 1:] + np.diag(np.full(len(makers), sizes[3] ** 2 + float(np.median(error)) ** 2))
        drawn = mean + np.linalg.cholesky(0.5 * (left + left.T)) @ rng.standard_normal(len(makers))
        records[i] = max(now, now + spread * float(drawn.max()))
    return np.asarray(np.quantile(records, LEVELS))
