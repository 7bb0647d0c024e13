"""What a vintage changes: a row's key never depends on its neighbours."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from foresaid.registry.formats import ObservationRow
from foresaid.registry.update.revisions import Standing, carried

FIRST, SECOND, THIRD = date(2026, 3, 12), date(2026, 4, 11), date(2026, 5, 14)


def row(setting: str, value: float, day: date) -> ObservationRow:
    return ObservationRow("acme/big", "quiz", setting, day, value, None, None, THIRD, "reported", "")


def lay(standing: Standing, rows: list[ObservationRow], day: date) -> tuple[int, int, int]:
    change = standing.lay(rows, [("t.csv", place) for place, _ in enumerate(rows)], day, THIRD)
    return len(change.new), len(change.revised), len(change.gone)


def test_a_second_row_does_not_make_an_unchanged_value_gone() -> None:
    standing = Standing([], [])

    assert lay(standing, [row("", 0.5, FIRST)], FIRST) == (1, 0, 0)
    assert lay(standing, [row("record=a", 0.5, SECOND), row("record=b", 0.7, SECOND)], SECOND) == (1, 0, 0)
    assert [(one.setting, one.value) for one in standing.rows] == [("", 0.5), ("record=b", 0.7)]


def test_a_row_left_alone_keeps_the_record_it_had_and_the_other_is_gone() -> None:
    standing = Standing([], [])
    lay(standing, [row("effort=high;record=a", 0.5, FIRST), row("effort=high;record=b", 0.7, FIRST)], FIRST)

    assert lay(standing, [row("effort=high", 0.7, SECOND)], SECOND) == (0, 0, 1)
    assert [(one.setting, one.status) for one in standing.rows][2:] == [("effort=high;record=a", "withdrawn")]


def test_a_key_that_another_row_of_the_vintage_has_is_not_taken_from_it() -> None:
    latest = {("acme/big", "quiz", ""): row("", 0.5, FIRST)}

    assert [one.setting for one in carried([row("", 0.6, SECOND), row("record=a", 0.5, SECOND)], latest)] == ["", "record=a"]


@given(st.lists(st.sampled_from((0.1, 0.2, 0.3)), min_size=1, max_size=4), st.lists(st.sampled_from((0.1, 0.2, 0.3)), max_size=4))
def test_no_two_rows_of_a_vintage_ever_share_a_key(before: list[float], now: list[float]) -> None:
    def spelt(values: list[float], day: date) -> list[ObservationRow]:
        return [row("" if len(values) == 1 else f"record={place}", value, day) for place, value in enumerate(values)]

    latest = {one[:3]: one for one in spelt(before, FIRST)}
    found = carried(spelt(now, SECOND), latest)

    assert len({one[:3] for one in found}) == len(found)
