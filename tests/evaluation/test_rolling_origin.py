"""Rolling origins: nothing is learned from what an origin could not know, in either of the two modes."""

from __future__ import annotations

import dataclasses
from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import ROOT, Built

from foresaid import params
from foresaid.errors import LeakError
from foresaid.evaluation import rolling_origin
from foresaid.evaluation.modes import KNOWN, RELEASED
from foresaid.fitting.data import TrainingTable
from foresaid.forecasting.baselines import FOR_RELEASES
from foresaid.forecasting.score_baselines import FOR_SCORES
from foresaid.params import Rolling
from foresaid.registry import database

LAWS = ("observational", "compute_sigmoid")
GRID = Rolling(date(2023, 7, 1), date(2024, 7, 1), 12, (3, 6, 12), 4, 8, LAWS)
TARGETS = ("gsm8k_cot",)


@pytest.fixture(scope="module")
def few(built: Built) -> Any:
    laws = {
        name: {**built.params.laws[name], "targets": {key: built.params.laws[name]["targets"][key] for key in TARGETS}}
        for name in LAWS
    }
    return dataclasses.replace(built.params, rolling=GRID, laws=laws)


@pytest.fixture(scope="module")
def made(built: Built, few: Any) -> pl.DataFrame:
    connection = database.open_database(built.build / "database")
    days = rolling_origin.origins(GRID, RELEASED, full=False)
    frames = [rolling_origin.forecasts(few, connection, mode, days, GRID.replicates) for mode in rolling_origin.MODES]
    connection.close()
    return pl.concat(frames)


def test_known_on_the_day_takes_every_month_and_release_dates_some_of_them() -> None:
    full = rolling_origin.origins(GRID, RELEASED, full=True)

    assert (len(full), full[0], full[-1]) == (13, date(2023, 7, 1), date(2024, 7, 1))
    assert rolling_origin.origins(GRID, KNOWN, full=False) == full
    assert rolling_origin.origins(GRID, RELEASED, full=False) == [date(2023, 7, 1), date(2024, 7, 1)]


@given(st.dates(date(2000, 1, 1), date(2090, 1, 1)), st.integers(0, 100), st.integers(0, 100))
def test_months_add_up(day: date, first: int, second: int) -> None:
    assert rolling_origin.later(rolling_origin.later(day, first), second) == rolling_origin.later(day, first + second)


def test_every_model_forecast_came_out_after_the_origin_and_within_the_year(made: pl.DataFrame) -> None:
    ends = pl.col("origin").map_elements(lambda day: rolling_origin.later(day, 12), return_dtype=pl.Date)

    assert made.height > 100
    assert made.filter((pl.col("released_on") <= pl.col("origin")) | (pl.col("released_on") > ends)).height == 0


def test_no_outcome_was_public_at_its_origin(made: pl.DataFrame) -> None:
    assert made.filter(pl.col("public_on") <= pl.col("origin")).height == 0


def test_a_horizon_is_the_first_that_reaches_the_release(made: pl.DataFrame) -> None:
    for row in made.unique(["origin", "released_on", "horizon"]).iter_rows(named=True):
        before = [months for months in GRID.horizons if months < row["horizon"]]

        assert row["released_on"] <= rolling_origin.later(row["origin"], row["horizon"])
        assert all(row["released_on"] > rolling_origin.later(row["origin"], months) for months in before)


def test_before_the_first_vintage_nothing_was_known(made: pl.DataFrame) -> None:
    first = made.group_by("mode").agg(pl.col("origin").min()).sort("mode")

    # The first vintage of the board is that of 2024-05-31; releases reach back for years.
    assert first.rows() == [("known", date(2024, 7, 1)), ("released", date(2023, 7, 1))]


def test_a_law_in_mode_known_trains_on_the_record_as_of_the_origin(built: Built, few: Any) -> None:
    connection = database.open_database(built.build / "database")
    found = rolling_origin.record(connection, KNOWN)
    asked = list(rolling_origin.asked(found, connection, few, LAWS, [date(2024, 7, 1)], 12))
    connection.close()

    assert asked
    assert all(max(one.split.train.known_on) <= date(2024, 7, 1) for one in asked)


