"""The compiled fit of latent skills: the damped Gauss-Newton steps of latent_skills.py, as loops over numbers.

A family's level meets only its own models, so the normal matrix is a row of small blocks, one a family, beside the slopes and
benchmarks that all share. Eliminating the blocks first leaves a small matrix: the step is the same, without a factorisation of
the whole. NumPy's fit is the reference: a change there is a change here.
"""

from __future__ import annotations

import numpy as np

from foresaid.arrays import Array
from foresaid.fitting._jit import compiled
from foresaid.fitting.problem import DAMPING_LIMIT
from foresaid.fitting.robust_loss import RobustLoss
from foresaid.studies.held_out_families._skills_equations import assemble, evaluate

INPUTS = "212211122122322222222222"  # kinds of the arguments of `descend`: see fitting/_jit.py
DAMPING_LEAST = 1e-10  # the change of basis leaves the normal matrix singular, so some damping always stays


def reduce(tall: Array, upto: int, r: int, row: Array) -> None:
    """Take from a row, from its place r on, the products of the rows before it with their entries at r; four rows at a time."""
    first = 0
    while first + 4 <= upto:
        a, b, c, d = tall[first, r], tall[first + 1, r], tall[first + 2, r], tall[first + 3, r]
        for j in range(r, row.size):
            row[j] -= (a * tall[first, j] + b * tall[first + 1, j]) + (c * tall[first + 2, j] + d * tall[first + 3, j])
        first += 4
    for one in range(first, upto):
        a = tall[one, r]
        for j in range(r, row.size):
            row[j] -= a * tall[one, j]


