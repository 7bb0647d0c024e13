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

from foresaid.arrays import Array, Columns, aligned
from foresaid.fitting._elementary import log
from foresaid.fitting._jit import compiled
from foresaid.fitting._lanes import dot, step
from foresaid.fitting.curvature import KNOWN, LEVEL, SMALL_GAIN, TINY, learn, nearest, settles
from foresaid.fitting.problem import DAMPING_LIMIT, GRADIENT, ITERATIONS, REDUCTION, UNUSABLE, LeastSquaresProblem, Solution
from foresaid.fitting.robust_loss import blend_rows, fill_rows, share_beyond

INPUTS = "kbbffff13123222132B32221H"  # kinds of the arguments of `drive`: see _jit.compiled
PLAIN = 0.0  # the loss of plain squares
EIGHT, LEAST = 8, 16  # rows are filled up to a multiple of the one, and to the other: vector loops then leave no remainder


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


def drive(
    kernel: Any, logs: bool, learns: bool, loss: float, width: float, newton: float, first: float, c: Array, x: Array, y: Array,
    weights: Array, starts: Array, lower: Array, upper: Array, centre: Array, prior: Array,
    parameters: Array, objective: Array, converged: Array,
    squares: Array, L: Array, vectors: Array, known: Array, room: Array, held: Any,
) -> None:  # fmt: skip
    """Fit every copy (R) from every start (S); `parameters`, `objective` and `converged` are filled.

    `x` is (1 or R, n, k); `starts` (1 or R, S, P); bounds (1 or R, P); `weights` (R, n). Rows of weight zero are
    left out, and the others filled up by rows that weigh nothing (see EIGHT). The last line of arguments is all the memory it works
    in: code that allocates nothing needs no counting of references, which took up to a third of the time.
    """
    R, n = weights.shape
    S, P = starts.shape[1:]
    k = x.shape[2]
    p, ahead, g, scale, damp, d = vectors[0], vectors[1], vectors[2], vectors[3], vectors[4], vectors[5]
    g_before, d_before, expected, t = vectors[6], vectors[7], vectors[8], vectors[9]
    H, rest, B, curvatures = squares[0], squares[1], squares[2], squares[3:]
    for copy in range(R):
        count = 0
        for i in range(n):
            count += weights[copy, i] != 0
        m = filled(count)
        J, A = room[: P * m].reshape(P, m), room[P * m : 2 * P * m].reshape(P, m)
        X, spare = room[2 * P * m : (2 * P + k) * m].reshape(k, m), room[(2 * P + k) * m :]
        # The rows of `work`: residuals, row weights, losses (then a settled robust fit's curvatures), ones.
        work, Y, W = spare[: 4 * m].reshape(4, m), spare[4 * m : 5 * m], spare[5 * m : 6 * m]
        for i in range(m):
            work[3, i] = 1.0
        rows = x[copy if x.shape[0] > 1 else 0]
        at = 0
        for i in range(n):  # a row of weight zero is written too, and the next one over it: whether it weighs cannot be foretold
            for j in range(k):
                X[j, at] = rows[i, j]
            Y[at], W[at] = (log(y[i]) if logs else y[i]), weights[copy, i]
            at += weights[copy, i] != 0
            if at == count:
                break
        last = max(count - 1, 0)
        for at in range(last + 1, m):
            for j in range(k):
                X[j, at] = X[j, last]
            Y[at], W[at] = Y[last], 0.0
        middle = centre[copy if centre.shape[0] > 1 else 0]
        low, high = lower[copy if lower.shape[0] > 1 else 0], upper[copy if upper.shape[0] > 1 else 0]
        minima = 0
        for start in range(S):
            for a in range(P):
                p[a] = min(max(starts[copy if starts.shape[0] > 1 else 0, start, a], low[a]), high[a])
                scale[a] = d_before[a] = 0.0
                for b in range(P):
                    rest[a, b] = 0.0
            F = residuals(kernel, logs, loss, width, p, c, X, Y, W, work, J)
            for a in range(P):
                F += 0.5 * prior[a] * (p[a] - middle[a]) ** 2
            done, stuck, uneven, met = False, False, True, -1
            damping, growth, last_gain = first, 2.0, np.inf
            fresh, settled, learned = True, False, False
            if not np.isfinite(F):
                F = np.inf
            for _ in range(ITERATIONS if np.isfinite(F) else 0):
                if fresh:
                    top, share = 0.0, share_beyond(newton, damping)
                    g, g_before = g_before, g
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
                    met = nearest(F, p, g, known, curvatures, minima)
                    if met >= 0:
                        break
                    if settled:
                        learn(rest, H, expected, g, g_before, d_before, scale, t)
                steep = uneven = False
                for a in range(P):
                    floor = max(scale[a], 1e-12 * top + TINY)
                    damp[a] = damping * floor
                    if not ((p[a] <= low[a] and g[a] > 0) or (p[a] >= high[a] and g[a] < 0)):
                        steep = steep or not g[a] * g[a] < GRADIENT * GRADIENT * (2.0 * F * floor + TINY)
                        uneven = uneven or not g[a] * g[a] <= LEVEL * LEVEL * 2.0 * F * H[a, a]
                done = not steep
                if done:
                    break
                there, predicted, bent = np.inf, 0.0, 0.0
                if learned:
                    for a in range(P):
                        for b in range(P):
                            B[a, b] = H[a, b] + rest[a, b]
                    learned = step(B, g, damp, p, low, high, L, d, held)
                if learned or step(H, g, damp, p, low, high, L, d, held):
                    for a in range(P):
                        ahead[a] = min(max(p[a] + d[a], low[a]), high[a])
                        s = bend = 0.0
                        for b in range(P):
                            s += H[a, b] * d[b]
                            bend += rest[a, b] * d[b]
                        expected[a] = 0.5 * s + bend
                        predicted -= d[a] * (g[a] + 0.5 * s)
                        bent -= 0.5 * d[a] * bend
                    there = residuals(kernel, logs, loss, width, ahead, c, X, Y, W, work, J)
                    for a in range(P):
                        there += 0.5 * prior[a] * (ahead[a] - middle[a]) ** 2
                    if not np.isfinite(there):
                        there = np.inf
                actual = F - there
                better = abs(actual - predicted - bent) < abs(actual - predicted)
                if learned:
                    predicted += bent
                least = REDUCTION * (F + TINY)
                done = abs(actual) <= least and predicted <= least
                learned = False
                if actual > 0:
                    settled = learns and loss == PLAIN and settles(actual, last_gain, d, d_before, scale)
                    learned = settled and better and actual <= SMALL_GAIN * F
                    if not settled:
                        for a in range(P):
                            for b in range(P):
                                rest[a, b] = 0.0
                    for a in range(P):
                        p[a], d_before[a] = ahead[a], d[a]
                    F, fresh, growth, last_gain = there, True, 2.0, actual
                    ratio = min(max(actual / predicted, 0.0), 1.0) if predicted > 0 else 0.0
                    damping *= max(1.0 / 3.0, 1.0 - (2.0 * ratio - 1.0) ** 3)
                else:
                    damping *= growth
                    growth *= 2.0
                stuck = damping > DAMPING_LIMIT
                if done or stuck:
                    break
            if met >= 0:
                F = known[met, 0]
            elif done and not uneven and minima < KNOWN:
                known[minima, 0] = F
                for a in range(P):
                    known[minima, 1 + a], known[minima, 1 + P + a] = p[a], g[a]
                    for b in range(P):
                        curvatures[minima, a, b] = H[a, b] + rest[a, b]
                minima += 1
            for a in range(P):
                parameters[copy, start, a] = known[met, 1 + a] if met >= 0 else p[a]
            objective[copy, start] = F
            converged[copy, start] = done or stuck or met >= 0


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
    room = aligned((2 * size + x.shape[2] + 6) * filled(len(problem.y)))
    compiled(drive, INPUTS)(
        compiled(problem.columns), problem.log, problem.learns, problem.loss.code, problem.loss.scale, problem.loss.settled,
        problem.damping, _own(problem.constants), _own(x), _own(problem.y), _own(weights), _own(lanes),
        _own(np.atleast_2d(problem.lower)), _own(np.atleast_2d(problem.upper)), _own(np.atleast_2d(centre)), _own(prior),
        parameters, objective, converged,
        np.empty((3 + KNOWN, size, size)), np.empty((size, size + 1)), np.zeros((10, size)), np.empty((KNOWN, 1 + 2 * size)),
        room, np.empty(size, dtype=np.bool_),
    )  # fmt: skip
    return Solution(parameters, objective, converged)
