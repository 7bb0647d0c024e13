"""What the entries of a ledger say, gathered once: rounds, targets, forecasts, changes to them, outcomes, and when each counts.

Everything that counts or scores forecasts starts here, so that no two of them can read the same entries differently. When a
score was known is the earliest moment that any entry gives; a later entry can only make it earlier. Where a written rule binds
several models, each has a moment of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache

from foresaid.confusables import model_of
from foresaid.ledger.entries.batch import Batch
from foresaid.ledger.entries.fields import DAY_BEGINS_EARLIEST
from foresaid.ledger.entries.resolutions import Challenge, Redaction, Resolution, Void
from foresaid.ledger.entries.schema import Amendment, ForecastEntry, Reveal, RoundEntry, Sealed, TargetEntry, Withdrawal
from foresaid.ledger.entries.targets import NextRelease

Key = tuple[str, str]  # author and forecast id
Aim = tuple[str, str]  # round and target


@lru_cache(maxsize=4096)
def moment(text: str) -> datetime:
    """A time of the ledger as a moment; a bare day is the earliest moment at which it was that day anywhere.

    >>> moment("2026-12-01").isoformat(), moment("2026-12-01T00:00:00Z").isoformat()
    ('2026-11-30T10:00:00+00:00', '2026-12-01T00:00:00+00:00')
    """
    if len(text) == len("2026-12-01"):
        return datetime.fromisoformat(text).replace(tzinfo=UTC) - DAY_BEGINS_EARLIEST
    return datetime.fromisoformat(text)


@dataclass(frozen=True)
class Clock:
    """Which moments count: those proved, where the policy wants stamps; otherwise claims. `now` decides what is overdue."""

    now: datetime | None = None
    wanted: bool = False
    proved: Mapping[str, datetime] = field(default_factory=dict)

    def is_proved(self, batch: Batch) -> bool:
        """Whether the moment of a batch is more than the claim of its author."""
        return batch.sha256 in self.proved

    def of(self, batch: Batch) -> datetime | None:
        """The moment by which a batch existed."""
        return self.proved.get(batch.sha256) if self.wanted else moment(batch.header.frozen_at)


@dataclass
class Facts:
    """What stands in the batches, by what it is about; of two entries under one name the first one counts."""

    rounds: dict[str, RoundEntry] = field(default_factory=dict)
    targets: dict[Aim, TargetEntry] = field(default_factory=dict)
    forecasts: dict[Key, tuple[Batch, ForecastEntry | Sealed]] = field(default_factory=dict)
    reveals: dict[Key, tuple[Batch, Reveal]] = field(default_factory=dict)
    withdrawals: dict[Key, Batch] = field(default_factory=dict)
    amendments: dict[Key, list[tuple[Batch, Amendment]]] = field(default_factory=dict)
    voids: set[Aim] = field(default_factory=set)
    resolutions: dict[Aim, list[tuple[str, Resolution]]] = field(default_factory=dict)  # with the batch each stands in
    parents: dict[str, Collection[str]] = field(default_factory=dict)
    known: dict[tuple[str, str, str], datetime] = field(default_factory=dict)  # round, target, subject ("": the target itself)
    redactions: list[Redaction] = field(default_factory=list)

    def know(self, aim: Aim, subject: str, at: datetime) -> None:
        """Note that a score was known at this moment; it can only become earlier."""
        name = (*aim, subject)
        self.known[name] = min(self.known.get(name, at), at)

    def end(self, aim: Aim, subject: str = "") -> datetime | None:
        """The last moment at which a forecast counts: the deadline, or a second before the score was known."""
        found = [self.known[name] for name in {(*aim, ""), (*aim, model_of(subject))} if name in self.known]
        limits = [at - timedelta(seconds=1) for at in found]
        if aim[0] in self.rounds:
            limits.append(moment(self.rounds[aim[0]].deadline))
        return min(limits, default=None)

    def outcomes(self, aim: Aim) -> dict[str, list[Resolution]]:
        """The scores that were entered for a target by subject, the one that counts first; a named model is one subject."""
        return {subject: [entry for _, entry in found] for subject, found in self._entered(aim).items()}

    def disputed(self, aim: Aim) -> frozenset[str]:
        """Subjects for which two branches entered different scores, neither knowing of the other, and nothing settled it since.

        Which of two branches comes first in the log is decided by their hashes, and those can be ground.
        """
        return frozenset(subject for subject, found in self._entered(aim).items() if self._rivals(found))

    def _entered(self, aim: Aim) -> dict[str, list[tuple[str, Resolution]]]:
        target = self.targets.get(aim)
        # One launch is one outcome: whoever enters another model for it later does not add a second one.
        one = target is not None and isinstance(target.rule, NextRelease) and target.system != "each"
        found: dict[str, list[tuple[str, Resolution]]] = {}
        for batch, entry in self.resolutions.get(aim, []):
            if entry.value is not None:  # else nothing came by the last day: no score
                found.setdefault("" if one else _subject(target, entry), []).append((batch, entry))
        settled = (self._settled(given) for given in found.values())
        return {_subject(target, given[0][1]): given for given in settled}

    def _rivals(self, given: Sequence[tuple[str, Resolution]]) -> list[tuple[str, Resolution]]:
        """Entries of another value than the first one's, from batches of which neither descends from the other."""
        first = given[0]
        other = [one for one in given[1:] if _value(one) != _value(first)]
        return [one for one in other if not self.descends(one[0], first[0]) and not self.descends(first[0], one[0])]

    def _settled(self, given: list[tuple[str, Resolution]]) -> list[tuple[str, Resolution]]:
        """The entries with that one first which came after all that differ, and agrees with one of them."""
        rivals = self._rivals(given)
        sides = [given[0], *rivals]
        for one in given if rivals else ():
            after_all = all(one is not side and self.descends(one[0], side[0]) for side in sides)
            if after_all and _value(one) in map(_value, sides):
                return [one, *(other for other in given if other is not one)]
        return given

    def descends(self, batch: str, ancestor: str) -> bool:
        """Whether a batch is another one, or comes after it by its parents."""
        seen, wave = {batch}, {batch}
        while wave and ancestor not in seen:
            wave = {up for one in wave for up in self.parents.get(one, ())} - seen
            seen |= wave
        return ancestor in seen


