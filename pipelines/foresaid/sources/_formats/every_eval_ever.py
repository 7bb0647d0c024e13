"""Every Eval Ever records (https://github.com/evaleval/every_eval_ever), schema 0.2.x and 0.3.x: one model a file.

What is taken from a record, and what is not:
- A score with the bounds, unit and direction of its own metric_config, so that `scaled` can bring percent and points to the
  scale of the quantity. A score outside its own bounds is refused: boards write -1 for missing.
- The standard error where one is given, or a confidence interval with its level that holds the score. An interval that does
  not hold the score is an offset of unknown level: no error is made of it.
- Sampling settings (temperature, effort, reasoning) as setting, never as another model.
- retrieved_timestamp is the time of scraping, evaluation_timestamp that of a run: neither is a release date or known_on.
"""

from __future__ import annotations

import re
from collections import Counter
from decimal import Decimal
from statistics import NormalDist
from typing import Annotated, Any

import msgspec

from foresaid.errors import BadCell
from foresaid.sources._formats.results import ReportedResult, Results, number, pointer, shown, word

NAME = "eee"
VERSIONS = re.compile(r"0\.[23]\.\d+", re.ASCII)
ARGUMENTS = ("max_attempts", "reasoning", "reasoning_effort", "temperature", "thinking_budget", "top_k", "top_p")
HIGHEST = {"proportion": 1.0, "fraction": 1.0, "percent": 100.0, "percentage": 100.0}
UNKNOWN_LEVEL = "a score of -1 where the metric has an unknown level"

Text = Annotated[str, msgspec.Meta(min_length=1)]


class _Model(msgspec.Struct):
    id: Text


class _Source(msgspec.Struct):
    source_organization_name: str
    source_name: str | None = None


class _Record(msgspec.Struct):
    schema_version: str
    evaluation_id: str
    retrieved_timestamp: str
    source_metadata: _Source
    model_info: _Model
    evaluation_results: list[Any]


class _Metric(msgspec.Struct):
    lower_is_better: bool
    score_type: str | None = None
    metric_name: str | None = None
    metric_unit: str | None = None
    metric_id: str | None = None
    evaluation_description: str | None = None
    has_unknown_level: bool = False
    min_score: int | float | str | None = None
    max_score: int | float | str | None = None


class _Error(msgspec.Struct):
    value: float


class _Interval(msgspec.Struct):
    lower: float | None = None
    upper: float | None = None
    confidence_level: float | None = None


class _Uncertainty(msgspec.Struct):
    standard_error: _Error | None = None
    confidence_interval: _Interval | None = None
    num_samples: int | None = None


class _Details(msgspec.Struct):
    score: float
    uncertainty: _Uncertainty | None = None


class _Entry(msgspec.Struct):
    evaluation_name: Text
    metric_config: _Metric
    score_details: _Details
    source_data: dict[str, Any]
    generation_config: dict[str, Any] | None = None


def detect(tree: Any) -> bool:
    """Whether a JSON document means to be such a record."""
    return isinstance(tree, dict) and "schema_version" in tree and "evaluation_results" in tree


def from_tree(tree: Any, file: str) -> Results:
    """Read one record that is parsed (`results.parse`): all its values, and a problem for each that is refused."""
    record, problem = _convert(tree, _Record, file, "")
    if record is None:
        return Results([], [problem] if problem else [])
    if not VERSIONS.fullmatch(record.schema_version):
        found = shown(record.schema_version)
        return Results([], [BadCell(file, None, "/schema_version", found, "0.2.x or 0.3.x", "teach the reader the new version")])
    items: list[ReportedResult] = []
    problems: list[BadCell] = []
    unknown = 0
    tasks = Counter(part.get("evaluation_name") for part in record.evaluation_results if isinstance(part, dict) and _hashable(part))
    for place, part in enumerate(record.evaluation_results):
        where = pointer("evaluation_results", place)
        entry, problem = _convert(part, _Entry, file, where)
        if entry is None:
            problems += [problem] if problem else []
        elif entry.metric_config.has_unknown_level and entry.score_details.score == -1:
            unknown += 1
        else:
            result = _result(entry, record, file, where, alone=tasks[entry.evaluation_name] == 1)
            (problems if isinstance(result, BadCell) else items).append(result)  # type: ignore[arg-type]
    return Results(items, problems, {UNKNOWN_LEVEL: unknown} if unknown else {})


def _convert(tree: Any, kind: type[Any], file: str, where: str) -> tuple[Any, BadCell | None]:
    try:
        return msgspec.convert(tree, kind), None
    except msgspec.ValidationError as error:
        what, _, path = str(error).partition(" - at `$")
        inner = "".join(f"/{part}" for part in re.findall(r"[\w-]+", path))
        return None, BadCell(file, None, f"{where}{inner}" or "/", "something else", what[:120])


