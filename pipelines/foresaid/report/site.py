"""Stage `report`: tables in, pages out. It writes the whole site anew, and the same inputs give the same bytes.

No clock is read and no file is found by looking: the footer names the program, the data vintage and the ledger by their
hashes. Text from data is always escaped; the one exception are drawings, made by report/charts.py and by nothing else. A page
loads its style and one script, both files of the site (report/assets.py); its policy forbids everything else, and every request.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import polars as pl
from markupsafe import Markup

from foresaid import __version__, parallel
from foresaid.evaluation import modes
from foresaid.report import assets, charts, downloads, ledger_page, mode_check, schemas
from foresaid.report.charts import Drawing
from foresaid.report.inputs import Material
from foresaid.report.page import page_sets
from foresaid.text import DASH

TEMPLATES = Path(__file__).parent / "templates"


def inline(drawing: Drawing) -> Markup:
    """Let a drawing stand in a page as SVG: the only text that is not escaped.

    It is safe because a Drawing is made by `charts.drawn` alone, which lets nothing through but a list of drawing elements and
    attributes, and because names inside it were escaped when it was made. Anything else is refused here.
    """
    if not isinstance(drawing, Drawing):
        raise TypeError(f"inline: found {type(drawing).__name__}, expected a Drawing made by report/charts.py")
    return Markup(drawing.in_page())


class Environment(jinja2.Environment):
    """Templates in which `row.items` is the entry of a row before it is a method of mappings."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        """The entry of a mapping where it has one of that name, else what Jinja finds."""
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)


def printable(value: Any) -> Any:
    """The value itself; raise TypeError for one that a page would print as the place of an object in memory.

    Such a text differs from run to run, so that equal inputs would no longer give equal bytes.

    >>> printable("0.2")
    '0.2'
    >>> printable({}.items)
    Traceback (most recent call last):
    TypeError: found dict.items in a page, expected text or a number
    """
    if isinstance(value, jinja2.Undefined):
        return value
    kind: Any = type(value)
    if callable(value) or (kind.__str__ is object.__str__ and kind.__repr__ is object.__repr__):
        raise TypeError(f"found {getattr(value, '__qualname__', type(value).__name__)} in a page, expected text or a number")
    return value


def environment(own: Path, tables: Mapping[str, pl.DataFrame] | None = None) -> jinja2.Environment:
    """Templates that escape everything and refuse what is not defined; a file in `own` stands in for the package's of that name.

    `tables` are the downloads, so that a page links to the formats a table is offered in; without them, to those of a short one.

    `autoescape=True` and not `select_autoescape()`: that goes by the last extension and would leave `.html.j2` unescaped.
    """
    made = Environment(
        loader=jinja2.FileSystemLoader([own, TEMPLATES]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=printable,
    )
    known = tables or {}
    made.globals["inline"] = inline
    made.globals["dark_charts"] = lambda: Markup(charts.dark_rules())
    made.globals["policy"] = assets.POLICY
    made.globals["description"] = assets.description
    made.globals["modes"] = modes.SAID
    made.globals["offered"] = cache(lambda name: downloads.offered(known.get(name, pl.DataFrame())))
    return made


def footer(found: Material, commit: str) -> dict[str, str]:
    """What every page says of its own origin. There is no time of day in it: equal inputs give equal bytes."""
    head = found.ledger.checkpoint
    return {
        "version": __version__,
        "code": found.code,
        "commit": commit,
        "as_of": found.params.fit_as_of.isoformat(),
        "vintage": found.vintage,
        "repository": found.params.repository,
        "origin": head.origin if head else DASH,
        "ledger_size": f"{head.size:,}" if head else DASH,
        "ledger_root": ledger_page.root_text(found),
    }


def render(found: Material, own: Path, commit: str) -> dict[Path, bytes]:
    """Every file of the site, by its place below the top; `own` is the project's folder of templates."""
    sets = page_sets()
    tables: dict[str, pl.DataFrame] = {}
    for one in sets:
        tables |= one.downloads(found)
    env = environment(own, tables)
    foot: dict[str, Any] = footer(found, commit)
    navigation = [(one.address, one.title) for one in sets if one.title]
    files: dict[Path, bytes] = {}
    pages: dict[str, str] = {}
    for one in parallel.counted(sets, "kinds of pages", len(sets)):
        for page in one.pages(found):
            text = env.get_template(page.template).render(
                **page.values, root=page.root, here=page.path, navigation=navigation, footer=foot
            )
            mode_check.check(page.path, text)
            files[Path(page.path)] = text.encode()
            if page.path.endswith(".html"):
                pages[page.path] = text
        files |= one.files(found)
    held = downloads.contents(tables)
    listed = {downloads.FOLDER / "datapackage.json": downloads.package(tables, held)}
    return {**files, **assets.contents(env, pages), **held, **listed, **schemas.files(tables)}
