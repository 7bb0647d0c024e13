"""A ledger's targets as a hub's tasks: what `tasks.json`, `admin.json` and `target-data.json` say of them.

Four task IDs: `origin_date` names the round (the day of its deadline), `target` is the benchmark, `subject` the target's id in the
ledger, and `target_date` the day a record is asked for or a day of release that the forecast is conditional on. A hub asks every
combination of the values of one model task, so targets share one only where benchmark, bounds, levels and days are the same.
Targets that bind models nobody has named yet (rule `curve`) cannot stand in a hub, which lists every value ahead.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from foresaid.errors import LedgerError
from foresaid.ledger.entries.schema import RoundEntry, TargetEntry
from foresaid.ledger.entries.targets import Bound, RecordBy
from foresaid.ledger.hubverse.configuration import (
    SCHEMA_ADDRESS,
    Admin,
    Allowed,
    Contact,
    Due,
    ModelTask,
    OutputRule,
    Repository,
    Round,
    TargetData,
    TargetKind,
    TargetMetadata,
    Tasks,
    ValueRule,
)
from foresaid.ledger.hubverse.names import last_day, round_day

ROUND, TARGET, SUBJECT, TARGET_DATE = TASK_IDS = ("origin_date", "target", "subject", "target_date")
TIMEZONE = "Africa/Abidjan"  # UTC all year; a hub's list of zones has no UTC


def days_of(target: TargetEntry, joint_days: Iterable[str]) -> list[str]:
    """The target dates of a target: the day of a record; of a release the days its joints state, or the last day it may count."""
    if isinstance(target.rule, RecordBy):
        return [target.rule.by]
    stated = sorted({day for day in joint_days if target.opens < day <= target.closes})
    return stated or [target.closes]


def tasks_of(
    rounds: Sequence[RoundEntry], targets: Mapping[tuple[str, str], TargetEntry], days: Mapping[tuple[str, str], Sequence[str]]
) -> Tasks:
    """tasks.json of these rounds. Raises LedgerError where two have one deadline day, or none of them asks what a hub can."""
    made, by_day = [], dict[date, str]()
    for opened in rounds:
        day = round_day(opened)
        if day in by_day:
            raise LedgerError(
                f"round {opened.id}: found the deadline day {day} of round {by_day[day]}, expected one round a day; choose --round"
            )
        by_day[day] = opened.id
        asked = [one for (name, _), one in targets.items() if name == opened.id and not isinstance(one.rule, Bound)]
        if asked:
            made.append(_round(opened, day, asked, days))
    if not made:
        raise LedgerError("export hubverse: found no target a hub can ask, expected a round about releases or records")
    return Tasks(f"{SCHEMA_ADDRESS}/tasks-schema.json", made)


def _round(opened: RoundEntry, day: date, asked: Sequence[TargetEntry], days: Mapping[tuple[str, str], Sequence[str]]) -> Round:
    groups: dict[tuple[object, ...], list[TargetEntry]] = {}
    for target in asked:
        key = (target.benchmark, target.unit, target.min, target.max, tuple(target.levels), tuple(days[opened.id, target.id]))
        groups.setdefault(key, []).append(target)
    first = min(target.opens for target in asked)
    return Round(
        round_id_from_variable=True,
        round_id=ROUND,
        model_tasks=[_task(day, group, days[opened.id, group[0].id]) for group in groups.values()],
        submissions_due=Due(min(first, last_day(opened).isoformat()), last_day(opened).isoformat()),
        round_name=opened.id,
    )


def _task(day: date, group: Sequence[TargetEntry], days: Sequence[str]) -> ModelTask:
    one = group[0]
    values = {ROUND: [day.isoformat()], TARGET: [one.benchmark], SUBJECT: [target.id for target in group], TARGET_DATE: list(days)}
    levels = OutputRule(
        ValueRule("double", float(one.min), float(one.max)), Allowed([float(level) for level in one.levels]), is_required=True
    )
    about = TargetMetadata(
        target_id=one.benchmark,
        target_name=one.benchmark,
        target_units=one.unit,
        target_keys={TARGET: one.benchmark},
        target_type="continuous",
        is_step_ahead=False,
        description=f"{one.protocol}; {one.direction} is better; resolved by {one.resolver}",
    )
    return ModelTask({name: Allowed(None, list(found)) for name, found in values.items()}, {"quantile": levels}, [about])


def admin_of(origin: str, author: str, contact: Contact, ending: str, repository: Repository) -> Admin:
    """admin.json of a registry."""
    return Admin(
        schema_version=f"{SCHEMA_ADDRESS}/admin-schema.json",
        name=origin,
        maintainer=author,
        contact=contact,
        repository=repository,
        file_format=["csv"] if ending == "csv" else ["parquet"],
        timezone=TIMEZONE,
    )


def target_data_of() -> TargetData:
    """target-data.json: what one observation is, and that every one says since when it has been known."""
    return TargetData(
        schema_version=f"{SCHEMA_ADDRESS}/target-data-schema.json",
        observable_unit=[TARGET, SUBJECT, TARGET_DATE],
        date_col=TARGET_DATE,
        versioned=True,
        oracle_output=TargetKind(has_output_type_ids=False),
    )
