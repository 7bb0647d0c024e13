"""How many days of the past can be replayed as they were known: counted by board from the cards, never from release dates."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

from tests.worlds.upstream import REGISTRY, source

from foresaid.registry import csv_files, formats
from foresaid.registry.source_card import source_names

DATED = (
    *("aider", "arena-catalog", "arena-daily", "epoch-eci", "epoch-hub", "epoch-models", "forecastbench", "lmarena", "weirdml"),
    "weirdml-board",
)


def origins() -> dict[str, set[date]]:
    """The days on which a board was seen as it stood: vintages, and the days of a history that dates itself."""
    found: dict[str, set[date]] = defaultdict(set)
    for name in DATED:
        found[name] |= {vintage.known_on for vintage in source(name).vintages}
        path = REGISTRY / "sources" / name / "observations.csv"
        if path.exists():
            found[name] |= {row.known_on for row in csv_files.read(path, name, formats.OBSERVATIONS).items}
    return found


def test_there_are_at_least_forty_origins_of_frontier_boards_since_2025() -> None:
    found = {name: {day for day in days if day >= date(2025, 1, 1)} for name, days in origins().items()}
    for name, days in sorted(found.items()):
        print(f"{name}: {len(days)} origins since 2025, {min(days)} to {max(days)}")

    assert set(DATED) <= set(source_names(REGISTRY))
    assert len(found["weirdml-board"]) == 22
    assert len(found["forecastbench"]) == 20
    assert len(found["epoch-hub"]) == 6
    assert len(set().union(*found.values())) >= 40


def test_origins_that_need_no_mirror_are_counted_apart() -> None:
    embedded = {name: days for name, days in origins().items() if source(name).embedded}

    assert len({day for name in ("epoch-hub", "epoch-eci", "forecastbench", "weirdml") for day in embedded[name]}) >= 25
