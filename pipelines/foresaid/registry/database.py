"""The only module that knows DuckDB.

The engine enforces the schema (schema.sql: keys, references, checks) and answers "what was known on day D". What is kept is
the exported folder of Parquet files, not a .duckdb file: a .duckdb file is never the same twice, the export is.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from datetime import date
from functools import cache
from importlib import resources
from pathlib import Path

import duckdb
import polars as pl

from foresaid.errors import RecordError, UnreadableError
from foresaid.registry.view import Quantity, View

KEYS = {
    "quantity": "quantity_id",
    "model": "model_id",
    "subject": "subject_id",
    "observation": "subject_id, quantity_id, setting, source_id, known_on",
}
MEMORY = "3GB"  # more is spilt to disk: a file nobody vouches for must not take the machine down
TABLES = tuple(KEYS)  # in the order in which they refer to each other


@cache
def _exchange() -> Path:
    """The one folder of the disk that a locked connection may touch: frames come and go through it."""
    folder = Path(tempfile.mkdtemp(prefix="foresaid-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _connect(threads: int = 1) -> duckdb.DuckDBPyConnection:
    # One thread by default: the order of rows, and so the bytes of the export, must not depend on the machine.
    return duckdb.connect(
        config={
            "threads": threads,
            "memory_limit": MEMORY,
            "temp_directory": str(_exchange()),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_community_extensions": False,
            "allow_unsigned_extensions": False,
        }
    )


def lock(connection: duckdb.DuckDBPyConnection) -> None:
    """Shut a connection off: no file but in its exchange folder, no network, no extension, no way back."""
    connection.execute(f"set allowed_directories = ['{_exchange().as_posix()}/']")
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")


def staging() -> duckdb.DuckDBPyConnection:
    """A connection for tables on their way in: all processors, since what leaves it is sorted again."""
    connection = _connect(threads=min(os.cpu_count() or 1, 8))
    connection.execute("set preserve_insertion_order = false")
    return connection


def _schema() -> str:
    return resources.files("foresaid.registry").joinpath("schema.sql").read_text(encoding="utf-8")


def build(tables: dict[str, pl.DataFrame], out: Path) -> dict[str, int]:
    """Load the tables under the schema and export them to `out`; return the number of rows of each.

    `tables` holds one frame for each of quantity, model, subject and observation, with the columns of schema.sql.
    Whatever the schema refuses raises RecordError with DuckDB's own words, and `out` is left as it was.
    """
    connection = _connect()
    try:
        connection.execute(_schema())
        counts = {}
        for name in TABLES:
            rows = tables[name]
            columns = ", ".join(f'"{column}"' for column in rows.columns)
            try:
                with tempfile.TemporaryDirectory() as folder:
                    # Parquet is the way frames and DuckDB share without a third library.
                    rows.write_parquet(Path(folder) / "rows.parquet")
                    connection.execute(
                        f"insert into {name} ({columns}) select {columns} from read_parquet(?) order by {KEYS[name]}",
                        [str(Path(folder) / "rows.parquet")],
                    )
            except duckdb.Error as error:
                line = str(error).splitlines()[0]
                raise RecordError(f"table {name}: {line}; correct the row in registry/ and run ingest again") from None
            counts[name] = rows.height
        shutil.rmtree(out, ignore_errors=True)
        out.parent.mkdir(parents=True, exist_ok=True)
        connection.execute(f"export database '{out.as_posix()}' (format parquet, compression zstd)")
        return counts
    finally:
        connection.close()


def open_database(folder: Path) -> duckdb.DuckDBPyConnection:
    """Open the exported record in memory, read-only in effect: nothing written here reaches the folder."""
    if not (folder / "schema.sql").is_file():
        raise UnreadableError(f"{folder}: found no database, expected the output of `foresaid database`; run `dvc repro`")
    connection = _connect()
    connection.execute(_schema())  # ours: the text in the folder is somebody's file, and SQL may read and write others
    for name in TABLES:
        connection.execute(f"insert into {name} select * from read_parquet(?)", [str(folder / f"{name}.parquet")])
    lock(connection)
    return connection


def frame(connection: duckdb.DuckDBPyConnection, query: str) -> pl.DataFrame:
    """Run one query of ours and hand its result over as a polars frame.

    By way of a Parquet file: fast, typed, and without the Arrow bridge, which needs a third library and leaks at exit.
    """
    with tempfile.TemporaryDirectory(dir=_exchange()) as folder:
        path = Path(folder) / "rows.parquet"
        connection.execute(f"copy ({query}) to '{path.as_posix()}' (format parquet)")
        return pl.read_parquet(path)


def quantities(connection: duckdb.DuckDBPyConnection) -> dict[str, Quantity]:
    """Return every quantity's card by its id."""
    rows = frame(
        connection,
        "select quantity_id, title, kind, unit, lower, upper, chance, direction, protocol, resolver "
        "from quantity order by quantity_id",
    )
    return {row["quantity_id"]: Quantity(**row) for row in rows.iter_rows(named=True)}


def as_of(connection: duckdb.DuckDBPyConnection, day: date) -> View:
    """Return the record as it stood on `day`: the only way training rows are chosen."""
    return View(day, frame(connection, f"from observation_as_of(date '{day.isoformat()}')"), quantities(connection))


def resolutions(connection: duckdb.DuckDBPyConnection, day: date) -> View:
    """Return what resolves forecasts by `day`: the first value each quantity's resolver published."""
    return View(day, frame(connection, f"from resolution_by(date '{day.isoformat()}')"), quantities(connection))


def models(connection: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """Return the table of released models, by model_id."""
    return frame(connection, "from model order by model_id")
