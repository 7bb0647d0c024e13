"""A ledger as the files of a hub: what stands in each, from entries alone, ready to be written.

Of every forecast the version that counts is exported. What a hub cannot say is left out and counted by its reason: curves (they
bind models that nobody has named), seals not yet opened, forecasts withdrawn or late. A joint forecast is given for every target
date; other forecasts of a release are the same on each. A hub knows days; the moment of each forecast stands in the ledger alone.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, TypeAlias

import msgspec
import yaml

from foresaid.ledger.entries.batch import Batch
from foresaid.ledger.entries.fields import aim_of
from foresaid.ledger.entries.schema import CurvePrediction, JointPrediction, Prediction, TargetEntry
from foresaid.ledger.hubverse.configuration import (
    ADMIN,
    CONFIG,
    METADATA,
    METADATA_SCHEMA,
    TARGETS,
    TASKS,
    Contact,
    Repository,
)
from foresaid.ledger.hubverse.names import model_ids, round_day
from foresaid.ledger.hubverse.tasks import admin_of, days_of, target_data_of, tasks_of
from foresaid.ledger.state.accounting import states
from foresaid.ledger.state.index import Clock, Facts, gather
from foresaid.ledger.state.versions import chosen, made, revision

QuantilesOf: TypeAlias = Callable[
    [JointPrediction, TargetEntry, Sequence[date]], list[list[float]]
]  # by day, at the target's levels
Line: TypeAlias = tuple[date, str, str, date, str, float, float]  # origin_date, target, subject, target_date, type, level, value
LEFT_OUT = ("withdrawn", "late", "unopened", "redacted")


@dataclass(frozen=True)
class Hub:
    """The contents of a hub: configuration and metadata by path, forecasts by model and round, outcomes; what was left out."""

    texts: dict[str, str]
    forecasts: dict[tuple[str, str], list[Line]]
    outcomes: list[tuple[date, str, str, date, float]]  # target_date, target, subject, as_of, oracle_value
    left_out: Counter[str] = field(default_factory=Counter)


def hub_of(
    batches: Sequence[Batch],
    clock: Clock,
    quantiles_of: QuantilesOf,
    contact: Contact,
    repository: Repository,
    ending: str,
    only: str | None = None,
) -> Hub:
    """The hub of full batches (not outlines): every round that asks what a hub can, or the one named `only`."""
    facts = gather(batches)
    rounds = [one for one in facts.rounds.values() if only in (None, one.id)]
    standing = {(one.author, one.id): one.state for one in states(facts, clock)}
    left: Counter[str] = Counter()
    counted: list[tuple[str, str, Prediction]] = []
    for key, found in made(facts, clock).items():
        aim = aim_of(key[1])
        if only not in (None, aim[0]) or aim[0] not in facts.rounds:
            continue
        if not found or standing[key] in LEFT_OUT or aim not in facts.targets:
            left[standing[key] if found else "sealed"] += 1
            continue
        prediction = found[chosen(found, revision(facts, key), facts.end(aim))].prediction
        if isinstance(prediction, CurvePrediction):
            left["curve"] += 1
        else:
            counted.append((*key, prediction))
    days = _days(facts, [(name, one) for _, name, one in counted])
    tasks = tasks_of(rounds, facts.targets, days)
    names = model_ids((author, name.rsplit("/", 1)[1]) for author, name, _ in counted)
    forecasts: dict[tuple[str, str], list[Line]] = {}
    for author, name, prediction in counted:
        aim, method = aim_of(name), name.rsplit("/", 1)[1]
        day = round_day(facts.rounds[aim[0]])
        place = (names[author, method], day.isoformat())
        forecasts.setdefault(place, []).extend(_lines(day, facts.targets[aim], days[aim], prediction, quantiles_of))
    origin, author = batches[0].header.origin, batches[0].header.author
    texts = {
        f"{CONFIG}/{TASKS}": _json(tasks),
        f"{CONFIG}/{ADMIN}": _json(admin_of(origin, author, contact, ending, repository)),
        f"{CONFIG}/{TARGETS}": _json(target_data_of()),
        f"{CONFIG}/{METADATA_SCHEMA}": json.dumps(METADATA_FIELDS, indent=2) + "\n",
        **{f"{METADATA}/{names[key]}.yml": _metadata(*key, origin, facts) for key in names},
    }
    return Hub(texts, forecasts, list(_outcomes(facts, days, {one.id for one in rounds})), left)


def _days(facts: Facts, counted: Sequence[tuple[str, Prediction]]) -> dict[tuple[str, str], list[str]]:
    stated: dict[tuple[str, str], set[str]] = {}
    for name, prediction in counted:
        if isinstance(prediction, JointPrediction):
            stated.setdefault(aim_of(name), set()).update(prediction.days)
    return {aim: days_of(target, stated.get(aim, ())) for aim, target in facts.targets.items()}


def _lines(day: date, target: TargetEntry, days: Sequence[str], made: Prediction, quantiles_of: QuantilesOf) -> Iterator[Line]:
    when = [date.fromisoformat(one) for one in days]
    if isinstance(made, JointPrediction):
        levels, values = [float(one) for one in target.levels], quantiles_of(made, target, when)
    elif isinstance(made, CurvePrediction):
        return
    else:
        levels, values = [float(one) for one in made.levels], [[float(one) for one in made.values]] * len(when)
    for on, row in zip(when, values, strict=True):
        for level, value in zip(levels, row, strict=True):
            yield day, target.benchmark, target.id, on, "quantile", level, value


def _outcomes(
    facts: Facts, days: Mapping[tuple[str, str], Sequence[str]], rounds: set[str]
) -> Iterator[tuple[date, str, str, date, float]]:
    """The outcome that counts of each target, inside its bounds; of a release at the last target date that is not after it."""
    seen = set()
    for aim, target in facts.targets.items():
        if aim[0] not in rounds:
            continue
        disputed = facts.disputed(aim)
        for subject, entries in facts.outcomes(aim).items():
            entry = entries[0]
            if entry.value is None or subject in disputed or aim in facts.voids:
                continue
            before = [one for one in days[aim] if entry.released_on is None or one <= entry.released_on]
            on = date.fromisoformat(before[-1] if before else days[aim][0])
            value = min(max(Decimal(entry.value), Decimal(target.min)), Decimal(target.max))
            if (on, target.benchmark, target.id) not in seen:
                seen.add((on, target.benchmark, target.id))
                yield on, target.benchmark, target.id, date.fromisoformat(entry.known_at[:10]), float(value)


def _json(value: msgspec.Struct) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n"


METADATA_FIELDS: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "A model of this hub: one author's method",
    "type": "object",
    "properties": {
        "team_name": {"description": "The author, as the ledger spells it", "type": "string"},
        "team_abbr": {"description": "The author, as file names spell it", "type": "string", "pattern": "^[a-zA-Z0-9_+]+$"},
        "model_name": {"description": "The method, as the ledger spells it", "type": "string"},
        "model_abbr": {"description": "The method, as file names spell it", "type": "string", "pattern": "^[a-zA-Z0-9_+]+$"},
        "designated_model": {"description": "Whether it is the author's primary forecast of any target", "type": "boolean"},
        "model_contributors": {"type": "array", "items": {"type": "object"}},
        "methods": {"description": "How it forecasts, in a sentence", "type": "string", "maxLength": 200},
        "data_inputs": {"description": "What it was fitted on", "type": "string"},
        "license": {"type": "string"},
        "website_url": {"type": "string"},
        "repo_url": {"type": "string"},
    },
    "required": ["team_name", "team_abbr", "model_name", "model_abbr", "designated_model"],
}


def _metadata(author: str, method: str, origin: str, facts: Facts) -> str:
    team, model = next(iter(model_ids([(author, method)]).values())).split("-")
    mine = [
        (batch, facts.reveals[key][1].forecast if key in facts.reveals else entry)
        for key, (batch, entry) in facts.forecasts.items()
        if key[0] == author and key[1].rsplit("/", 1)[1] == method
    ]
    inputs = sorted(
        {f"{item.name}, known by {item.max_observed_on}, SHA-256 {item.sha256}" for batch, _ in mine for item in batch.header.data}
    )
    return yaml.safe_dump(
        {
            "team_name": author,
            "team_abbr": team,
            "model_name": method,
            "model_abbr": model,
            "designated_model": any(getattr(entry, "primary", False) for _, entry in mine),
            "methods": f"The method {method} of {author}, frozen in the forecast ledger {origin}."[:200],
            "data_inputs": "; ".join(inputs) or "not stated",
        },
        sort_keys=False,
        allow_unicode=True,
        width=1000,
    )
