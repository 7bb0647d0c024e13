"""What the record says of the open targets, as entries that the ledger lacks; and where the two differ.

`foresaid ledger outcomes` appends what `proposed` returns as one batch. Stages never write outcomes: the ledger is an input of
`score`, so `score` only counts how many are waiting. An entry, once there, is the outcome for ever; a later value of the record is
proposed as another entry, which is shown beside the first.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from decimal import Context, Decimal
from functools import cache, cached_property, partial
from hashlib import sha256
from pathlib import Path
from typing import TypeGuard, cast

import msgspec
import polars as pl

from foresaid import canonical_json
from foresaid.confusables import model_of
from foresaid.confusables import resolve as same_name
from foresaid.errors import LedgerError
from foresaid.evaluation.resolution import Event, Facts, Nothing, Outcome, Published, Release, Resolved, Voided, resolve
from foresaid.files import write
from foresaid.ledger import training_snapshots
from foresaid.ledger.entries.batch import Batch
from foresaid.ledger.entries.fields import aim_of
from foresaid.ledger.entries.resolutions import Covariate, Resolution, Void
from foresaid.ledger.entries.schema import CurvePrediction, ForecastEntry, JointPrediction, TargetEntry
from foresaid.ledger.entries.target_rules import covariates_of
from foresaid.ledger.entries.targets import Bound, Condition, NextRelease, RecordBy, known_digest
from foresaid.ledger.state.index import Facts as LedgerFacts
from foresaid.ledger.state.index import gather, subject_of
from foresaid.ledger.verify import training_data
from foresaid.ledger.verify.entry_checks import aims_of
from foresaid.project import KNOWN
from foresaid.registry import database, events, source_card, systems
from foresaid.registry.lineage import maker
from foresaid.registry.same_model import names

SNAPSHOTS = "snapshots"  # of training rows, in the registry
OPEN = {"yes": True, "no": False, "": None, None: None}  # whether a model has open weights, as models.csv says it


@dataclass(frozen=True)
class Difference:
    """What the ledger says of a subject (a value, a day, a covariate), and what the record says now (None: nothing of the kind)."""

    round: str
    target: str
    subject: str
    entered: str
    recorded: str | None

    def __str__(self) -> str:
        """One line.

        >>> str(Difference("2026-12", "gsm8k", "acme/x", "0.9", None))
        '2026-12/gsm8k, acme/x: the ledger says 0.9, the record says nothing'
        """
        about = f"{self.round}/{self.target}{', ' + self.subject if self.subject else ''}"
        return f"{about}: the ledger says {self.entered}, the record says {self.recorded or 'nothing'}"


def known_models(history: pl.DataFrame, models: pl.DataFrame, as_of: date) -> list[str]:
    """The models known on a day: released by then, or with a row known by then."""
    seen = history.filter((pl.col("kind") == "model") & (pl.col("known_on") <= as_of))["subject_id"].unique().to_list()
    return sorted({*seen, *models.filter(pl.col("released_on") <= as_of)["model_id"].to_list()})


def keep_known(registry: Path, models: Collection[str]) -> str:
    """Write a list of known models under its digest, which is returned."""
    digest = known_digest(models)
    write({registry / KNOWN / f"{digest}.txt": "".join(f"{name}\n" for name in sorted(set(models))).encode()})
    return digest


def wanted_of(aim: tuple[str, str], facts: LedgerFacts) -> list[str]:
    """The covariates to record with an outcome: those that forecasts of the target take, and for a release the round's boards."""
    made = [entry.prediction for (_, name), (_, entry) in facts.forecasts.items() if _open(entry) and aim_of(name) == aim]
    made += [entry.forecast.prediction for (_, name), (_, entry) in facts.reveals.items() if aim_of(name) == aim]
    made += [entry.prediction for (_, name), found in facts.amendments.items() if aim_of(name) == aim for _, entry in found]
    names: set[str] = set()
    for one in made:
        if isinstance(one, CurvePrediction):
            names |= set(covariates_of(one.curve))
        elif isinstance(one, JointPrediction):
            names |= set(one.benchmarks)
    rule = facts.targets[aim].rule
    if isinstance(rule, Bound):
        names |= set(rule.needs or ())
    else:
        names |= {target.benchmark for (round_id, _), target in facts.targets.items() if round_id == aim[0]}
    return sorted(names - {facts.targets[aim].benchmark})


