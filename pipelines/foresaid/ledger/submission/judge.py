"""Whether forecasts that somebody sends can be taken: the verdict on a pull request, or on files before they are sent.

No key is needed and nothing is written into the ledger: it is copied, what was sent is put beside it, and `verify` reads the copy
with all its checks, the leak guard among them. Whatever `verify` finds that it did not find before is the submission's.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from foresaid.errors import LedgerError
from foresaid.ledger import layout, store
from foresaid.ledger.entries.batch import Batch, read_batch
from foresaid.ledger.entries.fields import aim_of
from foresaid.ledger.entries.forecasts import Amendment, ForecastEntry, Reveal, Sealed, Withdrawal
from foresaid.ledger.entries.resolutions import Challenge
from foresaid.ledger.entries.schema import CheckCurve
from foresaid.ledger.submission import changes, form
from foresaid.ledger.submission.entries import author_of, prepare
from foresaid.ledger.submission.objections import Objection, ObjectionError, errors
from foresaid.ledger.submission.open_targets import states
from foresaid.ledger.submission.plain import PlainVerdict
from foresaid.ledger.verify.verify import Evidence, VerificationResult, verify

MAY_SEND = (ForecastEntry, Sealed, Reveal, Amendment, Withdrawal, Challenge)
LARGEST_BATCH = 16 << 20  # bytes, as canonical_json.FILE_BYTES
SCHEMA = "submission-verdict/v1"


@dataclass(frozen=True)
class FileVerdict:
    """One file: what it is, whose, how many forecasts it brings, and what is to be said of it."""

    path: str
    kind: str
    author: str = ""
    forecasts: int = 0
    objections: Sequence[Objection] = field(default=())


@dataclass(frozen=True)
class Verdict:
    """The verdict on a whole submission; `objections` are those of no one file."""

    files: Sequence[FileVerdict]
    objections: Sequence[Objection] = ()

    @property
    def all(self) -> list[Objection]:
        """Everything that is to be said."""
        return [*self.objections, *(one for file in self.files for one in file.objections)]

    @property
    def accepted(self) -> bool:
        """Whether nothing is wrong; warnings refuse nothing."""
        return not errors(self.all)

    def as_dict(self) -> PlainVerdict:
        """The same as plain values, for programs."""
        return {
            "schema": SCHEMA,
            "verdict": "accepted" if self.accepted else "refused",
            "forecasts": sum(file.forecasts for file in self.files),
            "files": [
                {
                    "path": file.path, "kind": file.kind, "author": file.author or None, "forecasts": file.forecasts,
                    "objections": [one.as_dict() for one in file.objections],
                }
                for file in self.files
            ],
            "objections": [one.as_dict() for one in self.objections],
        }  # fmt: skip


@dataclass(frozen=True)
class Court:
    """What a verdict is given by: the ledger as it stands, the rows beside it, what a reader brings, and the time."""

    ledger: Path
    snapshots: Path
    evidence: Evidence
    now: datetime
    check_curve: CheckCurve | None = None
    author: str = ""  # of files that name none


def judge(brought: changes.Brought, court: Court) -> Verdict:
    """Judge what was brought; raises LedgerError where the ledger itself does not verify."""
    batches = store.read(court.ledger)
    files = [_form(path, court, batches) for path in brought.forms]
    files += _batches(brought, court, batches) if brought.batches or brought.beside else []
    return Verdict(files, brought.objections)


def _form(path: Path, court: Court, batches: Sequence[Batch]) -> FileVerdict:
    read = form.read(path)
    told = list(read.objections)
    author, count = "", 0
    if read.entries:
        try:
            author = author_of(read, court.author, str(path))
            made = prepare(read, author, batches, court.now)
            told, count = list(made.objections), len(made.entries)
            if made.entries and not errors(told):
                store.may_add(court.ledger, made.entries, author)
        except ObjectionError as error:
            told.append(error.told)
        except LedgerError as error:
            lines = str(error).splitlines()
            told.append(Objection("ledger_check", str(path), "; ".join(lines[1:4]) or lines[0], "forecasts that the ledger takes"))
    return FileVerdict(str(path), "form", author, count, told)


def _batches(brought: changes.Brought, court: Court, batches: Sequence[Batch]) -> list[FileVerdict]:
    """Judge batches by verifying a copy of the ledger that holds them."""
    contents: dict[Path, bytes] = {}
    unreadable: dict[Path, Objection] = {}
    for path in (*brought.batches, *brought.beside):
        try:
            contents[path] = form.content_of(path, LARGEST_BATCH)
        except ObjectionError as error:
            unreadable[path] = error.told
    before = verify(court.ledger, check_curve=court.check_curve, evidence=court.evidence)
    with TemporaryDirectory(prefix="foresaid-check-") as scratch:
        copy, rows = Path(scratch) / "ledger", Path(scratch) / "snapshots"
        shutil.copytree(court.ledger, copy, symlinks=True)
        rows.mkdir()
        if court.snapshots.is_dir():
            shutil.copytree(court.snapshots, rows, copy_function=_link, dirs_exist_ok=True)
        for path, content in contents.items():
            place = _place(path, copy, rows)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        after = verify(copy, check_curve=court.check_curve, evidence=replace(court.evidence, data=rows, now=court.now))
    judged = [
        FileVerdict(str(path), "batch", objections=[unreadable[path]])
        if path in unreadable
        else _batch(path, contents[path], before, after, court, batches)
        for path in brought.batches
    ]
    elsewhere = _new_findings(before, after, {layout.batch_path(path.stem) for path in brought.batches})
    judged += [FileVerdict(str(path), "beside", objections=[one]) for path, one in unreadable.items() if path in brought.beside]
    if elsewhere:
        told = [_of_finding(where, what) for where, what in elsewhere]
        judged.append(FileVerdict(str(court.ledger), "ledger", objections=told))
    return judged


def _place(path: Path, ledger: Path, rows: Path) -> Path:
    """Where a file of a submission belongs, by its name alone."""
    if changes.BATCH.fullmatch(path.name):
        return ledger / layout.batch_path(path.stem)
    if path.name.endswith(".jsonl.gz"):
        return rows / path.name
    if path.suffix == ".note":
        return ledger / layout.signature_path(path.stem)
    return ledger / ("log" if path.suffix != ".tsr" else f"receipts/{path.parent.name}") / path.name


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _findings(result: VerificationResult) -> dict[tuple[str, str], str]:
    """Where and what of everything a verification found; what a pending batch lacks counts, as its evidence must come with it."""
    found = [*result.findings, *(one for one in result.incomplete if one.code in ("V14", "V16"))]
    return {(one.file, str(one)): f"{one.code} {one.what}" for one in found}


def _new_findings(before: VerificationResult, after: VerificationResult, mine: set[str]) -> list[tuple[str, str]]:
    old = _findings(before)
    return [key for key in _findings(after) if key not in old and key[0] not in mine and not any(one in key[1] for one in mine)]


def _of_finding(where: str, what: str) -> Objection:
    return Objection("ledger_check", where, what, "a ledger that verifies with it")


def _batch(
    path: Path, content: bytes, before: VerificationResult, after: VerificationResult, court: Court, batches: Sequence[Batch]
) -> FileVerdict:
    where, name = str(path), path.stem
    made, problems = read_batch(name, content, court.check_curve)
    told = [Objection("ledger_check", f"{where}, line {number}", reason, "a line of a batch") for number, reason in problems]
    inside = layout.batch_path(name)
    told += [
        Objection("ledger_check", where, what, "a batch with which the ledger verifies")
        for (file, what) in _findings(after)
        if (file == inside or name in what) and not problems
    ]
    if name in after.rejected and not told:
        told.append(Objection("ledger_check", where, after.rejected[name], "a batch that contradicts no other"))
    if made is None:
        return FileVerdict(where, "batch", objections=told)
    listed = name in before.listed
    others = [one for one in batches if one.sha256 != name]
    if not listed:
        told += _late(where, made, after, court, others)
        told += [
            Objection(
                "entry_not_allowed",
                f"{where}, line {number}",
                str(entry.__struct_config__.tag),
                "forecasts, seals and changes to them",
            )
            for number, entry in made.lines
            if not isinstance(entry, MAY_SEND)
        ]
        if any(one.header.author == made.header.author for one in others) and name not in after.signed:
            found = f"{made.header.author}, whose name stands in the ledger already"
            told.append(
                Objection("author_known", where, found, "a signature, where the keeper does not know the sender", "warning")
            )
    count = sum(isinstance(entry, ForecastEntry | Sealed | Amendment) for entry in made.entries)
    return FileVerdict(where, "batch", made.header.author, count, told)


def _late(where: str, made: Batch, after: VerificationResult, court: Court, others: Sequence[Batch]) -> list[Objection]:
    """Forecasts of targets that are closed by now, or by the time that a stamp proves of them."""
    at = after.proved.get(made.sha256, court.now)
    found: Mapping[str, Any] = {one.name: one for one in states(others, at)}
    told = []
    for number, entry in made.lines:
        if isinstance(entry, ForecastEntry | Sealed | Amendment):
            round_id, target = aim_of(entry.amends if isinstance(entry, Amendment) else entry.id)
            one = found.get(f"{round_id}/{target}")
            if one is not None and one.closed:
                told.append(Objection("target_closed", f"{where}, line {number}", f"{one.name}: {one.closed}", "an open target"))
    return told
