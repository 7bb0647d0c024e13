"""Which boards the trend in time speaks of: those named, and every living board with enough systems under one protocol."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from foresaid.forecasting.splits import first_published
from foresaid.laws._sigmoid import SigmoidTarget
from foresaid.laws.growth import Growth
from foresaid.registry.view import Quantity, View

DAY = date(2026, 6, 1)


def view(boards: dict[str, tuple[int, str, date]], kind: str = "benchmark") -> View:
    """A record of boards: of each the number of systems, their setting, and the day of the newest."""
    rows = [
        (
            f"m{i}",
            name,
            setting,
            "board",
            newest + timedelta(1),
            0.1 + 0.02 * i,
            "model",
            f"m{i}",
            f"m{i}",
            newest - timedelta(20 * i),
        )
        for name, (count, setting, newest) in boards.items()
        for i in range(count)
    ]
    names = ("subject_id", "quantity_id", "setting", "source_id", "known_on", "value", "kind", "run", "family", "released_on")
    cards = {name: Quantity(name, name, kind, "fraction", 0.0, 1.0, None, "higher", "as published", "board") for name in boards}
    training = Quantity("training_flops", "compute", "size", "flops", 0.0, 1e30, None, "none", "-", "board")
    return View(DAY, pl.DataFrame(rows, schema=list(names), orient="row"), {**cards, "training_flops": training})


def law(every: int, **named: SigmoidTarget) -> Growth:
    return Growth(sources=("board",), targets=named, systems="each", every=every)


def test_living_boards_with_enough_systems_are_targets_and_only_named_ones_are_asked() -> None:
    found = view(
        {
            "a": (9, "effort=high", date(2026, 5, 1)),
            "b": (9, "prompt=zero-shot", date(2026, 5, 1)),
            "few": (7, "", date(2026, 5, 1)),
            "closed": (9, "", date(2024, 5, 1)),
        }
    )
    made = law(8, a=SigmoidTarget())
    tables = {table.target.target_id: table for table in made.tables(found)}

    assert sorted(tables) == ["a", "b[prompt=zero-shot]"]
    assert [made.asked(table.target) for table in tables.values()] == [True, False]
    assert (tables["b[prompt=zero-shot]"].n, tables["b[prompt=zero-shot]"].target.quantity_id) == (9, "b")
    assert [table.target.target_id for table in law(0, a=SigmoidTarget()).tables(found)] == ["a"]


def test_outcomes_are_read_under_the_protocol_of_the_target() -> None:
    found = view({"b": (9, "effort=high;prompt=zero-shot", date(2026, 5, 1))})
    (table,) = law(8).tables(found)

    assert table.target.protocol == "prompt=zero-shot"
    assert first_published(table, found.of("each")).y.tolist() == table.y.tolist()
    assert found.of("each").under("b").is_empty()


def test_a_size_is_no_board() -> None:
    assert law(8).tables(view({"b": (9, "", date(2026, 5, 1))}, kind="size")) == []
