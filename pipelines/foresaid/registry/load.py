"""The stage `ingest`: the record's text files, through the quality gate, to typed Parquet.

Sources whose licence does not allow a copy are read on demand: their rows stand below `build`, put there by
`update` or `on_demand`. Nothing of them ever stands in registry/.

It is all or nothing. Every problem of every file is collected before anything is written; then the frames are written
beside their place and moved into it, so that a failed run leaves what was there. Rows are sorted by key: their order in
the files never reaches the output.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from foresaid import files, parallel
from foresaid.errors import BadCell, RecordError, UnreadableError
from foresaid.registry import csv_files, database, formats, licences, merges, source_card
from foresaid.registry.checks import bulk
from foresaid.registry.checks import rows as quality
from foresaid.registry.checks.rows import Known
from foresaid.registry.csv_files import CsvTable
from foresaid.registry.formats import AliasRow, LicenceRow, MergeRow, ModelRow, ObservationRow, QuantityRow, SubjectRow
from foresaid.registry.schema import KEY, ROWS, SCHEMA
from foresaid.registry.source_card import label, source_names

ROW_BY_ROW = 50_000_000  # bytes of observations.csv above which the engine reads it, with less exact places in its messages


@dataclass(frozen=True)
class Catalogue:
    """The three files every source refers to."""

    models: list[ModelRow]
    quantities: list[QuantityRow]
    aliases: list[AliasRow]
    merges: list[MergeRow] = field(default_factory=list)
    licences: list[LicenceRow] = field(default_factory=list)

    @property
    def known(self) -> Known:
        """Models and quantities by id."""
        return Known({row.model_id: row for row in self.models}, {row.quantity_id: row for row in self.quantities})


@dataclass(frozen=True)
class Loaded:
    """One source that passed the gate: its card, its rows as a frame sorted by key, and the SHA-256 of its observations.csv."""

    source: source_card.Source
    frame: pl.DataFrame
    subjects: list[SubjectRow]
    sha256: str

    @property
    def observations(self) -> list[ObservationRow]:
        """The rows as the record spells them."""
        return list(map(ObservationRow._make, self.frame.select(ObservationRow._fields).rows()))


def rows_folder(registry: Path, build: Path, source: source_card.Source) -> Path:
    """Where the rows of a source are kept: in the record, or below `build` where its licence does not allow a copy.

    Rows that stand in registry/ against their licence are refused by name.
    """
    home = registry / "sources" / source.name
    if source.embedded:
        return home
    for name in ("observations.csv", "subjects.csv"):
        if (home / name).exists():
            file = label(registry, "sources", source.name, name)
            found = f"rows of a source with redistribution = {source.redistribution!r}"
            raise RecordError.collect(
                [BadCell(file, None, "-", found, "none in the record", "remove the file; it is read on demand")]
            )
    return build / "on-demand" / source.name


def read_catalogue(registry: Path) -> tuple[Catalogue, list[BadCell]]:
    """Read models.csv, quantities.csv and aliases.csv through the gate."""
    models = csv_files.read(registry / "models.csv", label(registry, "models.csv"), formats.MODELS)
    quantities = csv_files.read(registry / "quantities.csv", label(registry, "quantities.csv"), formats.QUANTITIES)
    aliases = csv_files.read(registry / "aliases.csv", label(registry, "aliases.csv"), formats.ALIASES)
    merged = merges.read(registry)
    stated = licences.read(registry)
    catalogue = Catalogue(models.items, quantities.items, aliases.items, merged.items, stated.items)
    names = source_names(registry)
    problems = [*models.problems, *quantities.problems, *aliases.problems]
    problems += quality.models(models)
    problems += quality.quantities(quantities, names)
    problems += quality.aliases(aliases, catalogue.known, names)
    problems += merges.check(merged, catalogue.known.models)
    problems += licences.check(stated, catalogue.known.quantities, names)
    return catalogue, problems


def read_tables(registry: Path, name: str, folder: Path) -> tuple[CsvTable[ObservationRow], CsvTable[SubjectRow]]:
    """Read a source's observations.csv and, where there is one, its subjects.csv: spelling only."""
    file = label(registry, "sources", name, "observations.csv")
    observations = csv_files.read(folder / "observations.csv", file, formats.OBSERVATIONS)
    return observations, _subjects(registry, name, folder)


def _subjects(registry: Path, name: str, folder: Path) -> CsvTable[SubjectRow]:
    path, file = folder / "subjects.csv", label(registry, "sources", name, "subjects.csv")
    return csv_files.read(path, file, formats.SUBJECTS) if path.exists() else CsvTable[SubjectRow](file, [], [])


def check(observations: CsvTable[ObservationRow], subjects: CsvTable[SubjectRow], known: Known) -> list[BadCell]:
    """Every problem of one source: spelling first, then meaning."""
    runs = {row.subject_id for row in subjects.items}
    return [
        *subjects.problems,
        *observations.problems,
        *quality.subjects(subjects.items, subjects.where(), known),
        *quality.observations(observations.items, observations.where(), runs, known),
    ]


