"""The models of the record as a person looks them up, and the command that says two of them are one.

Reads the record and nothing derived, so it works before anything was built.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, TypedDict

from foresaid.errors import RecordError
from foresaid.registry import load as ingest
from foresaid.registry import merges, source_card
from foresaid.registry.formats import ObservationRow, plain
from foresaid.registry.model_names import Suggestions, alike


def _catalogue(registry: Path) -> ingest.Catalogue:
    found, problems = ingest.read_catalogue(registry)
    if problems:
        raise RecordError.collect(problems)
    return found


def _observations(registry: Path, build: Path) -> dict[str, list[ObservationRow]]:
    """The rows of every source that is at hand, by source."""
    found = {}
    for name in source_card.source_names(registry):
        source = source_card.of(registry, name)
        folder = ingest.rows_folder(registry, build, source)
        if (folder / "observations.csv").exists():
            found[name] = ingest.read_tables(registry, name, folder)[0].items
    return found


class Listed(TypedDict):
    """A model: id, family, organisation, release date (or null) with its precision, and the id it is merged into or null."""

    model: str
    family: str
    organisation: str
    released_on: str | None
    precision: str | None
    merged_into: str | None


class Pair(TypedDict):
    """Two ids that may be one model, and why."""

    one: str
    two: str
    reason: str


def listing(registry: Path, family: str = "", undated: bool = False) -> list[Listed]:
    """Every model, those of a family, or those without a release date."""
    found = _catalogue(registry)
    given_up = merges.mapping(found.merges)
    chosen = [row for row in found.models if (not family or row.family == family) and (not undated or row.released_on is None)]
    return [
        Listed(
            model=row.model_id,
            family=row.family,
            organisation=row.organisation,
            released_on=str(row.released_on) if row.released_on else None,
            precision=row.released_precision if row.released_on else None,
            merged_into=given_up.get(row.model_id),
        )
        for row in chosen
    ]


def pairs(registry: Path) -> list[Pair]:
    """Pairs of ids that look alike and were not merged."""
    found = _catalogue(registry)
    given_up = merges.mapping(found.merges)
    names = [row.model_id for row in found.models if row.model_id not in given_up]
    return [Pair(one=one, two=two, reason=reason) for one, two, reason in alike(names)]


def line(row: Listed) -> str:
    """A model in one line."""
    released = f"{row['released_on']} ({row['precision']})" if row["released_on"] else "undated"
    kept = f"  merged into {row['merged_into']}" if row["merged_into"] else ""
    return f"{row['model']}  {row['family']}  {row['organisation']}  {released}{kept}"


def shown(registry: Path, build: Path, model: str) -> dict[str, Any]:
    """A model's card, spellings, merges, and how many rows each source has of it."""
    found = _catalogue(registry)
    known = found.known.models
    if model not in known:
        spellings = {name: name for name in known} | {row.alias: row.id for row in found.aliases if row.kind == "model"}
        advice = Suggestions(spellings).advice(model) or "`foresaid models list` lists them"
        raise RecordError(f"models show: found no model {model}, expected one of models.csv; {advice}")
    spelt = sorted({(row.alias, row.source_id) for row in found.aliases if row.kind == "model" and row.id == model})
    counts = {
        source: Counter(str(row.status) for row in rows if row.subject_id == model)
        for source, rows in _observations(registry, build).items()
    }
    return {
        "model": {name: plain(value) for name, value in known[model]._asdict().items()},
        "merged_into": merges.mapping(found.merges).get(model),
        "also_recorded_as": [
            {"model_id": row.model_id, "decided_on": str(row.decided_on), "reason": row.reason}
            for row in found.merges
            if row.kept_as == model
        ],
        "spelt": [{"spelling": alias, "source": source} for alias, source in spelt],
        "rows": {source: dict(sorted(count.items())) for source, count in counts.items() if count},
    }


def card(found: Mapping[str, Any]) -> list[str]:
    """The same in lines for a terminal."""
    lines = [f"{name}: {value or '-'}" for name, value in found["model"].items()]
    lines += [f"merged into: {found['merged_into']}"] if found["merged_into"] else []
    lines += [
        f"also recorded as: {one['model_id']} (decided {one['decided_on']}: {one['reason']})" for one in found["also_recorded_as"]
    ]
    lines += [f"spelt {one['spelling']} in {one['source']}" for one in found["spelt"]]
    return lines + [
        f"{source}: " + ", ".join(f"{count} {status}" for status, count in counts.items())
        for source, counts in found["rows"].items()
    ]


def merge(registry: Path, build: Path, keep: str, drop: str, reason: str, decided_on: date, even_if: bool) -> list[str]:
    """Write one decision and say what it does."""
    found = _catalogue(registry)
    rows = _observations(registry, build)
    disagreements = merges.merge(registry, keep, drop, reason, decided_on, found.known.models, rows, even_if)
    moved = sum(row.subject_id == drop for items in rows.values() for row in items)
    lines = [f"disagree about {one}: the value of {keep} counts" for one in disagreements]
    return [*lines, f"models merge: {drop} is {keep} from now on; {moved} rows stay as they are and count as its rows"]