def _open(entry: object) -> TypeGuard[ForecastEntry]:
    return isinstance(entry, ForecastEntry)


@dataclass(frozen=True)
class Asked:
    """All of a target that decides which facts it may need: targets that ask alike share one reading of the record."""

    quantities: frozenset[str]
    protocol: str
    series: str


def asked_of(target: TargetEntry, wanted: Collection[str]) -> Asked:
    """What a target asks of the record, with these covariates."""
    series = target.rule.series if isinstance(target.rule, Bound) and isinstance(target.rule.series, str) else ""
    return Asked(frozenset([target.benchmark, *wanted]), target.protocol, series)


def facts_of(asked: Asked, record: Record, today: date) -> Facts:
    """What the record knows that a target may need, by `today`."""
    about = record.history.filter(pl.col("quantity_id").is_in(sorted(asked.quantities)) & pl.col("counts"))
    releases, series = list(record.releases), asked.series
    runs = about.filter((pl.col("kind") != "model") & pl.col("released_on").is_not_null()).unique("subject_id", maintain_order=True)
    for name, run, family, on in runs.select("subject_id", "run", "family", "released_on").iter_rows():
        releases.append(Release(name, "", "", "", on, series=series if series in (family, run) else "", binds="run"))
    published = [
        Published(
            subject, quantity, source, _decimal(value), on, asked.protocol, setting,
            effort=_effort(setting), default=not setting,
        )
        for subject, quantity, setting, source, on, value in about.select(
            "subject_id", "quantity_id", "setting", "source_id", "known_on", "value"
        ).iter_rows()
    ]  # fmt: skip
    same = _ids(record.same, {item.model for item in published} | {item.model for item in releases})
    return Facts(today, tuple(releases), tuple(published), tuple(record.events), same, record.read)


@cache
def _effort(setting: str) -> float:
    system, _ = systems.split(setting)
    words = dict(part.split("=", 1) for part in system.split(";") if part)
    effort = systems.effort_number(words.get("effort", words.get("thinking", "")))
    return -1.0 if effort is None else effort


@cache
def _decimal(value: float) -> Decimal:
    """A value to fifteen digits, at most eighteen places after the point, without zeros at the end."""
    digits = Context(prec=15).create_decimal(repr(value))
    places = digits.as_tuple().exponent
    short = round(digits, 18) if isinstance(places, int) and places < -18 else digits
    return Decimal(format(short.normalize(), "f"))


def _ids(same: Mapping[str, str], subjects: Collection[str]) -> dict[str, str]:
    return {name: kept for name in subjects if (kept := same.get(name, name)) != name}


@dataclass(frozen=True)
class Record:
    """What of the record decides outcomes: values with their days, models, their names, events, its folder, the vintages read."""

    history: pl.DataFrame
    models: pl.DataFrame
    same: Mapping[str, str]
    events: Sequence[Event]
    registry: Path
    read: Mapping[str, Sequence[date]] = field(default_factory=dict)  # by source the days of its vintages

    @cached_property
    def releases(self) -> tuple[Release, ...]:
        """The models whose release has a day."""
        return tuple(
            Release(
                row["model_id"], maker(row["organisation"] or ""), row["line"] or "", row["tier"] or "", row["released_on"],
                launch=row["release"] or "", open_weights=OPEN[row["open_weights"]],
                kind=row["kind"], family=row["family"],
            )
            for row in self.models.filter(pl.col("released_on").is_not_null()).iter_rows(named=True)
        )  # fmt: skip


