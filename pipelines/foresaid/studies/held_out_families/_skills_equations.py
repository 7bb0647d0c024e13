"""The normal equations of latent skills as loops over numbers, for the compiled fit (_skills_compiled.py).

Arrays lie by columns, models side by side, so that most loops run over all models; `count` of them is a multiple of four. Nothing
here reorders a sum or calls a library, so every processor gives the same bytes.
"""

from __future__ import annotations

from foresaid.arrays import Array
from foresaid.fitting._elementary import exp
from foresaid.fitting._lanes import dot
from foresaid.fitting.robust_loss import fill_rows


def evaluate(
    x: Array, member: Array, y: Array, weights: Array, floor: Array, loss: Array, m: Array, t: Array, z: Array, cells: Array
) -> float:
    """Return the loss, and fill the skills with a constant (d + 1, n).

    By cell are filled: slopes, residuals, robust weights, losses.
    """
    skills, total = m.shape[1], 0.0
    count = member.size
    for k in range(skills):
        for i in range(count):
            z[k, i] = m[x.shape[0] + int(member[i]), k]
        for a in range(x.shape[0]):
            for i in range(count):
                z[k, i] += x[a, i] * m[a, k]
    for i in range(count):
        z[skills, i] = 1.0
    for j in range(floor.size):
        slope, r, v, f = cells[0, j], cells[1, j], cells[2, j], cells[3, j]
        for i in range(count):
            slope[i] = t[skills, j]
        for k in range(skills):
            for i in range(count):
                slope[i] += z[k, i] * t[k, j]
        height = 1.0 - floor[j]
        for i in range(count):
            e = exp(-abs(slope[i]))
            share = (1.0 if slope[i] >= 0 else e) / (1.0 + e)
            r[i] = floor[j] + height * share - y[j, i] if weights[j, i] > 0 else 0.0
            slope[i] = height * share * (1.0 - share)
        fill_rows(loss[0], loss[1], r, weights[j], v, f)
        for i in range(count):
            total += f[i]
    return total


def assemble(
    x: Array, member: Array, t: Array, z: Array, cells: Array, by_model: Array, by_family: Array, shared: Array, own: Array,
    between: Array, g: Array, h: Array,
) -> None:  # fmt: skip
    """Fill the normal matrix in three parts and the gradient in two, from what `evaluate` left.

    `shared` (C, C) is the upper triangle of slopes (p d) and benchmarks ((d + 1) J, by skill), `own` (F d, d) the blocks of the
    families, `between` (F d, C) what joins them; `g` (1, C) and `h` (F, d) are the gradient. `by_model` (d d + d + 1, n) and
    `by_family` (F, (d + 1) J) are room for sums.
    """
    skills, p, targets, count = t.shape[0] - 1, x.shape[0], t.shape[1], member.size
    corner, pull_at, pair_at = p * skills, skills * skills, skills * skills + skills
    curvature, pull, pair = cells[2], cells[3], by_model[pair_at]
    for part in (own, between, h, by_family):
        for a in range(part.shape[0]):
            for b in range(part.shape[1]):
                part[a, b] = 0.0
    for j in range(targets):
        for i in range(count):
            pull[j, i] = curvature[j, i] * cells[0, j, i] * cells[1, j, i]
            curvature[j, i] = curvature[j, i] * cells[0, j, i] * cells[0, j, i]
    for row in range(pair_at):  # of each model: sum over benchmarks of curvature L L', then of pull L
        k, e = (row // skills, row % skills) if row < pull_at else (row - pull_at, -1)
        for i in range(count):
            by_model[row, i] = 0.0
        for j in range(targets):
            if e < 0:
                for i in range(count):
                    by_model[row, i] += pull[j, i] * t[k, j]
            else:
                both = t[k, j] * t[e, j]
                for i in range(count):
                    by_model[row, i] += curvature[j, i] * both
    for u in range(skills + 1):
        at = corner + u * targets
        for v in range(u, skills + 1):
            for i in range(count):
                pair[i] = z[u, i] * z[v, i]
            for j in range(targets):
                shared[at + j, corner + v * targets + j] = dot(by_model, pair_at, curvature, j)
        for a in range(p):
            for i in range(count):
                pair[i] = x[a, i] * z[u, i]
            for j in range(targets):
                both = dot(by_model, pair_at, curvature, j)
                for k in range(skills):
                    shared[a * skills + k, at + j] = t[k, j] * both
        for j in range(targets):
            g[0, at + j] = dot(z, u, pull, j)
    for a in range(p):
        for b in range(a, p):
            for i in range(count):
                pair[i] = x[a, i] * x[b, i]
            for k in range(skills):
                for e in range(skills):
                    shared[a * skills + k, b * skills + e] = dot(by_model, pair_at, by_model, k * skills + e)
        for k in range(skills):
            g[0, a * skills + k] = dot(x, a, by_model, pull_at + k)
    for i in range(count):
        family = int(member[i])
        for k in range(skills):
            h[family, k] += by_model[pull_at + k, i]
            for e in range(skills):
                both = by_model[k * skills + e, i]
                own[family * skills + k, e] += both
                for a in range(p):
                    between[family * skills + k, a * skills + e] += x[a, i] * both
        for u in range(skills + 1):
            for j in range(targets):
                by_family[family, u * targets + j] += z[u, i] * curvature[j, i]
    for at in range(own.shape[0]):
        family, k = at // skills, at % skills
        for u in range(skills + 1):
            for j in range(targets):
                between[at, corner + u * targets + j] = t[k, j] * by_family[family, u * targets + j]
