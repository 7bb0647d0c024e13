"""Key files: one secret key a file, made by a person, kept outside the repository and readable by its owner alone.

The file holds one line in the form of Go's signed notes. A place inside a git clone is refused, since what is committed
once is public for ever; so is a file that others may read.
"""

from __future__ import annotations

import base64
import os
import stat
from pathlib import Path

from foresaid.errors import LedgerError
from foresaid.ledger.log.signed_note import KINDS, Signer, Verifier, parse_signer, parse_vkey


def keep(path: Path, data: bytes) -> None:
    """Write a secret: a new file for its owner alone, outside any git clone, safely on disk.

    It is written under its own name and no other: what replaces nothing need not be renamed, and no copy of a secret is left.
    """
    place = path.absolute()
    for folder in place.parents:
        if (folder / ".git").exists():
            raise LedgerError(f"{path}: stands inside the repository {folder}; keep secrets elsewhere")
    try:
        handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise LedgerError(f"{path}: cannot be made: {error.strerror}") from None
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(handle)


def fetch(path: Path) -> bytes:
    """Read a secret back; a file that others may read is refused."""
    try:
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise LedgerError(f"{path}: others may read this secret; run `chmod 600 {path}`")
        return path.read_bytes()
    except OSError as error:
        raise LedgerError(f"{path}: cannot be read: {error.strerror}") from None


def write(name: str, kind: str, seed: bytes, path: Path) -> Verifier:
    """Write a new secret key (32 random bytes) and return its public half; an existing file is never overwritten."""
    if len(seed) != 32 or kind not in KINDS:
        raise LedgerError(f"key: found kind {kind!a} and {len(seed)} bytes, expected {' or '.join(KINDS)} and 32 bytes")
    signer = Signer(name, KINDS[kind], seed)
    verifier = parse_vkey(signer.verifier.vkey)  # refuses names that no policy could hold
    text = f"PRIVATE+KEY+{name}+{verifier.id.hex()}+{base64.b64encode(bytes([signer.kind]) + seed).decode('ascii')}\n"
    keep(path, text.encode("ascii"))
    return verifier


def read(path: Path, kind: str) -> Signer:
    """Read a secret key of a kind (`log` or `witness`)."""
    signer = parse_signer(fetch(path).decode("ascii", "replace").removesuffix("\n"))
    if signer.kind != KINDS[kind]:
        raise LedgerError(f"{path}: holds no key of a {kind}; make one with `foresaid ledger key new --kind {kind}`")
    return signer
