"""A mirror is somebody else's folder: what is no plain file of a sensible size in it is refused before a byte is read."""

from __future__ import annotations

import os
from pathlib import Path

import polars as pl
import pytest

from foresaid import parquet
from foresaid.errors import RecordError
from foresaid.sources import _parquet, _plain_files, _upstream


def test_a_plain_file_is_taken_and_a_link_within_the_folder_as_well(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"x\n")
    (tmp_path / "b.csv").symlink_to("a.csv")

    assert _upstream.text(tmp_path, "a.csv")[0] == _upstream.text(tmp_path, "b.csv")[0] == "x\n"


@pytest.mark.parametrize("what", ["link out", "link to a device", "fifo", "folder", "huge"])
def test_what_is_no_plain_file_of_a_sensible_size_is_refused_at_once(tmp_path: Path, what: str) -> None:
    folder = tmp_path / "mirror"
    folder.mkdir()
    path = folder / "a.csv"
    (tmp_path / "secret").write_text("secret", encoding="ascii")
    if what == "link out":
        path.symlink_to(tmp_path / "secret")
    elif what == "link to a device":
        path.symlink_to("/dev/zero")
    elif what == "fifo":
        os.mkfifo(path)
    elif what == "folder":
        path.mkdir()
    else:
        with path.open("wb") as file:
            file.truncate(_plain_files.FILE_BYTES + 1)  # sparse

    with pytest.raises(RecordError, match=r"a\.csv"):
        _upstream.text(folder, "a.csv")


def test_a_parquet_file_that_unfolds_without_end_is_refused_by_its_footer(tmp_path: Path) -> None:
    rows = pl.select(x=pl.repeat(1.0, parquet.ROWS + 1, dtype=pl.Float64))
    rows.write_parquet(tmp_path / "bomb.parquet", compression="zstd")
    assert (tmp_path / "bomb.parquet").stat().st_size < 1_000_000

    with pytest.raises(RecordError, match="rows"):
        _parquet.frame(tmp_path, "bomb.parquet", ["x"])
