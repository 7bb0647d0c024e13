"""Missing values and principal components, fitted on training rows only and for all bootstrap copies at once.

A copy is a vector of weights over the same rows, so every statistic is a weighted sum and everything batches. The
imputation is the low-rank iteration of Ruan et al. (arXiv 2405.10938, appendix; their `PCAImputer`), stopped when the
missing cells stand still: their own stop compares the whole matrix with its reconstruction, never fires, and always runs
1,000 rounds. Their iteration is EM for weighted least squares over the observed cells; two rounds of it find the valley, then
rows and columns are solved in turn, in far fewer rounds. Rank one, which is what laws ask for, is filled by compiled code where
there is a compiler (fitting/_filling.py); the reference here does all copies at once by products of matrices that they share.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foresaid.arrays import Array
from foresaid.fitting import _filling, _jit
from foresaid.fitting._filling import EM_ROUNDS, ROUNDING, ROUNDS, SINGULAR

TOLERANCE = 1e-11  # change of a missing cell, in standard deviations


@dataclass(frozen=True)
class Imputed:
    """The filled matrices (R, n, m) and, for the first copy and rank one, the frozen rule for rows to come."""

    values: Array
    rule: Imputation | None


def em_round(z: Array, weights: Array, rank: int) -> tuple[Array, Array, Array]:
    """Return mean (R, m), loadings (R, k, m) and reconstruction (R, n, m) of filled matrices: one round of the authors' EM."""
    mean = (weights[:, None, :] @ z) / weights.sum(axis=1)[:, None, None]
    offset = z - mean
    vectors = np.linalg.eigh(np.swapaxes(offset * weights[..., None], 1, 2) @ offset)[1]
    loadings = np.swapaxes(vectors[..., : -rank - 1 : -1], 1, 2)
    return mean[:, 0], loadings, mean + (offset @ np.swapaxes(loadings, 1, 2)) @ loadings


def _solve(system: list[list[Array]], right: list[Array]) -> list[Array]:
    """Solve many small symmetric systems given entry by entry; what the data leave open is nought.

    Cholesky's method on arrays. A pivot that vanishes beside its diagonal belongs to a direction no observed cell speaks of.
    """
    size = len(right)
    lower: list[list[Array]] = [[] for _ in range(size)]
    made: list[Array] = []
    open_: list[NDArray[np.bool_]] = []
    for a in range(size):
        for b in range(a):
            entry = system[a][b] - sum(lower[a][c] * lower[b][c] for c in range(b))
            lower[a].append(np.where(open_[b], 0.0, entry / lower[b][b]))
        pivot = system[a][a] - sum(value * value for value in lower[a])
        open_.append(pivot <= SINGULAR * system[a][a])
        lower[a].append(np.sqrt(np.where(open_[a], 1.0, pivot)))
        made.append((right[a] - sum(lower[a][b] * made[b] for b in range(a))) / lower[a][a])
    for a in reversed(range(size)):
        value = (made[a] - sum(lower[b][a] * made[b] for b in range(a + 1, size))) / lower[a][a]
        made[a] = np.where(open_[a], 0.0, value)
    return made


def _sweep(
    known: Array, seen: Array, weights: Array, per: Array, c: Array, v: list[Array], prior: float
) -> tuple[list[Array], Array, list[Array]]:
    """Solve the rows' scores given mean and loadings, then mean and loadings given the scores, over observed cells (n, m)."""
    k = range(len(v))
    system = [[(v[a] * v[b] * per) @ seen.T + (prior if a == b else 0.0) for b in range(a + 1)] for a in k]
    u = _solve(system, [(v[a] * per) @ known.T - (c * v[a] * per) @ seen.T for a in k])
    basis = [weights, *(weights * score for score in u)]
    factor = [np.ones_like(weights), *u]
    system = [[(basis[a] * factor[b]) @ seen + (prior if a == b > 0 else 0.0) for b in range(a + 1)] for a in range(len(basis))]
    c, *v = _solve(system, [one @ known for one in basis])
    return u, c, v


def impute(
    values: Array,
    weights: Array,
    lower: float = 0.0,
    upper: float = 1.0,
    rank: int = 1,
    tolerance: float = TOLERANCE,
    prior: float = 0.0,
) -> Imputed:
    """Fill the missing cells of `values` (n, m) for each of the weight vectors `weights` (R, n), clipped to [lower, upper].

    Columns are standardised by weighted moments of the observed cells; missing cells then take the value of the weighted least
    squares reconstruction mean_j + sum_k score_ik loading_kj of `rank`. A row of weight zero is filled but has no influence. Rounds
    stop when no missing cell of a row that weighs something moves by more than `tolerance` standard deviations.

    `prior` is the precision, in observations of one standard deviation, of independent normal priors about 0 of every row's scores
    and every column's standardised loadings. It adds prior (sum_i w_i u_i^2 + sum_j v_j^2) to the weighted squares. Without it a
    sparse table can leave a direction open along which cells run away, and where they stop is then for the rounding to say.

    >>> full = np.array([[0.1, 0.2], [0.2, 0.4], [0.3, 0.6], [0.4, np.nan]])
    >>> impute(full, np.ones((1, 4))).values[0, 3].round(3).tolist()
    [0.4, 0.8]
    """
    observed = ~np.isnan(values)
    rows, columns = np.nonzero(~observed)
    if not rows.size:
        restored = np.repeat(values[None], len(weights), axis=0)
    elif rank == 1 and _jit.available():
        restored = _filling.filled(values, weights, tolerance, prior)
    else:
        restored = _filled(values, weights, rank, tolerance, prior)
    rule = None
    if rank == 1:
        centre, spread, z = _standardised(restored[0], observed, weights[:1])
        mean, loadings, _ = em_round(z, weights[:1], 1)
        largest = loadings[0, 0, np.abs(loadings[0, 0]).argmax()]
        rule = Imputation(centre[0], spread[0], mean[0], loadings[0, 0] * np.sign(largest), lower, upper)
    restored[:, rows, columns] = np.clip(restored[:, rows, columns], lower, upper)
    return Imputed(restored, rule)


