"""Exports: the as-of table whole, safe for spreadsheets, the same bytes every time, and the same table when read back."""

from __future__ import annotations

import io
import json
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from tests.conftest import Built

from foresaid.errors import ParameterError, RecordError
from foresaid.registry import export as exporting
from foresaid.registry.export import dump, export, table
from foresaid.text import restored

DAY = date(2024, 5, 31)


def back(raw: bytes, form: str, schema: pl.Schema) -> pl.DataFrame:
    """Read an export again, with the types it had."""
    if form == "parquet":
        return pl.read_parquet(io.BytesIO(raw))
    if form == "csv":
        rows = pl.read_csv(io.BytesIO(raw), schema=schema)
        texts = [name for name, kind in schema.items() if kind == pl.String]
        return rows.with_columns(pl.col(name).map_elements(restored, return_dtype=pl.String) for name in texts)
    entries = json.loads(raw)
    days = [name for name, kind in schema.items() if kind == pl.Date]
    plain = pl.DataFrame(entries, schema={name: pl.String if name in days else kind for name, kind in schema.items()})
    return plain.with_columns(pl.col(name).str.to_date() for name in days)


@pytest.mark.parametrize("form", ["parquet", "csv", "json"])
def test_an_export_read_back_is_the_table_of_that_day(form: str, built: Built, tmp_path: Path) -> None:
    rows = table(built.build, DAY, ("obsscaling",))
    to = tmp_path / f"scores.{form}"

    count = export(built.build, DAY, to, ("obsscaling",))
    again = export(built.build, DAY, tmp_path / f"again.{form}", ("obsscaling",))

    assert_frame_equal(rows, back(to.read_bytes(), form, rows.schema))
    assert (count, again) == (rows.height, rows.height)
    assert to.read_bytes() == (tmp_path / f"again.{form}").read_bytes()


def test_an_export_holds_what_was_known_and_nothing_later(built: Built) -> None:
    rows = table(built.build, DAY)
    seen = built.as_of("2024-05-31").observations
    key = ["subject_id", "quantity_id", "setting", "source_id"]

    assert rows["known_on"].max() == DAY
    assert_frame_equal(seen.select(*key, "value").sort(key), rows.select(*key, "value").sort(key))
    assert set(rows["status"]) <= {"reported", "revised"}


def test_names_narrow_the_table(built: Built) -> None:
    rows = table(built.build, date(2026, 11, 21), ("obsscaling", "chinchilla"), ("mmlu", "chinchilla_loss"))

    assert set(rows["source_id"]) == {"obsscaling", "chinchilla"}
    assert rows.filter(pl.col("source_id") == "chinchilla").height == 240  # 245 points less five outliers


REFUSED = [
    (ParameterError, "found the source obscaling.*did you mean obsscaling", "x.csv", DAY, ("obscaling",), ()),
    (ParameterError, "found the quantity mmlv.*did you mean mmlu", "x.csv", DAY, (), ("mmlv",)),
    (ParameterError, "ends with .parquet, .csv or .json", "x.xlsx", DAY, (), ()),
    (ParameterError, "a folder that exists", "no/x.csv", DAY, (), ()),
    (RecordError, "found no value known by 2000-01-01", "x.csv", date(2000, 1, 1), (), ()),
]


@pytest.mark.parametrize(("kind", "message", "name", "day", "sources", "quantities"), REFUSED)
def test_a_request_that_cannot_be_met_is_refused_and_writes_nothing(
    kind: type[Exception],
    message: str,
    name: str,
    day: date,
    sources: tuple[str, ...],
    quantities: tuple[str, ...],
    built: Built,
    tmp_path: Path,
) -> None:
    with pytest.raises(kind, match=message):
        export(built.build, day, tmp_path / name, sources, quantities)
    assert list(tmp_path.iterdir()) == []


TEXTS = st.text(st.sampled_from("=+-@\t\r\n'\"a, 1é"), max_size=6)


@given(st.lists(st.tuples(st.none() | TEXTS, st.none() | st.floats(allow_nan=False, allow_infinity=False)), max_size=5))
def test_no_text_is_a_formula_numbers_are_untouched_and_all_comes_back(cells: list[tuple[str | None, float | None]]) -> None:
    schema = pl.Schema({"note": pl.String(), "value": pl.Float64(), "known_on": pl.Date()})
    rows = pl.DataFrame([(note, value, date(2026, 1, 2)) for note, value in cells], schema=schema, orient="row")
    raw = dump(rows, "csv")
    texts = pl.read_csv(io.BytesIO(raw), schema=schema)

    assert not any(note.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) for note in texts["note"].drop_nulls())
    assert_frame_equal(rows, back(raw, "csv", schema), check_exact=True)
    assert_frame_equal(rows, back(dump(rows, "json"), "json", schema), check_exact=True)


def test_the_formats_are_those_that_the_name_may_end_with() -> None:
    assert {"parquet", "csv", "json"} == set(exporting.FORMATS)
