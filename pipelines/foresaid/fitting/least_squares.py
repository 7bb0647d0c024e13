"""Batched, bounded, robust least squares: many small fits at once, each from several starts.

One damped Gauss-Newton step (Levenberg-Marquardt with Marquardt's running scale and Nielsen's damping rule) is taken for
all lanes together; a lane is one start of one weighted copy of the rows. Bounds hold by pinning: a parameter that would
cross its bound is set there and the step solved again for the rest, since merely clipping a step stalls. A robust loss
enters by reweighting. A lane that has stopped leaves the batch. Failing to converge is a value, not an exception.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from foresaid.arrays import Array, Columns
from foresaid.fitting.curvature import KNOWN, LEVEL, SMALL_GAIN, learn_all, nearest_all, settles_all
from foresaid.fitting.problem import (
    DAMPING_LIMIT,
    GRADIENT,
    ITERATIONS,
    LEAST_DAMPING,
    REDUCTION,
    UNUSABLE,
    LeastSquaresProblem,
    Solution,
)
from foresaid.fitting.robust_loss import LINEAR, share_beyond


def _residuals(problem: LeastSquaresProblem, p: Array, x: Array) -> Array:
    f = problem.model(p, x)
    if problem.log:
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(f > 0, np.log(np.where(f > 0, f, 1.0)) - np.log(problem.y), UNUSABLE)
    return f - problem.y


def _loss(problem: LeastSquaresProblem, p: Array, r: Array, w: Array, centre: Array) -> Array:
    value = np.asarray((w * problem.loss.value(r)).sum(axis=1))
    if problem.prior_weight is not None:
        value = value + 0.5 * (problem.prior_weight * (p - centre) ** 2).sum(axis=1)
    return np.where(np.isfinite(value), value, np.inf)


def _normal_equations(
    problem: LeastSquaresProblem, p: Array, x: Array, r: Array, w: Array, centre: Array, share: Array
) -> tuple[Array, Array]:
    jacobian = problem.slope(p, x)
    if problem.log:
        f = problem.model(p, x)
        jacobian = np.where(f[..., None] > 0, jacobian / np.where(f > 0, f, 1.0)[..., None], 0.0)
    weight, curvature = w * problem.loss.weight(r), w * problem.loss.curvature(r)
    gradient = np.einsum("bnp,bn->bp", jacobian * weight[..., None], r)
    bend = curvature + share[:, None] * (weight - curvature)
    hessian = np.swapaxes(jacobian * bend[..., None], 1, 2) @ jacobian
    if problem.prior_weight is not None:
        hessian = hessian + np.eye(p.shape[1]) * problem.prior_weight
        gradient = gradient + problem.prior_weight * (p - centre)
    return np.nan_to_num(hessian), np.nan_to_num(gradient)


def _step(hessian: Array, gradient: Array, damping: Array, p: Array, lower: Array, upper: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Solve the damped system for each lane, holding what is or would be outside its bounds; say where it was positive."""
    size = p.shape[1]
    identity = np.eye(size)
    damped = hessian + identity * damping[:, None, :]
    held = ((p <= lower) & (gradient > 0)) | ((p >= upper) & (gradient < 0))
    step, positive = np.zeros_like(p), np.ones(len(p), dtype=bool)
    for _ in range(size + 1):
        free = ~held
        known = np.where(held, step, 0.0)
        right = np.where(free, -gradient - np.einsum("bij,bj->bi", hessian, known), known)
        system = np.where(free[:, :, None] & free[:, None, :], damped, identity)
        # In units of its own diagonal the system cannot be singular by scale alone, only by collinearity, and the damping's
        # least value stands against that.
        unit = 1.0 / np.sqrt(np.abs(np.einsum("bii->bi", system)))
        positive &= np.linalg.eigvalsh(system)[:, 0] > 0 if system.size else True
        step = unit * np.linalg.solve(system * unit[:, :, None] * unit[:, None, :], (right * unit)[..., None])[..., 0]
        ahead = p + step
        crossing = free & ((ahead < lower) | (ahead > upper))
        if not crossing.any():
            break
        step = np.where(crossing, np.clip(ahead, lower, upper) - p, step)
        held = held | crossing
    return step, positive


