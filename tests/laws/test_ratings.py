"""Laws of ratings without a ceiling against ordinary least squares and planted lines."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t
from sklearn.linear_model import LinearRegression

from foresaid.laws._frontier_rows import LEVELS
from foresaid.laws._rating_line import YEAR, bend, line, no_change, records
from foresaid.laws._rating_trend import trend

DAYS = 739000.0 + np.arange(0, 900, 60.0)


def test_records_are_the_models_that_led_when_they_came() -> None:
    day, value = records(np.array([3.0, 1.0, 2.0, 3.0, 4.0]), np.array([5.0, 1.0, 0.5, 4.0, 5.0]))
    assert day.tolist() == [1.0, 3.0]
    assert value.tolist() == [1.0, 5.0]


def test_line_is_the_exact_predictive_distribution_of_least_squares() -> None:
    rng = np.random.default_rng(0)
    value = np.cumsum(rng.uniform(0.2, 1.0, len(DAYS)))  # every model a record
    at = DAYS[-1] + 365.0
    x = (DAYS - DAYS[-1])[:, None] / YEAR
    fitted = LinearRegression().fit(x, value)
    degrees = len(DAYS) - 2
    noise = np.sqrt(((value - fitted.predict(x)) ** 2).sum() / degrees)
    leverage = 1 + 1 / len(x) + (365.0 / YEAR - x.mean()) ** 2 / ((x - x.mean()) ** 2).sum()
    wanted = fitted.predict([[365.0 / YEAR]])[0] + noise * np.sqrt(leverage) * t.ppf(LEVELS, degrees)
    np.testing.assert_allclose(line(DAYS, value, at)[60:], np.maximum(wanted, value.max())[60:], atol=1e-9)


def test_a_planted_bend_is_found_and_a_line_keeps_its_slope() -> None:
    x = (DAYS - DAYS[0]) / YEAR
    wobble = 0.02 * np.sin(37.0 * x)
    bent = x + 2.0 * np.maximum(x - 1.2, 0.0) + wobble
    at, ahead = DAYS[-1] + YEAR / 2, x[-1] + 0.5
    assert np.median(bend(DAYS, bent, at)) == pytest.approx(ahead + 2.0 * (ahead - 1.2), abs=0.15)
    assert np.median(line(DAYS, bent, at)) < ahead + 2.0 * (ahead - 1.2) - 0.3
    assert np.median(bend(DAYS, x + wobble, at)) == pytest.approx(ahead, abs=0.1)


def test_trend_follows_the_path_and_widens_with_time() -> None:
    x = (DAYS - DAYS[0]) / YEAR
    near, far = (trend(DAYS, 3.0 * x, DAYS[-1] + 30.0 * months, DAYS[-1]) for months in (3, 12))
    assert np.median(near) == pytest.approx(3.0 * (x[-1] + 90.0 / YEAR), abs=0.35)
    assert far[180] - far[19] > near[180] - near[19]


@pytest.mark.parametrize("count", [1, 3])
def test_a_short_series_says_no_more_than_no_change(count: int) -> None:
    for law in (line, bend, no_change):
        np.testing.assert_array_equal(law(DAYS[:count], np.arange(count, dtype=float), DAYS[-1]), np.full(200, count - 1.0))
