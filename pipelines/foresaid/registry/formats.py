"""The kinds of file in registry/: which columns each has, in which order, and how one cell is read and written.

A row is a named tuple with the columns of its file; a format names the parser of each column. A parser knows spelling only
(a number is plain and finite, a date exists); what a value may be is the business of `quality`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, Generic, NamedTuple, TypeVar

NOT_REREAD = "not re-read"  # how a release_source marks a date stated from general knowledge
STATUSES = ("reported", "revised", "withdrawn", "suspect")
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)


class ModelRow(NamedTuple):
    """One released language model; an unknown figure is None.

    `line`, `tier` and `release` say where it stands among its maker's models (see `lineage`); `line_source` says whether a rule
    proposed them or a person confirmed them. `open_weights` says whether the weights can be downloaded (yes, no; empty where no
    source says it).
    """

    model_id: str
    family: str
    organisation: str
    released_on: date | None
    released_precision: str
    release_source: str
    params_total: float | None
    params_active: float | None
    training_tokens: float | None
    training_flops: float | None
    kind: str
    notes: str
    line: str = ""
    tier: str = ""
    release: str = ""
    line_source: str = ""
    open_weights: str = ""


class QuantityRow(NamedTuple):
    """One measured quantity: a benchmark under a protocol, a loss on a set, a size, a budget."""

    quantity_id: str
    title: str
    kind: str
    unit: str
    lower: float | None
    upper: float | None
    chance: float | None
    direction: str
    items: int | None
    protocol: str
    reference: str
    resolver: str


class AliasRow(NamedTuple):
    """An upstream spelling of a model or quantity, in one source or ('*') in all."""

    alias: str
    source_id: str
    kind: str
    id: str


class MergeRow(NamedTuple):
    """A person's decision that one model stood under two ids: the rows of `model_id` count as rows of `kept_as`."""

    model_id: str
    kept_as: str
    decided_on: date
    reason: str


class LicenceRow(NamedTuple):
    """What licence the figures of one quantity carry in one source, and where that was read."""

    source_id: str
    quantity_id: str
    publisher: str
    licence: str
    grant: str
    evidence: str


class SubjectRow(NamedTuple):
    """A run or a checkpoint of a source; released models are subjects by themselves."""

    subject_id: str
    kind: str
    run: str
    family: str
    notes: str


class ObservationRow(NamedTuple):
    """One value of one quantity for one subject, as a source gave it on a day."""

    subject_id: str
    quantity_id: str
    setting: str
    known_on: date
    value: float
    stderr: float | None
    n: int | None
    recorded_on: date
    status: str
    note: str

    @property
    def key(self) -> tuple[str, str, str, date]:
        """What makes the row one: a later `known_on` is a revision, never a correction in place."""
        return (self.subject_id, self.quantity_id, self.setting, self.known_on)


Row = TypeVar("Row", bound=tuple[Any, ...])


class BadCellError(ValueError):
    """A cell that cannot be read; carries what was expected and what to do."""

    def __init__(self, expected: str, advice: str = "") -> None:
        super().__init__(expected)
        self.expected, self.advice = expected, advice


def text(cell: str) -> str:
    """Read a cell that may hold anything, or nothing."""
    return cell


def required(cell: str) -> str:
    """Read a cell that must not be empty."""
    if not cell.strip():
        raise BadCellError("some text")
    return cell


def number(cell: str) -> float:
    """Read a plain finite number.

    >>> number("7000000000"), number("-0.5e-3")
    (7000000000.0, -0.0005)
    """
    if cell.strip().lower().lstrip("+-") in ("nan", "inf", "infinity"):
        raise BadCellError("a finite number", "leave the row out if the value is unknown")
    if not NUMBER.fullmatch(cell):
        raise BadCellError("a plain number such as 0.437", "no spaces, separators, units or percent signs")
    value = float(cell)
    if value in (float("inf"), float("-inf")):
        raise BadCellError("a finite number", "its exponent is too large")
    return value


def whole(cell: str) -> int:
    """Read a whole number that is not negative."""
    if not re.fullmatch(r"\d{1,18}", cell, re.ASCII):
        raise BadCellError("a whole number")
    return int(cell)


@lru_cache(maxsize=4096)
def day(cell: str) -> date:
    """Read an ISO date.

    >>> day("2024-05-31")
    datetime.date(2024, 5, 31)
    """
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", cell, re.ASCII):
        raise BadCellError("a date such as 2024-05-31")
    try:
        return date.fromisoformat(cell)
    except ValueError:
        raise BadCellError("a day that exists, such as 2024-05-31") from None


