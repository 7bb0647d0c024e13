"""How low the objective of any choice of families can be: a tangent of its relaxation, and what it costs to go against it.

If parts of families could be taken, the best choice would be a convex problem. A tangent to it at any point lies below the
objective of every choice, and is linear: each family has a gain, models and families have prices, and a family taken although
its gain is below its price, or left although it is above, raises the bound by the difference. Any point and any prices give a
true bound; good ones give a high one. These are loops over numbers for studies/model_selection/_search.py: compiled or not, the
same lines. Symmetric matrices are packed: the lower triangle, row by row.
"""

from __future__ import annotations

import numpy as np

from foresaid.arrays import Array

SINGULAR = 1e-12  # a set whose information has a determinant this small beside its diagonal does not determine the plane
CLOSED_FORM = 3
STEPS = 3  # towards the relaxed optimum for each budget, from where the budget before ended; more close little of the gap
PRICES = 40  # trials of a price; five are usual
HALVINGS = 8


def pack(grams: Array) -> Array:
    """Return the lower triangles (..., K(K+1)/2) of symmetric matrices (..., K, K), row by row.

    >>> pack(np.array([[1.0, 2.0], [2.0, 3.0]])).tolist()
    [1.0, 2.0, 3.0]
    """
    rows, columns = np.tril_indices(grams.shape[-1])
    return np.ascontiguousarray(grams[..., rows, columns])


def mix(part: float, source: Array, kept: float, target: Array) -> None:
    """Set a vector, in its place, to part x source + kept x target."""
    for i in range(source.size):
        target[i] = part * source[i] + kept * target[i]


