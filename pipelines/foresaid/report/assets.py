"""What the pages share and load: the style, the script, the icon, and the index by which a reader searches the site.

Each stands once below assets/ and not in every page, so that a thousand pages weigh what they say. They are files of the site:
a page's policy lets it load nothing from anywhere else. The index is a script, since a page opened from the disk may load a script
and may not read a file. It is read off the finished pages, so that a new kind of page is found without saying so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

import jinja2
from markupsafe import Markup

ASSETS = Path("assets")
INDEX = ASSETS / "index.js"
COPIED = ("site.js", "favicon.svg")
DESCRIBED = 200  # characters of a description: what a preview shows
# `file:` is for pages opened from the disk, where some browsers hold every file for a site of its own.
POLICY = (
    "default-src 'none'; style-src 'self' file:; script-src 'self' file:; img-src 'self' file:; base-uri 'none'; form-action 'none'"
)
KINDS = {
    "benchmarks": "benchmark", "laws": "law", "models": "model", "forecasts": "forecast", "targets": "forecast", "makers": "maker",
    "authors": "author", "rounds": "round",
}  # fmt: skip
HEADING = re.compile(r"<h1[^>]*>(.*?)</h1>", re.DOTALL)
LEAD = re.compile(r'<p class="lead"[^>]*>(.*?)</p>', re.DOTALL)
MARKED = re.compile(r'<\w+[^>]* id="([^"]*)"[^>]* data-search="([^"]*)"')


def _said(pattern: re.Pattern[str], page: str) -> str:
    found = pattern.search(page)
    return str(Markup(found[1]).striptags()) if found else ""


def description(page: str) -> str:
    """The lead paragraph of a page as plain text, cut at a word, as previews and search engines show it; else its heading.

    >>> description('<h1>Data</h1><p class="lead">Four <b>models</b> &amp; more.</p>')
    'Four models & more.'
    """
    said = _said(LEAD, page) or _said(HEADING, page)
    return said if len(said) <= DESCRIBED else said[: DESCRIBED - 1].rsplit(" ", 1)[0] + "…"


def entries(pages: Mapping[str, str]) -> list[list[str]]:
    """What the search finds: kind, name, address and further words of each page, and of each place that a page marks.

    A place is marked by an id and, after it in the same element, `data-search` with the words it is found by.

    >>> entries({"models/a~b.html": '<h1>a/b</h1><p class="lead">By A</p>'})
    [['model', 'a/b', 'models/a~b.html', 'By A']]
    >>> entries({"targets/x.html": '<h1>X</h1><p id="m" data-search="x m">'})
    [['forecast', 'X', 'targets/x.html', ''], ['forecast', 'x m', 'targets/x.html#m', '']]
    """
    found = []
    for address, text in sorted(pages.items()):
        kind = "page" if address.endswith("index.html") else KINDS.get(address.split("/")[0], "page")
        found.append([kind, _said(HEADING, text), address, description(text) if LEAD.search(text) else ""])
        for anchor, words in MARKED.findall(text):
            place = ["forecast" if kind == "page" else kind, Markup(words).unescape(), f"{address}#{Markup(anchor).unescape()}", ""]
            found.append(place)
    return found


def index(pages: Mapping[str, str]) -> bytes:
    """The search index: a script that hands its rows to the script of the page."""
    rows = ",\n".join(json.dumps(row, separators=(",", ":")) for row in entries(pages))
    return f"globalThis.foresaidIndex([\n{rows}\n]);\n".encode()


def contents(env: jinja2.Environment, pages: Mapping[str, str]) -> dict[Path, bytes]:
    """Every shared file by its place below the site; a file of the project's templates stands in for the package's."""
    assert env.loader is not None
    made = {ASSETS / name: env.loader.get_source(env, name)[0].encode() for name in COPIED}
    made[ASSETS / "style.css"] = env.get_template("style.css.j2").render().encode()
    return {**made, INDEX: index(pages)}
