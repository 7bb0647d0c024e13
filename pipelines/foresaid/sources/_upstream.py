"""Strict reading of upstream files: a table or a document is exactly what the reader expects, or it is refused.

Problems carry the upstream's file, row and column. Decimals, not floats, come out of tables, so that a change of unit
(billions to ones) is exact and the value in the record is the nearest float to the printed one.
"""

from __future__ import annotations

import csv
import difflib
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn

from foresaid.errors import BadCell, RecordError, UnreadableError
from foresaid.sources import _plain_files

NUMBER = re.compile(r"-?\d{1,400}(\.\d{0,400})?([eE][+-]?\d{1,4})?", re.ASCII)  # what a Decimal holds


@dataclass(frozen=True)
class Line:
    """One row of an upstream table: its cells by column, its file and its line number."""

    file: str
    row: int
    cells: Mapping[str, str]

    def text(self, column: str) -> str:
        """A cell that must not be empty."""
        if not self.cells[column].strip():
            self.refuse(column, "nothing", "some text")
        return self.cells[column]

    def decimal(self, column: str) -> Decimal | None:
        """A cell as a decimal; an empty cell is None, and NaN is refused."""
        cell = self.cells[column]
        if cell == "":
            return None
        if not NUMBER.fullmatch(cell):
            finite = "a finite number" if cell.strip("+- ").lower() in ("nan", "inf", "infinity") else "a number"
            self.refuse(column, cell[:60] or "nothing", f"{finite}, or nothing where the value is missing")
        value = Decimal(cell)
        # By its exponent: arithmetic on a decimal beyond the context's range raises.
        if value and not -280 < value.adjusted() < 280:
            self.refuse(column, cell[:60], "a finite number")
        return value

    def number(self, column: str) -> Decimal:
        """A cell as a decimal; it must not be empty."""
        value = self.decimal(column)
        if value is None:
            self.refuse(column, "nothing", "a number")
        return value

    def forgiving(self, column: str) -> Decimal:
        """A number with blanks around it or no digit before the point; only where the upstream is known to write so."""
        cell = re.sub(r"^(-?)\.", r"\g<1>0.", self.cells[column].strip())
        return Line(self.file, self.row, {column: cell}).number(column)

    def whole(self, column: str) -> int:
        """A cell as a whole number, however it is spelt (500 or 500.0)."""
        value = self.number(column)
        if value != int(value):
            self.refuse(column, str(value), "a whole number")
        return int(value)

    def refuse(self, column: str, found: str, expected: str) -> NoReturn:
        """Stop with this cell as the reason."""
        raise RecordError.collect([BadCell(self.file, self.row, column, found, expected)])


_opened: ContextVar[set[str] | None] = ContextVar("opened", default=None)


@contextmanager
def listening() -> Iterator[set[str]]:
    """Collect the paths of the files that readers open, so that a new download is pinned as it was read."""
    opened: set[str] = set()
    token = _opened.set(opened)
    try:
        yield opened
    finally:
        _opened.reset(token)


def text(folder: Path, path: str) -> tuple[str, str]:
    """The content of an upstream file, UTF-8, and its name in messages."""
    file = f"{folder.name}/{path}"
    opened = _opened.get()
    if opened is not None:
        opened.add(path)
    try:
        content = _plain_files.check(folder, path).read_bytes().decode("utf-8")
        if "\0" in content:
            row = content.count("\n", 0, content.index("\0")) + 1
            raise RecordError.collect([BadCell(file, row, "-", "a NUL", "text", "the file is damaged or in UTF-16")])
        return content.removeprefix("\ufeff"), file  # a byte-order mark is not part of the first name
    except OSError as error:
        raise UnreadableError(f"{file}: found {error.strerror or error}, expected a readable file") from None
    except UnicodeDecodeError as error:
        raise RecordError(f"{file}: found byte 0x{error.object[error.start]:02x} at {error.start}, expected UTF-8") from None


def table(
    folder: Path, path: str, wanted: Sequence[str], ignored: str | Sequence[str] = (), short: list[int] | None = None
) -> list[Line]:
    """Read a CSV file that must have the columns `wanted` and may have those `ignored` (names, or one pattern).

    Every short or long row is reported with the number of cells expected. A reader that knows of rows cut short upstream gives
    the list `short`: their numbers go there, and the rows, whose cells cannot be told apart, are left out.
    """
    content, file = text(folder, path)
    rows = []
    problems: list[BadCell] = []
    reader = csv.reader(io.StringIO(content, newline=""), strict=True)
    try:
        rows = [(reader.line_num, cells) for cells in reader if cells]  # a blank line says nothing
    except csv.Error as error:
        problems.append(BadCell(file, reader.line_num, "-", str(error), "a CSV row", "the file is cut short or a quote is missing"))
    header = rows[0][1] if rows else []
    if len(rows) > 1 and not set(wanted) <= set(header) and set(wanted) <= set(rows[1][1]):
        advice = "remove the line above it, or teach the reader what it says"
        raise RecordError.collect([BadCell(file, rows[0][0], "-", "a line above the header", "the header, now in row 2", advice)])
    problems += _header(header, file, wanted, ignored)
    for row, cells in rows[1:]:
        if cells == header:
            advice = "remove the second header line, or see whether two files were joined"
            problems.append(BadCell(file, row, "-", "the header again", "a row of values", advice))
    for row, cells in rows[1:]:
        if len(cells) < len(header) and short is not None:
            short.append(row)
        elif len(cells) != len(header):
            column = header[min(len(cells), len(header) - 1)] if header else "-"
            advice = "the row is cut short" if len(cells) < len(header) else ""
            problems.append(BadCell(file, row, column, f"{len(cells)} cells", f"{len(header)} cells", advice))
    if problems:
        raise RecordError.collect(problems)
    return [Line(file, row, dict(zip(header, cells, strict=True))) for row, cells in rows[1:] if len(cells) == len(header)]


