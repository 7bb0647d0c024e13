"""A hub's files as forecasts of the ledger: which target each answers, and whether it may still be answered.

The hub's own checks come first (`checks.py`), then the ledger's: the target is one of an open round, the levels, bounds and record
are those of the target, the score was not known and the deadline not past, and nothing is frozen twice. What passes are forecast/v1
lines by author, which the store checks once more with all others. Of an author's models the designated one is the primary.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import polars as pl

from foresaid import params
from foresaid.canonical_json import DECIMAL
from foresaid.errors import ParameterError, UnreadableError
from foresaid.ledger.entries import target_rules
from foresaid.ledger.entries.schema import ForecastEntry, Quantiles, RoundEntry
from foresaid.ledger.hubverse.checks import of_name, of_table
from foresaid.ledger.hubverse.configuration import ADMIN, CONFIG, METADATA, METADATA_SCHEMA, TASKS, Admin, Tasks, load
from foresaid.ledger.hubverse.files import listed, read_table
from foresaid.ledger.hubverse.names import author_and_method, parse_file_name, round_day
from foresaid.ledger.hubverse.report import CheckResult, SubmissionReport, bad, is_over, passed
from foresaid.ledger.hubverse.table_checks import Submission
from foresaid.ledger.hubverse.tasks import SUBJECT, TARGET, TARGET_DATE
from foresaid.ledger.state.index import Facts, in_time

Aim: TypeAlias = tuple[str, str]
LEDGER_NAMES = (
    "ledger_author", "ledger_round", "ledger_columns", "ledger_output_type", "ledger_target", "ledger_one_distribution",
    "ledger_number", "ledger_rules", "ledger_open", "ledger_frozen_once",
)  # fmt: skip


@dataclass
class Read:
    """What the files of a hub give: a report, and the new forecasts of each author."""

    report: SubmissionReport
    by_author: dict[str, list[ForecastEntry]] = field(default_factory=dict)


def read_hub(hub: Path, facts: Facts, now: datetime, only: Collection[str] = (), answered: Mapping[Aim, str] | None = None) -> Read:
    """Check every file of a hub (or those of the models `only`) and make its forecasts; nothing is written.

    `answered` are targets whose outcome is in the record, with the moment since which it has been known.
    Raises UnreadableError where the folder is no hub.
    """
    tasks, admin = load(hub / CONFIG / TASKS, Tasks), load(hub / CONFIG / ADMIN, Admin)
    checks = [passed("valid_config", f"{CONFIG}/{TASKS}"), passed("valid_config", f"{CONFIG}/{ADMIN}")]
    files = {name: path for name, path in listed(hub, admin.model_output_dir).items() if not only or name.split("/")[0] in only}
    if not files:
        models = f"the models {', '.join(only)}" if only else "any model"
        raise UnreadableError(
            f"{hub / admin.model_output_dir}: found no file of {models}, expected MODEL/ROUND-MODEL.csv or .parquet"
        )
    made: list[tuple[str, str, ForecastEntry]] = []
    old = 0
    for name, path in files.items():
        found = of_name(name, admin)
        if not is_over(found):
            try:
                given = Submission(name, read_table(path), _metadata(hub, name.split("/")[0]), _schema(hub))
                found.append(passed("file_read", name))
                found += of_table(given, tasks, admin, now)
            except UnreadableError as error:
                found.append(bad("file_read", name, str(error), error=True))
        if not any(one.is_bad for one in found):
            more, lines, known = _of_ledger(given, facts, now, answered or {})
            found += more
            made += [(author, name, line) for author, line in lines]
            old += known
        checks += found
    lines = _primaries(made, facts, hub)
    valid = not any(one.is_bad for one in checks)
    by_author: dict[str, list[ForecastEntry]] = {}
    for author, line in lines if valid else ():
        by_author.setdefault(author, []).append(line)
    ids = [f"{author}: {line.id}" for author, mine in by_author.items() for line in mine]
    report = SubmissionReport(hub=hub.name, valid=valid, checks=checks, forecasts=ids, already_frozen=old)
    return Read(report, by_author)


def _metadata(hub: Path, model: str) -> dict[str, Any] | None:
    for ending in ("yml", "yaml"):
        path = hub / METADATA / f"{model}.{ending}"
        if path.is_file():
            try:
                found = params.read_yaml(path.read_text(encoding="utf-8"), path.name)
            except (ParameterError, UnicodeDecodeError):
                return {}  # as metadata that names no team: the check says so
            return found if isinstance(found, dict) else {}
    return None


def _schema(hub: Path) -> dict[str, Any] | None:
    path = hub / CONFIG / METADATA_SCHEMA
    return load(path, dict[str, Any]) if path.is_file() else None


def _of_ledger(
    given: Submission, facts: Facts, now: datetime, answered: Mapping[Aim, str]
) -> tuple[list[CheckResult], list[tuple[str, ForecastEntry]], int]:
    """The ledger's checks of a file, the forecasts it makes with their author, and how many of them are frozen already."""
    file, name = given.file, parse_file_name(given.file.rpartition("/")[2])
    who = author_and_method(name.model_id) if name else None
    if name is None or who is None:
        return [bad("ledger_author", file, "found a model id that makes no author and method of the ledger", error=True)], [], 0
    opened = next((one for one in facts.rounds.values() if round_day(one).isoformat() == name.round_id), None)
    if opened is None:
        known = ", ".join(f"{round_day(one)} ({one.id})" for one in facts.rounds.values()) or "none: the ledger has no round"
        return (
            [bad("ledger_round", file, f"found {name.round_id}, expected the deadline day of a round: {known}", error=True)],
            [],
            0,
        )
    missing = [column for column in (TARGET, SUBJECT, TARGET_DATE) if column not in given.frame.columns]
    if missing:
        return (
            [bad("ledger_columns", file, f"found no {', '.join(missing)}, expected the task IDs of `export hubverse`", error=True)],
            [],
            0,
        )
    frame, checks = given.frame, [passed(one, file) for one in ("ledger_author", "ledger_round", "ledger_columns")]
    other = frame.filter(pl.col("output_type") != "quantile")
    if other.height:
        kinds = ", ".join(other["output_type"].unique().sort().to_list())
        checks.append(
            bad("ledger_output_type", file, f"found {kinds}, expected quantiles: the ledger scores nothing else", other.to_dicts())
        )
    lines: list[tuple[str, ForecastEntry]] = []
    faults: dict[str, list[dict[str, Any]]] = {}
    old = 0
    for (subject,), part in frame.filter(pl.col("output_type") == "quantile").group_by([SUBJECT], maintain_order=True):
        found = _forecast(str(subject), part, opened, who, facts, now, answered)
        if isinstance(found, ForecastEntry):
            lines.append((who[0], found))
        elif found is None:
            old += 1
        else:
            faults.setdefault(found[0], []).append({"row": int(part["row"][0]), SUBJECT: subject, "fault": found[1]})
    for check in LEDGER_NAMES[4:]:  # those of one target each
        if check in faults:
            checks.append(bad(check, file, f"{len(faults[check])} targets, the first: {faults[check][0]['fault']}", faults[check]))
        else:
            checks.append(passed(check, file))
    return checks, lines, old


