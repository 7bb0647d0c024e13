"""The tables of the site as CSV and JSON: what a page shows, whole, for whoever wants to check it.

Floats keep ten significant digits: what lies beyond depends on the machine's arithmetic and must not reach the bytes.

A spreadsheet runs a cell that begins like a formula, so such text gets a leading apostrophe. Only columns of text are
touched: a negative number stays a number. JSON holds the text as it is.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from foresaid.text import defused


def flat(frame: pl.DataFrame) -> pl.DataFrame:
    """Spell lists as text, since CSV has none."""
    lists = [name for name, kind in frame.schema.items() if isinstance(kind, pl.List)]
    return frame.with_columns(pl.col(name).cast(pl.List(pl.String)).list.join(" ") for name in lists)


def rows(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """Rows as JSON can hold them: dates as ISO text, what is not finite as null."""

    def plain(value: Any) -> Any:
        if isinstance(value, float):
            return value if math.isfinite(value) else None
        return value if value is None or isinstance(value, bool | int | str | list) else str(value)

    return [{name: plain(value) for name, value in row.items()} for row in frame.iter_rows(named=True)]


def contents(tables: Mapping[str, pl.DataFrame]) -> dict[Path, bytes]:
    """Return the files below the site: data/NAME.csv and data/NAME.json for each table."""
    made = {}
    for name, table in tables.items():
        frame = table.with_columns(pl.col(pl.Float64).round_sig_figs(10))
        made[Path("data") / f"{name}.csv"] = defused(flat(frame)).write_csv(line_terminator="\n").encode()
        text = json.dumps(rows(frame), indent=1, ensure_ascii=False, allow_nan=False)
        made[Path("data") / f"{name}.json"] = (text + "\n").encode()
    return made
