"""A witness: it remembers the largest log it saw, and cosigns only what continues that.

It is what makes a rollback or a rewritten log visible to a reader without memory. The key and the memory belong to another
person than the log's. The memory is written before the signature is given away, so that a crash can lose a signature and
never a memory.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from foresaid.errors import LedgerError
from foresaid.files import flush_folder, write_bytes
from foresaid.ledger.log import manifest, merkle, signed_note
from foresaid.ledger.log.signed_note import Signer, Verifier


@dataclass(frozen=True)
class WitnessedState:
    """The largest state of a log this witness cosigned."""

    origin: str
    size: int
    root: bytes


def read(path: Path, origin: str) -> WitnessedState:
    """What the witness remembers of a log; of an unknown one, that it was empty."""
    try:
        kept = json.loads(path.read_bytes())
    except FileNotFoundError:
        kept = {}
    except (OSError, ValueError) as error:
        raise LedgerError(f"{path}: the witness's memory cannot be read: {error}; nothing is signed without it") from None
    one = kept.get(origin, {"size": 0, "root": base64.b64encode(manifest.root([])).decode("ascii")})
    return WitnessedState(origin, int(one["size"]), signed_note.unbase64(one["root"]))


def write(path: Path, seen: WitnessedState) -> None:
    """Remember a state; other logs in the file are kept."""
    kept = json.loads(path.read_bytes()) if path.exists() else {}
    kept[seen.origin] = {"size": seen.size, "root": base64.b64encode(seen.root).decode("ascii")}
    write_bytes(path, (json.dumps(kept, indent=2, sort_keys=True) + "\n").encode("ascii"))
    flush_folder(path.parent)  # a memory whose name a crash takes away would let the log roll back


def consistency(old: int, names: Sequence[str]) -> list[bytes]:
    """The proof a log hands to a witness: that its first `old` batches are the beginning of all of them."""
    return merkle.consistency_proof(old, [merkle.leaf_hash(manifest.manifest_line(name)) for name in names])


def cosign(
    checkpoint: bytes,
    old_size: int,
    proof: Sequence[bytes],
    seen: WitnessedState,
    log_keys: Sequence[Verifier],
    signer: Signer,
    seconds: int,
    remember: Callable[[WitnessedState], None],
) -> bytes:
    """The cosignature line over a checkpoint, if a key of the log signed it and it continues what was seen; else a LedgerError.

    `log_keys` are those that may sign it now (`hand_over.signers`). `old_size` must be the size remembered (C2SP tlog-witness).
    `remember` is called before the line is returned.
    """
    head, signed = manifest.parse_checkpoint(checkpoint), signed_note.parse_note(checkpoint)
    if head.origin != seen.origin or any(head.origin != key.name for key in log_keys):
        expected = ", ".join(dict.fromkeys([seen.origin, *(key.name for key in log_keys)]))
        raise LedgerError(f"checkpoint of {head.origin}: expected one of {expected}")
    if all(signed_note.check(signed, key) is None for key in log_keys):
        raise LedgerError(f"checkpoint: not signed by {' or '.join(key.vkey for key in log_keys) or 'any key in force'}")
    if old_size != seen.size:
        raise LedgerError(f"checkpoint: the proof begins at size {old_size}, this witness last saw {seen.size}")
    if not merkle.verify_consistency(seen.size, head.size, seen.root, head.root, list(proof)):
        raise LedgerError(
            f"checkpoint: size {head.size} root {head.root.hex()} does not continue what this witness saw: "
            f"size {seen.size} root {seen.root.hex()}; nothing was signed"
        )
    remember(WitnessedState(head.origin, head.size, head.root))
    return signer.sign(signed.text, seconds)


def parse_proof(text: str) -> list[bytes]:
    """Read a consistency proof: a line of base64 each."""
    return [signed_note.unbase64(line) for line in re.split(r"\n", text.strip()) if line]