def load(
    registry: Path, sources: Sequence[str], build: Path | None = None, today: date | None = None
) -> tuple[Catalogue, list[Loaded]]:
    """Read the record of these sources, or raise with every problem there is.

    `build` is where rows read on demand stand; by default beside the registry. With `today` dates that are still to come are
    refused. The days on which the sources were accessed count as past, so that a machine whose clock is behind takes a record
    that is older than it thinks.
    """
    names = source_names(registry)
    if unknown := [name for name in sources if name not in names]:
        advice = quality.Nearest(names).advice(unknown[0])
        expected = f"a folder of {label(registry, 'sources')}: {', '.join(names) or 'there is none'}"
        raise UnreadableError(f"source {unknown[0]}: expected {expected}" + (f"; {advice}" if advice else ""))
    catalogue, problems = read_catalogue(registry)
    owner: dict[str, str] = {}
    loaded = []
    for name in parallel.counted(sorted(set(sources)), "sources", len(set(sources))):
        source = source_card.read(
            registry / "sources" / name / "source.toml", label(registry, "sources", name, "source.toml"), name
        )
        folder = rows_folder(registry, build or registry.parent / "build", source)
        path = folder / "observations.csv"
        if not source.embedded and not path.exists():
            raise UnreadableError(
                f"source {name}: its licence ({source.licence}) does not allow a copy in registry/, expected its files; run "
                f"`foresaid update {name} --from FOLDER`, or set FORESAID_MIRROR, or take it out of `sources` in params.yaml"
            )
        subjects = _subjects(registry, name, folder)
        if path.exists() and path.stat().st_size > ROW_BY_ROW:
            rows = large(path, subjects, catalogue.known, name, label(registry, "sources", name, "observations.csv"))
            problems += [*subjects.problems, *quality.subjects(subjects.items, subjects.where(), catalogue.known)]
        else:
            observations, subjects = read_tables(registry, name, folder)
            problems += check(observations, subjects, catalogue.known)
            rows = frame(observations.items, name)
        stated, where = licences.grants(catalogue.licences), label(registry, "sources", name, "observations.csv")
        problems += licences.refused(name, source.embedded, rows["quantity_id"].unique(), stated, where)
        for row, place in zip(subjects.items, subjects.where(), strict=True):
            if owner.setdefault(row.subject_id, name) != name:
                other = owner[row.subject_id]
                problems.append(BadCell(*place, "subject_id", row.subject_id, f"an id not used by source {other}"))
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        loaded.append(Loaded(source, rows, subjects.items, digest))
    if today is not None:
        problems += _still_to_come(registry, catalogue, loaded, max([today, *(item.source.accessed for item in loaded)]))
    if problems:
        # A wrong id also stands in a wrong place: the order is told when nothing else is wrong.
        raise RecordError.collect([one for one in problems if one.expected != csv_files.SORTED] or problems)
    return catalogue, loaded


def _still_to_come(registry: Path, catalogue: Catalogue, loaded: Sequence[Loaded], today: date) -> list[BadCell]:
    """Every date of the record that is later than `today`; a row is known no later than it was recorded."""
    models, decisions = label(registry, "models.csv"), label(registry, merges.FILE)
    days: list[tuple[date | None, quality.Place, str]] = [
        (row.released_on, (models, line), "released_on") for line, row in enumerate(catalogue.models, start=2)
    ]
    days += [(row.decided_on, (decisions, line), "decided_on") for line, row in enumerate(catalogue.merges, start=2)]
    for item in loaded:
        card = label(registry, "sources", item.source.name, "source.toml")
        days += [(one.known_on, (card, None), "known_on") for one in item.source.vintages]
        newest = item.frame["recorded_on"].max()
        if isinstance(newest, date) and newest > today:
            file = label(registry, "sources", item.source.name, "observations.csv")
            rows = item.frame.filter(pl.col("recorded_on") > today).head(10)
            days += [
                (row["recorded_on"], (file, None), f"recorded_on of {row['subject_id']}") for row in rows.iter_rows(named=True)
            ]
    return quality.still_to_come(days, today)


def sort(registry: Path) -> list[str]:
    """Put every file of the record in the order of its keys; return the files that were not."""
    kinds: dict[str, formats.Format[Any]] = {
        "models.csv": formats.MODELS, "quantities.csv": formats.QUANTITIES, "aliases.csv": formats.ALIASES,
        merges.FILE: formats.MERGES, licences.FILE: formats.LICENCES,
    }  # fmt: skip
    wanted = {registry / name: format for name, format in kinds.items()}
    for name in source_names(registry):
        home = registry / "sources" / name
        wanted |= {home / "observations.csv": formats.OBSERVATIONS, home / "subjects.csv": formats.SUBJECTS}
    contents = {}
    problems: list[BadCell] = []
    for path, format in wanted.items():
        if path.exists() or path.name == "models.csv":  # without one there is no record
            table: CsvTable[Any] = csv_files.read(path, path.relative_to(registry.parent).as_posix(), format)
            wrong = [problem for problem in table.problems if problem.expected != csv_files.SORTED]
            problems += wrong
            if table.problems and not wrong:
                contents[path] = csv_files.ordered(path.read_bytes(), format)
    if problems:
        raise RecordError.collect(problems)
    files.write(contents)
    return [path.relative_to(registry.parent).as_posix() for path in contents]


def large(path: Path, subjects: CsvTable[SubjectRow], known: Known, name: str, file: str) -> pl.DataFrame:
    """Read a file too large for rows, through the set-based gate."""
    connection = database.staging()
    try:
        bulk.load(connection, path, file, known, {row.subject_id for row in subjects.items})
        columns = ", ".join(f"{column}::varchar as {column}" if kind == pl.String else column for column, kind in ROWS.items())
        rows = database.frame(connection, f"select {columns} from incoming")
    finally:
        connection.close()
    return rows.with_columns(source_id=pl.lit(name)).select(list(SCHEMA)).cast(SCHEMA).sort(KEY)  # type: ignore[arg-type]


def frame(rows: Sequence[ObservationRow], source_id: str) -> pl.DataFrame:
    """Type the rows of one source and sort them by key."""
    fields = ObservationRow._fields
    columns: dict[str, Any] = dict(zip(fields, zip(*rows, strict=True) if rows else [()] * len(fields), strict=True))
    columns["source_id"] = [source_id] * len(rows)
    return pl.DataFrame({name: columns[name] for name in SCHEMA}, schema=SCHEMA).sort(KEY)
