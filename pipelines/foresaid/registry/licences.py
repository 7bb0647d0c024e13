"""Which licence the figures of a quantity carry in a source, where that is not the licence of the whole source.

A collector's licence covers what it ran itself, not what it collected. `registry/licences.csv` says it quantity by quantity: who
ran or published the scores, what licence was found, and one word for what follows. Only granted figures may stand in registry/;
figures without a grant are read on demand, and figures whose publisher forbids a copy are in no table of a page either.
Not legal advice: `evidence` says where each statement was read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from foresaid.errors import BadCell
from foresaid.registry import csv_files, formats, source_card
from foresaid.registry.csv_files import CsvTable
from foresaid.registry.formats import LicenceRow, QuantityRow
from foresaid.registry.source_card import Source, source_names

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


def word(source: Source, row: LicenceRow | None = None) -> str:
    """What a source (or one quantity of it) grants, in one word of GRANTS.

    Where licences.csv is silent the card speaks: `redistribution` no is a publisher's refusal, unclear that none was found.
    """
    if row is not None:
        return row.grant
    if source.redistribution == "yes":
        return "share_alike" if "-SA-" in source.licence.upper() else "granted"
    return "forbidden" if source.redistribution == "no" else "not_found"


def forbidden(sources: Iterable[Source], quantities: Iterable[QuantityRow], rows: Iterable[LicenceRow]) -> frozenset[str]:
    """Quantities whose publisher forbids a copy: not even tables made from them stand on a page."""
    refused = {source.name for source in sources if word(source) == "forbidden"}
    return frozenset(
        {row.quantity_id for row in rows if row.grant == "forbidden"}
        | {row.quantity_id for row in quantities if row.resolver in refused}
    )


@dataclass(frozen=True)
class Kept:
    """One source as the record keeps it: in registry/ or on demand, what its licence grants, and what an `update` would add."""

    source: Source
    grant: str
    rows: int  # that stand in registry/
    quantities: int  # that it resolves
    notice: str  # the text that goes with its figures, where the licence asks for one

    @property
    def gain(self) -> str:
        """What a reader gains by an update, in words; nothing where the rows stand in the record already."""
        if self.source.embedded or not self.quantities:
            return ""
        last = max((one.known_on for one in self.source.vintages), default=self.source.accessed)
        return f"{self.quantities} quantities to {last}: foresaid update {self.source.name} --from FOLDER"


def kept(registry: Path, quantities: Iterable[QuantityRow]) -> list[Kept]:
    """Every source of the record with its licence, its rows and its notice."""
    resolved = Counter(row.resolver for row in quantities)
    found = []
    for name in source_names(registry):
        home = registry / "sources" / name
        source = source_card.of(registry, name)
        path, notice = home / "observations.csv", home / "NOTICE.md"
        rows = max(path.read_bytes().count(b"\n") - 1, 0) if path.exists() else 0
        text = notice.read_text(encoding="utf-8") if notice.exists() else ""
        found.append(Kept(source, word(source), rows, resolved[name], text))
    return found


def summary(sources: Iterable[Kept]) -> list[str]:
    """One line a source: name, word, where its rows are, licence; then what an update of those on demand would add."""
    lines, gains = [], []
    for one in sources:
        where = f"{one.rows} rows in registry/" if one.source.embedded else "on demand"
        lines.append(f"{one.source.name}  {one.grant.replace('_', ' ')}  {where}  {one.source.licence or 'no licence stated'}")
        gains += [f"an update adds {one.gain}"] if one.gain else []
    return lines + gains


def listing(rows: Iterable[LicenceRow]) -> list[str]:
    """One line a quantity, as the data page and the command say it: source, quantity, word, publisher, licence, evidence."""
    return [
        f"{row.source_id}  {row.quantity_id}  {row.grant.replace('_', ' ')}  {row.publisher}  {row.licence or '-'}  {row.evidence}"
        for row in sorted(rows)
    ]
