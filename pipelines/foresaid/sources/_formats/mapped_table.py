"""A table that no reader knows, read by a mapping file of a few lines: leaderboards, tables of runs, checkpoints of runs.

    model: Model                       # the column that names a released model; or
    run: [width, depth]                # the columns that name a training run of one's own (rows are runs),
    checkpoint: step                   # and, for checkpoints, the column that tells the states of one run apart
    family: my-runs                    # the family runs belong to: runs of one family are fitted together
    values:                            # column -> quantity
      Loss: my_loss
      Params (B): {quantity: params_total, times: 1e9}
      Score: {quantity: my_score, unit: fraction, kind: benchmark, lower: 0, upper: 1, direction: higher, stderr: SE, n: N}
    setting: {effort: Effort}          # columns that say how a value was taken
    where: {Split: test}               # rows to read; all by default
    released_on: Release Date          # columns that state day and maker of a model
    organisation: Maker

A quantity of the record is named by its id; a new one is described in full, because no unit and no bound is guessed from a name. A
CSV, TSV or JSONL file is read; a percent sign divides by 100, nothing else is interpreted. Every refused cell is named with its
row.
"""

from __future__ import annotations

import csv
import difflib
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec
import yaml

from foresaid.errors import BadCell, RecordError
from foresaid.sources._formats.results import number
from foresaid.sources._reading import Reading, RunSubject, Score, StatedModel, StatedQuantity
from foresaid.sources._settings import KEYS, setting, slug
from foresaid.sources._upstream import NUMBER

NOTHING = ("", "-", "n/a", "na", "nan", "none", "null")
NEEDED = ("unit", "kind", "lower", "upper", "direction")  # what makes a new quantity known
UNSAID = "no value in any column of the mapping"


