"""From fit to score with `systems: each`: the frozen target says so, and two efforts of one model are two scored rows."""

from __future__ import annotations

import dataclasses
import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from tests.conftest import ROOT, Built

from foresaid import params
from foresaid.confusables import model_of
from foresaid.evaluation import units
from foresaid.ledger import store
from foresaid.ledger.entries import schema as entries
from foresaid.params import Params, RoundSettings
from foresaid.pipeline import fit, freeze, score
from foresaid.registry import database

CODE = entries.Code(git=None, dirty=False, version="0.1.0")
QUANTITY, ABOARD = "epoch_capabilities_index", date(2026, 3, 12)


@pytest.fixture(scope="module")
def frozen(built: Built, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Params]:
    """A ledger as it would have been, had growth been frozen on 2026-03-12; made for the test and thrown away."""
    folder = tmp_path_factory.mktemp("systems")
    shutil.copytree(built.registry, folder / "registry")
    shutil.rmtree(folder / "registry" / "ledger")
    store.create(folder / "registry" / "ledger", built.params.origin)
    shutil.copytree(built.build / "database", folder / "build" / "database")
    entry = {**params.load(ROOT / "params.yaml").laws["growth"], "targets": {QUANTITY: {}}, "every": 0}
    opened = RoundSettings("2026-03", ABOARD, "2026-03-20T00:00:00Z")
    made = dataclasses.replace(built.params, round=opened, laws={"growth": entry})
    fit.run("growth", made, folder / "build", folder / "metrics")
    freeze.freeze(made, folder / "build", folder / "registry", CODE, datetime(2026, 3, 12, 18, tzinfo=UTC))
    return folder / "registry", folder / "build", made


def test_the_frozen_target_and_its_curve_say_which_systems_they_are_about(frozen: tuple[Path, Path, Params]) -> None:
    registry, _, made = frozen
    batches, _ = store.read_admitted(registry / "ledger", made.origin)
    lines = [entry for batch in batches for entry in batch.entries]
    (target,) = [one for one in lines if isinstance(one, entries.TargetEntry)]
    (forecast,) = [one for one in lines if isinstance(one, entries.ForecastEntry)]

    assert str(target.binding).startswith(
        "every system (effort, budget, tools, agent, precision, host) of every model released after"
    )
    assert isinstance(forecast.prediction, entries.CurvePrediction)
    assert forecast.prediction.curve["settings"]["systems"] == "each"


def test_two_efforts_of_one_model_are_scored_apart_and_are_one_release(frozen: tuple[Path, Path, Params]) -> None:
    registry, build, _ = frozen
    connection = database.open_database(build / "database")
    view, published = database.as_of(connection, score.ALWAYS), database.resolutions(connection, score.ALWAYS)
    known = database.as_of(connection, ABOARD).of("each").under(QUANTITY)
    behind = units.of(connection)
    connection.close()

    done = score.prospective(registry, view, published)
    rows = units.attach(done.rows, behind).with_columns(model=pl.col("subject_id").map_elements(model_of, return_dtype=pl.String))
    first = dict(published.of("each").under(QUANTITY).select("subject_id", "value").iter_rows())
    efforts = rows.group_by("model").agg(pl.col("subject_id").n_unique(), pl.col("release").n_unique(), pl.col("wis").count())
    several = efforts.filter(pl.col("subject_id") > 1)

    assert several.height >= 5
    assert set(several["release"]) == {1}
    assert several["wis"].to_list() == several["subject_id"].to_list()
    assert all(first[name] == value for name, value in rows.select("subject_id", "value").iter_rows())
    assert rows["released_on"].min() > ABOARD  # type: ignore[operator]  # a date, as the schema says
    assert not set(rows["subject_id"]) & set(known["subject_id"])
