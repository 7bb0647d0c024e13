"""What entries must agree on across batches: ids, references, bounds, primaries.

A reader goes through the batches in the order of the log. An entry may refer only to what stands before it, a
forecast belongs to one author, and for each target an author has one primary forecast. The same rules run when a
batch is written and when the ledger is verified (check V14). What a prediction must keep to of its target stands in
`ledger/entries/target_rules.py`.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from foresaid.confusables import skeleton
from foresaid.ledger.entries.batch import Batch
from foresaid.ledger.entries.fields import DAY_BEGINS_EARLIEST, aim_of
from foresaid.ledger.entries.resolutions import Challenge, Key, Redaction, Resolution, Void
from foresaid.ledger.entries.schema import (
    Amendment,
    Entry,
    ForecastEntry,
    Header,
    Inner,
    Reveal,
    RoundEntry,
    Sealed,
    TargetEntry,
    Withdrawal,
)
from foresaid.ledger.entries.target_rules import Contradiction, against, training
from foresaid.ledger.entries.targets import Bound, Named, NextRelease, RecordBy

REDACTABLE = (ForecastEntry, Sealed, Reveal)  # nobody else's score hangs on these


@dataclass(frozen=True)
class Clash:
    """An entry that contradicts an earlier one, or refers to nothing."""

    sha256: str
    line: int
    what: str
    found: str
    expected: str


@dataclass
class _Known:
    rounds: dict[str, RoundEntry] = field(default_factory=dict)
    openers: dict[str, set[str]] = field(default_factory=dict)  # the authors who opened a round, with the same words
    targets: dict[tuple[str, str], TargetEntry] = field(default_factory=dict)
    questions: dict[tuple[str, bytes], str] = field(default_factory=dict)  # (round, what is asked) -> the target
    forecasts: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)  # (author, id) -> target's key
    primaries: dict[tuple[str, str, str], str] = field(default_factory=dict)
    withdrawn: set[tuple[str, str]] = field(default_factory=set)
    sealed: set[tuple[str, str]] = field(default_factory=set)
    opened: set[tuple[str, str]] = field(default_factory=set)
    voided: set[tuple[str, str]] = field(default_factory=set)
    resolved: set[tuple[str, str]] = field(default_factory=set)
    looks: dict[tuple[str, str], str] = field(default_factory=dict)  # (kind of name, skeleton) -> the name
    batches: dict[str, Batch | None] = field(default_factory=dict)  # None: the bytes are gone


def clashes(batches: Iterable[Batch], redacted: Collection[str] = ()) -> list[Clash]:
    """All contradictions among batches given in the order of the log.

    Where bytes of the log were redacted, an entry may refer to something that stood there: a name that the redaction lists is then
    no contradiction. All others must still be known.
    """
    batches = list(batches)
    gone = _gone(batches, redacted)
    known = _Known(batches=dict.fromkeys(redacted))
    found: list[Clash] = []
    for batch in batches:
        for parent in batch.header.parents:
            older = known.batches.get(parent)
            if older is not None and older.header.frozen_at > batch.header.frozen_at:
                should = f"{older.header.frozen_at} or later, the time of its parent {parent}"
                found.append(Clash(batch.sha256, 1, "frozen_at before that of a parent", batch.header.frozen_at, should))
        names = [("author", batch.header.author)]
        for number, entry in batch.lines:
            bare = entry.forecast if isinstance(entry, Reveal) else entry
            trained = training(bare.prediction, batch.header) if isinstance(bare, ForecastEntry | Inner | Amendment) else []
            for what, is_, should in [*_check(entry, batch, known, gone), *trained, *_ahead(entry, batch.header)]:
                found.append(Clash(batch.sha256, number, what, is_, should))
            names += _names(entry)
            for kind, name in names:
                first = known.looks.setdefault((kind, skeleton(name)), name)
                if first != name:
                    what = f"{kind} looks like another one"
                    found.append(Clash(batch.sha256, number, what, _ascii(name), f"another name than {_ascii(first)}"))
            names = []
        known.batches[batch.sha256] = batch
    return found


def _ahead(entry: Entry, header: Header) -> list[Contradiction]:
    """Days of an outcome that were still to come when its batch was frozen, wherever on earth: a slip that would stand for ever."""
    if isinstance(entry, Resolution):
        told = [("known_at", entry.known_at), ("released_on", entry.released_on or "")]
    elif isinstance(entry, Challenge):
        told = [("known_at", entry.known_at)]
    elif isinstance(entry, Void):
        told = [("on", entry.on)]
    else:
        return []
    latest = (datetime.fromisoformat(header.frozen_at) + DAY_BEGINS_EARLIEST).date().isoformat()
    limits = {name: latest if len(text) == len(latest) else header.frozen_at for name, text in told}
    return [(f"{name} after its own batch", text, f"at most {limits[name]}") for name, text in told if text > limits[name]]


def _gone(batches: Iterable[Batch], redacted: Collection[str]) -> frozenset[tuple[str, str]]:
    """The forecasts, by author and id, that redactions say stood in bytes that are gone."""
    found = [entry for batch in batches for entry in batch.entries if isinstance(entry, Redaction) and entry.batch in redacted]
    return frozenset((entry.author, name) for entry in found for name in entry.forecasts)


def _ascii(text: str) -> str:
    return text.encode("ascii", "backslashreplace").decode("ascii")


def _names(entry: Entry) -> list[tuple[str, str]]:
    if isinstance(entry, RoundEntry):
        return [("round", entry.id)]
    if isinstance(entry, TargetEntry):
        found = [("target", f"{entry.round}/{entry.id}"), ("benchmark", entry.benchmark)]
        found += [("model", entry.model)] if isinstance(entry.model, str) else []
        return found + ([("model name", entry.display)] if entry.display is not None else [])
    return [("method", entry.method)] if isinstance(entry, ForecastEntry) else []


def _check(entry: Entry, batch: Batch, known: _Known, gone: Collection[tuple[str, str]]) -> list[Contradiction]:
    author = batch.header.author
    if isinstance(entry, RoundEntry):
        known.openers.setdefault(entry.id, set()).add(author)
        same = known.rounds.setdefault(entry.id, entry) == entry  # two branches may both open a round, with the same words
        return [] if same else [("round id used twice", entry.id, "a new id, or the same line")]
    if isinstance(entry, TargetEntry):
        return _check_target(entry, batch, known)
    if isinstance(entry, ForecastEntry | Sealed):
        return _check_forecast(entry, author, known)
    if isinstance(entry, Reveal):
        return _check_reveal(entry, batch, known, gone)
    if isinstance(entry, Amendment | Withdrawal):
        return _check_change(entry, author, known, gone)
    if isinstance(entry, Resolution | Challenge | Void):
        return _check_outcome(entry, known)
    if isinstance(entry, Redaction):
        return _check_redaction(entry, known)
    assert isinstance(entry, Key)
    return []


def _check_target(entry: TargetEntry, batch: Batch, known: _Known) -> list[Contradiction]:
    """A question is asked once, in a round of one's own, while it can be answered: else it makes no-shows, or counts double."""
    key, author = (entry.round, entry.id), batch.header.author
    if entry.round not in known.rounds:
        return [("target of an unknown round", entry.round, "a round that stands before it")]
    if key in known.targets:
        same = known.targets[key] == entry  # two branches may both set a target, with the same words
        return [] if same else [("target id used twice in a round", "/".join(key), "a new id, or the same line")]
    if author not in known.openers[entry.round]:
        return [("target in a round of another author", author, ", ".join(sorted(known.openers[entry.round])))]
    if batch.header.frozen_at > (deadline := known.rounds[entry.round].deadline):
        return [("target set after the deadline of its round", batch.header.frozen_at, f"{deadline} or earlier")]
    asked = msgspec.json.encode([entry.rule, entry.benchmark, entry.protocol, entry.resolver, entry.system])
    first = known.questions.setdefault((entry.round, asked), entry.id)
    known.targets[key] = entry
    return [] if first == entry.id else [("question asked twice in a round", entry.id, f"one target, which is {first}")]


