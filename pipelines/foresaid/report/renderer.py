"""From a chart's specification to SVG: in this process, or in others beside it while this one lays out the pages.

The renderer draws one chart at a time in a process, so charts are drawn side by side only in several. A process that helps loads
this module anew; so it imports little but the renderer. The SVG of a specification does not depend on which process drew it, but
for ids that report/svg.py numbers anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import vl_convert

Order = Callable[[dict[str, Any], str], Callable[[], str]]
"""Order the SVG of a specification in a version of Vega-Lite; what comes back waits for it."""


def svg(spec: dict[str, Any], version: str) -> str:
    """Draw a Vega-Lite specification."""
    drawn: str = vl_convert.vegalite_to_svg(spec, vl_version=version)
    return drawn


@contextmanager
def beside(workers: int) -> Iterator[Order]:
    """Take orders for the time of a block, drawn in so many processes that start with the first; with none, drawn at once.

    An order that is wanted before a process has begun it is drawn in this one.
    """
    pool: Any = None

    def order(spec: dict[str, Any], version: str) -> Callable[[], str]:
        nonlocal pool
        if workers < 1:
            drawn = svg(spec, version)
            return lambda: drawn
        if pool is None:
            # Unlike the standard library's it does not run the caller's script anew; loaded here, since most runs draw nothing.
            from joblib.externals.loky import ProcessPoolExecutor

            pool = ProcessPoolExecutor(workers)
        coming = pool.submit(svg, spec, version)

        def wait() -> str:
            # What no helper has begun is drawn here: who waits would else do nothing.
            return svg(spec, version) if coming.cancel() else str(coming.result())

        return wait

    try:
        yield order
    finally:
        if pool is not None:
            pool.shutdown(kill_workers=True)
