"""Stage `report`: tables in, pages out. It writes the whole site anew, and the same inputs give the same bytes.

No clock is read and no file is found by looking: the footer names the program, the data vintage and the ledger by their
hashes. Text from data is always escaped; the one exception are drawings, made by report/charts.py and by nothing else.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from foresaid import __version__
from foresaid.report import (
    data_page,
    downloads,
    index_page,
    law_page,
    ledger_page,
    model_page,
    revisions_page,
    rolling_origin_page,
)
from foresaid.report.charts import Drawing
from foresaid.report.inputs import Material
from foresaid.report.page import Page
from foresaid.report.sections import hindcast_fits
from foresaid.text import DASH

NAVIGATION = (
    ("index.html", "How good?"),
    ("laws/index.html", "Laws"),
    ("origins.html", "Month by month"),
    ("models/index.html", "Models"),
    ("ledger.html", "Ledger"),
    ("data.html", "Data"),
    ("revisions.html", "Revisions"),
)


def inline(drawing: Drawing) -> Markup:
    """Let a drawing stand in a page as SVG: the only text that is not escaped.

    It is safe because a Drawing is made by `charts.render` alone, which lets nothing through but a list of drawing elements and
    attributes, and because names inside it were escaped when it was made. Anything else is refused here.
    """
    if not isinstance(drawing, Drawing):
        raise TypeError(f"inline: found {type(drawing).__name__}, expected a Drawing made by report/charts.py")
    return Markup(drawing.in_page())


def environment(templates: Path) -> jinja2.Environment:
    """Templates that escape everything and refuse what is not defined.

    `autoescape=True` and not `select_autoescape()`: that goes by the last extension and would leave `.html.j2` unescaped.
    """
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.globals["inline"] = inline
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
        "origin": head.origin if head else DASH,
        "ledger_size": f"{head.size:,}" if head else DASH,
        "ledger_root": ledger_page.root_text(found),
    }


def all_pages(found: Material) -> list[Page]:
    """Every page of the site."""
    laws = law_page.law_pages(found)
    listed = Page("laws/index.html", "laws.html.j2", {"laws": [{**page.values, "href": Path(page.path).name} for page in laws]})
    models = [model_page.model_list(found), *model_page.model_pages(found)]
    return [
        index_page.index(found),
        listed,
        *laws,
        *models,
        ledger_page.ledger(found),
        *ledger_page.forecasts(found),
        rolling_origin_page.page(found),
        data_page.data(found),
        revisions_page.page(found),
    ]


def render(found: Material, templates: Path, commit: str) -> dict[Path, bytes]:
    """Every file of the site, by its place below the top."""
    env = environment(templates)
    foot: dict[str, Any] = footer(found, commit)
    files: dict[Path, bytes] = {}
    for page in all_pages(found):
        text = env.get_template(page.template).render(
            **page.values, root=page.root, here=page.path, navigation=NAVIGATION, footer=foot
        )
        files[Path(page.path)] = text.encode()
    tables = {
        **index_page.downloads(found),
        **model_page.downloads(found),
        **law_page.downloads(found),
        **hindcast_fits.downloads(found),
        **data_page.downloads(found),
        **revisions_page.downloads(found),
        **rolling_origin_page.downloads(found),
    }
    return {**files, **downloads.contents(tables)}
