"""What became of every frozen forecast: each has one state, and the states add up to the forecasts.

    forecasts = scored + claimed + pending + unanswered + void + withdrawn + unopened + late + redacted

Counted from the ledger's own entries, so that no page can leave one out. Withdrawn, unopened and redacted forecasts stay in
the denominator. `claimed` is a forecast with an outcome whose time nobody proved, `unanswered` one of a target that
ended without an outcome. Which moment of a batch counts is the policy's
matter: the proved one where stamps are wanted, else the claim of its author.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from foresaid.ledger.entries.batch import Batch
from foresaid.ledger.entries.fields import aim_of
from foresaid.ledger.entries.schema import ForecastEntry, Sealed
from foresaid.ledger.state.index import Aim, Clock, Facts, Key, gather, in_time, moment

STATES = ("scored", "claimed", "pending", "unanswered", "void", "withdrawn", "unopened", "late", "redacted")
WORST = ("unopened", "redacted")  # scored as the worst forecast the target allows


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
    hidden: bool = False  # under a seal that nobody opened, or redacted: whether it is primary cannot be seen

    @property
    def round(self) -> str:
        """The round, which stands in the id."""
        return self.id.split("/", 1)[0]


def accounts(
    batches: Sequence[Batch], clock: Clock, scored: Collection[Key] = (), released: Mapping[Aim, datetime] | None = None
) -> list[Account]:
    """The state of every forecast, in the order of the log; redacted ones last.

    `scored` are forecasts whose outcome stands outside the ledger (in the record's own tables), `released` moments at which
    a target became known according to the record; both add to what the ledger says itself.
    """
    facts = gather(batches)
    for aim, at in (released or {}).items():
        facts.know(aim, "", at)
    return states(facts, clock, scored)


def states(facts: Facts, clock: Clock, scored: Collection[Key] = ()) -> list[Account]:
    """The same from entries that were gathered before."""
    found = [_account(key, facts, clock, key in scored) for key in facts.forecasts]
    for gone in facts.redactions:
        for name in gone.forecasts:
            found.append(
                Account(
                    gone.author, name, aim_of(name)[1], gone.batch, "redacted", gone.reason, primary=False, frozen=None, hidden=True
                )
            )
    return found


def _account(key: Key, facts: Facts, clock: Clock, scored: bool) -> Account:
    batch, entry = facts.forecasts[key]
    frozen = clock.of(batch)
    state, reason = _state(key, entry, frozen, facts, clock, scored)
    opened = facts.reveals.get(key)
    bare = entry if isinstance(entry, ForecastEntry) else opened[1].forecast if opened else None
    primary = bool(bare and bare.primary)
    return Account(key[0], key[1], entry.target, batch.sha256, state, reason, primary, frozen, hidden=bare is None)


def _state(
    key: Key, entry: ForecastEntry | Sealed, frozen: datetime | None, facts: Facts, clock: Clock, scored: bool
) -> tuple[str, str]:
    aim = aim_of(key[1])
    if aim in facts.voids:
        return "void", "the target met its own void_if"
    end = facts.end(aim)
    if key in facts.withdrawals and in_time(at := clock.of(facts.withdrawals[key]), end):
        ends = [facts.end(aim, subject) for subject in facts.outcomes(aim)]
        if not any(not in_time(at, limit) and in_time(frozen, limit) for limit in ends):
            return "withdrawn", "withdrawn in time"
    if frozen is None:
        if clock.now is not None and end is not None and clock.now > end:
            return "late", "no proof of time before the deadline"
        return "pending", "waits for a proof of time"
    if not in_time(frozen, end):
        return "late", f"frozen {frozen:%Y-%m-%dT%H:%M:%SZ}, not before {end:%Y-%m-%dT%H:%M:%SZ}"
    if isinstance(entry, Sealed) and (missing := _unopened(key, entry, facts, clock)) is not None:
        return missing
    disputed = facts.disputed(aim)
    outcomes = [subject for subject in facts.outcomes(aim) if subject not in disputed]
    if scored or any(in_time(frozen, facts.end(aim, subject)) for subject in outcomes):
        return ("scored", "") if clock.is_proved(facts.forecasts[key][0]) else ("claimed", "its time is a claim that nobody proved")
    if disputed:
        return "pending", f"the outcome of {', '.join(sorted(disputed))} is disputed"
    if not outcomes and facts.resolutions.get(aim):
        return "unanswered", "its target ended without an outcome"
    return "pending", f"the {len(outcomes)} outcomes so far were known before it" if outcomes else "no outcome yet"


def _unopened(key: Key, entry: Sealed, facts: Facts, clock: Clock) -> tuple[str, str] | None:
    limit = moment(entry.reveal_by)
    if aim_round := facts.rounds.get(aim_of(key[1])[0]):
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


def sequenced(batches: Sequence[Batch]) -> int:
    """The number of forecasts by counting lines, without asking for their states: what the states must add up to.

    A line of a batch whose bytes are gone is counted by the redaction that names it.
    """
    lines = sum(isinstance(entry, ForecastEntry | Sealed) for batch in batches for entry in batch.entries)
    return lines + sum(len(gone.forecasts) for gone in gather(batches).redactions)


def identity(found: Sequence[Account]) -> str:
    """The accounting identity as a sentence.

    >>> identity([])
    '0 forecasts = 0 scored + 0 claimed + 0 pending + 0 unanswered + 0 void + 0 withdrawn + 0 unopened + 0 late + 0 redacted'
    """
    counts = totals(found)
    return f"{counts['forecasts']} forecasts = {' + '.join(f'{counts[name]} {name}' for name in STATES)}"


def universe(batches: Sequence[Batch], found: Sequence[Account]) -> list[dict[str, Any]]:
    """For each round and author: the number of targets there were, and by name those without a primary forecast (no-shows)."""
    facts = gather(batches)
    rows = []
    for name in facts.rounds:
        targets = [target for round_id, target in facts.targets if round_id == name]
        mine = [account for account in found if account.round == name]
        for author in sorted({account.author for account in mine}):
            # A seal hides whether it is primary; until it is opened it counts as one.
            have = {one.target for one in mine if one.author == author and (one.primary or one.hidden)}
            missing = sorted(set(targets) - have)
            rows.append({"round": name, "author": author, "targets": len(targets), "no_shows": missing})
    return rows
