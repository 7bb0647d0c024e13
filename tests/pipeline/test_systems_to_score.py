"""From fit to score with `systems: each`: the frozen target says so, and two efforts of one model are two scored rows."""

from __future__ import annotations

import dataclasses
import shutil
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from tests.conftest import ROOT, Built

from foresaid import params
from foresaid.confusables import model_of
from foresaid.ledger import store
from foresaid.ledger.entries import schema as entries
from foresaid.params import Params, RoundSettings
from foresaid.pipeline import fit, freeze, outcomes, score
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

    assert target.system == "each"
    assert isinstance(forecast.prediction, entries.CurvePrediction)
    assert forecast.prediction.curve["settings"]["systems"] == "each"


def test_two_efforts_of_one_model_are_scored_apart_and_are_one_release(frozen: tuple[Path, Path, Params]) -> None:
    registry, build, made = frozen
    connection = database.open_database(build / "database")
    known = database.as_of(connection, ABOARD).of("each").under(QUANTITY)
    connection.close()
    today = date(2026, 11, 21)
    lines, _ = outcomes.proposed(store.read(registry / "ledger"), outcomes.read_record(registry, build), today)
    at = datetime(2026, 11, 21, 12, tzinfo=UTC)
    store.write_batch(
        registry / "ledger", lines, origin=made.origin, author=made.author, as_of=today, frozen_at=at, data=[], code=CODE
    )

    (row,) = score.prospective(registry).table
    found = Counter(model_of(name) for name in row["subjects"])
    assert row["standing"] == "claimed"  # nobody proved when it was frozen
    assert sum(count > 1 for count in found.values()) >= 5
    assert not set(row["subjects"]) & set(known["subject_id"])
