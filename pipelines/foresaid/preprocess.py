"""Missing values and principal components, fitted on training rows only and for all bootstrap copies at once.

A copy is a vector of weights over the same rows, so every statistic is a weighted sum and everything batches. The
imputation is the rank-one iteration of Ruan et al. (arXiv 2405.10938, appendix; their `PCAImputer`), stopped when the
missing cells stand still: their own stop compares the whole matrix with its reconstruction, never fires, and always runs
1,000 rounds to the same point.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from foresaid.law import Array, Imputation

ROUNDS = 500
TOLERANCE = 1e-11  # change of a missing cell, in standard deviations


@dataclass(frozen=True)
class Imputed:
    """The filled matrices (R, n, m) and, for the first copy, the frozen rule for rows to come."""

    values: Array
    rule: Imputation


def _leading(covariance: Array) -> Array:
    """Return the unit eigenvector of the largest eigenvalue of each matrix, largest entry positive."""
    vectors = np.linalg.eigh(covariance)[1][..., -1]
    largest = np.take_along_axis(vectors, np.abs(vectors).argmax(axis=-1)[..., None], axis=-1)
    return np.asarray(vectors * np.sign(largest))


def impute(values: Array, weights: Array, lower: float = 0.0, upper: float = 1.0) -> Imputed:
    """Fill the missing cells of `values` (n, m) for each of the weight vectors `weights` (R, n), clipped to [lower, upper].

    Columns are standardised by weighted moments of the observed cells; missing cells then move to the rank-one weighted
    principal-component reconstruction until they stand still. A row of weight zero is filled but has no influence.

    >>> full = np.array([[0.1, 0.2], [0.2, 0.4], [0.3, 0.6], [0.4, np.nan]])
    >>> impute(full, np.ones((1, 4))).values[0, 3].round(3).tolist()
    [0.4, 0.8]
    """
    observed = ~np.isnan(values)
    filled = np.where(observed, values, 0.0)
    count = weights @ observed.astype(float)  # (R, m)
    count = np.where(count > 0, count, 1.0)
    centre = (weights @ filled) / count
    deviation = np.where(observed, values - centre[:, None, :], 0.0)
    spread = np.sqrt(np.einsum("rn,rnm->rm", weights, deviation**2) / count)
    spread = np.where(spread > 0, spread, 1.0)
    z = deviation / spread[:, None, :]
    total = weights.sum(axis=1)[:, None]
    for _ in range(ROUNDS):
        mean = np.einsum("rn,rnm->rm", weights, z) / total
        offset = z - mean[:, None, :]
        loading = _leading(np.einsum("rn,rni,rnj->rij", weights, offset, offset))
        score = np.einsum("rnm,rm->rn", offset, loading)
        rebuilt = mean[:, None, :] + score[..., None] * loading[:, None, :]
        moved = np.where(observed, z, rebuilt)
        change = float(np.abs(moved - z).max(initial=0.0))
        z = moved
        if change < TOLERANCE:
            break
    restored = np.clip(centre[:, None, :] + spread[:, None, :] * z, lower, upper)
    rule = Imputation(centre[0], spread[0], mean[0], loading[0], lower, upper)
    return Imputed(np.where(observed, values, restored), rule)


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
class Components:
    """Weighted principal components of each copy: `centre` (R, m), `loadings` (R, K, m), `explained` (R, m) shares."""

    centre: Array
    loadings: Array
    explained: Array

    def scores(self, values: Array) -> Array:
        """Project rows (R, n, m) onto the components: (R, n, K)."""
        return np.asarray(np.einsum("rnm,rkm->rnk", values - self.centre[:, None, :], self.loadings))


def components(values: Array, weights: Array, wanted: int) -> Components:
    """Principal components of `values` (R, n, m) under `weights` (R, n), centred and not standardised.

    The sign of a component is fixed by its largest loading, so that a library's choice cannot change a stored number.

    >>> line = np.array([[[0.0, 0.0], [0.3, 0.4], [0.6, 0.8]]])
    >>> found = components(line, np.ones((1, 3)), 1)
    >>> found.loadings[0, 0].round(3).tolist(), round(float(found.explained[0, 0]), 6)
    ([0.6, 0.8], 1.0)
    """
    total = weights.sum(axis=1)[:, None]
    centre = np.einsum("rn,rnm->rm", weights, values) / total
    offset = values - centre[:, None, :]
    variances, vectors = np.linalg.eigh(np.einsum("rn,rni,rnj->rij", weights, offset, offset))
    variances, vectors = variances[:, ::-1].clip(min=0.0), vectors[:, :, ::-1]
    loadings = np.swapaxes(vectors[:, :, :wanted], 1, 2)
    largest = np.take_along_axis(loadings, np.abs(loadings).argmax(axis=-1)[..., None], axis=-1)
    whole = variances.sum(axis=1, keepdims=True)
    return Components(centre, loadings * np.sign(largest), variances / np.where(whole > 0, whole, 1.0))
