"""The scalar loops of the family search: depth-first walks that carry the sums of what is chosen.

With Numba they are compiled once and kept on disk; without it the same lines run as plain Python. Importing this module imports
Numba, so only studies/model_selection/v_optimal.py does it, and only inside a call. Gram matrices are packed: the lower triangle,
row by row.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from foresaid.arrays import Array

COMPILED = importlib.util.find_spec("numba") is not None
Function = TypeVar("Function", bound=Callable[..., object])


def _compile(function: Function) -> Function:
    if not COMPILED:
        return function
    import numba

    return cast(Function, numba.njit(cache=True, nogil=True)(function))


Integers = NDArray[np.int64]
SINGULAR = 1e-12  # a set whose information has a determinant this small beside its diagonal does not determine the plane
CLOSED_FORM = 3


def pack(grams: Array) -> Array:
    """Return the lower triangles (..., K(K+1)/2) of symmetric matrices (..., K, K), row by row.

    >>> pack(np.array([[1.0, 2.0], [2.0, 3.0]])).tolist()
    [1.0, 2.0, 3.0]
    """
    rows, columns = np.tril_indices(grams.shape[-1])
    return np.ascontiguousarray(grams[..., rows, columns])


@_compile
def _closed_form(whole: Array, sums: Array, row: int) -> tuple[float, float]:
    """Numerator and determinant of the trace for K = 3: two numbers, since comparing needs no division."""
    a, b, c, d, e, f = sums[row, 0], sums[row, 1], sums[row, 2], sums[row, 3], sums[row, 4], sums[row, 5]
    p, q, r = c * f - e * e, d * e - b * f, b * e - c * d
    determinant = a * p + b * q + d * r
    if not determinant > SINGULAR * a * c * f:
        return np.inf, 1.0
    diagonal = whole[0] * p + whole[2] * (a * f - d * d) + whole[5] * (a * c - b * b)
    return diagonal + 2.0 * (whole[1] * q + whole[3] * r + whole[4] * (b * d - a * e)), determinant


@_compile
def trace(whole: Array, chosen: Array, width: int) -> float:
    """Return tr(whole chosen^-1) of packed matrices: cofactors for K = 3, Cholesky for other K; infinite when singular."""
    if width == CLOSED_FORM:
        numerator, determinant = _closed_form(whole, chosen.reshape(1, -1), 0)
        return float(numerator / determinant)
    factor = np.zeros((width, width))
    share = 1.0
    for i in range(width):
        row = i * (i + 1) // 2
        for j in range(i + 1):
            rest = chosen[row + j]
            for k in range(j):
                rest -= factor[i, k] * factor[j, k]
            if i == j:
                share *= rest / chosen[row + i] if chosen[row + i] > 0 else 0.0
                if not (rest > 0 and share > SINGULAR):
                    return np.inf
                factor[i, i] = np.sqrt(rest)
            else:
                factor[i, j] = rest / factor[j, j]
    total = 0.0
    column = np.zeros(width)
    for j in range(width):  # column j of the inverse, then its product with the row of `whole`
        for i in range(width):
            rest = 1.0 if i == j else 0.0
            for k in range(i):
                rest -= factor[i, k] * column[k]
            column[i] = rest / factor[i, i]
        for i in range(width - 1, -1, -1):
            rest = column[i]
            for k in range(i + 1, width):
                rest -= factor[k, i] * column[k]
            column[i] = rest / factor[i, i]
        for i in range(width):
            total += column[i] * (whole[i * (i + 1) // 2 + j] if i >= j else whole[j * (j + 1) // 2 + i])
    return total


@_compile
def walk(
    grams: Array, sizes: Integers, base: Array, base_size: int, whole: Array, width: int, at_most: int, top: int
) -> tuple[Array, Integers]:
    """Visit every set of at most `at_most` families and `top` models; return the best value and mask by number of models."""
    count, entries = grams.shape
    values, masks = np.full(top + 1, np.inf), np.zeros(top + 1, dtype=np.int64)
    sums, models, mask = np.zeros((at_most + 1, entries)), np.zeros(at_most + 1, np.int64), np.zeros(at_most + 1, np.int64)
    following = np.zeros(at_most + 2, np.int64)
    sums[0], models[0] = base, base_size
    if base_size <= top:
        values[base_size] = trace(whole, base, width)
    depth = 0
    while depth >= 0:
        family = following[depth]
        if family >= count or depth >= at_most:
            depth -= 1
            continue
        following[depth] = family + 1
        total = models[depth] + sizes[family]
        if total > top:
            continue
        below = depth + 1
        for entry in range(entries):
            sums[below, entry] = sums[depth, entry] + grams[family, entry]
        models[below], mask[below] = total, mask[depth] | (np.int64(1) << family)
        if width == CLOSED_FORM:
            numerator, determinant = _closed_form(whole, sums, below)
            if numerator < values[total] * determinant:
                values[total], masks[total] = numerator / determinant, mask[below]
        else:
            value = trace(whole, sums[below], width)
            if value < values[total]:
                values[total], masks[total] = value, mask[below]
        following[below] = family + 1
        depth = below
    return values, masks


@_compile
def climb(
    grams: Array, sizes: Integers, base: Array, base_size: int, whole: Array, width: int, at_most: int, budget: int
) -> tuple[float, np.int64]:
    """Add or exchange one family at a time while that lowers the objective: a good set to begin a bounded search with."""
    count = grams.shape[0]
    inside = np.zeros(count, np.bool_)
    current, models, number = base.copy(), base_size, 0
    # A small ridge lets the first families be compared before they determine the plane.
    ridge = np.zeros(base.shape[0])
    for i in range(width):
        ridge[i * (i + 1) // 2 + i] = 1e-9 * whole[i * (i + 1) // 2 + i]
    best = trace(whole, current + ridge, width)
    while True:
        winner, out = -1, -1
        for family in range(count):
            if inside[family]:
                continue
            for other in range(-1, count):
                swap = other >= 0
                if swap and not inside[other]:
                    continue
                size = models + sizes[family] - (sizes[other] if swap else 0)
                if size > budget or (not swap and number >= at_most):
                    continue
                trial = current + grams[family] + ridge
                if swap:
                    trial = trial - grams[other]
                value = trace(whole, trial, width)
                if value < best * (1.0 - 1e-12):
                    best, winner, out = value, family, other
        if winner < 0:
            break
        current, models, number = current + grams[winner], models + sizes[winner], number + 1
        inside[winner] = True
        if out >= 0:
            current, models, number = current - grams[out], models - sizes[out], number - 1
            inside[out] = False
    mask = np.int64(0)
    exact = base.copy()
    for family in range(count):
        if inside[family]:
            mask |= np.int64(1) << family
            exact = exact + grams[family]
    return trace(whole, exact, width), mask


@_compile
def bounded(
    grams: Array,
    sizes: Integers,
    base: Array,
    base_size: int,
    whole: Array,
    width: int,
    at_most: int,
    budget: int,
    first: float,
    first_mask: np.int64,
    visits: int,
) -> tuple[float, np.int64, float]:
    """Branch and bound for one budget: the best value, its mask, and a value no set can be below.

    Adding a family only lowers the objective, so a branch can never get below the value of everything in it that still fits.
    """
    count, entries = grams.shape
    best, best_mask = first, np.int64(first_mask)
    sums, models, mask = np.zeros((at_most + 1, entries)), np.zeros(at_most + 1, np.int64), np.zeros(at_most + 1, np.int64)
    following, bounds = np.zeros(at_most + 1, np.int64), np.zeros(at_most + 1)
    ahead = np.zeros(entries)
    sums[0], models[0] = base, base_size
    depth, seen = 0, 0
    bounds[0] = trace(whole, whole, width)
    while depth >= 0:
        if seen >= visits:
            lowest = best
            for level in range(depth + 1):
                lowest = min(lowest, bounds[level])
            return best, best_mask, lowest
        # The bound of what is left of this branch: it rises as families are passed over.
        ahead[:] = sums[depth]
        for family in range(following[depth], count):
            if models[depth] + sizes[family] <= budget:
                ahead += grams[family]
        bounds[depth] = trace(whole, ahead, width)
        if depth >= at_most or following[depth] >= count or bounds[depth] >= best:
            depth -= 1
            continue
        family = following[depth]
        following[depth] = family + 1
        total = models[depth] + sizes[family]
        if total > budget:
            continue
        seen += 1
        below = depth + 1
        sums[below] = sums[depth] + grams[family]
        models[below], mask[below] = total, mask[depth] | (np.int64(1) << family)
        value = trace(whole, sums[below], width)
        if value < best:
            best, best_mask = value, mask[below]
        following[below] = family + 1
        depth = below
    return best, best_mask, best
