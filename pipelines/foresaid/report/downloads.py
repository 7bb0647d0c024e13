"""The tables of the site as CSV and JSON, long ones as Parquet: what a page shows, whole, for whoever wants to check it.

Floats keep ten significant digits: what lies beyond depends on the machine's arithmetic and must not reach the bytes.

A spreadsheet runs a cell that begins like a formula, so such text gets a leading apostrophe. Only columns of text are
touched: a negative number stays a number. JSON holds the text as it is.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from foresaid.text import defused

MIDDLING, LONG = 200, 1000  # rows


def flat(frame: pl.DataFrame) -> pl.DataFrame:
    """Spell lists as text, since CSV has none."""
    lists = [name for name, kind in frame.schema.items() if isinstance(kind, pl.List)]
    return frame.with_columns(pl.col(name).cast(pl.List(pl.String)).list.join(" ") for name in lists)


def unnested(frame: pl.DataFrame) -> pl.DataFrame:
    """Give each field of a record a column of its own, named after both, since CSV and a flat JSON row have no records.

    >>> unnested(pl.DataFrame({"width": [{"scale": 1.5, "series": 3}, None]})).to_dict(as_series=False)
    {'width_scale': [1.5, None], 'width_series': [3, None]}
    """
    for name, kind in frame.schema.items():
        if isinstance(kind, pl.Struct):
            frame = frame.with_columns(pl.col(name).name.prefix_fields(f"{name}_")).unnest(name)
    return frame


def rows(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """Rows as JSON can hold them: dates as ISO text, what is not finite as null."""

    def plain(value: Any) -> Any:
        if isinstance(value, float):
            return value if math.isfinite(value) else None
        return value if value is None or isinstance(value, bool | int | str | list) else str(value)

    return [{name: plain(value) for name, value in row.items()} for row in frame.iter_rows(named=True)]


def formats(table: pl.DataFrame) -> tuple[str, ...]:
    """The formats a table is offered in: as text while it is short; from LONG rows on as Parquet alone, a fifth of the bytes.

    JSON repeats every name in every row, so that Parquet stands in its place from MIDDLING rows on.

    >>> [formats(pl.DataFrame({"n": range(n)})) for n in (2, MIDDLING, LONG)]
    [('csv', 'json'), ('csv', 'parquet'), ('parquet',)]
    """
    if table.height >= LONG:
        return ("parquet",)
    return ("csv", "parquet" if table.height >= MIDDLING else "json")


def contents(tables: Mapping[str, pl.DataFrame]) -> dict[Path, bytes]:
    """Return the files below the site: data/NAME in each format of the table."""
    made = {}
    for name, table in tables.items():
        frame = unnested(table).with_columns(pl.col(pl.Float64).round_sig_figs(10))
        for form in formats(table):
            made[Path("data") / f"{name}.{form}"] = _as(form, frame)
    return made


def _as(form: str, frame: pl.DataFrame) -> bytes:
    if form == "csv":
        return defused(flat(frame)).write_csv(line_terminator="\n").encode()
    if form == "json":
        return (json.dumps(rows(frame), ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n").encode()
    held = io.BytesIO()
    frame.write_parquet(held, compression="zstd", statistics=False)
    return held.getvalue()
