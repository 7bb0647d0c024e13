"""Imputation and components against plain re-computation, copy by copy."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA

from foresaid.arrays import Array
from foresaid.fitting import _filling
from foresaid.fitting.components import components
from foresaid.fitting.imputation import TOLERANCE, _filled, apply_imputation, impute


def _table(seed: int, n: int, m: int, missing: float, rank: int = 1) -> Array:
    rng = np.random.default_rng(seed)
    ability = rng.normal(0, 1, (n, rank))
    loading = rng.uniform(0.5, 1.5, (rank, m)) * (1 if rank == 1 else rng.choice([-1, 1], (rank, m)))
    values = 1 / (1 + np.exp(-(ability @ loading + rng.normal(0, 0.3, (n, m)))))
    values[rng.random((n, m)) < missing] = np.nan
    return np.asarray(values)


def _plain(values: Array, rounds: int = 5000, rank: int = 1) -> Array:
    """Iterate the fill exactly as written down by its authors, one copy, with a singular value decomposition."""
    centre, spread = np.nanmean(values, axis=0), np.nanstd(values, axis=0)
    z = (values - centre) / spread
    gap = np.isnan(z)
    filled = np.where(gap, 0.0, z)
    for _ in range(rounds):
        mean = filled.mean(axis=0)
        loading = np.linalg.svd(filled - mean, full_matrices=False)[2][:rank]
        before, filled = filled, np.where(gap, mean + (filled - mean) @ loading.T @ loading, z)
        if np.abs(filled - before).max() < 1e-14:  # nothing moves any more
            break
    return np.asarray(np.clip(centre + spread * filled, 0, 1))


@pytest.mark.parametrize("missing", [0.01, 0.1, 0.3])
def test_the_fill_is_the_fixed_point_of_the_plain_iteration(missing: float) -> None:
    values = _table(11, 60, 8, missing)

    np.testing.assert_allclose(impute(values, np.ones((1, 60))).values[0], _plain(values), atol=1e-7)


@pytest.mark.parametrize("rank", [2, 3])
def test_a_fill_of_higher_rank_is_the_fixed_point_of_the_plain_iteration(rank: int) -> None:
    values = _table(4, 60, 10, 0.1, rank)
    found = impute(values, np.ones((1, 60)), rank=rank)

    np.testing.assert_allclose(found.values[0], _plain(values, 20000, rank), atol=1e-6)
    assert found.rule is None  # a frozen curve has room for one component


@pytest.mark.parametrize(("rows", "columns", "missing", "prior"), [(44, 7, 0.01, 0.0), (60, 12, 0.2, 0.0), (30, 5, 0.4, 0.3)])
def test_compiled_filling_is_the_reference_on_every_row_that_was_drawn(
    rows: int, columns: int, missing: float, prior: float
) -> None:
    values = _table(21, rows, columns, missing)
    values = values[~np.isnan(values).all(axis=1)]
    weights = np.random.default_rng(5).multinomial(len(values), np.full(len(values), 1 / len(values)), 30).astype(float)

    found = _filling.filled(values, weights, TOLERANCE, prior)

    reference = _filled(values, weights, 1, TOLERANCE, prior)
    drawn = weights > 0
    # Both stop when a round moves nothing by 1e-11; where rounds are slow, what is left is a thousand times that.
    np.testing.assert_allclose(found[drawn], reference[drawn], atol=1e-8)


def test_a_table_without_gaps_is_given_back() -> None:
    values = _table(3, 20, 4, 0.0)
    found = impute(values, np.ones((2, 20)))

    np.testing.assert_array_equal(found.values, np.repeat(values[None], 2, axis=0))
    assert found.rule is not None


def test_every_replicate_reaches_the_fixed_point_of_the_plain_iteration() -> None:
    values = _table(12, 50, 7, 0.3)
    values = values[~np.isnan(values).all(axis=1)]
    n = len(values)
    counts = np.random.default_rng(3).multinomial(n, np.full(n, 1 / n), 20)

    found = impute(values, counts.astype(float)).values

    for copy, drawn in zip(found, counts, strict=True):
        rows = np.repeat(np.arange(n), drawn)
        # Plain iteration stops moving at about 1e-7 where it is slow.
        np.testing.assert_allclose(copy[rows], _plain(values[rows], 4000), atol=1e-5)


def test_a_copy_does_not_depend_on_the_others() -> None:
    values = _table(8, 40, 6, 0.2)
    weights = np.random.default_rng(1).integers(0, 3, (10, 40)).astype(float)
    together = impute(values, weights).values

    alone = np.concatenate([impute(values, row[None]).values for row in weights])

    np.testing.assert_allclose(together, alone, atol=1e-10)


def test_weights_count_like_repeated_rows() -> None:
    values = _table(2, 30, 6, 0.1)
    counts = np.random.default_rng(0).integers(1, 4, 30)

    weighted = impute(values, counts[None, :].astype(float)).values[0]

    repeated = impute(np.repeat(values, counts, axis=0), np.ones((1, counts.sum()))).values[0]
    first = np.concatenate([[0], np.cumsum(counts)[:-1]])
    np.testing.assert_allclose(weighted, repeated[first], atol=1e-8)


def test_the_frozen_rule_fills_a_training_row_as_training_did() -> None:
    values = _table(5, 50, 7, 0.1)
    imputed = impute(values, np.ones((1, 50)))

    assert imputed.rule is not None
    np.testing.assert_allclose(apply_imputation(imputed.rule, values), imputed.values[0], atol=1e-8)


def test_a_row_with_nothing_known_stays_missing() -> None:
    imputed = impute(_table(5, 50, 7, 0.1), np.ones((1, 50)))

    assert imputed.rule is not None
    assert np.isnan(apply_imputation(imputed.rule, np.full((1, 7), np.nan))).all()


def test_components_agree_with_scikit_learn_up_to_sign() -> None:
    values = _table(9, 40, 6, 0.0)
    theirs = PCA(3).fit(values)

    ours = components(values[None, :, :], np.ones((1, 40)), 3)

    np.testing.assert_allclose(ours.explained[0, :3], theirs.explained_variance_ratio_, atol=1e-12)
    np.testing.assert_allclose(np.abs(ours.loadings[0]), np.abs(theirs.components_), atol=1e-9)
    np.testing.assert_allclose(np.abs(ours.scores(values[None])[0]), np.abs(theirs.transform(values)), atol=1e-9)
