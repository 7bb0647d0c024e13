"""Every table of scores and every chart of forecasts says its mode, on every page, or the page is refused."""

from __future__ import annotations

import re

import pytest
from tests.report import test_site as world
from tests.report.test_rolling_origin_page import html
from tests.report.test_sentences import rolling

from foresaid.errors import ForesaidError
from foresaid.evaluation.modes import SAID
from foresaid.report.environment import TEMPLATES
from foresaid.report.mode_check import FIGURE, MODE, TABLE, check, without_mode

__all__ = ["rolling"]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory, rolling: dict[str, object]) -> dict[str, str]:
    """The finished pages of a small world, and the page of its rolling origins."""
    top = world.site(tmp_path_factory.mktemp("site"))
    made = {str(file.relative_to(top)): file.read_text(encoding="utf-8") for file in sorted(top.rglob("*.html"))}
    return {**made, "rolling": html(rolling)}


def test_every_table_and_chart_of_every_page_says_its_mode(pages: dict[str, str]) -> None:
    assert [(name, without_mode(page)) for name, page in pages.items() if without_mode(page)] == []
    modes = {mode for page in pages.values() for mode in re.findall(r'<(?:table|figure) data-mode="([^"]*)"', page)}

    assert {mode.lower() for mode in modes} <= {"", *SAID.values()}
    assert len(modes) >= 4


def test_a_mode_is_there_for_readers_too(pages: dict[str, str]) -> None:
    seen = 0
    for page in pages.values():
        for pattern in (TABLE, FIGURE):
            for one in pattern.finditer(page):
                mode = MODE.search(one["attributes"])
                if mode and mode[1]:
                    seen += 1
                    above = page[: one.start()].rsplit("<p", 1)[-1] if pattern is TABLE else ""  # outside of what scrolls
                    assert f"Mode: {mode[1].lower()}" in above + one[0]

    assert seen >= 10


def test_every_table_and_chart_begins_with_the_macro_that_says_its_mode() -> None:
    for file in sorted(TEMPLATES.glob("*.j2")):
        text = file.read_text(encoding="utf-8")
        macros = file.name == "macros.html.j2"

        assert (text.count("<table"), text.count("<figure")) == ((1, 1) if macros else (0, 0)), file.name


def test_a_table_or_chart_without_its_mode_is_refused(pages: dict[str, str]) -> None:
    page = pages["index.html"]
    for mode in sorted(set(MODE.findall(page)) - {""}):
        with pytest.raises(ForesaidError, match="without a mode"):
            check("index.html", page.replace(f'data-mode="{mode}"', 'data-mode=""').replace(">Mode</th>", "></th>"))


@pytest.mark.parametrize("head", ["WIS", "MAE", "Bias", "Coverage of the 80 % interval", "Mean absolute error", "Test error"])
def test_scores_are_known_by_the_heads_of_their_columns(head: str) -> None:
    row = f'<thead><tr><th scope="col">{head}</th></tr></thead></table>'

    assert without_mode(f'<table data-mode="">{row}')
    assert not without_mode(f'<table data-mode="by release date">{row}')
    assert not without_mode(f'<table data-mode="">{row.replace("<tr>", "<tr><th>Mode</th>")}')
    assert not without_mode('<table data-mode=""><tbody></tbody></table><p>WIS</p><thead></thead>')
