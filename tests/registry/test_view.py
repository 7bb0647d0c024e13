"""A view gives the rows of a board as they stand, and makes them wide."""

from __future__ import annotations

import gc
import weakref
from datetime import date
from typing import Any

import polars as pl
import pytest
from tests.conftest import Built

from foresaid.errors import RecordError
from foresaid.registry.systems import DEFAULT, EACH, HIGHEST, taken
from foresaid.registry.view import SUBJECT_COLUMNS, View

ROWS: list[tuple[str, str, str, str, int, float]] = [
    ("b", "q", "", "s", 3, 0.2),
    ("a", "q", "", "s", 5, 0.1),
    ("a", "r", "", "t", 7, 0.6),
    ("c", "r", "", "s", 2, 0.7),
    ("a", "q", "shots=5", "s", 9, 0.9),
]


def view(rows: list[tuple[str, str, str, str, int, float]]) -> View:
    frame = pl.DataFrame(
        [
            (name, quantity, setting, source, date(2024, 1, day), value, "model", "", "f", date(2023, 1, 1))
            for name, quantity, setting, source, day, value in rows
        ],
        schema={
            **dict.fromkeys(("subject_id", "quantity_id", "setting", "source_id"), pl.String()),
            "known_on": pl.Date(),
            "value": pl.Float64(),
            **dict.fromkeys(("kind", "run", "family"), pl.String()),
            "released_on": pl.Date(),
        },
        orient="row",
    )
    return View(date(2024, 2, 1), frame, {})


def test_one_row_a_subject_by_name_with_the_day_of_its_last_value() -> None:
    made = view(ROWS).wide(["q", "r"], ["s", "t"])

    assert made.select("subject_id", "known_on", "q", "r").rows() == [
        ("a", date(2024, 1, 7), 0.1, 0.6),
        ("b", date(2024, 1, 3), 0.2, None),
        ("c", date(2024, 1, 2), None, 0.7),
    ]


def test_another_protocol_is_asked_of_the_first_quantity_alone() -> None:
    assert view(ROWS).wide(["q", "r"], ["s", "t"], protocol="shots=5").select("subject_id", "q", "r").rows() == [
        ("a", 0.9, 0.6),
        ("c", None, 0.7),
    ]


def test_two_sources_that_differ_are_refused_by_the_subjects_name() -> None:
    with pytest.raises(RecordError, match=r"^b, q: found values in 2 of the sources s, t"):
        view([*ROWS, ("b", "q", "", "t", 4, 0.3)]).wide(["r", "q"], ["s", "t"])


def test_a_view_without_rows_is_wide_and_empty() -> None:
    made = view([]).wide(["q"], ["s"])

    assert (made.height, made.columns) == (0, [*SUBJECT_COLUMNS, "known_on", "q"])


@pytest.mark.parametrize("which", [DEFAULT, EACH, HIGHEST])
def test_a_board_is_what_looking_through_all_rows_finds(built: Built, which: str) -> None:
    whole = built.as_of("2024-10-01")
    rows = taken(whole.observations, which)
    boards: list[tuple[Any, ...]] = rows.select("quantity_id", "setting").unique().sort("quantity_id", "setting").rows()[:200]

    for quantity_id, setting in [*boards, ("no such quantity", "")]:
        expected = rows.filter((pl.col("quantity_id") == quantity_id) & (pl.col("setting") == setting))

        assert whole.of(which).under(quantity_id, setting).equals(expected)


@pytest.mark.parametrize("which", [DEFAULT, EACH, HIGHEST])
def test_a_view_that_nobody_uses_any_more_takes_no_memory(which: str) -> None:
    made = view(ROWS)
    made.wide(["q", "r"], ["s", "t"], which)
    rows, ours = weakref.ref(made), weakref.ref(made.of(which))
    gc.disable()  # hundreds of origins have a view each, and the collector comes by when it pleases
    try:
        del made

        assert (rows(), ours()) == (None, None)
    finally:
        gc.enable()
