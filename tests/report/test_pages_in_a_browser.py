"""What a reader sees at the width of a phone, measured by a browser; skipped by name where chromium is absent."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path

import pytest
from tests.report.test_site import site

CHROMIUM = shutil.which("chromium")
PHONE = 390
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--virtual-time-budget=8000", "--hide-scrollbars",
)  # fmt: skip
MEASURE = """
const found = [];
const wide = document.documentElement.clientWidth;
if (document.documentElement.scrollWidth > wide) found.push("the page scrolls sideways to " + document.documentElement.scrollWidth);
for (const svg of document.querySelectorAll("figure svg"))
  if (svg.getBoundingClientRect().right > wide) found.push("chart cut");
const walker = document.createTreeWalker(document.querySelector("body"), NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const node = walker.currentNode, parent = node.parentElement;
  if (!node.textContent.trim() || parent.closest(".wide, pre, script, style, svg")) continue;
  const range = document.createRange();
  range.selectNodeContents(node);
  if (range.getBoundingClientRect().right > wide + 1) found.push("text cut: " + node.textContent.trim().slice(0, 60));
}
for (const area of document.querySelectorAll(".wide")) if (area.tabIndex !== 0) found.push("a scroller without keyboard focus");
for (const row of document.querySelectorAll("main tbody tr"))
  if (row.cells.length > 1 && !row.querySelector("th[scope=row]")) found.push("no row header: " + row.textContent.slice(0, 60));
parent.postMessage([location.pathname, wide, found], "*");
"""
HOST = """<!DOCTYPE html><script>
const told = {};
addEventListener("message", (event) => {
  told[event.data[0].split("/site/")[1]] = event.data.slice(1);
  document.documentElement.setAttribute("data-told", JSON.stringify(told));
});
</script>"""  # a headless window is at least 500 wide, a frame as narrow as one says


def dom(page: Path, profile: Path) -> str:
    assert CHROMIUM is not None
    words = [CHROMIUM, *FLAGS, f"--user-data-dir={profile}", "--dump-dom", page.resolve().as_uri()]
    return subprocess.run(words, capture_output=True, text=True, check=True, timeout=120).stdout


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_nothing_is_cut_at_the_width_of_a_phone_and_scrollers_take_the_keyboard(tmp_path: Path) -> None:
    out = site(tmp_path)
    pages = sorted(out.rglob("*.html"))
    for page in pages:
        text = page.read_text(encoding="utf-8")
        bare = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text)  # so that the measuring script may run
        page.write_text(bare.replace("</body>", f"<script>{MEASURE}</script></body>"), encoding="utf-8")
    frames = "".join(
        f'<iframe src="{page.resolve().as_uri()}" style="width:{PHONE}px;height:900px;border:0"></iframe>' for page in pages
    )
    host = tmp_path / "host.html"
    host.write_text(HOST + frames, encoding="utf-8")

    said = re.search(r'data-told="([^"]*)"', dom(host, tmp_path / "profile"))
    assert said is not None
    told = json.loads(unescape(said[1]))

    assert sorted(told) == [page.relative_to(out).as_posix() for page in pages]
    assert {name: found for name, (wide, found) in told.items() if (wide, found) != (PHONE, [])} == {}


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_the_policy_lets_the_script_of_the_page_run(tmp_path: Path) -> None:
    out = site(tmp_path)

    made = dom(out / "models" / "index.html", tmp_path / "profile")

    assert made.count('<button type="button">') >= 3
