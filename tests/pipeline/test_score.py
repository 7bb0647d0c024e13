"""Scoring the ledger: a frozen curve meets the models that came after, and every forecast keeps a state."""

from __future__ import annotations

import dataclasses
import shutil
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest
from tests.conftest import Built

from foresaid.ledger import store
from foresaid.ledger.entries import schema as entries
from foresaid.ledger.entries.resolutions import Resolution
from foresaid.ledger.state.accounting import STATES, totals
from foresaid.ledger.state.index import gather
from foresaid.ledger.verify import verify
from foresaid.ledger.verify.snapshot import Evidence
from foresaid.params import Params, RoundSettings
from foresaid.pipeline import fit, freeze, outcomes, score
from foresaid.registry import database
from foresaid.registry.same_model import names

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
        fit.run(name, params, folder / "build")
    freeze.freeze(params, folder / "build", folder / "registry", CODE, datetime(2024, 5, 31, 18, tzinfo=UTC))
    return Past(folder / "registry", folder / "build", params)


TODAY = date(2026, 11, 21)


def entered(past: Past, folder: Path) -> Path:
    """The registry with the outcomes entered that the record had by now."""
    shutil.copytree(past.registry, folder / "registry")
    place = folder / "registry" / "ledger"
    lines, differences = outcomes.proposed(store.read(place), outcomes.read_record(folder / "registry", past.build), TODAY)
    assert differences == []
    store.write_batch(
        place, lines, origin=past.params.origin, author=past.params.author, as_of=TODAY,
        frozen_at=datetime(2026, 11, 21, tzinfo=UTC), data=[], code=CODE,
    )  # fmt: skip
    return folder / "registry"


def test_a_frozen_curve_meets_entered_outcomes_of_models_released_since_and_is_only_claimed(past: Past, tmp_path: Path) -> None:
    done = score.prospective(entered(past, tmp_path))
    states = totals(done.accounts)

    assert done.rows.height == 0  # nobody proved when it was frozen
    assert states["forecasts"] == sum(states[name] for name in STATES) == 26
    assert states["claimed"] > 0
    assert {row["standing"] for row in done.table} == {"claimed"}
    assert "meta-llama/meta-llama-3.1-70b" in {name for row in done.table for name in row["subjects"]}
    assert outcomes.proposed(
        store.read(tmp_path / "registry" / "ledger"), outcomes.read_record(tmp_path / "registry", past.build), TODAY
    ) == ([], [])


def test_targets_that_ask_alike_share_one_reading_of_the_record(past: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    batches, record = store.read(past.registry / "ledger"), outcomes.read_record(past.registry, past.build)
    read: list[outcomes.Asked] = []
    facts_of = outcomes.facts_of

    def counted(asked: outcomes.Asked, **rest: Any) -> Any:
        read.append(asked)
        return facts_of(asked, **rest)

    monkeypatch.setattr(outcomes, "facts_of", counted)
    outcomes.proposed(batches, record, TODAY)

    first = next(iter(gather(batches).targets.values()))
    named_otherwise, measured_otherwise = (msgspec.structs.replace(first, **change) for change in ({"id": "b"}, {"protocol": "b"}))
    assert len(read) == len(set(read)) > 0
    assert outcomes.asked_of(first, []) == outcomes.asked_of(named_otherwise, [])
    assert outcomes.asked_of(first, []) != outcomes.asked_of(measured_otherwise, [])


def test_without_entered_outcomes_every_forecast_is_pending_whatever_the_record_knows(past: Past) -> None:
    done = score.prospective(past.registry)

    assert (done.rows.height, done.table) == (0, [])
    assert totals(done.accounts)["pending"] == len(done.accounts) == 26


def test_edits_of_the_record_change_no_score_and_are_named(past: Past, tmp_path: Path) -> None:
    registry = entered(past, tmp_path)
    before = score.prospective(registry).table
    history = past.build / "database" / database.HISTORY
    shutil.copytree(past.build, tmp_path / "build")
    frame = pl.read_parquet(history)
    edited = frame.with_columns(value=pl.when(pl.col("quantity_id") == "gsm8k_cot").then(pl.col("value") * 0.8).otherwise("value"))
    edited.write_parquet(tmp_path / "build" / "database" / database.HISTORY)

    assert score.prospective(registry).table == before
    _, differences = outcomes.proposed(store.read(registry / "ledger"), outcomes.read_record(registry, tmp_path / "build"), TODAY)
    assert {one.target for one in differences} == {"gsm8k_cot"}


def test_a_model_of_the_training_rows_never_counts_under_any_name(past: Past, tmp_path: Path) -> None:
    registry = entered(past, tmp_path)
    merged = (registry / "merges.csv").read_text(encoding="utf-8")
    trained = "meta-llama/llama-2-7b-hf"
    (registry / "merges.csv").write_text(f"{merged}acme/other-name,{trained},2026-11-21,one model\n", encoding="utf-8")
    leak = entries.parse(
        {"type": "resolution/v1", "round": "2024-05", "target": "gsm8k_cot", "value": "0.1", "known_at": "2024-07-01",
         "released_on": "2024-07-01", "snapshot": "0" * 64, "source": "s", "covariates": [], "subject": "acme/other-name"}
    )  # fmt: skip
    assert isinstance(leak, Resolution)
    store.write_batch(
        registry / "ledger", [leak], origin=past.params.origin, author=past.params.author, as_of=TODAY,
        frozen_at=datetime(2026, 11, 21, tzinfo=UTC), data=[], code=CODE,
    )  # fmt: skip

    done = score.prospective(registry)

    assert {name for row in done.table if row["standing"] == "barred" for name in row["subjects"]} == {"acme/other-name"}
    evidence = Evidence(data=registry / outcomes.SNAPSHOTS, aliases=names(registry))
    assert verify.verify(registry / "ledger", evidence=evidence).exit_code() == 6


def test_a_withdrawal_after_the_outcome_takes_nothing_away(past: Past, tmp_path: Path) -> None:
    for place, on, expected in (("early", date(2024, 6, 1), {"withdrawn"}), ("late", date(2026, 11, 21), {"claimed"})):
        registry = entered(past, tmp_path / place)
        gone = entries.Withdrawal(withdraws="2024-05/gsm8k_cot/observational", reason="test of the count")
        forecasts = store.read(registry / "ledger")[1].sha256
        store.write_batch(
            registry / "ledger", [gone], origin=past.params.origin, author=past.params.author, as_of=on, parents=[forecasts],
            frozen_at=datetime(on.year, on.month, on.day, tzinfo=UTC), data=[], code=CODE,
        )  # fmt: skip
        rows = [row for row in score.prospective(registry).table if row["id"] == gone.withdraws]
        assert {row["standing"] for row in rows} == expected
