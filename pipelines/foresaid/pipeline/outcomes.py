"""What the record says of the open targets, as entries that the ledger lacks; and where the two differ.

`foresaid outcomes` appends what `proposed` returns as one batch. Stages never write outcomes: the ledger is an input of `score`, so
`score` only counts how many are waiting. An entry, once there, is the outcome for ever; a later value of the record is proposed as
another entry, which is shown beside the first.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Context, Decimal
from hashlib import sha256
from pathlib import Path

import polars as pl

from foresaid import canonical_json
from foresaid.confusables import resolve as same_name
from foresaid.errors import LedgerError
from foresaid.evaluation.resolution import Facts, Outcome, Published, Release, Resolved, resolve
from foresaid.ledger import training_snapshots
from foresaid.ledger.entries.batch import Batch
from foresaid.ledger.entries.fields import aim_of
from foresaid.ledger.entries.resolutions import Covariate, Resolution
from foresaid.ledger.entries.schema import Amendment, Forecast, Sealed, Target
from foresaid.ledger.entries.targets import Bound, Named, NextRelease, known_digest
from foresaid.ledger.state.index import gather
from foresaid.ledger.verify import training_data
from foresaid.registry import database
from foresaid.registry.same_model import names

KNOWN = "known"
SNAPSHOTS = "snapshots"  # of training rows, in the registry


@dataclass(frozen=True)
class Difference:
    """The ledger's outcome of a subject, and what the record says now (None: nothing binds it there)."""

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
    path = registry / KNOWN / f"{digest}.txt"
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(f"{name}\n" for name in sorted(set(models))), encoding="utf-8")
    return digest


def read_known(registry: Path, target: Target) -> list[str]:
    """The list of known models that a target froze."""
    path = registry / KNOWN / f"{target.known}.txt"
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise LedgerError(
            f"{path}: cannot be read: {error.strerror}; target {target.round}/{target.id} needs the list of the models known "
            "at its freeze"
        ) from None


def facts_of(target: Target, history: pl.DataFrame, models: pl.DataFrame, same: Mapping[str, str], today: date) -> Facts:
    """What the record knows that a target may need, by `today`."""
    wanted = [target.benchmark, *(target.rule.covariates if isinstance(target.rule, Bound) else [])]
    about = history.filter(pl.col("quantity_id").is_in(wanted) & pl.col("counts")) if isinstance(target.rule, Bound) else history
    subjects = about.filter(pl.col("released_on").is_not_null()).unique(["subject_id"], keep="first", maintain_order=True)
    cards = {row["model_id"]: row for row in models.iter_rows(named=True)}
    series = target.rule.series if isinstance(target.rule, Bound) and isinstance(target.rule.series, str) else ""
    releases = []
    for name, kind, run, family, on in subjects.select("subject_id", "kind", "run", "family", "released_on").iter_rows():
        card = cards.get(name, {})
        releases.append(
            Release(
                name, card.get("organisation") or "", card.get("line") or "", card.get("tier") or "", on,
                launch=card.get("release") or "", series=series if series in (family, run) else "",
                binds="model" if kind == "model" else "run",
            )
        )  # fmt: skip
    published = [
        Published(subject, quantity, source, _decimal(value), on, target.protocol, setting, default=not setting)
        for subject, quantity, setting, source, on, value in about.filter(pl.col("counts"))
        .select("subject_id", "quantity_id", "setting", "source_id", "known_on", "value")
        .iter_rows()
    ]
    return Facts(today, tuple(releases), tuple(published), (), _ids(same, {item.model for item in published}))


def _decimal(value: float) -> Decimal:
    """A value to fifteen digits, at most eighteen places after the point, without zeros at the end."""
    digits = Context(prec=15).create_decimal(repr(value))
    places = digits.as_tuple().exponent
    short = round(digits, 18) if isinstance(places, int) and places < -18 else digits
    return Decimal(format(short.normalize(), "f"))


def _ids(same: Mapping[str, str], subjects: Collection[str]) -> dict[str, str]:
    return {name: kept for name in subjects if (kept := same.get(name, name)) != name}


