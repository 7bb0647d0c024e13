"""Stage `report`: tables in, pages out. It writes the whole site anew, and the same inputs give the same bytes.

No clock is read and no file is found by looking: the footer names the program, the data vintage and the ledger by their
hashes. A page loads its style and one script, both files of the site (report/assets.py); its policy forbids everything else, and
every request. Pages and downloads whose data did not change are taken from what an earlier run kept (report/kept_pages.py).
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from foresaid import __version__, parallel
from foresaid.report import assets, downloads, ledger_page, schemas
from foresaid.report.environment import environment
from foresaid.report.inputs import Material
from foresaid.report.kept import Kept
from foresaid.report.kept_pages import Renderer
from foresaid.report.page import page_sets
from foresaid.text import DASH


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


def render(found: Material, own: Path, commit: str, kept: Kept) -> dict[Path, bytes]:
    """Every file of the site by its place below the top; `own` are the project's templates, `kept` what was made before."""
    sets = page_sets()
    # All charts are ordered first, and nothing waits for one until the first page is rendered: others draw meanwhile.
    built = [(one, one.pages(found)) for one in sets]
    tables: dict[str, pl.DataFrame] = {}
    for one in sets:
        tables |= one.downloads(found)
    held = downloads.contents(tables, kept)
    offers = downloads.offers(tables, held)
    env = environment(own, offers)
    navigation = [(one.address, one.title) for one in sets if one.title]
    renderer = Renderer(env, kept, {"navigation": navigation, "footer": footer(found, commit)}, offers)
    files: dict[Path, bytes] = {}
    pages: dict[str, str] = {}
    for one, own_pages in parallel.counted(built, "kinds of pages", len(sets)):
        for page in own_pages:
            text = renderer.text(page)
            files[Path(page.path)] = text.encode()
            if page.path.endswith(".html"):
                pages[page.path] = text
        files |= one.files(found)
    listed = {downloads.FOLDER / "datapackage.json": downloads.package(tables, offers, held)}
    return {**files, **assets.contents(env, pages), **held, **listed, **schemas.files(tables)}