def _check_forecast(entry: ForecastEntry | Sealed, author: str, known: _Known) -> list[Contradiction]:
    key = (entry.id.split("/", 1)[0], entry.target)
    if key not in known.targets:
        return [("forecast of an unknown target", "/".join(key), "a target of this round that stands before it")]
    if (author, entry.id) in known.forecasts:
        return [("forecast id used twice by one author", entry.id, "a new id, or an amendment/v1 line")]
    known.forecasts[author, entry.id] = key
    if isinstance(entry, Sealed):
        known.sealed.add((author, entry.id))
        return []
    return [*against(entry.prediction, known.targets.get(key)), *_check_primary(entry, author, key, known)]


def _check_primary(entry: ForecastEntry | Inner, author: str, key: tuple[str, str], known: _Known) -> list[Contradiction]:
    if not entry.primary:
        return []
    first = known.primaries.setdefault((*key, author), entry.id)
    return [] if first == entry.id else [("second primary forecast of one author for a target", entry.id, f"only {first}")]


def _check_reveal(entry: Reveal, batch: Batch, known: _Known, gone: Collection[tuple[str, str]]) -> list[Contradiction]:
    author, inner = batch.header.author, entry.forecast
    key = (author, entry.opens)
    if key not in known.sealed:
        expected = f"a sealed forecast by {author} that stands before it"
        return [] if key in gone else [("opening of an unknown seal", entry.opens, expected)]
    if key in known.opened:
        return [("seal opened twice", entry.opens, "one opening")]
    known.opened.add(key)
    problems: list[Contradiction] = []
    if (inner.author, inner.origin) != (author, batch.header.origin):
        expected = f"{author} in {batch.header.origin}"
        problems.append(("the line inside the seal is another's", f"{inner.author} in {inner.origin}", expected))
    target = known.forecasts[key]
    return problems + against(inner.prediction, known.targets.get(target)) + _check_primary(inner, author, target, known)


