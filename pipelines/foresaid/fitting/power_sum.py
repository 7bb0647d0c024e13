"""Sums of power laws: a floor plus one decaying term for each size, fitted from starts that need no search in the coefficients.

Given the exponents, the floor and the coefficients enter linearly, so a small grid of exponents with the best non-negative
coefficients at each point (variable projection; Golub and Pereyra 1973) replaces a grid over all parameters: 25 points do
what 4,500 starts did. A coefficient is carried as its logarithm at the middle of the sizes, where it is least entangled with its
exponent. The last polish, under whatever loss is wanted, is fitting/least_squares.py's.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from foresaid.arrays import Array, middle
from foresaid.errors import ParameterError
from foresaid.fitting._elementary import exp
from foresaid.fitting.least_squares import solve
from foresaid.fitting.problem import LeastSquaresProblem
from foresaid.fitting.robust_loss import SETTLED, Huber, RobustLoss

EXPONENTS = (0.1, 0.25, 0.45, 0.8, 1.4)  # what published exponents span, about evenly on the logarithmic scale
STEEPEST = 5.0
LEVEL = 60.0  # bound of the logarithm of a term in the middle of the sizes
HOFFMANN = Huber(1e-3, SETTLED)
ABSENT = 1e-3  # a term the grid leaves out starts at this share of the smallest value, since its logarithm must exist
SINGULAR = 1e-12


@dataclass(frozen=True)
class PowerSum:
    """Fitted curves y = floor + sum_j exp(ln_coefficient_j) x_j^-exponent_j, one a copy.

    `floor` is (R,) in the unit of y; `ln_coefficient` and `exponent` are (R, m); `objective` (R,) is the loss reached and
    `converged` (R,) whether the polish reached a minimum.
    """

    floor: Array
    ln_coefficient: Array
    exponent: Array
    objective: Array
    converged: NDArray[np.bool_]

    def __call__(self, x: Array) -> Array:
        """Evaluate every copy at sizes (n, m): (R, n)."""
        logs = self.ln_coefficient[:, None, :] - self.exponent[:, None, :] * np.log(x)
        return np.asarray(self.floor[:, None] + np.exp(logs).sum(axis=-1))


def curve(parameters: Array, x: Array) -> Array:
    """Evaluate floor + sum_j exp(level_j - exponent_j x_j) - x_last.

    `parameters` (..., 1 + 2m) are floor, levels, exponents; `x` (..., n, m + 1) are centred logarithms of sizes and, last, what
    is taken away from the curve: zero, or a copy's own values when copies differ in y.

    >>> curve(np.array([1.0, 0.0, 0.5]), np.array([[0.0, 0.0], [2.0, 0.0]])).round(4).tolist()
    [2.0, 1.3679]
    """
    terms = _terms(parameters, x)
    return np.asarray(parameters[..., :1] + terms.sum(axis=-1) - x[..., -1])


def jacobian(parameters: Array, x: Array) -> Array:
    """Derivative by floor, levels and exponents: (..., n, 1 + 2m)."""
    terms = _terms(parameters, x)
    return np.concatenate([np.ones_like(terms[..., :1]), terms, -terms * x[..., :-1]], axis=-1)


def _terms(parameters: Array, x: Array) -> Array:
    count = x.shape[-1] - 1
    levels, exponents = parameters[..., None, 1 : 1 + count], parameters[..., None, 1 + count :]
    return np.exp(np.clip(levels - exponents * x[..., :-1], -700.0, 700.0))


def columns(p: Array, c: Array, x: Array, f: Array, J: Array) -> None:
    """Say the curve by columns, for the compiled engine."""
    count = x.shape[0] - 1
    for i in range(f.size):
        f[i] = p[0] - x[count, i]
        J[0, i] = 1.0
    for j in range(count):
        for i in range(f.size):
            term = exp(p[1 + j] - p[1 + count + j] * x[j, i])
            f[i] += term
            J[1 + j, i] = term
            J[1 + count + j, i] = -term * x[j, i]


def nonnegative(basis: Array, y: Array, weights: Array, wanted: int | None = None) -> tuple[Array, Array]:
    """Best coefficients c >= 0 of sum_k c_k basis_k by weighted least squares, for each copy and each basis of a grid.

    `basis` is (G, n, K) with K at most 4 or so, `y` (n,) or (R, n), `weights` (R, n); coefficients (R, G, K) and sums of squares
    (R, G) come back. Exact: the best admissible one of the 2^K - 1 sets of positive coefficients. With `wanted`, a basis that
    cannot be among the best so many of its copy is given up early, its sum of squares infinite.

    >>> found, misfit = nonnegative(np.array([[[1.0, 1.0], [1.0, 2.0]]]), np.array([3.0, 2.0]), np.ones((1, 2)))
    >>> found.round(6).tolist(), misfit.round(6).tolist()
    ([[[2.5, 0.0]]], [[0.5]])
    """
    grid, rows, width = basis.shape
    copies = len(weights)
    values = np.broadcast_to(y, weights.shape)
    products = np.einsum("gni,gnj->ngij", basis, basis).reshape(rows, -1)
    normal = (weights @ products).reshape(-1, width, width)
    right = ((weights * values) @ np.moveaxis(basis, 1, 0).reshape(rows, -1)).reshape(-1, width)
    square = np.repeat((weights * values**2).sum(axis=1), grid)
    best, left, sound = _solve(normal, right, square)
    inside = sound & (best >= 0).all(axis=-1)
    misfit = np.where(inside, left, np.inf)
    # Where the free optimum is not admissible its sum of squares is what the admissible one cannot get below.
    bar = np.full(copies, np.inf)
    if wanted is not None and wanted <= grid:
        bar = np.partition(misfit.reshape(copies, grid), wanted - 1, axis=1)[:, wanted - 1]
    open_ones = np.flatnonzero(~inside & ~(sound & (left >= np.repeat(bar, grid))))
    best[~inside] = 0.0
    lowest, found = square[open_ones], np.zeros((len(open_ones), width))
    for size in range(1, width):
        for chosen in itertools.combinations(range(width), size):
            part = list(chosen)
            solved, left, sound = _solve(normal[open_ones][:, part][:, :, part], right[open_ones][:, part], square[open_ones])
            better = sound & (solved >= 0).all(axis=-1) & (left < lowest)
            lowest = np.where(better, left, lowest)
            full = np.zeros_like(found)
            full[:, part] = solved
            found = np.where(better[:, None], full, found)
    best[open_ones], misfit[open_ones] = found, lowest
    return best.reshape(copies, grid, width), misfit.reshape(copies, grid)


def _solve(normal: Array, right: Array, square: Array) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Solve each normal system; return coefficients, sums of squares, and where the columns are independent."""
    size = normal.shape[-1]
    scale = np.sqrt(np.einsum("...ii->...i", normal)) + 1e-300
    even = normal / scale[..., :, None] / scale[..., None, :]
    sound = np.linalg.det(even) > SINGULAR
    even[~sound] = np.eye(size)
    solved = np.linalg.solve(even, (right / scale)[..., None])[..., 0] / scale
    return solved, square - (solved * right).sum(axis=-1), sound


