"""The marginal likelihood of the capability law, with the gradient and the average information that the search for its end takes.

One dense factorisation of the covariance of all cells gives all three. Every derivative is a small matrix among systems spread over
the cells, which is what keeps the slopes cheap.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_solve, lapack, solve_triangular
from scipy.sparse import csr_array

from foresaid.arrays import Array
from foresaid.laws._capability_kernel import GRAND_MEAN_VARIANCE, Settings, length_derivative, prior, unpack
from foresaid.laws._capability_rows import Cells


@dataclass(frozen=True)
class Likelihood:
    """Penalised log marginal likelihood (nats), its gradient (P,) by the log parameters, and the average information (P, P)."""

    value: float
    gradient: Array
    information: Array


def cholesky(matrix: Array) -> Array | None:
    """Return the lower factor of a symmetric matrix (n, n); None where it is not positive definite."""
    factor, bad = lapack.dpotrf(matrix, lower=1, clean=1, overwrite_a=0)
    return None if bad else np.asarray(factor)


def likelihood(
    cells: Cells, settings: Settings, log_parameters: Array, with_slopes: bool = True, with_information: bool = True
) -> Likelihood | None:
    """Evaluate -1/2 (z' K^-1 z + ln|K| + n ln 2 pi) plus the log prior (up to a constant); None if K is not positive definite.

    Rasmussen and Williams 2006, equations 2.30 and 5.9: the slope by p is 1/2 tr(A dK/dp) with A = a a' - K^-1, a = K^-1 z.
    The information is 1/2 V'V with V = L^-1 [dK/dp a], plus that of the prior. Every dK/dp is a small matrix among systems spread
    over the cells, so A is summed by system once and each slope costs S^2. Cost: n^3 for factor and inverse, n^2 (P + Q) for the
    information; n cells, S systems, Q benchmarks, P parameters. What is not asked for is empty.
    """
    sizes = unpack(settings, log_parameters)
    centre, spread = prior(settings, len(cells.benchmarks.names))
    off = (log_parameters - centre) / spread
    seen, s = np.unique(cells.s, return_inverse=True)
    systems, q, w = cells.systems.take(seen), cells.q, sizes.loadings[cells.q]
    effects = (*settings.ability, *settings.residual)
    units = [effect.covariance(systems, systems, sizes.lengths) for effect in effects]
    parts = [size * unit for size, unit in zip([*sizes.ability, *sizes.residual], units, strict=True)]
    split = len(settings.ability)
    ability, residual = (np.sum(some, axis=0) if some else np.zeros((len(seen),) * 2) for some in (parts[:split], parts[split:]))
    i, j = np.nonzero(q[:, None] == q[None, :])  # the pairs of one benchmark: a twentieth of all, and all that the residual needs
    counts = np.bincount(s)
    K = ability.repeat(counts, axis=0).repeat(counts, axis=1)
    K *= w[:, None]
    K *= w
    K += GRAND_MEAN_VARIANCE
    K[i, j] += residual[s[i], s[j]]
    K[np.diag_indices(cells.n)] += sizes.noise[q] + cells.item_variance
    L = cholesky(K)
    if L is None:
        return None
    alpha = cho_solve((L, True), cells.z)
    value = -0.5 * float(cells.z @ alpha) - float(np.log(np.diag(L)).sum()) - 0.5 * cells.n * np.log(2.0 * np.pi)
    value -= 0.5 * float(off @ off)
    if not with_slopes:
        return Likelihood(value, np.empty(0), np.empty((0, 0)))

    half = np.asarray(lapack.dpotri(L, lower=1)[0])  # above its diagonal stand the zeros of L
    A = np.outer(alpha, alpha)
    A -= half
    A -= half.T
    A[np.diag_indices(cells.n)] += np.diag(half)
    spreads = csr_array((w, (np.arange(cells.n), s)), shape=(cells.n, len(seen)))  # a cell takes w times its system's ability
    through = np.asarray((spreads.T @ A).T)  # A is symmetric: (n, S)
    on_ability = np.asarray(spreads.T @ through)
    on_residual = np.bincount(s[i] * len(seen) + s[j], weights=A[i, j], minlength=len(seen) ** 2).reshape(len(seen), len(seen))
    traces = [0.5 * float(((on_residual if k >= split else on_ability) * part).sum()) for k, part in enumerate(parts)]
    gaps = systems.t[:, None] - systems.t[None, :]
    timed = [k for k, effect in enumerate(effects) if effect.length is not None]
    bent = {k: length_derivative(effects[k], parts[k], gaps, sizes.lengths) for k in timed}
    lengths = np.zeros(len(sizes.lengths))
    for k in timed:
        lengths[effects[k].length or 0] += 0.5 * float(((on_residual if k >= split else on_ability) * bent[k]).sum())
    noise = sizes.noise[q]
    slopes = np.array([*(2.0 * trace for trace in traces), float(noise @ np.diag(A))])  # by ln sd: twice the one by ln variance
    member = (q[:, None] == np.arange(len(cells.benchmarks.names))[None, :]).astype(float)
    by_loading = member.T @ (w * (through * ability[s]).sum(axis=1))
    own_noise = member.T @ (noise * np.diag(A)) if settings.noise_spread else np.empty(0)
    raw = np.concatenate([slopes, lengths, by_loading, own_noise])
    gradient = raw - off / spread
    if not with_information:
        return Likelihood(value, gradient, np.empty((0, 0)))

    pulls = np.asarray(spreads.T @ (member * alpha[:, None]))  # by system and benchmark, weighted by loading: (S, Q)
    plain = np.zeros_like(pulls)
    np.add.at(plain, (s, q), alpha)

    def push(k: int, matrix: Array) -> Array:
        """The product with alpha of a covariance among systems: of ability or, within each benchmark, of the residual."""
        return np.asarray((matrix @ plain)[s, q] if k >= split else w * (matrix @ pulls.sum(axis=1))[s])

    by_length = np.zeros((cells.n, len(lengths)))
    for k in timed:
        by_length[:, effects[k].length or 0] += push(k, bent[k])
    loading = w[:, None] * (ability @ pulls)[s]
    columns = [
        np.column_stack([2.0 * push(k, part) for k, part in enumerate(parts)]),
        (2.0 * noise * alpha)[:, None],
        by_length,
        member * loading.sum(axis=1)[:, None] + loading,
        member * (2.0 * noise * alpha)[:, None] if settings.noise_spread else np.empty((cells.n, 0)),
    ]
    V = solve_triangular(L, np.hstack(columns), lower=True, check_finite=False)
    # The parameter is ln sd, the covariance linear in sd^2: by the chain rule -2 times the slope joins the curvature.
    curved = np.zeros(len(raw))
    curved[: len(slopes)] = np.maximum(-2.0 * slopes, 0.0)
    return Likelihood(value, gradient, 0.5 * V.T @ V + np.diag(curved + 1.0 / spread**2))
