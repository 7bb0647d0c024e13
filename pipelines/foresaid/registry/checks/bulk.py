"""The gate for tables too large to read row by row: the rules of `row_rules`, all of them in one pass of the engine.

Subjects, quantities, settings and statuses are read as enumerations of what the record knows, so that an unknown id stops the
reader and every later comparison is one of small integers. What is sound is loaded in seconds; what is not is refused here
with the first bad rows of each rule, found by a second look that only a refused file costs. The bytes are looked at before
anything is parsed, as `csv_files.decode` does. The order of the rows is not looked at: the engine reads in several threads.
"""

from __future__ import annotations

import codecs
from collections.abc import Collection, Sequence
from datetime import date
from pathlib import Path

import duckdb
import numpy as np

from foresaid.errors import BadCell, RecordError, UnreadableError
from foresaid.registry.checks import row_rules
from foresaid.registry.checks.rows import Known, Nearest
from foresaid.registry.formats import OBSERVATIONS, STATUSES, ObservationRow, plain, shown

CHUNK = 1 << 24
EXAMPLES = 10
TYPES = {
    "subject_id": "subject_name",
    "quantity_id": "quantity_name",
    "setting": "varchar",
    "known_on": "date",
    "value": "double",
    "stderr": "double",
    "n": "bigint",
    "recorded_on": "date",
    "status": "status_name",
    "note": "varchar",
}
CSV = "header = true, auto_detect = false, delim = ',', quote = '\"', escape = '\"', nullstr = '', strict_mode = true"
ONE_ROW = row_rules.RowRule("one row a key", "value", "", lambda row, quantity: "one row for each key")