Fault: TypeAlias = tuple[str, str]  # the check, and what it found and expected


def _forecast(
    subject: str,
    part: pl.DataFrame,
    opened: RoundEntry,
    who: tuple[str, str],
    facts: Facts,
    now: datetime,
    answered: Mapping[Aim, str],
) -> ForecastEntry | Fault | None:
    """The forecast of one target; a fault; or None where the same is frozen already."""
    author, method = who
    aim = (opened.id, subject)
    target = facts.targets.get(aim)
    if target is None or set(part[TARGET]) != {target.benchmark}:
        return "ledger_target", f"found {subject} about {part[TARGET][0]}, expected a target of round {opened.id} and its benchmark"
    made: list[Quantiles] = []
    for _, day in part.group_by([TARGET_DATE], maintain_order=True):
        rows = sorted(zip(day["output_type_id"], day["value"], strict=True), key=lambda row: Decimal(row[0]))
        numbers = [(_number(level), _number(value)) for level, value in rows]
        if any(not DECIMAL.fullmatch(text) for pair in numbers for text in pair):
            return "ledger_number", f"found {rows[0]}, expected at most 18 digits before the point"
        made.append(Quantiles(levels=[level for level, _ in numbers], values=[value for _, value in numbers]))
    if any(one != made[0] for one in made):
        return (
            "ledger_one_distribution",
            f"found forecasts of {subject} that differ by {TARGET_DATE}, expected the same on each day",
        )
    if wrong := target_rules.against(made[0], target):
        what, found, expected = wrong[0]
        return "ledger_rules", f"{what}: found {found}, expected {expected}"
    end = facts.end(aim)
    if not in_time(now, end):
        return (
            "ledger_open",
            f"found {now:%Y-%m-%dT%H:%M:%SZ}, expected {end:%Y-%m-%dT%H:%M:%SZ} or earlier: then the target closed"
            if end
            else "no end",
        )
    if aim in answered:
        return "ledger_open", f"found an outcome of {subject} in the record, known since {answered[aim]}, expected none"
    if aim in facts.voids:
        return "ledger_open", f"found that {subject} is void, expected a target that stands"
    entry = ForecastEntry(id=f"{opened.id}/{subject}/{method}", target=subject, method=method, primary=False, prediction=made[0])
    before = facts.forecasts.get((author, entry.id))
    if before is not None:
        if isinstance(before[1], ForecastEntry) and before[1].prediction == entry.prediction:
            return None
        return "ledger_frozen_once", f"found another forecast {entry.id} by {author}; `foresaid ledger amend` gives a new version"
    return entry


def _number(text: str) -> str:
    """A number of a file as the ledger spells it: 18 digits after the point at most, no exponent, no zeros behind.

    >>> _number("1e-05"), _number("0.50"), _number("12")
    ('0.00001', '0.5', '12')
    """
    with localcontext(prec=60):
        plain = format(round(Decimal(text), 18), "f")
    plain = plain.rstrip("0").rstrip(".") if "." in plain else plain
    return "0" if plain in ("-0", "") else plain


def _primaries(made: Sequence[tuple[str, str, ForecastEntry]], facts: Facts, hub: Path) -> list[tuple[str, ForecastEntry]]:
    """The forecasts with one primary an author and target: that of a designated model, else of the first by name."""
    taken = {
        (author, name.split("/", 1)[0], entry.target)
        for (author, name), (_, entry) in facts.forecasts.items()
        if getattr(entry, "primary", True)  # what a seal hides may be primary
    }
    designated = {file: (_metadata(hub, file.split("/")[0]) or {}).get("designated_model") is True for _, file, _ in made}
    first: dict[tuple[str, ...], str] = {}
    for author, _, entry in sorted(made, key=lambda one: (not designated[one[1]], one[1])):
        first.setdefault(_question(author, entry), entry.id)
    return [
        (author, msgspec.structs.replace(entry, primary=first[key] == entry.id and key not in taken))
        for author, _, entry in made
        if (key := _question(author, entry))
    ]


def _question(author: str, entry: ForecastEntry) -> tuple[str, ...]:
    return author, entry.id.split("/", 1)[0], entry.target
