"""The feed says once what a batch did, whatever it did: freezes, withdrawals, outcomes."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.attacks import build
from tests.attacks.showing import scored_ledger

from foresaid.ledger import store
from foresaid.ledger.entries.batch import Batch
from foresaid.report import feed


@pytest.fixture(scope="module")
def batches(tmp_path_factory: pytest.TempPathFactory) -> tuple[Batch, ...]:
    folder: Path = tmp_path_factory.mktemp("feed") / "ledger"
    scored_ledger(build.create(folder), 5)
    return tuple(store.read(folder))


def test_every_forecast_withdrawal_and_outcome_stands_in_one_item(batches: tuple[Batch, ...]) -> None:
    made = feed.items(batches)
    kinds = {one.kind for one in made}

    assert {"forecast", "withdrawal", "resolution"} <= kinds
    assert len({one.name for one in made}) == len(made)
    told = sum(len(one.about) for one in made)
    assert told == sum(type(entry) in feed.TOLD for batch in batches for entry in batch.entries)
    assert [one.batch.header.frozen_at for one in made] == sorted((one.batch.header.frozen_at for one in made), reverse=True)


def test_several_entries_of_a_batch_are_one_item_that_counts_them_and_one_leads_to_its_own_place(
    batches: tuple[Batch, ...],
) -> None:
    one = next(item for item in feed.items(batches) if item.kind == "forecast")
    many = feed.Item(one.batch, "forecast", "frozen", "2026q4", tuple(f"2026q4/t/{i}" for i in range(7)), ())
    outcome = next(item for item in feed.items(batches) if item.kind == "resolution")

    assert many.title == "2026q4: 7 forecasts frozen"
    assert outcome.title.endswith(": resolved")
    author = one.batch.header.author
    said = feed.values("origin", batches, {(author, about): "there.html" for about in one.about[:1]}, "")
    shown = {entry["id"]: entry["href"] for entry in said["entries"]}
    assert shown[one.name] == ("there.html" if len(one.about) == 1 else "ledger.html")
    assert len(said["entries"]) == len(feed.items(batches))
