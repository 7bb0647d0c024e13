"""The charts of a target: every method's predicted intervals, and the past of its board with what is forecast of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import polars as pl

from foresaid.ledger.entries.targets import RecordBy
from foresaid.registry.view import with_best
from foresaid.report import target_words as words
from foresaid.report.drawing import Drawing
from foresaid.report.forecast_charts import LEVELS, ahead, predicted
from foresaid.report.inputs import Material
from foresaid.report.targets import Target
from foresaid.scoring import levels


def charts(material: Material, target: Target) -> list[dict[str, Any]]:
    """The intervals of all methods, and the past of the board with what is forecast; none where no forecast states quantiles."""
    shown = [(one, found) for one in target.forecasts if (found := words.seven(one)) is not None]
    if not shown:
        return []
    last, best = target.last, target.best
    observed = next((float(found[0].value) for found in target.outcomes.values() if found[0].value is not None), None)
    several = len({one.account.author for one, _ in shown}) > 1
    rows = [
        {
            "label": words.method(material, one) + (f", {one.account.author}" if several else ""),
            "quantiles": found,
            "first": one.account.primary,
            "last": float(str(last["value"])) if last is not None and place == 0 else None,
            "observed": observed if place == 0 else None,
        }
        for place, (one, found) in enumerate(shown)
    ]
    title, unit = words.title(material, target), words.unit(target)
    made = [
        {
            "frozen": "",
            "drawing": predicted(rows, float(str(best["value"])) if best is not None else None, title, unit),
            "caption": "Predicted distributions; the tick is the median. In colour: the primary forecast. "
            + "Dashed: the best value so far"
            + (f". Hollow diamond: the last value of the line, {words.past(last)}" if last is not None else "")
            + (". Filled diamond: the observed value." if observed is not None else "."),
        }
    ]
    over_time = drawn_ahead([target], title, unit)
    if over_time is not None:
        made.append(
            {
                "frozen": str(target.frozen or ""),
                "drawing": over_time,
                "caption": "Line: the best value so far by day of release. "
                + ("Points: models of the line asked. Band: the forecast for a release on each day. " if target.lines else "")
                + (
                    "Bar: the forecast for the expected day."
                    if target.lines
                    else "Bar: the forecast of the best value by that day; the band joins it to the value before."
                ),
            }
        )
    return made


def drawn_ahead(shown: Sequence[Target], title: str, unit: str) -> Drawing | None:
    """The past of one board and the primary forecasts of some of its targets over time; None without a past or a forecast."""
    past = shown[0].past
    every = bool(shown[0].lines)
    exact: list[dict[str, Any]] = []
    bands: list[dict[str, Any]] = []
    for target in shown:
        one = target.primary
        found = words.seven(one) if one is not None else None
        rule = target.entry.rule if target.entry is not None else None
        day = date.fromisoformat(rule.by) if isinstance(rule, RecordBy) else target.day
        if one is None or found is None or day is None:
            continue
        exact.append({"year": words.year(day), "quantiles": found})
        picked = [levels.LEVELS.index(level) for level in LEVELS]
        bands += [{"year": words.year(at), "quantiles": [values[i] for i in picked]} for at, values in one.by_day]
    if past.is_empty() or not exact:
        return None
    lower = shown[0].entry is not None and shown[0].entry.direction == "lower"
    daily = with_best(past, lower).group_by("released_on", maintain_order=True).agg(pl.col("best").last())
    best = daily.unique("best", keep="first", maintain_order=True)
    line = [{"year": words.year(row["released_on"]), "value": row["best"]} for row in best.to_dicts()]
    opens = shown[0].entry.opens if shown[0].entry is not None else ""
    begin = words.year(date.fromisoformat(opens)) if opens else min(row["year"] for row in exact)
    line.append({"year": begin, "value": line[-1]["value"]})
    if not every:
        # A record stands where it stood on the day of the question, and its distribution widens from there.
        exact.sort(key=lambda row: row["year"])
        bands = [{"year": begin, "quantiles": [line[-1]["value"]] * len(LEVELS)}, *exact]
    own = past.with_columns(own=shown[0].own)
    dots = own.filter(pl.col("own")) if every else own
    points = [
        {"name": row["model_id"], "year": words.year(row["released_on"]), "value": row["value"], "own": row["own"]}
        for row in dots.to_dicts()
    ]
    later = [
        {"year": words.year(date.fromisoformat(found[0].released_on or found[0].known_at[:10])), "value": float(found[0].value)}
        for target in shown
        for found in target.outcomes.values()
        if found[0].value is not None
    ]
    return ahead(points, bands, exact, line, later, title, unit)
