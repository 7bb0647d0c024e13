"""Strict reading of upstream Parquet files: exactly the columns the reader expects, none of them empty.

Kept apart from the text formats because it needs polars, which most readers do without.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from foresaid import parquet
from foresaid.errors import BadCell, RecordError, UnreadableError
from foresaid.sources import _plain_files


def frame(folder: Path, path: str, columns: Sequence[str], ignored: Sequence[str] = ()) -> tuple[pl.DataFrame, str]:
    """Read a Parquet file that must have `columns` without gaps and may have those `ignored`; also return its name."""
    file = f"{folder.name}/{path}"
    try:
        place = _plain_files.check(folder, path)
        rows = parquet.read(place)
    except OSError as error:
        raise UnreadableError(f"{file}: found {error.strerror or error}, expected a readable file") from None
    except parquet.ParquetError as error:
        raise RecordError(f"{file}: {error}") from None
    problems = [
        BadCell(file, None, name, "no such column", "this column", "found " + ", ".join(rows.columns))
        for name in columns
        if name not in rows.columns
    ]
    problems += [
        BadCell(file, None, name, "an unknown column", "a column the reader knows", "teach the reader what it means")
        for name in rows.columns
        if name not in (*columns, *ignored)
    ]
    problems += [
        BadCell(file, None, name, f"{rows[name].null_count()} empty cells", "a value in every row")
        for name in columns
        if name in rows.columns and rows[name].null_count()
    ]
    if problems:
        raise RecordError.collect(problems)
    return rows.select(columns), file
