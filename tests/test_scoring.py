"""Scoring rules against closed forms, against each other, and against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from foresaid.errors import ParameterError
from foresaid.forecast import LEVELS
from foresaid.law import Array
from foresaid.scoring import bias, covered, pinball, weighted_interval_score

numbers = st.floats(-1e3, 1e3, allow_nan=False)


@given(st.lists(numbers, min_size=23, max_size=23), numbers)
def test_wis_is_twice_the_mean_pinball_loss(values: list[float], outcome: float) -> None:
    quantiles, y = np.sort(np.array([values])), np.array([outcome])

    expected = 2 * pinball(quantiles, LEVELS, y).mean(axis=1)

    np.testing.assert_allclose(weighted_interval_score(quantiles, LEVELS, y).wis, expected, rtol=1e-12, atol=1e-12)


@given(st.lists(numbers, min_size=23, max_size=23), numbers)
def test_the_three_parts_add_up_and_none_is_negative(values: list[float], outcome: float) -> None:
    score = weighted_interval_score(np.sort(np.array([values])), LEVELS, np.array([outcome]))

    parts = (score.dispersion, score.overprediction, score.underprediction)

    np.testing.assert_allclose(score.wis, sum(parts, np.zeros(1)), rtol=1e-12)
    assert all((part >= 0).all() for part in parts)


@pytest.mark.parametrize("truth", [10.0, 0.7])
def test_a_perfect_forecast_scores_zero(truth: float) -> None:
    # A well-known package gives 3.33 and 0.233 here: it adds the median itself instead of its distance.
    sure = np.full((1, len(LEVELS)), truth)

    assert weighted_interval_score(sure, LEVELS, np.array([truth])).wis.tolist() == [0.0]


def _normal(mean: float, sd: float, n: int) -> Array:
    return np.tile(norm.ppf(LEVELS, mean, sd), (n, 1))


def test_wis_of_a_uniform_forecast_has_its_closed_form() -> None:
    # For U(0, 1), q = tau; at outcome 1 each pinball loss is tau (1 - tau), and WIS is twice their mean.
    expected = 2 * np.mean([tau * (1 - tau) for tau in LEVELS])

    found = weighted_interval_score(np.array([LEVELS]), LEVELS, np.array([1.0])).wis[0]

    assert found == pytest.approx(expected, abs=1e-14)


def test_mean_wis_of_a_true_normal_forecast_has_its_closed_form() -> None:
    # E rho_tau(Y - q_tau) = phi(z_tau) for a standard normal, so E WIS = 2 mean phi(z_tau).
    expected = 2 * np.mean(norm.pdf(norm.ppf(LEVELS)))
    y = norm.ppf((np.arange(200_000) + 0.5) / 200_000)

    found = weighted_interval_score(_normal(0, 1, len(y)), LEVELS, y).wis.mean()

    # The tails beyond the evenly spaced points carry a few parts in 1e6.
    assert found == pytest.approx(expected, rel=1e-5)


def test_a_true_forecast_covers_at_its_nominal_rate() -> None:
    y = norm.ppf((np.arange(100_000) + 0.5) / 100_000)

    for nominal in (0.5, 0.8, 0.9, 0.95):
        assert covered(_normal(0, 1, len(y)), LEVELS, y, nominal).mean() == pytest.approx(nominal, abs=1e-4)


def test_an_interval_that_is_not_among_the_levels_is_refused() -> None:
    with pytest.raises(ParameterError, match="found no such interval"):
        covered(_normal(0, 1, 1), LEVELS, np.zeros(1), 0.55)


def test_levels_that_are_not_symmetric_are_refused() -> None:
    with pytest.raises(ParameterError, match="symmetric"):
        weighted_interval_score(np.zeros((1, 3)), (0.1, 0.5, 0.8), np.zeros(1))


def test_bias_has_the_sign_of_the_forecasts_error() -> None:
    high, low, right = (bias(_normal(mean, 1, 1), LEVELS, np.zeros(1))[0] for mean in (3.0, -3.0, 0.0))

    assert (high, low, right) == (1.0, -1.0, 0.0)
