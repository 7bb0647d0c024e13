"""What a prediction must keep to of its target: scale, levels, the record so far, the quantity, and no answer among its inputs.

A score compares only what answers the same question in the same way: whoever chose their own levels, another quantity or a
covariate measured on the same questions would win without forecasting better. Pure functions from a prediction, or its outline,
and a target to what contradicts it.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeAlias

import msgspec

from foresaid.ledger.entries.batch import Outline, outline_of
from foresaid.ledger.entries.schema import CurvePrediction, Header, Prediction, TargetEntry
from foresaid.ledger.entries.targets import Bound, Named, NextRelease, RecordBy

Contradiction: TypeAlias = tuple[str, str, str]  # what, found, expected


def against(made: Prediction | Outline, target: TargetEntry | None) -> list[Contradiction]:
    """What a prediction contradicts of its target; nothing where the target is not known."""
    if target is None:
        return []
    short = outline_of(made)
    if isinstance(short, CurvePrediction):
        return _curve(short.curve, target)
    return _joint(short, target) if short.benchmarks else _quantiles(short, target)


def _quantiles(made: Outline, target: TargetEntry) -> list[Contradiction]:
    problems: list[Contradiction] = []
    low, high = Decimal(made.low), Decimal(made.high)
    if low < Decimal(target.min) or high > Decimal(target.max):
        problems.append(("value outside its target", f"{made.low} to {made.high}", f"{target.min} to {target.max}"))
    if _numbers(tuple(made.levels)) != _numbers(tuple(target.levels)):
        problems.append(("forecast at other levels than its target", ", ".join(made.levels), ", ".join(target.levels)))
    if isinstance(target.rule, RecordBy) and target.rule.record is not None:
        record = Decimal(target.rule.record)
        if low < record if target.direction == "higher" else high > record:
            found = made.low if target.direction == "higher" else made.high
            problems.append(("record forecast worse than the record at the freeze", found, f"{target.rule.record} or better"))
    return problems


@lru_cache(maxsize=256)
def _numbers(levels: tuple[str, ...]) -> tuple[Decimal, ...]:
    return tuple(Decimal(level) for level in levels)


def _joint(made: Outline, target: TargetEntry) -> list[Contradiction]:
    if not isinstance(target.rule, NextRelease | Named):
        return [("joint forecast for a target that is not one release", f"a joint for {target.id}", "quantiles, or a curve")]
    if (Decimal(target.min), Decimal(target.max)) != (Decimal(0), Decimal(1)):
        return [("joint forecast for a target on another scale", f"{target.min} to {target.max}", "0 to 1")]
    if target.benchmark not in made.benchmarks:
        return [("joint forecast without the benchmark of its target", ", ".join(made.benchmarks), target.benchmark)]
    return []


def _curve(curve: Mapping[str, Any], target: TargetEntry) -> list[Contradiction]:
    """A curve must be about the quantity of its target, on its scale, by its resolver, and may not read the answer."""
    if not isinstance(target.rule, Bound):
        return [("curve for a target that is not about curves", f"a curve for {target.id}", "quantiles, or a joint")]
    wanted = {
        "quantity_id": target.benchmark,
        "series": target.rule.series if isinstance(target.rule.series, str) else "",
        "resolver": target.resolver,
        "lower": target.min,
        "upper": target.max,
    }
    problems: list[Contradiction] = [
        (f"curve with another {name} than its target", str(curve.get(name)), should)
        for name, should in wanted.items()
        if curve.get(name) != should
    ]
    names = set(covariates_of(curve))
    if target.benchmark in names:
        problems.append(("curve with the answer as a covariate", target.benchmark, "other benchmarks"))
    if same := sorted(names & set(target.same_items) - set(target.stated)):
        expected = "none measured on the questions of the target, unless it has stated it"
        problems.append(("curve with a covariate that is the answer under another protocol", ", ".join(same), expected))
    return problems


def covariates_of(curve: Mapping[str, Any]) -> list[str]:
    """The quantities that a frozen curve, as plain values, takes as covariates."""
    given = curve.get("covariates", [])
    if not isinstance(given, list):
        return []
    return [item["quantity_id"] for item in given if isinstance(item, Mapping) and isinstance(item.get("quantity_id"), str)]


def training_of(made: Prediction | Outline) -> Mapping[str, Any] | None:
    """What a prediction says it was fitted on; None for bare quantiles, empty for a curve that does not say it."""
    short = outline_of(made)
    if isinstance(short, CurvePrediction):
        told = short.curve.get("training")
        return told if isinstance(told, Mapping) else {}
    return msgspec.to_builtins(short.training) if short.training is not None else None


def training(made: Prediction | Outline, header: Header) -> list[Contradiction]:
    """What a curve or a joint was fitted on may not be later than its batch says, and must be data that the batch names."""
    told = training_of(made)
    if told is None:
        return []
    problems: list[Contradiction] = []
    for name in ("as_of", "max_known_on"):
        day = str(told.get(name, ""))
        if not day or day > header.as_of:
            problems.append((f"fitted with a later {name} than its batch, or none", day or "none", f"at most {header.as_of}"))
    if not header.data:
        problems.append(
            ("fitted on data that the batch does not name", "no data", "the training snapshot in the header of the batch")
        )
    return problems
