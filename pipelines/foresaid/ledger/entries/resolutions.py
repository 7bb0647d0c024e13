"""What became of a target, as entries: its score, doubts about when that was known, and what removes a forecast.

The outcome side is edited as often as the forecast side, so it is in the ledger too. A later resolution does not
replace an earlier one, and a challenge can only make a score known earlier than was thought.
"""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, UnsetType

from foresaid.ledger.entries.fields import (
    EntryFields,
    ForecastId,
    Hash,
    Id,
    Moment,
    Number,
    RoundId,
    Text,
    Vkey,
    check_moment,
    check_text,
)


class Resolution(EntryFields, tag_field="type", tag="resolution/v1", frozen=True):
    """The score of a target (of one `subject`, where a rule binds several), when it was known, and where it was read."""

    round: RoundId
    target: Id
    value: Number
    known_at: Moment
    snapshot: Hash
    source: Text
    subject: Id | UnsetType = UNSET

    def __post_init__(self) -> None:
        check_moment(self.known_at)
        check_text("source", self.source)


class Challenge(EntryFields, tag_field="type", tag="challenge/v1", frozen=True):
    """Evidence that a score was public earlier than the record says; open for ever, to anyone."""

    round: RoundId
    target: Id
    known_at: Moment
    evidence: Text
    subject: Id | UnsetType = UNSET

    def __post_init__(self) -> None:
        check_moment(self.known_at)
        check_text("evidence", self.evidence)


class Void(EntryFields, tag_field="type", tag="void/v1", frozen=True):
    """Notice that a target met its own `void_if`: every author's forecast of it is void at once."""

    round: RoundId
    target: Id
    evidence: Hash
    reason: Text

    def __post_init__(self) -> None:
        check_text("reason", self.reason)


class Redaction(EntryFields, tag_field="type", tag="redaction/v1", frozen=True):
    """Notice that the bytes of a batch had to go: its name stays in the log, its forecasts count as worst."""

    batch: Hash
    author: Id
    forecasts: list[ForecastId]
    reason: Text
    rounds: list[RoundId] | UnsetType = UNSET  # those opened in the batch
    targets: list[Text] | UnsetType = UNSET  # those set in the batch, as round/target

    def __post_init__(self) -> None:
        check_text("reason", self.reason)
        for field in ("rounds", "targets"):
            names = getattr(self, field)
            if names is not UNSET and names != sorted(set(names)):
                raise ValueError(f"`{field}` must be sorted and without duplicates")
        if self.forecasts != sorted(set(self.forecasts)):
            raise ValueError("`forecasts` must be sorted and without duplicates")


class Key(EntryFields, tag_field="type", tag="key/v1", frozen=True):
    """Notice that a key signs for this log from here on, or does so no more."""

    vkey: Vkey
    status: Literal["added", "revoked"]
    reason: Text

    def __post_init__(self) -> None:
        check_text("reason", self.reason)
