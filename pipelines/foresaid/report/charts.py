"""Charts as inline SVG: drawn once, without a browser, a network or a script, and with the same bytes every time.

A chart is a Vega-Lite specification made from plain rows and turned into SVG by report/renderer.py; report/svg.py cleans what
comes out. Shapes and fills carry what colours say, so that every chart can be read in grey; a point says what it is in a
`<title>`, which a pointer shows. A chart is so narrow that its letters can be read on a phone. Charts whose data did not change
are kept between runs (`kept_in`).
"""

from __future__ import annotations

import importlib
import inspect
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache, cached_property, wraps
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec

from markupsafe import escape

from foresaid.report.kept import Kept, name_of, program
from foresaid.report.renderer import Order, beside, svg
from foresaid.report.svg import clean, unique_ids

if TYPE_CHECKING:
    import altair as alt
else:

    class _Later:
        """altair, loaded with the first chart that is specified: most runs read all they show, and it takes half a second."""

        def __getattr__(self, name: str) -> Any:
            return getattr(importlib.import_module("altair"), name)

    alt = _Later()

Rows = Sequence[Mapping[str, Any]]
CLEANING = ("report/svg.py",)
WIDTH, HEIGHT = 460, 290
FONT = "Liberation Sans"  # ships inside vl-convert: labels are measured alike on every machine
INK, SOFT, BAND, GRID = "#1d2327", "#5b6770", "#c3ccd3", "#e4e8eb"
PALETTE = ["#0b5a8a", "#c2571a", "#4f7a28", "#7a4b94", "#1d2327", "#8a6d00"]
PAPER = "#ffffff"
BLUE = "#4c78a8"  # the renderer's own colour of a legend's sign
DARK = {
    INK: "#e3e7ea", SOFT: "#a2adb5", BAND: "#3d4a54", GRID: "#2a3238", PAPER: "#14181b", BLUE: "#6fb7e6",
    "#0b5a8a": "#6fb7e6", "#c2571a": "#f0935a", "#4f7a28": "#94c56a", "#7a4b94": "#c79ae0", "#8a6d00": "#d9bb4a",
}  # fmt: skip
SHAPES = ["circle", "square", "triangle-up", "diamond", "cross", "triangle-down"]


@dataclass(frozen=True)
class Drawing:
    """A chart. Only `drawn` makes one, from what `clean` lets pass: that is why a page may print its text unescaped.

    `key` is the digest of its rows and code, by which a page that shows it is found again without drawing it.
    """

    finished: Callable[[], str]
    title: str
    key: str

    @cached_property
    def svg(self) -> str:
        """The finished drawing; waits for one that another process makes."""
        return self.finished()

    def in_page(self) -> str:
        """The title and below it the SVG, with ids of its own, since several drawings share a page.

        The title is text of the page and no part of the drawing: it breaks into lines as the page is wide.
        """
        drawing = unique_ids(self.svg, f"c{sha256(self.svg.encode()).hexdigest()[:8]}")
        return f'<p class="title">{escape(self.title)}</p>{drawing}'


@dataclass(frozen=True)
class _Charts:
    """The charts of a block: what is kept of earlier ones, who draws, and what was ordered and has not been fetched."""

    kept: Kept
    order: Order
    coming: dict[str, Callable[[], str]] = field(default_factory=dict)
    unfinished: list[Drawing] = field(default_factory=list)


_CHARTS: ContextVar[_Charts | None] = ContextVar("charts made before, and those asked for", default=None)
P = ParamSpec("P")


@contextmanager
def kept_in(folder: Path, workers: int = 0) -> Iterator[None]:
    """Keep charts in a folder for the time of a block: one whose data and code are as before is read and not made again.

    Others are made in so many processes beside this one, and here with none. What no chart of the block asked for is removed at
    its end, so that the folder does not grow. A failed block removes nothing.
    """
    with beside(workers) as order:
        charts = _Charts(Kept(folder), order)
        token = _CHARTS.set(charts)
        try:
            yield
            for one in charts.unfinished:
                _ = one.svg
            charts.kept.drop_unused()
        finally:
            _CHARTS.reset(token)


