"""Where each file of a ledger lies, and what its name may look like.

The layout is part of the format: readers in other languages (`verify.sh`) rely on it.
"""

from __future__ import annotations

import re

from foresaid.ledger.log.stamp_kinds import KINDS

FOLDER = "log/anchors"


SUMS = "log/ANCHORS.sha256"


SIZE_DIGITS = 8


def folder(size: int) -> str:
    """Where the anchor of a checkpoint stands below the ledger.

    >>> folder(2)
    'log/anchors/00000002'
    """
    return f"{FOLDER}/{size:0{SIZE_DIGITS}d}"


MANIFEST = "log/MANIFEST"


CHECKPOINT = "log/checkpoint"


def batch_path(sha256: str) -> str:
    """Where a batch stands below the ledger.

    >>> batch_path("ab" * 32)
    'batches/ab/abababababababababababababababababababababababababababababababab.jsonl'
    """
    return f"batches/{sha256[:2]}/{sha256}.jsonl"


POLICY = "policy.txt"


PAGES = ("README.md", "verify.sh")  # what is here for readers, and no part of the record


STRAY = ".tmp-"  # left by a writer that was killed; nothing reads it, the next writer removes it


_BATCH = re.compile(r"batches/([0-9a-f]{2})/(\1[0-9a-f]{62})\.jsonl")


_AUTHORITY = r"[a-z0-9][a-z0-9-]{0,63}"


_RECEIPT = re.compile(rf"receipts/([0-9a-f]{{64}})/({_AUTHORITY})\.tsr")


STAMPS = tuple(kind.FILE for kind in KINDS)  # other proofs of time beside a subject


_BESIDE = "|".join(map(re.escape, STAMPS))


_ANCHOR = re.compile(rf"log/anchors/([0-9]{{8}})/(checkpoint|subject|{_BESIDE}|replies|({_AUTHORITY})\.tsr)")


_ROOT = re.compile(rf"tsa/({_AUTHORITY})\.pem")


_SIGNATURE = re.compile(r"signatures/([0-9a-f]{64})\.note")


_FOLDER = re.compile(r"log|log/anchors(/[0-9]{8})?|batches(/[0-9a-f]{2})?|receipts(/[0-9a-f]{64})?|signatures|tsa")


def signature_path(sha256: str) -> str:
    """Where the author's signature of a batch stands below the ledger.

    >>> signature_path("ab" * 2)
    'signatures/abab.note'
    """
    return f"signatures/{sha256}.note"


def is_evidence(path: str) -> bool:
    """Whether a file below the ledger is one that log/ANCHORS.sha256 lists.

    >>> is_evidence("tsa/tsa1.pem"), is_evidence("log/MANIFEST")
    (True, False)
    """
    return path == POLICY or any(pattern.fullmatch(path) for pattern in (_RECEIPT, _ANCHOR, _ROOT, _SIGNATURE))
