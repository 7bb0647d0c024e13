"""What params.yaml says, as frozen records. An unknown key is refused with the nearest right one.

Dates are written as quoted strings, since DVC refuses bare ones. Nothing is defaulted silently: a missing key is an error.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, datetime, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

from foresaid.errors import ParameterError, UnreadableError

LAST_YEAR = 9000  # a moment after it leaves no room for the days that follow from it
REVEAL_WITHIN, OPEN_FOR, PUBLISH_WITHIN = timedelta(days=14), timedelta(days=365), 90


@dataclass(frozen=True)
class RoundSettings:
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
    `settings` overrides settings of the laws for this case; `taught_by` names by law settings of more series, which are not scored
    but forecast their own largest rows and so teach the width of its intervals (of a `larger` case alone).
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
    taught_by: dict[str, tuple[dict[str, Any], ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Rolling:
    """The rolling origins: from `first` to `last`, every so many months, each law refitted and asked for `horizons` months ahead.

    The pipeline takes every `every`-th month with `replicates` draws; the complete grid takes every month with `full_replicates`.
    `protocols` names quantities that are asked under a stated setting, too, where a law has a table of them.
    """

    first: date
    last: date
    every: int
    horizons: tuple[int, ...]
    replicates: int
    full_replicates: int
    laws: tuple[str, ...]
    protocols: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Params:
    """Everything params.yaml says. `workers` is the number of fits made at once (-1: one a core); it changes no result."""

    sources: tuple[str, ...]
    origin: str
    author: str
    seed: int
    replicates: int
    as_of: date
    round: RoundSettings | None
    laws: dict[str, dict[str, Any]]
    hindcast: dict[str, Hindcast]
    workers: int = -1
    rolling: Rolling | None = None
    capability: dict[str, Any] = field(default_factory=dict)
    repository: str = ""  # address of the project's repository, to which every page links; none where it is empty

    @property
    def fit_as_of(self) -> date:
        """The vintage the current curves are fitted on: the open round's, or the default."""
        return self.round.as_of if self.round else self.as_of