def drawn(build: Callable[P, dict[str, Any]]) -> Callable[P, Drawing]:
    """Make a drawing of a function that gives a specification; its argument `title` is also the text for screen readers.

    A chart is found again by the SHA-256 of its function, its arguments, its file, this one and those that clean what is drawn, and
    the versions of the libraries. What is kept passed `clean` and carries its own digest (report/kept.py).
    """
    signature = inspect.signature(build)

    def specified(*args: P.args, **kwargs: P.kwargs) -> dict[str, Any]:
        from altair.utils.schemapi import debug_mode

        with debug_mode(False):  # `render` checks the whole against the schema; altair would check each part of it as well
            return build(*args, **kwargs)

    @wraps(build)
    def made(*args: P.args, **kwargs: P.kwargs) -> Drawing:
        asked = signature.bind(*args, **kwargs)
        title = str(asked.arguments["title"])
        stated = json.dumps([build.__name__, _code(inspect.getfile(build)), asked.arguments], default=str, sort_keys=True)
        key, charts = name_of(program(CLEANING, ()), stated.encode()), _CHARTS.get()

        def finished() -> str:
            if charts is not None and key in charts.coming:
                return clean(charts.coming.pop(key)(), title)
            return clean(svg(specified(*args, **kwargs), _version()), title)

        if charts is None:
            whole = finished()
            return Drawing(lambda: whole, title, key)
        kept = charts.kept
        drawing = Drawing(lambda: kept.of(key, lambda: {"svg": finished().encode()})["svg"].decode(), title, key)
        if not kept.has(key):
            if key not in charts.coming:
                charts.coming[key] = charts.order(specified(*args, **kwargs), _version())
            charts.unfinished.append(drawing)
        return drawing

    return made


@cache
def _code(file: str) -> list[str]:
    digests = [sha256(Path(one).read_bytes()).hexdigest() for one in (__file__, file)]
    return [*digests, version("altair"), version("vl-convert-python")]


@drawn
def forecast_against_outcome(rows: Rows, title: str, unit: str) -> dict[str, Any]:
    """Forecast medians with 80 % bars over outcomes: `observed`, `median`, `lower_80`, `upper_80` of each row, in `unit`.

    `subject_id` and `quantity_id`, where a row has them, name the point. On the diagonal the forecast was right; a hollow point is
    an outcome outside its bar.
    """
    data = [
        {**_only(row, "observed", "median", "lower_80", "upper_80"), "hit": _hit(row), "said": _forecast_said(row)} for row in rows
    ]
    ends = [float(row[name]) for row in data for name in ("observed", "median", "lower_80", "upper_80") if row[name] is not None]
    low, high = (min(ends), max(ends)) if ends else (0.0, 1.0)
    scale = alt.Scale(domain=[0, 1] if low >= 0 and 0.5 < high <= 1 else [low, high], nice=True)
    base = alt.Chart(_data(data))
    x = alt.X("observed:Q", title=f"observed ({unit})", scale=scale)
    diagonal = alt.Chart(_data([{"v": _short(v)} for v in (scale.domain[0], scale.domain[1])])).mark_line(
        color=SOFT, strokeDash=[4, 3], strokeWidth=1
    )
    bars = base.mark_rule(color=SOFT, strokeWidth=1, opacity=0.55).encode(x=x, y="lower_80:Q", y2="upper_80:Q")
    points = base.mark_point(size=34, strokeWidth=1.2, color=PALETTE[0], opacity=0.95, aria=True).encode(
        x=x,
        description="said:N",
        y=alt.Y("median:Q", title=f"forecast, with 80 % interval ({unit})", scale=scale),
        fill=_hit_fill(),
    )
    return render(alt.layer(diagonal.encode(x="v:Q", y="v:Q"), bars, points), title)


