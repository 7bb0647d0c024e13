"""Whose signature counts after a key hand-over, read from a ledger by somebody who holds no more than the first key.

A witness, and a reader of one proof, pin a key that may have left long ago. The ledger leads them from it to the keys of today,
anchor by anchor (`ledger/log/key_rotation.py`), but only if it verifies: an entry counts because the checkpoint that holds it was
signed, so the batches, the root, the anchors and the growth between them must all hold first.
"""

from __future__ import annotations

from pathlib import Path

from foresaid.errors import LedgerError
from foresaid.ledger import layout
from foresaid.ledger.layout import CHECKPOINT
from foresaid.ledger.log import key_rotation, manifest
from foresaid.ledger.log.manifest import Checkpoint
from foresaid.ledger.log.policy import Policy
from foresaid.ledger.log.signed_note import Verifier
from foresaid.ledger.verify.snapshot import Evidence, Snapshot, scan
from foresaid.ledger.verify.verify import CHECKS, INTEGRITY

# What must hold before an entry of the ledger is believed about keys.
BOUND = (*INTEGRITY, "V08", "V09", "V12")


def signers(ledger: Path, policy: Policy, head: Checkpoint) -> list[Verifier]:
    """The keys that may sign this checkpoint of the ledger, for a reader of this policy; a LedgerError if it cannot be trusted.

    The checkpoint may be the newest of the ledger, an older one, or one that has grown beyond it. Without a `key/v1`
    entry the answer is the policy's own key.
    """
    bare = Policy(log=policy.log)  # witnesses and stamps have no say in who signs for the log
    snapshot = scan(ledger, head.origin, evidence=Evidence(policy=bare))
    found = [finding for code in BOUND for finding in CHECKS[code](snapshot) if not finding.incomplete]
    if found:
        raise LedgerError(f"{ledger}: cannot say who signs for the log, since it does not verify: {found[0]}")
    if head.size <= snapshot.size and manifest.root(snapshot.listed[: head.size]) != head.root:
        raise LedgerError(f"checkpoint of size {head.size}: is no state of the log in {ledger}; nothing there says who may sign it")
    told = key_rotation.changes(snapshot.in_order(), head.origin)
    return key_rotation.signers(_before(snapshot, head.size), bare, told)


def _before(snapshot: Snapshot, size: int) -> dict[int, bytes]:
    """The checkpoints that stand in the ledger and are smaller than this size, by their size."""
    kept = {one: snapshot.files[f"{layout.folder(one)}/checkpoint"] for one in snapshot.anchored}
    return {one: data for one, data in {**kept, snapshot.size: snapshot.files[CHECKPOINT]}.items() if one < size}
