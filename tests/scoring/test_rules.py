"""Scoring rules against closed forms, against each other, and against values worked out by hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn.metrics import mean_pinball_loss

from foresaid.arrays import Array
from foresaid.errors import ParameterError
from foresaid.scoring.levels import LEVELS, same_levels
from foresaid.scoring.rules import bias, covered, crps_of_draws, log_score_of_mixture, pinball, weighted_interval_score

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


# scoringutils (R), its own test of `wis` on two intervals and the median, "corresponds to covidHubUtils" (tests/testthat,
# metrics-quantile): outcomes 1, -15, 22 at levels 0.1, 0.25, 0.5, 0.75, 0.9, and the expected value as it is written there,
# (0.5 |y - m| + sum of alpha / 2 * width + distance outside) / 2.5. Typed from memory: the R source was not at hand to read again.
PUBLISHED = np.array([[-1.0, 0, 1, 2, 3], [-2, 1, 2, 2, 4], [-2, 0, 3, 3, 4]])
PUBLISHED_AT, PUBLISHED_OUTCOMES = (0.1, 0.25, 0.5, 0.75, 0.9), np.array([1.0, -15.0, 22.0])


def test_wis_is_that_of_the_published_example_of_scoringutils() -> None:
    found = weighted_interval_score(PUBLISHED, PUBLISHED_AT, PUBLISHED_OUTCOMES)

    np.testing.assert_allclose(found.wis, [0.36, 15.34, 19.14], atol=1e-12)
    np.testing.assert_allclose(found.dispersion, [0.36, 0.34, 0.54], atol=1e-12)
    np.testing.assert_allclose(found.overprediction, [0.0, 15.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(found.underprediction, [0.0, 0.0, 18.6], atol=1e-12)


def test_bias_and_coverage_are_those_of_the_published_example_of_scoringutils() -> None:
    # The same three forecasts stand in the examples of `bias_quantile` and `interval_coverage`.
    assert bias(PUBLISHED, PUBLISHED_AT, PUBLISHED_OUTCOMES).tolist() == [0.0, 1.0, -1.0]
    assert covered(PUBLISHED, PUBLISHED_AT, PUBLISHED_OUTCOMES, 0.8).tolist() == [True, False, False]


@settings(max_examples=20)
@given(st.lists(st.lists(numbers, min_size=23, max_size=23), min_size=1, max_size=4), numbers)
def test_wis_is_that_of_an_independent_package(values: list[list[float]], outcome: float) -> None:
    quantiles, y = np.sort(np.array(values)), np.full(len(values), outcome)
    # scikit-learn's pinball loss, written for the evaluation of quantile regression.
    expected = 2 * np.mean([mean_pinball_loss(y, quantiles[:, i], alpha=level) for i, level in enumerate(LEVELS)])

    assert weighted_interval_score(quantiles, LEVELS, y).wis.mean() == pytest.approx(expected, rel=1e-12, abs=1e-12)


@pytest.mark.slow
def test_wis_is_that_of_scoringrules() -> None:
    scoringrules = pytest.importorskip("scoringrules", reason="scoringrules comes with the peers of `make bench`")
    rng = np.random.default_rng(6)
    quantiles, y = np.sort(rng.normal(size=(200, len(LEVELS))), axis=1), rng.normal(size=200)

    found = weighted_interval_score(quantiles, LEVELS, y).wis

    np.testing.assert_allclose(found, scoringrules.crps_quantile(y, quantiles, np.array(LEVELS)), rtol=1e-12, atol=1e-12)


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


def test_crps_of_many_normal_draws_is_the_closed_form() -> None:
    # CRPS of N(0, 1) at y: y (2 Phi(y) - 1) + 2 phi(y) - 1 / sqrt(pi). Gneiting and Raftery 2007, equation 21.
    y = np.array([-1.5, 0.0, 0.7])
    expected = y * (2 * norm.cdf(y) - 1) + 2 * norm.pdf(y) - 1 / np.sqrt(np.pi)
    draws = np.tile(norm.ppf((np.arange(20_000) + 0.5) / 20_000)[:, None], (1, 3))

    np.testing.assert_allclose(crps_of_draws(draws, y), expected, atol=1e-4)


def test_crps_of_uniform_draws_is_the_closed_form() -> None:
    # For U(0, 1) and y in [0, 1]: y^2 - y + 1/3.
    y = np.array([0.0, 0.3, 1.0])
    draws = np.tile(((np.arange(5000) + 0.5) / 5000)[:, None], (1, 3))

    np.testing.assert_allclose(crps_of_draws(draws, y), y**2 - y + 1 / 3, atol=1e-4)


@given(st.lists(numbers, min_size=1, max_size=20), numbers)
def test_crps_is_the_mean_over_all_pairs(values: list[float], outcome: float) -> None:
    x = np.array(values)
    expected = np.abs(x - outcome).mean() - 0.5 * np.abs(x[:, None] - x[None, :]).mean()

    assert crps_of_draws(x[:, None], np.array([outcome]))[0] == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_crps_of_a_perfect_forecast_is_zero() -> None:
    assert crps_of_draws(np.full((7, 1), 0.7), np.array([0.7])).tolist() == [0.0]


def test_log_score_of_two_draws_is_that_of_the_two_part_mixture() -> None:
    expected = -np.log(0.5 * norm.pdf(0.2, 0.1, 0.05) + 0.5 * norm.pdf(0.2, 0.3, 0.05))

    found = log_score_of_mixture(np.array([[0.1], [0.3]]), 0.05, np.array([0.2]), 0.0, 1.0)

    assert found[0] == pytest.approx(expected, rel=1e-12)


def test_log_score_at_a_bound_is_the_probability_of_reaching_it() -> None:
    found = log_score_of_mixture(np.array([[0.9]]), 0.1, np.array([1.0]), 0.0, 1.0)

    assert found[0] == pytest.approx(-np.log(norm.sf(1.0)), rel=1e-12)


def test_a_point_mass_has_no_log_score() -> None:
    assert np.isnan(log_score_of_mixture(np.array([[0.5]]), 0.0, np.array([0.5]), 0.0, 1.0)[0])


def test_an_outcome_of_one_is_inside_an_interval_that_ends_within_half_an_item_of_it() -> None:
    # Six of twenty outcomes outside the 80 % intervals of the 2024 test were exactly 1, over an upper quantile of .9998.
    q = np.array([[0.9, 0.95, 0.9998]])

    for resolution, inside in ((0.0, False), (1 / 2501, False), (1 / 2499, True), (1 / 250, True)):
        assert covered(q, (0.1, 0.5, 0.9), np.array([1.0]), 0.8, resolution).tolist() == [inside]


def test_an_outcome_of_zero_is_inside_an_interval_of_a_sliver() -> None:
    assert covered(np.full((1, 3), 2e-20), (0.025, 0.5, 0.975), np.zeros(1), 0.95, 1 / 250).tolist() == [True]


@given(st.lists(numbers, min_size=23, max_size=23), numbers, st.floats(0, 10))
def test_a_coarser_resolution_never_makes_a_hit_an_absence(values: list[float], outcome: float, resolution: float) -> None:
    quantiles, y = np.sort(np.array([values])), np.array([outcome])

    assert covered(quantiles, LEVELS, y, 0.8, resolution)[0] >= covered(quantiles, LEVELS, y, 0.8)[0]


@pytest.mark.parametrize("outcome", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("rule", [weighted_interval_score, bias, pinball, lambda q, levels, y: covered(q, levels, y, 0.8)])
def test_an_outcome_that_is_no_number_is_refused(rule: Callable[..., object], outcome: float) -> None:
    with pytest.raises(ParameterError, match="not numbers"):
        rule(np.array([[0.1, 0.5, 0.9]] * 2), (0.1, 0.5, 0.9), np.array([0.5, outcome]))


def test_a_negative_resolution_is_refused() -> None:
    with pytest.raises(ParameterError, match="resolution"):
        covered(np.array([[0.1, 0.5, 0.9]]), (0.1, 0.5, 0.9), np.array([0.5]), 0.8, -1.0)


def test_levels_made_by_multiplying_are_the_levels_they_stand_for() -> None:
    made = [0.01, 0.025, *(0.05 * i for i in range(1, 20)), 0.975, 0.99]  # 0.05 * 3 is not 0.15

    assert tuple(made) != LEVELS
    assert same_levels(made)
    assert covered(np.array([made]), made, np.array([0.5]), 0.7).tolist() == [True]
