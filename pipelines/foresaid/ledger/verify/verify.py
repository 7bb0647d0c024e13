"""Whether a ledger is whole: named checks over files as they are, every finding collected.

The check trusts nothing it reads. Each check is one function from a snapshot of the files to its findings
(`ledger/verify/byte_checks.py`, `ledger/verify/proof_checks.py`, `ledger/verify/entry_checks.py`); `verify` reads the snapshot,
runs them all and says what it found and what it could not prove. A ledger with neither a key nor a time-stamping authority follows
a lawful policy: the result then says in plain words that time is not proven.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from foresaid.ledger.entries import schema as entries
from foresaid.ledger.entries.batch import Batch
from foresaid.ledger.entries.schema import CheckCurve
from foresaid.ledger.layout import CHECKPOINT
from foresaid.ledger.log.checkpoint import Judgement
from foresaid.ledger.log.manifest import Checkpoint
from foresaid.ledger.log.policy import Policy
from foresaid.ledger.state import accounting
from foresaid.ledger.state.accounting import Account
from foresaid.ledger.verify import byte_checks, entry_checks, proof_checks
from foresaid.ledger.verify.entry_checks import claims
from foresaid.ledger.verify.evidence import newest_judged
from foresaid.ledger.verify.snapshot import Evidence, Finding, Snapshot, scan

__all__ = ["CHECKS", "EXITS", "INTEGRITY", "Evidence", "Finding", "VerificationResult", "claims", "verify"]

TIME_NOT_PROVEN = (
    "Time is not proven: no time-stamping authority vouches for this ledger, "
    "so the date of a batch is the claim of its author. That the bytes agree with the checkpoint is checked."
)
# Exit codes in order of precedence when there are several findings
EXITS = {
    1: ("V01", "V02", "V03", "V04", "V05", "V06", "V07", "V14", "V15"),
    3: ("V12", "V13", "V19"),
    4: ("V08", "V09", "V10", "V11"),
    6: ("V16", "V17"),
    7: ("V18",),
    5: ("V20",),
}
INCOMPLETE_EXIT = 5
MANY, FEW = 1_000, 10  # so many batches, with fewer lines each than this, are remarked upon

Check = Callable[[Snapshot], Iterator[Finding]]
CHECKS: Mapping[str, Check] = {
    "V01": byte_checks.v01_files,
    "V02": byte_checks.v02_names,
    "V03": byte_checks.v03_lines,
    "V04": byte_checks.v04_manifest,
    "V05": byte_checks.v05_listed,
    "V06": byte_checks.v06_parents,
    "V07": byte_checks.v07_root,
    "V08": proof_checks.v08_signatures,
    "V09": proof_checks.v09_subjects,
    "V10": proof_checks.v10_stamps,
    "V11": proof_checks.v11_calendar,
    "V12": proof_checks.v12_growth,
    "V13": proof_checks.v13_history,
    "V14": entry_checks.v14_entries,
    "V15": entry_checks.v15_seals,
    "V16": entry_checks.v16_data,
    "V17": entry_checks.v17_claims,
    "V18": entry_checks.v18_accounting,
    "V19": proof_checks.v19_appended,
    "V20": proof_checks.v20_pending,
}
# What must hold before anything is added; evidence from outside (keys, stamps, history) may still be on its way.
INTEGRITY: Mapping[str, Check] = {name: CHECKS[name] for name in (*EXITS[1], "V17")}


@dataclass(frozen=True)
class VerificationResult:
    """What `verify` found: everything wrong, everything pending, and how much there is."""

    findings: tuple[Finding, ...]
    batches: tuple[Batch, ...]  # outlines, as far as they can be read, in the order of the log, pending ones last
    pending: tuple[str, ...]  # names of batches that no checkpoint covers yet
    checkpoint: Checkpoint | None
    counts: Mapping[str, int]
    time: str = TIME_NOT_PROVEN
    incomplete: tuple[Finding, ...] = ()  # evidence that is wanted and not there
    accounts: tuple[Account, ...] = ()  # every forecast and its state
    policy: Policy = field(default_factory=Policy)
    notes: tuple[str, ...] = ()
    stamps: Mapping[str, Mapping[str, datetime]] = field(default_factory=dict)  # batch -> authority -> proved by
    proved: Mapping[str, datetime] = field(default_factory=dict)  # batch -> moment on which enough authorities agree
    witnessed: Mapping[str, int] = field(default_factory=dict)  # witness -> seconds since 1970 of its cosignature
    signed_by: str = ""  # the log's key (a vkey) under the newest checkpoint, if the policy leads to it
    listed: tuple[str, ...] = ()  # names of the batches in the log
    redacted: tuple[str, ...] = ()  # those of them whose bytes are gone
    rejected: Mapping[str, str] = field(default_factory=dict)  # pending batches that are not let into the log, with the reason
    unsigned: Mapping[str, str] = field(default_factory=dict)  # those of them that lack their author's signature -> author
    signed: frozenset[str] = frozenset()  # batches that a key of their author in the policy signed
    head: bytes = b""  # the newest checkpoint as it was read

    @property
    def totals(self) -> dict[str, int]:
        """The accounting identity: forecasts, and how many are in each state."""
        return accounting.totals(self.accounts)

    def exit_code(self, strict: bool = False) -> int:
        """0 when all checks passed, else the first that applies of 1, 3, 4, 6, 7, 5; with `strict`, 5 when a batch is pending."""
        codes = {finding.code for finding in self.findings}
        for number, members in EXITS.items():
            if codes.intersection(members):
                return number
        if codes:
            raise AssertionError(f"findings without an exit code: {sorted(codes)}")
        return INCOMPLETE_EXIT if self.incomplete or (strict and self.pending) else 0

    def as_dict(self) -> dict[str, Any]:
        """The same as plain values, for --json."""
        head = self.checkpoint
        return {
            "checkpoint": {"origin": head.origin, "size": head.size, "root": head.root.hex()} if head else None,
            "checks": sorted(CHECKS),
            "counts": dict(self.counts),
            "accounting": self.totals,
            "findings": [{name: getattr(item, name) for name in item.__dataclass_fields__} for item in self.findings],
            "incomplete": [{name: getattr(item, name) for name in item.__dataclass_fields__} for item in self.incomplete],
            "notes": list(self.notes),
            "pending": list(self.pending),
            "time": self.time,
        }


def _time(snapshot: Snapshot) -> str:
    if not snapshot.policy.stamps:
        return TIME_NOT_PROVEN
    size = snapshot.size
    proved = sum(name in snapshot.stamped.proved for name in snapshot.listed[:size])  # a receipt may be of a pending batch
    whose = "the reader's policy" if snapshot.own_policy else "the policy in the ledger itself (take one from elsewhere: --policy)"
    return f"Time: {proved} of {size} batches in the log are stamped by {snapshot.policy.stamps} authorities of {whose}."


def _small(batches: tuple[Batch, ...]) -> list[str]:
    """Many batches of few lines: each costs a file, and a check the time to open it."""
    lines = sum(len(batch.lines) for batch in batches)
    if len(batches) < MANY or lines >= FEW * len(batches):
        return []
    mean = f"{lines / len(batches):.1f}"
    return [f"{len(batches):,} batches hold {mean} lines each on average; freeze more at once, each costs a file and an opening"]


def verify(
    ledger: Path,
    origin: str | None = None,
    check_curve: CheckCurve | None = None,
    checks: Mapping[str, Check] = CHECKS,
    evidence: Evidence | None = None,
    whole: dict[str, Batch] | None = None,
) -> VerificationResult:
    """Run all checks on a ledger. Findings are returned; only a folder or file that cannot be read is an error.

    The result holds outlines of the batches; a mapping given as `whole` is filled with all of them as they were read, by name.
    """
    snapshot = scan(ledger, origin, check_curve, evidence, whole)
    found = [finding for check in checks.values() for finding in check(snapshot)]
    batches = tuple(snapshot.in_order())
    covered = set(snapshot.listed[: snapshot.size])
    pending = [batch.sha256 for batch in batches if batch.sha256 not in covered]
    pending += sorted(snapshot.digests.keys() - covered - set(pending) - snapshot.rejected.keys())
    kinds: list[type] = [type(entry) for batch in batches for entry in batch.entries]
    counts = {
        "batches": len(snapshot.digests),
        "sequenced": len(covered),
        "pending": len(pending),
        **{kind.COUNTED: kinds.count(kind) for kind in entries.KINDS.values() if kind.COUNTED},
        "rejected": len(snapshot.rejected),
        "stray_files": snapshot.strays,
    }
    outside = "V10" in checks  # not the short list that a writer runs
    judged = newest_judged(snapshot) if outside else Judgement((), (), {})
    return VerificationResult(
        findings=tuple(finding for finding in found if not finding.incomplete),
        batches=batches,
        pending=tuple(pending),
        checkpoint=snapshot.checkpoint,
        counts=counts,
        time=_time(snapshot) if outside else TIME_NOT_PROVEN,
        incomplete=tuple(finding for finding in found if finding.incomplete),
        accounts=tuple(snapshot.accounts) if outside else (),
        policy=snapshot.policy,
        notes=(
            *proof_checks.age(snapshot),
            *proof_checks.policy_changes(snapshot),
            *entry_checks.adopted_changes(snapshot),
            *(f"{name} is no plain file; it is no part of the record, take one from elsewhere" for name in snapshot.odd_pages),
            *proof_checks.disagreements(snapshot),
            *proof_checks.calendar_status(snapshot)[1],
            *_small(batches),
        )
        if outside
        else (),
        stamps=snapshot.stamped.by_batch if outside else {},
        proved=snapshot.stamped.proved if outside else {},
        witnessed=judged.seen,
        signed_by=judged.signed_by,
        listed=tuple(snapshot.listed[: snapshot.size]),
        redacted=tuple(snapshot.redacted),
        rejected=dict(snapshot.rejected),
        unsigned={name: snapshot.batches[name].header.author for name in snapshot.unsigned if name in snapshot.rejected},
        signed=frozenset(
            name
            for name, batch in snapshot.batches.items()
            if batch.header.author in snapshot.policy.authors and name not in snapshot.unsigned
        ),
        head=snapshot.files.get(CHECKPOINT, b""),
    )
