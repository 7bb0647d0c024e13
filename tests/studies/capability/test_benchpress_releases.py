"""New releases of BenchPress's matrix: who is asked, what earlier months teach, and what an interval holds."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from scipy.special import ndtr
from tests.studies.capability.test_benchpress import small

from foresaid.reproducible import generator
from foresaid.studies.capability import benchpress_releases
from foresaid.studies.capability.benchpress_releases import Asked, ask_month, figures, months, widths


def asked(models: int, off: float) -> Asked:
    """One cell a model, each `off` standard deviations of .5 above a centre of 0, in points of 100."""
    one = np.ones(models)
    outcome = 100.0 * ndtr(0.5 * off) * one
    return Asked(np.arange(models, dtype=float), outcome, one, one, one, 0.0 * one, 0.5 * one, 0.0 * one, 100.0 * one)


def test_months_run_from_the_first_to_the_last() -> None:
    assert months(date(2025, 11, 1), date(2026, 2, 1)) == [date(2025, 11, 1), date(2025, 12, 1), date(2026, 1, 1), date(2026, 2, 1)]


def test_widths_are_normal_until_enough_models_have_taught() -> None:
    assert widths([]) == pytest.approx((1.2815516, 1.6448536))
    assert widths([asked(9, 3.0)]) == pytest.approx((1.2815516, 1.6448536))
    assert widths([asked(10, 3.0)]) == pytest.approx((3.0, 3.0))


def test_every_model_weighs_the_same() -> None:
    """One model with ninety near cells and nine with a far one: a tenth of the weight is near, so the width is the far one's."""
    near, far = asked(1, 0.1), asked(9, 2.0)
    many = Asked(*(np.repeat(getattr(near, name), 90) for name in Asked.__dataclass_fields__))
    assert widths([many, replace(far, model=far.model + 1)]) == pytest.approx((2.0, 2.0))


def test_coverage_is_that_of_the_widths() -> None:
    found = figures([asked(4, 1.0), asked(4, 2.0)], [(1.5, 2.5), (1.5, 2.5)], 110.0)
    assert found["coverage of 80 %"] == 0.5
    assert found["coverage of 90 %"] == 1.0


def test_a_month_is_asked_from_the_months_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scores of later months move no forecast of a month, and a month without a model is None."""
    monkeypatch.setattr(benchpress_releases, "REVEALED", 1)
    matrix = small()
    later = matrix.scores.copy()
    later[9:] *= 0.5
    first, second = (
        ask_month(replace(matrix, scores=scores), date(2025, 9, 1), 2, generator(1, "starts"), generator(1, "reveals"))
        for scores in (matrix.scores, later)
    )
    assert first is not None
    assert second is not None
    assert set(first.model) == {8.0}
    np.testing.assert_array_equal(first.mean, second.mean)
    assert first.mean[:2] == pytest.approx(first.outcome[:2], abs=30)
    assert ask_month(matrix, date(2040, 1, 1), 2, generator(1, "starts"), generator(1, "reveals")) is None