def _hashable(part: dict[str, Any]) -> bool:
    return isinstance(part.get("evaluation_name"), str)


def _result(entry: _Entry, record: _Record, file: str, where: str, alone: bool) -> ReportedResult | BadCell:
    metric, details = entry.metric_config, entry.score_details
    lowest, highest = _bound(metric.min_score), _bound(metric.max_score)
    if metric.score_type == "binary":
        lowest, highest = 0.0, 1.0
    if highest is None and metric.metric_unit in HIGHEST:
        lowest, highest = 0.0, HIGHEST[metric.metric_unit]
    score = number(details.score)
    if score is None:
        return BadCell(file, None, f"{where}/score_details/score", shown(details.score), "a finite number")
    if (lowest is not None and score < lowest) or (highest is not None and score > highest):
        ends = ("-inf" if lowest is None else f"{lowest:g}", "inf" if highest is None else f"{highest:g}")
        expected = f"a score in [{ends[0]}, {ends[1]}]"
        advice = "leave it out if it stands for missing"
        return BadCell(file, None, f"{where}/score_details/score", shown(details.score), expected, advice)
    source = record.source_metadata.source_name or record.source_metadata.source_organization_name
    setting = _setting(entry.generation_config)
    # Several metrics of one task share its name: each is spelt with its own, and the bare name means none of them.
    told = [metric.metric_name, metric.metric_id, None if alone else metric.evaluation_description]
    names = [(f"{source}: {entry.evaluation_name} ({one})", setting) for one in dict.fromkeys(told) if one]
    if alone or not names:
        names.append((f"{source}: {entry.evaluation_name}", setting))
    stderr = _stderr(details, score)
    if stderr is not None and number(stderr) is None:
        return BadCell(file, None, f"{where}/score_details/uncertainty", shown(stderr), "a finite standard error")
    count = details.uncertainty.num_samples if details.uncertainty else None
    if count is not None and not 1 <= count < 10**15:
        return BadCell(file, None, f"{where}/score_details/uncertainty/num_samples", shown(count), "a number of samples")
    direction = not metric.lower_is_better
    place = f"{where}/score_details/score"
    return ReportedResult(
        record.model_info.id,
        names,
        score,
        stderr,
        count,
        lowest,
        highest,
        direction,
        place,
        group=source,
        metric=metric.metric_name or "",
    )


def _bound(value: int | float | str | None) -> float | None:
    return number(value)  # "Infinity" and null are no bound


def _stderr(details: _Details, score: float) -> float | None:
    uncertainty = details.uncertainty
    if uncertainty is None:
        return None
    if uncertainty.standard_error is not None:
        return uncertainty.standard_error.value
    interval = uncertainty.confidence_interval
    if interval is None or interval.lower is None or interval.upper is None or interval.confidence_level is None:
        return None
    if not (interval.lower <= score <= interval.upper and 0 < interval.confidence_level < 1):
        return None
    return (interval.upper - interval.lower) / (2 * NormalDist().inv_cdf((1 + interval.confidence_level) / 2))


def _setting(config: dict[str, Any] | None) -> str:
    """What of the way of sampling tells two results of one model apart."""
    arguments = (config or {}).get("generation_args")
    if not isinstance(arguments, dict):
        return ""
    found = [(key, arguments[key]) for key in ARGUMENTS if isinstance(arguments.get(key), str | int | float | bool)]
    return ";".join(f"{key}={word(value)}" for key, value in found)


def scaled(result: ReportedResult, lower: float | None, upper: float | None) -> tuple[float, float | None] | None:
    """The value and its error on the scale of a quantity with these bounds, or None where no scale is known.

    Both scales start at 0: percent (0 to 100) becomes a fraction (0 to 1), and the other way round. A metric that states no
    upper bound is taken as it is.

    >>> from dataclasses import replace
    >>> percent = ReportedResult("m", (), 43.8, 1.2, None, 0.0, 100.0, True, "")
    >>> scaled(percent, 0.0, 1.0)
    (0.438, 0.012)
    >>> scaled(replace(percent, lowest=200.0, highest=800.0), 0.0, 1.0) is None
    True
    """
    if result.highest is None or upper is None or (result.lowest, result.highest) == (lower, upper):
        return result.value, result.stderr
    if result.lowest != 0 or lower != 0 or not result.highest > 0:
        return None
    factor = Decimal(repr(upper)) / Decimal(repr(result.highest))
    # In decimals: 43.8 percent becomes the float nearest to 0.438, which 43.8 / 100 is not.
    value, stderr = (None if part is None else float(Decimal(repr(part)) * factor) for part in (result.value, result.stderr))
    return (value, stderr) if value is not None else None
