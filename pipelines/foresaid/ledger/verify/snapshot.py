"""A ledger as it was read once: raw bytes, what they parse to, and what does not belong there.

All reading of the ledger happens here, so that checks are pure functions of a snapshot. Only plain files are opened, only up
to the largest size a file may have, and nothing that is read is trusted. Batches are read one after the other and kept as an
outline, so that a ledger of a hundred thousand forecasts fits into little memory.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from foresaid import canonical_json
from foresaid.errors import LedgerError, UnreadableError
from foresaid.ledger import layout
from foresaid.ledger.entries import rules
from foresaid.ledger.entries.batch import Batch, outline, read_batch
from foresaid.ledger.entries.resolutions import Redaction
from foresaid.ledger.entries.schema import CheckCurve
from foresaid.ledger.layout import (
    _ANCHOR,
    _BATCH,
    _FOLDER,
    _RECEIPT,
    _ROOT,
    CHECKPOINT,
    MANIFEST,
    PAGES,
    POLICY,
    STRAY,
    is_evidence,
)
from foresaid.ledger.log import manifest
from foresaid.ledger.log import policy as policies
from foresaid.ledger.log.git_history import History
from foresaid.ledger.log.manifest import Checkpoint
from foresaid.ledger.log.policy import Policy
from foresaid.ledger.state import accounting
from foresaid.ledger.state.index import Clock

if TYPE_CHECKING:
    from foresaid.ledger.log.checkpoint import Judgement
    from foresaid.ledger.verify.evidence import Stamped


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or (`incomplete`) missing: which check, which file and line, what, found and expected."""

    code: str
    file: str
    what: str
    found: str = ""
    expected: str = ""
    line: int | None = None
    incomplete: bool = False

    def __str__(self) -> str:
        """One line, as printed.

        >>> str(Finding("V07", "log/checkpoint", "wrong root", "a", "b", line=3))
        'V07 log/checkpoint, line 3: wrong root: found a, expected b'
        """
        where = self.file if self.line is None else f"{self.file}, line {self.line}"
        found = ", ".join(f"{word} {text}" for word, text in (("found", self.found), ("expected", self.expected)) if text)
        return f"{self.code} {where}: {self.what}" + (f": {found}" if found else "")


@dataclass(frozen=True)
class Evidence:
    """What a reader brings: their own policy, checkpoints they remember, the git history, data, headers, a page, a clock.

    What is None is not there, and checks that need it say so only if it was `asked` for.
    """

    policy: Policy | None = None
    known: tuple[bytes, ...] = ()
    history: History | None = None
    data: Path | None = None  # folder of training snapshots
    known_models: Path | None = None  # folder of the lists of models known when targets were set
    aliases: Mapping[str, str] = field(default_factory=dict)  # spelling of a model -> its id
    trusted: Mapping[str, Mapping[Any, Any]] = field(
        default_factory=dict
    )  # by kind of stamp what it trusts: block headers by height
    report: bytes | None = None
    figures: Callable[[Clock], Mapping[str, Sequence[float | None]]] | None = None  # computes the scores that the page must show
    adopted: str = ""  # digest of the adopted forms beside the ledger
    now: datetime | None = None
    asked: frozenset[str] = frozenset()  # codes of checks that must have something to run on


