"""No forecast of a share is narrower than the noise of counting its items."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from foresaid.forecasting.floors import binomial_floor, floored
from foresaid.scoring.levels import LEVELS

MIDDLE = len(LEVELS) // 2


@given(st.floats(0, 1), st.floats(0, 0.3), st.integers(1, 5000))
def test_every_central_interval_holds_the_binomial_one_and_its_own(median: float, spread: float, items: int) -> None:
    stated = np.clip(median + spread * (np.array(LEVELS) - 0.5), 0.0, 1.0)[None, :]
    made = binomial_floor(stated, np.array([items]))[0]
    p = min(max(stated[0, MIDDLE], 0.5 / items), 1 - 0.5 / items)

    assert (np.diff(made) >= 0).all()
    assert made.min() >= 0.0
    assert made.max() <= 1.0
    assert made[MIDDLE] == stated[0, MIDDLE]
    for k in range(MIDDLE):
        low, high = (binom.ppf(LEVELS[j], items, p) / items for j in (k, -1 - k))
        assert made[k] <= min(low, stated[0, k])
        assert made[-1 - k] >= max(high, stated[0, -1 - k])


def test_a_forecast_wider_than_its_noise_stays_as_it_is() -> None:
    wide = (0.1 + 0.8 * np.array(LEVELS))[None, :]

    assert binomial_floor(wide, np.array([10_000])).tolist() == wide.tolist()


def test_nobody_who_failed_all_items_is_certain_to_fail_them_again() -> None:
    made = binomial_floor(np.zeros((1, len(LEVELS))), np.array([30]))[0]

    assert made[LEVELS.index(0.975)] == pytest.approx(2 / 30)  # P(X <= 1) = .91 and P(X <= 2) = .99 at p = 1/60


def test_only_forecasts_of_counted_shares_are_moved() -> None:
    point = [0.5] * len(LEVELS)
    rows = pl.DataFrame(
        {"quantity_id": ["share", "elo", "share"], "quantiles": [point, point, None]},
        schema={"quantity_id": pl.String, "quantiles": pl.List(pl.Float64)},
    )

    made = floored(rows, {"share": 100})["quantiles"].to_list()

    assert made[0][0] < 0.5 < made[0][-1]
    assert made[1:] == [point, None]
    assert floored(rows, {}).equals(rows)