def look(path: Path, file: str) -> None:
    """Refuse bytes no registry file has: a byte-order mark, a carriage return, a NUL, what is not UTF-8, a cut last line."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    header = ",".join(OBSERVATIONS.header).encode() + b"\n"
    last, seen = b"", 0
    try:
        with path.open("rb") as stream:
            if stream.read(len(header)) != header:
                raise _refused(file, 1, "-", "another header, or none", "the header " + ",".join(OBSERVATIONS.header))
            while chunk := stream.read(CHUNK):
                for bad, name in ((b"\r", "a carriage return"), (b"\0", "a NUL")):
                    if bad in chunk:
                        row = _line(path, len(header) + seen + chunk.index(bad))
                        raise _refused(file, row, "-", name, "text that ends with LF")
                if not chunk.isascii() or decoder.getstate()[0]:
                    decoder.decode(chunk)
                seen += len(chunk)
                last = chunk[-1:]
            decoder.decode(b"", final=True)
    except OSError as error:
        raise UnreadableError(f"{file}: found {error.strerror or error}, expected a readable file") from None
    except UnicodeDecodeError as error:
        raise _refused(file, None, "-", f"byte 0x{error.object[error.start]:02x}", "UTF-8", "save the file as UTF-8") from None
    if last not in (b"\n", b""):
        raise _refused(file, None, "-", "the end of the file inside a line", "LF at its end", "the file is cut short")


def _line(path: Path, at: int) -> int:
    """The line a byte stands in: counted only when something is wrong there."""
    with path.open("rb") as stream:
        return sum(stream.read(min(CHUNK, at - start)).count(b"\n") for start in range(0, at, CHUNK)) + 1


def load(
    connection: duckdb.DuckDBPyConnection, path: Path, file: str, known: Known, runs: Collection[str], table: str = "incoming"
) -> int:
    """Read a CSV or Parquet file of observations into `table`, through the gate; return the number of rows.

    The table has the columns of the file, ids as enumerations. Anything wrong raises RecordError and leaves no table.
    """
    if path.suffix == ".csv":
        look(path, file)
    _names(connection, known, runs)
    quoted = path.as_posix().replace("'", "''")
    if path.suffix == ".csv":
        columns = ", ".join(f"'{name}': '{kind}'" for name, kind in TYPES.items())
        origin = f"read_csv('{quoted}', columns = {{{columns}}}, {CSV})"
    else:
        origin = f"read_parquet('{quoted}')"
    picked = [f"cast({name} as {kind}) as {name}" for name, kind in TYPES.items() if name not in ("setting", "note")]
    picked += ["coalesce(setting, '') as setting", "coalesce(note, '') as note"]
    try:
        connection.execute(f"create or replace table {table} as select {', '.join(picked)} from {origin}")
        _check(connection, file, known, table)
    except duckdb.Error as error:
        connection.execute(f"drop table if exists {table}")
        raise _explained(error, file, known, runs) from None
    except RecordError:
        connection.execute(f"drop table if exists {table}")
        raise
    return int(_one(connection, f"select count(*) from {table}"))


def _names(connection: duckdb.DuckDBPyConnection, known: Known, runs: Collection[str]) -> None:
    for name, members in (
        ("subject_name", sorted({*known.models, *runs})),
        ("quantity_name", sorted(known.quantities)),
        ("status_name", list(STATUSES)),
    ):
        listed = ", ".join("'" + member.replace("'", "''") + "'" for member in members)
        connection.execute(f"drop type if exists {name}")
        connection.execute(f"create type {name} as enum ({listed})")


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> int | float:
    row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]  # type: ignore[no-any-return]


def _check(connection: duckdb.DuckDBPyConnection, file: str, known: Known, table: str) -> None:
    """Ask every rule in one pass beside the limits of each quantity, duplicates by a sort of the packed keys."""
    _limits(connection, known)
    problems: list[BadCell] = []
    verdicts = row_rules.verdicts()
    rows = f"{table} left join limits using (quantity_id)"
    any_broken = " or ".join(f"({rule.broken})" for rule in row_rules.RULES)  # the engine drops what its statistics rule out
    if _one(connection, f"select count(*) from {rows} where {any_broken}"):
        # The second look, which only a refused file costs.
        counted = {
            place: count
            for verdict in verdicts.values()
            for place, count in connection.execute(f"select {verdict} as rule, count(*) from {rows} group by all").fetchall()
            if place is not None
        }
        for place, rule in enumerate(row_rules.RULES):
            if place in counted:
                problems += _examples(connection, file, rows, f"({verdicts[rule.column]}) = {place}", rule, counted[place], known)
    if repeated(connection, table):
        keys = "subject_id, quantity_id, setting, known_on"
        where = f"({keys}) in (select ({keys}) from {table} group by {keys} having count(*) > 1)"
        problems += _examples(connection, file, rows, where, ONE_ROW, 0, known)
    if problems:
        raise RecordError.collect(problems)


def _limits(connection: duckdb.DuckDBPyConnection, known: Known) -> None:
    """Lay the limits of every quantity beside the incoming rows."""
    kinds = ("quantity_name", "varchar", "varchar", *["double"] * 5)
    columns = ", ".join(f"{name} {kind}" for name, kind in zip(row_rules.LIMITS, kinds, strict=True))
    connection.execute(f"create or replace temporary table limits ({columns})")
    rows = row_rules.limits(known.quantities).rows()
    if rows:
        places = ", ".join(
            f"({', '.join('?' * len(kinds))})" for _ in rows
        )  # one statement: one for each row is a hundred times slower
        connection.execute(f"insert into limits values {places}", [cell for row in rows for cell in row])


def repeated(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    """Whether two rows have one key: subject, quantity, setting and day packed into one integer, sorted, neighbours compared."""
    settings = [row[0] for row in connection.execute(f"select distinct setting from {table} order by all").fetchall()]
    sizes = connection.execute(
        f"select max(enum_code(subject_id)) + 1, max(enum_code(quantity_id)) + 1, min(known_on) - date '1970-01-01', "
        f"max(known_on) - min(known_on) + 1 from {table}"
    ).fetchone()
    assert sizes is not None
    if sizes[0] is None:
        return False
    subjects, quantities, first, days = (int(size) for size in sizes)
    if subjects * quantities * days * max(len(settings), 1) >= 1 << 62:
        query = f"select count(*) from (from {table} group by subject_id, quantity_id, setting, known_on having count(*) > 1)"
        return bool(_one(connection, query))
    packed = connection.execute(
        f"select ((enum_code(subject_id)::bigint * {quantities} + enum_code(quantity_id)) * {len(settings)} "
        f"+ {_setting(settings)}) * {days} + (known_on - date '1970-01-01' - {first}) as packed from {table}"
    ).fetchnumpy()["packed"]
    keys = np.sort(np.asarray(packed))
    return bool((keys[1:] == keys[:-1]).any())


def _setting(settings: Sequence[str]) -> str:
    """An expression for the place of a row's setting in a sorted list; almost always there are few."""
    if len(settings) <= 1:
        return "0"
    listed = ", ".join("'" + name.replace("'", "''") + "'" for name in settings)
    return f"(list_position([{listed}], setting) - 1)"


