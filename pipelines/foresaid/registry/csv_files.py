"""Reading and writing the CSV files of registry/, strictly.

A file is UTF-8 without a byte-order mark, ends every line with LF, has exactly the header of its format and as many cells
in every row. Reading collects every problem with its row and column and never stops at the first; writing sorts by key, so
the order of rows never reaches the bytes, and puts several files in place together or not at all.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Generic

from foresaid.errors import BadCell, UnreadableError
from foresaid.registry.formats import BadCellError, Format, Row, plain, shown

SORTED = "rows sorted by key"


@dataclass(frozen=True)
class CsvTable(Generic[Row]):
    """The rows of one file that could be read, the line each stands in, and the problems of the others."""

    file: str
    items: list[Row]
    lines: list[int]
    problems: list[BadCell] = field(default_factory=list)

    def where(self) -> list[tuple[str, int | None]]:
        """The file and line of each row, for messages."""
        return [(self.file, line) for line in self.lines]


def decode(raw: bytes, file: str) -> tuple[str, list[BadCell]]:
    """Turn the bytes of a registry file into text, or say what is wrong with them."""
    if raw.startswith(b"\xef\xbb\xbf"):
        return "", [BadCell(file, 1, "-", "a byte-order mark", "UTF-8 without one", "save the file without it")]
    try:
        content = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        return "", [BadCell(file, line, "-", f"byte 0x{raw[error.start]:02x}", "UTF-8", "save the file as UTF-8")]
    for bad, name in (("\r", "a carriage return"), ("\0", "a NUL")):
        if bad in content:
            line = content.count("\n", 0, content.index(bad)) + 1
            return "", [BadCell(file, line, "-", name, "lines that end with LF alone")]
    if content and not content.endswith("\n"):
        line = content.count("\n") + 1
        return content, [BadCell(file, line, "-", "the end of the file inside a line", "LF at its end", "the file is cut short")]
    return content, []


def parse(raw: bytes, file: str, format: Format[Row]) -> CsvTable[Row]:
    """Read a registry CSV file from its bytes; problems are collected in the table, never raised."""
    content, problems = decode(raw, file)
    table: CsvTable[Row] = CsvTable(file, [], [], problems)
    header = format.header
    if problems and not content:
        return table
    reader = csv.reader(io.StringIO(content, newline=""), strict=True)
    first = True
    line = 0
    try:
        for cells in reader:
            line, before = reader.line_num, line
            if first:
                first = False
                if cells != header:
                    wrong = next((c for c, h in zip(cells, header, strict=False) if c != h), "")
                    found = f"the header {wrong!r}" if wrong else f"{len(cells)} columns"
                    problems.append(BadCell(file, 1, shown(wrong), found, "the header " + ",".join(header)))
                    return table
                continue
            if line != before + 1:
                problems.append(BadCell(file, before + 1, "-", "a line break inside a cell", "one line a row"))
                continue
            item = _row(cells, line, file, format, problems)
            if item is not None:
                table.items.append(item)
                table.lines.append(line)
    except csv.Error as error:
        problems.append(BadCell(file, max(line + 1, 1), "-", str(error), "a CSV row", "a quote is missing or the file is cut"))
    problems += [] if problems else _order(table, format)
    if first and not problems:
        problems.append(BadCell(file, 1, header[0], "an empty file", "the header " + ",".join(header)))
    return table


def _order(table: CsvTable[Row], format: Format[Row]) -> list[BadCell]:
    """The first row that stands after one it should precede, if there is one."""
    places = [format.header.index(name) for name in format.key]
    keys = [tuple(plain(item[place]) for place in places) for item in table.items]
    for (one, other), line in zip(pairwise(keys), table.lines[1:], strict=False):
        if other < one:
            found = f"{shown(', '.join(filter(None, other)))} after {shown(', '.join(filter(None, one)))}"
            return [BadCell(table.file, line, format.key[0], found, SORTED, "`foresaid sort` puts them in order")]
    return []


def ordered(raw: bytes, format: Format[Row]) -> bytes:
    r"""A file with its rows in the order of their keys, each line kept byte for byte.

    >>> from foresaid.registry.formats import ALIASES
    >>> ordered(b"alias,source_id,kind,id\nb,*,model,m\na,*,model,m\n", ALIASES).split()[1]
    b'a,*,model,m'
    """
    head, *lines = [f"{line}\n" for line in raw.decode("utf-8").split("\n")[:-1]]
    return "".join([head, *sorted(lines, key=lambda line: _key(line, format))]).encode()


def _key(line: str, format: Format[Row]) -> tuple[str, ...]:
    cells = next(csv.reader([line], strict=True))
    return tuple(cells[format.header.index(name)] for name in format.key)


def _row(cells: list[str], line: int, file: str, format: Format[Row], problems: list[BadCell]) -> Row | None:
    header = format.header
    if (lacking := len(header) - len(cells)) in format.later:
        cells = [*cells, *[""] * lacking]
    if len(cells) != len(header):
        column = header[min(len(cells), len(header) - 1)]
        advice = "the row is cut short" if len(cells) < len(header) else "quote a cell that holds a comma"
        problems.append(BadCell(file, line, column, f"{len(cells)} cells", f"{len(header)} cells", advice))
        return None
    values: list[Any] = []
    good = True
    for (name, read), cell in zip(format.columns.items(), cells, strict=True):
        try:
            values.append(read(cell))
        except BadCellError as error:
            problems.append(BadCell(file, line, name, shown(cell), error.expected, error.advice))
            good = False
    return format.row(*values) if good else None


def read(path: Path, file: str, format: Format[Row]) -> CsvTable[Row]:
    """Read one registry CSV file; `file` is its name in messages."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UnreadableError(f"{file}: found {error.strerror or error}, expected a readable file") from None
    return parse(raw, file, format)


def dump(rows: Iterable[Row], format: Format[Row]) -> bytes:
    """Spell a whole file, sorted by key: the same rows give the same bytes in whatever order they come."""
    places = [format.header.index(name) for name in format.key]
    order = sorted(rows, key=lambda row: (tuple(str(row[place]) for place in places), tuple(map(plain, row))))
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(format.header)
    writer.writerows([[plain(cell) for cell in row] for row in order])
    return buffer.getvalue().encode("utf-8")


def extend(raw: bytes, rows: Iterable[Row], format: Format[Row]) -> bytes:
    """Add rows to a file that stands: each line of it is kept byte for byte, new lines come in their place by key.

    `raw` is a file that `parse` accepts, or nothing.
    """
    added = dump(rows, format)
    if not raw:
        return added
    # Not splitlines: a note may hold a separator that is a line end to Unicode and not to the file.
    old, new = ([f"{line}\n" for line in text.decode("utf-8").split("\n")[:-1]] for text in (raw, added))
    new = new[1:]
    keys = [_key(line, format) for line in old[1:]]
    # A stable sort of two sorted runs: the old lines keep their order and come first among equals.
    merged = sorted([*zip(keys, old[1:], strict=True), *((_key(line, format), line) for line in new)], key=lambda item: item[0])
    return "".join([old[0], *(line for _, line in merged)]).encode("utf-8")
