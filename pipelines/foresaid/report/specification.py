"""What all charts share: the site's type and colours, and the words in which a Vega-Lite specification is written.

A specification is written as plain mappings straight away. A library that builds them from objects copies every part for every
setting, and checking one against Vega-Lite's schema takes longer than drawing it: a test checks one of every kind of chart, and
the renderer refuses what it cannot draw.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

Rows = Sequence[Mapping[str, Any]]
Part = dict[str, Any]

VERSION = "6.4"  # of Vega-Lite
SCHEMA = f"https://vega.github.io/schema/vega-lite/v{VERSION}.1.json"
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
DASHES = [[1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [4, 1], [1, 3]]

TEXT = {"labelColor": INK, "titleColor": INK, "labelFontSize": 15, "titleFontSize": 15, "titleFontWeight": 400}
CONFIG: dict[str, Any] = {
    "font": FONT, "aria": False, "background": PAPER, "padding": {"left": 26, "top": 8, "right": 8, "bottom": 8},
    "axis": {**TEXT, "gridColor": GRID, "domainColor": SOFT, "tickColor": SOFT, "titlePadding": 8},
    "view": {"continuousWidth": 300, "continuousHeight": 300, "stroke": None},
    "legend": {**TEXT, "orient": "top", "labelLimit": 200, "columns": 2, "columnPadding": 18},
}  # fmt: skip


def amount(column: str, **more: Any) -> Part:
    """A column of numbers, as an axis or another channel shows it."""
    return {"field": column, "type": "quantitative", **more}


def kind(column: str, **more: Any) -> Part:
    """A column of words, each of which stands for itself."""
    return {"field": column, "type": "nominal", **more}


def end(column: str) -> Part:
    """The other end of a bar or band; it is shown on the axis of the first."""
    return {"field": column}


SAID = kind("said")  # what a point says of itself


def layer(values: Rows, mark: Mapping[str, Any], name: str = "", /, **encoding: Part) -> Part:
    """One kind of mark for every row."""
    called = {"name": name} if name else {}
    return {**called, "data": {"values": list(values)}, "mark": dict(mark), "encoding": encoding}


def layered(layers: Sequence[Part], title: str, **size: Any) -> dict[str, Any]:
    """The specification of layers that share their axes; the page says the title above it."""
    return _whole({"layer": list(layers), "width": WIDTH, "height": HEIGHT, **size}, title)


def stacked(panels: Sequence[Part], title: str) -> dict[str, Any]:
    """The specification of panels below each other."""
    return _whole({"vconcat": list(panels), "spacing": 24}, title)


def _whole(parts: Part, title: str) -> dict[str, Any]:
    return {"$schema": SCHEMA, "config": CONFIG, "description": title, **parts}


def dark_rules() -> str:
    """The style rules that give a drawing its dark colours: a rule outweighs the attribute that holds the light one."""
    lines = (f'figure svg [{part}="{light}"] {{ {part}: {dark}; }}' for light, dark in DARK.items() for part in ("fill", "stroke"))
    return "@media (prefers-color-scheme: dark) {\n  " + "\n  ".join(lines) + "\n}"


def short(value: object) -> float | None:
    """A number in six digits: what a pixel cannot show must not reach the bytes."""
    return float(f"{value:.6g}") if isinstance(value, int | float) and math.isfinite(value) else None


def number(value: object) -> str:
    """A number as a point says it."""
    return f"{value:.4g}" if isinstance(value, int | float) and math.isfinite(value) else "none"


def dated(year: float) -> str:
    """The month of a time in years.

    >>> dated(2024.1612)
    '2024-02'
    """
    return f"{int(year)}-{min(int(year % 1 * 12) + 1, 12):02d}"


def named(row: Mapping[str, Any], **values: Any) -> str:
    """What a point says of itself: its name, where its row has one, and its values by their words."""
    name = row.get("name") or row.get("subject_id") or ""
    said = ", ".join(f"{key} {dated(value) if key == 'released' else number(value)}" for key, value in values.items())
    return f"{name}: {said}" if name else said
