"""Who waits for a drawing of another process draws meanwhile, and nothing is drawn twice."""

from __future__ import annotations

from concurrent.futures import Future
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