def _number(where: str, value: object, least: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ParameterError(f"params.yaml, {where}: found {value!r:.80}, expected a whole number of at least {least}")
    return value


def _share(where: str, value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < 1:
        raise ParameterError(f"params.yaml, {where}: found {value!r:.80}, expected a number from 0 up to 1")
    return float(value)


def _list(where: str, value: object, kind: type = str) -> tuple[Any, ...]:
    if not isinstance(value, list) or not all(isinstance(item, kind) and not isinstance(item, bool) for item in value):
        what = "names" if kind is str else "whole numbers"
        raise ParameterError(f"params.yaml, {where}: found {value!r:.80}, expected a list of {what}, such as [a, b]")
    return tuple(value)


def _mapping(where: str, value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ParameterError(f"params.yaml, {where}: found {value!r:.80}, expected keys with values")
    return {str(key): item for key, item in value.items()}


def _refuse_unknown(where: str, found: Mapping[str, object], known: tuple[str, ...], optional: tuple[str, ...] = ()) -> None:
    for key in found:
        if key not in known:
            near = get_close_matches(str(key), known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known keys: {', '.join(known)}"
            raise ParameterError(f"params.yaml, {where}: found the key {key}, expected one of its settings; {hint}")
    for key in known:
        if key not in found and key not in optional:
            raise ParameterError(f"params.yaml, {where}: found no key {key}, expected one; add it")


def _address(where: str, value: object) -> str:
    if value != "" and not (isinstance(value, str) and re.fullmatch(r"https?://[!-~]+", value)):
        raise ParameterError(f"params.yaml, {where}: found {value!r:.80}, expected an address that begins with https://")
    return str(value)


def _day(where: str, value: object) -> date:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise ParameterError(f'params.yaml, {where}: found {value!r}, expected a quoted date such as "2026-11-21"') from None


def _moment(where: str, value: object) -> None:
    try:
        if datetime.strptime(str(value), "%Y-%m-%dT%H:%M:%SZ").year > LAST_YEAR:
            raise ValueError
    except ValueError:
        raise ParameterError(
            f'params.yaml, {where}: found {value!r}, expected a quoted moment such as "2026-12-08T00:00:00Z"'
        ) from None


def _round(entry: Mapping[str, Any] | None) -> RoundSettings | None:
    if entry is None:
        return None
    entry = _mapping("round", entry)
    optional = ("targets", "reveal_by", "closes", "publish_within")
    _refuse_unknown("round", entry, ("id", "as_of", "deadline", *optional), optional=optional)
    _moment("round, deadline", entry["deadline"])
    targets = _list("round, targets", entry.get("targets", []))
    if "reveal_by" in entry:
        _moment("round, reveal_by", entry["reveal_by"])
        if str(entry["reveal_by"]) <= str(entry["deadline"]):
            raise ParameterError(f"params.yaml, round, reveal_by: found {entry['reveal_by']}, expected after {entry['deadline']}")
    closes = _day("round, closes", entry["closes"]) if "closes" in entry else None
    within = _number("round, publish_within", entry.get("publish_within", PUBLISH_WITHIN), 0)
    return RoundSettings(
        str(entry["id"]), _day("round, as_of", entry["as_of"]), str(entry["deadline"]), targets, str(entry.get("reveal_by", "")),
        closes, within,
    )  # fmt: skip


def _hindcast(name: str, entry: Mapping[str, Any]) -> Hindcast:
    where = f"hindcast, {name}"
    entry = _mapping(where, entry)
    optional = ("settings", "listed", "held_out_share", "trained_on", "taught_by")
    _refuse_unknown(where, entry, ("title", "note", "split", "as_of", "until", "laws", *optional), optional=optional)
    if entry["split"] not in ("released", "listed", "larger"):
        raise ParameterError(f"params.yaml, {where}: found split {entry['split']!r}, expected released, listed or larger")
    as_of, until = _day(f"{where}, as_of", entry["as_of"]), _day(f"{where}, until", entry["until"])
    if until < as_of:
        raise ParameterError(f"params.yaml, {where}: found until {until} before as_of {as_of}, expected it later")
    if entry["split"] == "larger" and ("held_out_share" in entry) == ("trained_on" in entry):
        raise ParameterError(f"params.yaml, {where}: expected either held_out_share or trained_on beside split larger")
    rest: dict[str, Any] = {key: str(entry[key]) for key in ("title", "note", "split", "listed") if key in entry}
    rest["settings"] = _mapping(f"{where}, settings", entry.get("settings", {}))
    if "held_out_share" in entry:
        rest["held_out_share"] = _share(f"{where}, held_out_share", entry["held_out_share"])
    if "trained_on" in entry:
        rest["trained_on"] = _number(f"{where}, trained_on", entry["trained_on"], 1)
    laws = _list(f"{where}, laws", entry["laws"])
    rest["taught_by"] = _teachers(f"{where}, taught_by", entry.get("taught_by", {}), laws if entry["split"] == "larger" else ())
    return Hindcast(as_of=as_of, until=until, laws=laws, **rest)


def _teachers(where: str, entry: object, laws: Sequence[str]) -> dict[str, tuple[dict[str, Any], ...]]:
    made: dict[str, tuple[dict[str, Any], ...]] = {}
    for law, each in _mapping(where, entry).items():
        if law not in laws:
            expected = f"one of {', '.join(laws)}" if laws else "none: only a case of split larger is taught"
            raise ParameterError(f"params.yaml, {where}: found the law {law}, expected {expected}")
        if not isinstance(each, list):
            raise ParameterError(f"params.yaml, {where}, {law}: found {each!r:.80}, expected a list of settings of the law")
        made[law] = tuple(dict(_mapping(f"{where}, {law}", one)) for one in each)
    return made


def _rolling(entry: Mapping[str, Any] | None, laws: Mapping[str, object]) -> Rolling | None:
    if entry is None:
        return None
    entry = _mapping("rolling", entry)
    _refuse_unknown("rolling", entry, tuple(item.name for item in fields(Rolling)), optional=("protocols",))
    protocols = _mapping("rolling, protocols", entry.get("protocols", {}))
    for name, protocol in protocols.items():
        if not isinstance(protocol, str) or not protocol:
            raise ParameterError(f"params.yaml, rolling, protocols, {name}: found {protocol!r:.80}, expected a setting as text")
    for law in _list("rolling, laws", entry["laws"]):
        if law not in laws:
            raise ParameterError(f"params.yaml, rolling: found the law {law}, expected one listed under laws")
    numbers = {key: _number(f"rolling, {key}", entry[key], 1) for key in ("every", "replicates", "full_replicates")}
    first, last = _day("rolling, first", entry["first"]), _day("rolling, last", entry["last"])
    if last < first:
        raise ParameterError(f"params.yaml, rolling: found last {last} before first {first}, expected it later")
    horizons = tuple(sorted(_list("rolling, horizons", entry["horizons"], int)))
    return Rolling(
        first=first, last=last, horizons=horizons, laws=tuple(entry["laws"]), protocols=tuple(protocols.items()), **numbers
    )


def parse(document: object) -> Params:
    """Read the parsed YAML document into records.

    >>> parse({"sources": []})
    Traceback (most recent call last):
    foresaid.errors.ParameterError: params.yaml, top level: found no key origin, expected one; add it
    """
    if not isinstance(document, dict):
        raise ParameterError("params.yaml: found no mapping, expected keys such as sources, laws and hindcast")
    optional = ("rolling", "workers", "capability", "repository")
    known = ("sources", "origin", "author", "seed", "replicates", "as_of", "round", "laws", "hindcast", *optional)
    _refuse_unknown("top level", document, known, optional)
    workers = document.get("workers", -1)
    if not isinstance(workers, int) or isinstance(workers, bool) or not (workers == -1 or workers > 0):
        raise ParameterError(f"params.yaml, workers: found {workers!r}, expected a number above 0, or -1 for one a core")
    laws = {name: _mapping(f"laws, {name}", entry or {}) for name, entry in _mapping("laws", document["laws"]).items()}
    cases = {name: _hindcast(name, entry) for name, entry in _mapping("hindcast", document["hindcast"] or {}).items()}
    for name, law in ((name, law) for name, case in cases.items() for law in case.laws):
        if law not in laws:
            raise ParameterError(f"params.yaml, hindcast, {name}: found the law {law}, expected one listed under laws")
    return Params(
        _list("sources", document["sources"]),
        str(document["origin"]),
        str(document["author"]),
        _number("seed", document["seed"], 0),
        _number("replicates", document["replicates"], 1),
        _day("as_of", document["as_of"]),
        _round(document["round"]),
        laws,
        cases,
        workers,
        _rolling(document.get("rolling"), laws),
        _mapping("capability", document.get("capability") or {}),
        _address("repository", document.get("repository") or ""),
    )


LARGEST, DEEPEST, MOST = 1 << 20, 50, 20_000  # bytes of the file; lists and mappings inside each other; values, aliases unfolded


class _StrictLoader(yaml.SafeLoader):
    """A YAML loader that refuses what the standard one takes: keys given twice, depth, aliases that unfold to no end."""

    def __init__(self, stream: str, where: str = "params.yaml") -> None:
        super().__init__(stream)
        self.where = where
        self.depth = self.values = 0
        self.weights: dict[int, int] = {}  # values below each node that an alias may repeat

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.depth == DEEPEST:
            raise ParameterError(
                f"{self.where}, line {self.line + 1}: found more than {DEEPEST} lists and mappings inside each other"
            )
        before, self.depth = self.values, self.depth + 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        self.values = before + self.weights[id(node)] if id(node) in self.weights else self.values + 1
        self.weights.setdefault(id(node), self.values - before)
        if self.values > MOST:
            raise ParameterError(f"{self.where}, line {self.line + 1}: found more than {MOST} values, with what aliases repeat")
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key in (self.construct_object(key, deep=True) for key, _ in node.value):
            if not isinstance(key, Hashable):
                raise ParameterError(f"{self.where}, line {node.start_mark.line + 1}: found a key that is a list or a mapping")
            if key in seen:
                raise ParameterError(f"{self.where}, line {node.start_mark.line + 1}: found the key {key} twice, expected once")
            seen.add(key)
        return super().construct_mapping(node, deep)


def read_yaml(text: str, where: str) -> object:
    """The one document of a YAML text as plain values; raises ParameterError, which names `where` and the line.

    Refused are keys given twice, more than 50 levels, and more than 20,000 values with what aliases repeat.
    """
    loader = None
    try:
        loader = _StrictLoader(text, where)
        return loader.get_single_data()
    except (yaml.YAMLError, RecursionError, ValueError) as error:  # ValueError: a day no calendar has, a character YAML forbids
        mark = getattr(error, "problem_mark", None)
        place = f"{where}, line {mark.line + 1}" if mark else where
        said = str(getattr(error, "problem", None) or str(error).splitlines()[0])
        raise ParameterError(f"{place}: not YAML: {said}") from None
    finally:
        if loader is not None:
            loader.dispose()


def load(path: Path) -> Params:
    """Read params.yaml."""
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
        if len(raw) > LARGEST:
            raise ParameterError(f"params.yaml: found more than {LARGEST} bytes, expected the settings of one project")
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ParameterError(f"{path}: found bytes that are not UTF-8 at {error.start}, expected UTF-8; save it so") from None
    except OSError as error:
        raise UnreadableError(f"{path}: {error.strerror}; run foresaid inside a project, or name its folder: --root") from None
    return parse(read_yaml(text, "params.yaml"))