@dataclass
class Snapshot:
    """The ledger as it was read once: raw bytes, what they parse to, and what does not belong."""

    files: dict[str, bytes] = field(default_factory=dict)  # all but batches
    digests: dict[str, str] = field(default_factory=dict)  # batch files by name: the SHA-256 found
    odd: list[Finding] = field(default_factory=list)
    strays: int = 0
    odd_pages: list[str] = field(default_factory=list)  # what is here for readers, and is no plain file
    origin: str | None = None  # the log the reader means to check, if told
    listed: list[str] = field(default_factory=list)
    bad_lines: list[tuple[int, str]] = field(default_factory=list)
    checkpoint: Checkpoint | None = None
    bad_checkpoint: str = ""
    policy: Policy = field(default_factory=Policy)
    own_policy: bool = True  # the reader's own, or none at all; not the copy in the ledger
    bad_policy: str = ""
    batches: dict[str, Batch] = field(default_factory=dict)  # by name, as outlines; those with a header that can be read
    bad_batches: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    evidence: Evidence = field(default_factory=Evidence)

    @property
    def size(self) -> int:
        """Number of batches under the checkpoint."""
        return self.checkpoint.size if self.checkpoint else 0

    @cached_property
    def redacted(self) -> dict[str, Redaction]:
        """Redactions by the batch whose bytes are gone."""
        gone = set(self.listed) - self.digests.keys()
        found = (entry for batch in self.batches.values() for entry in batch.entries)
        return {entry.batch: entry for entry in found if isinstance(entry, Redaction) and entry.batch in gone}

    @cached_property
    def anchored(self) -> list[int]:
        """Sizes of the checkpoints that have an anchor, rising."""
        return sorted({int(match[1]) for path in self.files if (match := _ANCHOR.fullmatch(path))})

    def replies(self) -> list[tuple[str, str, str, int]]:
        """Time-stamp replies as (path, authority, batch or nothing, size of the subject)."""
        found = []
        for path in sorted(self.files):
            if match := _RECEIPT.fullmatch(path):
                found.append((path, match[2], match[1], 0))
            elif (match := _ANCHOR.fullmatch(path)) and match[3]:
                found.append((path, match[3], "", int(match[1])))
        return found

    def summed(self) -> dict[str, bytes]:
        """The files that log/ANCHORS.sha256 must list."""
        return {path: data for path, data in self.files.items() if is_evidence(path)}

    @cached_property
    def stamped(self) -> Stamped:
        """What the time-stamp replies prove; each is checked once."""
        from foresaid.ledger.verify import evidence as verify_evidence  # it reads snapshots itself

        return verify_evidence.stamped(self)

    @cached_property
    def judged(self) -> Mapping[str, Judgement]:
        """What the signatures under the newest checkpoint and every anchored one say, by file; each is checked once."""
        from foresaid.ledger.verify import evidence as verify_evidence

        return verify_evidence.judged(self)

    @cached_property
    def clock(self) -> Clock:
        """Which moments count for a batch, under the reader's policy."""
        wanted = self.policy.stamps > 0
        return Clock(self.evidence.now, wanted, self.stamped.proved if wanted else {})

    @cached_property
    def accounts(self) -> list[accounting.Account]:
        """The state of every forecast."""
        return accounting.accounts(self.in_order(), self.clock)

    @cached_property
    def unsigned(self) -> dict[str, str]:
        """Batches in the name of an author whose key the policy has, and that this key did not sign."""
        from foresaid.ledger.verify import admission  # it reads snapshots itself

        return admission.unsigned(self)

    @cached_property
    def _admitted(self) -> tuple[dict[str, str], list[rules.Clash]]:
        from foresaid.ledger.verify import admission

        return admission.sift(self.all_in_order, set(self.listed), self.redacted, self.unsigned)

    @property
    def rejected(self) -> dict[str, str]:
        """Pending batches that cannot go into the log, each with the reason. They count for nothing and harm nothing."""
        return self._admitted[0]

    @property
    def clashes(self) -> list[rules.Clash]:
        """What contradicts itself among the batches that are not rejected."""
        return self._admitted[1]

    def in_order(self) -> list[Batch]:
        """Batches as a reader meets them: those of the log, then pending ones, parents first; without rejected ones."""
        return self._in_order

    @cached_property
    def _in_order(self) -> list[Batch]:
        return [batch for batch in self.all_in_order if batch.sha256 not in self.rejected]

    @cached_property
    def all_in_order(self) -> list[Batch]:
        """All batches, rejected ones too."""
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