@drawn
def fitted_curve(points: Rows, grid: Rows, title: str, x_title: str, y_title: str, log: bool = False) -> dict[str, Any]:
    """Rows a law was fitted to, its median curve and its 80 % band.

    `points` have x, observed, median, lower_80, upper_80; `grid` has x, median, lower_80, upper_80 and may be empty: a law with
    several covariates has no single axis, and its bands are then drawn at each point. `log` draws x on the log scale.
    """
    wanted = ("x", "observed", "median", "lower_80", "upper_80")
    seen = [{**_only(row, *wanted), "said": named(row, observed=row["observed"], median=row["median"])} for row in points]
    drawn = [_only(row, *wanted[0:1], *wanted[2:]) for row in (grid or points)]
    drawn.sort(key=lambda row: float(row["x"]))
    xs = [float(row["x"]) for row in [*seen, *drawn]]
    log = log and min(xs, default=0.0) > 0
    scale = alt.Scale(type="log", nice=False) if log else alt.Scale(zero=False, nice=False, padding=6)
    x = alt.X("x:Q", title=x_title, scale=scale, axis=alt.Axis(format="~e", tickCount=6) if log else alt.Axis(tickCount=7))
    y_scale = alt.Scale(zero=False)
    under = alt.Chart(_data(drawn))
    if grid:
        band = under.mark_area(color=BAND, opacity=0.75).encode(x=x, y=alt.Y("lower_80:Q", scale=y_scale), y2="upper_80:Q")
        line = under.mark_line(color=INK, strokeWidth=1.6).encode(x=x, y=alt.Y("median:Q", scale=y_scale))
    else:
        band = under.mark_rule(color=BAND, strokeWidth=3).encode(x=x, y=alt.Y("lower_80:Q", scale=y_scale), y2="upper_80:Q")
        line = under.mark_tick(color=INK, orient="horizontal", size=6, thickness=1.4).encode(
            x=x, y=alt.Y("median:Q", scale=y_scale)
        )
    dots = (
        alt.Chart(_data(seen))
        .mark_point(size=20, filled=True, color=PALETTE[0], opacity=0.8, aria=True)
        .encode(x=x, y=alt.Y("observed:Q", title=y_title, scale=y_scale), description="said:N")
    )
    return render(alt.layer(band, line, dots), title)


@drawn
def profile(values: Sequence[float], rms: Sequence[float], forecast: Sequence[float], admissible: Sequence[bool], title: str,
            parameter: str) -> dict[str, Any]:  # fmt: skip
    """How well each value of a parameter fits, and what it forecasts; values the rows cannot tell apart are shaded."""
    rows = [{"v": _short(v), "rms": _short(r), "forecast": _short(f)} for v, r, f in zip(values, rms, forecast, strict=True)]
    inside = [float(v) for v, ok in zip(values, admissible, strict=True) if ok]
    log = min(values, default=0.0) > 0 and max(values) / min(values) > 8
    scale = alt.Scale(type="log", nice=False) if log else alt.Scale(zero=False, nice=False)
    x = alt.X("v:Q", title=f"fixed value of the parameter {parameter}", scale=scale, axis=alt.Axis(format="~g", tickCount=6))
    region = [{"from": _short(min(inside)), "to": _short(max(inside))}] if inside else []
    parts = []
    for column, words, dash in (("rms", "root mean square error", [1, 0]), ("forecast", "forecast", [5, 2])):
        shade = alt.Chart(_data(region)).mark_rect(color=BAND, opacity=0.6)
        line = alt.Chart(_data(rows)).mark_line(color=INK, strokeWidth=1.6, strokeDash=dash)
        layers = [shade.encode(x=alt.X("from:Q", scale=scale), x2="to:Q")] if region else []
        y = alt.Y(f"{column}:Q", title=words, scale=alt.Scale(zero=False), axis=alt.Axis(tickCount=5))
        parts.append(alt.layer(*layers, line.encode(x=x, y=y)).properties(width=WIDTH, height=130))
    return render(alt.vconcat(*parts, spacing=24), title)


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
    step = alt.Step(15)  # for each law; a quantity takes as many
    ends = [float(row[name]) for row in data for name in fields[2:] if row[name] is not None]
    scale = alt.Scale(domain=[0, 1]) if ends and min(ends) >= 0 and 0.3 < max(ends) <= 1 else alt.Scale(zero=False)
    y = alt.Y("quantity:N", title=None, sort=None, axis=alt.Axis(labelLimit=190, domain=False, ticks=False))
    offset = alt.YOffset("law:N", sort=laws, scale=alt.Scale(paddingOuter=0.2))
    base = alt.Chart(_data(data), height=step).encode(
        y=y,
        yOffset=offset,
        color=alt.Color("law:N", sort=laws, title=None, scale=alt.Scale(domain=laws, range=_cycle(PALETTE, len(laws)))),
    )
    bars = base.mark_rule(strokeWidth=2, opacity=0.7).encode(x=alt.X("lower_80:Q", scale=scale), x2="upper_80:Q")
    shape = alt.Shape("law:N", sort=laws, title=None, scale=alt.Scale(domain=laws, range=_cycle(SHAPES, len(laws))))
    marks = base.mark_point(size=36, filled=True, opacity=1, aria=True).encode(
        description="said:N",
        x=alt.X("median:Q", title=["forecast median and 80 % interval;", f"tall tick: observed ({unit})"], scale=scale),
        shape=shape,
    )
    truth = (
        alt.Chart(_data(outcomes), height=step)
        .mark_tick(color=INK, thickness=2.4, size=15 * len(laws))
        .encode(y=y, x=alt.X("observed:Q", scale=scale))
    )
    return render(alt.layer(bars, marks, truth).properties(width=WIDTH - 150), title, sized=False)


