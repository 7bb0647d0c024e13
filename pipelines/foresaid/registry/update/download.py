"""The next download of an upstream: which files it holds, and what became of files and columns since the last one.

Upstream files are never kept, so columns can be compared only where the former download is still at hand, whole and
verified. A column counts as renamed when it holds what another held before: names alone prove nothing.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

from foresaid.errors import Problem, RecordError, UnreadableError
from foresaid.registry.source_card import File, Vintage, verify
from foresaid.sources import _plain_files

RENAMED = 0.9  # share of a column's cells that must be equal, row by row of the same first cell, to call it renamed
SHOWN = 8


def folder_name(vintages: Sequence[Vintage], folder: Path, known_on: date) -> str:
    """The name a download has below the mirror: its own, or with its day where another vintage has that name."""
    name = folder.resolve().name
    return f"{name.split('@')[0]}@{known_on}" if any(name == one.directory for one in vintages) else name


def check_day(name: str, vintages: Sequence[Vintage], known_on: date, recorded_on: date) -> None:
    """A new vintage is later than those of the record, and not from the future."""
    if known_on > recorded_on:
        raise RecordError(f"--known-on {known_on}: expected {recorded_on} or earlier: nothing is recorded before it is known")
    last = vintages[-1].known_on if vintages else None
    if last is not None and known_on < last:
        raise RecordError(
            f"--known-on {known_on}: expected a day after the last vintage of {name}, {last}; "
            "an older state would have to be laid below what stands"
        )


def vintage(vintages: Sequence[Vintage], folder: Path, known_on: date, commit: str, read: Iterable[str], part: bool) -> Vintage:
    """Describe a download: every file that was read or was listed before and is there, with its SHA-256."""
    if not folder.is_dir():
        raise UnreadableError(f"{folder.name}: found no folder, expected a download of the upstream")
    before = {file.path for one in vintages for file in one.files}
    paths = sorted(path for path in before | set(read) if (folder / path).is_file())
    files = []
    for path in paths:
        content = _plain_files.check(folder, path).read_bytes()
        files.append(File(path, hashlib.sha256(content).hexdigest(), len(content)))
    return Vintage(known_on, commit, folder_name(vintages, folder, known_on), tuple(files), part)


def notes(last: Vintage | None, folder: Path, made: Vintage, before: Path | None) -> list[str]:
    """What became of files and columns; `before` is the folder that holds the last download, where there is one."""
    if last is None:
        return []
    old, new = {file.path: file for file in last.files}, {file.path: file for file in made.files}
    present = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    lines = []
    moved = {file.sha256: file.path for file in made.files if file.path not in old}
    for path in sorted(set(old) - set(new)):
        moved_to = moved.get(old[path].sha256)
        lines.append(f"file {path}: renamed to {moved_to}" if moved_to else f"file {path}: missing in this download")
    fresh = [path for path in present if path not in old and path not in moved.values()]
    for path in fresh[:SHOWN]:
        lines.append(f"file {path}: new, " + ("read" if path in new else "not read: the reader does not know it"))
    if len(fresh) > SHOWN:
        lines.append(f"... {len(fresh)} new files in all")
    same = sum(file.sha256 == old[path].sha256 for path, file in new.items() if path in old)
    lines.append(f"files: {same} as before, {sum(path in old for path in new) - same} changed, {len(fresh)} new")
    if before is None:
        return [*lines, "columns: not compared, the download before is not at hand"]
    if verify(last, before):
        return [*lines, "columns: not compared, the files of the vintage before are not the pinned ones"]
    for path in sorted(set(old) & set(new)):
        if path.endswith(".csv") and old[path].sha256 != new[path].sha256:
            lines += [f"{path}: {note}" for note in columns(before / last.directory / path, folder / path)]
    return lines


def columns(before: Path, after: Path) -> list[str]:
    """Columns of a table that appeared, went, were renamed or moved.

    Renamed means: the new column repeats at least nine tenths of the cells of the one that went, row for row of the same
    first cell.
    """
    old, new = _table(before), _table(after)
    if not old or not new:
        return []
    went = [name for name in old[0] if name not in new[0]]
    came = [name for name in new[0] if name not in old[0]]
    lines = []
    for name in went:
        twin = next((other for other in came if _repeats(old, name, new, other)), None)
        if twin is not None:
            came.remove(twin)
            lines.append(f"column {name}: renamed to {twin}, with the same values")
        else:
            lines.append(f"column {name}: gone")
    lines += [f"column {name}: new" for name in came]
    kept = [name for name in old[0] if name in new[0]]
    if kept != [name for name in new[0] if name in old[0]]:
        lines.append("columns: in another order (they are read by name)")
    return lines


def _table(path: Path) -> list[list[str]]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
        return [cells for cells in csv.reader(io.StringIO(text, newline="")) if cells]
    except (OSError, UnicodeDecodeError, csv.Error):
        return []  # the reader says what is wrong with it


def _repeats(old: list[list[str]], name: str, new: list[list[str]], other: str) -> bool:
    here, there = old[0].index(name), new[0].index(other)
    before = {row[0]: row[here] for row in old[1:] if len(row) == len(old[0])}
    after = {row[0]: row[there] for row in new[1:] if len(row) == len(new[0])}
    if here == 0 or there == 0:  # the first column names the rows
        a, b = {row[0] for row in old[1:]}, {row[0] for row in new[1:]}
        return here == there and len(a & b) >= RENAMED * max(len(a), 1)
    shared = [key for key in before if key in after and before[key] != ""]
    return len(shared) >= 3 and sum(before[key] == after[key] for key in shared) >= RENAMED * len(shared)


def identical(last: Vintage | None, made: Vintage) -> bool:
    """Whether a download is the last vintage again, byte for byte."""
    return last is not None and {(file.path, file.sha256) for file in last.files} == {
        (file.path, file.sha256) for file in made.files
    }


def same_day(name: str, vintages: Sequence[Vintage], made: Vintage) -> Vintage | None:
    """The vintage of that day, if it is this download; another one of the same day is refused."""
    for one in vintages:
        if one.known_on == made.known_on:
            if identical(one, made):
                return one
            differing = sorted({file.path for file in one.files} ^ {file.path for file in made.files}) or sorted(
                file.path for file in made.files if file not in one.files
            )
            found = f"{made.known_on}, the day of a vintage with other files"
            advice = f"give this download its own day; they differ in {differing[0]}"
            raise RecordError.collect([Problem(f"{name}/source.toml", None, "known_on", found, "a new day", advice)])
    return None