def read_record(registry: Path, build: Path) -> Record:
    """Read it from the exported database and the files of the registry."""
    connection = database.open_database(build / "database")
    history, models = database.history(connection), database.models(connection)
    connection.close()
    given = [Event(cast(Condition, one.condition), one.about, one.on) for one in events.read(registry)]
    read = {
        name: [vintage.known_on for vintage in source_card.of(registry, name).vintages]
        for name in source_card.source_names(registry)
    }
    return Record(history, models, names(registry), given, registry, read)


def proposed(batches: Sequence[Batch], record: Record, today: date) -> tuple[list[Resolution | Void], list[Difference]]:
    """The entries that the ledger lacks, and what it says otherwise than the record.

    Raises LedgerError where the list of models known when a target was set is absent.
    """
    facts = gather(batches)
    lines: list[Resolution | Void] = []
    differences: list[Difference] = []
    family = dict(record.history.select("subject_id", "family").unique("subject_id", maintain_order=True).iter_rows())
    known_of = cache(partial(facts_of, record=record, today=today))
    known_names = cache(partial(training_data.read_known, record.registry / KNOWN))
    for aim, target in facts.targets.items():
        known = known_names(target.known)
        made = resolve(target, known_of(asked_of(target, wanted_of(aim, facts))), known)
        if aim in facts.voids and not isinstance(made, Voided):
            # The outcome is entered all the same: it keeps the forecasts of a target voided without need in the second mean.
            differences.append(Difference(*aim, "", "void", "nothing that makes it void"))
        if aim not in facts.voids and not facts.resolutions.get(aim) and isinstance(made, Voided | Nothing):
            lines.append(_ended(target, made))
        outcomes = made.outcomes if isinstance(made, Resolved) else ()
        added, other = _compared(aim, target, outcomes, facts.outcomes(aim), family)
        lines += added
        differences += other
    return lines, differences


def _compared(
    aim: tuple[str, str],
    target: TargetEntry,
    outcomes: Sequence[Outcome],
    entered: Mapping[str, Sequence[Resolution]],
    family: Mapping[str, str],
) -> tuple[list[Resolution], list[Difference]]:
    """The outcomes of a target that the ledger lacks, and those it has otherwise."""
    lines: list[Resolution] = []
    differences: list[Difference] = []
    recorded: dict[str, list[Outcome]] = {}
    for one in outcomes:
        recorded.setdefault(_subject(target, one), []).append(one)
    for subject, found in sorted(recorded.items()):
        values = [Decimal(entry.value or "0") for entry in entered.get(subject, [])]
        if values and values[0] != found[0].value:
            differences.append(Difference(*aim, subject, str(values[0]), str(found[0].value)))
        elif values:
            differences += _otherwise(aim, subject, entered[subject][0], _entry(target, found[0], found[0].value, ""))
        for one in found:
            wanted = [one.value, *one.later] if values else [one.value]
            new = [value for value in dict.fromkeys(wanted) if value not in values]
            lines += [_entry(target, one, value, family.get(one.subject) or "") for value in new]
    for subject, given in sorted(entered.items()):
        if subject not in recorded:
            differences.append(Difference(*aim, subject, str(given[0].value), None))
    return lines, differences


def _otherwise(aim: tuple[str, str], subject: str, entry: Resolution, ours: Resolution) -> list[Difference]:
    """What else decides a score and stands otherwise in an entry than the record has it: its days, its system, its covariates.

    The day on which a score was known decides which forecasts were in time, and covariates move conditional forecasts.
    """
    said: list[tuple[str, object, object]] = [
        ("known on", entry.known_at[:10], ours.known_at),
        ("released on", entry.released_on, ours.released_on),
        ("system", entry.system or "", ours.system or ""),
    ]
    mine, theirs = (
        {
            " ".join(filter(None, (one.benchmark, one.sibling or "", one.system or ""))): Decimal(one.value)
            for one in given.covariates
        }
        for given in (entry, ours)
    )
    said += [(f"covariate {name}", mine.get(name), theirs.get(name)) for name in sorted(mine.keys() | theirs.keys())]
    return [
        Difference(*aim, subject, f"{what} {here if here is not None else 'nothing'}", None if there is None else f"{what} {there}")
        for what, here, there in said
        if here != there
    ]


