"""Costs of measuring: read by line, and the order of what to measure next by information per cost."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from tests.studies.capability.test_model import frame

from foresaid.errors import RecordError, UnreadableError
from foresaid.forecasting.own_scores import read_costs
from foresaid.laws._capability_kernel import Settings, prior
from foresaid.laws._capability_model import condition_on
from foresaid.laws._capability_rows import cells
from foresaid.studies.capability.completion import Release, answer

NAMES = ("one", "two", "three")


def test_costs_are_read_and_faults_named_by_line(tmp_path: Path) -> None:
    path = tmp_path / "costs.csv"
    path.write_text("benchmark,cost\none,2.5\nthree,10\n")
    assert read_costs(path, NAMES) == {"one": 2.5, "three": 10.0}
    for text, message in (
        ("benchmark,cost\nfour,1\n", "four"),
        ("benchmark,cost\none,0\n", "a number above 0"),
        ("benchmark,cost\none,1\none,2\n", "a second time"),
        ("benchmark,cost\n", "found no row"),
    ):
        path.write_text(text)
        with pytest.raises(RecordError, match=message):
            read_costs(path, NAMES)
    with pytest.raises(UnreadableError):
        read_costs(tmp_path / "none.csv", NAMES)


def test_next_is_ordered_by_information_per_cost_and_unknown_costs_come_last() -> None:
    model = condition_on(cells(frame()), Settings(), prior(Settings(), 3)[0])
    release = Release("aa", "mini", "AA", 4.0, date(2025, 7, 1))
    free = answer(model, 1.1, release, {})["next"]
    first, last = free[0]["benchmark"], free[-1]["benchmark"]
    costs = {first: 1000.0, last: 1.0}
    paid = answer(model, 1.1, release, {}, costs)["next"]
    assert [row["benchmark"] for row in paid[:2]] == [last, first]
    assert paid[2]["cost"] is None
    assert paid[0]["per_cost"] == pytest.approx(free[-1]["information"])
    assert "per_cost" not in free[0]
