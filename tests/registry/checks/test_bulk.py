"""The set-based gate refuses what the gate for rows refuses, and hands over the same rows."""

from __future__ import annotations

import random
import shutil
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from foresaid.errors import ForesaidError, RecordError
from foresaid.pipeline import ingest
from foresaid.pipeline.database import run
from foresaid.registry import database, load
from foresaid.registry.checks import bulk

DATA = Path(__file__).parents[2] / "data"
ROW = "acme/tiny-1b,mmlu,,2024-05-31,0.31,,,2026-11-21,reported,"


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    shutil.copytree(DATA / "registry", tmp_path / "registry")
    return tmp_path / "registry"


def gate(registry: Path) -> pl.DataFrame:
    """The tiny source through the set-based gate alone."""
    catalogue, _ = load.read_catalogue(registry)
    _, subjects = load.read_tables(registry, "tiny", registry / "sources/tiny")
    return load.large(registry / "sources/tiny/observations.csv", subjects, catalogue.known, "tiny", "observations.csv")


def spoil(registry: Path, old: bytes, new: bytes) -> None:
    path = registry / "sources/tiny/observations.csv"
    raw = path.read_bytes()
    assert old in raw
    path.write_bytes(raw.replace(old, new, 1))


def refused(registry: Path) -> str:
    """What the gate for rows says against the tiny source, or nothing."""
    try:
        load.load(registry, ["tiny"])
    except RecordError as error:
        return str(error)
    return ""


def test_both_gates_hand_over_the_same_rows(registry: Path) -> None:
    _, loaded = load.load(registry, ["tiny"])

    assert gate(registry).equals(loaded[0].frame)


def test_the_stage_uses_it_for_a_large_file(registry: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, rows = load.load(registry, ["tiny"])
    monkeypatch.setattr(load, "ROW_BY_ROW", 10)
    _, bulky = load.load(registry, ["tiny"])

    assert rows[0].frame.equals(bulky[0].frame)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            b",0.31,",
            b",31,",
            "found 31, expected a fraction in [0, 1] for mmlu; this looks like percent: divide by 100; the row of acme/tiny-1b",
        ),
        (b",0.31,", b",NaN,", "column value: found nan, expected a finite number"),
        (b",0.31,", b",0.0,", "found 0, expected about 0.25 or more: guessing scores that on mmlu"),
        (b",0.31,", b",,", "expected a finite number"),
        (b",0.31,", b",x,", "observations.csv: found"),
        (b",200000000000,", b",627000000000000,", "found 627000000000000, expected between 1 and 1e+14 tokens; check the unit"),
        (b"acme/tiny-1b,", b"acme/tiny-1c,", "observations.csv: found"),
        (b"mmlu", b"mmllu", "observations.csv: found"),
        (b"reported", b"certain", "observations.csv: found"),
        (b"reported,", b"suspect,", "the reason why the value is suspect"),
        (b"2026-11-21", b"2020-01-01", "2024-05-31 or later: nothing is recorded before it is known"),
        (ROW.encode(), ROW.encode() + b"\n" + ROW.replace("0.31", "0.32").encode(), "one row for each key"),
        (b"stderr,n", b"n,stderr", "found another header"),
        (b"\n", b"\r\n", "found another header"),
        (b"0.44", b"0.4\x004", "row 4, column -: found a NUL"),
        (b"reported,\n", b"reported,\r\n", "row 2, column -: found a carriage return"),
        (b"reported,\n", b"reported,\xff\n", "found byte 0xff, expected UTF-8"),
        (b",reported,\n", b",reported\n", "observations.csv: found"),
    ],
)
def test_a_spoilt_table_is_refused(old: bytes, new: bytes, expected: str, registry: Path) -> None:
    spoil(registry, old, new)
    with pytest.raises(RecordError) as caught:
        gate(registry)

    assert expected in str(caught.value)
    with pytest.raises(RecordError):
        load.load(registry, ["tiny"])


def test_a_table_cut_anywhere_is_refused(registry: Path) -> None:
    path = registry / "sources/tiny/observations.csv"
    raw = path.read_bytes()
    for cut in (1, 5, 30):
        path.write_bytes(raw[:-cut])
        with pytest.raises(RecordError, match="cut short"):
            gate(registry)


def test_what_it_takes_after_a_mutation_means_what_the_gate_for_rows_would_say(registry: Path) -> None:
    path = registry / "sources/tiny/observations.csv"
    raw = path.read_bytes()
    chance = random.Random(7)
    compared = 0
    for _ in range(60):
        at = chance.randrange(len(raw))
        new = bytes(chance.choices(b"0123456789.,-eaz \n", k=chance.randrange(3)))
        path.write_bytes(raw[:at] + new + raw[at + chance.randrange(3) :])
        try:
            bulky = gate(registry)
        except ForesaidError:
            continue
        said = refused(registry)
        if said:
            # The engine reads blanks around a number, months of one digit and rows in any order; nothing else may pass here alone.
            allowed = ("expected a plain number", "expected a date", "expected a whole number", "expected rows sorted by key")
            assert any(word in said for word in allowed), said
            continue
        _, loaded = load.load(registry, ["tiny"])
        compared += 1
        assert bulky.equals(loaded[0].frame)

    assert compared > 2


def test_coded_keys_answer_as_of_like_the_macro_of_the_schema(registry: Path) -> None:
    catalogue, _ = load.read_catalogue(registry)
    build = registry.parent / "build"
    ingest.run(registry, ["tiny"], build, registry.parent / "ingest.json")
    run(["tiny"], build)
    connection = database.open_database(build / "database")
    staged = database.staging()
    bulk.load(staged, registry / "sources/tiny/observations.csv", "o", catalogue.known, ["tiny/run-a"])
    bulk.code(staged)
    for day in (date(2024, 1, 1), date(2024, 5, 31), date(2024, 9, 30), date(2024, 10, 1)):
        expected = sorted(database.as_of(connection, day).observations["value"].to_list())
        found = sorted(row[2] for row in staged.execute(bulk.as_of(day)).fetchall())

        assert expected == found
    connection.close()
    staged.close()
