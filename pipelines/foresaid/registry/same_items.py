"""Which quantities are measured on the same questions: one answer under several protocols.

A benchmark with and without a chain of thought, or as two boards print it, is one set of questions; a covariate from it is the
answer itself. `same_items.csv` names the sets, one quantity a row. A quantity in none of them shares its questions with no other.
"""

from __future__ import annotations

import csv
from pathlib import Path

from foresaid.errors import RecordError

FILE = "same_items.csv"
COLUMNS = ["items", "quantity_id"]


def read(registry: Path) -> dict[str, frozenset[str]]:
    """From each quantity of `same_items.csv` to the others on the same questions; without the file none.

    Raises RecordError where the file has other columns, or names a quantity twice.
    """
    path = registry / FILE
    if not path.is_file():
        return {}
    sets: dict[str, set[str]] = {}
    seen: set[str] = set()
    with path.open(encoding="utf-8", newline="") as rows:
        reader = csv.DictReader(rows)
        if reader.fieldnames != COLUMNS:
            raise RecordError(f"{path}, line 1: found columns {reader.fieldnames}, expected {COLUMNS}")
        for line, row in enumerate(reader, start=2):
            if row["quantity_id"] in seen:
                raise RecordError(f"{path}, line {line}: found {row['quantity_id']} twice, expected each quantity once")
            seen.add(row["quantity_id"])
            sets.setdefault(row["items"], set()).add(row["quantity_id"])
    return {one: frozenset(members - {one}) for members in sets.values() for one in members}
