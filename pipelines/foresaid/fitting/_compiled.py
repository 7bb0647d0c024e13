"""The compiled engine: fitting/least_squares.py's algorithm, one lane after another, for laws that say their curve by columns.

One driver is compiled once for all laws; each law adds a small function (`Law.columns`) that the driver calls through a
pointer, so a new law compiles in a fraction of a second. Nothing here may reorder arithmetic: no fast-math flags, sums in four
fixed parts, exponentials from fitting/_elementary.py. So every processor gives the same bytes. NumPy's engine is the reference: a
change there is a change here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from foresaid.arrays import Array, Columns
from foresaid.fitting._elementary import log
from foresaid.fitting._jit import compiled
from foresaid.fitting.problem import DAMPING_LIMIT, GRADIENT, ITERATIONS, REDUCTION, UNUSABLE, LeastSquaresProblem, Solution
from foresaid.fitting.robust_loss import blend_rows, fill_rows, share_beyond

INPUTS = "kbffff13123222132B2221H"  # kinds of the arguments of `drive`: see _jit.compiled
EIGHT, LEAST = 8, 16  # rows are filled up to a multiple of the one, and to the other: vector loops then leave no remainder


def dot(a: Array, i: int, b: Array, j: int) -> float:
    """Return sum over the columns of a[i] b[j] in four partial sums: the meaning of compiling.four_lanes."""
    parts = (a[i] * b[j]).reshape(-1, 4).sum(axis=0)
    return float((parts[0] + parts[1]) + (parts[2] + parts[3]))


def filled(count: int) -> int:
    """Return how many rows stand for so many, filled up.

    >>> filled(0), filled(17)
    (16, 24)
    """
    return max((count + EIGHT - 1) // EIGHT * EIGHT, LEAST)


def residuals(
    kernel: Any, logs: bool, loss: float, scale: float, p: Array, c: Array, x: Array, y: Array, w: Array, work: Array, J: Array
) -> float:
    """Fill residuals and row weights of the robust loss (rows 0 and 1 of `work`) and the Jacobian; return the loss."""
    r, v, f = work[0], work[1], work[2]
    kernel(p, c, x, f, J)
    if logs:
        for i in range(f.size):
            r[i] = log(f[i]) - y[i] if f[i] > 0 else UNUSABLE
            f[i] = 1.0 / f[i] if f[i] > 0 else 0.0
        for a in range(J.shape[0]):
            for i in range(f.size):
                J[a, i] *= f[i]
    else:
        for i in range(f.size):
            r[i] = f[i] - y[i]
    fill_rows(loss, scale, r, w, v, f)
    return dot(work, 2, work, 3)


def step(H: Array, g: Array, damp: Array, p: Array, low: Array, high: Array, L: Array, d: Array, held: Any) -> bool:
    """Solve the damped system by Cholesky, holding what is or would be outside its bounds; False when it is not positive."""
    P = p.size
    for a in range(P):
        held[a] = (p[a] <= low[a] and g[a] > 0) or (p[a] >= high[a] and g[a] < 0)
        d[a] = 0.0
    for _ in range(P + 1):
        for a in range(P):
            if held[a]:
                continue
            right = -g[a]
            for b in range(P):
                if held[b]:
                    right -= H[a, b] * d[b]
            for b in range(a):
                if held[b]:
                    continue
                s = H[a, b]
                for e in range(b):
                    if not held[e]:
                        s -= L[a, e] * L[b, e]
                L[a, b] = s / L[b, b]
                right -= L[a, b] * L[b, P]
            s = H[a, a] + damp[a]
            for b in range(a):
                if not held[b]:
                    s -= L[a, b] * L[a, b]
            if not s > 0:
                return False
            L[a, a] = np.sqrt(s)
            L[a, P] = right / L[a, a]
        for a in range(P - 1, -1, -1):
            if held[a]:
                continue
            s = L[a, P]
            for b in range(a + 1, P):
                if not held[b]:
                    s -= L[b, a] * d[b]
            d[a] = s / L[a, a]
        crossed = False
        for a in range(P):
            ahead = p[a] + d[a]
            if not held[a] and (ahead < low[a] or ahead > high[a]):
                d[a] = min(max(ahead, low[a]), high[a]) - p[a]
                held[a] = crossed = True
        if not crossed:
            return True
    return True


def drive(
    kernel: Any, logs: bool, loss: float, width: float, settled: float, first: float, c: Array, x: Array, y: Array,
    weights: Array, starts: Array, lower: Array, upper: Array, centre: Array, prior: Array,
    parameters: Array, objective: Array, converged: Array,
    H: Array, L: Array, vectors: Array, room: Array, held: Any,
) -> None:  # fmt: skip
    """Fit every copy (R) from every start (S); `parameters`, `objective` and `converged` are filled.

    `x` is (1 or R, k, n), by columns; `starts` (1 or R, S, P); bounds (1 or R, P); `weights` (R, n). Rows of weight zero are
    left out, and the others filled up by rows that weigh nothing (see EIGHT). The last line of arguments is all the memory it works
    in: code that allocates nothing needs no counting of references, which took up to a third of the time.
    """
    R, n = weights.shape
    S, P = starts.shape[1:]
    k = x.shape[1]
    p, ahead, g, scale, damp, d = vectors[0], vectors[1], vectors[2], vectors[3], vectors[4], vectors[5]
    for copy in range(R):
        count = 0
        for i in range(n):
            count += weights[copy, i] != 0
        m = filled(count)
        J, A = room[: P * m].reshape(P, m), room[P * m : 2 * P * m].reshape(P, m)
        X, rest = room[2 * P * m : (2 * P + k) * m].reshape(k, m), room[(2 * P + k) * m :]
        work, Y, W = rest[: 4 * m].reshape(4, m), rest[4 * m : 5 * m], rest[5 * m : 6 * m]  # residuals, row weights, losses, ones
        for i in range(m):
            W[i], work[3, i] = 0.0, 1.0
        rows = x[copy if x.shape[0] > 1 else 0]
        at = last = 0
        for i in range(n):
            if weights[copy, i] != 0:
                for j in range(k):
                    X[j, at] = rows[j, i]
                Y[at] = log(y[i]) if logs else y[i]
                W[at] = weights[copy, i]
                last = i
                at += 1
        for at in range(count, m):
            for j in range(k):
                X[j, at] = rows[j, last]
            Y[at] = log(y[last]) if logs else y[last]
        middle = centre[copy if centre.shape[0] > 1 else 0]
        low, high = lower[copy if lower.shape[0] > 1 else 0], upper[copy if upper.shape[0] > 1 else 0]
        for start in range(S):
            for a in range(P):
                p[a] = min(max(starts[copy if starts.shape[0] > 1 else 0, start, a], low[a]), high[a])
                scale[a] = 0.0
            F = residuals(kernel, logs, loss, width, p, c, X, Y, W, work, J)
            for a in range(P):
                F += 0.5 * prior[a] * (p[a] - middle[a]) ** 2
            done = False
            damping, growth, fresh = first, 2.0, True
            if not np.isfinite(F):
                F = np.inf
            for _ in range(ITERATIONS if np.isfinite(F) else 0):
                if fresh:
                    top, share = 0.0, share_beyond(settled, damping)
                    if share < 1.0:
                        blend_rows(loss, width, share, work[0], W, work[1], work[2])  # the losses are summed, and their row is free
                    for a in range(P):
                        for i in range(m):
                            A[a, i] = work[1, i] * J[a, i]
                        g[a] = dot(A, a, work, 0) + prior[a] * (p[a] - middle[a])
                        if share < 1.0:
                            for i in range(m):
                                A[a, i] = work[2, i] * J[a, i]
                        for b in range(a + 1):
                            H[a, b] = dot(A, a, J, b)
                            if not np.isfinite(H[a, b]):
                                H[a, b] = 0.0
                            H[b, a] = H[a, b]
                        if not np.isfinite(g[a]):
                            g[a] = 0.0
                        H[a, a] += prior[a]
                        scale[a] = max(scale[a], H[a, a])
                        top = max(top, scale[a])
                    fresh = False
                steepest = 0.0
                for a in range(P):
                    floor = max(scale[a], 1e-12 * top + 1e-300)
                    damp[a] = damping * floor
                    if not ((p[a] <= low[a] and g[a] > 0) or (p[a] >= high[a] and g[a] < 0)):
                        steepest = max(steepest, abs(g[a]) / np.sqrt(2.0 * F * floor + 1e-300))
                done = steepest < GRADIENT
                if done:
                    break
                there, predicted = np.inf, 0.0
                if step(H, g, damp, p, low, high, L, d, held):
                    for a in range(P):
                        ahead[a] = min(max(p[a] + d[a], low[a]), high[a])
                        s = 0.0
                        for b in range(P):
                            s += H[a, b] * d[b]
                        predicted -= d[a] * (g[a] + 0.5 * s)
                    there = residuals(kernel, logs, loss, width, ahead, c, X, Y, W, work, J)
                    for a in range(P):
                        there += 0.5 * prior[a] * (ahead[a] - middle[a]) ** 2
                    if not np.isfinite(there):
                        there = np.inf
                actual = F - there
                least = REDUCTION * (F + 1e-300)
                done = abs(actual) <= least and predicted <= least
                if actual > 0:
                    for a in range(P):
                        p[a] = ahead[a]
                    F, fresh, growth = there, True, 2.0
                    ratio = min(max(actual / predicted, 0.0), 1.0) if predicted > 0 else 0.0
                    damping *= max(1.0 / 3.0, 1.0 - (2.0 * ratio - 1.0) ** 3)
                else:
                    damping *= growth
                    growth *= 2.0
                done = done or damping > DAMPING_LIMIT
                if done:
                    break
            for a in range(P):
                parameters[copy, start, a] = p[a]
            objective[copy, start] = F
            converged[copy, start] = done


def warm(columns: Sequence[Columns]) -> None:
    """Compile the driver and these laws' columns now, so that nothing is compiled inside a measurement."""
    compiled(drive, INPUTS)
    for function in columns:
        compiled(function)


