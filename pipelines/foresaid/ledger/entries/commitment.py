"""Sealed forecasts: bound by a hash now, opened later, so that nobody can copy them and nobody can change them.

The commitment is SHA-256 over a fixed tag, 32 random bytes and the canonical line, which also says whose forecast it is and
for which log. Without the random bytes a hash of a few numbers is guessed in a second. The secret file stands outside the
repository; who loses it cannot open the seal, and what is not opened counts as the worst forecast.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import msgspec

from foresaid import canonical_json
from foresaid.errors import LedgerError
from foresaid.ledger.entries import schema as entries
from foresaid.ledger.entries.schema import Inner, Reveal, Sealed
from foresaid.ledger.log import keys

TAG = b"forecast-seal/v1\n"
NONCE_BYTES = 32


def inner_line(forecast: Inner) -> bytes:
    """The canonical line that is hashed, without a newline."""
    return canonical_json.dump_line(msgspec.to_builtins(forecast))[:-1]


def commit(nonce: bytes, forecast: Inner) -> str:
    """SHA-256(tag || nonce || inner line), in hexadecimal."""
    if len(nonce) != NONCE_BYTES:
        raise LedgerError(f"nonce: found {len(nonce)} bytes, expected {NONCE_BYTES}")
    return sha256(TAG + nonce + inner_line(forecast)).hexdigest()


def seal(forecast: Inner, nonce: bytes, reveal_by: str) -> Sealed:
    """The public half of a sealed forecast: its target stands there, so that it can be counted."""
    return Sealed(id=forecast.id, target=forecast.target, commit=commit(nonce, forecast), reveal_by=reveal_by)


def opens(reveal: Reveal, sealed: Sealed) -> bool:
    """Whether an opening is that of this seal: id, target and hash must agree."""
    forecast = reveal.forecast
    same = (reveal.opens, forecast.id, forecast.target) == (sealed.id, sealed.id, sealed.target)
    return same and commit(bytes.fromhex(reveal.nonce), forecast) == sealed.commit


@dataclass(frozen=True)
class Secret:
    """What opens a seal: the nonce and the hidden line."""

    nonce: bytes
    forecast: Inner

    def reveal(self) -> Reveal:
        """The entry that opens the seal."""
        return Reveal(opens=self.forecast.id, nonce=self.nonce.hex(), forecast=self.forecast)


def write_secret(path: Path, secret: Secret) -> None:
    """Keep a secret in a file of its own, outside the repository."""
    keys.keep(path, entries.encode(secret.reveal()))


def read_secret(path: Path) -> Secret:
    """Read a secret back."""
    data = keys.fetch(path)
    if not data.endswith(b"\n") or data.count(b"\n") != 1:
        raise LedgerError(f"{path}: expected one canonical line")
    record = entries.parse(canonical_json.parse_line(data[:-1]))
    if not isinstance(record, Reveal):
        raise LedgerError(f"{path}: expected the secret of a seal, a reveal/v1 line")
    return Secret(bytes.fromhex(record.nonce), record.forecast)