class Value(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """How one column is read: its quantity, the factor to the record's unit, and the description of a new quantity."""

    quantity: str
    times: float | str = 1
    stderr: str = ""
    n: str = ""
    title: str = ""
    unit: str = ""
    kind: str = ""
    lower: float | None = None
    upper: float | None = None
    chance: float | None = None
    direction: str = ""
    protocol: str = ""
    reference: str = ""


class TableMapping(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A mapping file."""

    values: dict[str, str | Value]
    model: str = ""
    run: str | list[str] = msgspec.field(default_factory=list)
    checkpoint: str = ""
    family: str = ""
    setting: dict[str, str] = msgspec.field(default_factory=dict)
    where: dict[str, str | int | float | bool] = msgspec.field(default_factory=dict)
    released_on: str = ""
    organisation: str = ""
    missing: list[str] = msgspec.field(default_factory=list)


def mapping(raw: bytes, file: str) -> TableMapping:
    """Read a mapping file, or raise with what is wrong with it."""
    try:
        found = msgspec.convert(yaml.safe_load(raw.decode("utf-8")), TableMapping)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        if not isinstance(error, msgspec.ValidationError):
            raise RecordError(f"{file}: found {str(error).splitlines()[0][:120]}, expected YAML in UTF-8") from None
        what, _, place = str(error).partition(" - at `$")
        expected = f"a mapping: {what}; its entries are {', '.join(TableMapping.__struct_fields__)}"
        raise RecordError.collect([BadCell(file, None, place.rstrip("`").lstrip(".") or "-", "something else", expected)]) from None
    problems = []
    if bool(found.model) == bool(found.run):
        problems.append(BadCell(file, None, "model", "both or none of model and run", "the column of a model, or those of a run"))
    if found.checkpoint and not found.run:
        problems.append(BadCell(file, None, "checkpoint", "no run", "run: the columns that name the run a checkpoint belongs to"))
    if found.run and not found.family:
        problems.append(BadCell(file, None, "family", "nothing", "the family these runs are fitted in"))
    for key in found.setting:
        if key not in KEYS:
            problems.append(BadCell(file, None, "setting", key, "one of " + ", ".join(KEYS)))
    for name, one in _values(found).items():
        if _factor(one) is None:
            problems.append(BadCell(file, None, f"values/{name}/times", str(one.times), "a number such as 1e9"))
    if not found.values:
        problems.append(BadCell(file, None, "values", "nothing", "a column and its quantity"))
    if problems:
        raise RecordError.collect(problems)
    return found


def _values(found: TableMapping) -> dict[str, Value]:
    return {name: one if isinstance(one, Value) else Value(one) for name, one in found.values.items()}


def _factor(one: Value) -> Decimal | None:
    text = str(one.times)
    return Decimal(text) if NUMBER.fullmatch(text) and Decimal(text) != 0 else None


def read(raw: bytes, file: str, how: TableMapping, source: str, known: Sequence[str]) -> Reading:
    """Read a table by its mapping; `known` are the quantities of the record, `source` begins the ids of runs."""
    values = _values(how)
    problems: list[BadCell] = []
    lines = list(_lines(raw, file))
    header = list(lines[0][1]) if lines else []
    runs = [how.run] if isinstance(how.run, str) else how.run
    columns = [*values, *(one.stderr for one in values.values()), *(one.n for one in values.values()), how.model, *runs]
    columns += [how.checkpoint, *how.setting.values(), *how.where, how.released_on, how.organisation]
    for name in dict.fromkeys(filter(None, columns)):
        if name not in header:
            near = difflib.get_close_matches(name, header, n=1)
            problems.append(BadCell(file, 1, name, "no such column", "this column", f"is it {near[0]}?" if near else ""))
    stated = _quantities(values, known, file, problems)
    if problems:
        raise RecordError.collect(problems)
    table = _Table(file, how, values, source, {text.lower() for text in (*NOTHING, *how.missing)})
    skipped = {"left out by where": 0, UNSAID: 0}
    for row, cells in lines:
        if any(cells[name].strip() != _word(text) for name, text in how.where.items()):
            skipped["left out by where"] += 1
        elif not table.take(row, cells, problems):
            skipped[UNSAID] += 1
    if problems:
        raise RecordError.collect(problems)
    return Reading(table.scores, list(table.subjects.values()), skipped, {file: len(lines)}, list(table.models), stated)


class _Table:
    """A table while its rows are read."""

    def __init__(self, file: str, how: TableMapping, values: Mapping[str, Value], source: str, missing: set[str]) -> None:
        self.file, self.how, self.values, self.source, self.missing = file, how, values, source, missing
        self.scores: list[Score] = []
        self.subjects: dict[str, RunSubject] = {}
        self.models: dict[StatedModel, None] = {}
        self.named: dict[str, tuple[str, ...]] = {}

    def take(self, row: int, cells: Mapping[str, str], problems: list[BadCell]) -> bool:
        """Read one row; say whether it gave a value."""
        subject = self._subject(row, cells, problems)
        parts = setting(**{key: cells[column] for key, column in self.how.setting.items()})
        before = len(self.scores)
        for column, one in self.values.items():
            value = self._number(cells, column, row, problems)
            if value is None or not subject:
                continue
            factor = _factor(one) or Decimal(1)
            error = self._number(cells, one.stderr, row, problems) if one.stderr else None
            count = self._number(cells, one.n, row, problems) if one.n else None
            if count is not None and count != int(count):
                problems.append(BadCell(self.file, row, one.n, cells[one.n][:60], "a whole number"))
                continue
            self.scores.append(
                Score(
                    *(subject, one.quantity, parts, float(value * factor)),
                    stderr=None if error is None else abs(float(error * factor)),
                    n=None if count is None else int(count),
                    file=self.file,
                    row=row,
                )
            )
        return len(self.scores) > before

    def _subject(self, row: int, cells: Mapping[str, str], problems: list[BadCell]) -> str:
        how = self.how
        if how.model:
            name = cells[how.model].strip()
            if name and (how.released_on or how.organisation):
                day, maker = cells.get(how.released_on, "").strip()[:10], cells.get(how.organisation, "").strip()
                self.models[StatedModel(name, day, maker, "", self.file, row)] = None
            if not name:
                problems.append(BadCell(self.file, row, how.model, "nothing", "the name of a model"))
            return name
        named = [cells[column].strip() for column in ([how.run] if isinstance(how.run, str) else how.run)]
        state = cells[how.checkpoint].strip() if how.checkpoint else ""
        if not all(named) or (how.checkpoint and not state):
            problems.append(BadCell(self.file, row, str(how.run), "nothing", "the name of a run and its checkpoint"))
            return ""
        run = f"{self.source}/{'-'.join(map(slug, named))}"
        subject = f"{run}/{slug(state)}" if state else run
        kind = "checkpoint" if state else "run"
        if self.named.setdefault(subject, (*named, state)) != (*named, state):
            expected = "names that stay apart in letters, digits and points, 48 of them"
            problems.append(BadCell(self.file, row, str(how.run), " ".join((*named, state))[:60], expected, f"both are {subject}"))
        self.subjects.setdefault(subject, RunSubject(subject, kind, run, f"{self.source}/{slug(how.family)}"))
        return subject

    def _number(self, cells: Mapping[str, str], column: str, row: int, problems: list[BadCell]) -> Decimal | None:
        cell = cells[column].strip()
        if cell.lower() in self.missing:
            return None
        bare = cell.removesuffix("%").strip()
        if not NUMBER.fullmatch(bare) or number(float(bare)) is None:
            advice = "name it under missing: where it stands for no value"
            problems.append(BadCell(self.file, row, column, cell[:60], "a plain number, or nothing", advice))
            return None
        return Decimal(bare) / 100 if cell.endswith("%") else Decimal(bare)


def _quantities(values: Mapping[str, Value], known: Sequence[str], file: str, problems: list[BadCell]) -> list[StatedQuantity]:
    """The new quantities, each described in full; what is left out is asked for."""
    stated = {}
    for column, one in values.items():
        if one.quantity in known:
            continue
        lacking = [name for name in NEEDED if getattr(one, name) in ("", None)]
        if lacking:
            near = difflib.get_close_matches(one.quantity, known, n=1)
            advice = f"or did you mean {near[0]}?" if near else ""
            expected = f"its {', '.join(lacking)} in the mapping: a new quantity is described, never guessed"
            problems.append(BadCell(file, None, f"values/{column}", f"the new quantity {one.quantity}", expected, advice))
            continue
        stated[one.quantity] = StatedQuantity(
            *(one.quantity, one.title or column, one.unit, one.lower, one.upper, one.chance, one.direction),
            *(one.protocol or f"column {column}", one.reference or file, one.kind),
        )
    return list(stated.values())


def _lines(raw: bytes, file: str) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a table with their line numbers; a JSONL file has a column for each key of its first line."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RecordError(f"{file}: found byte 0x{error.object[error.start]:02x} at {error.start}, expected UTF-8") from None
    if file.endswith(".jsonl"):
        header: dict[str, str] = {}
        for row, line in enumerate(text.split("\n"), start=1):
            if line.strip():
                try:
                    tree = json.loads(line)
                except (ValueError, RecursionError):
                    raise RecordError.collect([BadCell(file, row, "-", "no JSON", "an object a line")]) from None
                if not isinstance(tree, dict):
                    raise RecordError.collect([BadCell(file, row, "-", "no object", "an object a line")])
                header = header or dict.fromkeys(map(str, tree), "")
                yield row, header | {str(key): _word(cell) for key, cell in tree.items()}
        return
    first = text.split("\n", 1)[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter="\t" if "\t" in first and "," not in first else ",", strict=True)
    names: list[str] = []
    try:
        for cells in reader:
            if not cells:
                continue
            if not names:
                names = cells
                if twice := next((name for name in names if names.count(name) > 1), ""):
                    raise RecordError.collect([BadCell(file, 1, twice, "the column twice", "each column once")])
            elif len(cells) != len(names):
                raise RecordError.collect([BadCell(file, reader.line_num, "-", f"{len(cells)} cells", f"{len(names)} cells")])
            else:
                yield reader.line_num, dict(zip(names, cells, strict=True))
    except csv.Error as error:
        raise RecordError.collect([BadCell(file, reader.line_num, "-", str(error), "a CSV row", "is a quote missing?")]) from None


def _word(cell: Any) -> str:
    """A cell of JSON or YAML as a table would print it."""
    if isinstance(cell, bool):
        return str(cell).lower()
    return "" if cell is None else re.sub(r"\.0$", "", str(cell)) if isinstance(cell, float) else str(cell)
