"""Every set of families, valued one batch after another: what the search for the best ones is held to, where sets are few enough.

No bound and no order of search: the objective's formula on all sets, in NumPy.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from foresaid.arrays import Array
from foresaid.studies.model_selection.v_optimal import objective

BATCH = 1 << 16


def best_of_all(
    scores: Array, families: Sequence[str], budgets: Sequence[int], forced: Sequence[str] = (), most: int = 10
) -> tuple[dict[int, tuple[float, tuple[str, ...]]], int]:
    """Return the lowest objective and its families for each budget that admits a set, and how many sets there are.

    Among sets of one objective within a budget the one with fewer models counts.
    """
    member, whole = np.array(families), scores.T @ scores
    names = sorted(set(families) - set(forced))
    parts = [scores[member == name] for name in names]
    grams, sizes = np.array([part.T @ part for part in parts]), np.array([len(part) for part in parts])
    always = scores[np.isin(member, list(forced))]
    best: dict[int, tuple[float, tuple[str, ...]]] = {}  # by number of models
    seen = 0
    for number in range(min(most - len(forced), len(names)) + 1):
        sets = itertools.combinations(range(len(names)), number)
        while batch := list(itertools.islice(sets, BATCH)):
            seen += len(batch)
            chosen = np.array(batch, dtype=np.int64).reshape(len(batch), number)
            value = objective(whole, always.T @ always + grams[chosen].sum(axis=1))
            models = len(always) + sizes[chosen].sum(axis=1)
            for size in np.unique(models[np.isfinite(value)]).tolist():
                first = int(np.argmin(np.where(models == size, value, np.inf)))
                if size not in best or value[first] < best[size][0]:
                    best[size] = float(value[first]), tuple(sorted([*forced, *(names[i] for i in batch[first])]))
    within = {budget: [best[size] for size in sorted(best) if size <= budget] for budget in budgets}
    return {budget: min(sets, key=lambda one: one[0]) for budget, sets in within.items() if sets}, seen