def starts(x: Array, y: Array, weights: Array, wanted: int, exponents: tuple[float, ...] = EXPONENTS) -> Array:
    """Return the `wanted` best points of the grid of exponents for each copy: (R, wanted, 1 + 2m).

    `x` is (n, m) centred logarithms, `y` (n,) or (R, n), `weights` (R, n).
    """
    count = x.shape[1]
    grid = np.array(list(itertools.product(exponents, repeat=count)))
    terms = np.exp(-grid[:, None, :] * x)
    basis = np.concatenate([np.ones((*terms.shape[:2], 1)), terms], axis=-1)
    found, misfit = nonnegative(basis, y, weights, wanted)
    order = np.argsort(misfit, axis=1, kind="stable")[:, :wanted]
    best = np.take_along_axis(found, order[..., None], axis=1)
    least = ABSENT * np.abs(y).min()
    return np.concatenate([best[..., :1], np.log(np.maximum(best[..., 1:], least)), grid[order]], axis=-1)


def fit_power_sum(
    x: Array,
    y: Array,
    weights: Array,
    log: bool = True,
    loss: RobustLoss = HOFFMANN,
    wanted: int = 1,
    lowest_floor: float = 0.0,
    near: PowerSum | None = None,
) -> PowerSum:
    """Fit the floor, coefficients and exponents of a sum of power laws to weighted copies of the rows.

        y = E + sum_j A_j x_j^-a_j,   minimise sum_i w_i rho(ln f(x_i) - ln y_i)

    `x` (n, m) are sizes (parameters, tokens), `y` (n,) or (R, n) losses in one unit, `weights` (R, n) counts of a bootstrap.
    With `log` false residuals are plain differences; `loss` is rho, by default that of Hoffmann et al. `wanted` grid points of
    each copy are polished. Copies that are resamples of one table may instead start at its fit, `near` (of one copy), which
    lies in their basin already; the grid is then left to those that do not settle from there.
    Hoffmann et al. 2022, arXiv 2203.15556, equation 2 and section 3.3; Besiroglu et al. 2024, arXiv 2404.10102.
    Not to be trusted for a floor that the sizes do not come near. Raises ParameterError for sizes or losses that have no logarithm.

    >>> sizes = np.array([[n, d] for n in (1e6, 1e7, 1e8) for d in (1e8, 1e9, 1e10)])
    >>> loss = 1.8 + 400 * sizes[:, 0] ** -0.34 + 2000 * sizes[:, 1] ** -0.36
    >>> found = fit_power_sum(sizes, loss, np.ones((1, 9)))
    >>> round(float(found.floor[0]), 3), found.exponent[0].round(3).tolist()
    (1.8, [0.34, 0.36])
    """
    if not (x > 0).all() or (log and not (y > 0).all()):
        raise ParameterError("power law: found sizes or losses that are not positive, expected all above zero")
    if log and y.ndim > 1:
        raise ParameterError(
            "power law: found values that differ by copy on the log scale, expected log=False or one set of values"
        )
    logs = np.log(x)
    at = middle(logs)
    problem = _problem(logs - at, y, log, loss, lowest_floor)

    def from_grid(lanes: NDArray[np.intp]) -> PowerSum:
        """Polish the best grid points of these copies."""
        copies = weights[lanes]
        values, own = (y, problem) if y.ndim == 1 else (y[lanes], replace(problem, x=problem.x[lanes]))
        # Relative errors: a residual of the logarithm is nearly a residual divided by the value.
        even = copies / values**2 if log else copies
        return _polished(own, copies, starts(logs - at, values, even, wanted), at)

    if near is None:
        return from_grid(np.arange(len(weights)))
    level = near.ln_coefficient - near.exponent * at
    found = _polished(replace(problem, damping=SETTLED), weights, np.column_stack([near.floor, level, near.exponent]), at)
    astray = np.flatnonzero(~found.converged)
    if astray.size:
        again = from_grid(astray)
        lower = again.objective < found.objective[astray]
        for part in fields(found):
            getattr(found, part.name)[astray[lower]] = getattr(again, part.name)[lower]
    return found


