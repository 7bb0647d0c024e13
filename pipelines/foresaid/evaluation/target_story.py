"""A target in words, for somebody who asks: what is forecast, by when, by what rule, how sure, and what would be a surprise.

A joint forecast answers for any day of release; it is read for a release on one day, which is named.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from foresaid.evaluation.joint_forecasts import joint_quantiles
from foresaid.ledger.entries.schema import JointPrediction, Prediction, Quantiles, TargetEntry
from foresaid.ledger.entries.targets import Named, NextRelease, RecordBy
from foresaid.scoring.levels import LEVELS, same_levels

BANDS = ((0.25, 0.75, "50 %"), (0.1, 0.9, "80 %"), (0.025, 0.975, "95 %"))


@dataclass(frozen=True)
class Said:
    """The version of a forecast that counts: by whom, by which method, whether it is the author's primary one."""

    author: str
    method: str
    primary: bool
    prediction: Prediction


def lines(target: TargetEntry, forecasts: Sequence[Said], today: date) -> Iterator[str]:
    """The answers, a few lines each; the primary forecasts come first, and the first of them says what would be a surprise."""
    yield from (f"{name}: {words}" for name, words in asked(target))
    day = min(max(today, date.fromisoformat(target.opens)), date.fromisoformat(target.closes))
    surprise = ""
    for one in sorted(forecasts, key=lambda one: (not one.primary, one.author, one.method)):
        values = _values(one.prediction, target, day)
        about = f"{one.method} by {one.author}{', primary' if one.primary else ''}"
        when = f", for a release on {day}" if isinstance(one.prediction, JointPrediction) else ""
        if values is None:
            yield f"how sure: {about}: a curve, or at other levels than these bands need"
            continue
        bands = ", ".join(
            f"{name} {_number(values[LEVELS.index(low)])} to {_number(values[LEVELS.index(high)])}" for low, high, name in BANDS
        )
        yield f"how sure: {about}: median {_number(values[LEVELS.index(0.5)])}, {bands}{when}"
        low, high = (_number(values[LEVELS.index(level)]) for level in (0.025, 0.975))
        surprise = surprise or f"below {low} or above {high}: {one.method} gives each one chance in forty{when}"
    yield f"surprise: {surprise or 'no forecast says quantiles'}"


def asked(target: TargetEntry) -> list[tuple[str, str]]:
    """What is asked, by when and by what rule it is settled, each with its name."""
    return [("what", _what(target)), ("by when", _by_when(target)), ("rule", _rule(target))]


def _what(target: TargetEntry) -> str:
    rule = target.rule
    scale = f"in {target.unit}, {target.min} to {target.max}"
    extra = [f"{name} {value}" for name, value in (("chance", target.chance), ("ceiling", target.ceiling)) if value is not None]
    scale = f"{scale}{''.join(f', {text}' for text in extra)}"
    if isinstance(rule, NextRelease):
        names = " or ".join(f"{one.maker} {one.line} {one.tier}" for one in rule.lines)
        which = f"launch {rule.ordinal} of {names} after {target.opens}"
        return f"the score on {target.benchmark} of {which} ({_system(target)}); {scale}"
    if isinstance(rule, RecordBy):
        best = "best value" if rule.top == 1 else "mean of the best three values"
        of = f"any model of {rule.maker}" if rule.scope == "maker" else f"any model{' with open weights' * (rule.scope != 'any')}"
        stood = f"; it stood at {rule.record} when the target was set" if rule.record is not None else ""
        return f"the {best} on {target.benchmark} of {of} released by {rule.by}{stood}; {scale}"
    if isinstance(rule, Named):
        return f"the score on {target.benchmark} of {rule.model} ({_system(target)}); {scale}"
    series = f" of {rule.series}" if isinstance(rule.series, str) else ""
    return f"the score on {target.benchmark} of every {rule.binds}{series} released while the target is open; {scale}"


def _system(target: TargetEntry) -> str:
    if isinstance(target.system, list):
        return f"settings {' or '.join(target.system)}"
    return {"highest_effort": "the highest effort measured", "default": "its default settings", "each": "each system"}[
        target.system
    ]


def _by_when(target: TargetEntry) -> str:
    days = target.publish_within
    if isinstance(target.rule, RecordBy):
        end = date.fromisoformat(target.rule.by) + timedelta(days=days)
        return f"values count that {target.resolver} publishes by {end}, {days} days after {target.rule.by}; settled the day after"
    end = date.fromisoformat(target.closes) + timedelta(days=days)
    spell = f"a release counts after {target.opens} and by {target.closes}"
    return f"{spell}, its value within {days} days; settled by {end} at the latest"


def _rule(target: TargetEntry) -> str:
    others = f", else {', '.join(target.fallbacks)}" if target.fallbacks else ""
    named = [f"{one.condition} from {one.on}" if one.on else one.condition for one in target.void_if]
    ends = ", ".join(named) or "already_released alone"
    counts = "models known count too" if isinstance(target.rule, RecordBy) else f"no model of the list {target.known[:12]} counts"
    return f"the first value that {target.resolver} publishes{others} under: {target.protocol}; {counts}; void if {ends}"


def _values(made: Prediction, target: TargetEntry, day: date) -> list[float] | None:
    if isinstance(made, JointPrediction):
        return joint_quantiles(made, target, day, {})[1] or None
    if isinstance(made, Quantiles) and same_levels([float(level) for level in made.levels]):
        return [float(value) for value in made.values]
    return None


def _number(value: float) -> str:
    return f"{value:.4g}"
