"""What params.yaml says, as frozen records. An unknown key is refused with the nearest right one.

Dates are written as quoted strings, since DVC refuses bare ones. Nothing is defaulted silently: a missing key is an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

from foresaid.errors import ParameterError, UnreadableError

REVEAL_WITHIN, OPEN_FOR, PUBLISH_WITHIN = timedelta(days=14), timedelta(days=365), 90


@dataclass(frozen=True)
class Round:
    """A round that a person has opened: its name, the vintage it may see, and the last moment a forecast counts.

    `reveal_by`, `closes` and `publish_within` (days after a release in which its value counts) go into the ledger with the round.
    `targets` may name unreleased models the round is about, by any spelling: no training row may be theirs.
    """

    id: str
    as_of: date
    deadline: str
    targets: tuple[str, ...] = ()
    reveal_by: str = ""
    closes: date | None = None
    publish_within: int = PUBLISH_WITHIN

    @property
    def opened_until(self) -> str:
        """Until when seals of the round are opened: `reveal_by`, or fourteen days after the deadline."""
        if self.reveal_by:
            return self.reveal_by
        return (datetime.fromisoformat(self.deadline) + REVEAL_WITHIN).strftime("%Y-%m-%dT%H:%M:%SZ")

    @property
    def closes_on(self) -> date:
        """The last day on which a release counts: `closes`, or a year after the deadline."""
        return self.closes or (datetime.fromisoformat(self.deadline) + OPEN_FOR).date()


@dataclass(frozen=True)
class Hindcast:
    """One question put to the past.

    `split` is `released` (score on models released after `as_of`), `listed` (on the models an adopted record lists) or
    `larger` (on the runs of each series furthest in scale: the last `held_out_share`, or all but the first `trained_on`).
    `settings` overrides settings of the laws for this case.
    """

    title: str
    note: str
    split: str
    as_of: date
    until: date
    laws: tuple[str, ...]
    settings: dict[str, Any] = field(default_factory=dict)
    listed: str = ""
    held_out_share: float = 0.0
    trained_on: int = 0


@dataclass(frozen=True)
class Rolling:
    """The rolling origins: from `first` to `last`, every so many months, each law refitted and asked for `horizons` months ahead.

    The pipeline takes every `every`-th month with `replicates` draws; the complete grid takes every month with `full_replicates`.
    """

    first: date
    last: date
    every: int
    horizons: tuple[int, ...]
    replicates: int
    full_replicates: int
    laws: tuple[str, ...]


@dataclass(frozen=True)
class Params:
    """Everything params.yaml says. `workers` is the number of fits made at once (-1: one a core); it changes no result."""

    sources: tuple[str, ...]
    origin: str
    author: str
    seed: int
    replicates: int
    as_of: date
    round: Round | None
    laws: dict[str, dict[str, Any]]
    hindcast: dict[str, Hindcast]
    workers: int = -1
    rolling: Rolling | None = None

    @property
    def fit_as_of(self) -> date:
        """The vintage the current curves are fitted on: the open round's, or the default."""
        return self.round.as_of if self.round else self.as_of