def test_rows_released_after_the_origin_are_refused_by_the_guard(built: Built, few: Any) -> None:
    connection = database.open_database(built.build / "database")
    found = rolling_origin.record(connection, KNOWN)
    one = next(iter(rolling_origin.asked(found, connection, few, LAWS, [date(2024, 7, 1)], 12)))
    connection.close()
    table = one.split.train
    late = TrainingTable(
        table.target, table.subjects, table.clusters, table.released_on, (date(2024, 9, 1),) * table.n, table.x, table.y
    )

    with pytest.raises(LeakError, match="known on 2024-09-01"):
        rolling_origin.split_at(found, late, one.split.test, date(2024, 7, 1), date(2025, 7, 1))


def test_every_question_has_an_answer_or_a_row_without_forecast(made: pl.DataFrame) -> None:
    rows = made.group_by("mode", "origin", "target_id", "subject_id").agg(pl.col("law").sort())
    baselines = [*FOR_RELEASES, "mean_of_six", *FOR_SCORES]

    assert all(set(baselines) <= set(laws) for laws in rows["law"])  # the observational law has every target of this grid
    assert made.filter(pl.col("point").is_null() != pl.col("quantiles").is_null()).height == 0


def test_distance_is_none_for_baselines_and_never_negative_for_laws(made: pl.DataFrame) -> None:
    assert made.filter((pl.col("role") == "baseline") & pl.col("distance").is_not_null()).height == 0
    assert made.filter(pl.col("distance") < 0).height == 0
    assert made.filter((pl.col("role") == "law") & (pl.col("distance") > 0)).height > 0


BRIER, PROMPT = "forecastbench_baseline_overall_brier", "prompt=zero-shot"


@pytest.fixture(scope="module")
def forecastbench(built: Built) -> pl.DataFrame:
    """ForecastBench as the pipeline asks it: growth on one board under one prompt, known on the day, at two of its months."""
    shipped = params.load(ROOT / "params.yaml")
    assert shipped.rolling is not None
    assert (BRIER, PROMPT) in shipped.rolling.protocols
    days = [date(2025, 12, 1), date(2026, 2, 1)]
    grid = dataclasses.replace(GRID, first=days[0], last=days[-1], laws=("growth",), protocols=((BRIER, PROMPT),))
    laws = {"growth": {**shipped.laws["growth"], "targets": {}}}
    connection = database.open_database(built.build / "database")
    made = rolling_origin.forecasts(dataclasses.replace(shipped, rolling=grid, laws=laws), connection, KNOWN, days, 3)
    connection.close()
    return made


def test_a_board_is_asked_under_the_one_setting_the_grid_names(built: Built, forecastbench: pl.DataFrame) -> None:
    assert set(forecastbench["target_id"]) == {f"{BRIER}[{PROMPT}]"}
    assert set(forecastbench["unit"]) == {"fraction, lower is better"}  # in no mean with shares of which more is better
    asked = forecastbench.filter(pl.col("law") == "growth")
    file = pl.read_csv(built.registry / "sources" / "forecastbench" / "observations.csv", try_parse_dates=True)
    effort = pl.col("setting").str.extract(r"^(effort=[a-z-]+);")
    rows = file.filter((pl.col("quantity_id") == BRIER) & pl.col("setting").str.ends_with(PROMPT)).with_columns(
        subject_id=pl.when(effort.is_null()).then("subject_id").otherwise(pl.format("{}[{}]", "subject_id", effort))
    )
    first = rows.sort("known_on").group_by("subject_id", maintain_order=True).first()
    outcomes = asked.join(first.select("subject_id", "known_on", first="value"), on="subject_id")

    assert asked.height == outcomes.height > 10
    assert (outcomes["observed"] - outcomes["first"]).abs().max() < 1e-12  # type: ignore[operator]  # a column of floats
    assert (outcomes["public_on"] == outcomes["known_on"]).all()
    assert (outcomes["known_on"] > outcomes["origin"]).all()


def test_the_best_so_far_of_a_brier_score_is_the_least_that_was_public(built: Built, forecastbench: pl.DataFrame) -> None:
    for (origin,), part in forecastbench.filter(pl.col("law") == "best_known").group_by(["origin"]):
        assert isinstance(origin, date)
        known = built.as_of(origin.isoformat()).under(BRIER, PROMPT).filter(pl.col("released_on") <= origin)

        assert part["point"].unique().to_list() == pytest.approx([known["value"].min()])
