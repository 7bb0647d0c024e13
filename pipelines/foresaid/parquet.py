"""Parquet that somebody else wrote: a file of any bytes is read or refused, and never ends the process.

Polars takes the counts and lengths a file states at their word: one changed byte can make it ask for more memory than there is,
and then the whole process ends without a line that names the file. DuckDB holds them against the rest of the file and a limit of
memory. So DuckDB reads the file and writes it anew; polars reads only what DuckDB wrote.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb
    import polars as pl

SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "threads": 1,
    "memory_limit": "3GB",
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}
UNFOLDED_BYTES = 2_000_000_000  # of all columns, as the footer states them
ROWS = 20_000_000


class ParquetError(ValueError):
    """Bytes that are no whole Parquet file, or one that unfolds to more than can be held; says what was found and expected."""


def read(path: Path) -> pl.DataFrame:
    """Read every row and column of a Parquet file.

    Raises ParquetError where its bytes are no whole Parquet file, or unfold to more than UNFOLDED_BYTES or ROWS, and OSError where
    it cannot be read. A file of half a megabyte can hold ten gigabytes, so its size is looked at before its rows.
    """
    import duckdb  # who reads no such file pays for neither
    import polars as pl

    with tempfile.TemporaryDirectory(prefix="foresaid-") as folder:
        # A copy under a name of ours: the engine takes stars and brackets in a path for patterns, and "a=b" for a column.
        given, made = Path(folder) / "given.parquet", Path(folder) / "made.parquet"
        shutil.copyfile(path, given)
        try:
            with duckdb.connect(config={**SETTINGS, "temp_directory": folder}) as engine:
                size = _number(engine, f"select sum(total_uncompressed_size) from parquet_metadata('{given}')")
                rows = _number(engine, f"select sum(num_rows) from parquet_file_metadata('{given}')")
                if size > UNFOLDED_BYTES or rows > ROWS:
                    raise ParquetError(
                        f"found {rows:,} rows and {size:,} bytes, expected at most {ROWS:,} and {UNFOLDED_BYTES:,}; cut it up"
                    )
                engine.execute(f"copy (from read_parquet('{given}')) to '{made}' (format parquet)")
            return pl.read_parquet(made, memory_map=False)
        except (duckdb.Error, pl.exceptions.PolarsError) as error:
            said = (str(error).splitlines() or [""])[0][:120].replace(f"{folder}/", "")
            raise ParquetError(f"found {said}, expected Parquet; the file may be cut short") from None


def _number(engine: duckdb.DuckDBPyConnection, query: str) -> int:
    """The one number a query returns, 0 for none."""
    found = engine.execute(query).fetchone()
    return int((found or (0,))[0] or 0)
