"""Two ids, one model: a person's decision, kept as data in registry/merges.csv.

Observations are never rewritten for it. `ingest` reads the decisions and hands every later stage one model: rows of the id that
was given up count as rows of the one that is kept. A decision points at an id that stands (no chains, no circles), says why
and when, and is refused where the two disagree about a value unless the person says that they know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import polars as pl

from foresaid.errors import BadCell, RecordError
from foresaid.files import write
from foresaid.registry import csv_files, formats
from foresaid.registry.csv_files import CsvTable
from foresaid.registry.formats import MergeRow, ModelRow, ObservationRow, plain
from foresaid.registry.model_names import Suggestions
from foresaid.registry.row_keys import same

FILE = "merges.csv"
CARD = ("released_on", "kind", "params_total", "params_active", "training_tokens", "training_flops")
SHOWN = 5


def read(registry: Path) -> CsvTable[MergeRow]:
    """Read the decisions; without a file there are none."""
    path, label = registry / FILE, f"{registry.name}/{FILE}"
    return csv_files.read(path, label, formats.MERGES) if path.exists() else CsvTable[MergeRow](label, [], [])


def check(table: CsvTable[MergeRow], models: Mapping[str, ModelRow]) -> list[BadCell]:
    """Every problem of merges.csv: ids that do not exist, a model given up twice, chains and circles."""
    problems = list(table.problems)
    near = Suggestions({name: name for name in models})
    gone: dict[str, int] = {}
    for row, (file, line) in zip(table.items, table.where(), strict=True):
        for column, name in (("model_id", row.model_id), ("kept_as", row.kept_as)):
            if name not in models:
                problems.append(BadCell(file, line, column, name[:80], "a model of models.csv", near.advice(name)))
        if row.model_id == row.kept_as:
            problems.append(BadCell(file, line, "kept_as", row.kept_as, "another model than model_id"))
        if row.model_id in gone:
            expected = f"one decision each: it is already in row {gone[row.model_id]}"
            problems.append(BadCell(file, line, "model_id", f"{row.model_id} again", expected))
        gone[row.model_id] = line or 0
    for row, (file, line) in zip(table.items, table.where(), strict=True):
        if row.kept_as in gone and row.kept_as != row.model_id:
            expected = "a model that is not merged away itself"
            problems.append(BadCell(file, line, "kept_as", row.kept_as, expected, f"it is, in row {gone[row.kept_as]}"))
    return problems


def mapping(rows: Sequence[MergeRow]) -> dict[str, str]:
    """The id that stands for each id given up."""
    return {row.model_id: row.kept_as for row in rows}


def applied(frame: pl.DataFrame, rows: Sequence[MergeRow], key: Sequence[str]) -> pl.DataFrame:
    """Give every row the id that stands; where both ids have a row of one key, the row of the id that stands is kept.

    The note of a row says under which name it is on the record.
    """
    kept = mapping(rows)
    if not kept or not frame["subject_id"].is_in(list(kept)).any():
        return frame
    given_up = pl.col("subject_id").is_in(list(kept))
    said = pl.lit("on the record as ") + pl.col("subject_id")
    note = pl.when(given_up & pl.col("note").str.len_chars().gt(0)).then(pl.col("note") + pl.lit("; ") + said)
    renamed = frame.with_columns(
        note=note.when(given_up).then(said).otherwise(pl.col("note")),
        subject_id=pl.col("subject_id").replace(kept),
        _given_up=given_up,
        _name=pl.col("subject_id"),
    )
    ordered = renamed.sort("_given_up", "_name").unique(subset=list(key), keep="first", maintain_order=True)
    return ordered.drop("_given_up", "_name").sort(list(key))


def conflicts(keep: ModelRow, drop: ModelRow, observations: Mapping[str, Sequence[ObservationRow]]) -> list[str]:
    """Where the two ids disagree: figures of models.csv, and current values of one quantity in one source."""
    found = []
    for column in CARD:
        one, two = getattr(keep, column), getattr(drop, column)
        if one is not None and two is not None and one != two:
            found.append(f"{column} {plain(one)} against {plain(two)}")
    for source, rows in sorted(observations.items()):
        latest: dict[tuple[str, str, str], ObservationRow] = {}
        for row in sorted(rows, key=lambda row: row.known_on):
            if row.subject_id in (keep.model_id, drop.model_id):
                latest[row[:3]] = row
        current = {key: row for key, row in latest.items() if row.status in ("reported", "revised")}
        for (subject, quantity, setting), row in sorted(current.items()):
            other = current.get((drop.model_id, quantity, setting))
            if subject == keep.model_id and other is not None and not same(row.value, other.value):
                words = f"{quantity} {setting}".strip()
                found.append(f"{words} {plain(row.value)} against {plain(other.value)} in {source}")
    return found


def named(registry: Path, model: str) -> list[str]:
    """Files of the ledger and of adopted forecasts that name a model: what is frozen keeps its names."""
    quoted, cell = f'"{model}"'.encode(), f"{model},".encode()
    found = [path for path in sorted((registry / "ledger").rglob("*.jsonl")) if quoted in path.read_bytes()]
    for path in sorted((registry / "adopted").glob("*/models.csv")):
        content = path.read_bytes()
        if content.startswith(cell) or b"\n" + cell in content or b"\n" + model.encode() + b"\n" in content:
            found.append(path)
    return [path.relative_to(registry).as_posix() for path in found]


def merge(
    registry: Path,
    keep: str,
    drop: str,
    reason: str,
    decided_on: date,
    models: Mapping[str, ModelRow],
    observations: Mapping[str, Sequence[ObservationRow]],
    even_if: bool = False,
) -> list[str]:
    """Write the decision that `drop` is `keep` under another name; return what the two disagree about.

    Refused: unknown ids, chains and circles, an id that a frozen or adopted forecast names, an empty reason, and values that
    conflict unless `even_if`.
    """
    table = read(registry)
    row = MergeRow(drop, keep, decided_on, " ".join(reason.split()))
    if not row.reason:
        raise RecordError("models merge: found no reason, expected one; say how you know with --reason TEXT")
    wanted = CsvTable(table.file, [*table.items, row], [*table.lines, (table.lines[-1] if table.lines else 1) + 1], table.problems)
    if problems := check(wanted, models):
        raise RecordError.collect(problems)
    if files := named(registry, drop):
        raise RecordError(f"models merge: {drop} is named in {files[0]}, which stays as it is; merge the other way round")
    found = conflicts(models[keep], models[drop], observations)
    if found and not even_if:
        shown = "; ".join(found[:SHOWN]) + (f"; {len(found)} in all" if len(found) > SHOWN else "")
        raise RecordError(
            f"models merge: {keep} and {drop} disagree: {shown}; "
            f"correct what is wrong, or give --even-if to keep the values of {keep}"
        )
    before = (registry / FILE).read_bytes() if (registry / FILE).exists() else b""
    write({registry / FILE: csv_files.extend(before, [row], formats.MERGES)})
    return found
