"""Stage `database`: load the checked tables into DuckDB under the schema and export them, byte-stable."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from foresaid.files import read_frame
from foresaid.registry.database import build
from foresaid.registry.schema import SCHEMA


def run(sources: Sequence[str], build_folder: Path) -> dict[str, int]:
    """Stage `database`: load what ingest wrote, of the sources named in params.yaml; return the rows of each table."""
    tables = {name: read_frame(build_folder / "tables" / f"{name}.parquet") for name in ("quantity", "model", "subject")}
    parts = [read_frame(build_folder / "observations" / f"{name}.parquet") for name in sorted(sources)]
    whole = pl.concat([pl.DataFrame(schema=SCHEMA), *parts])  # a new registry has no source yet
    return build({**tables, "observation": whole}, build_folder / "database")