def _own(values: Array) -> Array:
    return np.require(values, np.float64, ["C", "W"])


def solve(problem: LeastSquaresProblem, weights: Array, starts: Array) -> Solution:
    """Do what solver.solve does, compiled. The problem has columns."""
    copies, size = weights.shape[0], problem.lower.shape[-1]
    x = problem.x if problem.x.ndim == 3 else problem.x[None]
    lanes = starts if starts.ndim == 3 else starts[None]
    parameters = np.empty((copies, lanes.shape[1], size))
    objective, converged = np.empty(parameters.shape[:2]), np.empty(parameters.shape[:2], dtype=np.bool_)
    centre = np.zeros(size) if problem.prior_centre is None else problem.prior_centre
    prior = np.zeros(size) if problem.prior_weight is None else problem.prior_weight
    room = np.empty((2 * size + x.shape[2] + 6) * filled(len(problem.y)))
    compiled(drive, INPUTS)(
        compiled(problem.columns), problem.log, problem.loss.code, problem.loss.scale, problem.loss.settled,
        problem.damping, _own(problem.constants), _own(np.swapaxes(x, 1, 2)), _own(problem.y), _own(weights), _own(lanes),
        _own(np.atleast_2d(problem.lower)), _own(np.atleast_2d(problem.upper)), _own(np.atleast_2d(centre)), _own(prior),
        parameters, objective, converged,
        np.empty((size, size)), np.empty((size, size + 1)), np.empty((6, size)), room, np.empty(size, dtype=np.bool_),
    )  # fmt: skip
    return Solution(parameters, objective, converged)
