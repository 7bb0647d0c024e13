"""Latent skills shared by benchmarks: one joint fit in which every family has its own level and all share the returns to scale.

The fit is a damped Gauss-Newton method whose normal matrix is put together in blocks: all cells of a model share its row,
all cells of a benchmark its loadings, so a few matrix products replace a Jacobian of cells times parameters. Cells may be
missing. Skills are known up to an invertible d x d change of basis; damping makes that freedom harmless, and only
predictions mean something. With no covariates and a family for each model the same fit is a sparse item-response model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dposv

from foresaid.arrays import Array, sigmoid
from foresaid.errors import ParameterError
from foresaid.fitting import _jit
from foresaid.fitting.problem import DAMPING_LIMIT
from foresaid.fitting.robust_loss import Huber, RobustLoss
from foresaid.studies.held_out_families import _skills_compiled
from foresaid.studies.held_out_families._skills_compiled import DAMPING_LEAST

ITERATIONS = 1000
GRADIENT = 1e-8  # scaled gradient at which the fit counts as at its minimum
REDUCTION = 1e-11  # relative reduction, actual and predicted, below which nothing more is to be had
LOGIT_CLIP = 0.1
FIRST = 30  # iterations of plain least squares that every start begins with: they find lower minima than Huber's loss alone
RIDGE = 1e-3  # of the linear start alone

_Found = tuple[Array, Array, float, int, bool]  # m (q, d), t (d + 1, J), loss, iterations, at its minimum


@dataclass(frozen=True)
class Skills:
    """A fitted skills model for J benchmarks, d skills, F families and p covariates.

    `slope` (p, d) is on standardised covariates, `shift` (F, d) the families' levels, `loading` (d, J), `intercept` (J,) and
    `floor` (J,) the benchmarks'. `objective` is the mean loss over the known cells, `converged` says whether it is a minimum.
    """

    families: tuple[str, ...]
    centre: Array
    spread: Array
    slope: Array
    shift: Array
    loading: Array
    intercept: Array
    floor: Array
    objective: float
    iterations: int
    converged: bool

    def predict(self, x: Array, families: Sequence[str]) -> Array:
        """Forecast the scores (n, J) of models with covariates (n, p). A family without training rows is refused."""
        unknown = sorted(set(families) - set(self.families))
        if unknown:
            raise ParameterError(
                f"skills: found families {unknown[:10]} without training rows, expected some of {list(self.families)}"
            )
        skills = (x - self.centre) / self.spread @ self.slope + self.shift[[self.families.index(name) for name in families]]
        return np.asarray(self.floor + (1.0 - self.floor) * sigmoid(skills @ self.loading + self.intercept))


@dataclass(frozen=True)
class _Cells:
    """What stays during a fit: covariates (n, p), each model's family among `families`, scores, weights, floors, loss."""

    x: Array
    member: NDArray[np.int64]
    families: int
    y: Array
    weights: Array
    floor: Array
    loss: RobustLoss

    @cached_property
    def rows(self) -> Array:
        """Covariates and indicators of the families, (n, q)."""
        return np.column_stack([self.x, np.eye(self.families)[self.member]])

    @cached_property
    def squares(self) -> Array:
        """Products of the entries of each row with each other, (q q, n)."""
        return np.ascontiguousarray((self.rows[:, :, None] * self.rows[:, None, :]).reshape(len(self.rows), -1).T)


def scale_covariates(size: Array, tokens: Array) -> Array:
    """Return the covariates of the skills law, (n, 3): ln S, ln T and their product, for parameters S and training tokens T.

    >>> scale_covariates(np.array([np.e]), np.array([np.e**2])).round(6).tolist()
    [[1.0, 2.0, 2.0]]
    """
    s, t = np.log(size), np.log(tokens)
    return np.column_stack([s, t, s * t])


