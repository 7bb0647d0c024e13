"""The checks of the rows of a file of forecasts: each asks one thing of the table, and names the rows at fault.

They stand in the order in which they are made; behind an error the next would have no meaning. A level is compared as a number,
since one team writes 0.5 and another 0.50; every other cell as the text it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl

from foresaid.ledger.hubverse.configuration import NO_LEVEL, VALUES, Admin, Allowed, ModelTask, OutputRule, Round, Tasks
from foresaid.ledger.hubverse.names import FileName
from foresaid.ledger.hubverse.report import CheckResult, bad, passed


@dataclass(frozen=True)
class Submission:
    """One file of forecasts: its path below the folder of forecasts, its table, the metadata of its model (None: no file)."""

    file: str
    frame: pl.DataFrame
    metadata: dict[str, Any] | None
    metadata_schema: dict[str, Any] | None = None  # what the hub asks of it


@dataclass(frozen=True)
class Context:
    """A submission and the round it belongs to, once its name has been understood."""

    given: Submission
    name: FileName
    tasks: Tasks
    admin: Admin
    round: Round
    now: datetime

    @property
    def ids(self) -> tuple[str, ...]:
        """The task IDs of the round."""
        return tuple(dict.fromkeys(name for task in self.round.model_tasks for name in task.task_ids))

    @property
    def keys(self) -> list[str]:
        """The columns that make a row one."""
        return [*self.ids, "output_type", "output_type_id"]


def _columns(context: Context) -> CheckResult:
    expected = {*context.ids, *VALUES}
    found = set(context.given.frame.columns) - {"row"}
    if found != expected:
        lacks, more = sorted(expected - found), sorted(found - expected)
        what = "; ".join([*([f"lacks {', '.join(lacks)}"] if lacks else []), *([f"has {', '.join(more)} as well"] if more else [])])
        return bad(
            "colnames", context.given.file, f"found a table that {what}, expected {', '.join([*context.ids, *VALUES])}", error=True
        )
    return passed("colnames", context.given.file)


def _same_round(context: Context) -> CheckResult:
    column = context.round.round_id
    if not context.round.round_id_from_variable:
        return passed("match_round_id", context.given.file, "the round is not a column")
    other = context.given.frame.filter(pl.col(column) != context.name.round_id)
    if other.height or not context.given.frame.height:
        said = ", ".join(other[column].unique().sort().to_list()[:3]) or "in no row"
        what = f"found {column} {said}, expected {context.name.round_id}"
        return bad("match_round_id", context.given.file, what, other.to_dicts(), error=True)
    return passed("match_round_id", context.given.file)


def _within(frame: pl.DataFrame, task: ModelTask, ids: Sequence[str]) -> pl.Expr:
    """The rows that are of a model task, by their task IDs."""
    tests = [pl.col(name).is_in(list(task.task_ids.get(name, Allowed()).spelled() or NO_LEVEL)) for name in ids]
    return pl.all_horizontal(tests)


def _levels(rule: OutputRule) -> tuple[str, ...]:
    return rule.output_type_id.spelled() if isinstance(rule.output_type_id, Allowed) else ()


def _stated(kind: str, rule: OutputRule) -> pl.Expr:
    """The rows of an output type whose level or category is one that may be stated; levels are compared as numbers."""
    if kind in ("mean", "median"):
        return pl.col("output_type_id").is_in(list(NO_LEVEL))
    if kind == "sample":
        return pl.col("output_type_id") != ""
    allowed = _levels(rule)
    if kind == "quantile":
        return pl.col("output_type_id").cast(pl.Float64, strict=False).is_in([float(one) for one in allowed])
    numbers = pl.col("output_type_id").cast(pl.Float64, strict=False)
    as_number = [float(one) for one in allowed if _is_number(one)]
    return pl.col("output_type_id").is_in(list(allowed)) | numbers.is_in(as_number).fill_null(False)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _allowed(context: Context) -> CheckResult:
    frame = context.given.frame
    good = pl.lit(False)
    for task in context.round.model_tasks:
        for kind, rule in task.output_type.items():
            good = good | (
                _within(frame, task, context.ids) & (pl.col("output_type") == kind) & _stated(kind, rule).fill_null(False)
            )
    wrong = frame.filter(~good)
    if wrong.height:
        what = f"{wrong.height} of {frame.height} rows state task IDs, an output type or a level that tasks.json does not ask"
        return bad("valid_vals", context.given.file, what, wrong.to_dicts(), error=True)
    return passed("valid_vals", context.given.file)


def _unique(context: Context) -> CheckResult:
    frame = context.given.frame.with_columns(_as_level(pl.col("output_type_id")))
    twice = context.given.frame.filter(frame.select(pl.struct(context.keys).is_duplicated()).to_series())
    if twice.height:
        return bad(
            "rows_unique", context.given.file, f"{twice.height} rows answer a question that another row answers", twice.to_dicts()
        )
    return passed("rows_unique", context.given.file)


def _as_level(column: pl.Expr) -> pl.Expr:
    return pl.coalesce(column.cast(pl.Float64, strict=False).cast(pl.String), column)


def _complete(context: Context) -> CheckResult:
    """Every task that is answered has all levels its output type requires, and every task that is required is answered."""
    missing: list[dict[str, object]] = []
    frame = context.given.frame
    for task in context.round.model_tasks:
        mine = frame.filter(_within(frame, task, context.ids))
        for kind, rule in task.output_type.items():
            part = mine.filter(pl.col("output_type") == kind)
            required = list(map(str, _required(rule))) if kind not in ("mean", "median", "sample") else []
            have = part.group_by(context.ids, maintain_order=True).agg(_as_level(pl.col("output_type_id")))
            for row in have.iter_rows():
                stated = set(row[-1])
                lacks = [level for level in required if _norm(level) not in stated]
                about = dict(zip(context.ids, row[:-1], strict=True))
                missing += [{**about, "output_type": kind, "output_type_id": level} for level in lacks]
            if rule.is_required is True and part.height < mine.height and mine.height:
                answered = set(part.select(context.ids).rows())
                asked = set(mine.select(context.ids).rows())
                missing += [{**dict(zip(context.ids, row, strict=True)), "output_type": kind} for row in sorted(asked - answered)]
        if all(task.task_ids.get(name, Allowed()).required for name in context.ids):
            answered = set(mine.select(context.ids).rows())
            lost = [row for row in task.combinations(context.ids, required=True) if row not in answered]
            missing += [dict(zip(context.ids, row, strict=True)) for row in lost]
    if missing:
        return bad("req_vals", context.given.file, f"{len(missing)} required rows are missing", missing)
    return passed("req_vals", context.given.file)


def _required(rule: OutputRule) -> list[object]:
    return list(rule.output_type_id.required or ()) if isinstance(rule.output_type_id, Allowed) else []


def _norm(level: str) -> str:
    return str(float(level)) if _is_number(level) else level


def _values(context: Context) -> CheckResult:
    frame = context.given.frame.with_columns(number=pl.col("value").cast(pl.Float64, strict=False))
    wrong = pl.lit(False)
    bounds = []
    for task in context.round.model_tasks:
        for kind, rule in task.output_type.items():
            mine = _within(frame, task, context.ids) & (pl.col("output_type") == kind)
            if rule.value.type == "character":
                continue
            fault = pl.col("number").is_null() | ~pl.col("number").is_finite()
            if rule.value.type == "integer":
                fault = fault | (pl.col("number") != pl.col("number").round())
            if rule.value.minimum is not None:
                fault = fault | (pl.col("number") < rule.value.minimum)
            if rule.value.maximum is not None:
                fault = fault | (pl.col("number") > rule.value.maximum)
            wrong = wrong | (mine & fault.fill_null(True))
            bounds.append(f"{rule.value.type}, {rule.value.minimum} to {rule.value.maximum}")
    found = frame.filter(wrong).drop("number")
    if found.height:
        what = f"{found.height} values are no number inside the bounds of tasks.json ({'; '.join(dict.fromkeys(bounds))})"
        return bad("value_col_valid", context.given.file, what, found.to_dicts(), error=True)
    return passed("value_col_valid", context.given.file)


def _ascending(context: Context) -> CheckResult:
    frame = context.given.frame.filter(pl.col("output_type").is_in(["quantile", "cdf"]))
    numbers = frame.with_columns(
        level=pl.col("output_type_id").cast(pl.Float64, strict=False), number=pl.col("value").cast(pl.Float64, strict=False)
    ).sort([*context.ids, "output_type", "level"], maintain_order=True)
    falls = numbers.filter(pl.col("number") < pl.col("number").shift(1).over([*context.ids, "output_type"]))
    if falls.height:
        what = f"{falls.height} values are below the value of the level before"
        return bad("value_col_non_desc", context.given.file, what, falls.drop("level", "number").to_dicts())
    return passed("value_col_non_desc", context.given.file)


def _sums(context: Context) -> CheckResult:
    frame = context.given.frame.filter(pl.col("output_type") == "pmf")
    total = frame.group_by(context.ids, maintain_order=True).agg(pl.col("value").cast(pl.Float64, strict=False).sum())
    wrong = total.filter((pl.col("value") - 1).abs() > 1e-6)
    if wrong.height:
        return bad(
            "value_col_sum1", context.given.file, f"the probabilities of {wrong.height} tasks do not add up to 1", wrong.to_dicts()
        )
    return passed("value_col_sum1", context.given.file)


def _in_window(context: Context) -> CheckResult:
    due = context.round.submissions_due
    try:
        zone = ZoneInfo(context.admin.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        return bad(
            "submission_time", context.given.file, f"found the time zone {context.admin.timezone}, expected one of the IANA list"
        )
    try:
        if isinstance(due.start, int) or isinstance(due.end, int):
            column = due.relative_to if isinstance(due.relative_to, str) else context.round.round_id
            anchor = date.fromisoformat(str(context.given.frame[column].max()))
            start, end = anchor + timedelta(days=int(due.start)), anchor + timedelta(days=int(due.end))
        else:
            start, end = date.fromisoformat(due.start), date.fromisoformat(due.end)
    except (ValueError, TypeError, OverflowError, pl.exceptions.PolarsError):
        return bad(
            "submission_time", context.given.file, f"found submissions_due {due.start} to {due.end}, expected days of the calendar"
        )
    today = context.now.astimezone(zone).date()
    if not start <= today <= end:
        return bad("submission_time", context.given.file, f"found {today} ({context.admin.timezone}), expected {start} to {end}")
    return passed("submission_time", context.given.file)


TABLE_CHECKS: tuple[Callable[[Context], CheckResult], ...] = (
    _columns, _same_round, _allowed, _unique, _complete, _values, _ascending, _sums, _in_window,
)  # fmt: skip
