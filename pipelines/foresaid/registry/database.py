"""The record as a database: DuckDB enforces the schema, and views as of a date are read from what it exported.

The engine checks keys, references and values (schema.sql) and works out for every value the days on which it stood; that table,
`history`, is exported beside the others, so that "what was known on day D" is a filter on Parquet and loads nothing else. What is
kept is the exported folder, not a .duckdb file: a .duckdb file is never the same twice, the export is. SQL of one's own runs on
an engine that is started when it is asked for, holds the tables in memory and is shut off from the disk.
"""

from __future__ import annotations

import atexit
import dataclasses
import os
import shutil
import tempfile
from collections.abc import Sequence
from datetime import date
from functools import cache
from importlib import resources
from pathlib import Path

import duckdb
import polars as pl

from foresaid.errors import RecordError, UnreadableError
from foresaid.files import read_frame, reading_parquet
from foresaid.registry import systems
from foresaid.registry.view import Quantity, View

KEYS = {
    "quantity": "quantity_id",
    "model": "model_id",
    "subject": "subject_id",
    "observation": "subject_id, quantity_id, setting, source_id, known_on",
}
MEMORY = "3GB"  # more is spilt to disk: a file nobody vouches for must not take the machine down
TABLES = tuple(KEYS)  # in the order in which they refer to each other
HISTORY = "history.parquet"
OBSERVED = (
    "subject_id", "quantity_id", "setting", "source_id", "known_on", "value", "kind", "run", "family", "released_on",
)  # fmt: skip


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
        days = f"from history order by {KEYS['observation']}"
        connection.execute(f"copy ({days}) to '{(out / HISTORY).as_posix()}' (format parquet, compression zstd)")
        return counts
    finally:
        connection.close()


class Database:
    """An exported record: its tables as Parquet files, and an engine for SQL over them that is started on first use.

    Read-only in effect: nothing written through the engine reaches the folder.
    """

    def __init__(self, folder: Path) -> None:
        """Raise UnreadableError where the folder holds no exported record."""
        if not (folder / HISTORY).is_file():
            raise UnreadableError(f"{folder}: found no database, expected the output of `foresaid database`; run `dvc repro`")
        self.folder = folder
        self._connection: duckdb.DuckDBPyConnection | None = None

    def execute(self, query: str) -> duckdb.DuckDBPyConnection:
        """Run one statement of SQL on the tables; the engine reaches no file, no network and no extension."""
        if self._connection is None:
            self._connection = _connect()
            self._connection.execute(_schema())  # the package's own text: the folder's is only read by people
            for name in TABLES:
                path = self.folder / f"{name}.parquet"
                with reading_parquet(path):
                    columns = ", ".join(f'"{column}"' for column in pl.read_parquet_schema(path))
                try:
                    self._connection.execute(f"insert into {name} ({columns}) select {columns} from read_parquet(?)", [str(path)])
                except duckdb.Error as error:
                    said = str(error).splitlines()[0][:120]
                    raise UnreadableError(
                        f"{path}: found {said}, expected a table of this record; delete it and run `dvc repro`"
                    ) from None
            lock(self._connection)
        return self._connection.execute(query)

    def close(self) -> None:
        """Stop the engine, if it was started."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def older_than(folder: Path, registry: Path) -> Path | None:
    """Return the file of the record that was written last, where that was after the database was made; else None.

    Told by the times of the files alone, so a record that was copied anew counts as changed. Not for decisions.
    """
    made = (folder / HISTORY).stat().st_mtime
    files = [*registry.glob("*.csv"), *registry.glob("sources/*/*.csv"), *registry.glob("sources/*/source.toml")]
    newest = max(files, key=lambda path: path.stat().st_mtime, default=None)
    return newest if newest is not None and newest.stat().st_mtime > made else None


def open_database(folder: Path) -> Database:
    """Open the exported record, or say which command makes it (UnreadableError)."""
    return Database(folder)


def frame(connection: Database | duckdb.DuckDBPyConnection, query: str) -> pl.DataFrame:
    """Run one query of ours and hand its result over as a polars frame.

    By way of a Parquet file: fast, typed, and without the Arrow bridge, which needs a third library and leaks at exit.
    """
    with tempfile.TemporaryDirectory(dir=_exchange()) as folder:
        path = Path(folder) / "rows.parquet"
        connection.execute(f"copy ({query}) to '{path.as_posix()}' (format parquet)")
        return pl.read_parquet(path)


def _table(database: Database, name: str, columns: Sequence[str] | None = None) -> pl.DataFrame:
    return read_frame(database.folder / f"{name}.parquet", columns)


def quantities(database: Database) -> dict[str, Quantity]:
    """Return every quantity's card by its id."""
    columns = [item.name for item in dataclasses.fields(Quantity)]
    rows = _table(database, "quantity", columns).sort("quantity_id")
    return {row["quantity_id"]: Quantity(**row) for row in rows.iter_rows(named=True)}


def sources(database: Database) -> list[str]:
    """Return the names of the sources that have rows."""
    return _table(database, "observation", ["source_id"])["source_id"].unique().sort().to_list()


def as_of(database: Database, day: date) -> View:
    """Return the record as it stood on `day`: the only way training rows are chosen.

    Of each value the last row known on or before the day, by key; withdrawn and suspect values do not count. The days on which a
    row stood are those of the view `history` of schema.sql.
    """
    stood = (pl.col("known_on") <= day) & ~(pl.col("superseded_on") <= day).fill_null(False) & pl.col("counts")
    with reading_parquet(database.folder / HISTORY):
        rows = pl.scan_parquet(database.folder / HISTORY).filter(stood).select(OBSERVED).collect()
    return View(day, rows, quantities(database))


def systems_as_of(database: Database, day: date) -> pl.DataFrame:
    """Return the record as it stood on `day`, one row a system and benchmark (see `systems`)."""
    return systems.frame(as_of(database, day).observations, models(database), _table(database, "quantity").sort("quantity_id"))


def history(database: Database) -> pl.DataFrame:
    """Return every value of every source: since when it was known, whether it counts, and what is known of its subject."""
    columns = (
        "subject_id",
        "quantity_id",
        "setting",
        "source_id",
        "known_on",
        "value",
        "counts",
        "kind",
        "run",
        "family",
        "released_on",
    )
    return _table(database, HISTORY.removesuffix(".parquet"), columns)


def systems_resolved(database: Database, day: date) -> pl.DataFrame:
    """Return the first value that each quantity's resolver published by `day`, one row a system and benchmark (see `systems`)."""
    rows = resolutions(database, day).observations
    return systems.frame(rows, models(database), _table(database, "quantity").sort("quantity_id"))


def resolutions(database: Database, day: date) -> View:
    """Return what resolves forecasts by `day`: the first value each quantity's resolver published, whatever was revised later."""
    with reading_parquet(database.folder / HISTORY):
        rows = (
            pl.scan_parquet(database.folder / HISTORY)
            .filter((pl.col("known_on") <= day) & pl.col("counts") & pl.col("resolves"))
            .unique(OBSERVED[:4], keep="first", maintain_order=True)
            .select(OBSERVED)
            .collect()
        )
    return View(day, rows, quantities(database))


def models(database: Database) -> pl.DataFrame:
    """Return the table of released models, by model_id."""
    return _table(database, "model").sort("model_id")
