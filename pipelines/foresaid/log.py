"""The two files that give batches an order: log/MANIFEST and log/checkpoint, as bytes.

A line of the manifest is what `sha256sum` prints, so that `sha256sum -c` checks every batch; with its newline it is one
leaf of an RFC 6962 tree. The checkpoint is the body of a C2SP tlog-checkpoint: origin, size, root, each on a line, and
the blank line after which signatures will stand. There is no signature yet, and a line after the blank one is refused.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass

from foresaid import entries, merkle
from foresaid.errors import LedgerError

MANIFEST = "log/MANIFEST"
CHECKPOINT = "log/checkpoint"

_LINE = re.compile(rb"([0-9a-f]{64})  (batches/[0-9a-f]{2}/[0-9a-f]{64}\.jsonl)")
_SIZE = re.compile(r"0|[1-9][0-9]{0,15}")
_ORIGIN = re.compile(entries.ID)


def batch_path(sha256: str) -> str:
    """Where a batch stands below the ledger.

    >>> batch_path("ab" * 32)
    'batches/ab/abababababababababababababababababababababababababababababababab.jsonl'
    """
    return f"batches/{sha256[:2]}/{sha256}.jsonl"


def manifest_line(sha256: str) -> bytes:
    """The line of a batch in the manifest, newline included: one leaf."""
    return f"{sha256}  {batch_path(sha256)}\n".encode("ascii")


def parse_manifest(data: bytes) -> tuple[list[str], list[tuple[int, str]]]:
    """Names of the batches in order, and each bad line with its reason; an empty manifest has no lines.

    >>> parse_manifest(manifest_line("ab" * 32))[0] == ["ab" * 32]
    True
    """
    lines = data.split(b"\n")
    problems: list[tuple[int, str]] = []
    names: list[str] = []
    seen: set[str] = set()
    if lines.pop():
        problems.append((len(lines) + 1, "no newline at the end; the file was cut"))
    for number, line in enumerate(lines, start=1):
        match = _LINE.fullmatch(line)
        name = match[1].decode("ascii") if match else ""
        if match is None or match[2] != batch_path(name).encode("ascii"):
            problems.append((number, f"found {line[:200]!r}, expected '<sha256>  batches/<2 hex>/<sha256>.jsonl'"))
            continue
        if name in seen:
            problems.append((number, f"batch {name} stands here a second time"))
        seen.add(name)
        names.append(name)
    return names, problems


def root(names: Sequence[str]) -> bytes:
    """Merkle root over the manifest lines of these batches."""
    return merkle.root([merkle.leaf_hash(manifest_line(name)) for name in names])


@dataclass(frozen=True)
class Checkpoint:
    """A state of the log: whose, how many batches, and the root over their manifest lines.

    >>> print(Checkpoint("foresaid/registry", 0, root([])).encode().decode(), end="")
    foresaid/registry
    0
    47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=
    <BLANKLINE>
    """

    origin: str
    size: int
    root: bytes

    def encode(self) -> bytes:
        """The bytes of the file, without signatures."""
        if not _ORIGIN.fullmatch(self.origin):
            raise LedgerError(f"origin: found {self.origin!a}, expected a key name such as foresaid/registry")
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode('ascii')}\n\n".encode("ascii")


def parse_checkpoint(data: bytes) -> Checkpoint:
    """Read a checkpoint; any other bytes than those it would be written with are refused."""
    try:
        origin, size, text, *rest = data.decode("ascii").split("\n")
        digest = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):  # too few lines, not ASCII, not base64
        raise LedgerError("expected the lines origin, size, root in base64, and a blank line") from None
    if rest != ["", ""]:
        raise LedgerError("expected one blank line after the root and nothing behind it: no signatures yet")
    if not _ORIGIN.fullmatch(origin) or not _SIZE.fullmatch(size) or len(digest) != merkle.HASH_BYTES:
        raise LedgerError("expected a key name, a plain number and 32 bytes in base64")
    checkpoint = Checkpoint(origin, int(size), digest)
    if checkpoint.encode() != data:
        raise LedgerError("the root is base64 of another spelling than its own")
    return checkpoint
