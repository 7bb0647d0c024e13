"""A drawing of a page: made from a chart's specification once, kept between runs, and drawn beside this process where it is not.

Charts are functions that give a specification (report/charts.py, report/forecast_charts.py); `drawn` makes drawings of them. The
renderer (report/renderer.py) draws and cleans. Charts whose data did not change are kept between runs (`kept_in`).
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache, cached_property, wraps
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any, ParamSpec

from markupsafe import escape

from foresaid.report import specification
from foresaid.report.kept import Kept, name_of, program
from foresaid.report.renderer import Order, beside, svg
from foresaid.report.svg import unique_ids

CLEANING = ("report/svg.py",)


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

    A chart is found again by the SHA-256 of its function, its arguments, its file, that of what all specifications share and those
    that clean what is drawn, and the version of the renderer. What is kept passed `clean` and carries its own digest
    (report/kept.py).
    """
    signature = inspect.signature(build)

    @wraps(build)
    def made(*args: P.args, **kwargs: P.kwargs) -> Drawing:
        asked = signature.bind(*args, **kwargs)
        title = str(asked.arguments["title"])
        stated = json.dumps([build.__name__, _code(inspect.getfile(build)), asked.arguments], default=str, sort_keys=True)
        key, charts = name_of(program(CLEANING, ()), stated.encode()), _CHARTS.get()

        def finished() -> str:
            if charts is not None and key in charts.coming:
                return charts.coming.pop(key)()
            return svg(build(*args, **kwargs), title)

        if charts is None:
            whole = finished()
            return Drawing(lambda: whole, title, key)
        kept = charts.kept
        drawing = Drawing(lambda: kept.of(key, lambda: {"svg": finished().encode()})["svg"].decode(), title, key)
        if not kept.has(key):
            if key not in charts.coming:
                charts.coming[key] = charts.order(build(*args, **kwargs), title)
            charts.unfinished.append(drawing)
        return drawing

    return made


@cache
def _code(file: str) -> list[str]:
    shared = (__file__, inspect.getfile(specification), inspect.getfile(svg))
    return [*(sha256(Path(one).read_bytes()).hexdigest() for one in (*shared, file)), version("vl-convert-python")]
