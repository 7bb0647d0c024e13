"""Inclusion proofs as files (C2SP tlog-proof): one batch, its path to the root, and the checkpoint that was signed.

Who holds such a file, the batch and a policy needs nothing else of the ledger. A consistency proof shows that the log of an
older checkpoint is the beginning of the newer one.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from foresaid.errors import LedgerError
from foresaid.ledger.log import checkpoint, manifest, merkle, signed_note
from foresaid.ledger.log.policy import Policy
from foresaid.ledger.log.signed_note import Verifier

FIRST = "c2sp.org/tlog-proof@v1"
LONGEST = 63  # hashes of a path in a tree of fewer than 2^63 leaves


@dataclass(frozen=True)
class Proof:
    """Where a leaf stands, its path (nearest sibling first), and the checkpoint file."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: bytes

    def encode(self) -> bytes:
        """The bytes of the file."""
        lines = [FIRST, f"index {self.index}", *(base64.b64encode(one).decode("ascii") for one in self.path)]
        return "".join(f"{line}\n" for line in lines).encode("ascii") + b"\n" + self.checkpoint


def parse(data: bytes) -> Proof:
    """Read a proof file."""
    head, blank, rest = data.partition(b"\n\n")
    try:
        first, index, *path = head.decode("ascii").split("\n")
    except (UnicodeDecodeError, ValueError):
        raise LedgerError(f"proof: expected the lines {FIRST}, index, hashes, a blank line and a checkpoint") from None
    if path and path[0].startswith("extra "):
        raise LedgerError("proof: expected no extra data")
    if first != FIRST or not blank or not re.fullmatch(r"index (0|[1-9][0-9]{0,15})", index) or len(path) > LONGEST:
        raise LedgerError(f"proof: expected the lines {FIRST}, index, hashes, a blank line and a checkpoint")
    hashes = tuple(signed_note.unbase64(line) for line in path)
    if any(len(one) != merkle.HASH_BYTES for one in hashes):
        raise LedgerError("proof: expected hashes of 32 bytes")
    manifest.parse_checkpoint(rest)
    return Proof(int(index.removeprefix("index ")), hashes, rest)


def prove(name: str, names: Sequence[str], checkpoint_file: bytes) -> Proof:
    """The proof that a batch stands in the log under this checkpoint; `names` are the batches of the manifest."""
    head = manifest.parse_checkpoint(checkpoint_file)
    listed = list(names[: head.size])
    if name not in listed:
        raise LedgerError(f"batch {name}: is not under the checkpoint of size {head.size}; run `foresaid ledger checkpoint`")
    hashes = [merkle.leaf_hash(manifest.manifest_line(one)) for one in listed]
    index = listed.index(name)
    return Proof(index, tuple(merkle.inclusion_proof(index, hashes)), checkpoint_file)


def check(proof: Proof, name: str, policy: Policy, keys: Sequence[Verifier] = ()) -> manifest.Checkpoint:
    """The checkpoint under which the proof shows this batch to stand; a LedgerError if it does not, or is not signed enough.

    `keys` are those that may have signed it (`hand_over.signers`) where that is more than the policy's own.
    """
    head = manifest.parse_checkpoint(proof.checkpoint)
    leaf = merkle.leaf_hash(manifest.manifest_line(name))
    if not merkle.verify_inclusion(proof.index, head.size, leaf, list(proof.path), head.root):
        raise LedgerError(f"proof: does not lead from batch {name} to the root of the checkpoint")
    wanted: Sequence[Verifier | None] = keys or (policy.log,)
    judged = [checkpoint.judge(proof.checkpoint, replace(policy, log=key)) for key in wanted]
    found = min(judged, key=lambda one: len(one.wrong))
    if found.wrong or found.missing:
        raise LedgerError(f"proof: its checkpoint is {'; '.join((*found.wrong, *found.missing))}")
    return head
