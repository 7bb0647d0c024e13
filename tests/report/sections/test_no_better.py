"""Targets without skill are listed by law, worst first, and counted among all."""

from __future__ import annotations

from typing import Any

from foresaid.report.sections import no_better


def row(law: str, group: str, ratio: float | None, **more: Any) -> dict[str, Any]:
    return {
        "law": law,
        "group": group,
        "relative_wis": ratio,
        "n": 3,
        "n_releases": 2,
        "reference": "compute",
        "bias": -0.1,
        "mode": "known on the day",
        **more,
    }


def test_the_worst_target_comes_first_and_those_with_skill_are_counted_only() -> None:
    hindcasts = [row("a", "x", 1.2, case="c"), row("a", "y", 0.4, case="c"), row("a", "z", None, case="c")]
    rolling = [row("a", "x", 1.9, board="b", mode="by release date"), row("b", "x", 0.9, board="b")]
    first, second = no_better.sections(hindcasts, rolling, ["a", "b", "c"], str.upper)

    assert first.said[0].startswith("On 2 of 3 targets")
    assert [line[0] for line in first.tables[0].rows] == ["X", "X"]
    assert [line[6] for line in first.tables[0].rows] == [1.9, 1.2]
    assert [line[2] for line in first.tables[0].rows] == ["by release date", "known on the day"]
    assert second.said[0].startswith("On 0 of 1 targets")
    assert second.tables == ()
