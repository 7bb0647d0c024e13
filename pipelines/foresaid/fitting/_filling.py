"""Missing cells filled by compiled code, one copy after another: what fitting/imputation.py does for rank one.

Rows of weight zero are left out until the end. A table lies by columns, so that what is done to every row of a column runs in
vector registers, and every sum over rows is the compiled engine's `dot`, in the same order on every processor. The leading
direction of the two rounds of expectation and maximisation is found by powers of the covariance and not by its decomposition: it
only has to lie in the valley that the alternation then goes down.
"""

from __future__ import annotations

import numpy as np

from foresaid.arrays import Array, aligned
from foresaid.fitting._jit import compiled
from foresaid.fitting._lanes import dot

INPUTS = "222fff3122"  # kinds of the arguments of `fill`: see _jit.compiled
EM_ROUNDS, ROUNDS = 2, 500
POWERS = 12
ROUNDING = 1e-9  # of the largest value: a column that spreads less holds one value, drawn several times, and its rounding
SINGULAR = 1e-10  # share of a diagonal that is left when the other columns explain the rest


def leading(S: Array, v: Array, t: Array) -> None:
    """Fill `v` with the leading direction of a covariance, by POWERS products from its largest column."""
    m = v.size
    top = 0
    for j in range(m):
        if S[j, j] > S[top, top]:
            top = j
    for j in range(m):
        v[j] = S[top, j]
    for _ in range(POWERS):
        for j in range(m):
            t[j] = 0.0
        for k in range(m):
            for j in range(m):
                t[j] += S[k, j] * v[k]
        size = 0.0
        for j in range(m):
            size += t[j] * t[j]
        if not size > 0.0:
            return
        size = 1.0 / np.sqrt(size)
        for j in range(m):
            v[j] = t[j] * size


def scores(X: Array, N: Array, c: Array, v: Array, per: Array, prior: float, B: Array, u: Array, power: Array) -> None:
    """Solve every row's score on loading `v` over its observed cells; rows 1 and 2 of `B` are weight times score and its square."""
    m, size = X.shape
    for i in range(size):
        u[i], power[i] = 0.0, prior
    for j in range(m):
        pull = v[j] * per[j]
        for i in range(size):
            u[i] += pull * (X[j, i] - c[j] * N[j, i])
            power[i] += pull * v[j] * N[j, i]
    for i in range(size):
        u[i] = u[i] / power[i] if power[i] > 0.0 else 0.0
        B[1, i] = B[0, i] * u[i]
        B[2, i] = B[1, i] * u[i]


def columns(X: Array, N: Array, B: Array, first: Array, second: Array, prior: float, c: Array, v: Array) -> None:
    """Solve mean and loading of every column given the scores; what the data leave open is nought."""
    for j in range(c.size):
        cross, square = dot(B, 1, N, j), dot(B, 2, N, j) + prior
        share = cross / first[j] if first[j] > 0.0 else 0.0
        pivot = square - share * cross
        v[j] = (dot(B, 1, X, j) - share * second[j]) / pivot if pivot > SINGULAR * square else 0.0
        c[j] = (second[j] - cross * v[j]) / first[j] if first[j] > 0.0 else 0.0