class _Minima:
    """The minima that starts of each copy have ended at, for others on their way there: the first KNOWN of them."""

    def __init__(self, copies: int, size: int) -> None:
        self.value = np.full((copies, KNOWN), np.inf)
        self.place, self.gradient = np.zeros((copies, KNOWN, size)), np.zeros((copies, KNOWN, size))
        self.curvature = np.zeros((copies, KNOWN, size, size))

    def add(self, copy: int, value: float, place: Array, gradient: Array, curvature: Array) -> None:
        """Keep one more minimum of a copy while there is room."""
        free = np.flatnonzero(np.isinf(self.value[copy]))
        if free.size:
            k = free[0]
            self.value[copy, k], self.place[copy, k] = value, place
            self.gradient[copy, k], self.curvature[copy, k] = gradient, curvature

    def nearest(self, copy: NDArray[np.intp], F: Array, p: Array, g: Array) -> NDArray[np.intp]:
        """Return which minimum of its copy each lane is on its way to, or -1."""
        return nearest_all(F, p, g, self.value[copy], self.place[copy], self.gradient[copy], self.curvature[copy])

    def at(self, copy: NDArray[np.intp], which: NDArray[np.intp]) -> tuple[Array, Array]:
        """Return place and value of minima."""
        return self.place[copy, which], self.value[copy, which]


def engine(columns: Columns | None) -> str:
    """Return which engine fits a law with these columns: `numba`, or `numpy` where it has none or numba cannot be had."""
    if columns is None:
        return "numpy"
    from foresaid.fitting import _jit  # numba is loaded by those who fit, and only then

    return "numba" if _jit.available() else "numpy"


def ready(columns: Sequence[Columns | None]) -> None:
    """Compile what these laws need, so that workers find it done."""
    wanted = [item for item in columns if item is not None and engine(item) == "numba"]
    if wanted:
        from foresaid.fitting import _compiled

        _compiled.warm(wanted)


def solve(problem: LeastSquaresProblem, weights: Array, starts: Array) -> Solution:
    """Fit every copy (rows of `weights`, (R, n)) from every start ((S, P), or (R, S, P) one set a copy).

    A problem with columns goes to the compiled engine where there is one; everything else is done here.

    >>> x = np.array([[1.0], [2.0], [3.0]])
    >>> line = LeastSquaresProblem(
    ...     model=lambda p, x: p[..., 0, None] * x[..., 0],
    ...     slope=lambda p, x: np.broadcast_to(x, (*p.shape[:-1], *x.shape[-2:])),
    ...     x=x, y=np.array([2.0, 4.0, 6.0]), lower=np.array([0.0]), upper=np.array([10.0]),
    ... )
    >>> solve(line, np.ones((1, 3)), np.array([[0.5]])).parameters.round(6).tolist()
    [[[2.0]]]
    """
    if engine(problem.columns) == "numba":
        from foresaid.fitting import _compiled

        return _compiled.solve(problem, weights, starts)
    return _solve(problem, weights, starts)


