"""What became of a target, as entries: its score, doubts about when that was known, and what removes a forecast.

The outcome side is edited as often as the forecast side, so it is in the ledger too. A later resolution does not
replace an earlier one, and a challenge can only make a score known earlier than was thought.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from msgspec import UNSET, UnsetType

from foresaid.ledger.entries.fields import (
    Day,
    EntryFields,
    ForecastId,
    Hash,
    Id,
    Magnitude,
    Moment,
    Number,
    RoundId,
    System,
    Text,
    Vkey,
    check_day,
    check_moment,
    check_text,
)
from foresaid.ledger.entries.targets import Condition


class Covariate(EntryFields, frozen=True):
    """What another cell of the same launch said by the day on which the outcome was known.

    Without `sibling` it is another benchmark of the very system of the outcome. With it, it is another system: of that model (the
    outcome's own one with other settings, or another of the launch), its settings, and its line and tier where the record has them.
    """

    benchmark: Id
    value: Magnitude
    sibling: Id | UnsetType = UNSET
    system: System | UnsetType = UNSET
    line: Id | UnsetType = UNSET
    tier: Id | UnsetType = UNSET

    def __post_init__(self) -> None:
        if self.sibling is UNSET and (self.system, self.line, self.tier) != (UNSET, UNSET, UNSET):
            raise ValueError("found `system`, `line` or `tier` without `sibling`, whose they are")
        if isinstance(self.system, str):
            check_text("system", self.system)


class Resolution(EntryFields, tag_field="type", tag="resolution/v1", frozen=True):
    """The outcome of a target (of one `subject`, where a rule binds several), as it was first read.

    `value` is as published, even beyond the scale of the target; null says that nothing was released or published by the last day.
    `known_at` is when the value was first public, `released_on` when the model was, `covariates` what conditional forecasts use,
    `snapshot` the SHA-256 of the rows or the page all of it was read from.
    """

    COUNTED: ClassVar[str] = "resolutions"

    round: RoundId
    target: Id
    value: Number | None
    known_at: Moment
    released_on: Day | None
    snapshot: Hash
    source: Text
    covariates: list[Covariate]
    subject: Id | UnsetType = UNSET
    family: Text | UnsetType = UNSET
    system: Text | UnsetType = UNSET

    def __post_init__(self) -> None:
        check_moment(self.known_at)
        if self.released_on is not None:
            check_day(self.released_on)
        for field in ("source", "family", "system"):
            text = getattr(self, field)
            if text is not UNSET:
                check_text(field, text)
        names = [(item.benchmark, item.sibling or "", item.system or "") for item in self.covariates]
        if names != sorted(set(names)):
            raise ValueError("`covariates` must be sorted and without duplicates")


class Challenge(EntryFields, tag_field="type", tag="challenge/v1", frozen=True):
    """Evidence that a score was public earlier than the record says; open for ever, to anyone, and shown by name."""

    COUNTED: ClassVar[str] = "challenges"

    round: RoundId
    target: Id
    known_at: Moment
    evidence: Hash
    reason: Text
    subject: Id | UnsetType = UNSET

    def __post_init__(self) -> None:
        check_moment(self.known_at)
        check_text("reason", self.reason)


class Void(EntryFields, tag_field="type", tag="void/v1", frozen=True):
    """Notice that a target met one of the conditions of its own `void_if`: it is void for every author at once."""

    COUNTED: ClassVar[str] = "voids"

    round: RoundId
    target: Id
    condition: Condition
    on: Day
    evidence: Hash
    reason: Text

    def __post_init__(self) -> None:
        check_day(self.on)
        check_text("reason", self.reason)


class Redaction(EntryFields, tag_field="type", tag="redaction/v1", frozen=True):
    """Notice that the bytes of a batch had to go: its name stays in the log, its forecasts count as worst.

    Only a batch of forecasts, seals and openings can go: without the question nobody could say what worst is, and outcomes,
    withdrawals and amendments decide what others, or earlier versions, are worth.
    """

    COUNTED: ClassVar[str] = "redactions"

    batch: Hash
    author: Id
    forecasts: list[ForecastId]
    reason: Text

    def __post_init__(self) -> None:
        check_text("reason", self.reason)
        if self.forecasts != sorted(set(self.forecasts)):
            raise ValueError("`forecasts` must be sorted and without duplicates")


class Key(EntryFields, tag_field="type", tag="key/v1", frozen=True):
    """Notice that a key signs for this log from here on, or does so no more."""

    COUNTED: ClassVar[str] = "keys"

    vkey: Vkey
    status: Literal["added", "revoked"]
    reason: Text

    def __post_init__(self) -> None:
        check_text("reason", self.reason)