def _read(ledger: Path, relative: str, snapshot: Snapshot) -> bytes | None:
    """Read one file of the record, unless it is not a plain one."""
    path = ledger / relative
    try:
        status = path.lstat()
        kind = stat.S_IFMT(status.st_mode)
        if kind != stat.S_IFREG:
            what = "symbolic link" if kind == stat.S_IFLNK else "not a plain file"
            snapshot.odd.append(Finding("V01", _show(relative), what, expected="a plain file"))
            return None
        if status.st_mode & 0o7111:
            found = f"mode {stat.S_IMODE(status.st_mode):04o}"
            snapshot.odd.append(Finding("V01", _show(relative), "odd mode", found, "0644, not executable"))
        with path.open("rb") as file:
            return file.read(canonical_json.FILE_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        snapshot.odd.append(Finding("V01", relative, "file is missing"))
        return None
    except OSError as error:
        raise UnreadableError(f"{path}: cannot be read: {error.strerror}") from None


def _walk(ledger: Path, folder: str, snapshot: Snapshot, check_curve: CheckCurve | None, whole: dict[str, Batch] | None) -> None:
    """Read every file of the record, and note all that does not belong into the ledger."""
    try:
        found = sorted(os.scandir(ledger / folder), key=lambda item: item.name)
    except OSError as error:
        raise UnreadableError(f"{ledger / folder}: cannot be read: {error.strerror}") from None
    for item in found:
        path = f"{folder}/{item.name}" if folder else item.name
        if item.is_dir(follow_symlinks=False) and _FOLDER.fullmatch(path):
            _walk(ledger, path, snapshot, check_curve, whole)
        elif item.name.startswith(STRAY) and item.is_file(follow_symlinks=False):
            snapshot.strays += 1
        elif match := _BATCH.fullmatch(path):
            if (data := _read(ledger, path, snapshot)) is not None:
                _take(match[2], data, snapshot, check_curve, whole)
        elif path == layout.SUMS or is_evidence(path):
            if (data := _read(ledger, path, snapshot)) is not None:
                snapshot.files[path] = data
        elif path in PAGES and not item.is_file(follow_symlinks=False):
            snapshot.odd_pages.append(path)
        elif path not in (*PAGES, MANIFEST, CHECKPOINT):
            snapshot.odd.append(Finding("V01", _show(path), "does not belong here", expected="only files of the record"))


def _take(name: str, data: bytes, snapshot: Snapshot, check_curve: CheckCurve | None, whole: dict[str, Batch] | None) -> None:
    snapshot.digests[name] = sha256(data).hexdigest()
    batch, problems = read_batch(name, data, check_curve)
    if batch is not None:
        snapshot.batches[name] = outline(batch)
        if whole is not None:
            whole[name] = batch
    if problems:
        snapshot.bad_batches[name] = problems


def _policy(snapshot: Snapshot) -> None:
    if snapshot.evidence.policy is not None:
        snapshot.policy = snapshot.evidence.policy
    elif POLICY in snapshot.files:
        snapshot.own_policy = False
        try:
            found = policies.parse(snapshot.files[POLICY])
            roots = {match[1]: data for path, data in snapshot.files.items() if (match := _ROOT.fullmatch(path))}
            snapshot.policy = policies.with_roots(found, roots)
        except LedgerError as error:
            snapshot.bad_policy = str(error)


def scan(
    ledger: Path,
    origin: str | None = None,
    check_curve: CheckCurve | None = None,
    evidence: Evidence | None = None,
    whole: dict[str, Batch] | None = None,
) -> Snapshot:
    """Read a ledger once. The checkpoint comes first and batches last, so that a writer beside us does no harm.

    Batches are kept as outlines; who needs them whole as well gives a mapping, and finds them there by their names.
    """
    if not ledger.is_dir():
        raise UnreadableError(f"{ledger}: no ledger here; expected a folder with {MANIFEST} and {CHECKPOINT}")
    snapshot = Snapshot(origin=origin, evidence=evidence or Evidence())
    for path in (CHECKPOINT, MANIFEST):
        if (data := _read(ledger, path, snapshot)) is not None:
            snapshot.files[path] = data
    _walk(ledger, "", snapshot, check_curve, whole)
    _policy(snapshot)
    snapshot.listed, snapshot.bad_lines = manifest.parse_manifest(snapshot.files.get(MANIFEST, b""))
    try:
        snapshot.checkpoint = manifest.parse_checkpoint(snapshot.files.get(CHECKPOINT, b""))
    except LedgerError as error:
        snapshot.bad_checkpoint = str(error)
    return snapshot
