from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from tests.studies.capability.mirror import mirror, needs_mirror

from foresaid.errors import UnreadableError
from foresaid.laws._capability_kernel import Settings
from foresaid.studies.capability import benchpress
from foresaid.studies.capability.benchpress import Fold, Matrix, benchmark_medians, figures, read, run_fold

FOLDER = "microsoft+benchpress@2026-06-26"


@pytest.mark.parametrize(
    ("text", "day"), [("2025-04-14", date(2025, 4, 14)), ("2024-09", date(2024, 9, 1)), ("2025", date(2025, 7, 1))]
)
def test_rough_days_stand_in_the_middle_or_at_the_start(text: str, day: date) -> None:
    assert benchpress.day_of(text) == day


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match=r"data\.json is missing"):
        read(tmp_path)


def test_figures_are_those_of_the_protocol() -> None:
    """Median per fold, then the median of folds; Elo-sized cells count in the median but in no mean."""
    outcome = np.array([10.0, 20.0, 1500.0])
    first = Fold(outcome, outcome, outcome, outcome + np.array([1, 3, 100]), outcome - 2, outcome + 2, outcome - 1, outcome - 0.5)
    second = Fold(outcome, outcome, outcome, outcome + 5, outcome + 1, outcome + 7, outcome - 1, outcome + 1)
    found = figures([first, second])
    assert found["median absolute error, median of folds"] == 4.0  # of 3 and 5
    assert found["mean absolute error (cells <= 110)"] == pytest.approx((1 + 3 + 5 + 5) / 4)
    assert found["coverage of 90 %"] == 0.5
    assert found["coverage of 80 %"] == 0.5
    assert found["median width of 90 %"] == 5.0


def small() -> Matrix:
    """A few models on four benchmarks, one of them an Elo."""
    rng = np.random.default_rng(5)
    ability = np.linspace(-1, 1.5, 12)
    scores = 100 / (1 + np.exp(-(ability[:, None] + np.array([0.0, -0.5, 0.5, 0.0]) + rng.normal(0, 0.1, (12, 4)))))
    scores[:, 3] = 1000 + 10 * scores[:, 3]
    models = tuple(
        {"id": f"line{i % 3}-{i}", "provider": "P", "release_date": f"2025-{1 + i:02d}-03", "reasoning": i > 5} for i in range(12)
    )
    return Matrix(models, ("a", "b", "c", "elo"), scores)


def test_a_fold_is_forecast_in_the_unit_of_each_benchmark() -> None:
    matrix = small()
    hidden = [(3, 0), (5, 1), (8, 2), (6, 3), (2, 3)]
    fold, _ = run_fold(matrix, hidden, Settings())
    assert fold.outcome.tolist() == [matrix.scores[i, j] for i, j in hidden]
    assert (np.abs(fold.median - fold.outcome)[:3] < 12).all()
    assert (np.abs(fold.median - fold.outcome)[3:] < 120).all()
    assert (fold.low < fold.low_80).all()
    assert (fold.high_80 < fold.high).all()


def test_hidden_cells_are_not_seen() -> None:
    matrix, hidden = small(), [(3, 0), (6, 3)]
    moved = Matrix(matrix.models, matrix.benchmarks, matrix.scores.copy())
    moved.scores[3, 0], moved.scores[6, 3] = 1.0, 9000.0
    first, second = run_fold(matrix, hidden, Settings())[0], run_fold(moved, hidden, Settings())[0]
    assert first.median.tolist() == second.median.tolist()


@needs_mirror
def test_matrix_folds_and_the_printed_error_of_medians_are_reproduced() -> None:
    """2,604 cells, 30 folds, 26,040 held-out cells; benchmark median alone: 9.65."""
    matrix, folds = read(mirror() / FOLDER)
    assert matrix.scores.shape == (84, 133)
    assert int(np.isfinite(matrix.scores).sum()) == 2604
    assert len(folds) == 30
    assert sum(len(fold) for fold in folds) == 26_040
    errors = [np.nanmedian(benchmark_medians(matrix, fold)) for fold in folds]
    assert float(np.median(errors)) == pytest.approx(9.65, abs=0.005)
