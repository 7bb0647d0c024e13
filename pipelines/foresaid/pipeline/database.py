"""Stage `database`: load the checked tables into DuckDB under the schema and export them, byte-stable.

Beside them lies a file with the digest of each. Later stages read the tables and name that file as their dependency, since DVC
looks at every dependency of every stage: at one file for each of them, not at the folder.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from foresaid.files import read_frame, write_json
from foresaid.registry.database import HISTORY, TABLES, build
from foresaid.registry.schema import SCHEMA

# `load.sql` is left out: DuckDB writes the folder's path into it, and nothing here reads it.
NAMED = (*(f"{name}.parquet" for name in TABLES), HISTORY, "schema.sql")


def run(sources: Sequence[str], build_folder: Path) -> dict[str, int]:
    """Stage `database`: load what ingest wrote, of the sources named in params.yaml; return the rows of each table."""
    tables = {name: read_frame(build_folder / "tables" / f"{name}.parquet") for name in ("quantity", "model", "subject")}
    parts = [read_frame(build_folder / "observations" / f"{name}.parquet") for name in sorted(sources)]
    whole = pl.concat([pl.DataFrame(schema=SCHEMA), *parts])  # a new registry has no source yet
    folder = build_folder / "database"
    counts = build({**tables, "observation": whole}, folder)
    write_json(folder / "digests.json", {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in NAMED})
    return counts
