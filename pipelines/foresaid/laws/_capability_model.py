"""The capability law fitted: sizes of effects by maximum marginal likelihood, then exact Gaussian conditioning.

One joint Gaussian over all cells, exact and without a matrix among them (`_capability_algebra`). The penalised likelihood is
climbed by L-BFGS with the analytic gradient, in coordinates whitened by the average information (Gilmour, Thompson and Cullis 1995,
Biometrics 51, 1440), a cheap stand-in for the second derivative: some thirty evaluations reach an end so sharp that the same cells
give the same forecasts whatever kernels do the arithmetic.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

from foresaid.arrays import Array
from foresaid.errors import RecordError
from foresaid.laws._capability_algebra import Inverse, invert
from foresaid.laws._capability_kernel import GRAND_MEAN_VARIANCE, Settings, Sizes, cell_covariance, prior, total, unpack
from foresaid.laws._capability_likelihood import likelihood
from foresaid.laws._capability_rows import Benchmarks, Cells, Codes, Systems, years

NEW = "\0new"  # the name of a release or model that no training cell belongs to
FIRST_STEPS = 5  # on the average information
STEPS = 300
GRADIENT = 1e-5  # slope in whitened coordinates at the end: forecasts then agree to about 1e-7 however the arithmetic is done


@dataclass(frozen=True)
class Model:
    """A fitted capability law: its cells, settings and log parameters, with K^-1 in parts and K^-1 z for conditioning."""

    cells: Cells
    settings: Settings
    log_parameters: Array
    log_likelihood: float
    slope: float
    evaluations: int
    inverse: Inverse
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


def fit(cells: Cells, settings: Settings | None = None, start: Array | None = None, gradient: float = GRADIENT) -> Model:
    """Estimate the log parameters by penalised maximum marginal likelihood, from the prior's centre or `start` (P,).

    A few damped Newton steps on the average information, then L-BFGS (scipy) in the coordinates that whiten that information,
    until no slope there exceeds `gradient` (a larger one ends sooner: at 0.01 the log likelihood is within about 1e-4 of its top).
    `slope` reports the end; a fit that stops above 100 times `gradient` raises RecordError.
    """
    from scipy.optimize import minimize  # those who only read frozen forecasts do not pay for it

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
        found = likelihood(cells, settings, back(u), with_information=False)
        if found is None:  # far outside: turn the line search back
            return 1e12, np.zeros_like(u)
        return -found.value, -solve_triangular(root, found.gradient, lower=True)

    end = minimize(
        loss,
        np.zeros(len(at)),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": STEPS, "maxcor": 80, "gtol": gradient, "ftol": 0.0},
    )
    slope = float(np.abs(end.jac).max())
    if not slope < 100.0 * gradient:
        raise RecordError(f"capability law: the fit stopped at a slope of {slope:.1e} after {end.nit} steps; report these cells")
    return replace(_model(cells, settings, back(end.x)), slope=slope, evaluations=int(end.nfev) + FIRST_STEPS + 1)


def _model(cells: Cells, settings: Settings, log_parameters: Array) -> Model:
    sizes, systems = unpack(settings, log_parameters), cells.systems
    ability = total(settings.ability, sizes.ability, systems, systems, sizes.lengths)
    residual = total(settings.residual, sizes.residual, systems, systems, sizes.lengths)
    own = sizes.noise[cells.q] + cells.item_variance
    inverse = invert(cells.s, cells.q, sizes.loadings, ability, GRAND_MEAN_VARIANCE, residual, own)
    found = likelihood(cells, settings, log_parameters, with_slopes=False)
    if inverse is None or found is None:
        raise RecordError("cells: their covariance is not positive definite; check for two cells of one system and benchmark")
    return Model(cells, settings, log_parameters, found.value, 0.0, 0, inverse, inverse.times(cells.z[:, None])[:, 0])


def joint(model: Model, systems: Systems, s: Codes, q: Codes) -> Joint:
    """Posterior, given the training cells, of k further cells (system codes into `systems`, benchmark codes): a Joint.

    mean = K_* K^-1 z and covariance = K_** - K_* K^-1 K_*' (Rasmussen and Williams 2006, equations 2.25 and 2.26).
    """
    sizes, cells = model.sizes, model.cells
    new = (systems, s, q)
    cross = cell_covariance(model.settings, sizes, new, (cells.systems, cells.s, cells.q))
    covariance = cell_covariance(model.settings, sizes, new, new) - model.inverse.product(cross.T)
    return Joint(s, q, cross @ model.alpha, covariance, sizes.noise[q], cells.benchmarks)


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


def told(joint: Joint, scores: Mapping[str, float], beside: Mapping[int, float] | None = None) -> tuple[Array, Array]:
    """Condition a joint of all benchmarks on published scores (benchmark -> share of one): noise-free mean and covariance.

    The joint's first cells are its benchmarks in order; `beside` are scores of further cells, by their place.
    Raises RecordError for a benchmark the joint does not hold and for a value that is no share of one.
    """
    place = {name: i for i, name in enumerate(joint.benchmarks.names)}
    for name in sorted(set(scores) - set(place)):
        raise RecordError(f"scores: found benchmark {name}, expected one of {', '.join(joint.benchmarks.names)}")
    known, z = np.zeros(len(joint.q), dtype=bool), np.zeros(len(joint.q))
    for cell, value in sorted({**(beside or {}), **{place[name]: value for name, value in scores.items()}}.items()):
        name = joint.benchmarks.names[joint.q[cell]]
        if not 0.0 <= value <= 1.0:
            raise RecordError(f"scores: found {value} for {name}, expected a share within [0, 1]; divide percent by 100")
        at = slice(cell, cell + 1)
        known[at], z[at] = True, joint.benchmarks.to_probit(joint.q[at], np.array([value]))
    return given(joint, known, z, joint.benchmarks.item_variance(joint.q, z))


def predictive(joint: Joint, mean: Array, variance: Array) -> tuple[Array, Array]:
    """Mean and standard deviation (k,) of the next published values on the probit scale: noise and item variance added.

    `mean` and `variance` (k,) are those of the noise-free scores.
    """
    total = variance + joint.noise + joint.benchmarks.item_variance(joint.q, mean)
    return mean, np.sqrt(np.maximum(total, 1e-12))
