"""The mean of two unlike forms on BenchPress's folds: the capability law and BenchPress's own completion, on the probit scale.

Equal weights. The law knows lines, tiers and dates but takes benchmarks to differ by one loading; the completion knows nothing of a
model but its scores and gives benchmarks several dimensions, here the mean over a few numbers of them. Intervals are point plus and
minus a half-width proportional to a risk: ln(|error| + 1/2) by least squares on what is known beforehand (the law's own spread, the
disagreement of the two forms, how many cells the model and the benchmark have left, the benchmark's spread, and a shrunken term of
each benchmark). Risk and quantile of a model's cells come from other models only, which is stricter than the peer's leaving out of
folds that share their cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from foresaid.arrays import Array
from foresaid.forecasting.matrix_completion import Settings, complete_matrix
from foresaid.laws._capability_rows import EDGE
from foresaid.studies.capability.benchpress import Fold, Matrix, scales

WEIGHT = 0.5  # of the law
RANKS = (2, 3, 4)  # of the completion in the mean; chosen on the first five folds (docs/results-capability.md), the peer's own is 2
PARTS = 10  # of the models, for intervals
RIDGE = 20.0  # on the part of the risk that is a benchmark's own: that of twenty cells counts half
SMALL = 0.5  # points: errors below it are alike to the risk


@dataclass(frozen=True)
class HeldOut:
    """Held-out cells of one fold, each (k,): row, column, outcome, point, and what the risk is judged by (k, F)."""

    row: Array
    column: Array
    outcome: Array
    point: Array
    known: Array


def completed(
    matrix: Matrix, hidden: Sequence[tuple[int, int]], rng: np.random.Generator, rank: int = Settings().rank
) -> tuple[Array, Array, Array, Array]:
    """BenchPress's completion of what a fold leaves: training scores, offset, span and completed shares (M, B)."""
    train = matrix.scores.copy()
    train[[i for i, _ in hidden], [j for _, j in hidden]] = np.nan
    offset, span = scales(matrix, train)
    return train, offset, span, complete_matrix((train - offset) / span, rng, Settings(rank=rank))


def completion_errors(matrix: Matrix, hidden: Sequence[tuple[int, int]], rng: np.random.Generator) -> Array:
    """Absolute errors (k,) of BenchPress's completion on the cells a fold hides."""
    _, offset, span, shares = completed(matrix, hidden, rng)
    rows, columns = np.array([i for i, _ in hidden]), np.array([j for _, j in hidden])
    return np.asarray(np.abs(offset[columns] + span[columns] * shares[rows, columns] - matrix.scores[rows, columns]))


def mean_of_forms(matrix: Matrix, fold: Fold, hidden: Sequence[tuple[int, int]], rng: np.random.Generator) -> HeldOut:
    """Put the completion beside the law's forecast of a fold and return their mean, with what the risk is judged by."""
    made = [completed(matrix, hidden, rng, rank) for rank in RANKS]
    train, offset, span, _ = made[0]
    i, j = fold.row.astype(np.intp), fold.column.astype(np.intp)
    other = np.mean([ndtri(np.clip(shares[i, j], EDGE, 1.0 - EDGE)) for *_, shares in made], axis=0)
    middle, low, high = (
        ndtri(np.clip((bound - offset[j]) / span[j], 1e-9, 1.0 - 1e-9)) for bound in (fold.median, fold.low, fold.high)
    )
    sd = (high - low) / (2.0 * 1.6448536)
    z = WEIGHT * middle + (1.0 - WEIGHT) * other
    spread = 0.5 * span[j] * (ndtr(z + sd) - ndtr(z - sd))
    apart = np.abs(span[j] * (ndtr(middle) - ndtr(other)))
    count = np.isfinite(train)
    known = np.column_stack(
        [
            np.log(spread + 0.3),
            np.log(apart + SMALL),
            count.sum(axis=1)[i],
            count.sum(axis=0)[j],
            np.log(np.nanstd(train, axis=0)[j] + 1.0),
            ndtr(z),
        ]
    )
    return HeldOut(fold.row, fold.column, fold.outcome, offset[j] + span[j] * ndtr(z), known)


def intervals(folds: Sequence[HeldOut]) -> list[Fold]:
    """Add the 80 and 90 % intervals, each model's from the cells of other models (PARTS parts, by row modulo PARTS)."""
    row, known = np.concatenate([one.row for one in folds]).astype(np.intp), np.concatenate([one.known for one in folds])
    error = np.concatenate([np.abs(one.outcome - one.point) for one in folds])
    column = np.concatenate([one.column for one in folds]).astype(np.intp)
    inputs = np.column_stack([np.ones(len(known)), known, column[:, None] == np.unique(column)])
    penalty = np.concatenate([np.zeros(1 + known.shape[1]), np.full(inputs.shape[1] - 1 - known.shape[1], RIDGE)])
    half = {level: np.empty(len(row)) for level in (0.8, 0.9)}
    for part in range(PARTS):
        own = row % PARTS == part
        if not own.any():
            continue
        gram = inputs[~own].T @ inputs[~own] + np.diag(penalty + 1e-9)
        weights = np.linalg.solve(gram, inputs[~own].T @ np.log(error[~own] + SMALL))
        risk = np.exp(inputs @ weights)
        for level, width in half.items():
            width[own] = np.quantile(error[~own] / risk[~own], level) * risk[own]
    ends = np.cumsum([len(one.row) for one in folds])[:-1]
    return [
        Fold(one.row, one.column, one.outcome, one.point, one.point - n, one.point + n, one.point - e, one.point + e)
        for one, e, n in zip(folds, np.split(half[0.8], ends), np.split(half[0.9], ends), strict=True)
    ]
