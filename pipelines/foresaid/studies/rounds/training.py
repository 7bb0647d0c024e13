"""All that a round's forecasts are fitted on, as rows that are published: from the rows alone the same forecasts can be made again.

One file of canonical lines, the snapshot that the batch of forecasts names by its SHA-256. Each row says its part in `target_id`:
cells of the law of all cells, values of rating boards, ceiling and last reading of each board, launches of the lines asked, and
how far records rose between two readings of one source. Values are settled to twelve places before anything is fitted, so that
what is written reads back as the same doubles.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from foresaid import canonical_json
from foresaid.canonical_json import decimal
from foresaid.errors import RecordError
from foresaid.laws._capability_rows import CEILING, SCHEMA
from foresaid.ledger.entries.schema import Training

CELLS, RATINGS, READ, LAUNCHES, LAG = "capability_cells", "rating_values", "boards_read", "launches", "publication_lag"
COLUMNS: Mapping[str, Mapping[str, pl.DataType | type[pl.DataType]]] = {
    CELLS: SCHEMA,
    RATINGS: {
        **dict.fromkeys(("benchmark", "model_id", "maker", "line", "tier", "release"), pl.String),
        "released_on": pl.Date,
        "value": pl.Float64,
        "known_on": pl.Date,
    },
    READ: {"benchmark": pl.String, "ceiling": pl.Float64, "known_on": pl.Date},
    LAUNCHES: {**dict.fromkeys(("model_id", "maker", "line", "tier"), pl.String), "released_on": pl.Date, "known_on": pl.Date},
    LAG: {"benchmark": pl.String, "earlier": pl.Float64, "later": pl.Float64, "earlier_on": pl.Date, "known_on": pl.Date},
}
SUBJECT = {CELLS: "system_id", RATINGS: "model_id", READ: "benchmark", LAUNCHES: "model_id", LAG: "benchmark"}


PLACES = 12  # after the point, of a value; the ledger's numbers have at most 18, and a score says nothing beyond


def settled(frame: pl.DataFrame) -> pl.DataFrame:
    """Round every number to PLACES, as it will stand in the rows."""
    return frame.with_columns(pl.col(pl.Float64).round(PLACES))


@dataclass(frozen=True)
class Rows:
    """The frames, each with its COLUMNS, as of a day."""

    as_of: date
    cells: pl.DataFrame
    ratings: pl.DataFrame
    read: pl.DataFrame
    launches: pl.DataFrame
    lag: pl.DataFrame

    @property
    def read_on(self) -> dict[str, date]:
        """The day on which each board was read last."""
        return dict(self.read.select("benchmark", "known_on").iter_rows())

    @property
    def law_cells(self) -> pl.DataFrame:
        """The cells with the ceiling that the record states of their board, as the law of all cells takes them."""
        stated = self.read.select("benchmark", pl.col("ceiling").alias(CEILING))
        return self.cells.select(*SCHEMA).join(stated, on="benchmark", how="left", maintain_order="left")

    def part(self, name: str) -> pl.DataFrame:
        """One of the frames by the name of its part, its columns in order, its rows sorted."""
        frames = {CELLS: self.cells, RATINGS: self.ratings, READ: self.read, LAUNCHES: self.launches, LAG: self.lag}
        return frames[name].select([pl.col(key).cast(kind) for key, kind in COLUMNS[name].items()]).sort(pl.all())


def to_bytes(rows: Rows) -> bytes:
    """Write the rows, part after part, as canonical lines."""
    lines = []
    for name in COLUMNS:
        for row in rows.part(name).iter_rows(named=True):
            plain = {key: _plain(value) for key, value in row.items()}
            lines.append(canonical_json.dump_line({**plain, "target_id": name, "subject_id": row[SUBJECT[name]]}))
    return b"".join(lines)


def _plain(value: object) -> Any:
    if isinstance(value, float):
        return decimal(round(value, PLACES), 17)
    return value.isoformat() if isinstance(value, date) else value


def from_bytes(content: bytes, as_of: date) -> Rows:
    """Read what `to_bytes` wrote; RecordError for a row of no known part or with other fields."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in COLUMNS}
    for number, row in enumerate(canonical_json.parse_lines(content), start=1):
        name = str(row.get("target_id"))
        if name not in found or set(row) != {*COLUMNS[name], "target_id", "subject_id"}:
            raise RecordError(f"training rows, line {number}: found {sorted(row)[:9]}, expected a row of {', '.join(COLUMNS)}")
        found[name].append({key: _typed(row[key], kind) for key, kind in COLUMNS[name].items()})
    cells, ratings, read, launches, lag = (pl.DataFrame(found[name], schema=COLUMNS[name]) for name in COLUMNS)
    return Rows(as_of, cells, ratings, read, launches, lag)


def _typed(value: Any, kind: object) -> Any:
    if value is None:
        return None
    return float(value) if kind is pl.Float64 else date.fromisoformat(value) if kind is pl.Date else value


def described(content: bytes, as_of: date, part: str | None = None) -> Training:
    """What a forecast states of the rows it was fitted on: of one part, or of all."""
    kept: Iterable[bytes] = content.splitlines(keepends=True)
    if part is not None:
        mark = f'"target_id":"{part}"'.encode()
        kept = [line for line in kept if mark in line]
    lines = list(kept)
    body = b"".join(lines)
    latest = max(str(canonical_json.parse_line(line[:-1])["known_on"]) for line in lines)
    return Training(
        as_of=as_of.isoformat(), max_known_on=latest, rows=len(lines), bytes=len(body), sha256=hashlib.sha256(body).hexdigest()
    )
