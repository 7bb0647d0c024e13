"""What ends a target before its time, as dated facts with a source: a board closed, a benchmark retired, a line renamed.

`events.csv` holds one event a row: the condition, the name of what it befell (a resolver, a quantity, a line), the day, the source.
A target that froze the condition is void from that day on; no other target is touched.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from foresaid.errors import RecordError

FILE = "events.csv"
COLUMNS = ["condition", "about", "on", "source"]
CONDITIONS = ("board_closed", "benchmark_retired", "renamed")


@dataclass(frozen=True)
class Event:
    """One event: which condition it meets, what it befell, on which day, and where that is said."""

    condition: str
    about: str
    on: date
    source: str


def read(registry: Path) -> list[Event]:
    """The events of the record; without the file none. Raises RecordError for another column, condition or day."""
    path = registry / FILE
    if not path.is_file():
        return []
    found = []
    with path.open(encoding="utf-8", newline="") as rows:
        reader = csv.DictReader(rows)
        if reader.fieldnames != COLUMNS:
            raise RecordError(f"{path}, line 1: found columns {reader.fieldnames}, expected {COLUMNS}")
        for line, row in enumerate(reader, start=2):
            if row["condition"] not in CONDITIONS or not row["about"] or not row["source"]:
                raise RecordError(
                    f"{path}, line {line}: found {row['condition']!r} of {row['about']!r} by {row['source']!r}, "
                    f"expected one of {', '.join(CONDITIONS)}, a name and a source"
                )
            try:
                found.append(Event(row["condition"], row["about"], date.fromisoformat(row["on"]), row["source"]))
            except ValueError:
                raise RecordError(f"{path}, line {line}: found the day {row['on']!r}, expected YYYY-MM-DD") from None
    return found
