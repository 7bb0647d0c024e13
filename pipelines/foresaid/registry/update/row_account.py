"""`foresaid update --all`: every source, and an account of every upstream row: taken, or left out and why.

Rows are counted here without the readers (lines of a table, files of JSON), so that a reader that loses some is noticed. Where the
mirror has a SOURCES.yaml, its own counts stand beside ours. The account goes to build/update/: one line a file, and one line a
row that gave no value, with its first cell.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from foresaid import parallel, parquet
from foresaid.errors import ForesaidError
from foresaid.files import write_bytes
from foresaid.registry import source_card
from foresaid.registry.update.update import update
from foresaid.sources import _loader as sources

SHOWN = 3
UNSAID = "gives no value: its cells are empty, repeated, or not read"


@dataclass(frozen=True)
class FileCount:
    """One upstream file of one vintage: its rows by our count and by the mirror's, and how many gave a value."""

    source: str
    known_on: str
    file: str
    rows: int
    listed: int | None
    taken: int
    left_out: int
    read: bool


@dataclass(frozen=True)
class LeftOut:
    """One row of a table that gave no value."""

    source: str
    known_on: str
    file: str
    row: int
    first_cell: str
    reason: str


def run(mirror: Path, registry: Path, build: Path, recorded_on: date, dry_run: bool, say: Callable[[str], object]) -> int:
    """Bring in every source of the registry; return 1 if one was refused. The others are brought in all the same."""
    listed = declared(mirror)
    files: list[FileCount] = []
    rows: list[LeftOut] = []
    failed = 0
    names = source_card.source_names(registry)
    for name in parallel.counted(names, "sources", len(names)):
        if name not in sources.names():
            say(f"{name}: has a card and no reader: rows typed by hand stay as they are")
            continue
        try:
            change = update(name, mirror, registry, recorded_on, build=build, dry_run=dry_run)
            counted, lost = account(name, mirror, registry, listed)
        except ForesaidError as error:
            failed = 1
            say(f"{name}: refused\n  " + str(error).replace("\n", "\n  "))
            continue
        for line in change.lines(SHOWN):
            say(line)
        say(summary(name, counted, lost, [one.skipped for one in change.vintages]))
        files += counted
        rows += lost
    for directory in sorted(set(listed) - {one.split("/")[0] for one in _directories(registry)}):
        say(f"not in the record: {listed[directory]['id']} ({directory})")
    write(build / "update", files, rows)
    say(f"update: {len(files)} files and {len(rows)} rows left out are listed in {build.name}/update/")
    return failed


def declared(mirror: Path) -> dict[str, dict[str, Any]]:
    """What the mirror says of itself, by directory; nothing where it has no SOURCES.yaml."""
    path = mirror / "SOURCES.yaml"
    if not path.is_file():
        return {}
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        return {entry["directory"]: entry for entry in document["sources"]}
    except (yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError):
        return {}


def _directories(registry: Path) -> Iterable[str]:
    for name in source_card.source_names(registry):
        path = registry / "sources" / name / "source.toml"
        for vintage in source_card.read(path, source_card.label(registry, "sources", name, "source.toml"), name).vintages:
            yield vintage.directory


def account(name: str, mirror: Path, registry: Path, listed: dict[str, dict[str, Any]]) -> tuple[list[FileCount], list[LeftOut]]:
    """Count the rows of every file of a source, and find those that gave no value."""
    source = source_card.read(registry / "sources" / name / "source.toml", name, name)
    counted, lost = [], []
    for vintage in source.vintages:
        folder = mirror / vintage.directory
        reading = sources.read(name, sources.find(name), folder)
        given: dict[str, set[int]] = {}
        for score in reading.scores:
            given.setdefault(score.file.removeprefix(f"{folder.name}/"), set()).add(score.row or 0)
        known = {item["path"]: item for item in listed.get(vintage.directory, {}).get("files", [])}
        pinned = {file.path for file in vintage.files}
        for path in sorted(pinned | set(known)):
            table = rows_of(folder / path)
            took = given.get(path, set())
            day = str(vintage.known_on)
            missing = [(row, cell) for row, cell in table if row not in took] if took and path.endswith((".csv", ".jsonl")) else []
            lost += [LeftOut(name, day, path, row, cell, UNSAID) for row, cell in missing]
            expected = known.get(path, {}).get("rows")
            taken = len(table) - len(missing) if took else 0
            counted.append(FileCount(name, day, path, len(table), expected, taken, len(missing), path in pinned))
    return counted, lost


def rows_of(path: Path) -> list[tuple[int, str]]:
    """The rows of an upstream file by our own count, each with its line and first cell; a JSON document is one row."""
    try:
        if path.suffix == ".parquet":
            return [(row, str(cell)) for row, cell in enumerate(parquet.read(path).to_series(0), start=1)]
        text = path.read_bytes().decode("utf-8-sig") if path.suffix in (".csv", ".jsonl") else path.name
        if path.suffix == ".jsonl":
            return [(row, line[:60]) for row, line in enumerate(text.split("\n"), start=1) if line]
        if path.suffix == ".csv":
            reader = csv.reader(io.StringIO(text, newline=""))
            return [(reader.line_num, cells[0]) for cells in reader if cells][1:]
    except (OSError, UnicodeDecodeError, csv.Error, parquet.ParquetError):
        return []
    return [(0, path.name)]


def summary(name: str, files: list[FileCount], lost: list[LeftOut], skipped: list[dict[str, int]]) -> str:
    """One paragraph for a source: rows upstream, taken, left out, and where the mirror's own count differs."""
    read = [one for one in files if one.read]
    lines = [
        f"  rows: {sum(one.rows for one in read)} upstream in {len(read)} files read, {sum(one.taken for one in read)} taken, "
        f"{len(lost)} left out; {len(files) - len(read)} files not read"
    ]
    differ = [one for one in read if one.listed is not None and one.listed != one.rows]
    for one in differ[:SHOWN]:
        lines.append(f"  {one.file}: {one.rows} rows here, {one.listed} by SOURCES.yaml")
    agreed = sum(one.listed == one.rows for one in read)
    lines.append(f"  SOURCES.yaml: {agreed} row counts agree, {len(differ)} differ")
    reasons: Counter[str] = Counter()
    for one_vintage in skipped:
        reasons.update(one_vintage)
    lines += [f"  by the reader: {count} x {reason}" for reason, count in sorted(reasons.items())]
    return "\n".join(lines)


def write(folder: Path, files: Sequence[FileCount], rows: Sequence[LeftOut]) -> None:
    """Write the account: files.csv, left-out.csv, and both as JSON."""
    for name, entries in (("files", [asdict(item) for item in files]), ("left-out", [asdict(item) for item in rows])):
        buffer = io.StringIO(newline="")
        if entries:
            writer = csv.DictWriter(buffer, list(entries[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(entries)
        write_bytes(folder / f"{name}.csv", buffer.getvalue().encode())
        write_bytes(folder / f"{name}.json", (json.dumps(entries, indent=1) + "\n").encode())
