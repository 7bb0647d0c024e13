"""The file in which a person states forecasts: YAML, JSON or CSV, with names and numbers and nothing to be computed by hand.

Nothing is guessed: an unknown field, a field of another kind and a number written as a word are refused with their place. Every
forecast of a file is read, so that all that is wrong is told at once.

    author: your-name
    method: judgement
    forecasts:
      - target: ROUND/TARGET
        quantiles: {0.1: 0.52, 0.5: 0.61, 0.9: 0.70}
      - target: ROUND/ANOTHER
        normal: {mean: 0.4, sd: 0.1}

A CSV file has the columns target, level, value, and may have author, method and unit; the rows of one target and method are one
forecast.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from foresaid import params
from foresaid.errors import ParameterError
from foresaid.ledger.submission.objections import Objection, ObjectionError
from foresaid.ledger.submission.stated import Stated, StatedNormal, StatedQuantiles

LARGEST = 1 << 20  # bytes; 1,000 forecasts of 23 quantiles are half of it
SUFFIXES = (".yaml", ".yml", ".json", ".csv")
METHOD = "judgement"
TOP, EACH = ("author", "method", "unit", "forecasts"), ("target", "method", "unit", "primary", "quantiles", "normal")
COLUMNS, BESIDE = ("target", "level", "value"), ("author", "method", "unit")


@dataclass(frozen=True)
class FormEntry:
    """One forecast as it was stated; `primary` is None where nothing was said."""

    where: str
    target: str
    stated: Stated
    method: str = METHOD
    unit: str = ""
    primary: bool | None = None


@dataclass(frozen=True)
class Form:
    """What a file states: the author ("" where it names none), its forecasts, and what is wrong with it."""

    author: str
    entries: Sequence[FormEntry]
    objections: Sequence[Objection] = field(default=())


def content_of(path: Path, largest: int = LARGEST) -> bytes:
    """The bytes of a file of at most so many; raises ObjectionError."""
    where = str(path)
    try:
        if path.is_dir():
            raise ObjectionError("file_unreadable", where, "a folder", "a file")
        if not path.is_file():
            what = "something that is no file" if path.exists() else "no such file"
            raise ObjectionError(
                "file_missing" if not path.exists() else "file_unreadable", where, what, "a file; correct the path"
            )
        with path.open("rb") as file:
            content = file.read(largest + 1)
    except OSError as error:
        raise ObjectionError("file_unreadable", where, str(error.strerror or error), "a file that can be read") from None
    if len(content) > largest:
        raise ObjectionError("file_too_large", where, f"more than {largest} bytes", "a file of forecasts; split it")
    return content


def read(path: Path) -> Form:
    """Read a file of stated forecasts; what is wrong is listed, never raised."""
    where = str(path)
    try:
        content = content_of(path)
        if path.suffix.lower() not in SUFFIXES:
            raise ObjectionError("file_unreadable", where, path.suffix or "no suffix", f"a file that ends in {', '.join(SUFFIXES)}")
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            found = f"byte 0x{content[error.start]:02x} at {error.start}"
            raise ObjectionError("file_unreadable", where, found, "UTF-8; save the file as UTF-8") from None
        if path.suffix.lower() == ".csv":
            return _table(text, where)
        return _document(_plain(text, path), where)
    except ObjectionError as error:
        return Form("", (), (error.told,))


def _plain(text: str, path: Path) -> object:
    where = str(path)
    if path.suffix.lower() != ".json":
        try:
            return params.read_yaml(text, where)
        except ParameterError as error:
            raise ObjectionError("file_unreadable", where, str(error).removeprefix(where).strip(" ,:"), "YAML") from None
    try:
        return json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise ObjectionError("file_unreadable", where, str(error).splitlines()[0][:120], "JSON") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return made


def _document(document: object, where: str) -> Form:
    top = _mapping(document, where, TOP)
    author = _text(top, "author", where)
    method, unit = _text(top, "method", where) or METHOD, _text(top, "unit", where)
    listed = top.get("forecasts")
    if not isinstance(listed, list) or not listed:
        raise ObjectionError("field_missing", f"{where}, forecasts", _kind(listed), "a list of one forecast or more")
    entries: list[FormEntry] = []
    wrong: list[Objection] = []
    for number, one in enumerate(listed, start=1):
        try:
            entries.append(_entry(one, f"{where}, forecast {number}", method, unit))
        except ObjectionError as error:
            wrong.append(error.told)
    return Form(author, entries, wrong)


def _entry(one: object, where: str, method: str, unit: str) -> FormEntry:
    item = _mapping(one, where, EACH)
    target = _text(item, "target", where)
    if not target:
        raise ObjectionError("field_missing", where, "no target", "the name of one; `foresaid target list --open` lists them")
    if ("quantiles" in item) == ("normal" in item):
        both = "both quantiles and normal" if "quantiles" in item else "neither quantiles nor normal"
        raise ObjectionError("field_missing", where, both, "one of them")
    primary = item.get("primary")
    if not isinstance(primary, bool | None):
        raise ObjectionError("field_missing", f"{where}, primary", _kind(primary), "true or false")
    stated: Stated
    if "normal" in item:
        about = _mapping(item["normal"], f"{where}, normal", ("mean", "sd"))
        stated = StatedNormal(_scalar(about, "mean", f"{where}, normal"), _scalar(about, "sd", f"{where}, normal"))
    else:
        values = _mapping(item["quantiles"], f"{where}, quantiles")
        stated = StatedQuantiles({level: _scalar(values, level, f"{where}, quantiles") for level in values})
    return FormEntry(where, target, stated, _text(item, "method", where) or method, _text(item, "unit", where) or unit, primary)


def _mapping(value: object, where: str, known: Sequence[str] = ()) -> dict[str, Any]:
    if not isinstance(value, dict) or not value:
        raise ObjectionError("field_missing", where, _kind(value), f"keys with values{': ' if known else ''}{', '.join(known)}")
    made = {str(key): item for key, item in value.items()}
    for key in made if known else ():
        if key not in known:
            near = get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"one of {', '.join(known)}"
            raise ObjectionError("field_unknown", where, f"the field {key[:40]!r}", hint)
    return made


def _text(values: Mapping[str, Any], key: str, where: str) -> str:
    found = values.get(key, "")
    if not isinstance(found, str):
        raise ObjectionError("field_missing", f"{where}, {key}", _kind(found), "text; put it in quotes if it looks like a number")
    return found.strip()


def _scalar(values: Mapping[str, Any], key: str, where: str) -> str:
    found = values.get(key)
    if isinstance(found, bool) or not isinstance(found, int | float | str):
        raise ObjectionError("number_invalid", f"{where}, {key}", _kind(found), "a number")
    return str(found)


def _kind(value: object) -> str:
    """What something is, for a message: its text where it is short, else the kind alone, since a file may hold anything."""
    if value is None:
        return "nothing"
    if isinstance(value, dict | list):
        return f"a {'mapping' if isinstance(value, dict) else 'list'} of {len(value)}"
    return repr(value)[:40]


def _table(text: str, where: str) -> Form:
    try:
        rows = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise ObjectionError("file_unreadable", where, str(error), "CSV") from None
    header = list(rows[0]) if rows else []
    if not rows or None in header or not set(COLUMNS) <= set(header):
        raise ObjectionError("field_missing", where, ", ".join(map(str, header)) or "no rows", f"the columns {', '.join(COLUMNS)}")
    if strange := [name for name in header if name not in (*COLUMNS, *BESIDE)]:
        raise ObjectionError("field_unknown", where, f"the column {strange[0][:40]!r}", f"{', '.join((*COLUMNS, *BESIDE))}")
    authors = sorted({row.get("author") or "" for row in rows})
    if len(authors) > 1:
        raise ObjectionError("author_invalid", where, f"{len(authors)} authors", "one author a file")
    found: dict[tuple[str, str, str], dict[str, str]] = {}
    wrong: list[Objection] = []
    for number, row in enumerate(rows, start=2):
        place = f"{where}, row {number}"
        key = (row["target"] or "", row.get("method") or METHOD, row.get("unit") or "")
        if None in row or None in row.values() or not key[0]:
            wrong.append(Objection("field_missing", place, f"{len([one for one in row.values() if one])} cells", "a cell a column"))
        elif row["level"] in found.setdefault(key, {}):
            wrong.append(Objection("level_invalid", place, f"the level {row['level'][:20]} twice", "each level once"))
        else:
            found[key][row["level"]] = row["value"]
    entries = [
        FormEntry(f"{where}, {target}", target, StatedQuantiles(values), method, unit)
        for (target, method, unit), values in found.items()
    ]
    return Form(authors[0].strip() if authors else "", entries, wrong)