def fit_skills(
    x: Array,
    families: Sequence[str],
    y: Array,
    skills: int,
    floor: Array | None = None,
    delta: float = 0.01,
    weights: Array | None = None,
    starts: int = 1,
    rng: np.random.Generator | None = None,
    iterations: int = ITERATIONS,
    compiled: bool | None = None,
) -> Skills:
    """Fit benchmark scores by a few latent skills that grow with scale from a level of the family's own.

        y_ij = c_j + (1 - c_j) s((W'x_i + a_family(i))'L_j + b_j),   minimise mean_ij w_ij Huber_delta(residual_ij) / delta

    `x` (n, p) covariates (see `scale_covariates`; p may be 0), `y` (n, J) scores as fractions with NaN where missing, `floor`
    (J,) the scores of guessing, `weights` (n, J) or None. The first start is a reduced-rank regression of clipped logits, others
    are drawn from `rng`. A fit ends after `iterations`, at its minimum or not. `compiled` picks the engine: None takes
    Numba where it is installed.
    The loss is SmoothL1 with beta = delta. Maia Polo et al. 2024, arXiv 2412.06540, section 3 (Sloth).
    Not to be trusted for a family seen in one model (its level takes up that model's noise), nor for the skills
    themselves, which are not identified. Raises ParameterError when a model or a benchmark has no known score.

    >>> size, tokens = np.array([1e9, 2e9, 4e9, 8e9]), np.array([1e12, 3e12, 2e12, 4e12])
    >>> scores = sigmoid(np.outer(np.log(size) - 21.5, [0.5, 1.0]))
    >>> fitted = fit_skills(np.log(size)[:, None], ["a"] * 4, scores, 1)
    >>> bool(np.abs(fitted.predict(np.log(size)[:, None], ["a"] * 4) - scores).max() < 1e-5)
    True
    """
    known = ~np.isnan(y)
    cells = known.astype(float) if weights is None else np.where(known, weights, 0.0)
    if not (cells.any(axis=1).all() and cells.any(axis=0).all()) or skills < 1 or len(families) != len(y) != 0:
        raise ParameterError("skills: expected a known score in every row and every column, a family a row, and at least one skill")
    names = tuple(sorted(set(families)))
    centre = x.mean(axis=0)
    spread = x.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    member = np.array([names.index(name) for name in families])
    floors = np.zeros(y.shape[1]) if floor is None else np.asarray(floor, dtype=float)
    fixed = _Cells((x - centre) / spread, member, len(names), np.where(known, y, 0.0), cells / cells.sum(), floors, Huber(delta))
    descend = _descend_compiled if (_jit.available() if compiled is None else compiled) else _descend
    squares = replace(fixed, loss=Huber(1.0))  # brings a start near the minimum of plain squares

    def fit(m: Array, t: Array) -> _Found:
        return descend(fixed, *descend(squares, m, t, FIRST)[:2], iterations)

    best = fit(*_regression(fixed, cells > 0, skills))
    for _ in range(starts - 1):
        if rng is None:
            raise ParameterError("skills: several starts need a generator, found None")
        scale = 1.0 / np.sqrt(skills)
        drawn = (rng.normal(size=(fixed.rows.shape[1], skills)) * scale, rng.normal(size=(skills + 1, y.shape[1])) * scale)
        best = min(best, fit(*drawn), key=lambda result: result[2])
    m, t, objective, taken, converged = best
    p = x.shape[1]
    return Skills(
        names, centre, spread, m[:p], m[p:], t[:-1], t[-1], floors, float(objective / delta), taken, converged
    )  # fmt: skip


def _regression(cells: _Cells, known: np.ndarray[tuple[int, int], np.dtype[np.bool_]], skills: int) -> tuple[Array, Array]:
    """Start from the linear model: logits on covariates and families by ridge, cut to the wanted rank."""
    share = np.clip((cells.y - cells.floor) / (1.0 - cells.floor), LOGIT_CLIP, 1.0 - LOGIT_CLIP)
    logit = np.where(known, np.log(share / (1.0 - share)), 0.0)
    middle = logit.sum(axis=0) / known.sum(axis=0)
    ridge = RIDGE * np.eye(cells.rows.shape[1])
    normal = np.einsum("nq,np,nj->jqp", cells.rows, cells.rows, known.astype(float), optimize=True) + ridge
    right = np.einsum("nq,nj->jq", cells.rows, np.where(known, logit - middle, 0.0))
    slopes = np.linalg.solve(normal, right[..., None])[..., 0].T
    left, values, across = np.linalg.svd(cells.rows @ slopes, full_matrices=False)
    m = np.linalg.lstsq(cells.rows, left[:, :skills] * np.sqrt(len(cells.y)), rcond=None)[0]
    loading = across[:skills] * (values[:skills] / np.sqrt(len(cells.y)))[:, None]
    wanted = skills - len(loading)
    m, loading = np.pad(m, ((0, 0), (0, wanted))), np.pad(loading, ((0, wanted), (0, 0)), constant_values=0.1)
    return m, np.vstack([loading, middle])


def _evaluate(cells: _Cells, m: Array, t: Array) -> tuple[Array, Array, Array, float]:
    """Return skills with a constant (n, d + 1), the sigmoid, the residuals and the loss (sum of w Huber)."""
    skills = np.column_stack([cells.rows @ m, np.ones(len(cells.y))])
    s = sigmoid(skills @ t)
    r = np.where(cells.weights > 0, cells.floor + (1.0 - cells.floor) * s - cells.y, 0.0)
    return skills, s, r, float((cells.weights * cells.loss.value(r)).sum())


