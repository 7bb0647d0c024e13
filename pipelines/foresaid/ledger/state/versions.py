"""Every prediction made under a forecast's id, and which of them counts: fixed with the round, never chosen afterwards.

All versions are kept and all are scored. The one that counts is the first, or the last whose moment is before the deadline and
before the score was known; where a rule binds several models this is asked for each, since their scores are known at
different times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from foresaid.ledger.entries.batch import Batch
from foresaid.ledger.entries.fields import aim_of
from foresaid.ledger.entries.schema import ForecastEntry, Prediction
from foresaid.ledger.state.index import Clock, Facts, Key, gather, in_time


@dataclass(frozen=True)
class Version:
    """One prediction: in which batch it stands, the moment that counts for it (None: not proved), and what it says."""

    batch: Batch
    at: datetime | None
    prediction: Prediction


def made(facts: Facts, clock: Clock) -> dict[Key, list[Version]]:
    """The predictions of every forecast, first to last; a seal that was never opened has none."""
    result = {}
    for key, (batch, entry) in facts.forecasts.items():
        found: list[Version] = []
        frozen = clock.of(batch)  # a seal was made when it was sealed, not when it was opened
        if isinstance(entry, ForecastEntry):
            found.append(Version(batch, frozen, entry.prediction))
        elif key in facts.reveals:
            found.append(Version(batch, frozen, facts.reveals[key][1].forecast.prediction))
        found += [Version(other, clock.of(other), change.prediction) for other, change in facts.amendments.get(key, [])]
        result[key] = found
    return result


def chosen(found: Sequence[Version], revision: str, end: datetime | None) -> int:
    """The place of the version that counts under the round's rule, `first` or `last-before-deadline`."""
    if revision != "last-before-deadline":
        return 0
    return max((i for i, one in enumerate(found) if in_time(one.at, end)), default=0)


def revision(facts: Facts, key: Key) -> str:
    """The rule of the forecast's round; the first version counts where the round is not known."""
    opened = facts.rounds.get(aim_of(key[1])[0])
    return opened.revision if opened is not None else "first"


def versions(batches: Sequence[Batch], clock: Clock) -> dict[Key, list[tuple[str, Prediction, bool]]]:
    """Every prediction made under a forecast's id, first to last: (batch, prediction, whether it is the one that counts).

    Give full batches, not outlines.
    """
    facts = gather(batches)
    result = {}
    for key, found in made(facts, clock).items():
        place = chosen(found, revision(facts, key), facts.end(aim_of(key[1])))
        result[key] = [(one.batch.sha256, one.prediction, i == place) for i, one in enumerate(found)]
    return result
