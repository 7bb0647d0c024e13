"""Anchors: checkpoints kept with the stamps that date them, and when each batch was proved to exist.

Authorities stamp a small file, the subject, which binds a checkpoint and the digest of the manifest's first lines: the bridge
by which `head`, `sha256sum` and `openssl` reach the stamp. Subjects are chained, so that a removed one is seen. Each also binds a
list of the time-stamp replies that have come in since the one before, so that a reply cannot be taken away again to make an
unwelcome forecast late. A batch is proved by a stamp over itself (a receipt) or over any subject whose manifest holds it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from foresaid.errors import LedgerError
from foresaid.ledger.log import manifest as log
from foresaid.ledger.log import signed_note

FIRST = "0" * 64  # the previous subject of the first one

_SUBJECT = re.compile(
    rb"forecast-anchor/v1\norigin ([!-~]{1,128})\nsize (0|[1-9][0-9]{0,7})\ncheckpoint-sha256 ([0-9a-f]{64})\n"
    rb"manifest-sha256 ([0-9a-f]{64})\nprevious ([0-9a-f]{64})\n(?:replies-sha256 ([0-9a-f]{64})\n)?"
)


@dataclass(frozen=True)
class Subject:
    """What an authority stamps: which log, how many batches, and the digests that bind them."""

    origin: str
    size: int
    checkpoint_sha256: str
    manifest_sha256: str
    previous: str
    replies_sha256: str = ""  # nothing where no reply came in since the anchor before

    def encode(self) -> bytes:
        """The bytes of the file."""
        return (
            f"forecast-anchor/v1\norigin {self.origin}\nsize {self.size}\ncheckpoint-sha256 {self.checkpoint_sha256}\n"
            f"manifest-sha256 {self.manifest_sha256}\nprevious {self.previous}\n"
            + (f"replies-sha256 {self.replies_sha256}\n" if self.replies_sha256 else "")
        ).encode("ascii")


def parse_subject(data: bytes) -> Subject:
    """Read a subject; any other bytes than those it would be written with are refused."""
    match = _SUBJECT.fullmatch(data)
    if match is None:
        raise LedgerError(
            "expected the lines of a subject: forecast-anchor/v1, origin, size, two digests, previous and perhaps replies-sha256"
        )
    origin, size, checkpoint, manifest, previous, replies = (part.decode("ascii") for part in match.groups(b""))
    return Subject(origin, int(size), checkpoint, manifest, previous, replies)


def subject(checkpoint: bytes, manifest: bytes, previous: bytes | None, replies: bytes = b"") -> Subject:
    """The subject of a checkpoint file, given the manifest, the bytes of the previous subject and the list of replies."""
    head = log.parse_checkpoint(checkpoint)
    lines = manifest.splitlines(keepends=True)[: head.size]
    return Subject(
        head.origin,
        head.size,
        sha256(signed_note.parse_note(checkpoint).text).hexdigest(),
        sha256(b"".join(lines)).hexdigest(),
        FIRST if previous is None else sha256(previous).hexdigest(),
        sha256(replies).hexdigest() if replies else "",
    )


def sums(files: Mapping[str, bytes]) -> bytes:
    """What `sha256sum` prints for these files, by name.

    >>> sums({"policy.txt": b""})
    b'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  policy.txt\\n'
    """
    return "".join(f"{sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files)).encode("ascii")


@dataclass(frozen=True)
class Stamp:
    """A reply that holds: which authority, over how many batches (a subject) or which one (a receipt), proved by when."""

    authority: str
    proved_at: datetime
    size: int = 0
    batch: str = ""


def times(stamps: Sequence[Stamp], names: Sequence[str], wanted: int) -> tuple[dict[str, dict[str, datetime]], dict[str, datetime]]:
    """For each batch the earliest proof of each authority, and the moment by which enough of them agree.

    Enough is `wanted` authorities: with two, the second smallest of their times counts, so that one that backdates gains
    nothing. With none wanted nothing is proved.
    """
    by_batch: dict[str, dict[str, datetime]] = {}
    best: dict[str, datetime] = {}
    by_size = sorted((stamp for stamp in stamps if not stamp.batch), key=lambda stamp: -stamp.size)
    receipts: dict[str, list[Stamp]] = {}
    for stamp in stamps:
        if stamp.batch:
            receipts.setdefault(stamp.batch, []).append(stamp)
    place = 0
    for index in range(len(names) - 1, -1, -1):
        while place < len(by_size) and by_size[place].size > index:
            stamp = by_size[place]
            best[stamp.authority] = min(best.get(stamp.authority, stamp.proved_at), stamp.proved_at)
            place += 1
        if best:
            by_batch[names[index]] = dict(best)
    for name, found in receipts.items():
        mine = by_batch.setdefault(name, {})
        for stamp in found:
            mine[stamp.authority] = min(mine.get(stamp.authority, stamp.proved_at), stamp.proved_at)
    enough = {name: sorted(found.values())[wanted - 1] for name, found in by_batch.items() if wanted and len(found) >= wanted}
    return by_batch, enough
