"""What was known on a day, against a plain re-computation from the dated rows, and never a later one."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foresaid.pipeline import ingest
from foresaid.pipeline.database import run
from foresaid.registry import database, schema

ROOT = Path(__file__).parents[2]
SOURCES = ["obsscaling", "koehn-knowles", "pythia", "gadre", "finetune-loss"]
DAYS = [
    "2017-06-11", "2017-06-12", "2020-01-01", "2024-03-31", "2024-04-01", "2024-05-31", "2024-09-30", "2024-10-01", "2025-02-28",
    "2026-11-21",
]  # fmt: skip
Key = tuple[str, str, str, str]


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("asof")
    ingest.run(ROOT / "registry", SOURCES, folder, folder / "ingest.json")
    run(SOURCES, folder)
    return folder


def plain(day: str, first: bool = False) -> dict[Key, float]:
    """Re-compute from the text files: the last row known on the day, or the first that the resolver published."""
    resolver = {}
    with (ROOT / "registry/quantities.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            resolver[row["quantity_id"]] = row["resolver"]
    found: dict[Key, dict[str, str]] = {}
    for source in SOURCES:
        with (ROOT / f"registry/sources/{source}/observations.csv").open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream):
                if row["known_on"] > day:
                    continue
                if first and (resolver[row["quantity_id"]] != source or row["status"] not in ("reported", "revised")):
                    continue
                key = (row["subject_id"], row["quantity_id"], row["setting"], source)
                before = found.get(key)
                if before is None or (row["known_on"] < before["known_on"]) == first:
                    found[key] = row
    return {key: float(row["value"]) for key, row in found.items() if row["status"] in ("reported", "revised")}


def asked(frame: pl.DataFrame) -> dict[Key, float]:
    return {row[:4]: row[4] for row in frame.select("subject_id", "quantity_id", "setting", "source_id", "value").iter_rows()}


@pytest.mark.parametrize("day", DAYS)
def test_the_record_as_of_a_day_is_what_the_dated_files_say(day: str, build: Path) -> None:
    connection = database.open_database(build / "database")
    view = database.as_of(connection, date.fromisoformat(day))
    first = database.resolutions(connection, date.fromisoformat(day))
    connection.close()

    assert plain(day) == asked(view.observations)
    assert plain(day, first=True) == asked(first.observations)


START = date(2024, 1, 1)
ROW = st.tuples(
    st.sampled_from(["q"]),
    st.sampled_from(["", "high"]),
    st.integers(0, 30),
    st.integers(0, 1000),
    st.sampled_from(["reported", "revised", "withdrawn", "suspect"]),
)


def tables(rows: list[tuple[str, str, int, int, str]]) -> dict[str, pl.DataFrame]:
    quantity: dict[str, Any] = {
        "quantity_id": "q", "title": "Q", "kind": "benchmark", "unit": "fraction", "lower": 0.0, "upper": 1.0, "chance": None,
        "direction": "higher", "items": None, "protocol": "p", "reference": "r", "resolver": "s",
    }  # fmt: skip
    unique = {(name, setting, day): (value, status) for name, setting, day, value, status in rows}
    observations = [
        {
            "subject_id": "r", "quantity_id": name, "setting": setting, "source_id": "s", "known_on": START + timedelta(day),
            "value": value / 1000, "stderr": None, "n": None, "recorded_on": date(2026, 1, 1), "status": status, "note": "n",
        }
        for (name, setting, day), (value, status) in unique.items()
    ]  # fmt: skip
    return {
        "quantity": pl.DataFrame([quantity], schema=schema.QUANTITY),
        "model": pl.DataFrame(schema=schema.MODEL),
        "subject": pl.DataFrame(
            [{"subject_id": "r", "kind": "run", "model_id": None, "run": "r", "family": "f", "released_on": None}],
            schema=schema.SUBJECT,
        ),
        "observation": pl.DataFrame(observations, schema=schema.SCHEMA),
    }


@settings(max_examples=12)
@given(rows=st.lists(ROW, min_size=1, max_size=12), day=st.integers(-1, 31))
def test_a_row_known_later_is_never_visible_earlier(
    rows: list[tuple[str, str, int, int, str]], day: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("later")
    on = START + timedelta(day)
    database.build(tables(rows), folder / "all")
    whole = database.open_database(folder / "all")
    seen, outcome = database.as_of(whole, on).observations, database.resolutions(whole, on).observations
    whole.close()
    known = [row for row in rows if row[2] <= day]
    assert (seen["known_on"].max() or on) <= on  # type: ignore[operator]  # a date, or nothing
    if not known:
        assert seen.height + outcome.height == 0
        return
    database.build(tables(known), folder / "known")
    then = database.open_database(folder / "known")
    assert database.as_of(then, on).observations.equals(seen)
    assert database.resolutions(then, on).observations.equals(outcome)
    then.close()


def test_a_connection_to_the_record_reads_no_file_and_cannot_be_unlocked(build: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("a\n1\n")
    connection = database.open_database(build / "database")
    for statement in (
        f"select * from read_csv('{tmp_path / 'secret.csv'}')",
        f"copy model to '{tmp_path / 'out.csv'}'",
        f"attach '{tmp_path / 'other.duckdb'}'",
        "set enable_external_access = true",
        "install httpfs",
        "load httpfs",
    ):
        with pytest.raises(Exception, match=r"(?i)permission|disabled|locked|cannot"):
            connection.execute(statement)
    assert database.models(connection).height > 100
    connection.close()
    assert [path.name for path in tmp_path.iterdir()] == ["secret.csv"]
