"""Charts of frozen forecasts: the predicted intervals side by side, and the past of a board with what is forecast of it.

Both show nested intervals, 95, 80 and 50 %, as bars that grow thicker, so that they can be read in grey and on a phone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from foresaid.report.drawing import drawn
from foresaid.report.specification import (
    BAND,
    INK,
    PALETTE,
    PAPER,
    SAID,
    SOFT,
    WIDTH,
    Part,
    Rows,
    amount,
    end,
    kind,
    layer,
    layered,
    named,
)

LEVELS = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)
NESTED = ((0.025, 0.975, 1.2, 0.35), (0.1, 0.9, 3.2, 0.5), (0.25, 0.75, 7.0, 0.7))  # levels, width of a bar, opacity of a band
DIAMOND = {"last known value": PAPER, "observed": INK}
STEP = 24  # height of a line in pixels


def field(level: float) -> str:
    """The column of a quantile, without the point that Vega-Lite would take for a path.

    >>> field(0.025)
    'q025'
    """
    return f"q{level:g}".replace("0.", "", 1)


MONTH = (  # a label of the axis of release: the year, or the month that begins there
    "format(floor(datum.value), 'd') + (datum.value % 1 ? '-' + pad('' + (1 + round(datum.value % 1 * 12)), 2, '0', 'left') : '')"
)


@drawn
def predicted(rows: Rows, best: float | None, title: str, unit: str) -> dict[str, Any]:
    """Intervals of several forecasts, one line each: `label`, `quantiles` (at LEVELS), `first`, `last` and `observed` of each row.

    `first` says whether it is a primary one, drawn in colour; a hollow diamond is the last value known before, a filled one
    what was observed; either may be None. `best` is the best value so far, drawn as a dashed line.
    """
    data = [
        {"label": row["label"], "kind": "primary" if row["first"] else "other", "said": _said(row), **_quantiles(row)}
        for row in rows
    ]
    points = [
        {"label": row["label"], "value": _short(row[name]), "kind": words}
        for row in rows
        for name, words in (("last", "last known value"), ("observed", "observed"))
        if row[name] is not None
    ]
    labels = list(dict.fromkeys(row["label"] for row in rows))
    y = kind("label", title=None, sort=labels, axis={"labelLimit": 250, "domain": False, "ticks": False, "labelPadding": 6})
    colour = kind("kind", legend=None, scale={"domain": ["primary", "other"], "range": [PALETTE[0], SOFT]})
    x = {"title": f"{unit}; bars: 50, 80 and 95 % intervals", "axis": {"tickCount": 6}}
    layers = [
        layer(
            data, {"type": "rule", "strokeWidth": width, "opacity": 0.8}, y=y, color=colour,
            x=_number(field(low), **x), x2=end(field(high)),
        )
        for low, high, width, _ in NESTED
    ]  # fmt: skip
    mark = {"type": "tick", "color": INK, "thickness": 2.2, "size": 13, "aria": True}
    layers.append(layer(data, mark, y=y, x=_number(field(0.5), **x), description=SAID))
    if points:
        kinds = [one for one in DIAMOND if any(row["kind"] == one for row in points)]
        scale = {"domain": kinds, "range": [DIAMOND[one] for one in kinds]}
        mark = {"type": "point", "shape": "diamond", "size": 70, "stroke": INK, "strokeWidth": 1.4}
        fill = kind("kind", title=None, scale=scale)
        layers.append(layer(points, mark, y=y, x=_number("value", **x), fill=fill))
    if best is not None:
        mark = {"type": "rule", "color": PALETTE[1], "strokeDash": [4, 3], "strokeWidth": 1.3}
        layers.append(layer([{"value": _short(best)}], mark, x=_number("value", **x)))
    return layered(layers, title, width=WIDTH - 130, height={"step": STEP})


@drawn
def ahead(past: Rows, bands: Rows, exact: Rows, best: Rows, outcomes: Rows, title: str, unit: str) -> dict[str, Any]:
    """Values of released models over the `year` of release (`value`, `own`: of the lines asked), and what is forecast from then on.

    `bands` hold `quantiles` (at LEVELS) by `year`, drawn as nested bands with their median; `exact` the same, drawn as bars.
    `best` is the step line of the best value so far (`year`, `value`), `outcomes` what was observed later. Each layer is named
    after what it holds, so that the script of the site can show the chart as of a day.
    """

    ticks = year_ticks([row["year"] for rows in (past, bands, exact, best, outcomes) for row in rows])

    def x() -> dict[str, Any]:
        axis = {"values": ticks, "labelExpr": MONTH}
        return _number("year", title="day of release", axis=axis, scale={"zero": False, "nice": False, "padding": 8})

    def y(name: str = "value") -> dict[str, Any]:
        return _number(name, title=unit)

    layers: list[Part] = []

    def part() -> str:
        return f"forecast{len(layers)}"  # a name stands once in a chart

    if best:
        layers.append(
            layer(
                [*map(_point, best)],
                {"type": "line", "color": INK, "strokeWidth": 1.4, "interpolate": "step-after"},
                "best",
                x=x(),
                y=y(),
            )
        )
    for mine, colour, size, opacity in ((False, SOFT, 14, 0.35), (True, PALETTE[0], 34, 0.8)):
        kept = [_point(row) for row in past if bool(row["own"]) is mine]
        mark = {"type": "point", "size": size, "filled": True, "color": colour, "opacity": opacity, "aria": True}
        layers += [layer(kept, mark, f"known{int(mine)}", x=x(), y=y(), description=SAID)] if kept else []
    spread = [{"year": round(row["year"], 4), **_quantiles(row)} for row in bands]
    for low, high, _, opacity in NESTED if spread else ():
        mark = {"type": "area", "color": BAND, "opacity": opacity}
        layers.append(layer(spread, mark, part(), x=x(), y=y(field(low)), y2=end(field(high))))
    if spread:
        layers.append(layer(spread, {"type": "line", "color": PALETTE[0], "strokeWidth": 1.6}, part(), x=x(), y=y(field(0.5))))
    bars = [{"year": round(row["year"], 4), "said": _said(row), **_quantiles(row)} for row in exact]
    for low, high, width, _ in NESTED if bars else ():
        mark = {"type": "rule", "color": PALETTE[0], "strokeWidth": width, "opacity": 0.8}
        layers.append(layer(bars, mark, part(), x=x(), y=y(field(low)), y2=end(field(high))))
    if bars:
        mark = {"type": "tick", "color": INK, "orient": "horizontal", "size": 13, "thickness": 2.2, "aria": True}
        layers.append(layer(bars, mark, part(), x=x(), y=y(field(0.5)), description=SAID))
    if outcomes:
        mark = {"type": "point", "shape": "diamond", "size": 90, "filled": True, "color": INK, "opacity": 1, "aria": True}
        layers.append(layer([*map(_point, outcomes)], mark, "outcome", x=x(), y=y(), description=SAID))
    return layered(layers, title)


def year_ticks(years: Sequence[float]) -> list[float]:
    """Where the axis of a chart over time is labelled: at whole years, and at halves or quarters where there are too few of them.

    A label is the year or the month that begins there, so it must not stand between two months, as a tick of the renderer may.

    >>> year_ticks([2023.2, 2026.9]), year_ticks([2026.2, 2027.3])
    ([2024.0, 2025.0, 2026.0], [2026.25, 2026.5, 2026.75, 2027.0, 2027.25])
    """
    low, high = min(years, default=2000.0), max(years, default=2000.0)
    months = next((one for one in ((12, 24, 60, 120) if high - low >= 2 else (1, 3, 6)) if (high - low) * 12 / one <= 7), 240)
    return [place * months / 12 for place in range(math.ceil(low * 12 / months), math.floor(high * 12 / months) + 1)]


def _number(name: str, **more: Any) -> dict[str, Any]:
    return amount(name, **{"scale": {"zero": False}, **more})


def _quantiles(row: Mapping[str, Any]) -> dict[str, float]:
    return {field(level): _short(value) for level, value in zip(LEVELS, row["quantiles"], strict=True)}


def _said(row: Mapping[str, Any]) -> str:
    """What the mark of a forecast says to a pointer: its median and 80 % interval."""
    low, middle, high = (f"{row['quantiles'][LEVELS.index(level)]:.4g}" for level in (0.1, 0.5, 0.9))
    name = f"{row['label']}: " if row.get("label") else ""
    return f"{name}median {middle}, 80 % interval {low} to {high}"


def _point(row: Mapping[str, Any]) -> dict[str, Any]:
    said = named(row, released=row["year"], value=row["value"])
    return {"year": round(float(row["year"]), 4), "value": _short(row["value"]), "said": said}


def _short(value: float) -> float:
    return float(f"{value:.6g}")  # what a pixel cannot show must not reach the bytes
