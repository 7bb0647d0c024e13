"""A hindcast knows what was public on its day and nothing else, asks all methods the same rows, and says whom it left out."""

from __future__ import annotations

import dataclasses
from datetime import date

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from tests.conftest import ROOT, Built

from foresaid import params
from foresaid.evaluation.hindcast import run_case, split_of_scale, teachers
from foresaid.evaluation.schema import SCHEMA
from foresaid.laws import _loader as laws
from foresaid.params import Hindcast
from foresaid.registry import database

NAME = "obsscaling-2024-05"
LAW = "compute_sigmoid"
ROW = ["target_id", "subject_id"]


def case(built: Built, name: str = NAME, **changed: object) -> Hindcast:
    return dataclasses.replace(built.params.hindcast[name], laws=(LAW,), **changed)  # type: ignore[arg-type]


def forecast(
    built: Built, one: Hindcast, name: str = NAME, by_release: bool = False
) -> tuple[pl.DataFrame, list[dict[str, object]]]:
    connection = database.open_database(built.build / "database")
    try:
        return run_case(name, one, built.params, connection, built.registry, by_release=by_release)
    finally:
        connection.close()


@pytest.fixture(scope="module")
def made(built: Built) -> tuple[pl.DataFrame, list[dict[str, object]]]:
    return forecast(built, case(built))


def test_the_table_has_the_columns_of_the_contract_and_only_models_released_after_the_day(
    made: tuple[pl.DataFrame, list[dict[str, object]]],
) -> None:
    rows, fits = made

    assert rows.schema == SCHEMA
    assert rows.height
    assert rows["released_on"].min() > date(2024, 5, 31)  # type: ignore[operator]  # a column of days
    assert set(rows["case"]) == {NAME}
    assert {one["law"] for one in fits} == {LAW}


def test_outcomes_are_the_first_published_values_and_were_unknown_on_the_day(
    built: Built, made: tuple[pl.DataFrame, list[dict[str, object]]]
) -> None:
    rows = made[0].filter(pl.col("law") == LAW).select("quantity_id", "subject_id", "observed").unique()
    connection = database.open_database(built.build / "database")
    first = database.resolutions(connection, date(2024, 10, 1)).observations.select("quantity_id", "subject_id", first="value")
    known = database.as_of(connection, date(2024, 5, 31)).observations
    connection.close()
    joined = rows.join(first.unique(), on=["quantity_id", "subject_id"], how="left")

    assert joined["first"].null_count() == 0
    assert (joined["observed"] - joined["first"]).abs().max() < 1e-12  # type: ignore[operator]  # the same number, scaled and back
    assert not rows.join(known, on=["quantity_id", "subject_id"], how="semi").height


def test_what_became_known_later_changes_no_forecast(built: Built, made: tuple[pl.DataFrame, list[dict[str, object]]]) -> None:
    later = forecast(built, case(built, until=date(2026, 11, 21)))[0]
    columns = [*ROW, "law", "status", "point", "quantiles"]
    before = made[0].select(columns).sort("law", *ROW)

    assert later.height >= made[0].height
    assert_frame_equal(
        later.select(columns).join(before.select(*ROW, "law"), on=[*ROW, "law"], how="semi").sort("law", *ROW), before
    )


def test_every_baseline_answers_the_rows_of_the_law_once(made: tuple[pl.DataFrame, list[dict[str, object]]]) -> None:
    asked = made[0].filter(pl.col("law") == LAW).select(ROW).sort(ROW)
    baselines = made[0].filter(pl.col("role") == "baseline")

    assert baselines["law"].n_unique() >= 3
    for _, part in baselines.group_by("law"):
        assert_frame_equal(part.select(ROW).sort(ROW), asked)


def test_a_day_before_the_record_began_has_nothing_to_forecast(built: Built) -> None:
    rows, fits = forecast(built, case(built, as_of=date(2019, 1, 1), until=date(2019, 6, 1)))

    assert rows.schema == SCHEMA
    assert (rows.height, fits) == (0, [])


def test_by_release_values_count_from_the_release_of_their_model(built: Built) -> None:
    rows = forecast(built, case(built, as_of=date(2023, 12, 31), until=date(2024, 5, 31)), by_release=True)[0]

    assert rows.height
    assert rows["released_on"].min() > date(2023, 12, 31)  # type: ignore[operator]  # a column of days
    assert rows["released_on"].max() <= date(2024, 5, 31)  # type: ignore[operator]


MEANS = params.load(ROOT / "params.yaml").hindcast["gadre-mean-error"]
BY_LOSS = params.load(ROOT / "params.yaml").laws["loss_logistic"]


def test_other_runs_teach_and_a_series_with_a_row_that_is_scored_does_not(built: Built) -> None:
    view = built.as_of("2026-11-21")
    law = laws.load("loss_logistic", {**BY_LOSS, **MEANS.settings})
    scored = [split_of_scale(law, table, MEANS) for table in law.tables(view)]
    both = dataclasses.replace(MEANS, taught_by={"loss_logistic": (*MEANS.taught_by["loss_logistic"], MEANS.settings)})
    found = [one.table.target.target_id for one in teachers("loss_logistic", both, BY_LOSS, view, scored)]

    assert found == [
        "gadre_mean_of_17/gadre/c4-original",
        "gadre_mean_of_46/gadre/c4-original",
        "gadre_mean_of_17/gadre/rw-original",
        "gadre_mean_of_46/gadre/rw-original",
        "olmo_mmlu_mc/olmo-ladder/7b",
        "olmo_mmlu_rc/olmo-ladder/7b",
        next(name for name in found if name.startswith("pythia_mmlu")),
    ]
    assert teachers("error_loss", both, BY_LOSS, view, scored) == []


def test_groups_of_runs_that_share_a_quantity_teach_under_names_of_their_own(built: Built) -> None:
    shipped = params.load(ROOT / "params.yaml")
    case = shipped.hindcast["ladder-7b"]
    found = teachers("direct_power", case, shipped.laws["direct_power"], built.as_of("2026-11-21"), [])
    names = [one.table.target.target_id for one in found]

    assert len(names) == len(set(names)) == 39
    assert "gadre_piqa/gadre/rpj" in names


def test_a_case_that_is_taught_has_a_discrepancy_and_the_same_forecasts_are_asked(built: Built) -> None:
    one = dataclasses.replace(MEANS, laws=("loss_logistic",))
    shipped = dataclasses.replace(built.params, laws={"loss_logistic": BY_LOSS})
    connection = database.open_database(built.build / "database")
    taught, fits = run_case("means", one, shipped, connection, built.registry)
    alone, before = run_case("means", dataclasses.replace(one, taught_by={}), shipped, connection, built.registry)
    connection.close()

    assert taught.select(ROW).equals(alone.select(ROW))
    assert len(fits) == len(before) == 2
    assert all(found["discrepancy"]["independent"] == 5 for found in fits)
    assert all(found["discrepancy"] is None for found in before)
