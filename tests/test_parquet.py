"""Parquet of others is read row for row or refused, and no bytes end the process that reads it."""

from __future__ import annotations

import base64
import datetime
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from foresaid import parquet
from foresaid.errors import RecordError, UnreadableError
from foresaid.ledger.hubverse.files import read_table
from foresaid.registry.update.row_account import rows_of
from foresaid.sources import _parquet

# Twelve rows of one column as polars writes them, two bytes changed: polars asks for 2,305,843,009,213,693,952 bytes, and aborts.
ENDS_THE_PROCESS = base64.b85decode(
    "P(e~L6$BM96);Q{1{DAR009610000000IC20000000aO40000002Kfg8WkEW6)6=E6$TXs00093000HM3jzfsNdf>B1Q|5|1`rt-0eBSv78n+W0TzY<CQ>E{02v$>"
    "QWZQF0000L0vRkw1afb0bQJ;s6$B*$7y)<y78n^E85}0q0UQ+s88rX~5E&Q&cohH^7#4;B7KQ;PQYHuh7Qz7)6aW^60Tvi02o{C`6aWAj92g8iQc_P>I&))aWo=;?"
    "r~xl8FE1}MSwTTTK}A79K|wfnFE1~6Q9(gLK}A79ML|J9K}$hFb3sEvK}$hFQ9&zEFE1~5cR@ixK}kVDXF)+hK}A79ML|J9K}A79K|wcAFE1~8XF)+hL1#fhK|x1B"
    "K|w)5MMFVBK~X_MNkKwEK~X_MML|PBK|w)5cR@ixK|w)KR4*?tIYB`|K|w)LK|w)5XF)?zK}A79XF)+xK|w)CXF&iMPEc=bVRCaIC~$dnXm4&QAa-SPb7^mGATlm7"
    "E-)Y{Vs&Y3WFR+YIWRI}WHV-FWHL8qW;ilrF*GtaIAJh3VKO;2W@a*GH(_ODIWj3392@`u0A2wA08l|vF#"
)

values = st.fixed_dictionaries(
    {
        "whole": st.none() | st.integers(-(2**63), 2**63 - 1),
        "small": st.none() | st.integers(0, 255),
        "share": st.none() | st.floats(),
        "said": st.none() | st.booleans(),
        "name": st.none() | st.text(max_size=5),
        "day": st.none() | st.dates(datetime.date(1900, 1, 1)),
    }
)
SCHEMA = {"whole": pl.Int64, "small": pl.UInt8, "share": pl.Float64, "said": pl.Boolean, "name": pl.String, "day": pl.Date}


@pytest.fixture
def worst(tmp_path: Path) -> Path:
    """A folder with the file that ends a process that reads it with polars."""
    (tmp_path / "worst.parquet").write_bytes(ENDS_THE_PROCESS)
    return tmp_path


@settings(max_examples=60, deadline=None)
@given(st.lists(values, max_size=12))
def test_every_row_and_type_comes_back(tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, object]]) -> None:
    path = tmp_path_factory.mktemp("parquet") / "a=b[1]*.parquet"  # a pattern and a partition to the engine, a name to us
    written = pl.DataFrame(rows, schema=SCHEMA)
    written.write_parquet(path)

    assert_frame_equal(parquet.read(path), written, check_exact=True)


def test_the_file_ends_a_process_that_hands_it_to_polars(worst: Path) -> None:
    script = f"import polars; polars.read_parquet({str(worst / 'worst.parquet')!r})"
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    if ended.returncode == 0 or b"PanicException" in ended.stderr or b"ComputeError" in ended.stderr:
        pytest.skip("this polars refuses the file by itself")

    assert ended.returncode < 0


def test_every_reader_of_others_files_survives_it(worst: Path) -> None:
    rows = pl.DataFrame({"x": [1, 2, None, 4] * 3})

    assert_frame_equal(parquet.read(worst / "worst.parquet"), rows)  # the engine counts the rows it was told of, and no more
    with pytest.raises(RecordError, match=r"worst\.parquet, column x: found 3 empty cells"):
        _parquet.frame(worst, "worst.parquet", ["x"])
    assert read_table(worst / "worst.parquet")["x"].to_list() == ["1", "2", "", "4"] * 3
    assert len(rows_of(worst / "worst.parquet")) == rows.height


@pytest.mark.parametrize("left", [0, 4, 100, 400])
def test_every_reader_of_others_files_refuses_a_cut_one_by_name(worst: Path, left: int) -> None:
    (worst / "worst.parquet").write_bytes(ENDS_THE_PROCESS[:left])

    with pytest.raises(RecordError, match=r"worst\.parquet: found .*, expected Parquet"):
        _parquet.frame(worst, "worst.parquet", ["x"])
    with pytest.raises(UnreadableError, match=r"worst\.parquet: found .*, expected Parquet"):
        read_table(worst / "worst.parquet")
    assert rows_of(worst / "worst.parquet") == []


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_changed_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    path = tmp_path_factory.mktemp("parquet") / "changed.parquet"
    pl.DataFrame({"x": [1, 2, None, 4] * 3, "name": ["a", "b", "c"] * 4}).write_parquet(path, compression="uncompressed")
    raw = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(raw)

    try:
        assert parquet.read(path).height < parquet.ROWS
    except parquet.ParquetError as refused:
        said = str(refused)
    else:
        said = ""
    assert "\n" not in said
    assert "/" not in said  # no folder of ours
