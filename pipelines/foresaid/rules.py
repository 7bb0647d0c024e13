"""What entries must agree on across batches: ids, references, bounds, primaries.

A reader goes through the batches in the order of the log. An entry may refer only to what stands before it, a
forecast belongs to one author, and for each target an author has one primary forecast. The same rules run when a
batch is written and when the ledger is verified (check V14).
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from foresaid.batch import Batch
from foresaid.entries import Amendment, Entry, Forecast, Quantiles, Round, Sealed, Target, Withdrawal


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
    rounds: set[str] = field(default_factory=set)
    targets: dict[tuple[str, str], Target] = field(default_factory=dict)
    forecasts: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)  # (author, id) -> target's key
    primaries: dict[tuple[str, str, str], str] = field(default_factory=dict)
    withdrawn: set[tuple[str, str]] = field(default_factory=set)


def clashes(batches: Iterable[Batch]) -> list[Clash]:
    """All contradictions among batches given in the order of the log."""
    known = _Known()
    found: list[Clash] = []
    for batch in batches:
        for number, entry in batch.lines:
            for what, is_, should in _check(entry, batch.header.author, known):
                found.append(Clash(batch.sha256, number, what, is_, should))
    return found


def _check(entry: Entry, author: str, known: _Known) -> list[tuple[str, str, str]]:
    if isinstance(entry, Round):
        if entry.id in known.rounds:
            return [("round id used twice", entry.id, "a new id")]
        known.rounds.add(entry.id)
        return []
    if isinstance(entry, Target):
        key = (entry.round, entry.id)
        if entry.round not in known.rounds:
            return [("target of an unknown round", entry.round, "a round that stands before it")]
        if key in known.targets:
            return [("target id used twice in a round", f"{entry.round}/{entry.id}", "a new id")]
        known.targets[key] = entry
        return []
    if isinstance(entry, Forecast | Sealed):
        return _check_forecast(entry, author, known)
    return _check_change(entry, author, known)


def _check_forecast(entry: Forecast | Sealed, author: str, known: _Known) -> list[tuple[str, str, str]]:
    key = (entry.id.split("/", 1)[0], entry.target)
    if key not in known.targets:
        return [("forecast of an unknown target", "/".join(key), "a target of this round that stands before it")]
    if (author, entry.id) in known.forecasts:
        return [("forecast id used twice by one author", entry.id, "a new id, or an amendment/v1 line")]
    known.forecasts[author, entry.id] = key
    if isinstance(entry, Sealed):
        return []
    problems = _outside(entry, known.targets[key])
    if entry.primary:
        first = known.primaries.setdefault((*key, author), entry.id)
        if first != entry.id:
            problems.append(("second primary forecast of one author for a target", entry.id, f"only {first}"))
    return problems


def _check_change(entry: Amendment | Withdrawal, author: str, known: _Known) -> list[tuple[str, str, str]]:
    name = entry.amends if isinstance(entry, Amendment) else entry.withdraws
    verb = "amendment" if isinstance(entry, Amendment) else "withdrawal"
    key = (author, name)
    if key not in known.forecasts:
        return [(f"{verb} of an unknown forecast", name, f"a forecast by {author} that stands before it")]
    if key in known.withdrawn:
        return [(f"{verb} of a withdrawn forecast", name, "nothing after a withdrawal")]
    if isinstance(entry, Amendment):
        return _outside(entry, known.targets[known.forecasts[key]])
    known.withdrawn.add(key)
    return []


def _outside(entry: Forecast | Amendment, target: Target) -> list[tuple[str, str, str]]:
    if not isinstance(entry.prediction, Quantiles):
        return []
    values = entry.prediction.values  # ascending, as its record has checked
    if Decimal(values[0]) < Decimal(target.min) or Decimal(values[-1]) > Decimal(target.max):
        return [("value outside its target", f"{values[0]} to {values[-1]}", f"{target.min} to {target.max}")]
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
