"""One row a system: what names it, what belongs to the protocol, and effort in order."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import ROOT, Built

from foresaid import params
from foresaid.confusables import model_of
from foresaid.laws import _loader as laws
from foresaid.registry import database
from foresaid.registry.systems import COLUMNS, SYSTEM, effort_number, frame, split, taken
from foresaid.sources._settings import EFFORTS, KEYS, setting

WORDS = st.sampled_from(("high", "16k", "goose", "5", "fp8", "search"))


def test_the_words_stand_in_the_order_makers_offer_them() -> None:
    numbers = [effort_number(word) for word in EFFORTS]

    assert numbers == sorted(numbers, key=lambda number: number or 0.0) == [0, 1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(("word", "number"), [("1k", 2.0), ("8k", 3.0), ("24k", 4.0), ("no-thinking", 0.0), ("instant", 0.0)])
def test_a_budget_stands_where_the_published_equivalents_put_it(word: str, number: float) -> None:
    assert effort_number(word) == pytest.approx(number, abs=1e-9)


@pytest.mark.parametrize("word", ["unknown", "", "thinking", "adaptive", "reasoning"])
def test_what_is_not_known_is_not_none(word: str) -> None:
    assert effort_number(word) is None


@given(st.integers(1, 500), st.integers(1, 500))
def test_more_tokens_are_never_less_effort(one: int, two: int) -> None:
    low, high = effort_number(f"{min(one, two)}k"), effort_number(f"{max(one, two)}k")

    assert low is not None
    assert high is not None
    assert 1.0 <= low <= high <= 6.0


@given(st.dictionaries(st.sampled_from(KEYS), WORDS))
def test_a_setting_is_parted_without_loss(parts: dict[str, str]) -> None:
    system, protocol = split(setting(**parts))
    pairs = [pair for side in (system, protocol) for pair in side.split(";") if pair]

    assert sorted(pairs) == sorted(pair for pair in setting(**parts).split(";") if pair)
    assert all(pair.split("=")[0] in SYSTEM for pair in system.split(";") if pair)


def table() -> pl.DataFrame:
    rows = {
        "subject_id": ["acme/big", "acme/big", "acme/run"],
        "quantity_id": ["quiz"] * 3,
        "setting": ["effort=high;shots=5", "", ""],
        "source_id": ["board"] * 3,
        "known_on": [date(2026, 1, 1)] * 3,
        "value": [0.5, 0.4, 0.3],
        "kind": ["model", "model", "run"],
        "released_on": [date(2025, 12, 1)] * 3,
    }
    models = pl.DataFrame(
        {
            "model_id": ["acme/big"],
            "line": ["big"],
            "tier": ["plain"],
            "release": ["acme/2025-12-01"],
            "released_precision": ["day"],
            "organisation": ["Acme"],
        }
    )
    quantities = pl.DataFrame(
        {"quantity_id": ["quiz"], "chance": [0.25], "items": [40], "unit": ["fraction"], "direction": ["higher"]}
    )
    return frame(pl.DataFrame(rows), models, quantities)


def test_a_row_a_system_with_its_chance_and_the_step_between_two_scores() -> None:
    found = table()

    assert found.columns == list(COLUMNS)
    assert found["system_id"].to_list() == ["acme/big", "acme/big[effort=high]"]
    assert found["protocol"].to_list() == ["", "shots=5"]
    assert found["effort"].to_list() == [None, 4.0]
    assert set(found["resolution"]) == {0.025}
    assert set(found["maker"]) == {"Acme"}


def test_the_shipped_record_gives_systems_as_of_a_day_and_none_of_the_future(built: Built) -> None:
    connection = database.open_database(built.build / "database")
    day = date(2026, 3, 12)
    found = database.systems_as_of(connection, day)
    key = ["system_id", "benchmark", "protocol", "source_id"]

    assert found.filter(pl.col("known_on") > day).height == 0
    assert found["line"].null_count() == 0
    assert found.filter(pl.col("system_id").str.contains("effort=high"))["effort"].unique().to_list() == [4.0]
    assert found.height - found.select(key).unique().height == 0


def test_values_since_july_2025_stand_in_the_view_of_systems(built: Built) -> None:
    connection = database.open_database(built.build / "database")
    day = date(2026, 11, 28)
    known = database.as_of(connection, day).observations.filter(
        (pl.col("kind") == "model") & (pl.col("released_on") >= date(2025, 7, 1))
    )
    found = database.systems_as_of(connection, day).filter(pl.col("released_on") >= date(2025, 7, 1))
    plain = known.filter(pl.col("setting") == "")
    shares = plain.height / known.height, found.height / known.height
    print(f"values of models since July 2025: {known.height}; with an empty setting {shares[0]:.2f}, in the view {shares[1]:.2f}")

    assert shares[0] < 0.6  # what a law sees that reads plain settings only
    assert shares[1] >= 0.95


def shares(folder: Path) -> pl.DataFrame:
    """Of the values of models released since July 2025, by source: how many are rows of a law of params.yaml.

    The denominator: every current value (one a system, quantity, protocol and source) of a benchmark or index in the database.
    The numerator is read off the tables that the laws are fitted to.
    """
    shipped, day = params.load(ROOT / "params.yaml"), date(2026, 11, 28)
    connection = database.open_database(folder)
    view = database.as_of(connection, day)
    scores = [name for name, item in view.quantities.items() if item.kind in ("benchmark", "index")]
    recent = view.observations.filter(
        (pl.col("kind") == "model") & (pl.col("released_on") >= date(2025, 7, 1)) & pl.col("quantity_id").is_in(scores)
    )
    key = ["subject_id", "quantity_id", "setting"]
    tables = [table for name in ("growth", "ability") for table in laws.load(name, shipped.laws[name]).tables(view)]
    rows = [(name, one.target.quantity_id, one.target.protocol) for one in tables for name in one.subjects]
    plain = view.of("default").observations.filter(pl.col("setting") == "").select(key)
    seen = pl.DataFrame(rows, schema=dict.fromkeys(key, pl.String), orient="row").unique()
    every = taken(recent, "each")
    assert every.height == recent.height
    connection.close()
    return (
        every.join(seen.with_columns(seen=True), on=key, how="left")
        .join(plain.unique().with_columns(plain=True), on=key, how="left")
        .group_by("source_id")
        .agg(values=pl.len(), seen=pl.col("seen").sum(), plain=pl.col("plain").sum())
        .sort("source_id")
    )


def said(found: pl.DataFrame, what: str) -> float:
    """Print the share of each source and of all, and return the last."""
    for name, values, seen, plain in found.iter_rows():
        print(
            f"{name}: {values} values since July 2025, {plain / values:.1%} without a setting, {seen / values:.1%} in a law's view"
        )
    share = int(found["seen"].sum()) / int(found["values"].sum())
    print(f"{what}: {found['values'].sum()} values, {share:.1%} in a law's view")
    return share


def test_of_the_values_since_july_2025_the_laws_see_at_least_95_per_cent(built: Built) -> None:
    found = shares(built.build / "database")
    hub = found.row(by_predicate=pl.col("source_id") == "epoch-hub", named=True)

    assert said(found, "the shipped record") >= 0.95
    assert hub["seen"] >= 0.95 * hub["values"]
    assert hub["plain"] < 0.5 * hub["values"]  # what a law sees that reads plain settings only


def test_with_the_boards_read_on_demand_the_laws_see_at_least_95_per_cent(mirrored: Path) -> None:
    assert said(shares(mirrored), "with the upstream files") >= 0.95


def test_a_host_and_a_thinking_budget_make_another_system_and_no_protocol() -> None:
    rows = pl.DataFrame({"subject_id": ["m"] * 3, "setting": ["provider=acme", "served=turbo", "thinking=16k;format=diff"]})
    found = taken(rows, "each")

    assert found["subject_id"].to_list() == ["m[provider=acme]", "m[served=turbo]", "m[thinking=16k]"]
    assert found["setting"].to_list() == ["", "", "format=diff"]


@given(st.lists(st.tuples(st.sampled_from(("a", "b")), st.sampled_from(("low", "high", "unknown", ""))), unique=True, min_size=1))
def test_each_keeps_every_row_and_the_highest_effort_one_a_model(rows: list[tuple[str, str]]) -> None:
    seen = pl.DataFrame(
        {
            "subject_id": [model for model, _ in rows],
            "quantity_id": "q",
            "source_id": "s",
            "setting": [setting(effort=effort) for _, effort in rows],
            "value": [effort_number(effort) for _, effort in rows],
        },
        schema_overrides={"value": pl.Float64},
    )
    each, highest = taken(seen, "each"), taken(seen, "highest_effort")
    most = seen.group_by("subject_id").agg(pl.col("value").max())

    assert sorted(map(model_of, each["subject_id"])) == sorted(seen["subject_id"])
    assert each["subject_id"].n_unique() == seen.height
    assert highest.select("subject_id", "value").sort("subject_id").equals(most.sort("subject_id"))
    assert taken(seen, "default").equals(seen)