def code(connection: duckdb.DuckDBPyConnection, table: str = "incoming", coded: str = "coded") -> None:
    """Give every key one integer and every row the day its key's next row became known, once: as-of queries then only filter.

    Columns key, quantity_id, known_on, known_until (nothing for the last row of a key), value, status.
    """
    settings = [row[0] for row in connection.execute(f"select distinct setting from {table} order by all").fetchall()]
    quantities = int(_one(connection, f"select coalesce(max(enum_code(quantity_id)), 0) + 1 from {table}"))
    connection.execute(
        f"create or replace table {coded} as select (enum_code(subject_id)::bigint * {quantities} + enum_code(quantity_id)) "
        f"* {max(len(settings), 1)} + {_setting(settings)} as key, quantity_id, known_on, "
        "lead(known_on) over (partition by key order by known_on) as known_until, value, status "
        f"from {table}"
    )


def as_of(day: date, where: str = "true", coded: str = "coded") -> str:
    """The query for the last value of each key known by a day, as `observation_as_of` of schema.sql has it, on coded keys."""
    return (
        f"select key, known_on, value from {coded} where known_on <= date '{day.isoformat()}' "
        f"and (known_until is null or known_until > date '{day.isoformat()}') and status in ('reported', 'revised') and {where}"
    )


def _examples(
    connection: duckdb.DuckDBPyConnection, file: str, rows: str, where: str, rule: row_rules.RowRule, count: int, known: Known
) -> list[BadCell]:
    columns = ", ".join(ObservationRow._fields)
    order = f"subject_id, quantity_id, setting, known_on, {rule.column}"
    found = connection.execute(f"select {columns} from {rows} where {where} order by {order} limit {EXAMPLES}").fetchall()
    problems = []
    for row in map(ObservationRow._make, found):
        card = known.quantities.get(row.quantity_id)
        key = ", ".join(plain(part) for part in row.key if part not in ("", None))
        advice = [rule.advice(row, card), f"the row of {key}", f"{count} such rows" if count > EXAMPLES else ""]
        found_here = shown(plain(getattr(row, rule.column)))
        problems.append(BadCell(file, None, rule.column, found_here, rule.expected(row, card), "; ".join(filter(None, advice))))
    return problems


def _explained(error: duckdb.Error, file: str, known: Known, runs: Sequence[str] | Collection[str]) -> RecordError:
    """Say what stopped the engine's reader: its own words, and the nearest id where an id is unknown."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = lines[0] if lines else type(error).__name__
    near = ""
    if "subject_name" in str(error) or "quantity_name" in str(error):
        names = {*known.models, *runs} if "subject_name" in str(error) else set(known.quantities)
        words = [word for word in said.replace("'", '"').split('"') if word and " " not in word and "(" not in word]
        near = next((advice for word in words if (advice := Nearest(names).advice(word))), "")
    return RecordError(f"{file}: found {said[:300]}, expected rows of {','.join(TYPES)}" + (f"; {near}" if near else ""))


def _refused(file: str, row: int | None, column: str, found: str, expected: str, advice: str = "") -> RecordError:
    return RecordError.collect([BadCell(file, row, column, found, expected, advice)])
