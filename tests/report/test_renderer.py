"""Who waits for a drawing of another process draws meanwhile, and nothing is drawn twice."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from foresaid.report import renderer


def test_who_waits_draws_what_was_ordered_last_until_the_other_process_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: Future[str] = Future()
    begun.set_running_or_notify_cancel()
    drawn = []

    def svg(spec: dict[str, Any], title: str) -> str:
        drawn.append(title)
        if len(drawn) == 2:
            begun.set_result("first, by the other process")
        return title

    monkeypatch.setattr(renderer, "svg", svg)
    first, *rest = orders = [renderer._Ordered({}, title, Future()) for title in ("first", "second", "third", "fourth")]
    first.coming = begun

    assert renderer._fetched(first, [*orders]) == "first, by the other process"
    assert drawn == ["fourth", "third"]
    assert [renderer._fetched(one, []) for one in rest] == ["second", "third", "fourth"]
    assert drawn == ["fourth", "third", "second"]


def test_who_waits_and_finds_nothing_to_draw_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renderer, "svg", lambda *_: pytest.fail("drawn here"))
    done: Future[str] = Future()
    done.set_running_or_notify_cancel()
    done.set_result("by the other process")

    assert renderer._fetched(renderer._Ordered({}, "one", done), []) == "by the other process"


SPEC = {
    "data": {"values": [{"a": 1}]},
    "mark": "point",
    "encoding": {"x": {"field": "a", "type": "quantitative", "title": "wide words"}},
}
DRAWING = f"""
import os
from foresaid.report.renderer import svg
from foresaid.report.specification import CONFIG
svg({{**{SPEC}, "config": CONFIG}}, "x")
print(os.environ["FONTCONFIG_FILE"])
"""


def test_a_drawing_opens_no_font_of_the_machine(tmp_path: Path) -> None:
    """Under a name of a font that is installed, the renderer opened the file for every label that it measured: 7 s of a report."""
    folder, told = tmp_path / "installed", tmp_path / "mine.conf"
    folder.mkdir()
    told.write_text(f"<fontconfig><dir>{folder}</dir></fontconfig>", encoding="ascii")
    installed, other = folder / "font.ttf", folder / "other.ttf"
    for path in (installed, other):
        path.write_bytes(b"no font")
        os.utime(path, (0, 0))
    other.read_bytes()
    if not other.stat().st_atime:
        pytest.skip("the file system does not note when a file is read")
    os.utime(other, (0, 0))

    done = subprocess.run(
        [sys.executable, "-c", DRAWING],
        env={**os.environ, "FONTCONFIG_FILE": str(told)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == (f"{told}\n", "")  # and the setting is as it was
    assert (installed.stat().st_atime, other.stat().st_atime) == (0, 0)
