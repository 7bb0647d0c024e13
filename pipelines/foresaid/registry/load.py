"""The stage `ingest`: the record's text files, through the quality gate, to typed Parquet.

Sources whose licence does not allow a copy are read on demand: their rows stand below `build`, put there by
`update` or `on_demand`. Nothing of them ever stands in registry/.

It is all or nothing. Every problem of every file is collected before anything is written; then the frames are written
beside their place and moved into it, so that a failed run leaves what was there. Rows are sorted by key: their order in
the files never reaches the output.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from foresaid.errors import Problem, RecordError, UnreadableError
from foresaid.registry import csv_files, database, formats, merges, source_card
from foresaid.registry.checks import bulk, cross_row
from foresaid.registry.checks import rows as quality
from foresaid.registry.checks.rows import Known
from foresaid.registry.csv_files import Table
from foresaid.registry.formats import AliasRow, MergeRow, ModelRow, ObservationRow, QuantityRow, SubjectRow

SCHEMA = {
    "subject_id": pl.String,
    "quantity_id": pl.String,
    "setting": pl.String,
    "source_id": pl.String,
    "known_on": pl.Date,
    "value": pl.Float64,
    "stderr": pl.Float64,
    "n": pl.Int64,
    "recorded_on": pl.Date,
    "status": pl.String,
    "note": pl.String,
}
MODEL = {
    **dict.fromkeys(("model_id", "family", "organisation"), pl.String),
    "released_on": pl.Date,
    **dict.fromkeys(("released_precision", "release_source"), pl.String),
    **dict.fromkeys(("params_total", "params_active", "training_tokens", "training_flops"), pl.Float64),
    **dict.fromkeys(("kind", "notes"), pl.String),
}
QUANTITY = {
    **dict.fromkeys(("quantity_id", "title", "kind", "unit"), pl.String),
    **dict.fromkeys(("lower", "upper", "chance"), pl.Float64),
    "direction": pl.String,
    "items": pl.Int64,
    **dict.fromkeys(("protocol", "reference", "resolver"), pl.String),
}
SUBJECT = {**dict.fromkeys(("subject_id", "kind", "model_id", "run", "family"), pl.String), "released_on": pl.Date}
KEY = ["subject_id", "quantity_id", "setting", "source_id", "known_on"]
ROWS = {name: kind for name, kind in SCHEMA.items() if name != "source_id"}
ROW_BY_ROW = 50_000_000  # bytes of observations.csv above which the engine reads it, with less exact places in its messages
DOUBTED = 1_000_000  # rows above which the rules that compare rows with each other are not tried, which the counts say


@dataclass(frozen=True)
class Catalogue:
    """The three files every source refers to."""

    models: list[ModelRow]
    quantities: list[QuantityRow]
    aliases: list[AliasRow]
    merges: list[MergeRow] = field(default_factory=list)

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
        return [ObservationRow._make(row) for row in self.frame.select(ObservationRow._fields).iter_rows()]


def label(registry: Path, *parts: str) -> str:
    """Name a file of the registry in messages, without the path of the machine."""
    return "/".join((registry.name, *parts))


def source_names(registry: Path) -> list[str]:
    """Every source that has a folder, sorted."""
    return sorted(path.parent.name for path in registry.glob("sources/*/source.toml"))


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
                [Problem(file, None, "-", found, "none in the record", "remove the file; it is read on demand")]
            )
    return build / "on-demand" / source.name


def read_catalogue(registry: Path) -> tuple[Catalogue, list[Problem]]:
    """Read models.csv, quantities.csv and aliases.csv through the gate."""
    models = csv_files.read(registry / "models.csv", label(registry, "models.csv"), formats.MODELS)
    quantities = csv_files.read(registry / "quantities.csv", label(registry, "quantities.csv"), formats.QUANTITIES)
    aliases = csv_files.read(registry / "aliases.csv", label(registry, "aliases.csv"), formats.ALIASES)
    merged = merges.read(registry)
    catalogue = Catalogue(models.items, quantities.items, aliases.items, merged.items)
    names = source_names(registry)
    problems = [*models.problems, *quantities.problems, *aliases.problems]
    problems += quality.models(models)
    problems += quality.quantities(quantities, names)
    problems += quality.aliases(aliases, catalogue.known, names)
    problems += merges.check(merged, catalogue.known.models)
    return catalogue, problems


def read_tables(registry: Path, name: str, folder: Path) -> tuple[Table[ObservationRow], Table[SubjectRow]]:
    """Read a source's observations.csv and, where there is one, its subjects.csv: spelling only."""
    file = label(registry, "sources", name, "observations.csv")
    observations = csv_files.read(folder / "observations.csv", file, formats.OBSERVATIONS)
    return observations, _subjects(registry, name, folder)


def _subjects(registry: Path, name: str, folder: Path) -> Table[SubjectRow]:
    path, file = folder / "subjects.csv", label(registry, "sources", name, "subjects.csv")
    return csv_files.read(path, file, formats.SUBJECTS) if path.exists() else Table[SubjectRow](file, [], [])


def check(observations: Table[ObservationRow], subjects: Table[SubjectRow], known: Known) -> list[Problem]:
    """Every problem of one source: spelling first, then meaning."""
    runs = {row.subject_id for row in subjects.items}
    return [
        *subjects.problems,
        *observations.problems,
        *quality.subjects(subjects.items, subjects.where(), known),
        *quality.observations(observations.items, observations.where(), runs, known),
    ]