def _check_change(
    entry: Amendment | Withdrawal, author: str, known: _Known, gone: Collection[tuple[str, str]]
) -> list[Contradiction]:
    name = entry.amends if isinstance(entry, Amendment) else entry.withdraws
    verb = "amendment" if isinstance(entry, Amendment) else "withdrawal"
    key = (author, name)
    if key not in known.forecasts:
        expected = f"a forecast by {author} that stands before it"
        return [] if key in gone else [(f"{verb} of an unknown forecast", name, expected)]
    if key in known.withdrawn:
        return [(f"{verb} of a withdrawn forecast", name, "nothing after a withdrawal")]
    if isinstance(entry, Amendment):
        if key in known.sealed and key not in known.opened:
            return [("amendment of a sealed forecast", name, "an opening, or a new forecast")]
        return against(entry.prediction, known.targets.get(known.forecasts[key]))
    known.withdrawn.add(key)
    return []


def _check_outcome(entry: Resolution | Challenge | Void, known: _Known) -> list[Contradiction]:
    target = known.targets.get(key := (entry.round, entry.target))
    verb = type(entry).__name__.lower()
    if target is None:
        return [(f"{verb} of an unknown target", "/".join(key), "a target that stands before it")]
    if isinstance(entry, Void):
        return _check_void(entry, target, known)
    named = isinstance(entry.subject, str)
    if isinstance(target.rule, Named | RecordBy) and named:
        about = target.model or "the record"
        return [(f"{verb} names a subject", str(entry.subject), f"none: the target is about {about}")]
    if isinstance(entry, Challenge):
        return []
    if entry.value is None:
        return [] if not named else [("resolution of a subject without a value", str(entry.subject), "its value")]
    known.resolved.add(key)
    if isinstance(target.rule, NextRelease | Bound) and not named:
        return [("resolution names no subject", "none", "the model that the target's rule binds")]
    if isinstance(target.rule, RecordBy):
        return []
    if entry.released_on is None:
        return [("resolution without the day of the release", "none", f"a day after {target.opens}, at most {target.closes}")]
    if not target.opens < entry.released_on <= target.closes:
        expected = f"after {target.opens}, at most {target.closes}"
        return [("resolution of a model that was not released while the target was open", entry.released_on, expected)]
    return []