def _subject(target: TargetEntry, one: Outcome) -> str:
    if not isinstance(target.rule, NextRelease | Bound):
        return target.model or ""
    return subject_of(target, one.subject, one.settings)


def _ended(target: TargetEntry, made: Voided | Nothing) -> Resolution | Void:
    """The entry of a target that ended without an outcome."""
    condition = made.condition if isinstance(made, Voided) else "none"
    told = canonical_json.dump_line({"condition": condition, "on": str(made.on), "target": f"{target.round}/{target.id}"})
    digest = sha256(told).hexdigest()
    if isinstance(made, Voided):
        return Void(
            round=target.round, target=target.id, condition=made.condition, on=made.on.isoformat(), evidence=digest,
            reason="as the record says by the rule of the target",
        )  # fmt: skip
    return Resolution(
        round=target.round, target=target.id, value=None, known_at=made.on.isoformat(), released_on=None, snapshot=digest,
        source=target.resolver, covariates=[],
    )  # fmt: skip


def _entry(target: TargetEntry, one: Outcome, value: Decimal, family: str) -> Resolution:
    more = {"subject": one.subject} if isinstance(target.rule, NextRelease | Bound) else {}
    if family:
        more["family"] = family
    if one.settings:
        more["system"] = one.settings
    told = [Covariate(benchmark=name, value=format(x, "f")) for name, x in one.covariates]
    told += [
        Covariate(
            benchmark=item.benchmark, value=format(item.value, "f"), sibling=item.model,
            **{name: text for name in ("system", "line", "tier") if (text := getattr(item, name))},
        )
        for item in one.siblings
    ]  # fmt: skip
    told.sort(key=lambda item: (item.benchmark, item.sibling or "", item.system or ""))
    rows = canonical_json.dump_line(
        {
            "benchmark": target.benchmark, "covariates": msgspec.to_builtins(told), "known_on": str(one.known_on),
            "resolver": target.resolver, "subject": one.subject, "value": format(value, "f"),
        }
    )  # fmt: skip
    return Resolution(
        round=target.round, target=target.id, value=format(value, "f"), known_at=one.known_on.isoformat(),
        released_on=one.released_on.isoformat() if one.released_on else None, snapshot=sha256(rows).hexdigest(),
        source=target.resolver, covariates=told, **more,
    )  # fmt: skip


def barred(batches: Sequence[Batch], registry: Path) -> dict[str, frozenset[str]]:
    """For each batch the outcome subjects that can be no outcome of its forecasts, under any alias or merged id.

    Those that its own training data hold, those on the list of models known when the target was set, and those that were
    entered before under another name.
    """
    facts, same = gather(batches), names(registry)
    twice = {aim: training_data.again(target, facts.outcomes(aim), same) for aim, target in facts.targets.items()}
    known: dict[tuple[str, str], set[str]] = {}
    for aim, target in facts.targets.items():
        if facts.outcomes(aim) and not isinstance(target.rule, RecordBy):
            with suppress(LedgerError):  # an absent list is named by `verify`; it must not stop everybody's scores
                known[aim] = {same_name(name, same) for name in training_data.read_known(registry / KNOWN, target.known)}
    found: dict[str, frozenset[str]] = {}
    for batch in batches:
        aims = aims_of(batch)
        trained: set[str] = set()
        if any(facts.outcomes(aim) for aim in aims):
            for item in batch.header.data:
                path = training_snapshots.find(registry / SNAPSHOTS, item.sha256)
                if path is not None:
                    trained |= {same_name(model_of(name), same) for name in training_data.read(path, item.bytes).subjects}
        held = {
            name
            for aim in aims
            for name in facts.outcomes(aim)
            if name and (same_name(model_of(name), same) in trained | known.get(aim, set()) or name in twice.get(aim, {}))
        }
        if held:
            found[batch.sha256] = frozenset(held)
    return found
