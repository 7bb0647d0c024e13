"""Which targets there are and until when each can be answered, for people who want to forecast one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches

from foresaid.ledger.entries.batch import Batch
from foresaid.ledger.entries.targets import Bound, Named, NextRelease, RecordBy, TargetEntry
from foresaid.ledger.state.index import Aim, Facts, gather, moment
from foresaid.ledger.submission.objections import ObjectionError
from foresaid.ledger.submission.plain import TargetRow


@dataclass(frozen=True)
class TargetState:
    """A target, the last moment at which a forecast of it counts, and why it is closed; an empty reason is an open target."""

    target: TargetEntry
    until: datetime
    closed: str
    forecasts: int

    @property
    def name(self) -> str:
        """Round and target, as a command takes them."""
        return f"{self.target.round}/{self.target.id}"

    def as_dict(self) -> TargetRow:
        """What a program needs to know to forecast it."""
        target = self.target
        record = target.rule.record if isinstance(target.rule, RecordBy) else None
        return {
            "name": self.name, "open": not self.closed, "closed_because": self.closed or None,
            "answer_until": f"{self.until:%Y-%m-%dT%H:%M:%SZ}", "asks": asked(target),
            "rule": str(target.rule.__struct_config__.tag),
            "benchmark": target.benchmark, "unit": target.unit, "min": target.min, "max": target.max, "record": record,
            "direction": target.direction, "opens": target.opens, "closes": target.closes, "levels": list(target.levels),
            "forecasts": self.forecasts,
        }  # fmt: skip


def asked(target: TargetEntry) -> str:
    """What a target asks, in one sentence without its round.

    The page of a target and `foresaid ledger show` say every detail; this is for a list.
    """
    rule = target.rule
    if isinstance(rule, Named):
        return f"{target.benchmark} of {target.display or rule.model}"
    if isinstance(rule, NextRelease):
        lines = " or ".join(f"{one.maker} {one.line} {one.tier}" for one in rule.lines[:3])
        more = f" or {len(rule.lines) - 3} more lines" if len(rule.lines) > 3 else ""
        return f"{target.benchmark} of launch {rule.ordinal} of {lines}{more} after {target.opens}"
    if isinstance(rule, RecordBy):
        what = "best value" if rule.top == 1 else "mean of the three best models"
        return f"{what} on {target.benchmark} by {rule.by}"
    assert isinstance(rule, Bound)
    return f"{target.benchmark} of every {rule.binds} released after {target.opens}"


def states(batches: Sequence[Batch], now: datetime) -> list[TargetState]:
    """Every target by round and id, with whether it can still be answered at a moment."""
    facts = gather(batches)
    counts: dict[Aim, int] = {}
    for _, entry in facts.forecasts.values():
        aim = (entry.id.split("/", 1)[0], entry.target)
        counts[aim] = counts.get(aim, 0) + 1
    return [_state(facts, aim, now, counts.get(aim, 0)) for aim in sorted(facts.targets)]


def _state(facts: Facts, aim: Aim, now: datetime, forecasts: int) -> TargetState:
    until = facts.end(aim) or moment(facts.rounds[aim[0]].deadline)
    until = until.astimezone(UTC)
    reason = ""
    target = facts.targets[aim]
    if aim in facts.voids:
        reason = "it is void"
    elif aim in facts.resolutions and not isinstance(target.rule, Bound):
        reason = "its outcome is in the ledger"
    elif now > until:
        deadline = moment(facts.rounds[aim[0]].deadline)
        reason = f"{'the deadline was' if until == deadline else 'the score is known since'} {until:%Y-%m-%dT%H:%M:%SZ}"
    return TargetState(target, until, reason, forecasts)


def find(found: Sequence[TargetState], name: str, where: str) -> TargetState:
    """The target of a name: ROUND/TARGET, or TARGET alone where one open round has it. Raises ObjectionError.

    A closed target is refused as well: what is frozen after the deadline counts for nothing.
    """
    named = {one.name: one for one in found}
    if name not in named:
        alone = [one for one in found if one.target.id == name and not one.closed]
        if len(alone) != 1:
            near = get_close_matches(name, [*named, *(one.target.id for one in found)], n=1)
            also = f"did you mean {near[0]}?" if near else "`foresaid target list --open` lists them"
            twice = f"one of {', '.join(one.name for one in alone)}" if alone else f"a target of the ledger; {also}"
            raise ObjectionError("target_unknown", where, name[:80] or "nothing", twice)
        named[name] = alone[0]
    one = named[name]
    if one.closed:
        raise ObjectionError("target_closed", where, f"{one.name}, which is closed: {one.closed}", "an open target")
    return one