def solve(
    shared: Array, own: Array, between: Array, g: Array, h: Array, damp: Array, tall: Array, lower: Array, step: Array
) -> bool:
    """Solve (H + damping) step = -gradient by Cholesky, families first; False when it is not positive.

    `damp` and `step` have the shared parameters first, then the families'. `tall` (F d + C, C + 1) takes the factor's rows and
    the right side, `lower` (F d, d) the families' factors.
    """
    skills, count, size = own.shape[1], own.shape[0], shared.shape[0]
    for first in range(0, count, skills):
        for k in range(skills):
            at = first + k
            for c in range(size):
                tall[at, c] = between[at, c]
            tall[at, size] = -h[first // skills, k]
            for b in range(k + 1):
                rest = own[at, b] + (damp[size + at] if b == k else 0.0)
                for e in range(b):
                    rest -= lower[at, e] * lower[first + b, e]
                if b < k:
                    lower[at, b] = rest / lower[first + b, b]
                    for c in range(size + 1):
                        tall[at, c] -= lower[at, b] * tall[first + b, c]
                elif rest > 0:
                    lower[at, k] = np.sqrt(rest)
                else:
                    return False
            for c in range(size + 1):
                tall[at, c] /= lower[at, k]
    for r in range(size):
        row = tall[count + r]
        for c in range(r, size):
            row[c] = shared[r, c]
        row[r] += damp[r]
        row[size] = -g[0, r]
        reduce(tall, count + r, r, row)
        if not row[r] > 0:
            return False
        root = np.sqrt(row[r])
        for c in range(r, size + 1):
            row[c] /= root
    for r in range(size - 1, -1, -1):
        rest = tall[count + r, size]
        for c in range(r + 1, size):
            rest -= tall[count + r, c] * step[c]
        step[r] = rest / tall[count + r, r]
    for at in range(count - 1, -1, -1):
        first = at // skills * skills
        rest = tall[at, size]
        for c in range(size):
            rest -= tall[at, c] * step[c]
        for later in range(at + 1, first + skills):
            rest -= lower[later, at - first] * step[size + later]
        step[size + at] = rest / lower[at, at - first]
    return True


def descend(
    x: Array, member: Array, y: Array, weights: Array, floor: Array, loss: Array, stop: Array, m: Array, t: Array, result: Array,
    ahead_m: Array, ahead_t: Array, cells: Array, z: Array, by_model: Array, by_family: Array, vectors: Array, shared: Array,
    own: Array, between: Array, g: Array, h: Array, tall: Array, lower: Array,
) -> None:  # fmt: skip
    """Do what latent_skills.descend does: improve `m` and `t` in place, and fill `result` with loss, iterations and convergence.

    `loss` is code and scale of the robust loss; `stop` the most iterations, and the gradient and the reduction to end at. The last
    arguments, from `ahead_m`, are all the memory it works in.
    """
    skills, p, size = m.shape[1], x.shape[0], shared.shape[0]
    scale, least, damp, step = vectors[0], vectors[1], vectors[2], vectors[3]
    corner, all_of_them = p * skills, size + own.shape[0]
    for a in range(all_of_them):
        scale[a] = 0.0
    now = evaluate(x, member, y, weights, floor, loss, m, t, z, cells)
    damping, growth, moved, done = 1e-3, 2.0, True, False
    iteration = 0
    while not done and iteration < stop[0]:
        iteration += 1
        if moved:
            assemble(x, member, t, z, cells, by_model, by_family, shared, own, between, g, h)
            top = 0.0
            for a in range(all_of_them):
                scale[a] = max(scale[a], shared[a, a] if a < size else own[a - size, (a - size) % skills])
                top = max(top, scale[a])
            for a in range(all_of_them):
                least[a] = max(scale[a], 1e-12 * top + 1e-300)
        steepest = 0.0
        for a in range(all_of_them):
            slope = g[0, a] if a < size else h[(a - size) // skills, (a - size) % skills]
            steepest = max(steepest, abs(slope) / np.sqrt(2.0 * now * least[a] + 1e-300))
            damp[a] = damping * least[a]
        if steepest < stop[1]:
            done = True
            break
        there, predicted = np.inf, 0.0
        solved = solve(shared, own, between, g, h, damp, tall, lower, step)
        if solved:
            for a in range(all_of_them):
                slope = g[0, a] if a < size else h[(a - size) // skills, (a - size) % skills]
                predicted += 0.5 * step[a] * (damp[a] * step[a] - slope)
            for a in range(m.shape[0]):
                for k in range(skills):
                    ahead_m[a, k] = m[a, k] + step[a * skills + k if a < p else size + (a - p) * skills + k]
            for u in range(skills + 1):
                for j in range(t.shape[1]):
                    ahead_t[u, j] = t[u, j] + step[corner + u * t.shape[1] + j]
            there = evaluate(x, member, y, weights, floor, loss, ahead_m, ahead_t, z, cells)
        actual = now - there
        done = solved and abs(actual) <= stop[2] * now and predicted <= stop[2] * now
        moved = solved and actual > 0
        if moved:
            for a in range(m.shape[0]):
                for k in range(skills):
                    m[a, k] = ahead_m[a, k]
            for u in range(skills + 1):
                for j in range(t.shape[1]):
                    t[u, j] = ahead_t[u, j]
            now, growth = there, 2.0
            ratio = min(max(actual / predicted, 0.0), 1.0) if predicted > 0 else 0.0
            damping = max(damping * max(1.0 / 3.0, 1.0 - (2.0 * ratio - 1.0) ** 3), DAMPING_LEAST)
        else:
            damping, growth = damping * growth, growth * 2.0
        done = done or damping > DAMPING_LIMIT
    result[0], result[1], result[2] = now, iteration, 1.0 if done else 0.0


def fit(
    x: Array, member: Array, y: Array, weights: Array, floor: Array, loss: RobustLoss, stop: tuple[float, ...], m: Array, t: Array
) -> tuple[Array, Array, float, int, bool]:
    """Call `descend` with copies of a start and room to work in. Models of no weight fill up the last four."""
    (d, J), (n, p), F = (m.shape[1], t.shape[1]), x.shape, len(m) - x.shape[1]
    size, count, filled = p * d + (d + 1) * J, F * d, -(-n // 4) * 4

    def by_column(values: Array) -> Array:
        return np.ascontiguousarray(np.pad(values, ((0, filled - n), (0, 0))).T)

    m, t, result = np.array(m, order="C"), np.array(t, order="C"), np.zeros(3)
    compiled(descend, INPUTS)(
        by_column(x), by_column(member[:, None])[0], by_column(y), by_column(weights), floor, np.array([loss.code, loss.scale]),
        np.array(stop), m, t, result, np.empty_like(m), np.empty_like(t), np.empty((4, J, filled)), np.empty((d + 1, filled)),
        np.empty((d * d + d + 1, filled)), np.empty((F, (d + 1) * J)), np.empty((4, size + count)), np.zeros((size, size)),
        np.empty((count, d)), np.empty((count, size)), np.empty((1, size)), np.empty((F, d)), np.empty((count + size, size + 1)),
        np.empty((count, d)),
    )  # fmt: skip
    return m, t, float(result[0]), int(result[1]), bool(result[2])
