"""The tables of the site as files: what a page shows, whole, for whoever wants to check it, with a schema of its columns.

A short table is offered as CSV, JSON and Parquet. From LARGE bytes on it is offered as compressed CSV and as Parquet: a second
spelling of the same text would weigh more than the pages. The longest tables, which nobody reads as text, are offered as Parquet
alone. Schemas follow the Table Schema of Frictionless Data, and `datapackage.json` lists all tables as one Data Package: programs
read both unaided. A schema is named after its own bytes, so tables of the same columns share one file.

Floats keep ten significant digits: what lies beyond depends on the machine's arithmetic and must not reach the bytes.

A spreadsheet runs a cell that begins like a formula, so such text gets a leading apostrophe. Only columns of text are
touched: a negative number stays a number. JSON holds the text as it is.
"""

from __future__ import annotations

import io
import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import polars as pl

from foresaid.report.columns import meaning
from foresaid.report.kept import NOTHING, Kept, name_of, program
from foresaid.text import defused

FOLDER = Path("data")
LARGE, LONGEST = 1 << 12, 1000  # bytes as CSV; rows
CODE, LIBRARIES = ("report/downloads.py",), ("polars",)
KINDS: dict[object, str] = {pl.Boolean: "boolean", pl.Date: "date", pl.Datetime: "datetime", pl.List: "array"}


@dataclass(frozen=True)
class Offer:
    """One format of a table: the ending of the file, what a page calls it, how it is written."""

    ending: str
    title: str
    write: Callable[[pl.DataFrame], bytes]


@dataclass(frozen=True)
class Offered:
    """What a page links to of a table: its formats, and the name of the file that holds its schema."""

    formats: tuple[Offer, ...]
    schema: str


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


def formats(table: pl.DataFrame) -> tuple[Offer, ...]:
    """The formats a table is offered in.

    >>> [[one.ending for one in formats(pl.DataFrame({"n": range(n)}))] for n in (2, LONGEST)]
    [['csv', 'json', 'parquet'], ['parquet']]
    """
    if table.height >= LONGEST:
        return (PARQUET,)
    return (COMPRESSED, PARQUET) if len(_csv(_shown(table))) >= LARGE else SHORT


def contents(tables: Mapping[str, pl.DataFrame], kept: Kept = NOTHING) -> dict[Path, bytes]:
    """Return the files below the site: data/NAME in each format of the table, and each schema once.

    A table whose rows, types and code are as before is taken from what is kept; the schemas, made anew, take 0.02 s all
    together.
    """
    code = program(CODE, LIBRARIES)
    made: dict[Path, bytes] = {}
    for name, table in tables.items():
        parts = kept.of(name_of(code, _rows(table)), partial(_files, table))
        made |= {FOLDER / f"{name}.{ending}": content for ending, content in parts.items()}
        file, content = _schema_file(table)
        made[FOLDER / file] = content
    return made


def _files(table: pl.DataFrame) -> dict[str, bytes]:
    """The table in each of its formats, by the ending of the file."""
    frame = _shown(table)
    return {one.ending: one.write(frame) for one in formats(table)}


def _schema_file(table: pl.DataFrame) -> tuple[str, bytes]:
    """The schema of a table as a file, by a name that tables of the same columns share."""
    content = _document(schema(unnested(table.clear())))
    return f"schema-{sha256(content).hexdigest()[:12]}.json", content


def _rows(table: pl.DataFrame) -> bytes:
    held = io.BytesIO()
    table.write_ipc(held)
    return held.getvalue()


def offers(tables: Mapping[str, pl.DataFrame], files: Mapping[Path, bytes]) -> dict[str, Offered]:
    """What each table is offered as: its formats are those that have a file in `files`, the `contents` of the tables."""

    def found(name: str) -> tuple[Offer, ...]:
        return tuple(one for one in (*PLAIN, COMPRESSED, PARQUET) if FOLDER / f"{name}.{one.ending}" in files)

    return {name: Offered(found(name), _schema_file(table)[0]) for name, table in tables.items()}


def schema(frame: pl.DataFrame) -> dict[str, Any]:
    """The Table Schema of a table: each column with its type and what it means.

    >>> schema(pl.DataFrame({"wis": [0.1]}))["fields"][0]["type"]
    'number'
    """
    fields = [{"name": name, "type": _kind(kind), "description": meaning(name)} for name, kind in frame.schema.items()]
    return {"fields": fields, "missingValues": [""]}


def package(tables: Mapping[str, pl.DataFrame], offers: Mapping[str, Offered], files: Mapping[Path, bytes]) -> bytes:
    """The Data Package that lists all tables: data/datapackage.json. `files` are the `contents` of the tables."""
    resources = [
        {
            "name": re.sub(r"[^a-z0-9._-]", ".", f"{name}.{one.ending}".lower()),
            "path": f"{name}.{one.ending}",
            "format": one.ending.removesuffix(".gz"),
            **({"compression": "gz"} if one.ending.endswith(".gz") else {}),
            "schema": found.schema,
            "bytes": len(files[FOLDER / f"{name}.{one.ending}"]),
            "hash": f"sha256:{sha256(files[FOLDER / f'{name}.{one.ending}']).hexdigest()}",
            "rows": tables[name].height,
        }
        for name, found in sorted(offers.items())
        for one in found.formats
    ]
    return _document({"name": "foresaid", "title": "Tables of the site", "profile": "tabular-data-package", "resources": resources})


def _shown(table: pl.DataFrame) -> pl.DataFrame:
    return unnested(table).with_columns(pl.col(pl.Float64).round_sig_figs(10))


def _document(value: object) -> bytes:
    return (json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n").encode()


def _kind(kind: pl.DataType) -> str:
    if kind.is_float():
        return "number"
    return "integer" if kind.is_integer() else KINDS.get(kind.base_type(), "string")


def _csv(frame: pl.DataFrame) -> bytes:
    return defused(flat(frame)).write_csv(line_terminator="\n").encode()


def _csv_gz(frame: pl.DataFrame) -> bytes:
    # By polars and not by the machine's own zlib, of which there are several: equal rows give equal bytes.
    held = io.BytesIO()
    defused(flat(frame)).write_csv(held, line_terminator="\n", compression="gzip", compression_level=9)
    return held.getvalue()


def _json(frame: pl.DataFrame) -> bytes:
    return (json.dumps(rows(frame), ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n").encode()


def _parquet(frame: pl.DataFrame) -> bytes:
    held = io.BytesIO()
    frame.write_parquet(held, compression="zstd", compression_level=12, statistics=False)
    return held.getvalue()


PLAIN = (Offer("csv", "CSV", _csv), Offer("json", "JSON", _json))
COMPRESSED = Offer("csv.gz", "CSV (gzip)", _csv_gz)
PARQUET = Offer("parquet", "Parquet", _parquet)
SHORT = (*PLAIN, PARQUET)