def load(registry: Path, sources: Sequence[str], build: Path | None = None) -> tuple[Catalogue, list[Loaded]]:
    """Read the record of these sources, or raise with every problem there is.

    `build` is where rows read on demand stand; by default beside the registry.
    """
    names = source_names(registry)
    if unknown := [name for name in sources if name not in names]:
        advice = quality.Nearest(names).advice(unknown[0])
        expected = f"a folder of {label(registry, 'sources')}: {', '.join(names) or 'there is none'}"
        raise UnreadableError(f"source {unknown[0]}: expected {expected}" + (f"; {advice}" if advice else ""))
    catalogue, problems = read_catalogue(registry)
    owner: dict[str, str] = {}
    loaded = []
    for name in sorted(set(sources)):
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
        for row, place in zip(subjects.items, subjects.where(), strict=True):
            if owner.setdefault(row.subject_id, name) != name:
                other = owner[row.subject_id]
                problems.append(Problem(*place, "subject_id", row.subject_id, f"an id not used by source {other}"))
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        loaded.append(Loaded(source, rows, subjects.items, digest))
    if problems:
        raise RecordError.collect(problems)
    return catalogue, loaded


def large(path: Path, subjects: Table[SubjectRow], known: Known, name: str, file: str) -> pl.DataFrame:
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
    columns: dict[str, Any] = {name: [] for name in SCHEMA}
    for row in rows:
        for name, cell in zip(ObservationRow._fields, row, strict=True):
            columns[name].append(cell)
    columns["source_id"] = [source_id] * len(rows)
    return pl.DataFrame(columns, schema=SCHEMA).sort(KEY)


def summary(catalogue: Catalogue, loaded: Sequence[Loaded]) -> dict[str, Any]:
    """Count what was read: the part of the record a review sees in a diff."""
    precision = Counter(row.released_precision for row in catalogue.models)
    sources = {}
    for item in loaded:
        days, status = item.frame["known_on"], item.frame["status"].value_counts()
        sources[item.source.name] = {
            "rows": item.frame.height,
            "subjects": item.frame["subject_id"].n_unique(),
            "quantities": item.frame["quantity_id"].n_unique(),
            "by_status": dict(status.sort("status").iter_rows()),
            "first_known_on": str(days.min()) if days.len() else None,
            "last_known_on": str(days.max()) if days.len() else None,
            "source_file": item.sha256,
        }
    models = {
        "n": len(catalogue.models),
        "dated_day": precision["day"],
        "dated_month": precision["month"],
        "undated": precision[""],
        "dated_not_reread": sum(formats.NOT_REREAD in row.release_source for row in catalogue.models),
    }
    return {
        "models": models,
        "quantities": len(catalogue.quantities),
        "sources": sources,
        "merged": merges.mapping(catalogue.merges),
        "doubts": [asdict(doubt) for doubt in doubted(catalogue, loaded)],
        "doubts_not_looked_for": [item.source.name for item in loaded if item.frame.height > DOUBTED],
    }


def doubted(catalogue: Catalogue, loaded: Sequence[Loaded]) -> list[cross_row.Doubt]:
    """What the rules that see several rows doubt in the record as it stands, for the data page."""
    merged = merges.mapping(catalogue.merges)
    found = cross_row.names(name for name in catalogue.known.models if name not in merged)
    for item in loaded:
        if item.frame.height <= DOUBTED:
            runs = {row.subject_id: row for row in item.subjects}
            found += cross_row.raised(item.source.name, item.observations, catalogue.known, runs, merged)
    return found


def tables(catalogue: Catalogue, loaded: Sequence[Loaded]) -> dict[str, pl.DataFrame]:
    """The tables beside the observations: quantities, models, and subjects (every model, run and checkpoint)."""
    kept = merges.mapping(catalogue.merges)
    models = pl.DataFrame([row._asdict() for row in catalogue.models if row.model_id not in kept], schema=MODEL)
    # An unknown text is null in the database, where the schema speaks of it.
    models = models.with_columns(
        pl.when(pl.col(name) != "").then(pl.col(name)) for name in ("released_precision", "release_source", "notes")
    )
    quantities = pl.DataFrame([row._asdict() for row in catalogue.quantities], schema=QUANTITY)
    runs = [
        {"subject_id": row.subject_id, "kind": row.kind, "run": row.run, "family": row.family}
        for item in loaded
        for row in item.subjects
    ]
    subjects = pl.concat(
        [
            models.select("model_id", "family", "released_on", subject_id="model_id", kind=pl.lit("model"), run="model_id").select(
                list(SUBJECT)
            ),
            pl.DataFrame(runs, schema=SUBJECT),
        ]
    )
    return {
        "model": models.sort("model_id"),
        "quantity": quantities.sort("quantity_id"),
        "subject": subjects.sort("subject_id"),
    }


def ingest(registry: Path, sources: Sequence[str], build: Path, metrics: Path) -> dict[str, Any]:
    """Run the stage: `build`/observations/NAME.parquet, `build`/tables/NAME.parquet and the counts in `metrics`, or nothing."""
    catalogue, loaded = load(registry, sources, build)
    counts = summary(catalogue, loaded)
    build.mkdir(parents=True, exist_ok=True)
    frames = {
        "observations": {item.source.name: merges.applied(item.frame, catalogue.merges, KEY) for item in loaded},
        "tables": tables(catalogue, loaded),
    }
    for place, parts in frames.items():
        waiting = Path(tempfile.mkdtemp(dir=build, prefix=f".{place}."))
        try:
            waiting.chmod(0o755)
            for name, rows in parts.items():
                rows.write_parquet(waiting / f"{name}.parquet", compression="zstd")
            shutil.rmtree(build / place, ignore_errors=True)
            waiting.rename(build / place)
        finally:
            shutil.rmtree(waiting, ignore_errors=True)
    csv_files.write({metrics: (json.dumps(counts, indent=2, sort_keys=True) + "\n").encode()})
    return counts
