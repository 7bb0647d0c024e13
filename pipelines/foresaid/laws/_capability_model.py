"""The capability law fitted: sizes of effects by maximum marginal likelihood, then exact Gaussian conditioning.

One joint Gaussian over all cells, by dense algebra. The penalised likelihood is climbed by L-BFGS with the analytic gradient, in
coordinates whitened by the average information (Gilmour, Thompson and Cullis 1995, Biometrics 51, 1440), a cheap stand-in for the
second derivative: some thirty evaluations reach an end so sharp that the same cells give the same forecasts whatever kernels do
the arithmetic.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, lapack, solve_triangular
from scipy.optimize import minimize

from foresaid.errors import RecordError
from foresaid.laws._capability_kernel import (
    GRAND_MEAN_VARIANCE,
    Settings,
    Sizes,
    cell_covariance,
    length_derivative,
    prior,
    unpack,
)
from foresaid.laws._capability_rows import Benchmarks, Cells, Codes, Systems, years

Array = NDArray[np.float64]
NEW = "\0new"  # the name of a release or model that no training cell belongs to
FIRST_STEPS = 5  # on the average information
STEPS = 300
GRADIENT = 1e-5  # slope in whitened coordinates at the end: forecasts then agree to about 1e-7 however the arithmetic is done


@dataclass(frozen=True)
class Likelihood:
    """Penalised log marginal likelihood (nats), its gradient (P,) by the log parameters, and the average information (P, P)."""

    value: float
    gradient: Array
    information: Array


def _cholesky(matrix: Array) -> Array | None:
    factor, bad = lapack.dpotrf(matrix, lower=1, clean=1, overwrite_a=0)
    return None if bad else np.asarray(factor)


def likelihood(cells: Cells, settings: Settings, log_parameters: Array, with_slopes: bool = True) -> Likelihood | None:
    """Evaluate -1/2 (z' K^-1 z + ln|K| + n ln 2 pi) plus the log prior (up to a constant); None if K is not positive definite.

    Rasmussen and Williams 2006, equations 2.30 and 5.9. The information is 1/2 V'V with V = L^-1 [dK/dp K^-1 z], plus that of the
    prior. Cost: n^3 for factor and inverse, n^2 (P + Q) for the rest; n cells, P parameters.
    """
    sizes = unpack(settings, log_parameters)
    centre, spread = prior(settings, len(cells.benchmarks.names))
    off = (log_parameters - centre) / spread
    systems, s, q, w = cells.systems, cells.s, cells.q, sizes.loadings[cells.q]
    ability_units = [effect.covariance(systems, systems, sizes.lengths) for effect in settings.ability]
    residual_units = [effect.covariance(systems, systems, sizes.lengths) for effect in settings.residual]
    ability = _weighted(ability_units, sizes.ability, systems.n)[np.ix_(s, s)] * np.outer(w, w)
    i, j = np.nonzero(q[:, None] == q[None, :])  # the pairs of one benchmark: a twentieth of all, and all that the residual needs
    K = ability + GRAND_MEAN_VARIANCE
    K[i, j] += _weighted(residual_units, sizes.residual, systems.n)[s[i], s[j]]
    K[np.diag_indices(cells.n)] += sizes.noise[q] + cells.item_variance
    L = _cholesky(K)
    if L is None:
        return None
    alpha = cho_solve((L, True), cells.z)
    value = -0.5 * float(cells.z @ alpha) - float(np.log(np.diag(L)).sum()) - 0.5 * cells.n * np.log(2.0 * np.pi)
    value -= 0.5 * float(off @ off)
    if not with_slopes:
        return Likelihood(value, np.empty(0), np.empty((0, 0)))
    half = np.asarray(lapack.dpotri(L, lower=1)[0])  # above its diagonal stand the zeros of L
    A = np.outer(alpha, alpha) - half - half.T
    A[np.diag_indices(cells.n)] += np.diag(half)
    starts = np.flatnonzero(np.r_[True, s[1:] != s[:-1]])
    seen = s[starts]

    def by_system(matrix: Array) -> Array:
        return np.asarray(np.add.reduceat(np.add.reduceat(matrix, starts, axis=0), starts, axis=1))

    def grouped(vector: Array) -> Array:
        return np.asarray(np.add.reduceat(vector, starts, axis=0))

    back = np.searchsorted(seen, s)
    on_ability = by_system(A * np.outer(w, w))
    on_residual = np.bincount(back[i] * len(seen) + back[j], weights=A[i, j], minlength=len(seen) ** 2).reshape(len(seen), len(seen))
    gaps = systems.t[seen][:, None] - systems.t[seen][None, :]
    alpha_ability = grouped(w * alpha)
    alpha_residual = np.zeros((len(seen), len(cells.benchmarks.names)))
    np.add.at(alpha_residual, (back, q), alpha)
    slopes: list[float] = []
    pushes: list[Array] = []
    lengths = [0.0, 0.0]
    length_pushes = [np.zeros(cells.n), np.zeros(cells.n)]

    def tally(unit: Array, own: bool) -> tuple[float, Array]:
        """Half the trace against A, and the product with alpha, of one covariance among the systems seen."""
        if own:
            return 0.5 * float((on_residual * unit).sum()), (unit @ alpha_residual)[back, q]
        return 0.5 * float((on_ability * unit).sum()), w * (unit @ alpha_ability)[back]

    for own, effects, units, variances in (
        (False, settings.ability, ability_units, sizes.ability),
        (True, settings.residual, residual_units, sizes.residual),
    ):
        for effect, unit, variance in zip(effects, units, variances, strict=True):
            part = variance * unit[np.ix_(seen, seen)]
            slope, push = tally(part, own)
            slopes.append(2.0 * slope)  # the parameter is ln sd, half of ln variance
            pushes.append(2.0 * push)
            if effect.length is not None:
                slope, push = tally(length_derivative(effect, part, gaps, sizes.lengths), own)
                lengths[effect.length] += slope
                length_pushes[effect.length] += push
    noise = sizes.noise[q]
    noise_slopes = noise * np.diag(A)
    slopes.append(float(noise_slopes.sum()))
    pushes.append(2.0 * noise * alpha)
    per_row = (A * ability).sum(axis=1)
    member = (q[:, None] == np.arange(len(cells.benchmarks.names))[None, :]).astype(float)
    through = ability @ (member * alpha[:, None])
    loading_pushes = member * through.sum(axis=1)[:, None] + through
    own_noise = bool(settings.noise_spread)
    raw = np.concatenate([slopes, lengths, member.T @ per_row, member.T @ noise_slopes if own_noise else []])
    gradient = raw - off / spread
    noise_pushes = member * (2.0 * noise * alpha)[:, None] if own_noise else np.empty((cells.n, 0))
    U = np.column_stack([*pushes, *length_pushes, loading_pushes, noise_pushes])
    V = solve_triangular(L, U, lower=True, check_finite=False)
    information = 0.5 * V.T @ V
    # The parameter is ln sd, the covariance linear in sd^2: by the chain rule -2 times the slope joins the curvature.
    curved = np.zeros(len(raw))
    curved[: len(slopes)] = np.maximum(-2.0 * np.array(slopes), 0.0)
    return Likelihood(value, gradient, information + np.diag(curved + 1.0 / spread**2))


def _weighted(units: list[Array], variances: Array, count: int) -> Array:
    found = np.zeros((count, count))
    for unit, variance in zip(units, variances, strict=True):
        found += variance * unit
    return found


@dataclass(frozen=True)
class Model:
    """A fitted capability law: its cells, settings and log parameters, with the factor of K and K^-1 z for conditioning."""

    cells: Cells
    settings: Settings
    log_parameters: Array
    log_likelihood: float
    slope: float
    evaluations: int
    factor: Array
    alpha: Array

    @property
    def sizes(self) -> Sizes:
        """The estimated numbers."""
        return unpack(self.settings, self.log_parameters)


@dataclass(frozen=True)
class Joint:
    """Joint Gaussian of k cells of the probit scale: noise-free mean (k,) and covariance (k, k), noise variance (k,) apart."""

    s: Codes
    q: Codes
    mean: Array
    covariance: Array
    noise: Array
    benchmarks: Benchmarks


def condition_on(cells: Cells, settings: Settings, log_parameters: Array) -> Model:
    """Make the model of these cells at given log parameters, without estimating any."""
    return _model(cells, settings, log_parameters)


def fit(cells: Cells, settings: Settings | None = None, start: Array | None = None) -> Model:
    """Estimate the log parameters by penalised maximum marginal likelihood, from the prior's centre or `start` (P,).

    A few damped Newton steps on the average information, then L-BFGS (scipy) in the coordinates that whiten that information,
    until no slope there exceeds GRADIENT. `slope` reports the end; a fit that stops above 100 times GRADIENT raises RecordError.
    """
    settings = settings or Settings()
    if cells.n < 3:
        raise RecordError(f"cells: found {cells.n}, expected at least 3 to fit the capability law")
    at = prior(settings, len(cells.benchmarks.names))[0] if start is None else start.copy()
    here = likelihood(cells, settings, at)
    if here is None:
        raise RecordError(
            "cells: the covariance at the start is not positive definite; check for two cells of one system and benchmark"
        )
    damping = 0.01
    for _ in range(FIRST_STEPS):
        step = np.linalg.solve(here.information + damping * np.diag(np.diag(here.information)), here.gradient)
        there = likelihood(cells, settings, at + np.clip(step, -1.5, 1.5))
        if there is not None and there.value > here.value:
            at, here, damping = at + np.clip(step, -1.5, 1.5), there, damping / 5.0
        else:
            damping *= 20.0
    root = np.linalg.cholesky(here.information)
    centre = at

    def back(u: Array) -> Array:
        return np.asarray(centre + solve_triangular(root, u, lower=True, trans="T"))

    def loss(u: Array) -> tuple[float, Array]:
        found = likelihood(cells, settings, back(u))
        if found is None:  # far outside: turn the line search back
            return 1e12, np.zeros_like(u)
        return -found.value, -solve_triangular(root, found.gradient, lower=True)

    end = minimize(
        loss, np.zeros(len(at)), jac=True, method="L-BFGS-B", options={"maxiter": STEPS, "maxcor": 80, "gtol": GRADIENT, "ftol": 0.0}
    )
    slope = float(np.abs(end.jac).max())
    if not slope < 100.0 * GRADIENT:
        raise RecordError(f"capability law: the fit stopped at a slope of {slope:.1e} after {end.nit} steps; report these cells")
    return replace(_model(cells, settings, back(end.x)), slope=slope, evaluations=int(end.nfev) + FIRST_STEPS + 1)


def _model(cells: Cells, settings: Settings, log_parameters: Array) -> Model:
    sizes = unpack(settings, log_parameters)
    own = (cells.systems, cells.s, cells.q)
    K = cell_covariance(settings, sizes, own, own)
    K[np.diag_indices(cells.n)] += sizes.noise[cells.q] + cells.item_variance
    L = _cholesky(K)
    if L is None:
        raise RecordError("cells: their covariance is not positive definite; check for two cells of one system and benchmark")
    found = likelihood(cells, settings, log_parameters, with_slopes=False)
    value = found.value if found else float("nan")
    return Model(cells, settings, log_parameters, value, 0.0, 0, L, cho_solve((L, True), cells.z))


def joint(model: Model, systems: Systems, s: Codes, q: Codes) -> Joint:
    """Posterior, given the training cells, of k further cells (system codes into `systems`, benchmark codes): a Joint.

    mean = K_* K^-1 z and covariance = K_** - K_* K^-1 K_*' (Rasmussen and Williams 2006, equations 2.25 and 2.26).
    """
    sizes, cells = model.sizes, model.cells
    new = (systems, s, q)
    cross = cell_covariance(model.settings, sizes, new, (cells.systems, cells.s, cells.q))
    V = solve_triangular(model.factor, cross.T, lower=True, check_finite=False)
    own = cell_covariance(model.settings, sizes, new, new)
    return Joint(s, q, cross @ model.alpha, own - V.T @ V, sizes.noise[q], cells.benchmarks)


def given(joint: Joint, known: NDArray[np.bool_], z: Array, item_variance: Array) -> tuple[Array, Array]:
    """Condition a Joint on noisy values of its `known` cells (z and item variance, each (k,), read where known): mean, covariance.

    Both stay noise-free and cover all k cells; those known are returned too, as the law sees them after their noisy value.
    """
    if not known.any():
        return joint.mean, joint.covariance
    block = joint.covariance[np.ix_(known, known)] + np.diag(joint.noise[known] + item_variance[known])
    gain = np.linalg.solve(block, joint.covariance[known]).T
    mean = joint.mean + gain @ (z[known] - joint.mean[known])
    covariance = joint.covariance - gain @ joint.covariance[known]
    return mean, 0.5 * (covariance + covariance.T)


def joint_of_release(model: Model, line: str, tier: str, maker: str, effort: float | None, day: date) -> Joint:
    """Joint Gaussian of all benchmarks of a model nobody has measured, of this line and tier, released on `day`."""
    count = len(model.cells.benchmarks.names)
    stated = np.array([np.nan if effort is None else effort])
    system = Systems((NEW,), (NEW,), (maker,), (line,), (tier,), (NEW,), np.array([years(day)]), stated)
    return joint(model, system, np.zeros(count, dtype=np.intp), np.arange(count, dtype=np.intp))


def told(joint: Joint, scores: Mapping[str, float]) -> tuple[Array, Array]:
    """Condition a joint of all benchmarks on published scores (benchmark -> share of one): noise-free mean and covariance.

    Raises RecordError for a benchmark the joint does not hold and for a value that is no share of one.
    """
    place = {name: i for i, name in enumerate(joint.benchmarks.names)}
    known, z = np.zeros(len(place), dtype=bool), np.zeros(len(place))
    for name in sorted(scores):
        if name not in place:
            raise RecordError(f"scores: found benchmark {name}, expected one of {', '.join(joint.benchmarks.names)}")
        if not 0.0 <= scores[name] <= 1.0:
            raise RecordError(f"scores: found {scores[name]} for {name}, expected a share within [0, 1]; divide percent by 100")
        at = slice(place[name], place[name] + 1)
        known[at], z[at] = True, joint.benchmarks.to_probit(joint.q[at], np.array([scores[name]]))
    return given(joint, known, z, joint.benchmarks.item_variance(joint.q, z))


def predictive(joint: Joint, mean: Array, variance: Array) -> tuple[Array, Array]:
    """Mean and standard deviation (k,) of the next published values on the probit scale: noise and item variance added.

    `mean` and `variance` (k,) are those of the noise-free scores.
    """
    total = variance + joint.noise + joint.benchmarks.item_variance(joint.q, mean)
    return mean, np.sqrt(np.maximum(total, 1e-12))
