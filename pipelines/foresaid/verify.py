"""Whether a ledger is whole: named checks over files as they are, every finding collected.

The check needs the standard library and msgspec, never the rest of the program, and it trusts nothing it reads. Each
check is one function from a snapshot of the files to its findings; `verify` reads the snapshot, runs them all and says
what it found and what it could not prove. There is neither a key nor a time-stamping authority yet: that is a lawful
policy, and the result then says in plain words that time is not proven.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from foresaid import entries, log, merkle, rules
from foresaid.batch import Batch
from foresaid.entries import CheckCurve
from foresaid.log import CHECKPOINT, MANIFEST, Checkpoint
from foresaid.snapshot import Finding, Snapshot, scan

TIME_NOT_PROVEN = (
    "Time is not proven: no key and no time-stamping authority vouches for this ledger, "
    "so the date of a batch is the claim of its author. That the bytes agree with the checkpoint is checked."
)
# Exit codes in order of precedence when there are several findings
EXITS = {1: ("V01", "V02", "V03", "V04", "V05", "V06", "V07", "V14"), 6: ("V17",)}
PENDING_EXIT = 5


def v01_files(snapshot: Snapshot) -> Iterator[Finding]:
    """V01: the two files of the log are there; nothing is foreign, linked, special or executable."""
    yield from snapshot.odd


def v02_names(snapshot: Snapshot) -> Iterator[Finding]:
    """V02: the name of a batch is the SHA-256 of its bytes."""
    for name, data in snapshot.names.items():
        found = sha256(data).hexdigest()
        if found != name:
            yield Finding("V02", log.batch_path(name), "the bytes are not those that were frozen", found, name)


def v03_lines(snapshot: Snapshot) -> Iterator[Finding]:
    """V03: every line of a batch is canonical and follows the schema of its type."""
    for name, problems in snapshot.bad_batches.items():
        for number, reason in problems:
            yield Finding("V03", log.batch_path(name), reason, line=number)


def v04_manifest(snapshot: Snapshot) -> Iterator[Finding]:
    """V04: every line of the manifest has the form of `sha256sum` and stands there once."""
    for number, reason in snapshot.bad_lines:
        yield Finding("V04", MANIFEST, reason, line=number)


def v05_listed(snapshot: Snapshot) -> Iterator[Finding]:
    """V05: every batch of the manifest is a file (a file outside the manifest is pending, and counted)."""
    names = snapshot.names
    for name in dict.fromkeys(snapshot.listed):
        if name not in names:
            yield Finding("V05", log.batch_path(name), "stands in the manifest, but there is no such file")


def v06_parents(snapshot: Snapshot) -> Iterator[Finding]:
    """V06: the parents of a batch exist, and in the log they precede it."""
    places = {name: index for index, name in enumerate(snapshot.listed)}
    for name, batch in snapshot.batches.items():
        for parent in batch.header.parents:
            if parent not in snapshot.batches:
                yield Finding("V06", log.batch_path(name), "a parent is missing", expected=parent, line=1)
            elif name in places and places.get(parent, len(places)) >= places[name]:
                yield Finding("V06", log.batch_path(name), "a parent does not precede it in the log", parent, line=1)


def v07_root(snapshot: Snapshot) -> Iterator[Finding]:
    """V07: the checkpoint has the size and the root of the manifest, and the origin of every batch."""
    checkpoint = snapshot.checkpoint
    if checkpoint is None:
        if CHECKPOINT in snapshot.files:
            yield Finding("V07", CHECKPOINT, snapshot.bad_checkpoint)
        return
    if snapshot.origin is not None and checkpoint.origin != snapshot.origin:
        yield Finding("V07", CHECKPOINT, "another log", checkpoint.origin, snapshot.origin, line=1)
    for name, batch in snapshot.batches.items():
        if batch.header.origin != checkpoint.origin:
            where = f"{CHECKPOINT} against {log.batch_path(name)}"
            yield Finding("V07", where, "a batch of another log", batch.header.origin, checkpoint.origin)
    leaves = snapshot.files.get(MANIFEST, b"").splitlines(keepends=True)
    if checkpoint.size > len(leaves):
        found = f"{len(leaves)} lines in {MANIFEST}"
        yield Finding("V07", CHECKPOINT, "the manifest is shorter than the log", found, f"{checkpoint.size}", line=2)
        return
    root = merkle.root([merkle.leaf_hash(leaf) for leaf in leaves[: checkpoint.size]])
    if root != checkpoint.root:
        what = "the first lines of the manifest do not have this root"
        yield Finding("V07", CHECKPOINT, what, root.hex(), checkpoint.root.hex(), line=3)


def v14_entries(snapshot: Snapshot) -> Iterator[Finding]:
    """V14: ids are unique, references lead somewhere, an author has one primary forecast for a target."""
    for clash in rules.clashes(snapshot.in_order()):
        path = log.batch_path(clash.sha256)
        yield Finding("V14", path, clash.what, clash.found, clash.expected, clash.line)


def v17_claims(snapshot: Snapshot) -> Iterator[Finding]:
    """V17, as far as no clock is needed: nothing a batch was fitted on is later than its cut-off, nor that than itself."""
    for name, batch in snapshot.batches.items():
        for what, found, expected in claims(batch.header):
            yield Finding("V17", log.batch_path(name), what, found, expected, line=1)


def claims(header: entries.Header) -> list[tuple[str, str, str]]:
    """Dates of a header that contradict each other, as (what, found, expected)."""
    problems = []
    if header.as_of > header.frozen_at[:10]:
        problems.append(("as_of is after frozen_at", header.as_of, f"at most {header.frozen_at[:10]}"))
    for item in header.data:
        if item.max_observed_on > header.as_of:
            what = f"data {item.name} holds something observed after as_of"
            problems.append((what, item.max_observed_on, f"at most {header.as_of}"))
    return problems


Check = Callable[[Snapshot], Iterator[Finding]]
CHECKS: Mapping[str, Check] = {
    "V01": v01_files,
    "V02": v02_names,
    "V03": v03_lines,
    "V04": v04_manifest,
    "V05": v05_listed,
    "V06": v06_parents,
    "V07": v07_root,
    "V14": v14_entries,
    "V17": v17_claims,
}


@dataclass(frozen=True)
class Result:
    """What `verify` found: everything wrong, everything pending, and how much there is."""

    findings: tuple[Finding, ...]
    batches: tuple[Batch, ...]  # as far as they can be read, in the order of the log, pending ones last
    pending: tuple[str, ...]  # names of batches that no checkpoint covers yet
    checkpoint: Checkpoint | None
    counts: Mapping[str, int]
    time: str = TIME_NOT_PROVEN

    def exit_code(self, strict: bool = False) -> int:
        """0 when all checks passed; 1 integrity, 6 leak; with `strict`, 5 when a batch is pending."""
        codes = {finding.code for finding in self.findings}
        for number, members in EXITS.items():
            if codes.intersection(members):
                return number
        if codes:
            raise AssertionError(f"findings without an exit code: {sorted(codes)}")
        return PENDING_EXIT if strict and self.pending else 0

    def as_dict(self) -> dict[str, Any]:
        """The same as plain values, for --json."""
        head = self.checkpoint
        return {
            "checkpoint": {"origin": head.origin, "size": head.size, "root": head.root.hex()} if head else None,
            "checks": sorted(CHECKS),
            "counts": dict(self.counts),
            "findings": [{name: getattr(item, name) for name in item.__dataclass_fields__} for item in self.findings],
            "pending": list(self.pending),
            "time": self.time,
        }


def verify(
    ledger: Path,
    origin: str | None = None,
    check_curve: CheckCurve | None = None,
    checks: Mapping[str, Check] = CHECKS,
) -> Result:
    """Run all checks on a ledger. Findings are returned; only a folder or file that cannot be read is an error."""
    snapshot = scan(ledger, origin, check_curve)
    findings = tuple(finding for check in checks.values() for finding in check(snapshot))
    batches = tuple(snapshot.in_order())
    covered = set(snapshot.listed[: snapshot.size])
    pending = [batch.sha256 for batch in batches if batch.sha256 not in covered]
    pending += sorted(snapshot.names.keys() - covered - set(pending))
    kinds = [type(entry) for batch in batches for entry in batch.entries]
    counts = {
        "batches": len(snapshot.names),
        "sequenced": len(covered),
        "pending": len(pending),
        "rounds": kinds.count(entries.Round),
        "targets": kinds.count(entries.Target),
        "forecasts": kinds.count(entries.Forecast),
        "sealed": kinds.count(entries.Sealed),
        "amendments": kinds.count(entries.Amendment),
        "withdrawals": kinds.count(entries.Withdrawal),
        "stray_files": snapshot.strays,
    }
    return Result(findings, batches, tuple(pending), snapshot.checkpoint, counts)
