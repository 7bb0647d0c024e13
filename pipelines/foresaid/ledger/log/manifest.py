"""The two files that give batches an order: log/MANIFEST and log/checkpoint, as bytes.

A line of the manifest is what `sha256sum` prints, so that `sha256sum -c` checks every batch; with its newline it is one
leaf of an RFC 6962 tree. The checkpoint is a C2SP tlog-checkpoint: origin, size, root, each on a line, a blank line, and
signatures as far as there are any. Whether those are good and enough is for `ledger/log/checkpoint.py` to say.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass

from foresaid.errors import LedgerError
from foresaid.ledger.entries import fields
from foresaid.ledger.layout import batch_path
from foresaid.ledger.log import merkle, signed_note

_LINE = re.compile(rb"([0-9a-f]{64})  (batches/[0-9a-f]{2}/[0-9a-f]{64}\.jsonl)")
_SIZE = re.compile(r"0|[1-9][0-9]{0,15}")
_ORIGIN = re.compile(fields.ID)


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

    @property
    def text(self) -> bytes:
        """The three lines that are signed."""
        if not _ORIGIN.fullmatch(self.origin):
            raise LedgerError(f"origin: found {self.origin!a}, expected a key name such as foresaid/registry")
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode('ascii')}\n".encode("ascii")

    def encode(self) -> bytes:
        """The bytes of the file, without signatures."""
        return self.text + b"\n"


def parse_checkpoint(data: bytes) -> Checkpoint:
    """Read a checkpoint with its signatures; a text other than the one it would be written with is refused."""
    text = signed_note.parse_note(data).text
    try:
        origin, size, digest, end = text.decode("ascii").split("\n")
        checkpoint = Checkpoint(origin, int(size) if _SIZE.fullmatch(size) else -1, signed_note.unbase64(digest))
    except (ValueError, LedgerError):  # too many or too few lines, not base64
        raise LedgerError("expected the lines origin, size, root in base64, and no other before the blank one") from None
    if end or checkpoint.size < 0 or len(checkpoint.root) != merkle.HASH_BYTES or checkpoint.text != text:
        raise LedgerError("expected a key name, a plain number and 32 bytes in base64")
    return checkpoint
