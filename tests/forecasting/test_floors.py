"""No forecast of a share is narrower than the noise of counting its items."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from foresaid.fitting.data import Covariate, Target, TrainingTable
from foresaid.fitting.frozen_curve import freeze_curve
from foresaid.forecasting.floors import binomial_floor, floored
from foresaid.forecasting.predict import predict
from foresaid.forecasting.recalibration import FitRequest, recalibrated_fits
from foresaid.laws._loader import load
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


def test_below_a_ceiling_only_the_items_that_can_be_solved_vary() -> None:
    """Of 50 items 30 can be solved: the floor is that of 30 items on the way to .6, and nothing is moved above .6."""
    made = binomial_floor(np.full((1, len(LEVELS)), 0.3), np.array([50]), np.array([0.6]))[0]

    assert made[LEVELS.index(0.9)] == pytest.approx(0.6 * binom.ppf(0.9, 30, 0.5) / 30)
    assert binomial_floor(np.full((1, len(LEVELS)), 0.59), np.array([50]), np.array([0.6]))[0].max() == pytest.approx(0.6)


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


SCALES = {"one budget": np.full(24, np.log(1e22)), "three decades": np.log(np.logspace(20, 23, 24))}


@pytest.mark.parametrize(("scale", "share"), [("three decades", 0.0), ("one budget", 0.0), ("one budget", 0.3)])
def test_rows_without_information_are_unidentified_and_give_no_certainty(scale: str, share: float) -> None:
    # Nobody scores yet, or all rows have one budget: case 12 of the public record.
    x, rng = SCALES[scale], np.random.default_rng(1)
    y = np.clip(share + (0.05 * rng.normal(size=24) if share else np.zeros(24)), 0.0, 1.0)
    names, day = tuple(f"r{i:02d}" for i in range(24)), date(2024, 1, 1)
    target = Target("t", "T", "t", (Covariate("training_flops", "ln"),), 0.0, 1.0, 0.0, 1.0, "s")
    table = TrainingTable(target, names, names, (day,) * 24, (day,) * 24, x[:, None], y)
    law = load("compute_sigmoid", {"sources": ["s"], "targets": {"t": {}}})
    found = recalibrated_fits([FitRequest(law, table, {})], 7, 40, None)[0].fit

    assert found.status == "unidentified"
    far = predict(law, freeze_curve(law, found, {}, day, 7), np.log([[1e22], [1e26]])).quantiles
    made = binomial_floor(far, np.array([100, 100]))
    widths = made[:, LEVELS.index(0.975)] - made[:, LEVELS.index(0.025)]
    # Within the rows at least what a hundred items leave open; a thousand times beyond them much more.
    assert widths[0] >= 0.02
    assert widths[1] >= 0.2


def test_rows_that_are_known_to_lie_above_the_floor_are_not_looked_at() -> None:
    frame = pl.DataFrame({"quantity_id": ["q", "q"], "quantiles": [[0.5] * len(LEVELS)] * 2, "new": [True, False]})

    made = floored(frame, {"q": 100}, pl.col("new"))

    assert made["quantiles"][0].to_list() == floored(frame, {"q": 100})["quantiles"][0].to_list() != frame["quantiles"][0].to_list()
    assert made["quantiles"][1].to_list() == frame["quantiles"][1].to_list()
