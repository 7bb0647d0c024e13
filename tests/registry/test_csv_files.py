"""The files of the record: what is written reads back, in whatever order it came."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foresaid import files
from foresaid.registry import csv_files, formats
from foresaid.registry.formats import ObservationRow

DATA = Path(__file__).parents[1] / "data"
NAMES = st.text("abcdefgh0123456789._/-", min_size=1, max_size=12)
DAYS = st.dates(date(2017, 1, 1), date(2026, 11, 21))
NOTES = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=20)
ROWS = st.builds(
    ObservationRow,
    NAMES,
    NAMES,
    st.sampled_from(["", "5-shot"]),
    DAYS,
    st.floats(allow_nan=False, allow_infinity=False),
    st.none() | st.floats(0, 1),
    st.none() | st.integers(1, 10**9),
    DAYS,
    st.sampled_from(formats.STATUSES),
    NOTES,
)


@given(st.lists(ROWS, max_size=20))
def test_what_is_written_reads_back_as_the_same_rows(rows: list[ObservationRow]) -> None:
    table = csv_files.parse(csv_files.dump(rows, formats.OBSERVATIONS), "observations.csv", formats.OBSERVATIONS)

    assert table.problems == []
    assert sorted(map(repr, rows)) == sorted(map(repr, table.items))


@given(st.lists(ROWS, max_size=20).flatmap(lambda rows: st.tuples(st.just(rows), st.permutations(rows))))
def test_the_order_of_rows_never_reaches_the_bytes(pair: tuple[list[ObservationRow], list[ObservationRow]]) -> None:
    rows, shuffled = pair

    assert csv_files.dump(rows, formats.OBSERVATIONS) == csv_files.dump(shuffled, formats.OBSERVATIONS)


@given(st.binary(max_size=400))
def test_any_bytes_are_read_without_a_traceback(raw: bytes) -> None:
    table = csv_files.parse(raw, "observations.csv", formats.OBSERVATIONS)

    assert table.problems
    assert table.items == []


def test_a_failed_write_leaves_every_file_as_it_was(tmp_path: Path) -> None:
    first, second = tmp_path / "a.csv", tmp_path / "b.csv" / "c.csv"
    first.write_bytes(b"before")
    (tmp_path / "b.csv").write_bytes(b"a file where a folder belongs")

    with pytest.raises(OSError, match=r"b\.csv"):
        files.write({first: b"after", second: b"after"})
    assert first.read_bytes() == b"before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "b.csv"]
