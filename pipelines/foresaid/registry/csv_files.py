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

from foresaid.errors import Problem, UnreadableError
from foresaid.registry.formats import BadCellError, Format, Row, plain, shown


@dataclass(frozen=True)
class Table(Generic[Row]):
    """The rows of one file that could be read, the line each stands in, and the problems of the others."""

    file: str
    items: list[Row]
    lines: list[int]
    problems: list[Problem] = field(default_factory=list)

    def where(self) -> list[tuple[str, int | None]]:
        """The file and line of each row, for messages."""
        return [(self.file, line) for line in self.lines]


def decode(raw: bytes, file: str) -> tuple[str, list[Problem]]:
    """Turn the bytes of a registry file into text, or say what is wrong with them."""
    if raw.startswith(b"\xef\xbb\xbf"):
        return "", [Problem(file, 1, "-", "a byte-order mark", "UTF-8 without one", "save the file without it")]
    try:
        content = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        return "", [Problem(file, line, "-", f"byte 0x{raw[error.start]:02x}", "UTF-8", "save the file as UTF-8")]
    for bad, name in (("\r", "a carriage return"), ("\0", "a NUL")):
        if bad in content:
            line = content.count("\n", 0, content.index(bad)) + 1
            return "", [Problem(file, line, "-", name, "lines that end with LF alone")]
    if content and not content.endswith("\n"):
        line = content.count("\n") + 1
        return content, [Problem(file, line, "-", "the end of the file inside a line", "LF at its end", "the file is cut short")]
    return content, []


def parse(raw: bytes, file: str, format: Format[Row]) -> Table[Row]:
    """Read a registry CSV file from its bytes; problems are collected in the table, never raised."""
    content, problems = decode(raw, file)
    table: Table[Row] = Table(file, [], [], problems)
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
                    problems.append(Problem(file, 1, shown(wrong), found, "the header " + ",".join(header)))
                    return table
                continue
            if line != before + 1:
                problems.append(Problem(file, before + 1, "-", "a line break inside a cell", "one line a row"))
                continue
            item = _row(cells, line, file, format, problems)
            if item is not None:
                table.items.append(item)
                table.lines.append(line)
    except csv.Error as error:
        problems.append(Problem(file, max(line + 1, 1), "-", str(error), "a CSV row", "a quote is missing or the file is cut"))
    if first and not problems:
        problems.append(Problem(file, 1, header[0], "an empty file", "the header " + ",".join(header)))
    return table


def _row(cells: list[str], line: int, file: str, format: Format[Row], problems: list[Problem]) -> Row | None:
    header = format.header
    if format.later and len(cells) == len(header) - format.later:
        cells = [*cells, *[""] * format.later]
    if len(cells) != len(header):
        column = header[min(len(cells), len(header) - 1)]
        advice = "the row is cut short" if len(cells) < len(header) else "quote a cell that holds a comma"
        problems.append(Problem(file, line, column, f"{len(cells)} cells", f"{len(header)} cells", advice))
        return None
    values: list[Any] = []
    good = True
    for (name, read), cell in zip(format.columns.items(), cells, strict=True):
        try:
            values.append(read(cell))
        except BadCellError as error:
            problems.append(Problem(file, line, name, shown(cell), error.expected, error.advice))
            good = False
    return format.row(*values) if good else None


def read(path: Path, file: str, format: Format[Row]) -> Table[Row]:
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

    A file that is not sorted gets them at its end. `raw` is a file that `parse` accepts, or nothing.
    """
    added = dump(rows, format)
    if not raw:
        return added
    # Not splitlines: a note may hold a separator that is a line end to Unicode and not to the file.
    old, new = ([f"{line}\n" for line in text.decode("utf-8").split("\n")[:-1]] for text in (raw, added))
    new = new[1:]
    places = [format.header.index(name) for name in format.key]

    def key(line: str) -> tuple[str, ...]:
        cells = next(csv.reader([line], strict=True))
        return tuple(cells[place] for place in places)

    keys = [key(line) for line in old[1:]]
    if any(later < earlier for earlier, later in pairwise(keys)):
        return raw + "".join(new).encode()
    # A stable sort of two sorted runs: the old lines keep their order and come first among equals.
    merged = sorted([*zip(keys, old[1:], strict=True), *((key(line), line) for line in new)], key=lambda item: item[0])
    return "".join([old[0], *(line for _, line in merged)]).encode("utf-8")