def _problem(centred: Array, y: Array, log: bool, loss: RobustLoss, lowest_floor: float) -> LeastSquaresProblem:
    """State the polish on centred logarithms (n, m); values that differ by copy are taken away from the curve."""
    count = centred.shape[1]
    own = np.zeros((len(centred), 1)) if y.ndim == 1 else y[..., None]
    wide = np.broadcast_to(centred, (*own.shape[:-1], count))
    return LeastSquaresProblem(
        model=curve,
        slope=jacobian,
        x=np.concatenate([wide, own], axis=-1),
        y=y if y.ndim == 1 else np.zeros(y.shape[1]),
        lower=np.array([lowest_floor, *[-LEVEL] * count, *[0.0] * count]),
        upper=np.array([float(y.max()), *[LEVEL] * count, *[STEEPEST] * count]),
        log=log,
        loss=loss,
        columns=columns,
    )


def _polished(problem: LeastSquaresProblem, weights: Array, first: Array, at: Array) -> PowerSum:
    """Fit each copy from its starts and return its best, coefficients in the unit of the sizes again."""
    found = solve(problem, weights, first)
    lanes, count = np.arange(len(weights)), len(at)
    p = found.parameters[lanes, found.best]
    exponent = p[:, 1 + count :]
    return PowerSum(
        p[:, 0],
        p[:, 1 : 1 + count] + exponent * at,
        exponent,
        found.objective[lanes, found.best],
        found.converged[lanes, found.best],
    )