def _value(one: tuple[str, Resolution]) -> tuple[str, Decimal]:
    return one[1].subject or "", Decimal(one[1].value or "0")


def _subject(target: TargetEntry | None, entry: Resolution) -> str:
    """The subject of an outcome: the model it names, or the one that its target is about."""
    if not isinstance(entry.subject, str):
        return (target.model or "") if target is not None else ""
    return subject_of(target, entry.subject, entry.system if isinstance(entry.system, str) else "")


def subject_of(target: TargetEntry | None, model: str, system: str) -> str:
    """The name of an outcome among those of its target: the model, with its system where each system is one.

    >>> subject_of(None, "openai/o3", "effort=high")
    'openai/o3'
    """
    return f"{model}[{system}]" if target is not None and target.system == "each" and system else model


def in_time(at: datetime | None, end: datetime | None) -> bool:
    """Whether a moment is there and not after the end (None: there is no end)."""
    return at is not None and (end is None or at <= end)


def gather(batches: Iterable[Batch]) -> Facts:
    """Read batches in the order of the log. A redaction counts once the bytes it names are gone."""
    facts = Facts()
    there: set[str] = set()
    for batch in batches:
        there.add(batch.sha256)
        facts.parents[batch.sha256] = batch.header.parents
        author = batch.header.author
        for entry in batch.entries:
            if isinstance(entry, RoundEntry):
                facts.rounds.setdefault(entry.id, entry)
            elif isinstance(entry, TargetEntry):
                facts.targets.setdefault((entry.round, entry.id), entry)
            elif isinstance(entry, ForecastEntry | Sealed):
                facts.forecasts.setdefault((author, entry.id), (batch, entry))
            elif isinstance(entry, Reveal):
                facts.reveals.setdefault((author, entry.opens), (batch, entry))
            elif isinstance(entry, Withdrawal):
                facts.withdrawals.setdefault((author, entry.withdraws), batch)
            elif isinstance(entry, Amendment):
                facts.amendments.setdefault((author, entry.amends), []).append((batch, entry))
            elif isinstance(entry, Void):
                facts.voids.add((entry.round, entry.target))
            elif isinstance(entry, Redaction):
                facts.redactions.append(entry)
            elif isinstance(entry, Resolution | Challenge):
                _outcome(facts, batch.sha256, entry)
    once = {entry.batch: entry for entry in reversed(facts.redactions)}  # of two about one batch, the first
    facts.redactions = [entry for name, entry in reversed(once.items()) if name not in there]
    return facts


def _outcome(facts: Facts, batch: str, entry: Resolution | Challenge) -> None:
    aim = (entry.round, entry.target)
    if isinstance(entry, Resolution):
        facts.resolutions.setdefault(aim, []).append((batch, entry))
    # One model that a rule binds says nothing about the next, so its moment is kept apart.
    subject = entry.subject if isinstance(entry.subject, str) else ""
    facts.know(aim, subject, moment(entry.known_at))
    if isinstance(entry, Resolution) and entry.released_on is not None:
        facts.know(aim, subject, moment(entry.released_on))