def header_of(folder: Path, path: str) -> list[str]:
    """The names of a table's columns; nothing where its first line is no row. The file does not count as read by that."""
    token = _opened.set(None)
    try:
        first = text(folder, path)[0].split("\n", 1)[0].rstrip("\r")
        return next(csv.reader([first], strict=True), [])
    except csv.Error:
        return []
    finally:
        _opened.reset(token)


def open_table(folder: Path, path: str) -> list[Line]:
    """Read a CSV file whose columns are themselves data: any name will do, each once."""
    return table(folder, path, (), ignored=r"[^\n]*")


def _header(header: list[str], file: str, wanted: Sequence[str], ignored: str | Sequence[str]) -> list[BadCell]:
    pattern = re.compile(ignored if isinstance(ignored, str) else "|".join(map(re.escape, ignored)) or r"(?!)")
    problems = []
    for name in wanted:
        if name not in header:
            unknown = [other for other in header if other not in wanted]
            near = difflib.get_close_matches(name, unknown, n=1) or [other for other in unknown if name and name in other]
            blank = next((other for other in header if other.strip() == name), "")
            advice = f"{blank!r} begins or ends with a blank" if blank else f"is it now {near[0]}?" if near else ""
            problems.append(BadCell(file, 1, name, "no such column", "this column", advice))
    for place, name in enumerate(header):
        if name in header[:place]:
            problems.append(BadCell(file, 1, name or "(no name)", "the column twice", "each column once"))
        elif name not in wanted and not pattern.fullmatch(name):
            advice = "teach the reader what it means, or to leave it out"
            problems.append(BadCell(file, 1, name or "(no name)", "an unknown column", "a column the reader knows", advice))
    return problems


def lines(folder: Path, path: str) -> list[tuple[str, str, int]]:
    """The lines of a text file that hold anything, each with the file's name and its number."""
    content, file = text(folder, path)
    return [(line, file, row) for row, line in enumerate(content.split("\n"), start=1) if line.strip()]


def document(folder: Path, path: str) -> tuple[Any, str]:
    """Read a JSON file; NaN and infinities, which JSON does not have, are refused."""
    content, file = text(folder, path)

    def refuse(word: str) -> NoReturn:
        raise RecordError(f"{file}: found {word}, expected finite numbers only")

    try:
        return json.loads(content, parse_constant=refuse), file
    except json.JSONDecodeError as error:
        raise RecordError(
            f"{file}, row {error.lineno}, column {error.colno}: found {error.msg}, expected JSON; the file may be cut short"
        ) from None
    except (RecursionError, ValueError):  # JSON allows both, Python reads neither
        raise RecordError(f"{file}: found nesting or a number without end, expected JSON that a program can hold") from None


def pick(tree: Any, file: str, *keys: str) -> Any:
    """Follow keys into a JSON document, or say at which one it ends."""
    for depth, key in enumerate(keys):
        if not isinstance(tree, dict) or key not in tree:
            path = ".".join(keys[: depth + 1])
            near = difflib.get_close_matches(key, tree, n=1) if isinstance(tree, dict) else []
            advice = f"is it now {near[0]}?" if near else ""
            raise RecordError.collect([BadCell(file, None, path, "nothing", "this entry", advice)])
        tree = tree[key]
    return tree


def branch(tree: Any, file: str, *keys: str) -> dict[str, Any]:
    """Follow keys to an object."""
    value = pick(tree, file, *keys)
    if not isinstance(value, dict):
        raise RecordError.collect([BadCell(file, None, ".".join(keys) or "-", repr(value)[:60], "an object")])
    return value


def items(tree: Any, file: str, *keys: str) -> list[Any]:
    """Follow keys to a list."""
    value = pick(tree, file, *keys)
    if not isinstance(value, list):
        raise RecordError.collect([BadCell(file, None, ".".join(keys), repr(value)[:60], "a list")])
    return value


def real(tree: Any, file: str, *keys: str) -> float:
    """Follow keys to a number."""
    value = pick(tree, file, *keys)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RecordError.collect([BadCell(file, None, ".".join(keys), repr(value)[:60], "a number")])
    if not abs(value) < 1e300:
        raise RecordError.collect([BadCell(file, None, ".".join(keys), repr(value)[:60], "a finite number")])
    return float(value)


def files(folder: Path, pattern: str) -> list[str]:
    """The files of a vintage that match, sorted, as paths below its folder; there must be some."""
    found = sorted(path.relative_to(folder).as_posix() for path in folder.glob(pattern))
    if not found:
        raise UnreadableError(f"{folder.name}/{pattern}: found no file, expected at least one")
    return found


def slug(name: str) -> str:
    """Turn an upstream name into a part of a subject id.

    >>> slug("MBZUAI/LaMini-GPT-124M"), slug("c4_original-d=96_l=8_h=4")
    ('mbzuai/lamini-gpt-124m', 'c4-original-d96-l8-h4')
    """
    return name.lower().replace("=", "").replace("_", "-")
