"""Coverage, PIT and their tests on forecasters whose calibration is known, with rows that hang together."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta, binomtest, norm

from foresaid.arrays import Array
from foresaid.errors import ParameterError
from foresaid.scoring.calibration import calibration_test, coverage_interval, probability_integral_transform, reliability
from foresaid.scoring.levels import LEVELS
from foresaid.scoring.significance import TOO_FEW

RELEASES, ROWS, TRIALS = 30, 8, 300
CLUSTERS = [f"release-{i // ROWS:02d}" for i in range(RELEASES * ROWS)]


def outcomes(rng: np.random.Generator) -> Array:
    """Standard normal outcomes whose rows of one release correlate at one half."""
    return np.asarray(np.repeat(rng.normal(size=RELEASES), ROWS) * np.sqrt(0.5) + rng.normal(size=RELEASES * ROWS) * np.sqrt(0.5))


def pit(y: Array, mean: float, sd: float) -> Array:
    return probability_integral_transform(np.tile(norm.ppf(LEVELS, mean, sd), (len(y), 1)), LEVELS, y)


@pytest.mark.parametrize(
    ("mean", "sd", "named"),
    [(0.0, 0.5, "too narrow"), (0.0, 2.2, "too wide"), (-0.8, 1.0, "forecasts too low"), (0.8, 1.0, "forecasts too high")],
)
def test_a_miscalibrated_forecaster_is_rejected_and_named(mean: float, sd: float, named: str) -> None:
    rng = np.random.default_rng(2)
    verdicts = [calibration_test(pit(outcomes(rng), mean, sd), CLUSTERS, rng, 399).verdict for _ in range(100)]

    print(f"mean {mean}, sd {sd}: {named} in {verdicts.count(named)} of 100")
    assert verdicts.count(named) >= 90


def test_a_calibrated_forecaster_is_accepted_at_the_stated_rate() -> None:
    rng = np.random.default_rng(4)
    rejected = sum(int(calibration_test(pit(outcomes(rng), 0.0, 1.0), CLUSTERS, rng, 399).p < 0.05) for _ in range(TRIALS))

    print(f"calibrated, dependent rows: rejected {rejected} of {TRIALS} at 5 %")
    # 99.9 % of binomial(300, 0.05) lies within 4 to 29.
    assert 4 <= rejected <= 29


def test_the_clustered_coverage_interval_holds_the_truth_where_the_plain_one_does_not() -> None:
    rng = np.random.default_rng(9)
    clustered = plain = 0
    for _ in range(TRIALS):
        # Three quarters of releases hit or miss as one.
        lead = rng.random(RELEASES) < 0.8
        own = rng.random(RELEASES * ROWS) < 0.8
        inside = np.where(rng.random(RELEASES * ROWS) < 0.75, np.repeat(lead, ROWS), own).astype(float)
        found = coverage_interval(inside, CLUSTERS)
        clustered += int(found.lower <= 0.8 <= found.upper)
        interval = binomtest(int(inside.sum()), len(inside)).proportion_ci()
        plain += int(interval.low <= 0.8 <= interval.high)
    print(f"true coverage inside the 95 % bounds: by release {clustered} of {TRIALS}, row by row {plain}")
    assert clustered >= 0.92 * TRIALS
    assert plain < 0.8 * TRIALS


def test_independent_rows_get_the_interval_of_clopper_and_pearson() -> None:
    inside = np.array([1.0] * 15 + [0.0] * 5)

    found = coverage_interval(inside, [str(i) for i in range(20)])

    assert found.lower == pytest.approx(beta.ppf(0.025, 15, 6))
    assert found.upper == pytest.approx(beta.ppf(0.975, 16, 5))


def test_quantiles_of_the_interval_are_those_of_scipys_distributions_to_the_last_digit() -> None:
    inside, clusters = np.repeat([1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0], 3), [str(i // 3) for i in range(21)]

    found = coverage_interval(inside, clusters)

    hits, tail = found.share * found.effective, (1 - 0.95) / 2
    assert found.effective < 21
    assert found.lower == beta.ppf(tail, hits, found.effective - hits + 1)
    assert found.upper == beta.ppf(1 - tail, hits + 1, found.effective - hits)


def test_all_inside_is_worth_one_row_a_release() -> None:
    found = coverage_interval(np.ones(40), [str(i // 10) for i in range(40)])

    assert (found.effective, found.upper) == (4.0, 1.0)
    assert found.lower == pytest.approx(beta.ppf(0.025, 4, 1))


@given(st.lists(st.floats(-5, 5), min_size=23, max_size=23), st.floats(-6, 6))
def test_pit_lies_between_zero_and_one_and_grows_with_the_outcome(values: list[float], y: float) -> None:
    quantiles = np.sort(np.array([values, values]), axis=1)

    found = probability_integral_transform(quantiles, LEVELS, np.array([y, y + 0.5]))

    assert 0.0 < found[0] < 1.0
    assert found[1] >= found[0] - 1e-12


def test_pit_of_a_true_normal_forecast_is_its_distribution_function() -> None:
    y = norm.ppf(np.linspace(0.03, 0.97, 50))

    np.testing.assert_allclose(pit(y, 0.0, 1.0), norm.cdf(y), atol=5e-3)


def test_pit_of_a_point_mass_hit_exactly_is_the_middle() -> None:
    assert probability_integral_transform(np.full((1, 23), 0.4), LEVELS, np.array([0.4])).tolist() == [0.5]


def test_few_releases_get_no_verdict() -> None:
    assert calibration_test(np.full(30, 0.01), [str(i % 5) for i in range(30)], np.random.default_rng(0)).verdict == TOO_FEW


def test_a_true_forecast_is_reliable_at_every_level() -> None:
    y = norm.ppf((np.arange(20_000) + 0.5) / 20_000)

    np.testing.assert_allclose(reliability(np.tile(norm.ppf(LEVELS), (len(y), 1)), LEVELS, y), LEVELS, atol=1e-4)


def test_pit_of_rounded_outcomes_of_a_true_forecast_has_no_place() -> None:
    # Rounding to a coarse grid moves single values and not their mean; counted as exact, ties at 1 pile up at the top.
    rng = np.random.default_rng(8)
    share = np.clip(rng.normal(0.97, 0.05, 20_000), 0.0, 1.0)
    rounded = np.round(share * 50) / 50
    q = np.tile(np.clip(norm.ppf(LEVELS, 0.97, 0.05), 0.0, 1.0 - 1e-6), (len(share), 1))

    exact, censored = (probability_integral_transform(q, LEVELS, rounded, r).mean() for r in (0.0, 0.02))
    assert abs(censored - 0.5) < 0.02 < abs(exact - 0.5)


def test_an_outcome_that_is_no_number_has_no_transform() -> None:
    with pytest.raises(ParameterError, match="not numbers"):
        probability_integral_transform(np.full((1, 23), 0.4), LEVELS, np.array([np.nan]))
