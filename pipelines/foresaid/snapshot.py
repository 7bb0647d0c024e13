"""A ledger as it was read once: raw bytes, what they parse to, and what does not belong there.

All reading of the ledger happens here, so that checks are pure functions of a snapshot. Only plain files are opened,
only up to the largest size a file may have, and nothing that is read is trusted.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from foresaid import canonical, log, rules
from foresaid.batch import Batch, read_batch
from foresaid.entries import CheckCurve
from foresaid.errors import LedgerError, UnreadableError
from foresaid.log import CHECKPOINT, MANIFEST, Checkpoint

PAGES = ("README.md", "verify.sh")  # what is here for readers, and no part of the record
STRAY = ".tmp-"  # left by a writer that was killed; nothing reads it, the next writer removes it

_BATCH = re.compile(r"batches/([0-9a-f]{2})/(\1[0-9a-f]{62})\.jsonl")
_FOLDER = re.compile(r"log|batches(/[0-9a-f]{2})?")


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: which check, which file (and line), what, what was found, what was expected."""

    code: str
    file: str
    what: str
    found: str = ""
    expected: str = ""
    line: int | None = None

    def __str__(self) -> str:
        """One line, as printed.

        >>> str(Finding("V07", "log/checkpoint", "wrong root", "a", "b", line=3))
        'V07 log/checkpoint, line 3: wrong root: found a, expected b'
        """
        where = self.file if self.line is None else f"{self.file}, line {self.line}"
        found = ", ".join(f"{word} {text}" for word, text in (("found", self.found), ("expected", self.expected)) if text)
        return f"{self.code} {where}: {self.what}" + (f": {found}" if found else "")


@dataclass
class Snapshot:
    """The ledger as it was read once: raw bytes, what they parse to, and what does not belong."""

    files: dict[str, bytes] = field(default_factory=dict)
    odd: list[Finding] = field(default_factory=list)
    strays: int = 0
    origin: str | None = None  # the log the reader means to check, if told
    listed: list[str] = field(default_factory=list)
    bad_lines: list[tuple[int, str]] = field(default_factory=list)
    checkpoint: Checkpoint | None = None
    bad_checkpoint: str = ""
    batches: dict[str, Batch] = field(default_factory=dict)  # by name; those with a header that can be read
    bad_batches: dict[str, list[tuple[int, str]]] = field(default_factory=dict)

    @cached_property
    def names(self) -> dict[str, bytes]:
        """Batch files by the hash in their name."""
        return {match[2]: data for path, data in self.files.items() if (match := _BATCH.fullmatch(path))}

    @property
    def size(self) -> int:
        """Number of batches under the checkpoint."""
        return self.checkpoint.size if self.checkpoint else 0

    def in_order(self) -> list[Batch]:
        """Batches as a reader meets them: those of the log, then pending ones, parents first."""
        listed = dict.fromkeys(self.listed)
        rest = {name: batch.header.parents for name, batch in self.batches.items() if name not in listed}
        names = [*listed, *rules.order(rest, done=listed)]
        names += sorted(rest.keys() - set(names))
        places = {name: index for index, name in enumerate(self.listed[: self.size])}
        found = [self.batches[name] for name in names if name in self.batches]
        return [Batch(batch.sha256, batch.header, batch.lines, places.get(batch.sha256)) for batch in found]


def _show(path: str) -> str:
    text = os.fsencode(path).decode("ascii", "backslashreplace")
    return "".join(sign if sign.isprintable() else f"\\x{ord(sign):02x}" for sign in text)


def _read(ledger: Path, relative: str, snapshot: Snapshot) -> None:
    """Read one file of the record, unless it is not a plain one."""
    path = ledger / relative
    try:
        status = path.lstat()
        kind = stat.S_IFMT(status.st_mode)
        if kind != stat.S_IFREG:
            what = "symbolic link" if kind == stat.S_IFLNK else "not a plain file"
            snapshot.odd.append(Finding("V01", _show(relative), what, expected="a plain file"))
            return
        if status.st_mode & 0o7111:
            found = f"mode {stat.S_IMODE(status.st_mode):04o}"
            snapshot.odd.append(Finding("V01", _show(relative), "odd mode", found, "0644, not executable"))
        with path.open("rb") as file:
            snapshot.files[relative] = file.read(canonical.FILE_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        snapshot.odd.append(Finding("V01", relative, "file is missing"))
    except OSError as error:
        raise UnreadableError(f"{path}: cannot be read: {error.strerror}") from None


def _walk(ledger: Path, folder: str, snapshot: Snapshot) -> None:
    """Read all batches, and note all that does not belong into the ledger."""
    try:
        found = sorted(os.scandir(ledger / folder), key=lambda item: item.name)
    except OSError as error:
        raise UnreadableError(f"{ledger / folder}: cannot be read: {error.strerror}") from None
    for item in found:
        path = f"{folder}/{item.name}" if folder else item.name
        if item.is_dir(follow_symlinks=False) and _FOLDER.fullmatch(path):
            _walk(ledger, path, snapshot)
        elif item.name.startswith(STRAY) and item.is_file(follow_symlinks=False):
            snapshot.strays += 1
        elif _BATCH.fullmatch(path):
            _read(ledger, path, snapshot)
        elif path not in (*PAGES, MANIFEST, CHECKPOINT):
            snapshot.odd.append(Finding("V01", _show(path), "does not belong here", expected="only files of the record"))


def scan(ledger: Path, origin: str | None = None, check_curve: CheckCurve | None = None) -> Snapshot:
    """Read a ledger once. The checkpoint comes first and batches last, so that a writer beside us does no harm."""
    if not ledger.is_dir():
        raise UnreadableError(f"{ledger}: no ledger here; expected a folder with {MANIFEST} and {CHECKPOINT}")
    snapshot = Snapshot(origin=origin)
    _read(ledger, CHECKPOINT, snapshot)
    _read(ledger, MANIFEST, snapshot)
    _walk(ledger, "", snapshot)
    snapshot.listed, snapshot.bad_lines = log.parse_manifest(snapshot.files.get(MANIFEST, b""))
    try:
        snapshot.checkpoint = log.parse_checkpoint(snapshot.files.get(CHECKPOINT, b""))
    except LedgerError as error:
        snapshot.bad_checkpoint = str(error)
    for name, data in snapshot.names.items():
        batch, problems = read_batch(name, data, check_curve)
        if batch is not None:
            snapshot.batches[name] = batch
        if problems:
            snapshot.bad_batches[name] = problems
    return snapshot
