"""The marginal likelihood of the capability law, with the gradient and the average information that the search for its end takes.

No matrix among all cells is made: value and slopes come from the parts of its inverse (`_capability_algebra`), exactly. Every
derivative is a small matrix among systems spread over the cells, which is what keeps the slopes cheap.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from foresaid.arrays import Array
from foresaid.laws._capability_algebra import invert
from foresaid.laws._capability_kernel import GRAND_MEAN_VARIANCE, Settings, length_derivative, prior, unpack
from foresaid.laws._capability_rows import Cells


@dataclass(frozen=True)
class Likelihood:
    """Penalised log marginal likelihood (nats), its gradient (P,) by the log parameters, and the average information (P, P)."""

    value: float
    gradient: Array
    information: Array


def likelihood(
    cells: Cells, settings: Settings, log_parameters: Array, with_slopes: bool = True, with_information: bool = True
) -> Likelihood | None:
    """Evaluate -1/2 (z' K^-1 z + ln|K| + n ln 2 pi) plus the log prior (up to a constant); None if K is not positive definite.

    Rasmussen and Williams 2006, equations 2.30 and 5.9: the slope by p is 1/2 tr(G dK/dp) with G = a a' - K^-1, a = K^-1 z.
    The information is 1/2 V' K^-1 V with V = [dK/dp a], plus that of the prior. G is summed by system once, so each slope costs
    S^2. Cost: S^3 + S sum n_q^2; S systems, n_q cells of a benchmark. What is not asked for is empty.
    """
    sizes = unpack(settings, log_parameters)
    boards = len(cells.benchmarks.names)
    centre, spread = prior(settings, boards)
    off = (log_parameters - centre) / spread
    seen, s = np.unique(cells.s, return_inverse=True)
    systems, q, w, count = cells.systems.take(seen), cells.q, sizes.loadings[cells.q], len(seen)
    effects, split = (*settings.ability, *settings.residual), len(settings.ability)
    units = [effect.covariance(systems, systems, sizes.lengths) for effect in effects]
    scaled = list(zip([*sizes.ability, *sizes.residual], units, strict=True))
    ability, residual = np.zeros((count, count)), np.zeros((count, count))
    for k, (size, unit) in enumerate(scaled):
        (residual if k >= split else ability)[...] += size * unit
    noise = sizes.noise[q]
    inverse = invert(s, q, sizes.loadings, ability, GRAND_MEAN_VARIANCE, residual, noise + cells.item_variance)
    if inverse is None:
        return None
    alpha = inverse.times(cells.z[:, None])[:, 0]
    value = -0.5 * (float(cells.z @ alpha) + inverse.log_determinant + cells.n * np.log(2.0 * np.pi)) - 0.5 * float(off @ off)
    if not with_slopes:
        return Likelihood(value, np.empty(0), np.empty((0, 0)))

    C, M = inverse.C, inverse.M
    pull = inverse.gathered(alpha[:, None])[:, 0]
    on_ability = (np.outer(pull, pull) - M + M @ C @ M)[:count, :count]
    left = (np.eye(count + 1) - C @ M)[:, :count]  # K^-1 W = D^-1 W (1 - C M)
    on_residual, on_cell, by_loading = np.zeros((count, count)), np.empty(cells.n), np.zeros(boards)
    for block in inverse.blocks:
        at, load, a = block.systems, block.loading, alpha[block.rows]
        to_mean = load * C[at, count]
        through = load**2 * C[np.ix_(at, at)] + to_mean[:, None] + to_mean[None, :] + C[count, count]
        G = np.outer(a, a) - block.inverse + block.inverse @ through @ block.inverse
        on_residual[np.ix_(at, at)] += G
        on_cell[block.rows] = np.diag(G)
        own = float(np.vdot(block.inverse, ability[at] @ (load * left[at] + left[count]).T))
        by_loading[block.code] = load * (float(a @ (ability[at] @ pull[:count])) - own)
    traces = [0.5 * size * float(np.vdot(on_residual if k >= split else on_ability, unit)) for k, (size, unit) in enumerate(scaled)]
    gaps = systems.t[:, None] - systems.t[None, :]
    timed = [k for k, effect in enumerate(effects) if effect.length is not None]
    bent = {k: length_derivative(effects[k], scaled[k][0] * units[k], gaps, sizes.lengths) for k in timed}
    lengths = np.zeros(len(sizes.lengths))
    for k in timed:
        lengths[effects[k].length or 0] += 0.5 * float(np.vdot(on_residual if k >= split else on_ability, bent[k]))
    slopes = np.array([*(2.0 * trace for trace in traces), float(noise @ on_cell)])  # by ln sd: twice the one by ln variance
    member = (q[:, None] == np.arange(boards)[None, :]).astype(float)
    own_noise = member.T @ (noise * on_cell) if settings.noise_spread else np.empty(0)
    raw = np.concatenate([slopes, lengths, by_loading, own_noise])
    gradient = raw - off / spread
    if not with_information:
        return Likelihood(value, gradient, np.empty((0, 0)))

    plain = np.zeros((count, boards))  # a by system and benchmark
    np.add.at(plain, (s, q), alpha)
    pulls = plain * sizes.loadings

    def push(k: int, matrix: Array) -> Array:
        """The product with alpha of a covariance among systems: of ability or, within each benchmark, of the residual."""
        return np.asarray((matrix @ plain)[s, q] if k >= split else w * (matrix @ pulls.sum(axis=1))[s])

    by_length = np.zeros((cells.n, len(lengths)))
    for k in timed:
        by_length[:, effects[k].length or 0] += push(k, bent[k])
    loading = w[:, None] * (ability @ pulls)[s]
    columns = [
        np.column_stack([2.0 * size * push(k, unit) for k, (size, unit) in enumerate(scaled)]),
        (2.0 * noise * alpha)[:, None],
        by_length,
        member * loading.sum(axis=1)[:, None] + loading,
        member * (2.0 * noise * alpha)[:, None] if settings.noise_spread else np.empty((cells.n, 0)),
    ]
    # The parameter is ln sd, the covariance linear in sd^2: by the chain rule -2 times the slope joins the curvature.
    curved = np.zeros(len(raw))
    curved[: len(slopes)] = np.maximum(-2.0 * slopes, 0.0)
    return Likelihood(value, gradient, 0.5 * inverse.product(np.hstack(columns)) + np.diag(curved + 1.0 / spread**2))
