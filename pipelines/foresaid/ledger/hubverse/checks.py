"""The checks of a file of forecasts against the configuration of its own hub, under the names hubValidations gives them.

Pure functions of the file's name, its table (every cell text), the configuration and the clock. Not among them: the checks of
sample forecasts (`spl_*`), of target data, and those that compare with an earlier commit; samples cannot enter the ledger, and its
log keeps every version.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl

from foresaid.ledger.hubverse.configuration import NO_LEVEL, VALUES, Admin, Allowed, ModelTask, OutputRule, Round, Tasks
from foresaid.ledger.hubverse.names import FileName, parse_file_name
from foresaid.ledger.hubverse.report import CheckResult, bad, is_over, passed


@dataclass(frozen=True)
class Submission:
    """One file of forecasts: its path below the folder of forecasts, its table, the metadata of its model (None: no file)."""

    file: str
    frame: pl.DataFrame
    metadata: dict[str, Any] | None
    metadata_schema: dict[str, Any] | None = None  # what the hub asks of it


@dataclass(frozen=True)
class _Context:
    """A submission and the round it belongs to, once its name has been understood."""

    given: Submission
    name: FileName
    tasks: Tasks
    admin: Admin
    round: Round
    now: datetime

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for task in self.round.model_tasks for name in task.task_ids))

    @property
    def keys(self) -> list[str]:
        return [*self.ids, "output_type", "output_type_id"]


def of_name(file: str, admin: Admin) -> list[CheckResult]:
    """The checks that need no table: whether it says round and model, the folder is the model's, the format is taken."""
    folder, _, last = file.rpartition("/")
    name = parse_file_name(last)
    if name is None:
        return [bad("file_name", file, f"found {last}, expected ROUND-TEAM-MODEL.{'|'.join(admin.file_format)}", error=True)]
    found = [passed("file_name", file)]
    if folder != name.model_id:
        found.append(bad("file_location", file, f"found the folder {folder or '.'}, expected {name.model_id}", error=True))
    else:
        found.append(passed("file_location", file))
    if name.ending not in admin.file_format:
        found.append(bad("file_format", file, f"found {name.ending}, expected {' or '.join(admin.file_format)}", error=True))
    else:
        found.append(passed("file_format", file))
    return found


def of_table(given: Submission, tasks: Tasks, admin: Admin, now: datetime) -> list[CheckResult]:
    """Every other check of a hub, in order, up to the first error. `of_name` must have passed."""
    name = parse_file_name(given.file.rpartition("/")[2])
    assert name is not None, "of_name comes first"
    found = [_metadata(given, name), _metadata_schema(given)]
    here = next((one for one in tasks.rounds if name.round_id in _round_ids(one)), None)
    if here is None:
        known = [day for one in tasks.rounds for day in _round_ids(one)]
        what = f"found round {name.round_id}, expected one of {', '.join(known[:5])}{' ...' if len(known) > 5 else ''}"
        return [*found, bad("round_id_valid", given.file, what, error=True)]
    found.append(passed("round_id_valid", given.file))
    context = _Context(given, name, tasks, admin, here, now)
    for check in CHECKS:
        found.append(check(context))
        if is_over(found):
            break
    return found


def _round_ids(one: Round) -> tuple[str, ...]:
    if not one.round_id_from_variable:
        return (one.round_id,)
    days = [day for task in one.model_tasks for day in task.task_ids.get(one.round_id, Allowed()).spelled()]
    return tuple(dict.fromkeys(days))


def _metadata(given: Submission, name: FileName) -> CheckResult:
    if given.metadata is None:
        return bad("metadata_exists", given.file, f"found no model-metadata/{name.model_id}.yml, expected what the model is")
    said = f"{given.metadata.get('team_abbr')}-{given.metadata.get('model_abbr')}"
    if said != name.model_id:
        return bad("metadata_exists", given.file, f"found team_abbr and model_abbr {said}, expected {name.model_id}")
    return passed("metadata_exists", given.file)


