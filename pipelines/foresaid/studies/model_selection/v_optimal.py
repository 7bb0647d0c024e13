"""Which model families to evaluate when not all can be: the choice that keeps the forecasts steadiest.

Families are taken whole, because a paper that releases one model of a family releases the others. The search is exact
though it visits few of the sets: a bound decides the others. One that would take too long is cut short and says how far from
the optimum it may still be. Compiled and plain, the search is the same lines; one function computes what is reported.
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
from foresaid.studies.model_selection import _bound, _search

VISITS = 50_000_000  # ways down the tree of sets that one budget may take: some seconds compiled
PLAIN_VISITS = VISITS // 500  # the same for the search that is not compiled


@dataclass(frozen=True)
class Choice:
    """The best set of whole families within a budget of models.

    `objective` is the summed prediction variance tr(G S^-1) in units of the noise variance (lower is better; K when everything
    is chosen); `gap` is the largest share by which the optimum could lie below it, 0 when the search came to its end.
    """

    budget: int
    families: tuple[str, ...]
    models: int
    objective: float
    gap: float


@dataclass(frozen=True)
class _Pool:
    """All names and which are forced; Gram matrices (F, K, K) and sizes of the others; the sums of the forced ones and of all."""

    names: tuple[str, ...]
    forced: NDArray[np.bool_]
    grams: Array
    sizes: Array
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
    usable = np.linalg.det(chosen) > _bound.SINGULAR * diagonal.prod(axis=-1)
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
) -> list[Choice]:
    """Choose whole families so that a linear forecast for all rows of `scores` (n, K) varies least.

        minimise tr(S'S (S_M'S_M)^-1) over sets M of whole families, |M| <= budget

    `scores` are the principal components of the candidate models, centred on all of them; `forced` families are always in;
    at most `most_families` are chosen; a budget nothing fits is left out of the answer. `compiled` picks how the search runs: None
    takes Numba where it is installed. Ruan, Maddison, Hashimoto 2024, arXiv 2405.10938v3, section 5 (V-optimality).
    Not to be trusted where the plane itself would change with the models chosen: it is held fixed. Raises ParameterError for
    unknown forced families or scores with gaps.

    >>> line = np.array([[1.0], [2.0], [-3.0], [0.5]])
    >>> [(c.families, round(c.objective, 4)) for c in select(line, ["a", "a", "b", "c"], [1, 3])]
    [(('b',), 1.5833), (('a', 'b'), 1.0179)]
    """
    return searched(scores, families, budgets, forced, most_families, compiled)[0]


def searched(
    scores: Array,
    families: Sequence[str],
    budgets: Sequence[int],
    forced: Sequence[str] = (),
    most_families: int = 10,
    compiled: bool | None = None,
) -> tuple[list[Choice], int]:
    """Do what `select` does, and say how many sets were visited, or begun and given up, to decide all of them."""
    if scores.ndim != 2 or len(families) != len(scores) or not np.isfinite(scores).all():
        raise ParameterError(
            f"selection: found scores {scores.shape} for {len(families)} rows, expected finite (n, K), one row a family name"
        )
    pool = _pool(scores, families, forced, most_families)
    rows = sorted((budget for budget in set(budgets) if budget >= scores.shape[1]), reverse=True)
    answers, values, sets = _answers(pool, rows, _jit.available() if compiled is None else compiled)
    found = sorted({int(size) for size in answers[:, 0].tolist() if math.isfinite(size)})
    if not found:
        return [], int(answers[:, 2].sum())
    information = (sets[found].T.astype(float, order="C")[..., None, None] * pool.grams[:, None]).sum(axis=0)
    reported = objective(pool.whole, pool.base + information).tolist()
    inside = np.repeat(pool.forced[None], len(found), axis=0)
    inside[:, ~pool.forced] = sets[found]
    chosen = [tuple(itertools.compress(pool.names, taken)) for taken in inside.tolist()]
    made = {models: (names, models, value) for models, names, value in zip(found, chosen, reported, strict=True)}
    said = dict(zip(rows, answers.tolist(), strict=True))
    return [
        Choice(budget, *made[said[budget][0]], 1.0 - said[budget][1] / float(values[int(said[budget][0])]))
        for budget in budgets
        if budget in said and said[budget][0] in made
    ], int(answers[:, 2].sum())


def _pool(scores: Array, families: Sequence[str], forced: Sequence[str], most_families: int) -> _Pool:
    names = sorted(set(families))
    if len(set(forced)) > most_families:
        raise ParameterError(f"selection: found {len(set(forced))} forced families, expected at most {most_families}")
    unknown = sorted(set(forced) - set(names))
    if unknown:
        raise ParameterError(f"selection: found forced families {unknown}, expected some of {names}")
    places: dict[str, list[int]] = {name: [] for name in names}
    for place, name in enumerate(families):
        places[name].append(place)
    parts = [scores[place] for place in places.values()]
    grams, sizes = np.array([part.T @ part for part in parts]), np.array([len(part) for part in parts], dtype=float)
    always = np.array([name in forced for name in names])
    base = grams[always].sum(axis=0)
    return _Pool(
        tuple(names), always, grams[~always], sizes[~always], base, int(sizes[always].sum()), grams.sum(axis=0),
        min(most_families - len(set(forced)), int((~always).sum())),
    )  # fmt: skip


def _answers(pool: _Pool, budgets: Sequence[int], compiled: bool) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Search the budgets, in falling order: what `search` fills. Compiled or not, the same lines."""
    count, width = len(pool.grams), pool.whole.shape[0]
    packed = _bound.pack(np.concatenate([pool.grams, [pool.base, pool.whole]]))
    grams, base, whole = packed[:-2], packed[-2], packed[-1]
    top = min(max(budgets, default=0), int(pool.sizes.sum()) + pool.base_size)
    answers, values, sets = np.full((len(budgets), 3), np.inf), np.full(top + 1, np.inf), np.zeros((top + 1, count), dtype=np.bool_)
    facts = np.array([pool.base_size, pool.at_most, VISITS if compiled else PLAIN_VISITS], dtype=float)
    within = np.array(budgets, dtype=float)
    run = _jit.compiled(_search.search, _search.INPUTS) if compiled else _search.search
    run(
        grams, pool.sizes, base, whole, facts, within, values, sets, answers,
        np.zeros((4, len(base))), np.zeros((2, width, width)), np.zeros((6, max(count, pool.at_most + 1))),
        np.zeros((9, count + 1)),
    )  # fmt: skip
    return answers, values, sets