def _check_void(entry: Void, target: TargetEntry, known: _Known) -> list[Contradiction]:
    key = (entry.round, entry.target)
    if key in known.voided:
        return [("target void twice", "/".join(key), "one void/v1 line")]
    if key in known.resolved:
        return [("void of a target that has an outcome", "/".join(key), "no void after a resolution")]
    known.voided.add(key)
    if entry.condition == "already_released":
        if entry.on > target.opens:
            return [("void as already released", entry.on, f"a release by {target.opens}, the day on which the target opened")]
        return []
    allowed = {item.condition: item.on for item in target.void_if}
    if entry.condition not in allowed:
        return [("void by a condition that the target does not have", entry.condition, ", ".join(sorted(allowed)) or "none")]
    first = allowed[entry.condition] or ""
    if entry.condition == "no_release":
        first = max(first, target.closes)
    if entry.on < first:
        return [(f"void by {entry.condition} too early", entry.on, f"{first} or later")]
    return []


def _check_redaction(entry: Redaction, known: _Known) -> list[Contradiction]:
    """It names the author and every forecast of its batch, as long as the bytes are there to say so; an id stays taken."""
    if entry.batch not in known.batches:
        return [("redaction of an unknown batch", entry.batch, "a batch before it")]
    gone = known.batches[entry.batch]
    if gone is None:
        for name in entry.forecasts:
            known.forecasts.setdefault((entry.author, name), aim_of(name))
        return []
    wanted = (gone.header.author, sorted(one.id for one in gone.entries if isinstance(one, ForecastEntry | Sealed)))
    if (entry.author, entry.forecasts) != wanted:
        found = f"{len(entry.forecasts)} forecasts by {entry.author}"
        return [("redaction does not name what it removes", found, f"all {len(wanted[1])} of that batch, by {wanted[0]}")]
    kept = sorted({str(type(one).__struct_config__.tag) for one in gone.entries if not isinstance(one, REDACTABLE)})
    if kept:
        what = f"redaction of a batch that holds {', '.join(kept)}"  # what others rely on, or what made a forecast worse
        return [(what, entry.batch, "a batch of forecasts alone")]
    return []


def order(pending: Mapping[str, Collection[str]], done: Collection[str] = ()) -> list[str]:
    """Names in the order in which they are sequenced: parents first, ties by name; what lacks a parent is left out.

    >>> order({"c": ["b"], "b": [], "a": ["c", "x"], "d": []}, done=["x"])
    ['b', 'c', 'a', 'd']
    """
    children: dict[str, list[str]] = {}
    waiting: dict[str, int] = {}
    for name, parents in pending.items():
        open_parents = [parent for parent in set(parents) if parent not in done]
        waiting[name] = len(open_parents)
        for parent in open_parents:
            children.setdefault(parent, []).append(name)
    ready = sorted(name for name, count in waiting.items() if count == 0)
    result: list[str] = []
    while ready:
        name = heapq.heappop(ready)
        result.append(name)
        for child in children.get(name, ()):
            waiting[child] -= 1
            if waiting[child] == 0:
                heapq.heappush(ready, child)
    return result
