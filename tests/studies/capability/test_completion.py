"""BenchPress's completion and the mean of it and the capability law: closed forms, and the printed error on the public folds."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit
from tests.studies.capability.mirror import mirror, needs_mirror
from tests.studies.capability.test_benchpress import FOLDER, small

from foresaid.forecasting.matrix_completion import Settings, complete_matrix, fit_logits, to_logit
from foresaid.laws._capability_kernel import Settings as LawSettings
from foresaid.studies.capability.benchpress import Fold, read, run_fold
from foresaid.studies.capability.benchpress_mean import HeldOut, completion_errors, intervals, mean_of_forms


def low_rank(seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.asarray(rng.normal(0, 1, (40, 2)) @ rng.normal(0, 0.7, (2, 25)) + rng.normal(0, 1, (40, 1)) + rng.normal(0, 1, 25))


def test_a_table_of_rank_two_is_completed() -> None:
    z = low_rank()
    hidden = np.random.default_rng(1).uniform(size=z.shape) < 0.2
    known = np.where(hidden, np.nan, expit(np.clip(z, -4, 4)))
    found = complete_matrix(known, np.random.default_rng(2), Settings(ridge=0.01, sweeps=60, starts=4))
    assert np.median(np.abs(found - expit(np.clip(z, -4, 4)))[hidden]) < 0.02


def test_biases_alone_are_ridge_regression() -> None:
    """With rank 0 and everything known, a balanced table: the model bias is the row mean shrunk by B / (B + ridge)."""
    z = np.array([[1.0, -1.0], [3.0, 1.0]])
    fitted = fit_logits(z, Settings(rank=0, ridge=0.5, sweeps=200, starts=1), np.random.default_rng(0))
    np.testing.assert_allclose(fitted.rows[0][1], np.array([-1.0, 1.0]) * 2 / 2.5, atol=1e-8)
    np.testing.assert_allclose(fitted.columns[0][1], 0.0, atol=1e-8)


def test_a_new_row_equals_a_training_row_with_the_same_scores() -> None:
    z = low_rank()
    fitted = fit_logits(z, Settings(sweeps=200, starts=1), np.random.default_rng(0))
    np.testing.assert_allclose(fitted.new_rows(z[:3]), fitted.table()[:3], atol=0.05)


def test_shares_at_the_edges_and_gaps() -> None:
    found = to_logit(np.array([0.0, np.nan, 1.0]))
    assert np.isfinite(found).tolist() == [True, False, True]
    assert found[0] == pytest.approx(-found[2])


def test_mean_lies_between_its_parts_and_intervals_come_from_other_models() -> None:
    matrix = small()
    hidden = [(3, 0), (5, 1), (8, 2), (2, 1), (6, 0)]
    fold, _ = run_fold(matrix, hidden, LawSettings())
    found = mean_of_forms(matrix, fold, hidden, np.random.default_rng(0))
    alone = completion_errors(matrix, hidden, np.random.default_rng(0))
    assert alone.shape == (5,)
    assert np.isfinite(found.known).all()
    assert (np.abs(found.point - fold.median) < 30).all()


def test_an_outcome_moves_no_interval_of_its_own_model() -> None:
    rng = np.random.default_rng(4)
    row, point, known = np.repeat(np.arange(20.0), 8), rng.uniform(20, 80, 160), rng.normal(0, 1, (160, 2))
    outcome = point + np.exp(known[:, 0]) * rng.normal(0, 2, 160)
    first = intervals([HeldOut(row, row, outcome, point, known)])[0]
    moved = np.where(row == 3.0, 0.0, outcome)
    second = intervals([HeldOut(row, row, moved, point, known)])[0]
    np.testing.assert_array_equal(first.high[row == 3.0], second.high[row == 3.0])
    assert not np.array_equal(first.high[row == 4.0], second.high[row == 4.0])
    assert np.mean((first.low <= outcome) & (outcome <= first.high)) == pytest.approx(0.9, abs=0.04)
    assert isinstance(first, Fold)


@needs_mirror
def test_completion_has_about_the_error_benchpress_prints() -> None:
    """4.60 is printed for the 30 folds; the first three, a seed of it, lie within half a point."""
    matrix, folds = read(mirror() / FOLDER)
    errors = [np.median(completion_errors(matrix, folds[k], np.random.default_rng(1))) for k in range(3)]
    assert np.median(errors) == pytest.approx(4.60, abs=0.5)
