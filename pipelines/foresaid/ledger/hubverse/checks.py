"""The checks of a file of forecasts against the configuration of its own hub, under the names hubValidations gives them.

Pure functions of the file's name, its table (every cell text), the configuration and the clock. Not among them: the checks of
sample forecasts (`spl_*`), of target data, and those that compare with an earlier commit; samples cannot enter the ledger, and its
log keeps every version. What is asked of the rows stands in `table_checks.py`.
"""

from __future__ import annotations

import json
from datetime import datetime

from foresaid.ledger.hubverse.configuration import Admin, Allowed, Round, Tasks
from foresaid.ledger.hubverse.names import FileName, parse_file_name
from foresaid.ledger.hubverse.report import CheckResult, bad, is_over, passed
from foresaid.ledger.hubverse.table_checks import TABLE_CHECKS, Context, Submission


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
    context = Context(given, name, tasks, admin, here, now)
    for check in TABLE_CHECKS:
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


NAMES = (
    "valid_config", "file_name", "file_location", "file_format", "file_read", "metadata_exists", "metadata_matches_schema",
    "round_id_valid", "colnames", "match_round_id", "valid_vals", "rows_unique", "req_vals", "value_col_valid",
    "value_col_non_desc", "value_col_sum1", "submission_time",
)  # fmt: skip