def outcomes(
    batches: Sequence[Batch], registry: Path, build: Path, today: date
) -> dict[tuple[str, str], list[tuple[Outcome, str]]]:
    """For each target of the ledger the outcomes the record gives by `today`, with the family of each subject."""
    facts = gather(batches)
    if not facts.targets:
        return {}
    connection = database.open_database(build / "database")
    history, models = database.history(connection), database.models(connection)
    connection.close()
    same = names(registry)
    family = dict(history.select("subject_id", "family").unique(["subject_id"], keep="first", maintain_order=True).iter_rows())
    found = {}
    for aim, target in facts.targets.items():
        made = resolve(target, facts_of(target, history, models, same, today), read_known(registry, target))
        if isinstance(made, Resolved) and aim not in facts.voids:
            found[aim] = [(one, family.get(one.subject) or "") for one in made.outcomes]
    return found


def proposed(batches: Sequence[Batch], registry: Path, build: Path, today: date) -> tuple[list[Resolution], list[Difference]]:
    """The entries that the ledger lacks, and what it says otherwise than the record."""
    facts = gather(batches)
    lines: list[Resolution] = []
    differences: list[Difference] = []
    given = outcomes(batches, registry, build, today)
    for aim, target in facts.targets.items():
        entered = facts.outcomes(aim)
        recorded = {_subject(target, one): (one, family) for one, family in given.get(aim, [])}
        for subject, (one, family) in sorted(recorded.items()):
            values = [Decimal(entry.value or "0") for entry in entered.get(subject, [])]
            if values and values[0] != one.value:
                differences.append(Difference(*aim, subject, str(values[0]), str(one.value)))
            wanted = [one.value, *one.later] if values else [one.value]
            lines += [_entry(target, one, value, subject, family) for value in wanted if value not in values]
        for subject, given_entries in sorted(entered.items()):
            if subject not in recorded:
                differences.append(Difference(*aim, subject, str(given_entries[0].value), None))
    return lines, differences


def _subject(target: Target, one: Outcome) -> str:
    return one.subject if isinstance(target.rule, NextRelease | Bound) else (target.model or "")


def _entry(target: Target, one: Outcome, value: Decimal, subject: str, family: str) -> Resolution:
    more = {"subject": subject} if not isinstance(target.rule, Named) and subject else {}
    if family:
        more["family"] = family
    if one.settings:
        more["system"] = one.settings
    rows = canonical_json.dump_line(
        {
            "benchmark": target.benchmark, "covariates": [[name, str(x)] for name, x in one.covariates],
            "known_on": str(one.known_on),
            "resolver": target.resolver, "subject": one.subject, "value": str(value),
        }
    )  # fmt: skip
    return Resolution(
        round=target.round, target=target.id, value=format(value, "f"), known_at=one.known_on.isoformat(),
        released_on=one.released_on.isoformat() if one.released_on else None, snapshot=sha256(rows).hexdigest(),
        source=target.resolver, covariates=[Covariate(benchmark=name, value=format(x, "f")) for name, x in one.covariates], **more,
    )  # fmt: skip


def leaks(batches: Sequence[Batch], registry: Path, snapshots: Path) -> dict[str, frozenset[str]]:
    """For each batch the outcome subjects that its own training data hold, under any alias or merged id."""
    facts, same = gather(batches), names(registry)
    found: dict[str, frozenset[str]] = {}
    for batch in batches:
        aims = {aim_of(one.id) for one in batch.entries if isinstance(one, Forecast | Sealed)}
        aims |= {aim_of(one.amends) for one in batch.entries if isinstance(one, Amendment)}
        subjects = {name: same_name(name, same) for aim in aims for name in facts.outcomes(aim) if name}
        trained: set[str] = set()
        for item in batch.header.data:
            path = training_snapshots.find(snapshots, item.sha256)
            if subjects and path is not None:
                trained |= {same_name(name, same) for name in training_data.read(path, item.bytes).subjects}
        held = frozenset(name for name, one in subjects.items() if one in trained)
        if held:
            found[batch.sha256] = held
    return found