def invert(packed: Array, inverse: Array) -> float:
    """Fill the inverse (K, K) by sweeping; return its determinant beside the diagonal's product, 0 where a pivot is not above 0."""
    width = inverse.shape[0]
    share = 1.0
    for i in range(width):
        for j in range(i + 1):
            inverse[i, j] = inverse[j, i] = packed[i * (i + 1) // 2 + j]
    for k in range(width):
        pivot = inverse[k, k]
        if not pivot > 0:
            return 0.0
        share *= pivot / packed[k * (k + 1) // 2 + k]
        inverse[k, k] = 1.0
        for j in range(width):
            inverse[k, j] /= pivot
        for i in range(width):
            if i != k:
                factor = inverse[i, k]
                inverse[i, k] = 0.0
                for j in range(width):
                    inverse[i, j] -= factor * inverse[k, j]
    return share


def trace(whole: Array, chosen: Array, inverse: Array) -> float:
    """Return tr(whole chosen^-1) of packed matrices: cofactors for K = 3, a sweep for other K; infinite when singular."""
    width = inverse.shape[0]
    if width == CLOSED_FORM:
        a, b, c, d, e, f = chosen[0], chosen[1], chosen[2], chosen[3], chosen[4], chosen[5]
        p, q, r = c * f - e * e, d * e - b * f, b * e - c * d
        determinant = a * p + b * q + d * r
        if not determinant > SINGULAR * a * c * f:
            return np.inf
        diagonal = whole[0] * p + whole[2] * (a * f - d * d) + whole[5] * (a * c - b * b)
        return float((diagonal + 2.0 * (whole[1] * q + whole[3] * r + whole[4] * (b * d - a * e))) / determinant)
    if not invert(chosen, inverse) > SINGULAR:
        return np.inf
    total = 0.0
    for i in range(width):
        for j in range(i + 1):
            total += (1.0 if i == j else 2.0) * inverse[i, j] * whole[i * (i + 1) // 2 + j]
    return total


def tangent(whole: Array, chosen: Array, matrices: Array, slope: Array) -> float:
    """Fill minus the gradient S^-1 G S^-1 of tr(G S^-1), packed, entries off the diagonal doubled; return the value."""
    inverse, product = matrices[0], matrices[1]
    width = inverse.shape[0]
    if not invert(chosen, inverse) > 0:
        return np.inf
    value = 0.0
    for i in range(width):
        for j in range(width):
            product[i, j] = 0.0
            for k in range(width):
                high, low = max(k, j), min(k, j)
                product[i, j] += inverse[i, k] * whole[high * (high + 1) // 2 + low]
        value += product[i, i]
    for i in range(width):
        for j in range(i + 1):
            entry = 0.0
            for k in range(width):
                entry += product[i, k] * inverse[k, j]
            slope[i * (i + 1) // 2 + j] = entry if i == j else 2.0 * entry
    return value


def value_at(
    price: float, gain: Array, sizes: Array, most: int, room: float, worth: Array, largest: Array
) -> tuple[float, float, float]:
    """Return the most that gains can add up to, at a price a model: as a bound, with the models taken and the price a family.

    `worth` is filled with gain - price x models - price a family. What is above zero is taken, `most` families at most.
    """
    for i in range(most + 1):
        largest[i] = 0.0
    for family in range(gain.size):
        own = gain[family] - price * sizes[family]
        worth[family] = own
        if own > largest[most]:
            i = most
            while i > 0 and largest[i - 1] < own:
                largest[i] = largest[i - 1]
                i -= 1
            largest[i] = own
    toll = largest[most]  # the best family that no longer finds a place
    bound, taken = price * room + toll * most, 0.0
    for family in range(gain.size):
        worth[family] -= toll
        if worth[family] > 0:
            bound += worth[family]
            taken += sizes[family]
    return bound, taken, toll


def cheapest(
    gain: Array, sizes: Array, most: int, room: float, worth: Array, largest: Array
) -> tuple[float, float, float, float, float, float]:
    """Find the price a model at which gains can add up to least: where two lines under a convex curve meet, until they touch it.

    Returns bound, price and price a family, then the prices on both sides and the share of the dearer side's choice in the mixture
    of both that fills the room.
    """
    bound, over, toll = value_at(0.0, gain, sizes, most, room, worth, largest)
    if over <= room:
        return bound, 0.0, toll, 0.0, 0.0, 1.0
    low, at_low, high, under = 0.0, bound, 0.0, 0.0
    for family in range(gain.size):
        high = max(high, gain[family] / sizes[family])
    at_high, price = high * room, high
    for _ in range(PRICES):
        price = (at_high - at_low + (room - over) * low - (room - under) * high) / (under - over)
        line = at_low + (room - over) * (price - low)
        bound, taken, toll = value_at(price, gain, sizes, most, room, worth, largest)
        if bound <= line * (1.0 + 1e-12) or taken in (over, under):
            break
        if taken > room:
            low, at_low, over = price, bound, taken
        else:
            high, at_high, under = price, bound, taken
    return bound, price, toll, low, high, (over - room) / (over - under)


def relax(
    grams: Array, sizes: Array, base: Array, whole: Array, most: int, room: float, held: float, packed: Array, matrices: Array,
    vectors: Array,
) -> tuple[float, float, float, float]:  # fmt: skip
    """Go a few steps towards the relaxed optimum; return the best bound met, its prices, and the models now held.

    Row 0 of `packed` is the information of the relaxed choice, which holds `held` models besides the forced ones. Each step goes
    towards the tangent's own choice, halved while that is better (Frank and Wolfe 1956, Naval Research Logistics Quarterly 3).
    Row 2 of `vectors` is filled with what each family is worth at the best bound.
    """
    count, entries = grams.shape
    now, towards, trial, slope = packed[0], packed[1], packed[2], packed[3]
    gain, worth, kept, largest = vectors[0][:count], vectors[1][:count], vectors[2][:count], vectors[3]
    best, best_price, best_toll = -np.inf, 0.0, 0.0
    mix(0.0, kept, 0.0, kept)
    for step in range(STEPS):
        value = tangent(whole, now, matrices, slope)
        if not value < np.inf:
            break
        fixed = 2.0 * value
        for entry in range(entries):
            fixed -= slope[entry] * base[entry]
        for family in range(count):
            gain[family] = 0.0
            for entry in range(entries):
                gain[family] += slope[entry] * grams[family, entry]
        above, price, toll, low, high, share = cheapest(gain, sizes, most, room, worth, largest)
        if fixed - above > best:
            best, best_price, best_toll = fixed - above, price, toll
            mix(1.0, worth, 0.0, kept)
        if step == STEPS - 1:
            break
        mix(1.0, base, 0.0, towards)
        models = 0.0
        for side in range(2):
            part = share if side else 1.0 - share
            value_at(high if side else low, gain, sizes, most, room, worth, largest)
            for family in range(count):
                if worth[family] > 0:
                    models += part * sizes[family]
                    mix(part, grams[family], 1.0, towards)
        length, reached = 2.0, np.inf
        for _ in range(HALVINGS):
            mix(1.0, towards, 0.0, trial)
            mix(1.0 - 0.5 * length, now, 0.5 * length, trial)
            there = trace(whole, trial, matrices[0])
            if there > reached:
                break
            length, reached = 0.5 * length, there
        mix(length, towards, 1.0 - length, now)
        held += length * (models - held)
    return best, best_price, best_toll, held
