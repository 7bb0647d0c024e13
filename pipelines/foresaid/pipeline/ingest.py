"""Stage `ingest`: check every row of the record and write it as tables; any bad row stops it."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from foresaid import files
from foresaid.registry import formats, merges, source_card
from foresaid.registry.checks import cross_row
from foresaid.registry.load import Catalogue, Loaded, load
from foresaid.registry.schema import KEY, MODEL, QUANTITY, SUBJECT
from foresaid.registry.update import on_demand

COMPARED_AT_MOST = 1_000_000  # rows of a source; above it the rules that compare rows are not tried, which the counts say


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
        "flags": [asdict(flag) for flag in flagged(catalogue, loaded)],
        "flags_not_looked_for": [item.source.name for item in loaded if item.frame.height > COMPARED_AT_MOST],
    }


def flagged(catalogue: Catalogue, loaded: Sequence[Loaded]) -> list[cross_row.Flag]:
    """What the rules that see several rows flag in the record as it stands, for the data page."""
    merged = merges.mapping(catalogue.merges)
    found = cross_row.names(name for name in catalogue.known.models if name not in merged)
    found += cross_row.sizes(catalogue.models)
    found += [
        cross_row.Flag("licence", item.source.name, "", "", "", source_card.UNSAID_LICENCE)
        for item in loaded
        if item.source.unlicensed
    ]
    for item in loaded:
        if item.frame.height <= COMPARED_AT_MOST:
            runs = {row.subject_id: row for row in item.subjects}
            found += cross_row.raised(item.source.name, item.observations, catalogue.known, runs, merged)
    return found


UNSAID = ("released_precision", "release_source", "notes", "line", "tier", "release", "line_source", "open_weights")


def tables(catalogue: Catalogue, loaded: Sequence[Loaded]) -> dict[str, pl.DataFrame]:
    """The tables beside the observations: quantities, models, and subjects (every model, run and checkpoint)."""
    kept = merges.mapping(catalogue.merges)
    models = pl.DataFrame([row._asdict() for row in catalogue.models if row.model_id not in kept], schema=MODEL)
    # An unknown text is null in the database, where the schema speaks of it.
    models = models.with_columns(pl.when(pl.col(name) != "").then(pl.col(name)) for name in UNSAID)
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


def run(
    registry: Path,
    sources: Sequence[str],
    build: Path,
    metrics: Path,
    mirror: Path | None = None,
    say: Callable[[str], None] = print,
    today: date | None = None,
) -> dict[str, Any]:
    """Run the stage: `build`/observations/NAME.parquet, `build`/tables/NAME.parquet and the counts in `metrics`, or nothing.

    Sources that the record may not keep are read from `mirror`, a folder with the upstreams' files, where there is one.
    With `today` dates that are still to come are refused.
    """
    for line in on_demand.fetch(registry, build, sources, mirror):
        say(line)
    catalogue, loaded = load(registry, sources, build, today)
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
    files.write({metrics: (json.dumps(counts, indent=2, sort_keys=True) + "\n").encode()})
    return counts
