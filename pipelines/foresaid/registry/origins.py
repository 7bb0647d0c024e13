"""The days of the past from which a board can be forecast as it was known, board by board.

Such an origin is a day on which the board was seen as it stood: a vintage of its card, or a day on which a board that dates its own
history published. Release dates make no origin. Counted from the cards and the rows of the record; a board that may not be kept in
it counts by its vintages, and needs the upstream files before anybody can replay it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from foresaid.errors import RecordError
from foresaid.registry import csv_files, formats, source_card

BOARDS = ("model scores", "model ratings", "evaluations of released models")  # what cards call sources that are boards


@dataclass(frozen=True)
class BoardOrigins:
    """The origins of one board in order; `kept` says whether its rows stand in the record."""

    name: str
    title: str
    kept: bool
    days: tuple[date, ...]


def origins(registry: Path, since: date = date.min) -> list[BoardOrigins]:
    """Every board with an origin on or after a day, the one with most first. RecordError for a damaged card or file."""
    if not (registry / "sources").is_dir():
        raise RecordError(
            f"{registry / 'sources'}: found no folder, expected the record's sources: run this inside a project, or give --root"
        )
    found = []
    for name in source_card.source_names(registry):
        card = source_card.read(
            registry / "sources" / name / "source.toml", source_card.label(registry, "sources", name, "source.toml"), name
        )
        if card.kind not in BOARDS:
            continue
        days = {vintage.known_on for vintage in card.vintages}
        path = registry / "sources" / name / "observations.csv"
        if path.exists():
            read = csv_files.read(path, source_card.label(registry, "sources", name, path.name), formats.OBSERVATIONS)
            days |= {row.known_on for row in read.items}
        if kept := tuple(sorted(day for day in days if day >= since)):
            found.append(BoardOrigins(name, card.title, card.embedded, kept))
    return sorted(found, key=lambda one: (-len(one.days), one.name))


def lines(found: list[BoardOrigins]) -> list[list[str]]:
    """A table: board, origins, first, last, where its rows are; the last line counts the distinct days of all boards."""
    rows = [
        [one.name, f"{len(one.days):,}", str(one.days[0]), str(one.days[-1]), "in the record" if one.kept else "read on demand"]
        for one in found
    ]
    every = sorted({day for one in found for day in one.days})
    total = [["all boards", f"{len(every):,}", str(every[0]), str(every[-1]), "distinct days"]] if every else []
    return [["board", "origins", "first", "last", "rows"], *rows, *total]