@drawn
def example(points: Rows, lines: Rows, title: str, x_title: str) -> dict[str, Any]:
    """One simulated experiment: scores over loss with a fitted curve for each `size` (points and lines: size, loss, score)."""
    sizes = list(dict.fromkeys(str(row["size"]) for row in lines))
    title_of = "fine-tuning examples:"  # one title for colour, dash and shape makes one legend of them
    shade = alt.Scale(domain=sizes, range=_cycle(PALETTE, len(sizes)))
    x, y = alt.X("loss:Q", title=x_title, scale=alt.Scale(zero=False)), alt.Y("score:Q", title="score", scale=alt.Scale(zero=False))
    color = alt.Color("size:N", sort=sizes, title=title_of, scale=shade)
    dashes = [[1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [4, 1], [1, 3]]
    dash = alt.StrokeDash("size:N", sort=sizes, title=title_of, scale=alt.Scale(domain=sizes, range=dashes[: len(sizes)]))
    shape = alt.Shape("size:N", sort=sizes, title=title_of, scale=alt.Scale(domain=sizes, range=_cycle(SHAPES, len(sizes))))
    kept = [_only(row, "size", "loss", "score") for row in lines]
    curves = alt.Chart(_data(kept)).mark_line(strokeWidth=1.6).encode(x=x, y=y, color=color, strokeDash=dash)
    seen = [_only(row, "size", "loss", "score") for row in points]
    dots = alt.Chart(_data(seen)).mark_point(size=20, filled=True, opacity=0.7).encode(x=x, y=y, color=color, shape=shape)
    return render(alt.layer(curves, dots), title)


@drawn
def over_time(points: Rows, title: str, y_title: str) -> dict[str, Any]:
    """A line a `method` over the `year` of its origin: `value`; dashes and shapes say what colours say."""
    kept = [
        {**_only(row, "method", "year", "value"), "said": f"{row['method']}, {_dated(row['year'])}: {_number(row['value'])}"}
        for row in points
    ]
    names = list(dict.fromkeys(str(row["method"]) for row in kept))
    dashes = [[1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [4, 1], [1, 3]]
    color = alt.Color("method:N", sort=names, title=None, scale=alt.Scale(domain=names, range=_cycle(PALETTE, len(names))))
    shape = alt.Shape("method:N", sort=names, title=None, scale=alt.Scale(domain=names, range=_cycle(SHAPES, len(names))))
    dash = alt.StrokeDash("method:N", sort=names, title=None, scale=alt.Scale(domain=names, range=dashes[: len(names)]))
    x = alt.X("year:Q", title="origin", scale=alt.Scale(zero=False), axis=alt.Axis(format=".0f", tickMinStep=1))
    y = alt.Y("value:Q", title=y_title)
    line = alt.Chart(_data(kept)).mark_line(strokeWidth=1.6).encode(x=x, y=y, color=color, strokeDash=dash)
    marks = alt.Chart(_data(kept)).mark_point(size=28, filled=True, opacity=0.8, aria=True)
    dots = marks.encode(x=x, y=y, color=color, shape=shape, description="said:N")
    return render(alt.layer(line, dots), title)


@drawn
def frontier(points: Rows, title: str, y_title: str) -> dict[str, Any]:
    """Scores over the `year` of release, and as a step line the best `value` so far, which each row holds as `best`.

    `name`, where a row has it, is the model.
    """
    kept = [{**_only(row, "year", "value", "best"), "said": named(row, released=row["year"], value=row["value"])} for row in points]
    x = alt.X("year:Q", title="release", scale=alt.Scale(zero=False, padding=8), axis=alt.Axis(format=".0f", tickMinStep=1))
    line = alt.Chart(_data(kept)).mark_line(color=INK, strokeWidth=1.6, interpolate="step-after")
    dots = alt.Chart(_data(kept)).mark_point(size=22, filled=True, color=PALETTE[0], opacity=0.7, aria=True)
    scale = alt.Scale(zero=False)
    best = line.encode(x=x, y=alt.Y("best:Q", scale=scale))
    y = alt.Y("value:Q", title=y_title, scale=scale)
    return render(alt.layer(best, dots.encode(x=x, y=y, description="said:N")), title)


@drawn
def index_over_time(points: Rows, title: str, y_title: str) -> dict[str, Any]:
    """An index over the `year` of release: `value` with its 80 % interval from `lower_80` to `upper_80`.

    `name`, where a row has it, is the model.
    """
    data = [
        {**_only(row, "year", "value", "lower_80", "upper_80"), "said": named(row, released=row["year"], value=row["value"])}
        for row in points
    ]
    base = alt.Chart(_data(data))
    x = alt.X("year:Q", title="release", scale=alt.Scale(zero=False, padding=8), axis=alt.Axis(format=".0f", tickMinStep=1))
    scale = alt.Scale(zero=False)
    bars = base.mark_rule(color=SOFT, strokeWidth=1, opacity=0.4).encode(x=x, y=alt.Y("lower_80:Q", scale=scale), y2="upper_80:Q")
    dots = base.mark_point(size=20, filled=True, color=PALETTE[0], opacity=0.8, aria=True)
    y = alt.Y("value:Q", title=y_title, scale=scale)
    return render(alt.layer(bars, dots.encode(x=x, y=y, description="said:N")), title)


@drawn
def costs(points: Rows, title: str, y_title: str) -> dict[str, Any]:
    """Processor `seconds` against `size` on log axes, a line a `series`; dashes and shapes say what colours say."""
    kept = [
        {
            **_only(row, "series", "size", "seconds"),
            "said": f"{row['series']}, {_number(row['size'])}: {_number(row['seconds'])} seconds",
        }
        for row in points
    ]
    names = list(dict.fromkeys(str(row["series"]) for row in kept))
    dashes = [[1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [4, 1], [1, 3]]
    color = alt.Color("series:N", sort=names, title=None, scale=alt.Scale(domain=names, range=_cycle(PALETTE, len(names))))
    shape = alt.Shape("series:N", sort=names, title=None, scale=alt.Scale(domain=names, range=_cycle(SHAPES, len(names))))
    dash = alt.StrokeDash("series:N", sort=names, title=None, scale=alt.Scale(domain=names, range=dashes[: len(names)]))
    log, axis = alt.Scale(type="log", nice=False, padding=8), alt.Axis(tickCount=5, format="~g")
    x, y = (
        alt.X("size:Q", title="number of what is varied", scale=log, axis=axis),
        alt.Y("seconds:Q", title=y_title, scale=log, axis=axis),
    )
    line = alt.Chart(_data(kept)).mark_line(strokeWidth=1.6).encode(x=x, y=y, color=color, strokeDash=dash)
    marks = alt.Chart(_data(kept)).mark_point(size=28, filled=True, opacity=0.8, aria=True)
    dots = marks.encode(x=x, y=y, color=color, shape=shape, description="said:N")
    return render(alt.layer(line, dots), title)


@drawn
def choices(rows: Rows, title: str) -> dict[str, Any]:
    """What a budget of models buys, in two panels: `models`, `objective`, and test errors `optimal` and `random`."""
    data = [_only(row, "models", "objective", "optimal", "random") for row in rows]
    x = alt.X("models:Q", title="models evaluated", scale=alt.Scale(zero=False), axis=alt.Axis(tickCount=6))
    log = alt.Scale(type="log", nice=False)
    axis = alt.Axis(tickCount=4, format="~g")
    line = alt.Chart(_data(data)).mark_line(color=INK, point=True, strokeWidth=1.6)
    left = line.encode(x=x, y=alt.Y("objective:Q", title="summed variance of forecasts", scale=log, axis=axis))
    long = [{"models": row["models"], "choice": kind, "error": row[kind]} for row in data for kind in ("optimal", "random")]
    kinds = alt.Scale(domain=["optimal", "random"], range=_cycle(PALETTE, 2))
    color = alt.Color("choice:N", title="choice of families:", scale=kinds)
    dash = alt.StrokeDash(
        "choice:N", title="choice of families:", scale=alt.Scale(domain=["optimal", "random"], range=[[1, 0], [5, 3]])
    )
    y = alt.Y("error:Q", title="test error (mean square)", scale=log, axis=axis)
    right = alt.Chart(_data(long)).mark_line(point=True, strokeWidth=1.6).encode(x=x, y=y, color=color, strokeDash=dash)
    size = {"width": WIDTH, "height": 150}
    return render(alt.vconcat(left.properties(**size), right.properties(**size), spacing=24), title)


# The site's type and colours. They go into the finished specification: altair copies a whole chart for every part of a setting.
TEXT = {"labelColor": INK, "titleColor": INK, "labelFontSize": 15, "titleFontSize": 15, "titleFontWeight": 400}
CONFIG: dict[str, Any] = {
    "font": FONT, "aria": False, "background": PAPER, "padding": {"left": 26, "top": 8, "right": 8, "bottom": 8},
    "axis": {**TEXT, "gridColor": GRID, "domainColor": SOFT, "tickColor": SOFT, "titlePadding": 8},
    "view": {"stroke": None},
    "legend": {**TEXT, "orient": "top", "labelLimit": 200, "columns": 2, "columnPadding": 18},
}  # fmt: skip


def render(chart: Any, title: str, sized: bool = True) -> dict[str, Any]:
    """Return the Vega-Lite specification of a chart in the site's type and colours; the page says its title above it."""
    spec: dict[str, Any] = _with_rows(chart.to_dict())
    if sized and "vconcat" not in spec:
        spec |= {"width": WIDTH, "height": HEIGHT}
    config = spec.get("config", {})
    spec["config"] = {**config, **CONFIG, "view": {**config.get("view", {}), **CONFIG["view"]}}
    return {**spec, "description": title}


def dark_rules() -> str:
    """The style rules that give a drawing its dark colours: a rule outweighs the attribute that holds the light one."""
    lines = (f'figure svg [{part}="{light}"] {{ {part}: {dark}; }}' for light, dark in DARK.items() for part in ("fill", "stroke"))
    return "@media (prefers-color-scheme: dark) {\n  " + "\n  ".join(lines) + "\n}"


class _Name(str):
    """What stands for rows in a specification until it is whole: altair would copy and check them for every layer of a chart."""

    rows: list[Mapping[str, Any]]


def _data(values: Rows) -> Any:
    rows = list(values)
    name = _Name(sha256(json.dumps(rows, default=str).encode()).hexdigest())
    name.rows = rows
    return alt.Data(values=name)  # type: ignore[no-untyped-call]  # altair does not type its data classes


def _with_rows(part: Any) -> Any:
    if isinstance(part, dict):
        return {key: _with_rows(value) for key, value in part.items()}
    if isinstance(part, list):
        return [_with_rows(value) for value in part]
    return part.rows if isinstance(part, _Name) else part


def _version() -> str:
    return ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])


def _short(value: object) -> float | None:
    # What a pixel cannot show must not reach the bytes.
    return float(f"{value:.6g}") if isinstance(value, int | float) and math.isfinite(value) else None


def _only(row: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: _short(row[name]) if isinstance(row[name], int | float) else row[name] for name in names}


def _number(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, int | float) and math.isfinite(value) else "none"


def _dated(year: float) -> str:
    return f"{int(year)}-{min(int(year % 1 * 12) + 1, 12):02d}"


def named(row: Mapping[str, Any], **values: Any) -> str:
    """What a point says of itself: its name, where its row has one, and its values by their words."""
    name = row.get("name") or row.get("subject_id") or ""
    said = ", ".join(f"{key} {_dated(value) if key == 'released' else _number(value)}" for key, value in values.items())
    return f"{name}: {said}" if name else said


def _forecast_said(row: Mapping[str, Any]) -> str:
    band = "" if row["lower_80"] is None else f", 80 % interval {_number(row['lower_80'])} to {_number(row['upper_80'])}"
    what = f"{row['quantity_id']}, " if row.get("quantity_id") else ""
    return what + named(row, observed=row["observed"], median=row["median"]) + band


def _hit(row: Mapping[str, Any]) -> str:
    if row["lower_80"] is None or row["upper_80"] is None:
        return "no interval"
    return "inside" if row["lower_80"] <= row["observed"] <= row["upper_80"] else "outside"


def _hit_fill() -> alt.Fill:
    kinds = alt.Scale(domain=["inside", "outside"], range=[PALETTE[0], PAPER])
    return alt.Fill("hit:N", title="80 % interval:", scale=kinds)


def _cycle(values: list[str], n: int) -> list[str]:
    return [values[i % len(values)] for i in range(n)]
