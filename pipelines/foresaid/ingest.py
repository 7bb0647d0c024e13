"""The stage `ingest`: the record's text files, through the quality gate, to typed Parquet.

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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from foresaid import card, formats, quality, record
from foresaid.errors import Problem, RecordError, UnreadableError
from foresaid.formats import AliasRow, ModelRow, ObservationRow, QuantityRow, SubjectRow
from foresaid.quality import Known
from foresaid.record import Table

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


@dataclass(frozen=True)
class Catalogue:
    """The three files every source refers to."""

    models: list[ModelRow]
    quantities: list[QuantityRow]
    aliases: list[AliasRow]

    @property
    def known(self) -> Known:
        """Models and quantities by id."""
        return Known({row.model_id: row for row in self.models}, {row.quantity_id: row for row in self.quantities})


@dataclass(frozen=True)
class Loaded:
    """One source that passed the gate: its card, its rows, and the SHA-256 of its observations.csv."""

    source: card.Source
    observations: list[ObservationRow]
    subjects: list[SubjectRow]
    sha256: str


def label(registry: Path, *parts: str) -> str:
    """Name a file of the registry in messages, without the path of the machine."""
    return "/".join((registry.name, *parts))


def source_names(registry: Path) -> list[str]:
    """Every source that has a folder, sorted."""
    return sorted(path.parent.name for path in registry.glob("sources/*/source.toml"))


def read_catalogue(registry: Path) -> tuple[Catalogue, list[Problem]]:
    """Read models.csv, quantities.csv and aliases.csv through the gate."""
    models = record.read(registry / "models.csv", label(registry, "models.csv"), formats.MODELS)
    quantities = record.read(registry / "quantities.csv", label(registry, "quantities.csv"), formats.QUANTITIES)
    aliases = record.read(registry / "aliases.csv", label(registry, "aliases.csv"), formats.ALIASES)
    catalogue = Catalogue(models.items, quantities.items, aliases.items)
    names = source_names(registry)
    problems = [*models.problems, *quantities.problems, *aliases.problems]
    problems += quality.models(models)
    problems += quality.quantities(quantities, names)
    problems += quality.aliases(aliases, catalogue.known, names)
    return catalogue, problems


def read_tables(registry: Path, name: str) -> tuple[Table[ObservationRow], Table[SubjectRow]]:
    """Read a source's observations.csv and, where there is one, its subjects.csv: spelling only."""
    folder = registry / "sources" / name
    observations = record.read(
        folder / "observations.csv", label(registry, "sources", name, "observations.csv"), formats.OBSERVATIONS
    )
    path, file = folder / "subjects.csv", label(registry, "sources", name, "subjects.csv")
    subjects = record.read(path, file, formats.SUBJECTS) if path.exists() else Table[SubjectRow](file, [], [])
    return observations, subjects


def check(observations: Table[ObservationRow], subjects: Table[SubjectRow], known: Known) -> list[Problem]:
    """Every problem of one source: spelling first, then meaning."""
    runs = {row.subject_id for row in subjects.items}
    return [
        *subjects.problems,
        *observations.problems,
        *quality.subjects(subjects.items, subjects.where(), known),
        *quality.observations(observations.items, observations.where(), runs, known),
    ]


def load(registry: Path, sources: Sequence[str]) -> tuple[Catalogue, list[Loaded]]:
    """Read the record of these sources, or raise with every problem there is."""
    names = source_names(registry)
    if unknown := [name for name in sources if name not in names]:
        advice = quality.Nearest(names).advice(unknown[0])
        expected = f"a folder of {label(registry, 'sources')}: {', '.join(names) or 'there is none'}"
        raise UnreadableError(f"source {unknown[0]}: expected {expected}" + (f"; {advice}" if advice else ""))
    catalogue, problems = read_catalogue(registry)
    owner: dict[str, str] = {}
    loaded = []
    for name in sorted(set(sources)):
        folder = registry / "sources" / name
        source = card.read(folder / "source.toml", label(registry, "sources", name, "source.toml"), name)
        observations, subjects = read_tables(registry, name)
        problems += check(observations, subjects, catalogue.known)
        for row, place in zip(subjects.items, subjects.where(), strict=True):
            if owner.setdefault(row.subject_id, name) != name:
                other = owner[row.subject_id]
                problems.append(Problem(*place, "subject_id", row.subject_id, f"an id not used by source {other}"))
        digest = hashlib.sha256((folder / "observations.csv").read_bytes()).hexdigest()
        loaded.append(Loaded(source, observations.items, subjects.items, digest))
    if problems:
        raise RecordError.collect(problems)
    return catalogue, loaded


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
        days = [row.known_on for row in item.observations]
        sources[item.source.name] = {
            "rows": len(item.observations),
            "subjects": len({row.subject_id for row in item.observations}),
            "quantities": len({row.quantity_id for row in item.observations}),
            "by_status": dict(Counter(row.status for row in item.observations)),
            "first_known_on": str(min(days)) if days else None,
            "last_known_on": str(max(days)) if days else None,
            "source_file": item.sha256,
        }
    models = {
        "n": len(catalogue.models),
        "dated_day": precision["day"],
        "dated_month": precision["month"],
        "undated": precision[""],
        "dated_not_reread": sum(formats.NOT_REREAD in row.release_source for row in catalogue.models),
    }
    return {"models": models, "quantities": len(catalogue.quantities), "sources": sources}


def tables(catalogue: Catalogue, loaded: Sequence[Loaded]) -> dict[str, pl.DataFrame]:
    """The tables beside the observations: quantities, models, and subjects (every model, run and checkpoint)."""
    models = pl.DataFrame([row._asdict() for row in catalogue.models], schema=MODEL)
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
    catalogue, loaded = load(registry, sources)
    counts = summary(catalogue, loaded)
    build.mkdir(parents=True, exist_ok=True)
    frames = {
        "observations": {item.source.name: frame(item.observations, item.source.name) for item in loaded},
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
    record.write({metrics: (json.dumps(counts, indent=2, sort_keys=True) + "\n").encode()})
    return counts
