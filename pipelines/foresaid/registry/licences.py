"""Which licence the figures of a quantity carry in a source, where that is not the licence of the whole source.

A collector's licence covers what it ran itself, not what it collected. `registry/licences.csv` says it quantity by quantity: who
ran or published the scores, what licence was found, and one word for what follows. Only granted figures may stand in registry/;
figures without a grant are read on demand, and figures whose publisher forbids a copy are in no table of a page either.
Not legal advice: `evidence` says where each statement was read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from foresaid.errors import BadCell
from foresaid.registry import csv_files, formats
from foresaid.registry.csv_files import CsvTable
from foresaid.registry.formats import LicenceRow, QuantityRow

FILE = "licences.csv"
EMBEDDED = frozenset({"granted", "share_alike"})  # share-alike figures carry their own notice beside them
Grants = Mapping[tuple[str, str], LicenceRow]


def read(registry: Path) -> CsvTable[LicenceRow]:
    """Read the statements; without a file each source's card speaks for all it holds."""
    path, label = registry / FILE, f"{registry.name}/{FILE}"
    return csv_files.read(path, label, formats.LICENCES) if path.exists() else CsvTable[LicenceRow](label, [], [])


def check(table: CsvTable[LicenceRow], quantities: Mapping[str, QuantityRow], sources: Collection[str]) -> list[BadCell]:
    """Every problem of licences.csv: spelling, then quantities and sources that do not exist."""
    problems = list(table.problems)
    for row, (file, line) in zip(table.items, table.where(), strict=True):
        if row.quantity_id not in quantities:
            problems.append(BadCell(file, line, "quantity_id", row.quantity_id[:80], "a quantity of quantities.csv"))
        if row.source_id not in sources:
            problems.append(BadCell(file, line, "source_id", row.source_id[:80], "a folder of registry/sources"))
    return problems


def grants(rows: Iterable[LicenceRow]) -> dict[tuple[str, str], LicenceRow]:
    """The statements by source and quantity."""
    return {(row.source_id, row.quantity_id): row for row in rows}


def refused(source: str, embedded: bool, quantities: Iterable[str], found: Grants, file: str) -> list[BadCell]:
    """Figures that stand in registry/ although nobody granted a copy of them, one problem a quantity."""
    if not embedded:
        return []
    rows = [(name, found[source, name]) for name in sorted(set(quantities)) if (source, name) in found]
    return [
        BadCell(
            file,
            None,
            "quantity_id",
            f"{name}, {row.grant.replace('_', ' ')} by {row.publisher}",
            "figures whose licence grants a copy",
            "remove its rows; they are read on demand",
        )
        for name, row in rows
        if row.grant not in EMBEDDED
    ]


def listing(rows: Iterable[LicenceRow]) -> list[str]:
    """One line a quantity, as the data page and the command say it: source, quantity, word, publisher, licence, evidence."""
    return [
        f"{row.source_id}  {row.quantity_id}  {row.grant.replace('_', ' ')}  {row.publisher}  {row.licence or '-'}  {row.evidence}"
        for row in sorted(rows)
    ]
