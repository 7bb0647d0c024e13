"""DuckDB enforces the schema, the as-of macro never looks ahead, and equal content is equal bytes."""

from __future__ import annotations

import hashlib
import os
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import Built

from foresaid.errors import RecordError, UnreadableError
from foresaid.registry import database

DAYS = [date(2024, month, 1) for month in range(1, 7)]


def tables(*observations: dict[str, Any]) -> dict[str, pl.DataFrame]:
    quantity = {
        "quantity_id": "q", "title": "Q", "kind": "benchmark", "unit": "fraction", "lower": 0.0, "upper": 1.0, "chance": 0.25,
        "direction": "higher", "items": None, "protocol": "p", "reference": "r", "resolver": "s",
    }  # fmt: skip
    model = {
        "model_id": "m", "family": "f", "organisation": "o", "released_on": date(2024, 1, 1), "released_precision": "day",
        "release_source": "page", "params_total": 1e9, "params_active": 1e9, "training_tokens": 1e12, "training_flops": 6e21,
        "kind": "base", "notes": None,
    }  # fmt: skip
    subject = {"subject_id": "m", "kind": "model", "model_id": "m", "run": "m", "family": "f", "released_on": date(2024, 1, 1)}
    rows = [
        {
            "subject_id": "m", "quantity_id": "q", "setting": "", "source_id": "s", "known_on": DAYS[0], "value": 0.5,
            "stderr": None, "n": None, "recorded_on": date(2026, 1, 1), "status": "reported", "note": None, **item,
        }
        for item in observations
    ]  # fmt: skip
    types = {"stderr": pl.Float64, "n": pl.Int64, "note": pl.String}
    return {
        "quantity": pl.DataFrame([quantity], schema_overrides={"items": pl.Int64}),
        "model": pl.DataFrame([model], schema_overrides={"notes": pl.String}),
        "subject": pl.DataFrame([subject]),
        "observation": pl.DataFrame(rows, schema_overrides=types),
    }


def view(folder: Path, day: date) -> list[float]:
    connection = database.open_database(folder)
    rows = database.as_of(connection, day).observations["value"].to_list()
    connection.close()
    return rows


@settings(max_examples=25)
@given(known=st.lists(st.sampled_from(DAYS), min_size=1, max_size=6, unique=True), day=st.sampled_from(DAYS))
def test_as_of_shows_the_last_value_known_and_never_a_later_one(
    tmp_path_factory: pytest.TempPathFactory, known: list[date], day: date
) -> None:
    folder = tmp_path_factory.mktemp("db")
    database.build(tables(*({"known_on": item, "value": item.month / 10} for item in known)), folder / "database")

    seen = [item for item in known if item <= day]

    assert view(folder / "database", day) == ([max(seen).month / 10] if seen else [])


@pytest.mark.parametrize("status", ["withdrawn", "suspect"])
def test_a_value_that_was_taken_back_or_is_suspect_does_not_count(tmp_path: Path, status: str) -> None:
    database.build(tables({}, {"known_on": DAYS[2], "status": status}), tmp_path / "database")

    assert view(tmp_path / "database", DAYS[1]) == [0.5]
    assert view(tmp_path / "database", DAYS[3]) == []


def test_a_forecast_resolves_on_the_first_value_published(tmp_path: Path) -> None:
    database.build(tables({"value": 0.4}, {"known_on": DAYS[3], "value": 0.9, "status": "revised"}), tmp_path / "database")
    connection = database.open_database(tmp_path / "database")

    assert database.resolutions(connection, DAYS[5]).observations["value"].to_list() == [0.4]


def test_equal_content_is_equal_bytes(tmp_path: Path) -> None:
    rows = [{"known_on": day, "value": day.month / 10} for day in DAYS]
    digests = set()
    for name, order in (("a", rows), ("b", rows[::-1])):
        database.build(tables(*order), tmp_path / name)
        files = sorted((tmp_path / name).glob("*.parquet"))
        digests.add(hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest())

    assert len(digests) == 1


@pytest.mark.parametrize(
    "bad",
    [
        {"value": float("nan")},
        {"subject_id": "stranger"},
        {"quantity_id": "stranger"},
        {"status": "certain"},
        {"recorded_on": date(2020, 1, 1)},
    ],
)
def test_the_schema_refuses_a_bad_row_and_leaves_the_old_database(tmp_path: Path, bad: dict[str, Any]) -> None:
    database.build(tables({}), tmp_path / "database")

    with pytest.raises(RecordError, match="table observation"):
        database.build(tables(bad), tmp_path / "database")
    assert view(tmp_path / "database", DAYS[0]) == [0.5]


def test_a_missing_database_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="dvc repro"):
        database.open_database(tmp_path)


ESCAPES = (
    "from read_csv('{outside}')",
    "from read_text('{exchange}/{there}')",
    "from glob('/*')",
    "attach '{outside}.db' as other",
    "copy (select 1) to '{outside}.out'",
    "export database '{outside}-export'",
    "install httpfs",
    "load httpfs",
    "from read_parquet('https://example.org/x.parquet')",
    "create secret s (type s3, key_id 'x', secret 'y')",
    "set enable_external_access = true",
    "reset allowed_directories",
    "set memory_limit = '64GB'",
    "from tables_of_the_caller",
)


@pytest.mark.parametrize("statement", ESCAPES)
def test_no_statement_leaves_the_locked_database(tmp_path: Path, statement: str) -> None:
    database.build(tables({}), tmp_path / "database")
    connection = database.open_database(tmp_path / "database")
    outside = tmp_path / "outside.csv"
    outside.write_text("secret\n1\n", encoding="ascii")
    tables_of_the_caller = pl.DataFrame({"secret": [1]})  # DuckDB would find it by its Python name
    ((exchange,),) = connection.execute("select current_setting('allowed_directories')[1]").fetchall()
    words = {"outside": outside.as_posix(), "exchange": exchange.rstrip("/"), "there": os.path.relpath(outside, exchange)}
    with pytest.raises(duckdb.Error):
        connection.execute(statement.format(**words)).fetchall()
    connection.close()

    assert [path.name for path in sorted(tmp_path.iterdir())] == ["database", "outside.csv"]
    assert tables_of_the_caller.height == 1


def test_text_in_the_folder_is_never_run(built: Built, tmp_path: Path) -> None:
    shutil.copytree(built.build / "database", tmp_path / "database")
    planted = tmp_path / "planted"
    with (tmp_path / "database" / "schema.sql").open("a", encoding="utf-8") as file:
        file.write(f"\ncopy (select 1) to '{planted.as_posix()}';\n")

    database.open_database(tmp_path / "database").close()

    assert not planted.exists()
