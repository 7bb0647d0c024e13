"""What a line of a batch may say: one strict record for each type of entry.

A line is refused when a field is unknown, missing or of another type, or when it contradicts itself. What lines must agree on
among each other (ids, primaries, bounds of the target) stands in `ledger/entries/rules.py`; entries about outcomes stand in
`ledger/entries/resolutions.py`, what an author promises in `ledger/entries/forecasts.py`. A caller that can read curves passes a
function that does. Entry types of later versions are refused by name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from foresaid import canonical_json
from foresaid.errors import ForesaidError, LedgerError
from foresaid.ledger.entries.fields import (
    Commit,
    Count,
    Day,
    EntryFields,
    Hash,
    Id,
    Name,
    RoundId,
    Text,
    Time,
    check_day,
    check_text,
    check_time,
)
from foresaid.ledger.entries.forecasts import (
    Amendment,
    CurvePrediction,
    ForecastEntry,
    Inner,
    JointPrediction,
    Prediction,
    Quantiles,
    Reveal,
    Sealed,
    Training,
    Withdrawal,
)
from foresaid.ledger.entries.resolutions import Challenge, Key, Redaction, Resolution, Void
from foresaid.ledger.entries.targets import TargetEntry

__all__ = [
    "KINDS",
    "Amendment",
    "CheckCurve",
    "Code",
    "CurvePrediction",
    "Data",
    "Entry",
    "ForecastEntry",
    "Header",
    "Inner",
    "JointPrediction",
    "Prediction",
    "Quantiles",
    "Reveal",
    "RoundEntry",
    "Sealed",
    "TargetEntry",
    "Training",
    "Withdrawal",
    "encode",
    "parse",
]

CheckCurve: TypeAlias = Callable[[dict[str, Any]], object]  # raises if it cannot read the curve


class Data(EntryFields, frozen=True):
    """A training snapshot: our own SHA-256 over its sorted canonical rows, and the last day anything in it was seen."""

    name: Name
    sha256: Hash
    bytes: Count
    rows: Count
    max_observed_on: Day

    def __post_init__(self) -> None:
        check_day(self.max_observed_on)


class Code(EntryFields, frozen=True):
    """The program: git commit (null outside a clone), whether code or settings differed from it, version, and the SHA-256 of
    params.yaml, of the package's source files (see `ledger/provenance.py`), of the lock file of its libraries and of the adopted
    forms.
    """

    git: Commit | None
    dirty: bool
    version: Text
    params: Hash | UnsetType = UNSET
    program: Hash | UnsetType = UNSET
    libraries: Hash | UnsetType = UNSET
    adopted: Hash | UnsetType = UNSET

    def __post_init__(self) -> None:
        check_text("version", self.version)


class Header(EntryFields, tag_field="type", tag="batch/v1", frozen=True):
    """First line of a batch: which log, who, after which batches, on what data, with what program, how many lines."""

    origin: Id
    author: Id
    parents: list[Hash]
    as_of: Day
    frozen_at: Time
    data: list[Data]
    code: Code
    n: Count

    def __post_init__(self) -> None:
        check_day(self.as_of)
        check_time(self.frozen_at)
        if self.parents != sorted(set(self.parents)):
            raise ValueError("`parents` must be sorted and without duplicates")
        if len({item.name for item in self.data}) != len(self.data):
            raise ValueError("two items of `data` have the same name")


class RoundEntry(EntryFields, tag_field="type", tag="round/v1", frozen=True):
    """A round of forecasts: until when they count, how they are scored, and which targets are counted."""

    id: RoundId
    deadline: Time
    reveal_by: Time
    revision: Literal["first", "last-before-deadline"]
    score: Name
    reports: Name
    unit_of_count: Name
    universe: Text

    def __post_init__(self) -> None:
        check_time(self.deadline)
        check_time(self.reveal_by)
        check_text("universe", self.universe)
        if self.reveal_by < self.deadline:
            raise ValueError(f"`reveal_by` {self.reveal_by} is before the deadline {self.deadline}")


Entry: TypeAlias = (
    RoundEntry
    | TargetEntry
    | ForecastEntry
    | Sealed
    | Reveal
    | Amendment
    | Withdrawal
    | Resolution
    | Challenge
    | Void
    | Redaction
    | Key
)
KINDS: dict[str, type[Header] | type[Entry]] = {
    "batch/v1": Header,
    "round/v1": RoundEntry,
    "target/v1": TargetEntry,
    "forecast/v1": ForecastEntry,
    "sealed/v1": Sealed,
    "reveal/v1": Reveal,
    "amendment/v1": Amendment,
    "withdrawal/v1": Withdrawal,
    "resolution/v1": Resolution,
    "challenge/v1": Challenge,
    "void/v1": Void,
    "redaction/v1": Redaction,
    "key/v1": Key,
}


def parse(value: Mapping[str, Any], number: int = 1, check_curve: CheckCurve | None = None) -> Header | Entry:
    """Make a record of a parsed line.

    >>> parse({"type": "withdrawal/v1", "withdraws": "2026q4/gpqa/model-x/obs", "reason": "wrong unit"}).reason
    'wrong unit'
    >>> parse({"type": "bet/v1"}, number=4)
    Traceback (most recent call last):
    foresaid.errors.LedgerError: line 4: unknown entry type 'bet/v1'; this version knows batch/v1, round/v1, \
target/v1, forecast/v1, sealed/v1, reveal/v1, amendment/v1, withdrawal/v1, resolution/v1, challenge/v1, void/v1, \
redaction/v1, key/v1
    """
    name = value.get("type")
    kind = KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        found = "no entry type" if name is None else f"unknown entry type {str(name)[:60]!a}"
        raise LedgerError(f"line {number}: {found}; this version knows {', '.join(KINDS)}")
    try:
        record: Header | Entry = msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise LedgerError(f"line {number}: {name}: {_ascii(str(error))}") from None
    bare = record.forecast if isinstance(record, Reveal) else record
    if (
        check_curve is not None
        and isinstance(bare, ForecastEntry | Inner | Amendment)
        and isinstance(bare.prediction, CurvePrediction)
    ):
        try:
            check_curve(bare.prediction.curve)
        except (ForesaidError, ValueError, TypeError, LookupError) as error:
            raise LedgerError(f"line {number}: {name}: curve: {_ascii(str(error))}") from None
    return record


def _ascii(text: str) -> str:
    return re.sub(r"[^ -~]", lambda match: f"\\u{ord(match[0]):04x}", text)


def encode(record: Header | Entry, number: int = 1) -> bytes:
    """Write a record as a canonical line, newline included, after reading it back.

    >>> encode(Withdrawal(withdraws="2026q4/gpqa/model-x/obs", reason="wrong unit"))
    b'{"reason":"wrong unit","type":"withdrawal/v1","withdraws":"2026q4/gpqa/model-x/obs"}\\n'
    """
    try:
        value = msgspec.to_builtins(record)
    except (TypeError, ValueError, RecursionError) as error:
        raise LedgerError(f"line {number}: {error}") from None
    line = canonical_json.dump_line(value, number)
    parse(canonical_json.parse_line(line[:-1], number), number)
    return line
