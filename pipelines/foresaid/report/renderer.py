"""From a chart's specification to SVG: in this process, or in others beside it while this one lays out the pages.

The renderer draws one chart at a time in a process, so charts are drawn side by side only in several. A process that helps loads
this module anew; so it imports little but the renderer, and what cleans its drawings (report/svg.py). The SVG of a specification
does not depend on which process drew it, but for ids that are numbered anew; nor on the fonts of the machine. The renderer holds
the font in which labels are measured, and would prefer one of the same name that is installed: some hundred times a chart it would
open that file, whose widths may be others.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import vl_convert

from foresaid.report.specification import VERSION
from foresaid.report.svg import clean

Order = Callable[[dict[str, Any], str], Callable[[], str]]
"""Order the drawing of a specification under a title; what comes back waits for it."""
FONT_FOLDERS = "FONTCONFIG_FILE"  # environment variable that names the list of folders with fonts; read at the first drawing


@contextmanager
def _fonts_of_the_renderer() -> Iterator[None]:
    """Let the renderer find no font but its own; what this process starts later, a browser for instance, finds all of them."""
    before = os.environ.get(FONT_FOLDERS)
    os.environ[FONT_FOLDERS] = str(Path(__file__).parent / "fonts/fonts.conf")
    try:
        yield
    finally:
        if before is None:
            del os.environ[FONT_FOLDERS]
        else:
            os.environ[FONT_FOLDERS] = before


def svg(spec: dict[str, Any], title: str) -> str:
    """Draw a Vega-Lite specification, as a page may hold it."""
    with _fonts_of_the_renderer():
        drawn = vl_convert.vegalite_to_svg(spec, vl_version=VERSION)
    return clean(drawn, title)


@dataclass
class _Ordered:
    """A drawing that a process beside may make; once this one takes it back, `here` is what was drawn."""

    spec: dict[str, Any]
    title: str
    coming: Any
    here: str = ""

    def taken_back(self) -> bool:
        """Draw it in this process, unless another has begun or it was drawn here before; return whether it was."""
        if self.here or not self.coming.cancel():
            return False
        self.here = svg(self.spec, self.title)
        return True


def _fetched(one: _Ordered, orders: list[_Ordered]) -> str:
    if not one.taken_back():
        while not one.here and not one.coming.done() and orders:
            orders.pop().taken_back()
    return one.here or str(one.coming.result())


@contextmanager
def beside(workers: int) -> Iterator[Order]:
    """Take orders for the time of a block, drawn in so many processes that start with the first; with none, drawn at once.

    Who waits would else do nothing: an order that is wanted before a process has begun it is drawn in this one, and while a
    process is at one that is wanted, those that were ordered last.
    """
    pool: Any = None
    orders: list[_Ordered] = []

    def order(spec: dict[str, Any], title: str) -> Callable[[], str]:
        nonlocal pool
        if workers < 1:
            drawn = svg(spec, title)
            return lambda: drawn
        if pool is None:
            # Unlike the standard library's it does not run the caller's script anew; loaded here, since most runs draw nothing.
            from joblib.externals.loky import ProcessPoolExecutor

            pool = ProcessPoolExecutor(workers)
        orders.append(_Ordered(spec, title, pool.submit(svg, spec, title)))
        return partial(_fetched, orders[-1], orders)

    try:
        yield order
    finally:
        if pool is not None:
            pool.shutdown(kill_workers=True)
