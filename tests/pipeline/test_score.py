"""Scoring the ledger: a frozen curve meets the models that came after, and every forecast keeps a state."""

from __future__ import annotations

import dataclasses
import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from tests.conftest import Built

from foresaid.ledger import store
from foresaid.ledger.entries import schema as entries
from foresaid.ledger.state.accounting import STATES, totals
from foresaid.params import Params, RoundSettings
from foresaid.pipeline import fit, freeze, score
from foresaid.registry import database

CODE = entries.Code(git=None, dirty=False, version="0.1.0")


@dataclasses.dataclass(frozen=True)
class Past:
    """A ledger as it would have been, had this program frozen on 2024-05-31; made for the test and thrown away."""

    registry: Path
    build: Path
    params: Params


@pytest.fixture(scope="module")
def past(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Past:
    folder = tmp_path_factory.mktemp("past")
    shutil.copytree(built.registry, folder / "registry")
    shutil.rmtree(folder / "registry" / "ledger")
    store.create(folder / "registry" / "ledger", built.params.origin)
    shutil.copytree(built.build / "database", folder / "build" / "database")
    opened = RoundSettings("2024-05", date(2024, 5, 31), "2024-06-05T00:00:00Z")
    params = dataclasses.replace(built.params, round=opened)
    for name in params.laws:
        fit.run(name, params, folder / "build", folder / "metrics")
    freeze.freeze(params, folder / "build", folder / "registry", CODE, datetime(2024, 5, 31, 18, tzinfo=UTC))
    return Past(folder / "registry", folder / "build", params)


def test_a_frozen_curve_is_scored_on_models_released_after_the_freeze_and_on_no_other(past: Past) -> None:
    connection = database.open_database(past.build / "database")
    view, published = database.as_of(connection, score.ALWAYS), database.resolutions(connection, score.ALWAYS)
    connection.close()

    done = score.prospective(past.registry, view, published)
    rows, states = done.rows, totals(done.accounts)

    assert states["forecasts"] == sum(states[name] for name in STATES)
    # Chat models with agent scores, and some boards, had no release between the vintages.
    assert (states["scored"], states["pending"], states["forecasts"]) == (18, 8, 26)
    targets = len({account.target for account in done.accounts})
    assert done.no_shows == [{"round": "2024-05", "author": past.params.author, "targets": targets, "no_shows": []}]
    assert rows["released_on"].min() > date(2024, 5, 31)  # type: ignore[operator]
    assert set(rows["evidence"]) == {"prospective"}
    assert "meta-llama/meta-llama-3.1-70b" in set(rows["subject_id"])


def test_before_anything_is_released_every_forecast_is_pending(past: Past) -> None:
    connection = database.open_database(past.build / "database")
    then = database.as_of(connection, date(2024, 5, 31)), database.resolutions(connection, date(2024, 5, 31))
    connection.close()

    done = score.prospective(past.registry, *then)

    assert done.rows.height == 0
    assert totals(done.accounts)["pending"] == len(done.accounts) == 26


def test_a_withdrawn_forecast_stays_in_the_count(past: Past, tmp_path: Path) -> None:
    shutil.copytree(past.registry, tmp_path / "registry")
    place = tmp_path / "registry" / "ledger"
    gone = entries.Withdrawal(withdraws="2024-05/gsm8k_cot/observational", reason="test of the count")
    store.write_batch(
        place, [gone], origin=past.params.origin, author=past.params.author, as_of=date(2024, 5, 31),
        frozen_at=datetime(2024, 6, 1, tzinfo=UTC), data=[], code=CODE,
    )  # fmt: skip
    store.sequence(place, past.params.origin)
    connection = database.open_database(past.build / "database")
    now = database.as_of(connection, score.ALWAYS), database.resolutions(connection, score.ALWAYS)
    connection.close()

    done = score.prospective(tmp_path / "registry", *now)
    found = totals(done.accounts)

    assert (found["withdrawn"], found["scored"], found["forecasts"]) == (1, 17, 26)
    assert "gsm8k_cot" not in set(done.rows.filter(pl.col("law") == "observational")["target_id"])