def optional(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    """Let an empty cell stand for None."""
    return lambda cell: parse(cell) if cell else None


@dataclass(frozen=True)
class OneOf:
    """The parser of a column that holds one of a few words."""

    words: tuple[str, ...]

    def __call__(self, cell: str) -> str:
        """Read one of the words."""
        if cell not in self.words:
            raise BadCellError("one of " + ", ".join(word or "(empty)" for word in self.words))
        return cell


def one_of(*words: str) -> OneOf:
    """Read one of a few words."""
    return OneOf(words)


@dataclass(frozen=True)
class Format(Generic[Row]):
    """One kind of CSV file: its row type, how each column is read, and which columns are its sort key.

    Columns at the end were added after rows had been written: a row may lack as many of them as one of `later` says, and says
    nothing there.
    """

    row: Callable[..., Row]
    columns: Mapping[str, Callable[[str], Any]]
    key: Sequence[str]
    later: tuple[int, ...] = ()

    @property
    def header(self) -> list[str]:
        """The first line, exactly."""
        return list(self.columns)

    def words(self) -> dict[str, tuple[str, ...]]:
        """The columns that hold one of a few words, with these."""
        return {name: read.words for name, read in self.columns.items() if isinstance(read, OneOf)}


MODELS = Format(
    ModelRow,
    {
        "model_id": required,
        "family": required,
        "organisation": required,
        "released_on": optional(day),
        "released_precision": one_of("day", "month", ""),
        "release_source": text,
        "params_total": optional(number),
        "params_active": optional(number),
        "training_tokens": optional(number),
        "training_flops": optional(number),
        "kind": one_of("base", "instruct", "reasoning", "code"),
        "notes": text,
        "line": text,
        "tier": text,
        "release": text,
        "line_source": one_of("rule", "confirmed", ""),
        "open_weights": one_of("yes", "no", ""),
    },
    key=("model_id",),
    later=(1, 5),
)
QUANTITIES = Format(
    QuantityRow,
    {
        "quantity_id": required,
        "title": required,
        "kind": one_of("benchmark", "loss", "size", "budget", "index"),
        "unit": required,
        "lower": optional(number),
        "upper": optional(number),
        "chance": optional(number),
        "direction": one_of("higher", "lower", "none"),
        "items": optional(whole),
        "protocol": text,
        "reference": text,
        "resolver": required,
    },
    key=("quantity_id",),
)
ALIASES = Format(
    AliasRow,
    {"alias": required, "source_id": required, "kind": one_of("model", "quantity"), "id": required},
    key=("alias", "source_id", "kind", "id"),
)
MERGES = Format(
    MergeRow,
    {"model_id": required, "kept_as": required, "decided_on": day, "reason": required},
    key=("model_id",),
)
LICENCES = Format(
    LicenceRow,
    {
        "source_id": required,
        "quantity_id": required,
        "publisher": required,
        "licence": text,
        "grant": one_of("granted", "share_alike", "non_commercial", "not_found", "forbidden"),
        "evidence": required,
    },
    key=("source_id", "quantity_id"),
)
SUBJECTS = Format(
    SubjectRow,
    {
        "subject_id": required,
        "kind": one_of("run", "checkpoint"),
        "run": required,
        "family": required,
        "notes": text,
    },
    key=("subject_id",),
)
OBSERVATIONS = Format(
    ObservationRow,
    {
        "subject_id": required,
        "quantity_id": required,
        "setting": text,
        "known_on": day,
        "value": number,
        "stderr": optional(number),
        "n": optional(whole),
        "recorded_on": day,
        "status": one_of(*STATUSES),
        "note": text,
    },
    key=("subject_id", "quantity_id", "setting", "known_on"),
)


def plain(value: object) -> str:
    """Spell a value as the files do: the shortest text that reads back as the same value.

    >>> plain(7e9), plain(0.1), plain(8.4e22), plain(None), plain(date(2024, 5, 31))
    ('7000000000', '0.1', '8.4e+22', '', '2024-05-31')
    """
    if value is None:
        return ""
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    return str(value)


def shown(cell: str) -> str:
    """A cell as a message shows it: short, on one line, and never empty.

    >>> shown(""), shown("a" * 80)[-5:]
    ('nothing', 'aa...')
    """
    flat = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in cell)
    return (flat if len(flat) <= 60 else flat[:57] + "...") or "nothing"
