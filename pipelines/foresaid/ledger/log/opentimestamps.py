"""OpenTimestamps proofs, read by a process of its own: the library is optional and under another licence (LGPL).

A proof begins as *pending*: a calendar promised to put it into Bitcoin. Upgraded, it is *attested* to a block. Whether that block
is in the chain nobody can tell without its header; a reader who has one (80 bytes) gets the proof checked, with the work behind the
header. Without it, a proof of this kind proves no time here.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from foresaid.errors import LedgerError

NAME, TITLE, FILE = "opentimestamps", "OpenTimestamps", "subject.ots"
TRUSTED, TRUSTED_WORDS = "block-headers", "Bitcoin headers you trust: a line each, height and hex."
PROOF_BYTES = 64 * 1024
HEADER_BYTES = 80
_PROGRAM = """
import io, json, sys
try:
    from opentimestamps.core.notary import BitcoinBlockHeaderAttestation, PendingAttestation
    from opentimestamps.core.serialize import StreamDeserializationContext
    from opentimestamps.core.timestamp import DetachedTimestampFile
except ImportError:
    print(json.dumps({"missing": True})); sys.exit()
raw = sys.stdin.buffer.read()
try:
    stream = io.BytesIO(raw)
    proof = DetachedTimestampFile.deserialize(StreamDeserializationContext(stream))
    found = {"digest": proof.file_digest.hex(), "hash": proof.file_hash_op.TAG_NAME, "pending": [], "blocks": []}
    for message, attestation in proof.timestamp.all_attestations():
        if isinstance(attestation, PendingAttestation):
            found["pending"].append(attestation.uri)
        elif isinstance(attestation, BitcoinBlockHeaderAttestation):
            found["blocks"].append([attestation.height, message.hex()])
    if stream.read():
        found = {"bad": "bytes behind the proof"}
except Exception as error:
    found = {"bad": type(error).__name__ + ": " + str(error)}
print(json.dumps(found))
"""


@dataclass(frozen=True)
class CalendarProof:
    """What an OpenTimestamps file claims: calendars that still wait, and blocks as (height, Merkle root bytes)."""

    pending: tuple[str, ...]
    blocks: tuple[tuple[int, bytes], ...]

    @property
    def status(self) -> str:
        """`attested` when a block is named, else `pending`. Neither is a proof without the block's header."""
        return "attested" if self.blocks else "pending"


def read(data: bytes, message: bytes) -> CalendarProof | None:
    """Read a proof over a message; None when the optional library is not installed; a proof of other bytes is an error."""
    if len(data) > PROOF_BYTES:
        raise LedgerError(f"found {len(data)} bytes, expected a proof of at most {PROOF_BYTES}")
    done = subprocess.run([sys.executable, "-c", _PROGRAM], input=data, capture_output=True, check=False)
    if done.returncode:
        raise LedgerError("OpenTimestamps proof: cannot be read")
    found = json.loads(done.stdout)
    if found.get("missing"):
        return None
    if "bad" in found:
        raise LedgerError(f"OpenTimestamps proof: {found['bad'][:200].encode('ascii', 'backslashreplace').decode()}")
    if found["hash"] != "sha256" or found["digest"] != sha256(message).hexdigest():
        raise LedgerError("OpenTimestamps proof: it is not one of this file's SHA-256")
    return CalendarProof(tuple(found["pending"]), tuple((int(height), bytes.fromhex(root)) for height, root in found["blocks"]))


def block_time(header: bytes, root: bytes) -> datetime:
    """The time of a Bitcoin block, if the header carries its proof of work and this Merkle root.

    The header's double SHA-256, read as a little-endian number, must not exceed the target its field nBits encodes.
    """
    if len(header) != HEADER_BYTES:
        raise LedgerError(f"block header: found {len(header)} bytes, expected {HEADER_BYTES}")
    bits = int.from_bytes(header[72:76], "little")
    target = (bits & 0x7FFFFF) << 8 * ((bits >> 24) - 3) if bits >> 24 >= 3 else 0
    work = int.from_bytes(sha256(sha256(header).digest()).digest(), "little")
    if not 0 < target < 1 << 224 or work > target:
        raise LedgerError("block header: its proof of work does not hold")
    if header[36:68] != root:
        raise LedgerError("block header: its Merkle root is not that of the proof")
    return datetime.fromtimestamp(int.from_bytes(header[68:72], "little"), UTC)


def proved(proof: CalendarProof, headers: Mapping[int, bytes]) -> list[datetime]:
    """The times of the blocks of a proof whose headers a reader has."""
    return [block_time(headers[height], root) for height, root in proof.blocks if height in headers]


def parse_trusted(text: str) -> Mapping[int, bytes]:
    """Read block headers a person trusts: a line each, height and 160 hex digits."""
    headers = {}
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split()
        if not words:
            continue
        try:
            headers[int(words[0])] = bytes.fromhex(words[1])
        except (ValueError, IndexError):
            raise LedgerError(f"block headers, line {number}: expected a height and 160 hex digits") from None
    return headers
