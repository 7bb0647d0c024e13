"""Strict reading of upstream Parquet files: exactly the columns the reader expects, none of them empty.

Kept apart from the text formats because it needs polars, which most readers do without.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from foresaid.errors import Problem, RecordError, UnreadableError
from foresaid.sources import _plain_files

UNFOLDED_BYTES = 2_000_000_000  # of all columns, as the footer states them
ROWS = 20_000_000


def _check_size(path: Path, file: str) -> None:
    """Refuse a file that unfolds to more than can be held: one and a half megabytes can hold ten gigabytes."""
    import duckdb  # polars reads the rows but does not tell their size beforehand

    try:
        with duckdb.connect() as connection:
            found = connection.execute("select sum(total_uncompressed_size) from parquet_metadata(?)", [str(path)]).fetchone()
            counted = connection.execute("select sum(num_rows) from parquet_file_metadata(?)", [str(path)]).fetchone()
    except duckdb.Error as error:
        raise RecordError(
            f"{file}: found {str(error).splitlines()[0][:120]}, expected Parquet; the file may be cut short"
        ) from None
    size, rows = (int((row or (0,))[0] or 0) for row in (found, counted))
    if size > UNFOLDED_BYTES or rows > ROWS:
        raise RecordError(
            f"{file}: found {rows:,} rows and {size:,} bytes, expected at most {ROWS:,} and {UNFOLDED_BYTES:,}; cut it up"
        )


def frame(folder: Path, path: str, columns: Sequence[str], ignored: Sequence[str] = ()) -> tuple[pl.DataFrame, str]:
    """Read a Parquet file that must have `columns` without gaps and may have those `ignored`; also return its name."""
    file = f"{folder.name}/{path}"
    try:
        place = _plain_files.check(folder, path)
        _check_size(place, file)
        rows = pl.read_parquet(place, use_pyarrow=False)
    except OSError as error:
        raise UnreadableError(f"{file}: found {error.strerror or error}, expected a readable file") from None
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise RecordError(
            f"{file}: found {str(error).splitlines()[0][:120]}, expected Parquet; the file may be cut short"
        ) from None
    problems = [
        Problem(file, None, name, "no such column", "this column", "found " + ", ".join(rows.columns))
        for name in columns
        if name not in rows.columns
    ]
    problems += [
        Problem(file, None, name, "an unknown column", "a column the reader knows", "teach the reader what it means")
        for name in rows.columns
        if name not in (*columns, *ignored)
    ]
    problems += [
        Problem(file, None, name, f"{rows[name].null_count()} empty cells", "a value in every row")
        for name in columns
        if name in rows.columns and rows[name].null_count()
    ]
    if problems:
        raise RecordError.collect(problems)
    return rows.select(columns), file
