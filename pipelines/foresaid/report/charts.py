"""The charts of fits, scores and studies: rows in, a Vega-Lite specification out, drawn once (report/drawing.py).

They are inline SVG without a browser, a network or a script, with the same bytes every time. Shapes, dashes and fills carry what
colours say, so that every chart can be read in grey; a point says what it is in a `<title>`, which a pointer shows. A chart is so
narrow that its letters can be read on a phone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from foresaid.report.drawing import drawn
from foresaid.report.specification import (
    BAND,
    DASHES,
    INK,
    PALETTE,
    PAPER,
    SAID,
    SHAPES,
    SOFT,
    WIDTH,
    Part,
    Rows,
    amount,
    dated,
    end,
    kind,
    layer,
    layered,
    named,
    number,
    short,
    stacked,
)

FREE: dict[str, Any] = {"zero": False}  # an axis that need not begin at nought
FITTED: dict[str, Any] = {"type": "log", "nice": False}  # a log axis that ends with its numbers
YEARS = {"format": ".0f", "tickMinStep": 1}


@drawn
def forecast_against_outcome(rows: Rows, title: str, unit: str) -> dict[str, Any]:
    """Forecast medians with 80 % bars over outcomes: `observed`, `median`, `lower_80`, `upper_80` of each row, in `unit`.

    `subject_id` and `quantity_id`, where a row has them, name the point. On the diagonal the forecast was right; a hollow point is
    an outcome outside its bar.
    """
    fields = ("observed", "median", "lower_80", "upper_80")
    data = [{**_only(row, *fields), "hit": _hit(row), "said": _forecast_said(row)} for row in rows]
    ends = [float(row[name]) for row in data for name in fields if row[name] is not None]
    low, high = (min(ends), max(ends)) if ends else (0.0, 1.0)
    domain = [0, 1] if low >= 0 and 0.5 < high <= 1 else [low, high]
    scale = {"domain": domain, "nice": True}
    x = amount("observed", title=f"observed ({unit})", scale=scale)
    y = amount("median", title=f"forecast, with 80 % interval ({unit})", scale=scale)
    inside = {"domain": ["inside", "outside"], "range": [PALETTE[0], PAPER]}
    diagonal = {"type": "line", "color": SOFT, "strokeDash": [4, 3], "strokeWidth": 1}
    bar = {"type": "rule", "color": SOFT, "strokeWidth": 1, "opacity": 0.55}
    point = {"type": "point", "size": 34, "strokeWidth": 1.2, "color": PALETTE[0], "opacity": 0.95, "aria": True}
    layers = [
        layer([{"v": short(v)} for v in domain], diagonal, x=amount("v"), y=amount("v")),
        layer(data, bar, x=x, y=amount("lower_80"), y2=end("upper_80")),
        layer(data, point, x=x, y=y, fill=kind("hit", title="80 % interval:", scale=inside), description=SAID),
    ]
    return layered(layers, title)


@drawn
def fitted_curve(points: Rows, grid: Rows, title: str, x_title: str, y_title: str, log: bool = False) -> dict[str, Any]:
    """Rows a law was fitted to, its median curve and its 80 % band.

    `points` have x, observed, median, lower_80, upper_80; `grid` has x, median, lower_80, upper_80 and may be empty: a law with
    several covariates has no single axis, and its bands are then drawn at each point. `log` draws x on the log scale.
    """
    wanted = ("x", "observed", "median", "lower_80", "upper_80")
    seen = [{**_only(row, *wanted), "said": named(row, observed=row["observed"], median=row["median"])} for row in points]
    curve = [_only(row, *wanted[0:1], *wanted[2:]) for row in (grid or points)]
    curve.sort(key=lambda row: float(row["x"]))
    xs = [float(row["x"]) for row in [*seen, *curve]]
    log = log and min(xs, default=0.0) > 0
    scale = FITTED if log else {**FREE, "nice": False, "padding": 6}
    x = amount("x", title=x_title, scale=scale, axis={"format": "~e", "tickCount": 6} if log else {"tickCount": 7})
    if grid:
        band, line = {"type": "area", "color": BAND, "opacity": 0.75}, {"type": "line", "color": INK, "strokeWidth": 1.6}
    else:
        band = {"type": "rule", "color": BAND, "strokeWidth": 3}
        line = {"type": "tick", "color": INK, "orient": "horizontal", "size": 6, "thickness": 1.4}
    dot = {"type": "point", "size": 20, "filled": True, "color": PALETTE[0], "opacity": 0.8, "aria": True}
    layers = [
        layer(curve, band, x=x, y=amount("lower_80", scale=FREE), y2=end("upper_80")),
        layer(curve, line, x=x, y=amount("median", scale=FREE)),
        layer(seen, dot, x=x, y=amount("observed", title=y_title, scale=FREE), description=SAID),
    ]
    return layered(layers, title)


@drawn
def profile(values: Sequence[float], rms: Sequence[float], forecast: Sequence[float], admissible: Sequence[bool], title: str,
            parameter: str) -> dict[str, Any]:  # fmt: skip
    """How well each value of a parameter fits, and what it forecasts; values the rows cannot tell apart are shaded."""
    rows = [{"v": short(v), "rms": short(r), "forecast": short(f)} for v, r, f in zip(values, rms, forecast, strict=True)]
    inside = [float(v) for v, ok in zip(values, admissible, strict=True) if ok]
    log = min(values, default=0.0) > 0 and max(values) / min(values) > 8
    scale = FITTED if log else {**FREE, "nice": False}
    x = amount("v", title=f"fixed value of the parameter {parameter}", scale=scale, axis={"format": "~g", "tickCount": 6})
    region = [{"from": short(min(inside)), "to": short(max(inside))}] if inside else []
    shade = layer(region, {"type": "rect", "color": BAND, "opacity": 0.6}, x=amount("from", scale=scale), x2=end("to"))
    panels = []
    for column, words, dash in (("rms", "root mean square error", [1, 0]), ("forecast", "forecast", [5, 2])):
        y = amount(column, title=words, scale=FREE, axis={"tickCount": 5})
        line = layer(rows, {"type": "line", "color": INK, "strokeWidth": 1.6, "strokeDash": dash}, x=x, y=y)
        panels.append({"layer": [*([shade] if region else []), line], "width": WIDTH, "height": 130})
    return stacked(panels, title)


@drawn
def intervals(rows: Rows, title: str, unit: str) -> dict[str, Any]:
    """What each law forecast for one model, and what was observed: `quantity`, `law`, `median`, `lower_80`, `upper_80`, `observed`.

    One line a quantity, one mark a law; the tall tick is the observed value.
    """
    fields = ("quantity", "law", "median", "lower_80", "upper_80", "observed")
    data = [
        {**_only(row, *fields), "said": f"{row['quantity']}: {_forecast_said({**row, 'subject_id': row['law']})}"} for row in rows
    ]
    laws = list(dict.fromkeys(row["law"] for row in data))
    outcomes = list({row["quantity"]: {"quantity": row["quantity"], "observed": row["observed"]} for row in data}.values())
    ends = [float(row[name]) for row in data for name in fields[2:] if row[name] is not None]
    scale = {"domain": [0, 1]} if ends and min(ends) >= 0 and 0.3 < max(ends) <= 1 else FREE
    y = kind("quantity", title=None, sort=None, axis={"labelLimit": 190, "domain": False, "ticks": False})
    offset, look = kind("law", sort=laws, scale={"paddingOuter": 0.2}), _looks("law", laws)
    each = {"y": y, "yOffset": offset, "color": look["color"]}
    said = ["forecast median and 80 % interval;", f"tall tick: observed ({unit})"]
    point = {"type": "point", "size": 36, "filled": True, "opacity": 1, "aria": True}
    tall = {"type": "tick", "color": INK, "thickness": 2.4, "size": 15 * len(laws)}
    layers = [
        layer(
            data, {"type": "rule", "strokeWidth": 2, "opacity": 0.7}, **each, x=amount("lower_80", scale=scale), x2=end("upper_80")
        ),
        layer(data, point, **each, x=amount("median", title=said, scale=scale), shape=look["shape"], description=SAID),
        layer(outcomes, tall, y=y, x=amount("observed", scale=scale)),
    ]
    return layered(layers, title, width=WIDTH - 150, height={"step": 15})  # for each law; a quantity takes as many


@drawn
def example(points: Rows, lines: Rows, title: str, x_title: str) -> dict[str, Any]:
    """One simulated experiment: scores over loss with a fitted curve for each `size` (points and lines: size, loss, score)."""
    look = _looks("size", list(dict.fromkeys(str(row["size"]) for row in lines)), "fine-tuning examples:")
    x, y = amount("loss", title=x_title, scale=FREE), amount("score", title="score", scale=FREE)
    kept, seen = ([_only(row, "size", "loss", "score") for row in rows] for rows in (lines, points))
    dot = {"type": "point", "size": 20, "filled": True, "opacity": 0.7}
    return layered([_line(kept, look, x, y), layer(seen, dot, x=x, y=y, color=look["color"], shape=look["shape"])], title)


@drawn
def over_time(points: Rows, title: str, y_title: str) -> dict[str, Any]:
    """A line a `method` over the `year` of its origin: `value`; dashes and shapes say what colours say."""
    kept = [
        {**_only(row, "method", "year", "value"), "said": f"{row['method']}, {dated(row['year'])}: {number(row['value'])}"}
        for row in points
    ]
    return _lines(kept, "method", amount("year", title="origin", scale=FREE, axis=YEARS), amount("value", title=y_title), title)


@drawn
def frontier(points: Rows, title: str, y_title: str) -> dict[str, Any]:
    """Scores over the `year` of release, and as a step line the best `value` so far, which each row holds as `best`.

    `name`, where a row has it, is the model.
    """
    kept = [{**_only(row, "year", "value", "best"), "said": named(row, released=row["year"], value=row["value"])} for row in points]
    step = {"type": "line", "color": INK, "strokeWidth": 1.6, "interpolate": "step-after"}
    dot = {"type": "point", "size": 22, "filled": True, "color": PALETTE[0], "opacity": 0.7, "aria": True}
    layers = [
        layer(kept, step, x=_released(), y=amount("best", scale=FREE)),
        layer(kept, dot, x=_released(), y=amount("value", title=y_title, scale=FREE), description=SAID),
    ]
    return layered(layers, title)


@drawn
def index_over_time(points: Rows, title: str, y_title: str) -> dict[str, Any]:
    """An index over the `year` of release: `value` with its 80 % interval from `lower_80` to `upper_80`.

    `name`, where a row has it, is the model.
    """
    data = [
        {**_only(row, "year", "value", "lower_80", "upper_80"), "said": named(row, released=row["year"], value=row["value"])}
        for row in points
    ]
    bar = {"type": "rule", "color": SOFT, "strokeWidth": 1, "opacity": 0.4}
    dot = {"type": "point", "size": 20, "filled": True, "color": PALETTE[0], "opacity": 0.8, "aria": True}
    layers = [
        layer(data, bar, x=_released(), y=amount("lower_80", scale=FREE), y2=end("upper_80")),
        layer(data, dot, x=_released(), y=amount("value", title=y_title, scale=FREE), description=SAID),
    ]
    return layered(layers, title)


@drawn
def costs(points: Rows, title: str, y_title: str) -> dict[str, Any]:
    """Processor `seconds` against `size` on log axes, a line a `series`; dashes and shapes say what colours say."""
    kept = [
        {
            **_only(row, "series", "size", "seconds"),
            "said": f"{row['series']}, {number(row['size'])}: {number(row['seconds'])} seconds",
        }
        for row in points
    ]
    log = {"scale": {**FITTED, "padding": 8}, "axis": {"tickCount": 5, "format": "~g"}}
    x = amount("size", title="number of what is varied", **log)
    return _lines(kept, "series", x, amount("seconds", title=y_title, **log), title)


@drawn
def choices(rows: Rows, title: str) -> dict[str, Any]:
    """What a budget of models buys, in two panels: `models`, `objective`, and test errors `optimal` and `random`."""
    data = [_only(row, "models", "objective", "optimal", "random") for row in rows]
    names = ["optimal", "random"]
    long = [{"models": row["models"], "choice": name, "error": row[name]} for row in data for name in names]
    x = amount("models", title="models evaluated", scale=FREE, axis={"tickCount": 6})
    log = {"scale": FITTED, "axis": {"tickCount": 4, "format": "~g"}}
    line = {"type": "line", "point": True, "strokeWidth": 1.6}
    asked = "choice of families:"
    color = kind("choice", title=asked, scale={"domain": names, "range": PALETTE[:2]})
    dash = kind("choice", title=asked, scale={"domain": names, "range": [[1, 0], [5, 3]]})
    objective = amount("objective", title="summed variance of forecasts", **log)
    error = amount("error", title="test error (mean square)", **log)
    panels = [
        layer(data, {**line, "color": INK}, x=x, y=objective),
        layer(long, line, x=x, y=error, color=color, strokeDash=dash),
    ]
    return stacked([{**panel, "width": WIDTH, "height": 150} for panel in panels], title)


def _looks(column: str, names: Sequence[str], title: str | None = None) -> dict[str, Part]:
    """Colour, dashes and shape of each name: one title for all three makes one legend of them."""

    def look(values: Sequence[Any]) -> Part:
        return kind(column, sort=list(names), title=title, scale={"domain": list(names), "range": list(values)})

    colours, shapes = ([values[i % len(values)] for i in range(len(names))] for values in (PALETTE, SHAPES))
    return {"color": look(colours), "strokeDash": look(DASHES[: len(names)]), "shape": look(shapes)}


def _line(rows: Rows, look: Mapping[str, Part], x: Part, y: Part) -> Part:
    return layer(rows, {"type": "line", "strokeWidth": 1.6}, x=x, y=y, color=look["color"], strokeDash=look["strokeDash"])


def _lines(rows: Rows, column: str, x: Part, y: Part, title: str) -> dict[str, Any]:
    """A line for each name in a column, with a point at each row."""
    look = _looks(column, list(dict.fromkeys(str(row[column]) for row in rows)))
    dot = {"type": "point", "size": 28, "filled": True, "opacity": 0.8, "aria": True}
    dots = layer(rows, dot, x=x, y=y, color=look["color"], shape=look["shape"], description=SAID)
    return layered([_line(rows, look, x, y), dots], title)


def _released() -> Part:
    return amount("year", title="release", scale={**FREE, "padding": 8}, axis=YEARS)


def _only(row: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: short(row[name]) if isinstance(row[name], int | float) else row[name] for name in names}


def _forecast_said(row: Mapping[str, Any]) -> str:
    band = "" if row["lower_80"] is None else f", 80 % interval {number(row['lower_80'])} to {number(row['upper_80'])}"
    what = f"{row['quantity_id']}, " if row.get("quantity_id") else ""
    return what + named(row, observed=row["observed"], median=row["median"]) + band


def _hit(row: Mapping[str, Any]) -> str:
    if row["lower_80"] is None or row["upper_80"] is None:
        return "no interval"
    return "inside" if row["lower_80"] <= row["observed"] <= row["upper_80"] else "outside"
