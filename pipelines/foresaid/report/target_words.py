"""What pages call a target and a method, and how they spell its numbers: said once, so that every page says the same."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from foresaid.ledger.entries.targets import Bound, Line, Named, NextRelease, RecordBy
from foresaid.report.case_tables import method_title
from foresaid.report.forecast_charts import LEVELS
from foresaid.report.inputs import Material
from foresaid.report.targets import Forecast, Target
from foresaid.text import DASH, unit_words

BANDS = ((0.25, 0.75, "50 %"), (0.1, 0.9, "80 %"), (0.025, 0.975, "95 %"))
ORDINALS = {1: "", 2: "second ", 3: "third "}
KINDS = {
    "next_release": "next release",
    "frontier": "next launch of the frontier",
    "record_by": "record",
    "named": "named model",
    "curve": "curve",
}


def kind(target: Target) -> str:
    """The kind of a target in a word or two."""
    if target.entry is None:
        return "unknown"
    rule = target.entry.rule
    if isinstance(rule, NextRelease):
        return KINDS["frontier" if len(rule.lines) > 1 else "next_release"]
    return KINDS[str(rule.__struct_config__.tag)]


def board(material: Material, target: Target) -> str:
    """The title of the board a target is about."""
    return material.quantity(target.entry.benchmark) if target.entry is not None else target.id


def line(material: Material, one: Line) -> str:
    """A product line and tier as a person says it."""
    tier = "" if one.tier == "plain" else f" {one.tier}"
    return f"{material.makers.get(one.maker, one.maker)} {one.line}{tier}"


def subject(material: Material, target: Target) -> str:
    """Whose score is forecast: a line, the frontier, the record by a day, a named model."""
    if target.entry is None:
        return target.id
    rule = target.entry.rule
    if isinstance(rule, NextRelease):
        which = ORDINALS.get(rule.ordinal, f"{rule.ordinal}th ")
        if len(rule.lines) > 1:
            return f"next {which}launch of the frontier".replace("next second", "second next").replace("next third", "third next")
        return f"next {which}{line(material, rule.lines[0])}"
    if isinstance(rule, RecordBy):
        whose = {
            "any": "",
            "open_weights": " with open weights",
            "maker": f" of {material.makers.get(str(rule.maker), str(rule.maker))}",
        }
        best = "best score" if rule.top == 1 else "mean of the three best scores"
        return f"{best}{whose[rule.scope]} by {rule.by}"
    if isinstance(rule, Named):
        return target.entry.display or rule.model
    assert isinstance(rule, Bound)
    return f"every {rule.binds} released while the target is open"


def title(material: Material, target: Target) -> str:
    """The title of a target: whose score, on which board."""
    about = subject(material, target)
    return f"{about[:1].upper()}{about[1:]}, on {board(material, target)}" if target.entry is not None else target.id


def method(material: Material, one: Forecast) -> str:
    """What a method is called."""
    title = method_title(material, one.method)
    return title[:1].upper() + title[1:]


def number(value: float | None) -> str:
    """A score as cards spell it: shares with three places, ratings with one.

    >>> number(0.51234), number(151.36), number(None)
    ('0.512', '151.4', '–')
    """
    if value is None:
        return DASH
    return (f"{value:.3f}" if abs(value) <= 1.0 else f"{value:,.1f}").replace("-", "−")


def interval(one: Forecast | None, low: float, high: float) -> str:
    """An interval of a forecast, a dash where it states no such quantiles."""
    ends = (one.at(low), one.at(high)) if one is not None else (None, None)
    return DASH if None in ends else f"{number(ends[0])} to {number(ends[1])}"


def unit(target: Target) -> str:
    """The unit of a target in words."""
    return unit_words([target.entry.unit]) if target.entry is not None else ""


def seven(one: Forecast) -> list[float] | None:
    """The quantiles that charts show, None where the forecast does not state them."""
    found = [one.at(level) for level in LEVELS]
    return None if None in found else [float(value or 0.0) for value in found]


def past(row: Mapping[str, Any] | None) -> str:
    """A value known before: how much, of which model, released when."""
    return f"{number(row['value'])} ({row['model_id']}, {row['released_on']})" if row else DASH


def year(day: date) -> float:
    """A day as a year with its fraction."""
    return day.year + (day.timetuple().tm_yday - 1) / 366


def card(material: Material, target: Target, root: str) -> dict[str, str]:
    """A target as a row of a table: whose score, median and 80 % interval of its primary, last and best value, when settled."""
    first, last, best = target.primary, target.last, target.best
    outcome = next((found[0].value for found in target.outcomes.values()), None)
    return {
        "href": f"{root}{target.address}",
        "subject": subject(material, target),
        "board": board(material, target),
        "kind": kind(target),
        "unit": unit(target),
        "method": method(material, first) if first is not None else DASH,
        "median": number(first.at(0.5)) if first is not None else DASH,
        "interval": interval(first, 0.1, 0.9),
        "last": number(float(str(last["value"]))) if last else DASH,
        "last_model": str(last["model_id"]) if last else "",
        "best": number(float(str(best["value"]))) if best else DASH,
        "best_model": str(best["model_id"]) if best else "",
        "day": str(target.day) if target.day is not None else DASH,
        "expected_by": str(target.expected_by or DASH),
        "last_day": str(target.last_day or DASH),
        "state": first.account.state if first is not None else DASH,
        "outcome": number(float(outcome)) if outcome is not None else DASH,
    }
