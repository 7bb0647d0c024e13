"""OpenTimestamps proofs are read for what they are: pending, attested, or checked against a header somebody trusts."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from hashlib import sha256

import pytest

from foresaid.errors import LedgerError
from foresaid.ledger.log.opentimestamps import block_time, parse_trusted, read

pytest.importorskip("opentimestamps", reason="the optional extra foresaid[opentimestamps] is not installed")
# The first block of Bitcoin: its header is known to everyone, and its hash begins with ten zeros.
GENESIS = bytes.fromhex(
    "01000000" + "00" * 32 + "3ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a" + "29ab5f49ffff001d1dac2b7c"
)
MESSAGE = b"subject"
MAKE = """
import sys
from hashlib import sha256
from opentimestamps.core.notary import BitcoinBlockHeaderAttestation, PendingAttestation
from opentimestamps.core.op import OpAppend, OpSHA256
from opentimestamps.core.serialize import BytesSerializationContext
from opentimestamps.core.timestamp import DetachedTimestampFile, Timestamp
stamp = Timestamp(bytes.fromhex(sys.argv[1]))
inner = stamp.ops.add(OpAppend(b"nonce")).ops.add(OpSHA256())
inner.attestations.add(BitcoinBlockHeaderAttestation(0) if sys.argv[2] == "block" else PendingAttestation("https://calendar.example"))
context = BytesSerializationContext()
DetachedTimestampFile(OpSHA256(), stamp).serialize(context)
sys.stdout.buffer.write(context.getbytes())
"""


def make(kind: str) -> bytes:
    words = [sys.executable, "-c", MAKE, sha256(MESSAGE).hexdigest(), kind]
    return subprocess.run(words, check=True, capture_output=True).stdout


def test_a_proof_is_pending_until_a_block_is_named_and_then_only_attested() -> None:
    pending, attested = read(make("pending"), MESSAGE), read(make("block"), MESSAGE)

    assert pending is not None
    assert attested is not None
    assert (pending.status, pending.pending) == ("pending", ("https://calendar.example",))
    assert (attested.status, attested.blocks[0][0]) == ("attested", 0)
    with pytest.raises(LedgerError, match="Merkle root"):
        block_time(GENESIS, attested.blocks[0][1])


def test_a_proof_of_another_file_or_with_other_bytes_is_refused() -> None:
    with pytest.raises(LedgerError, match="not one of this file"):
        read(make("pending"), b"another")
    for bad in (b"", b"x", make("pending") + b"x", make("pending")[:-1], b"x" * 70_000):
        with pytest.raises(LedgerError, match="proof"):
            read(bad, MESSAGE)


def test_a_block_header_needs_its_proof_of_work() -> None:
    assert datetime(2009, 1, 3, 18, 15, 5, tzinfo=UTC) == block_time(GENESIS, GENESIS[36:68])
    for place in range(80):
        changed = bytearray(GENESIS)
        changed[place] ^= 1
        with pytest.raises(LedgerError, match="proof of work"):
            block_time(bytes(changed), bytes(changed[36:68]))
    assert parse_trusted(f"0 {GENESIS.hex()}\n") == {0: GENESIS}
    with pytest.raises(LedgerError, match="line 1"):
        parse_trusted("zero 00")
