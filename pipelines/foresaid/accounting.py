"""What became of every frozen forecast: each has one state, and the states add up to the forecasts.

    forecasts = scored + pending + void + withdrawn + unopened + late + redacted

Counted from the ledger's own entries, so that no page can leave one out. Withdrawn, unopened and redacted forecasts stay in
the denominator. Which moment of a batch counts is the policy's matter: the proved one where stamps are wanted, else the
claim of its author.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from foresaid.batch import Batch
from foresaid.entries import Amendment, Forecast, Prediction, Reveal, Round, Sealed, Target, Withdrawal
from foresaid.outcomes import Challenge, Redaction, Resolution, Void

STATES = ("scored", "pending", "void", "withdrawn", "unopened", "late", "redacted")
WORST = ("unopened", "redacted")  # scored as the worst forecast the target allows
DAY_BEGINS_EARLIEST = timedelta(hours=14)  # a day begins at UTC+14

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
class Account:
    """One frozen forecast: whose, which, in which batch, its state, why, and the moment that counts for it."""

    author: str
    id: str
    target: str
    batch: str
    state: str
    reason: str
    primary: bool
    frozen: datetime | None  # None: no moment is proved, and the policy wants one

    @property
    def round(self) -> str:
        """The round, which stands in the id."""
        return self.id.split("/", 1)[0]


@dataclass(frozen=True)
class Clock:
    """Which moments count: those proved, where the policy wants stamps; otherwise claims. `now` decides what is overdue."""

    now: datetime | None = None
    wanted: bool = False
    proved: Mapping[str, datetime] = field(default_factory=dict)

    def of(self, batch: Batch) -> datetime | None:
        """The moment by which a batch existed."""
        return self.proved.get(batch.sha256) if self.wanted else moment(batch.header.frozen_at)


@dataclass
class _Facts:
    rounds: dict[str, Round] = field(default_factory=dict)
    targets: dict[Aim, Target] = field(default_factory=dict)
    forecasts: dict[Key, tuple[Batch, Forecast | Sealed]] = field(default_factory=dict)
    reveals: dict[Key, tuple[Batch, Reveal]] = field(default_factory=dict)
    withdrawals: dict[Key, Batch] = field(default_factory=dict)
    amendments: dict[Key, list[tuple[Batch, Amendment]]] = field(default_factory=dict)
    voids: set[Aim] = field(default_factory=set)
    resolved: set[Aim] = field(default_factory=set)
    known: dict[Aim, datetime] = field(default_factory=dict)
    redactions: list[Redaction] = field(default_factory=list)


def _gather(batches: Iterable[Batch]) -> _Facts:
    facts = _Facts()
    for batch in batches:
        author = batch.header.author
        for entry in batch.entries:
            if isinstance(entry, Round):
                facts.rounds.setdefault(entry.id, entry)
            elif isinstance(entry, Target):
                facts.targets.setdefault((entry.round, entry.id), entry)
            elif isinstance(entry, Forecast | Sealed):
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
                _known(facts, entry)
    return facts


def _known(facts: _Facts, entry: Resolution | Challenge) -> None:
    aim = (entry.round, entry.target)
    if isinstance(entry, Resolution):
        facts.resolved.add(aim)
    if not isinstance(entry.subject, str):  # one model that a rule binds says nothing about the next
        at = moment(entry.known_at)
        facts.known[aim] = min(facts.known.get(aim, at), at)  # a later entry can only make it earlier


def accounts(
    batches: Sequence[Batch], clock: Clock, scored: Collection[Key] = (), released: Mapping[Aim, datetime] | None = None
) -> list[Account]:
    """The state of every forecast, in the order of the log; redacted ones last.

    `scored` are forecasts whose outcome stands outside the ledger (in the record's own tables), `released` moments at which
    a target became known according to the record; both add to what the ledger says itself.
    """
    facts = _gather(batches)
    for aim, at in (released or {}).items():
        facts.known[aim] = min(facts.known.get(aim, at), at)
    found = [_account(key, facts, clock, key in scored) for key in facts.forecasts]
    for redaction in facts.redactions:
        for name in redaction.forecasts:
            target = name.split("/", 1)[1].rsplit("/", 1)[0]
            found.append(
                Account(redaction.author, name, target, redaction.batch, "redacted", redaction.reason, primary=False, frozen=None)
            )
    return found


def _account(key: Key, facts: _Facts, clock: Clock, scored: bool) -> Account:
    batch, entry = facts.forecasts[key]
    frozen = clock.of(batch)
    state, reason = _state(key, entry, frozen, facts, clock, scored)
    opened = facts.reveals.get(key)
    bare = entry if isinstance(entry, Forecast) else opened[1].forecast if opened else None
    primary = bool(bare and bare.primary)
    return Account(key[0], key[1], entry.target, batch.sha256, state, reason, primary, frozen)


def _state(
    key: Key, entry: Forecast | Sealed, frozen: datetime | None, facts: _Facts, clock: Clock, scored: bool
) -> tuple[str, str]:
    aim = (key[1].split("/", 1)[0], entry.target)
    if aim in facts.voids:
        return "void", "the target met its own void_if"
    end = _end(aim, facts)
    if key in facts.withdrawals and (at := clock.of(facts.withdrawals[key])) is not None and _in_time(at, end):
        return "withdrawn", "withdrawn in time"
    if frozen is None:
        if clock.now is not None and end is not None and clock.now > end:
            return "late", "no proof of time before the deadline"
        return "pending", "waits for a proof of time"
    if not _in_time(frozen, end):
        return "late", f"frozen {frozen:%Y-%m-%dT%H:%M:%SZ}, not before {end:%Y-%m-%dT%H:%M:%SZ}"
    if isinstance(entry, Sealed) and (missing := _unopened(key, entry, facts, clock)) is not None:
        return missing
    if scored or aim in facts.resolved:
        return "scored", ""
    return "pending", "no outcome yet"


def _end(aim: Aim, facts: _Facts) -> datetime | None:
    """Before which moment a forecast of this target had to be there: the deadline, or when its score was known."""
    limits = [facts.known[aim] - timedelta(seconds=1)] if aim in facts.known else []
    if aim[0] in facts.rounds:
        limits.append(moment(facts.rounds[aim[0]].deadline))
    return min(limits, default=None)


def _in_time(at: datetime, end: datetime | None) -> bool:
    return end is None or at <= end


def _unopened(key: Key, entry: Sealed, facts: _Facts, clock: Clock) -> tuple[str, str] | None:
    limit = moment(entry.reveal_by)
    if aim_round := facts.rounds.get(key[1].split("/", 1)[0]):
        limit = min(limit, moment(aim_round.reveal_by))
    if key in facts.reveals:
        at = clock.of(facts.reveals[key][0])
        if at is not None and at <= limit:
            return None
        if at is not None:
            return "unopened", f"opened after {limit:%Y-%m-%dT%H:%M:%SZ}"
    if clock.now is not None and clock.now > limit:
        return "unopened", f"not opened by {limit:%Y-%m-%dT%H:%M:%SZ}"
    return "pending", "sealed"


def totals(found: Sequence[Account]) -> dict[str, int]:
    """The accounting identity: the number of forecasts, and of each state; they add up."""
    counts = dict.fromkeys(STATES, 0)
    for account in found:
        counts[account.state] += 1
    return {"forecasts": len(found), **counts}


def versions(batches: Sequence[Batch], clock: Clock) -> dict[Key, list[tuple[str, Prediction, bool]]]:
    """Every prediction made under a forecast's id, first to last: (batch, prediction, whether it is the one that counts).

    Which counts was fixed with the round: the first, or the last whose moment is before the deadline and before its score was
    known. Give full batches, not outlines.
    """
    facts = _gather(batches)
    result = {}
    for key, (batch, entry) in facts.forecasts.items():
        made: list[tuple[Batch, Prediction]] = []
        if isinstance(entry, Forecast):
            made.append((batch, entry.prediction))
        elif key in facts.reveals:
            made.append((batch, facts.reveals[key][1].forecast.prediction))
        made += [(other, change.prediction) for other, change in facts.amendments.get(key, [])]
        aim = (key[1].split("/", 1)[0], entry.target)
        chosen = 0
        opened = facts.rounds.get(aim[0])
        if opened is not None and opened.revision == "last-before-deadline":
            end = _end(aim, facts)
            in_time = [i for i, (one, _) in enumerate(made) if (at := clock.of(one)) is not None and _in_time(at, end)]
            chosen = max(in_time, default=0)
        result[key] = [(one.sha256, prediction, i == chosen) for i, (one, prediction) in enumerate(made)]
    return result


def universe(batches: Sequence[Batch], found: Sequence[Account]) -> list[dict[str, Any]]:
    """For each round and author: the targets there were, those with a primary forecast, and by name those without one."""
    facts = _gather(batches)
    rows = []
    for name in facts.rounds:
        targets = [target for round_id, target in facts.targets if round_id == name]
        mine = [account for account in found if account.round == name]
        for author in sorted({account.author for account in mine}):
            # A seal hides whether it is primary; until it is opened it counts as one.
            have = {one.target for one in mine if one.author == author and (one.primary or one.state in ("pending", *WORST))}
            missing = sorted(set(targets) - have)
            rows.append({"round": name, "author": author, "targets": len(targets), "no_shows": missing})
    return rows