def _refuse_unknown(where: str, found: Mapping[str, object], known: tuple[str, ...], optional: tuple[str, ...] = ()) -> None:
    for key in found:
        if key not in known:
            near = get_close_matches(str(key), known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known keys: {', '.join(known)}"
            raise ParameterError(f"params.yaml, {where}: found the key {key}, expected one of its settings; {hint}")
    for key in known:
        if key not in found and key not in optional:
            raise ParameterError(f"params.yaml, {where}: found no key {key}, expected one; add it")


def _day(where: str, value: object) -> date:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise ParameterError(f'params.yaml, {where}: found {value!r}, expected a quoted date such as "2026-11-21"') from None


def _moment(where: str, value: object) -> None:
    try:
        datetime.strptime(str(value), "%Y-%m-%dT%H:%M:%SZ")
    except ValueError:
        raise ParameterError(
            f'params.yaml, {where}: found {value!r}, expected a quoted moment such as "2026-12-08T00:00:00Z"'
        ) from None


def _round(entry: Mapping[str, Any] | None) -> Round | None:
    if entry is None:
        return None
    optional = ("targets", "reveal_by", "closes", "publish_within")
    _refuse_unknown("round", entry, ("id", "as_of", "deadline", *optional), optional=optional)
    _moment("round, deadline", entry["deadline"])
    targets = tuple(str(name) for name in entry.get("targets", ()))
    if "reveal_by" in entry:
        _moment("round, reveal_by", entry["reveal_by"])
        if str(entry["reveal_by"]) <= str(entry["deadline"]):
            raise ParameterError(f"params.yaml, round, reveal_by: found {entry['reveal_by']}, expected after {entry['deadline']}")
    closes = _day("round, closes", entry["closes"]) if "closes" in entry else None
    within = int(entry.get("publish_within", PUBLISH_WITHIN))
    return Round(
        str(entry["id"]), _day("round, as_of", entry["as_of"]), str(entry["deadline"]), targets, str(entry.get("reveal_by", "")),
        closes, within,
    )  # fmt: skip


def _hindcast(name: str, entry: Mapping[str, Any]) -> Hindcast:
    where = f"hindcast, {name}"
    known = ("title", "note", "split", "as_of", "until", "laws", "settings", "listed", "held_out_share", "trained_on")
    _refuse_unknown(where, entry, known, optional=("settings", "listed", "held_out_share", "trained_on"))
    if entry["split"] not in ("released", "listed", "larger"):
        raise ParameterError(f"params.yaml, {where}: found split {entry['split']!r}, expected released, listed or larger")
    as_of, until = _day(f"{where}, as_of", entry["as_of"]), _day(f"{where}, until", entry["until"])
    if until < as_of:
        raise ParameterError(f"params.yaml, {where}: found until {until} before as_of {as_of}, expected it later")
    if entry["split"] == "larger" and ("held_out_share" in entry) == ("trained_on" in entry):
        raise ParameterError(f"params.yaml, {where}: expected either held_out_share or trained_on beside split larger")
    rest = {
        key: entry[key] for key in ("title", "note", "split", "settings", "listed", "held_out_share", "trained_on") if key in entry
    }
    return Hindcast(as_of=as_of, until=until, laws=tuple(entry["laws"]), **rest)


def _rolling(entry: Mapping[str, Any] | None, laws: Mapping[str, object]) -> Rolling | None:
    if entry is None:
        return None
    _refuse_unknown("rolling", entry, tuple(item.name for item in fields(Rolling)))
    for law in entry["laws"]:
        if law not in laws:
            raise ParameterError(f"params.yaml, rolling: found the law {law}, expected one listed under laws")
    numbers = {key: int(entry[key]) for key in ("every", "replicates", "full_replicates")}
    for key, value in numbers.items():
        if value < 1:
            raise ParameterError(f"params.yaml, rolling, {key}: found {value}, expected at least 1")
    first, last = _day("rolling, first", entry["first"]), _day("rolling, last", entry["last"])
    if last < first:
        raise ParameterError(f"params.yaml, rolling: found last {last} before first {first}, expected it later")
    horizons = tuple(sorted(int(months) for months in entry["horizons"]))
    return Rolling(first=first, last=last, horizons=horizons, laws=tuple(entry["laws"]), **numbers)


def parse(document: object) -> Params:
    """Read the parsed YAML document into records.

    >>> parse({"sources": []})
    Traceback (most recent call last):
    foresaid.errors.ParameterError: params.yaml, top level: found no key origin, expected one; add it
    """
    if not isinstance(document, dict):
        raise ParameterError("params.yaml: found no mapping, expected keys such as sources, laws and hindcast")
    known = ("sources", "origin", "author", "seed", "replicates", "as_of", "round", "laws", "hindcast", "rolling", "workers")
    _refuse_unknown("top level", document, known, optional=("rolling", "workers"))
    workers = document.get("workers", -1)
    if not isinstance(workers, int) or isinstance(workers, bool) or not (workers == -1 or workers > 0):
        raise ParameterError(f"params.yaml, workers: found {workers!r}, expected a number above 0, or -1 for one a core")
    laws = {str(name): dict(settings or {}) for name, settings in document["laws"].items()}
    cases = {str(name): _hindcast(str(name), entry) for name, entry in (document["hindcast"] or {}).items()}
    for name, case in cases.items():
        for law in case.laws:
            if law not in laws:
                raise ParameterError(f"params.yaml, hindcast, {name}: found the law {law}, expected one listed under laws")
    return Params(
        tuple(document["sources"]),
        str(document["origin"]),
        str(document["author"]),
        int(document["seed"]),
        int(document["replicates"]),
        _day("as_of", document["as_of"]),
        _round(document["round"]),
        laws,
        cases,
        workers,
        _rolling(document.get("rolling"), laws),
    )


class _StrictLoader(yaml.SafeLoader):
    """A YAML loader that refuses a key given twice, where the standard one keeps the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise ParameterError(f"params.yaml, line {node.start_mark.line + 1}: found the key {key} twice, expected once")
        return super().construct_mapping(node, deep)


def load(path: Path) -> Params:
    """Read params.yaml."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UnreadableError(f"{path}: {error.strerror}; run foresaid from the folder that holds params.yaml") from None
    try:
        return parse(yaml.load(text, Loader=_StrictLoader))  # a SafeLoader subclass
    except yaml.YAMLError as error:
        raise ParameterError(f"params.yaml: not YAML: {str(error).splitlines()[0]}") from None
