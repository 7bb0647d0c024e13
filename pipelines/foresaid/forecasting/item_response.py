"""Item response by likelihood with beta noise: one ability a system, difficulty, slope and precision a benchmark.

    mu = sigmoid(a_q (theta_s - b_q)),   share above chance ~ Beta(mu phi_q, (1 - mu) phi_q)

The competitor of the capability law among ability models (two-parameter logistic, Lord 1980; beta noise as for continuous
responses, Noel and Dauvier 2007, Appl. Psych. Meas. 31, 47). Abilities of known systems and all items by penalised maximum
likelihood; a new system's ability is integrated out on a grid, so its forecast has the spread of an ability known from few
scores. It knows neither line nor maker; the date enters through `two_step` alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import betainc, digamma, expit, gammaln

from foresaid.arrays import Array
from foresaid.forecasting.baseline_rows import Rows
from foresaid.laws._capability_rows import Benchmarks, Codes

EDGE = 0.004
GRID = np.linspace(-6.0, 6.0, 121)  # abilities of a system nobody has measured
SHARES = np.r_[0.0, np.linspace(0.001, 0.999, 250), 1.0]  # where its predictive distribution is computed
SPREADS = (1.5, 0.5, 2.0, 1.0)  # prior deviations of theta, ln a, b, ln phi
LOG_PRECISION = 3.0  # prior centre of ln phi


@dataclass(frozen=True)
class Items:
    """A fit: abilities (S,) of the systems by name, slope a, difficulty b and precision phi of the benchmarks, each (Q,)."""

    systems: tuple[str, ...]
    theta: Array
    slope: Array
    difficulty: Array
    precision: Array

    def mean(self, q: Codes, theta: Array) -> Array:
        """Return mu at abilities `theta` (k,) on benchmarks of codes `q` (k,)."""
        return np.asarray(expit(self.slope[q] * (theta - self.difficulty[q])))


def shares_of(rows: Rows, benchmarks: Benchmarks) -> Array:
    """Shares of the way from chance to the ceiling (n,), EDGE off 0 and 1."""
    chance, ceiling = benchmarks.chance[rows.q], benchmarks.ceiling[rows.q]
    share = (benchmarks.to_share(rows.q, rows.z) - chance) / (ceiling - chance)
    return np.asarray(np.clip(share, EDGE, 1.0 - EDGE))


def log_density(share: Array, mean: Array, precision: Array) -> Array:
    """Log density of Beta(mean precision, (1 - mean) precision), any shape that broadcasts."""
    a, b = mean * precision, (1.0 - mean) * precision
    return np.asarray(gammaln(precision) - gammaln(a) - gammaln(b) + (a - 1.0) * np.log(share) + (b - 1.0) * np.log1p(-share))


def fit(rows: Rows, benchmarks: Benchmarks) -> Items:
    """Fit abilities and items by penalised maximum likelihood (L-BFGS with the analytic gradient)."""
    names, s = np.unique(rows.system, return_inverse=True)
    share, q, count, boards = shares_of(rows, benchmarks), rows.q, len(names), len(benchmarks.names)
    centre = np.concatenate([np.zeros(count + 2 * boards), np.full(boards, LOG_PRECISION)])
    spread = np.repeat(SPREADS, [count, boards, boards, boards])
    parts = np.cumsum([count, boards, boards])

    def loss(x: Array) -> tuple[float, Array]:
        theta, log_a, b, log_phi = np.split(x, parts)
        a, phi = np.exp(log_a)[q], np.exp(log_phi)[q]
        gap = theta[s] - b[q]
        mu = np.clip(expit(a * gap), 1e-9, 1.0 - 1e-9)
        value = float(log_density(share, mu, phi).sum())
        odds = np.log(share) - np.log1p(-share)
        by_mu = phi * (odds - digamma(mu * phi) + digamma((1.0 - mu) * phi)) * mu * (1.0 - mu)
        by_phi = phi * (
            digamma(phi)
            - mu * digamma(mu * phi)
            - (1.0 - mu) * digamma((1.0 - mu) * phi)
            + mu * np.log(share)
            + (1.0 - mu) * np.log1p(-share)
        )
        slopes = np.concatenate(
            [
                np.bincount(s, by_mu * a, count),
                np.bincount(q, by_mu * a * gap, boards),
                np.bincount(q, -by_mu * a, boards),
                np.bincount(q, by_phi, boards),
            ]
        )
        off = (x - centre) / spread
        return 0.5 * float(off @ off) - value, off / spread - slopes

    start = centre.copy()
    start[:count] = np.bincount(s, rows.z, count) / np.bincount(s, minlength=count)
    end = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 500})
    theta, log_a, b, log_phi = np.split(end.x, parts)
    return Items(tuple(names), theta, np.exp(log_a), b, np.exp(log_phi))


def posterior(items: Items, q: Codes, share: Array, prior: Array) -> Array:
    """Weights (G,) on GRID of a new system's ability, given its scores (k,) and prior weights (G,)."""
    log = np.log(np.maximum(prior, 1e-300))
    for code, value in zip(q, share, strict=True):
        mu = np.clip(items.mean(np.full(len(GRID), code), GRID), 1e-9, 1.0 - 1e-9)
        log = log + log_density(np.asarray(value), mu, np.asarray(items.precision[code]))
    weights = np.exp(log - log.max())
    return np.asarray(weights / weights.sum())


def quantiles(items: Items, q: int, weights: Array, levels: Sequence[float]) -> Array:
    """Quantiles (L,) of a new system's share above chance on a benchmark: the mixture of beta distributions over GRID."""
    keep = weights > 1e-6
    mu = np.clip(items.mean(np.full(keep.sum(), q), GRID[keep]), 1e-6, 1.0 - 1e-6)
    phi = items.precision[q]
    below = betainc((mu * phi)[:, None], ((1.0 - mu) * phi)[:, None], SHARES[None, :])
    cumulative = np.maximum.accumulate((weights[keep] / weights[keep].sum()) @ below)
    return np.asarray(np.interp(levels, cumulative, SHARES))