def fill(
    known: Array, seen: Array, weights: Array, least: float, tolerance: float, prior: float, out: Array,
    room: Array, numbers: Array, S: Array,
) -> None:  # fmt: skip
    """Fill the missing cells of `out` (R, n, m) for each of the weights (R, n); `known` and `seen` are (m, n), by columns."""
    m, n = known.shape
    first, second, centre, spread, per, mean, v, c, t = (
        numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5], numbers[6], numbers[7], numbers[8]
    )  # fmt: skip
    for copy in range(weights.shape[0]):
        count = 0
        for i in range(n):
            count += weights[copy, i] != 0
        size = (count + 7) // 8 * 8
        X, N = room[: m * size].reshape(m, size), room[m * size : 2 * m * size].reshape(m, size)
        Z, A = room[2 * m * size : 3 * m * size].reshape(m, size), room[3 * m * size : 4 * m * size].reshape(m, size)
        D, B = room[4 * m * size : 5 * m * size].reshape(m, size), room[5 * m * size : (5 * m + 3) * size].reshape(3, size)
        u, power = room[(5 * m + 3) * size : (5 * m + 4) * size], room[(5 * m + 4) * size : (5 * m + 5) * size]
        at, total = 0, 0.0
        for i in range(n):
            if weights[copy, i] != 0:
                B[0, at] = weights[copy, i]
                total += weights[copy, i]
                for j in range(m):
                    X[j, at], N[j, at] = known[j, i], seen[j, i]
                at += 1
        for i in range(count, size):  # rows that weigh nothing and have nothing missing
            B[0, i] = 0.0
            for j in range(m):
                X[j, i], N[j, i] = 0.0, 1.0
        for j in range(m):
            first[j], second[j] = dot(B, 0, N, j), dot(B, 0, X, j)
            number = first[j] if first[j] > 0 else 1.0
            centre[j] = second[j] / number
            for i in range(size):
                Z[j, i] = X[j, i] - centre[j] * N[j, i]
                A[j, i] = B[0, i] * Z[j, i]
            spread[j] = np.sqrt(dot(A, j, Z, j) / number)
            spread[j] = spread[j] if spread[j] > least else 1.0
            per[j] = 1.0 / (spread[j] * spread[j])
            for i in range(size):
                Z[j, i] /= spread[j]
        for _ in range(EM_ROUNDS):
            for i in range(size):
                u[i] = 0.0
            for j in range(m):
                mean[j] = dot(B, 0, Z, j) / total
                for i in range(size):
                    D[j, i] = Z[j, i] - mean[j]
                    A[j, i] = B[0, i] * D[j, i]
            for j in range(m):
                for k in range(j + 1):
                    S[j, k] = S[k, j] = dot(A, j, D, k)
            leading(S, v, t)
            for j in range(m):
                for i in range(size):
                    u[i] += D[j, i] * v[j]
            for j in range(m):
                for i in range(size):
                    Z[j, i] = Z[j, i] if N[j, i] > 0.0 else mean[j] + u[i] * v[j]
        for j in range(m):
            c[j], v[j] = centre[j] + spread[j] * mean[j], spread[j] * v[j]
        for at in range(ROUNDS):
            scores(X, N, c, v, per, prior, B, u, power)
            columns(X, N, B, first, second, prior, c, v)
            for i in range(size):
                power[i] = 0.0
            for j in range(m):
                for i in range(size):
                    now = (c[j] + u[i] * v[j] - centre[j]) / spread[j]
                    change = (1.0 - N[j, i]) * abs(now - Z[j, i])
                    Z[j, i] = now
                    power[i] = change if change > power[i] else power[i]
            moved = 0.0
            for i in range(size):
                moved = max(moved, power[i])
            if at > 0 and moved < tolerance:
                break
        for i in range(n):
            score, square, whole = 0.0, prior, 1.0
            for j in range(m):
                whole = min(whole, seen[j, i])
                score += v[j] * per[j] * (known[j, i] - c[j] * seen[j, i])
                square += v[j] * per[j] * v[j] * seen[j, i]
            if whole < 1.0:
                score = score / square if square > 0.0 else 0.0
                for j in range(m):
                    if seen[j, i] == 0.0:
                        out[copy, i, j] = c[j] + score * v[j]


def filled(values: Array, weights: Array, tolerance: float, prior: float) -> Array:
    """Return the filled tables (R, n, m) of imputation.impute before they are clipped."""
    n, m = values.shape
    seen, known = (~np.isnan(values)).astype(float), np.nan_to_num(values)
    out = np.repeat(values[None], len(weights), axis=0)
    compiled(fill, INPUTS)(
        np.ascontiguousarray(known.T), np.ascontiguousarray(seen.T), np.ascontiguousarray(weights, dtype=float),
        ROUNDING * float(np.abs(known).max(initial=0.0)), tolerance, prior, out,
        aligned((5 * m + 5) * ((n + 7) // 8 * 8)), np.empty((9, m)), np.empty((m, m)),
    )  # fmt: skip
    return out
