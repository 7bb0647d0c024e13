"""The search for the best families at every budget: sets that a bound rules out are decided without being visited.

Each budget has a bound (studies/model_selection/_bound.py) and a cost for each family that goes against it. Depth first, dearest
family first, only sets are visited whose costs fit between the bound and the best set known, and every set met is remembered
for the smaller budgets that follow. This is exact: what was not visited cannot be better. Leaps and bounds, Furnival and Wilson
1974, Technometrics 16(4), with a convex bound. Loops over numbers: v_optimal.py runs them compiled or, where Numba is not
installed, as they stand.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foresaid.arrays import Array
from foresaid.studies.model_selection._bound import mix, relax, trace

INPUTS = "2111111B22322"  # kinds of the arguments of `search`: see fitting/_jit.py
ROUNDING = 1e-7  # a set is ruled out when its bound is above the best by this share: far more than rounding makes of either


def record(
    grams: Array,
    base: Array,
    whole: Array,
    inside: Array,
    size: int,
    values: Array,
    sets: NDArray[np.bool_],
    total: Array,
    inverse: Array,
) -> float:
    """Value a set of so many models, remember it if it is the best of its size, and return the best of its size.

    Sums are made in the order of names, so that a value does not depend on the way to the set. Among sets of one value that one
    counts whose names come first.
    """
    mix(1.0, base, 0.0, total)
    for family in range(grams.shape[0]):
        if inside[family] > 0:
            mix(1.0, grams[family], 1.0, total)
    value = trace(whole, total, inverse)
    better = value < values[size]
    if value == values[size] < np.inf:
        for family in range(grams.shape[0]):
            if (inside[family] > 0) != sets[size, family]:
                better = inside[family] > 0
                break
    if better:
        values[size] = value
        for family in range(grams.shape[0]):
            sets[size, family] = inside[family] > 0
    return float(values[size])


def visit(
    grams: Array, sizes: Array, base: Array, base_size: float, whole: Array, most: int, room: float, bound: float, price: float,
    toll: float, best: float, visits: float, values: Array, sets: NDArray[np.bool_], total: Array, inverse: Array, vectors: Array,
    levels: Array,
) -> tuple[float, float]:  # fmt: skip
    """Visit every set whose costs fit between the bound and the best; return the best value and how often a way down was taken.

    Each level decides one family: first as the bound would, then, if that can be afforded, against it. What follows can at
    most fill up the room; what stays empty of it costs its price. A search cut short returns the number of ways with a minus.
    """
    count = grams.shape[0]
    worth, order, inside = vectors[2], vectors[4], vectors[5]
    spent, used, number, ahead = levels[0], levels[1], levels[2], levels[3]
    dear, models, likes, takes, against = levels[4], levels[5], levels[6], levels[7], levels[8]
    spent[0], used[0], number[0], ahead[count] = 0.0, 0.0, 0.0, 0.0
    for level in range(count - 1, -1, -1):
        family = int(order[level])
        dear[level], models[level], likes[level] = abs(worth[family]), sizes[family], 1.0 if worth[family] > 0 else 0.0
        ahead[level] = ahead[level + 1] + sizes[family]
    slack = best * (1.0 + ROUNDING) - bound
    level, turned, ways = 0, 0.0, 0.0
    while level >= 0 and ways < visits:
        ways += 1.0
        while level < count:
            take = abs(likes[level] - turned)
            below = level + 1
            cost = spent[level] + turned * dear[level]
            size, families = used[level] + take * models[level], number[level] + take
            spare = max(room - size - ahead[below], 0.0)  # room that nothing can fill is paid for
            empty = max(most - families - (count - below), 0.0)
            if cost + price * spare + toll * empty > slack or size > room or families > most:
                if turned > 0:
                    break
                turned = 1.0
                continue
            takes[level], against[level] = take, turned
            spent[below], used[below], number[below] = cost, size, families
            level, turned = below, 0.0
        if level == count:
            for decided in range(count):
                inside[int(order[decided])] = takes[decided]
            value = record(grams, base, whole, inside, int(base_size + used[count]), values, sets, total, inverse)
            if value < best:
                best, slack = value, value * (1.0 + ROUNDING) - bound
        level -= 1
        while level >= 0 and (against[level] > 0 or spent[level] + dear[level] > slack):
            level -= 1
        turned = 1.0
    return best, -ways if level >= 0 else ways


def search(
    grams: Array, sizes: Array, base: Array, whole: Array, facts: Array, budgets: Array, values: Array, sets: NDArray[np.bool_],
    answers: Array, packed: Array, matrices: Array, vectors: Array, levels: Array,
) -> None:  # fmt: skip
    """Answer every budget, the largest first; a budget that the answer to a larger one fits needs no search.

    `facts` are the models always in, the most families to add and the ways down a budget may take. `values` and `sets` are filled
    with the best set met by number of models, and each row of `answers` with: that number, infinite where nothing fits; a
    value no set can be below; the ways down that were taken. The last arguments, from `packed`, are all the memory it works in.
    """
    count = grams.shape[0]
    base_size, most, visits = facts[0], int(facts[1]), facts[2]
    worth, order = vectors[2], vectors[4]
    everyone = 0.0
    for family in range(count):
        everyone += sizes[family]
    part = min(1.0, most / max(count, 1))  # at first the same part of every family
    held = part * everyone
    mix(1.0, whole, 0.0, packed[0])
    mix(1.0 - part, base, part, packed[0])
    chosen, lowest = np.inf, np.inf
    for i in range(budgets.size):
        ways = 0.0
        if budgets[i] < base_size:
            chosen, lowest = np.inf, np.inf
        elif budgets[i] < chosen:
            room = min(budgets[i] - base_size, everyone)
            part = min(1.0, room / max(held, 1.0))
            mix(1.0 - part, base, part, packed[0])
            bound, price, toll, held = relax(grams, sizes, base, whole, most, room, part * held, packed, matrices, vectors)
            for family in range(count):  # dearest first
                at = family
                while at > 0 and abs(worth[int(order[at - 1])]) < abs(worth[family]):
                    order[at] = order[at - 1]
                    at -= 1
                order[at] = family
            best = np.inf
            for size in range(int(base_size + room) + 1):
                best = min(best, values[size])
            best, ways = visit(
                grams, sizes, base, base_size, whole, most, room, bound, price, toll, best, visits, values, sets, packed[1],
                matrices[0], vectors, levels,
            )  # fmt: skip
            if ways < 0:  # cut short; no choice is below the number of components, which all candidates together reach
                lowest, ways = min(max(bound, matrices.shape[1]), best), -ways
            else:
                lowest = best
            chosen = np.inf
            for size in range(int(base_size + room), -1, -1):
                if values[size] == best < np.inf:
                    chosen = size
        answers[i, 0], answers[i, 1], answers[i, 2] = chosen, lowest, ways