def _normal_equations(cells: _Cells, skills: Array, s: Array, r: Array, t: Array) -> tuple[Array, Array]:
    """Assemble the normal matrix (P, P) and gradient (P,) in blocks; parameters are m by rows, then t by benchmarks."""
    rows, d = cells.rows, t.shape[0] - 1
    n, q = rows.shape
    targets = t.shape[1]
    omega = cells.weights * cells.loss.weight(r)
    slope = (1.0 - cells.floor) * s * (1.0 - s)
    curvature, pull = omega * slope**2, omega * slope * r  # (n, J)
    loading = t[:-1]
    # Models: sum over cells of u u' (x) L L'. Benchmarks: sum over models of z z'. Between: u (x) L (x) z.
    by_model = curvature @ (loading[:, None] * loading).reshape(d * d, targets).T
    models = (cells.squares @ by_model).reshape(q, q, d, d).transpose(0, 2, 1, 3).reshape(q * d, q * d)
    benchmarks = (curvature.T @ (skills[:, :, None] * skills[:, None, :]).reshape(n, -1)).reshape(targets, d + 1, d + 1)
    mixed = (rows[:, :, None] * skills[:, None, :]).reshape(n, -1).T @ curvature
    between = mixed.reshape(q, 1, d + 1, targets) * loading[:, None, :]
    corner = q * d
    hessian = np.zeros((corner + targets * (d + 1),) * 2)
    hessian[:corner, :corner] = models
    hessian[:corner, corner:] = between.transpose(0, 1, 3, 2).reshape(corner, -1)
    hessian[corner:, :corner] = hessian[:corner, corner:].T
    for j in range(targets):
        block = slice(corner + j * (d + 1), corner + (j + 1) * (d + 1))
        hessian[block, block] = benchmarks[j]
    gradient = np.concatenate([(rows.T @ (pull @ loading.T)).ravel(), (pull.T @ skills).ravel()])
    return hessian, gradient


def _descend(cells: _Cells, m: Array, t: Array, iterations: int) -> _Found:
    """Damped Gauss-Newton with Marquardt's running scale and Nielsen's damping rule, as in fitting/least_squares.py."""
    skills, s, r, loss = _evaluate(cells, m, t)
    scale = np.zeros(m.size + t.size)
    damping, growth, moved = 1e-3, 2.0, True
    iteration = 0
    for iteration in range(1, iterations + 1):
        if moved:
            hessian, gradient = _normal_equations(cells, skills, s, r, t)
            scale = np.maximum(scale, np.diagonal(hessian))
            floor = np.maximum(scale, 1e-12 * scale.max() + 1e-300)
        if (np.abs(gradient) / np.sqrt(2.0 * loss * floor + 1e-300)).max() < GRADIENT:
            return m, t, loss, iteration, True
        even = 1.0 / np.sqrt(floor)  # to a diagonal of one, so that damping tells at every parameter
        damped = hessian * even[:, None] * even
        damped[np.diag_indices(len(damped))] += damping
        solved, failed = dposv(damped, -gradient * even)[1:]
        step = even * solved
        ahead_m, ahead_t = m + step[: m.size].reshape(m.shape), t + step[m.size :].reshape(t.shape[::-1]).T
        there = _evaluate(cells, ahead_m, ahead_t)
        predicted = -float(gradient @ step) - 0.5 * float(step @ hessian @ step)
        actual = loss - there[3]
        small = not failed and abs(actual) <= REDUCTION * loss and predicted <= REDUCTION * loss
        moved = actual > 0 and not failed
        if moved:
            m, t = ahead_m, ahead_t
            skills, s, r, loss = there
            ratio = min(max(actual / predicted, 0.0), 1.0) if predicted > 0 else 0.0
            damping, growth = max(damping * max(1.0 / 3.0, 1.0 - (2.0 * ratio - 1.0) ** 3), DAMPING_LEAST), 2.0
        else:
            damping, growth = damping * growth, growth * 2.0
        if small or damping > DAMPING_LIMIT:
            return m, t, loss, iteration, True
    return m, t, loss, iteration, False


def _descend_compiled(cells: _Cells, m: Array, t: Array, iterations: int) -> _Found:
    stop = float(iterations), GRADIENT, REDUCTION
    member = cells.member.astype(float)
    return _skills_compiled.fit(cells.x, member, cells.y, cells.weights, cells.floor, cells.loss, stop, m, t)
