"""Hand the record over as it stood on a day: one table, with where each value comes from, as Parquet, CSV or JSON.

The rows are those of the macro `observation_as_of`, the only way training rows are chosen, joined with what says how far
they can be trusted: source, dates, status and licence of the row, unit and direction of the quantity. Equal records give
equal bytes. In CSV a text that a spreadsheet would run as a formula gets an apostrophe; numbers are never touched.
"""

from __future__ import annotations

import io
import json
from datetime import date
from pathlib import Path

import polars as pl

from foresaid.errors import ParameterError, RecordError
from foresaid.files import write_bytes
from foresaid.registry import database
from foresaid.registry.checks.rows import Nearest
from foresaid.text import defused

FORMATS = ("parquet", "csv", "json")
COLUMNS = pl.Schema(
    {
        **dict.fromkeys(("subject_id", "kind", "run", "family"), pl.String()),
        "released_on": pl.Date(),
        **dict.fromkeys(("quantity_id", "title", "unit", "direction", "setting"), pl.String()),
        **dict.fromkeys(("value", "stderr"), pl.Float64()),
        "n": pl.Int64(),
        "source_id": pl.String(),
        **dict.fromkeys(("known_on", "recorded_on"), pl.Date()),
        **dict.fromkeys(("status", "note"), pl.String()),
    }
)
QUERY = """
select
    known.subject_id,
    known.kind,
    known.run,
    known.family,
    known.released_on,
    known.quantity_id,
    quantity.title,
    quantity.unit,
    quantity.direction,
    known.setting,
    known.value,
    observation.stderr,
    observation.n,
    known.source_id,
    known.known_on,
    observation.recorded_on,
    observation.status,
    observation.note
from observation_as_of(date '{day}') as known
inner join observation
    using (subject_id, quantity_id, setting, source_id, known_on)
inner join quantity
    using (quantity_id)
order by known.subject_id, known.quantity_id, known.setting, known.source_id
"""


def table(build: Path, day: date, sources: tuple[str, ...] = (), quantities: tuple[str, ...] = ()) -> pl.DataFrame:
    """The as-of table of a day, narrowed to some sources and quantities; a name that is not there is refused."""
    connection = database.open_database(build / "database")
    try:
        rows = database.frame(connection, QUERY.format(day=day.isoformat())).select(
            pl.col(name).cast(kind) for name, kind in COLUMNS.items()
        )
        known = database.quantities(connection)
        held = set(database.frame(connection, "select distinct source_id from observation order by all")["source_id"])
    finally:
        connection.close()
    for wanted, have, what in ((sources, held, "source"), (quantities, set(known), "quantity")):
        if unknown := [name for name in wanted if name not in have]:
            advice = Nearest(have).advice(unknown[0]) or f"one of {len(have)} in the database"
            raise ParameterError(f"export: found the {what} {unknown[0]}, expected one that is loaded; {advice}")
    if sources:
        rows = rows.filter(pl.col("source_id").is_in(list(sources)))
    if quantities:
        rows = rows.filter(pl.col("quantity_id").is_in(list(quantities)))
    return rows


def dump(rows: pl.DataFrame, form: str) -> bytes:
    """Spell a table as parquet, csv or json.

    >>> rows = pl.DataFrame({"note": ["=1+1", "plain"], "value": [-0.5, 0.25]})
    >>> print(dump(rows, "csv").decode().replace(chr(13), ""), end="")
    note,value
    '=1+1,-0.5
    plain,0.25
    """
    buffer = io.BytesIO()
    if form == "parquet":
        rows.write_parquet(buffer, compression="zstd", statistics=False)
    elif form == "csv":
        defused(rows).write_csv(buffer)
    else:
        text = [
            {name: cell.isoformat() if isinstance(cell, date) else cell for name, cell in row.items()}
            for row in rows.iter_rows(named=True)
        ]
        lines = ",\n".join(json.dumps(row, ensure_ascii=False, allow_nan=False) for row in text)
        buffer.write(f"[\n{lines}\n]\n".encode() if lines else b"[]\n")
    return buffer.getvalue()


def export(build: Path, day: date, to: Path, sources: tuple[str, ...] = (), quantities: tuple[str, ...] = ()) -> int:
    """Write the as-of table of a day to a file whose ending says the format; return its number of rows."""
    form = to.suffix.lower().removeprefix(".")
    if form not in FORMATS:
        raise ParameterError(f"export: found the file {to.name}, expected a name that ends with .parquet, .csv or .json")
    if to.is_dir() or not to.absolute().parent.is_dir():
        raise ParameterError(f"export: found no place for {to.name}, expected a file in a folder that exists")
    rows = table(build, day, sources, quantities)
    if rows.is_empty():
        raise RecordError(f"export: found no value known by {day}, expected at least one; choose a later day or other names")
    write_bytes(to, dump(rows, form))
    return rows.height
