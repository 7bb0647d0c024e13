"""An author's signature of a batch: that the name in the header is not only a claim.

It is a C2SP signed note (https://c2sp.org/signed-note) beside the batches, over three lines: `forecast-batch/v1`, the origin of the
log, the SHA-256 of the batch. The origin keeps a signature for one log from being used in another. It may be added at any time: who
signs says that the batch is theirs, not when it was made.
"""

from __future__ import annotations

from collections.abc import Sequence

from foresaid.errors import LedgerError
from foresaid.ledger.log import signed_note
from foresaid.ledger.log.signed_note import Signer, Verifier


def text(origin: str, batch: str) -> bytes:
    """The lines that are signed.

    >>> text("example.org/log", "ab" * 2)
    b'forecast-batch/v1\\nexample.org/log\\nabab\\n'
    """
    return f"forecast-batch/v1\n{origin}\n{batch}\n".encode("ascii")


def sign(origin: str, batch: str, signer: Signer) -> bytes:
    """The file with an author's signature of a batch."""
    body = text(origin, batch)
    return body + b"\n" + signer.sign(body)


def check(data: bytes, origin: str, batch: str, keys: Sequence[Verifier]) -> Verifier:
    """The key of an author that signed this batch of this log; a LedgerError if none did, or a line claims so falsely."""
    note = signed_note.parse_note(data)
    if note.text != text(origin, batch):
        raise LedgerError(f"its signature is over {note.text[:200]!a}, expected {text(origin, batch)!a}")
    for key in keys:
        if signed_note.check(note, key) is not None:
            return key
    raise LedgerError("its signature is by none of their keys in the policy")