def _metadata_schema(given: Submission) -> CheckResult:
    check = "metadata_matches_schema"
    if given.metadata is None or given.metadata_schema is None:
        return CheckResult(check=check, file=given.file, status="skipped", message="no metadata, or the hub has no schema of it")
    try:
        import jsonschema
    except ImportError:
        return CheckResult(check=check, file=given.file, status="skipped", message="needs jsonschema; pip install 'foresaid[hub]'")
    try:
        plain = json.loads(json.dumps(given.metadata, default=str))  # YAML has dates, JSON has none
        problems = sorted(
            jsonschema.Draft202012Validator(given.metadata_schema).iter_errors(plain), key=lambda one: list(map(str, one.path))
        )
    except (jsonschema.SchemaError, jsonschema.exceptions._WrappedReferencingError, ValueError, TypeError, RecursionError) as error:
        return bad(check, given.file, f"found a schema that cannot be applied: {str(error).splitlines()[0][:120]}")
    if problems:
        rows = [{"row": "/".join(map(str, one.path)) or ".", "found": one.message[:200]} for one in problems]
        return bad(check, given.file, f"found {len(problems)} faults: {rows[0]['row']}: {rows[0]['found']}", rows)
    return passed(check, given.file)


def _columns(context: _Context) -> CheckResult:
    expected = {*context.ids, *VALUES}
    found = set(context.given.frame.columns) - {"row"}
    if found != expected:
        lacks, more = sorted(expected - found), sorted(found - expected)
        what = "; ".join([*([f"lacks {', '.join(lacks)}"] if lacks else []), *([f"has {', '.join(more)} as well"] if more else [])])
        return bad(
            "colnames", context.given.file, f"found a table that {what}, expected {', '.join([*context.ids, *VALUES])}", error=True
        )
    return passed("colnames", context.given.file)


def _same_round(context: _Context) -> CheckResult:
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


def _allowed(context: _Context) -> CheckResult:
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


def _unique(context: _Context) -> CheckResult:
    frame = context.given.frame.with_columns(_as_level(pl.col("output_type_id")))
    twice = context.given.frame.filter(frame.select(pl.struct(context.keys).is_duplicated()).to_series())
    if twice.height:
        return bad(
            "rows_unique", context.given.file, f"{twice.height} rows answer a question that another row answers", twice.to_dicts()
        )
    return passed("rows_unique", context.given.file)


def _as_level(column: pl.Expr) -> pl.Expr:
    return pl.coalesce(column.cast(pl.Float64, strict=False).cast(pl.String), column)


def _complete(context: _Context) -> CheckResult:
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


def _values(context: _Context) -> CheckResult:
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


def _ascending(context: _Context) -> CheckResult:
    frame = context.given.frame.filter(pl.col("output_type").is_in(["quantile", "cdf"]))
    numbers = frame.with_columns(
        level=pl.col("output_type_id").cast(pl.Float64, strict=False), number=pl.col("value").cast(pl.Float64, strict=False)
    ).sort([*context.ids, "output_type", "level"], maintain_order=True)
    falls = numbers.filter(pl.col("number") < pl.col("number").shift(1).over([*context.ids, "output_type"]))
    if falls.height:
        what = f"{falls.height} values are below the value of the level before"
        return bad("value_col_non_desc", context.given.file, what, falls.drop("level", "number").to_dicts())
    return passed("value_col_non_desc", context.given.file)


def _sums(context: _Context) -> CheckResult:
    frame = context.given.frame.filter(pl.col("output_type") == "pmf")
    total = frame.group_by(context.ids, maintain_order=True).agg(pl.col("value").cast(pl.Float64, strict=False).sum())
    wrong = total.filter((pl.col("value") - 1).abs() > 1e-6)
    if wrong.height:
        return bad(
            "value_col_sum1", context.given.file, f"the probabilities of {wrong.height} tasks do not add up to 1", wrong.to_dicts()
        )
    return passed("value_col_sum1", context.given.file)


def _in_window(context: _Context) -> CheckResult:
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


CHECKS: tuple[Callable[[_Context], CheckResult], ...] = (
    _columns, _same_round, _allowed, _unique, _complete, _values, _ascending, _sums, _in_window,
)  # fmt: skip
NAMES = (
    "valid_config", "file_name", "file_location", "file_format", "file_read", "metadata_exists", "metadata_matches_schema",
    "round_id_valid", "colnames", "match_round_id", "valid_vals", "rows_unique", "req_vals", "value_col_valid",
    "value_col_non_desc", "value_col_sum1", "submission_time",
)  # fmt: skip