def _standardised(values: Array, observed: NDArray[np.bool_], weights: Array) -> tuple[Array, Array, Array]:
    """Return weighted centre and spread (R, m) of the observed cells, and all of `values` (n, m) in these units (R, n, m)."""
    seen, known = observed.astype(float), np.where(observed, values, 0.0)
    count = weights @ seen  # (R, m)
    count = np.where(count > 0, count, 1.0)
    centre = (weights @ known) / count
    deviation = np.where(observed, values - centre[:, None, :], 0.0)
    spread = np.sqrt((weights[:, None, :] @ deviation**2)[:, 0] / count)
    spread = np.where(spread > ROUNDING * np.abs(known).max(initial=0.0), spread, 1.0)
    return centre, spread, (values - centre[:, None, :]) / spread[:, None, :]


def _filled(values: Array, weights: Array, rank: int, tolerance: float, prior: float) -> Array:
    """Return the filled tables (R, n, m) of `impute` before they are clipped: the reference of fitting/_filling.py."""
    observed = ~np.isnan(values)
    centre, spread, z = _standardised(values, observed, weights)
    z = np.where(observed, z, 0.0)
    for _ in range(EM_ROUNDS):
        mean, loadings, rebuilt = em_round(z, weights, rank)
        z = np.where(observed, z, rebuilt)
    rows, columns = np.nonzero(~observed)
    known, seen = np.where(observed, values, 0.0), observed.astype(float)
    cells = _alternate(known, seen, weights, centre, spread, mean, loadings, rows, columns, tolerance, prior)
    restored = np.repeat(values[None], len(weights), axis=0)
    restored[:, rows, columns] = centre[:, columns] + spread[:, columns] * cells
    return restored


def _alternate(
    known: Array,
    seen: Array,
    weights: Array,
    centre: Array,
    spread: Array,
    mean: Array,
    loadings: Array,
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
    tolerance: float,
    prior: float,
) -> Array:
    """Alternate rows and columns until no missing cell of a row that weighs something moves; return all, standardised (R, G).

    A copy that stands still leaves the batch. The objective cannot rise: each half solves its part exactly.
    """
    cells = np.full((len(weights), len(rows)), np.inf)
    c, v = centre + spread * mean, [spread * loadings[:, a] for a in range(loadings.shape[1])]
    active = np.arange(len(weights))
    for _ in range(ROUNDS):
        u, c, v = _sweep(known, seen, weights[active], 1.0 / spread[active] ** 2, c, v, prior)
        rebuilt = c[:, columns] + sum(score[:, rows] * one[:, columns] for score, one in zip(u, v, strict=True))
        now = (rebuilt - centre[active][:, columns]) / spread[active][:, columns]
        change = np.abs(now - cells[active])
        moving = np.where(weights[active][:, rows] > 0, change, 0.0).max(axis=1) >= tolerance
        cells[active] = now
        active, c, v = active[moving], c[moving], [one[moving] for one in v]
        if not active.size:
            break
    return cells


def apply_imputation(rule: Imputation, values: Array) -> Array:
    """Fill rows that were not in training by the frozen rule: closed form, no iteration.

    With u the row's score on the loading v over its observed cells, a missing cell is centre + spread * (mean + u v). A row
    with no observed cell stays missing.

    >>> rule = Imputation(np.zeros(2), np.ones(2), np.zeros(2), np.array([0.6, 0.8]), 0.0, 1.0)
    >>> apply_imputation(rule, np.array([[0.3, np.nan]])).round(6).tolist()
    [[0.3, 0.4]]
    """
    z = (values - rule.centre) / rule.spread
    observed = ~np.isnan(z)
    deviation = np.where(observed, z - rule.mean, 0.0)
    power = observed @ rule.loading**2
    with np.errstate(invalid="ignore", divide="ignore"):
        score = np.where(power > 0, deviation @ rule.loading / power, np.nan)
    rebuilt = rule.centre + rule.spread * (rule.mean + score[:, None] * rule.loading)
    return np.where(observed, values, np.clip(rebuilt, rule.lower, rule.upper))


@dataclass(frozen=True)
class Imputation:
    """The frozen rule for missing covariates: rank one, in standardised units (see fitting/imputation.py). Each is (k,)."""

    centre: Array
    spread: Array
    mean: Array
    loading: Array
    lower: float
    upper: float
