"""Text that wants to be something else: markup in a page, a formula in a spreadsheet, another name in a reader's eye.

Two hundred payloads go through every field of every template: each page is rendered with *all* its strings replaced by the
payload and parsed as a browser parses it (html5lib). Its elements and attributes must be those of the page rendered with
a harmless word. Drawings are made from data before a template sees them, so some payloads also go through the whole stage.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import re
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import polars as pl
from tests.attacks.mutate import room
from tests.attacks.table import Scale, Tally, timed
from tests.report import test_site

from foresaid.report import downloads, inputs, site
from foresaid.report.drawing import Drawing
from foresaid.report.environment import environment
from foresaid.report.page import page_sets

ESCAPES = (
    "", '"', "'", '">', "'>", "-->", "</title>", "</style>", "</textarea>", "</script>", "</td></tr></table>", "</svg>",
    "]]>", "</p></div></main>", "`", "\\\"", "&quot;>", "%22%3E", "\u2028\">", "<!--",
)  # fmt: skip
VECTORS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    " onmouseover=alert(1) x=",
    " autofocus onfocus='alert(1)' tabindex=1 ",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "javascript:alert(1)",
    "<math><mi xlink:href=\"data:x,<script>alert(1)</script>\">",
    "<base href=//evil.example><meta http-equiv=refresh content='0;url=//evil.example'>",
    "{{ 7 * 7 }}{% raw %}${7*7}<style>*{background:url(//evil.example)}</style>",
)  # fmt: skip
PAYLOADS = tuple(escape + vector for escape in ESCAPES for vector in VECTORS)

FORMULAS = (
    "=1+1", "=cmd|' /C calc'!A0", "+1+1", "-1+1", "@SUM(1)", "\t=1+1", "\r=1+1", "=HYPERLINK(\"//evil.example\")", "+cmd|x",
    "-2+3+cmd|x", "@x", "=", "+", "-", "@", "\t", "\r", "=\"a\"", "-", "\t@x",
)  # fmt: skip
STARTS = ("=", "+", "-", "@", "\t", "\r")


class Looked(dict[str, Any]):
    """A mapping in which a template may look up a field that was replaced."""

    text = ""

    def __missing__(self, key: str) -> str:
        if key == self.text:
            return key
        raise KeyError(key)


def planted(value: Any, text: str) -> Any:
    """The same value with every string in it replaced; drawings stay."""
    if isinstance(value, Drawing):
        return value
    if isinstance(value, str):
        return text
    if isinstance(value, Mapping):
        made = Looked({key: planted(item, text) for key, item in value.items()})
        made.text = text
        return made
    if isinstance(value, list | tuple):
        return [planted(item, text) for item in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {name.name: planted(getattr(value, name.name), text) for name in dataclasses.fields(value)}
    return value


def count_strings(value: Any) -> int:
    """How many fields `planted` replaces."""
    if isinstance(value, Drawing):
        return 0
    if isinstance(value, str):
        return 1
    if isinstance(value, Mapping):
        return sum(count_strings(item) for item in value.values())
    if isinstance(value, list | tuple):
        return sum(count_strings(item) for item in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return sum(count_strings(getattr(value, name.name)) for name in dataclasses.fields(value))
    return 0


def structure(page: str) -> Counter[tuple[str, tuple[str, ...]]]:
    """Elements and their attribute names, as a browser's parser builds them; comments count as elements."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # html5lib's own, about its parser classes
        import html5lib

        tree: Element = html5lib.parse(page, treebuilder="etree", namespaceHTMLElements=False)
    return Counter((str(node.tag), tuple(sorted(map(str, node.attrib)))) for node in tree.iter())


def pages_with(env: Any, pages: list[Any], footer: dict[str, Any], text: str) -> dict[str, str]:
    """Every page with all its strings replaced."""
    return {
        page.path: env.get_template(page.template).render(
            **planted(page.values, text),
            root=page.root,
            here=planted(page.path, text),
            navigation=[(text, text)] * 5,
            footer=planted(footer, text),
        )
        for page in pages
    }


def fields(scale: Scale, place: Path) -> Iterator[Tally]:
    """All payloads through all fields of all templates, then some of them through the whole stage."""
    out = test_site.site(place / "plain", "plain")
    found = inputs.read(
        test_site.parameters("plain"),
        place / "plain/build",
        place / "plain/registry",
        place / "plain/metrics",
        place / "none",
    )
    pages = [made for one in page_sets() for made in one.pages(found)]
    env = environment(place / "none")
    footer: dict[str, Any] = site.footer(found, "0123abc")
    number = sum(count_strings(page.values) for page in pages) + len(footer) * len(pages)
    with timed(Tally("a payload in every field of a template")) as tally:
        plain = {path: structure(text) for path, text in pages_with(env, pages, footer, "plain").items()}
        for payload in PAYLOADS[:: scale.of(20, 1, 1)]:
            for path, text in pages_with(env, pages, footer, payload).items():
                found_here = structure(text)
                tally.count(found_here == plain[path], f"{payload!r} in {path}: {list((found_here - plain[path]).items())[:2]}")
        tally.note = f"{len(PAYLOADS[:: scale.of(20, 1, 1)])} payloads x {len(pages)} pages, {number} fields each time"
    yield tally
    with timed(Tally("a payload in every text of the record, whole stage")) as tally:
        expected = {path.relative_to(out): structure(path.read_text(encoding="utf-8")) for path in out.rglob("*.html")}
        for order, payload in enumerate(PAYLOADS[:: scale.of(200, 10, 1)]):
            text = re.sub(r"[\u2028]", "", payload)  # the ledger refuses what nobody can see
            made = test_site.site(place / f"site-{order}", text, link=f"https://example.org/{text.replace(' ', '')}")
            there = {path.relative_to(made) for path in made.rglob("*.html")}
            # The page of a maker is named after it, and so after the payload: what has another name is compared in order.
            renamed = dict(zip(sorted(expected.keys() - there), sorted(there - expected.keys()), strict=True))
            for name, want in expected.items():
                page = made / renamed.get(name, name)
                tally.count(structure(page.read_text(encoding="utf-8")) == want, f"{payload!r} in {name}")
    yield tally


def attacks(scale: Scale) -> Iterator[Tally]:
    """Pages and downloads."""
    with room() as place:
        yield from fields(scale, place)
    with timed(Tally("a formula in a CSV download")) as tally:
        frame = pl.DataFrame({"text": list(FORMULAS), "number": [-1.5] * len(FORMULAS)})
        data = downloads.contents({"t": frame})[Path("data/t.csv")].decode()
        rows = list(csv.reader(io.StringIO(data, newline="")))[1:]
        for formula, row in zip(FORMULAS, rows, strict=True):
            tally.count(not row[0].startswith(STARTS) and row[1] == "-1.5", repr(formula))
    yield tally
