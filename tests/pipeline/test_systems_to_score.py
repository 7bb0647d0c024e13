"""From fit to score with `systems: each`: the frozen target says so, and two efforts of one model are two scored rows."""

from __future__ import annotations

import dataclasses
import shutil
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from msgspec import UNSET
from tests.conftest import ROOT, Built

from foresaid import params
from foresaid.confusables import model_of
from foresaid.evaluation import units
from foresaid.ledger import store
from foresaid.ledger.entries import schema as entries
from foresaid.ledger.entries.resolutions import Resolution
from foresaid.ledger.state.index import subject_of
from foresaid.params import Params, RoundSettings
from foresaid.pipeline import fit, freeze, outcomes, score
from foresaid.registry import database

CODE = entries.Code(git=None, dirty=False, version="0.1.0")
QUANTITY, ABOARD = "epoch_capabilities_index", date(2026, 3, 12)
TODAY = date(2026, 11, 21)


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
    fit.run("growth", made, folder / "build")
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
    published = database.resolutions(connection, TODAY)
    known = database.as_of(connection, ABOARD).of("each").under(QUANTITY)
    behind = units.of(connection)
    connection.close()
    place = registry / "ledger"
    (target,) = [one for batch in store.read(place) for one in batch.entries if isinstance(one, entries.TargetEntry)]
    lines, differences = outcomes.proposed(store.read(place), outcomes.read_record(registry, build), TODAY)
    store.write_batch(
        place, lines, origin=made.origin, author=made.author, as_of=TODAY,
        frozen_at=datetime(2026, 11, 21, tzinfo=UTC), data=[], code=CODE,
    )  # fmt: skip
    first = dict(published.of("each").under(QUANTITY).select("subject_id", "value").iter_rows())
    entered = {
        subject_of(target, str(one.subject), "" if one.system is UNSET else one.system): one
        for one in lines
        if isinstance(one, Resolution)
    }
    efforts = Counter(model_of(name) for name in entered)
    several = {model for model, count in efforts.items() if count > 1}

    done = score.prospective(registry, known=behind)
    behind_of = dict(behind.subjects.select("subject_id", "release").iter_rows())
    asked = pl.DataFrame({"subject_id": list(entered)}).with_columns(quantity_id=pl.lit(QUANTITY), cluster=pl.lit(""))
    released = dict(units.attach(asked, behind).select("subject_id", "release").iter_rows())
    claimed = [name for row in done.table if row["standing"] == "claimed" for name in row["subjects"]]

    assert differences == []
    assert len(several) >= 5
    assert all(float(str(one.value)) == pytest.approx(first[name]) for name, one in entered.items())
    assert all(str(one.released_on) > str(ABOARD) for one in entered.values())
    assert not set(entered) & set(known["subject_id"])
    assert set(claimed) == set(entered)
    assert {released[name] for name in entered if model_of(name) in several} <= {behind_of[model] for model in several}
