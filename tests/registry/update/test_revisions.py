"""What a vintage changes: a row's key never depends on its neighbours."""

from __future__ import annotations

import random
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from foresaid.registry.formats import ObservationRow
from foresaid.registry.row_keys import carried, identity, noted
from foresaid.registry.update.revisions import CurrentRows, VintageChange

FIRST, SECOND, THIRD = date(2026, 3, 12), date(2026, 4, 11), date(2026, 5, 14)


def row(setting: str, value: float, day: date) -> ObservationRow:
    return ObservationRow("acme/big", "quiz", setting, day, value, None, None, THIRD, "reported", "")


def lay(standing: CurrentRows, rows: list[ObservationRow], day: date) -> tuple[int, int, int]:
    change = standing.lay(rows, [("t.csv", place) for place, _ in enumerate(rows)], day, THIRD)
    return len(change.new), len(change.revised), len(change.gone)


def test_a_second_row_does_not_make_an_unchanged_value_gone() -> None:
    standing = CurrentRows([], [])

    assert lay(standing, [row("", 0.5, FIRST)], FIRST) == (1, 0, 0)
    assert lay(standing, [row("record=a", 0.5, SECOND), row("record=b", 0.7, SECOND)], SECOND) == (1, 0, 0)
    assert [(one.setting, one.value) for one in standing.rows] == [("", 0.5), ("record=b", 0.7)]


def test_a_row_left_alone_keeps_the_record_it_had_and_the_other_is_gone() -> None:
    standing = CurrentRows([], [])
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


@given(st.data(), st.sampled_from(("", "effort=high", "effort=max;agent=codex")))
def test_whatever_comes_or_goes_beside_it_an_unchanged_row_is_neither_new_nor_revised_nor_gone(
    data: st.DataObject, how: str
) -> None:
    """The reader spells the record id only where a row has neighbours; the key in the record must not follow."""
    ids = data.draw(st.lists(st.integers(0, 99), min_size=1, max_size=6, unique=True))
    stay = ids[: data.draw(st.integers(1, len(ids)))]
    guests = ids[len(stay) :]

    def vintage(members: list[int], day: date) -> list[ObservationRow]:
        order = data.draw(st.permutations(members))
        alone = len(members) == 1
        return [row(how if alone else ";".join(filter(None, (how, f"record=rec{one}"))), one / 100, day) for one in order]

    standing = CurrentRows([], [])
    assert lay(standing, vintage(stay, FIRST), FIRST) == (len(stay), 0, 0)
    before = {one[:3] for one in standing.rows}
    assert lay(standing, vintage([*stay, *guests], SECOND), SECOND) == (len(guests), 0, 0)
    assert lay(standing, vintage(stay, THIRD), THIRD) == (0, 0, len(guests))
    assert {one[:3] for one in standing.rows if one.known_on == FIRST} == before


def spelt(members: dict[int, float], how: str, day: date) -> list[ObservationRow]:
    """What a reader makes of rows by the collector's id: spelt where rows stand together, noted where one is alone."""
    rows = []
    for one, value in members.items():
        setting = how if len(members) == 1 else ";".join(filter(None, (how, f"record=rec{one}")))
        rows.append(row(setting, value, day)._replace(note=noted("", f"Rec{one}", setting)))
    return rows


def told(change: VintageChange) -> dict[str, set[str]]:
    kinds = {"new": change.new, "revised": [one.after for one in change.revised], "gone": change.gone}
    return {kind: {identity(one) for one in rows} for kind, rows in kinds.items()}


def test_a_value_that_changes_in_the_vintage_that_brings_a_neighbour_is_a_revision() -> None:
    standing = CurrentRows([], [])
    lay(standing, spelt({1: 0.5}, "effort=high", FIRST), FIRST)
    change = standing.lay(spelt({2: 0.7, 1: 0.55}, "effort=high", SECOND), [("t.csv", 2), ("t.csv", 3)], SECOND, THIRD)

    assert told(change) == {"new": {"rec2"}, "revised": {"rec1"}, "gone": set()}
    assert [one.after.setting for one in change.revised] == ["effort=high"]


def test_a_row_that_takes_the_place_of_another_is_new_and_the_other_gone() -> None:
    standing = CurrentRows([], [])
    lay(standing, spelt({1: 0.5}, "", FIRST), FIRST)
    change = standing.lay(spelt({2: 0.7}, "", SECOND), [("t.csv", 2)], SECOND, THIRD)

    assert told(change) == {"new": {"rec2"}, "revised": set(), "gone": {"rec1"}}


def test_runs_that_are_only_numbered_are_known_again_by_their_value() -> None:
    standing = CurrentRows([], [])
    lay(standing, [row("record=run-1", 0.4, FIRST), row("record=run-2", 0.5, FIRST)], FIRST)
    third = [row("record=run-1", 0.6, SECOND), row("record=run-2", 0.4, SECOND), row("record=run-3", 0.5, SECOND)]

    assert lay(standing, third, SECOND) == (1, 0, 0)


states = st.dictionaries(st.integers(1, 6), st.integers(1, 4), max_size=5)


@given(st.lists(states, min_size=2, max_size=5), st.sampled_from(("", "effort=high", "effort=max;agent=codex")), st.randoms())
def test_what_is_said_of_a_row_depends_on_no_other_row(vintages: list[dict[int, int]], how: str, shuffle: random.Random) -> None:
    """Rows come, change and go together in any order; each is told by its own two states, and keeps its key for good."""
    standing = CurrentRows([], [])
    before: dict[int, float] = {}
    keys: dict[str, str] = {}
    for number, state in enumerate(vintages):
        if not state:  # a board that a download lacks says nothing
            continue
        # No two rows share a value: a reader keeps one of rows that say the same.
        now = {one: one / 10 + step / 1000 for one, step in state.items()}
        order = list(now)
        shuffle.shuffle(order)
        day = FIRST + timedelta(days=number)
        change = standing.lay(spelt({one: now[one] for one in order}, how, day), [("t.csv", None)] * len(now), day, day)

        assert told(change) == {
            "new": {f"rec{one}" for one in now if f"rec{one}" not in keys},
            "revised": {f"rec{one}" for one in now if f"rec{one}" in keys and before.get(one) != now[one]},
            "gone": {f"rec{one}" for one in before if one not in now},
        }
        for one in standing.rows:
            assert keys.setdefault(identity(one), one.setting) == one.setting
        assert len(set(keys.values())) == len(keys)
        before = now
