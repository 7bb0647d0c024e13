"""Which model families to evaluate when not all can be: the choice that keeps the forecasts steadiest.

Families are taken whole, because a paper that releases one model of a family releases the others. The search is exact:
every admissible set is visited once, depth first, with the sums carried along, and one visit serves every budget. Beyond
`EXACT` sets a branch and bound takes over and says how far from the optimum it may still be. The compiled search and the
plain one visit the same sets; what is reported is computed by one function for both.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foresaid.arrays import Array
from foresaid.errors import ParameterError
from foresaid.fitting import _jit

EXACT = 10**9  # sets: about ten seconds compiled; beyond it branch and bound
VISITS = 50_000_000  # nodes a branch and bound may visit for one budget before it stops and reports its gap
SINGULAR = 1e-12  # as in studies/model_selection/_search.py, which is not imported here because it imports Numba
CHUNK = 1 << 16
MOST_NAMES = 62  # a set is a mask of 64 bits

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Choice:
    """The best set of whole families within a budget of models.

    `objective` is the summed prediction variance tr(G S^-1) in units of the noise variance (lower is better; K when everything
    is chosen); `gap` is the largest share by which the optimum could lie below it, 0 when the search was exhaustive.
    """

    budget: int
    families: tuple[str, ...]
    models: int
    objective: float
    gap: float


@dataclass(frozen=True)
class _Pool:
    """Gram matrices (F, K, K) and sizes of the free families, the sum of the forced ones, and the sum of all."""

    names: tuple[str, ...]
    grams: Array
    sizes: Integers
    base: Array
    base_size: int
    whole: Array
    at_most: int  # free families that may be added


def objective(whole: Array, chosen: Array) -> Array:
    """Return tr(whole chosen^-1) for Gram matrices (..., K, K): infinite where the chosen rows do not determine the plane.

    >>> float(objective(np.diag([2.0, 4.0]), np.diag([1.0, 4.0])).round(9))
    3.0
    """
    diagonal = np.einsum("...ii->...i", chosen)
    usable = np.linalg.det(chosen) > SINGULAR * diagonal.prod(axis=-1)
    safe = np.where(usable[..., None, None], chosen, np.eye(chosen.shape[-1]))
    factor = np.linalg.cholesky(safe)
    half = np.linalg.solve(factor, np.linalg.cholesky(whole + 0.0))
    return np.where(usable, (half**2).sum(axis=(-2, -1)), np.inf)


def select(
    scores: Array,
    families: Sequence[str],
    budgets: Sequence[int],
    forced: Sequence[str] = (),
    most_families: int = 10,
    compiled: bool | None = None,
    exact: int = EXACT,
) -> list[Choice]:
    """Choose whole families so that a linear forecast for all rows of `scores` (n, K) varies least.

        minimise tr(S'S (S_M'S_M)^-1) over sets M of whole families, |M| <= budget

    `scores` are the principal components of the candidate models, centred on all of them; `forced` families are always in;
    at most `most_families` are chosen; a budget nothing fits is left out of the answer. `compiled` picks the search: None takes
    Numba where it is installed. Ruan, Maddison, Hashimoto 2024, arXiv 2405.10938v3, section 5 (V-optimality).
    Not to be trusted where the plane itself would change with the models chosen: it is held fixed. Raises ParameterError for
    unknown forced families or scores with gaps.

    >>> line = np.array([[1.0], [2.0], [-3.0], [0.5]])
    >>> [(c.families, round(c.objective, 4)) for c in select(line, ["a", "a", "b", "c"], [1, 3])]
    [(('b',), 1.5833), (('a', 'b'), 1.0179)]
    """
    if scores.ndim != 2 or len(families) != len(scores) or not np.isfinite(scores).all():
        raise ParameterError(
            f"selection: found scores {scores.shape} for {len(families)} rows, expected finite (n, K), one row a family name"
        )
    pool = _pool(scores, families, forced, most_families)
    if len(pool.names) > MOST_NAMES:
        raise ParameterError(
            f"selection: found {len(pool.names)} free families, expected at most {MOST_NAMES}; merge or force some"
        )
    top = min(max(budgets, default=0), int(pool.sizes.sum()) + pool.base_size)
    if top < scores.shape[1]:
        return []
    count = sum(math.comb(len(pool.names), chosen) for chosen in range(pool.at_most + 1))
    if count > exact:
        found = [(budget, *_bounded(pool, budget)) for budget in budgets]
    else:
        best = _compiled(pool, top) if (_jit.available() if compiled is None else compiled) else _plain(pool, top)
        found = [(budget, _mask_within(best, budget), 0.0) for budget in budgets]
    made = {mask: _choice(pool, forced, mask) for _, mask, _ in found if mask is not None}
    return [Choice(budget, *made[mask], gap) for budget, mask, gap in found if mask is not None]


def _pool(scores: Array, families: Sequence[str], forced: Sequence[str], most_families: int) -> _Pool:
    names = sorted(set(families))
    if len(set(forced)) > most_families:
        raise ParameterError(f"selection: found {len(set(forced))} forced families, expected at most {most_families}")
    unknown = sorted(set(forced) - set(names))
    if unknown:
        raise ParameterError(f"selection: found forced families {unknown}, expected some of {names}")
    member = np.array(families)
    grams = {name: scores[member == name].T @ scores[member == name] for name in names}
    sizes = {name: int((member == name).sum()) for name in names}
    free = tuple(name for name in names if name not in set(forced))
    width = scores.shape[1]
    base = sum((grams[name] for name in sorted(set(forced))), np.zeros((width, width)))
    return _Pool(
        free,
        np.array([grams[name] for name in free]).reshape(-1, width, width),
        np.array([sizes[name] for name in free], dtype=np.int64),
        base,
        sum(sizes[name] for name in set(forced)),
        np.asarray(sum(grams.values())),
        min(most_families - len(set(forced)), len(free)),
    )


def _choice(pool: _Pool, forced: Sequence[str], mask: int) -> tuple[tuple[str, ...], int, float]:
    """Return the names, the models and the objective of a set, computed alike for every search."""
    taken = [i for i in range(len(pool.names)) if mask >> i & 1]
    value = float(objective(pool.whole, pool.base + pool.grams[taken].sum(axis=0)))
    names = tuple(sorted([*set(forced), *(pool.names[i] for i in taken)]))
    return names, pool.base_size + int(pool.sizes[taken].sum()), value


def _mask_within(best: tuple[Array, Integers], budget: int) -> int | None:
    values, masks = best[0][: budget + 1], best[1]
    if not len(values) or not np.isfinite(values).any():
        return None
    return int(masks[int(np.argmin(values))])


def _plain(pool: _Pool, top: int) -> tuple[Array, Integers]:
    """Visit every set in batches: best objective and its mask for each number of models."""
    values, masks = np.full(top + 1, np.inf), np.zeros(top + 1, dtype=np.int64)
    count = len(pool.names)
    half = count // 2
    low, high = (_halves(pool, range(half)), _halves(pool, range(half, count)))
    step = max(1, CHUNK // max(len(low[0]), 1))
    for start in range(0, len(high[0]), step):
        here = slice(start, start + step)
        mask = (high[0][here, None] | low[0]).ravel()
        size = (high[1][here, None] + low[1]).ravel() + pool.base_size
        number = (high[2][here, None] + low[2]).ravel()
        fits = (number <= pool.at_most) & (size <= top) & (size >= pool.whole.shape[0])
        grams = (high[3][here, None] + low[3]).reshape(-1, *pool.whole.shape)[fits] + pool.base
        value, mask, size = objective(pool.whole, grams), mask[fits], size[fits]
        order = np.lexsort((mask, value))
        first = order[np.unique(size[order], return_index=True)[1]]
        better = value[first] < values[size[first]]
        values[size[first[better]]], masks[size[first[better]]] = value[first[better]], mask[first[better]]
    return values, masks


def _halves(pool: _Pool, members: range) -> tuple[Integers, Integers, Integers, Array]:
    """All subsets of some families: mask, models, families, Gram sum."""
    chosen = np.array(list(itertools.product((0, 1), repeat=len(members))), dtype=np.int64)
    bits = np.left_shift(np.ones(len(members), dtype=np.int64), np.array(members, dtype=np.int64))
    grams = np.tensordot(chosen.astype(float), pool.grams[members.start : members.stop], axes=1)
    return chosen @ bits, chosen @ pool.sizes[members.start : members.stop], chosen.sum(axis=1), grams


def _compiled(pool: _Pool, top: int) -> tuple[Array, Integers]:
    """Visit every set in the compiled walk."""
    from foresaid.studies.model_selection import _search as search  # imports Numba

    grams, base, whole, width = search.pack(pool.grams), search.pack(pool.base), search.pack(pool.whole), pool.whole.shape[0]
    return search.walk(grams, pool.sizes, base, pool.base_size, whole, width, pool.at_most, top)


def _bounded(pool: _Pool, budget: int) -> tuple[int | None, float]:
    """Return the mask of the best set branch and bound finds for one budget, and the gap it leaves open."""
    from foresaid.studies.model_selection import _search as search

    # Families that tell most about the plane come first, so that good sets are met early and weak tails are cut.
    order = np.argsort(-np.einsum("fij,ji->f", pool.grams, np.linalg.inv(pool.whole)), kind="stable")
    grams, sizes = search.pack(pool.grams[order]), pool.sizes[order]
    base, whole, width = search.pack(pool.base), search.pack(pool.whole), pool.whole.shape[0]
    fixed = (base, pool.base_size, whole, width, pool.at_most, budget)
    visits = VISITS if search.COMPILED else VISITS // 500
    best, mask, bound = search.bounded(grams, sizes, *fixed, *search.climb(grams, sizes, *fixed), visits)
    if not np.isfinite(best):
        return None, 0.0
    return sum(1 << int(order[i]) for i in range(len(order)) if int(mask) >> i & 1), float(1.0 - bound / best)
