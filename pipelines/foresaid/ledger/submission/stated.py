"""From what a person states to the quantiles a target asks for: some quantiles, or a mean and a standard deviation.

People state three or five quantiles; a target wants the same 23 of everybody, since other levels would be another question.
What lies between and beyond is filled in along straight lines in the normal score of the level: what was stated stands exactly, a
normal forecast stays normal, and tails are those of the outermost two quantiles. What would leave the scale is moved onto its end,
which is said.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from statistics import NormalDist
from typing import TypeAlias

from foresaid.canonical_json import decimal
from foresaid.ledger.entries.forecasts import Quantiles
from foresaid.ledger.entries.targets import RecordBy, TargetEntry
from foresaid.ledger.submission.objections import Objection, ObjectionError

DIGITS = 8  # significant digits of a value that is filled in
SCORE = NormalDist().inv_cdf
PERCENT = {"fraction": 0.01}  # units a value in per cent can be told in, and what one per cent is in each


@dataclass(frozen=True)
class StatedQuantiles:
    """Values by level, as they were written."""

    values: Mapping[str, str]


@dataclass(frozen=True)
class StatedNormal:
    """Mean and standard deviation, as they were written."""

    mean: str
    sd: str


Stated: TypeAlias = StatedQuantiles | StatedNormal


def quantiles(stated: Stated, target: TargetEntry, where: str, unit: str = "") -> tuple[Quantiles, list[Objection]]:
    """The quantiles of a target from what was stated, and what there is to know of them; raises ObjectionError.

    Values are in the unit of the target, or in per cent where `unit` or the value says so (61%) and the target is a fraction.
    Stated values keep to the scale of the target, and to the record that stands where the target is about one.
    """
    low, high = _scale(target)
    if isinstance(stated, StatedNormal):
        mean = _number(stated.mean, target, f"{where}, mean", unit)
        sd = _number(stated.sd, target, f"{where}, sd", unit)
        if sd <= 0:
            raise ObjectionError("number_invalid", f"{where}, sd", stated.sd, "a number above 0")
        _inside(mean, f"{where}, mean", target)
        known = {0.0: mean, 1.0: mean + sd}  # a line in the normal score: its value at 0 and at 1
    else:
        known = _scores(stated, target, where, unit)
    levels = [float(level) for level in target.levels]
    made = [_at(known, SCORE(level)) for level in levels]
    moved = [level for level, value in zip(target.levels, made, strict=True) if not low <= value <= high]
    values = [_spelt(min(max(value, low), high), low, high) for value in made]
    notes = []
    if moved:
        told = f"{len(moved)} of {len(levels)} levels ({', '.join(moved[:3])}{', ...' if len(moved) > 3 else ''})"
        ends = f"{decimal(low)} to {decimal(high)}"
        notes.append(Objection("values_filled_at_bound", where, told, f"values from {ends}: they stand on its end", "warning"))
    return Quantiles(levels=list(target.levels), values=values), notes


def _scale(target: TargetEntry) -> tuple[float, float]:
    """The ends of what a forecast of the target may say: its scale, and a record that can only be beaten."""
    low, high = float(target.min), float(target.max)
    if isinstance(target.rule, RecordBy) and target.rule.record is not None:
        record = float(target.rule.record)
        return (record, high) if target.direction == "higher" else (low, record)
    return low, high


def _inside(value: float, where: str, target: TargetEntry) -> None:
    low, high = _scale(target)
    if not low <= value <= high:
        record = isinstance(target.rule, RecordBy) and target.rule.record is not None
        beyond = f" (the record that stands is {target.rule.record})" if isinstance(target.rule, RecordBy) and record else ""
        hint = "; --unit percent says that values are in per cent" if target.unit in PERCENT and high < value <= 100 else ""
        expected = f"a value from {decimal(low)} to {decimal(high)}, in the unit {target.unit}{beyond}{hint}"
        raise ObjectionError("value_out_of_bounds", where, decimal(value), expected)


def _number(text: str, target: TargetEntry, where: str, unit: str) -> float:
    """A number as written, brought to the unit of the target."""
    bare, sign = (text.strip()[:-1].strip(), True) if text.strip().endswith("%") else (text.strip(), False)
    try:
        value = float(bare)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or "_" in bare:
        raise ObjectionError("number_invalid", where, repr(text[:40]), f"a number in the unit {target.unit}, such as 0.61")
    named = "percent" if sign else unit
    if named in ("", target.unit):
        return value
    if named != "percent" or target.unit not in PERCENT:
        also = " or percent" if target.unit in PERCENT else ""
        raise ObjectionError("unit_unknown", where, named, f"{target.unit}{also}")
    return float(Decimal(bare) / 100)


def _scores(stated: StatedQuantiles, target: TargetEntry, where: str, unit: str) -> dict[float, float]:
    """Values by the normal score of their level, in order."""
    found: dict[float, float] = {}
    for text, value in stated.values.items():
        try:
            level = float(text)
        except ValueError:
            level = math.nan
        if not 0 < level < 1:
            raise ObjectionError("level_invalid", where, f"the level {text[:20]!r}", "levels between 0 and 1, such as 0.1=0.52")
        if level in found:
            raise ObjectionError("level_invalid", where, f"the level {text} twice", "each level once")
        found[level] = _number(value, target, f"{where}, level {text}", unit)
        _inside(found[level], f"{where}, level {text}", target)
    levels = sorted(found)
    if len(levels) < 2 or levels[0] > 0.5 or levels[-1] < 0.5:
        told = ", ".join(f"{level:g}" for level in levels) or "none"
        raise ObjectionError("levels_one_sided", where, f"the levels {told}", "two levels or more, on both sides of 0.5")
    for first, second in pairwise(levels):
        if found[second] < found[first]:
            told = f"{found[first]:g} at {first:g} and {found[second]:g} at {second:g}"
            raise ObjectionError("values_descend", where, told, "values that rise with the level, or stay")
    return {SCORE(level): found[level] for level in levels}


def _at(known: Mapping[float, float], score: float) -> float:
    """The value on the straight lines through the known ones, the outermost two continued.

    >>> _at({0.0: 0.5, 1.0: 0.6}, 2.0).__round__(3), _at({0.0: 0.5, 1.0: 0.6}, 0.0)
    (0.7, 0.5)
    """
    at = list(known)
    if score in known:
        return known[score]
    right = min(max(bisect_left(at, score), 1), len(at) - 1)
    first, second = at[right - 1], at[right]
    return known[first] + (known[second] - known[first]) * (score - first) / (second - first)


def _spelt(value: float, low: float, high: float) -> str:
    """A value with eight significant digits that stays on the scale after it was rounded."""
    text = decimal(round(value, 12), DIGITS)
    return decimal(min(max(float(text), low), high))


def summary(levels: Sequence[str], values: Sequence[str], shown: Sequence[float] = (0.05, 0.25, 0.5, 0.75, 0.95)) -> str:
    """The quantiles nearest to some levels, on one line, for a person to read before anything is frozen.

    >>> summary(["0.1", "0.5", "0.9"], ["0.2", "0.3", "0.4"], (0.1, 0.5))
    '0.1: 0.2   0.5: 0.3'
    """
    chosen = dict.fromkeys(min((abs(float(level) - wanted), i) for i, level in enumerate(levels))[1] for wanted in shown)
    return "   ".join(f"{levels[i]}: {values[i]}" for i in chosen)