def _solve(problem: LeastSquaresProblem, weights: Array, starts: Array) -> Solution:
    copies = weights.shape[0]
    if starts.ndim == 2:
        starts = np.broadcast_to(starts, (copies, *starts.shape))
    each = starts.shape[1]
    copy_of = np.repeat(np.arange(copies), each)
    p = starts.reshape(copies * each, -1).astype(float)
    lower, upper = (np.broadcast_to(bound, (copies, p.shape[1]))[copy_of] for bound in (problem.lower, problem.upper))
    p = np.clip(p, lower, upper)
    about = np.zeros(p.shape[1]) if problem.prior_centre is None else problem.prior_centre
    centre = np.broadcast_to(about, (copies, p.shape[1]))[copy_of]
    shared = problem.x.ndim == 2

    def rows(lanes: NDArray[np.intp]) -> tuple[Array, Array]:
        return (problem.x if shared else problem.x[copy_of[lanes]]), weights[copy_of[lanes]]

    everything = np.arange(p.shape[0])
    x, w = rows(everything)
    r = _residuals(problem, p, x)
    objective = _loss(problem, p, r, w, centre)
    converged = np.zeros(p.shape[0], dtype=bool)
    damping = np.full(p.shape[0], problem.damping)
    growth = np.full(p.shape[0], 2.0)
    scale = np.zeros_like(p)
    hessian, rest = np.zeros((*p.shape, p.shape[1])), np.zeros((*p.shape, p.shape[1]))
    gradient, step = np.zeros_like(p), np.zeros_like(p)
    expected, gain = np.zeros_like(p), np.full(p.shape[0], np.inf)
    stale = np.ones(p.shape[0], dtype=bool)  # lanes that moved, whose derivatives are to be made anew
    settled = np.zeros(p.shape[0], dtype=bool)
    learned = np.zeros(p.shape[0], dtype=bool)  # lanes whose next step counts the curvature learned from the last ones
    minima = _Minima(copies, p.shape[1])
    active = everything[np.isfinite(objective)]
    for _ in range(ITERATIONS):
        if active.size == 0:
            break
        moved = active[stale[active]]
        if moved.size:
            x, w = rows(moved)
            before = gradient[moved]
            share = share_beyond(problem.loss.settled, damping[moved])
            hessian[moved], gradient[moved] = _normal_equations(problem, p[moved], x, r[moved], w, centre[moved], share)
            diagonal = np.einsum("bii->bi", hessian[moved])
            scale[moved] = np.maximum(scale[moved], diagonal)
            stale[moved] = False
            met = minima.nearest(copy_of[moved], objective[moved], p[moved], gradient[moved])
            there_already, which = moved[met >= 0], met[met >= 0]
            p[there_already], objective[there_already] = minima.at(copy_of[there_already], which)
            converged[there_already] = True
            active = active[~np.isin(active, there_already)]
            taught = settled[moved] & (met < 0)
            lanes = moved[taught]
            rest[lanes] = learn_all(
                rest[lanes], hessian[lanes], expected[lanes], gradient[lanes], before[taught], step[lanes], scale[lanes]
            )
        h, g, here, low, high = hessian[active], gradient[active], p[active], lower[active], upper[active]
        floor = np.maximum(scale[active], 1e-12 * scale[active].max(axis=1, keepdims=True, initial=0.0) + 1e-300)
        pinned = ((here <= low) & (g > 0)) | ((here >= high) & (g < 0))
        steepest = np.where(pinned, 0.0, np.abs(g) / np.sqrt(2.0 * objective[active][:, None] * floor + 1e-300)).max(axis=1)
        at_minimum = steepest < GRADIENT
        allowed = LEVEL * LEVEL * 2.0 * objective[active][:, None] * np.einsum("bii->bi", h)
        level = (pinned | (g * g <= allowed)).all(axis=1)
        bend = rest[active]
        damped = damping[active][:, None] * floor
        d, positive = _step(h + np.where(learned[active][:, None, None], bend, 0.0), g, damped, here, low, high)
        again = learned[active] & ~positive
        if again.any():
            d[again], _ = _step(h[again], g[again], damped[again], here[again], low[again], high[again])
            learned[active[again]] = False
        x, w = rows(active)
        ahead = np.clip(here + d, low, high)
        r_ahead = _residuals(problem, ahead, x)
        there = _loss(problem, ahead, r_ahead, w, centre[active])
        h_d, rest_d = np.einsum("bij,bj->bi", h, d), np.einsum("bij,bj->bi", bend, d)
        plain = -(d * (g + 0.5 * h_d)).sum(axis=1)
        bent = plain - 0.5 * (d * rest_d).sum(axis=1)
        predicted = np.where(learned[active], bent, plain)
        actual = objective[active] - there
        better = actual > 0
        ratio = np.where(predicted > 0, actual / np.where(predicted > 0, predicted, 1.0), 0.0)
        small = REDUCTION * (objective[active] + 1e-300)
        stopped = at_minimum | ((np.abs(actual) <= small) & (predicted <= small))
        settling = settles_all(actual, gain[active], d, step[active], scale[active]) & (problem.learns and problem.loss is LINEAR)
        nearer = np.abs(actual - bent) < np.abs(actual - plain)
        learned[active] = better & settling & nearer & (actual <= SMALL_GAIN * objective[active])
        rest[active[better & ~settling]] = 0.0
        accepted = active[better]
        p[accepted], r[accepted], objective[accepted] = ahead[better], r_ahead[better], there[better]
        step[accepted], gain[accepted], settled[accepted] = d[better], actual[better], settling[better]
        expected[accepted] = (0.5 * h_d + rest_d)[better]
        stale[accepted] = True
        shrink = np.maximum(1.0 / 3.0, 1.0 - (2.0 * np.clip(ratio, 0.0, 1.0) - 1.0) ** 3)
        damping[active] = np.maximum(damping[active] * np.where(better, shrink, growth[active]), LEAST_DAMPING)
        growth[active] = np.where(better, 2.0, 2.0 * growth[active])
        converged[active[stopped]] = True
        for lane in active[stopped & level]:
            minima.add(copy_of[lane], objective[lane], p[lane], gradient[lane], hessian[lane] + rest[lane])
        # Huge damping means no direction goes down any more: at the resolution of the numbers this is a minimum too.
        stuck = damping[active] > DAMPING_LIMIT
        converged[active[stuck]] = True
        active = active[~(stopped | stuck)]
    shape = (copies, each)
    return Solution(p.reshape(*shape, -1), objective.reshape(shape), converged.reshape(shape))
