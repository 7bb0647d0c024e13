"""Signing a checkpoint, and judging the signatures under one by the reader's policy.

A log once died of a bit that flipped between hashing and signing. So the key is used only after another process has read every
file anew and come to the same size and root, and the new signature is verified before anything is written.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from foresaid.errors import LedgerError
from foresaid.ledger import layout
from foresaid.ledger.layout import MANIFEST
from foresaid.ledger.log import manifest, signed_note
from foresaid.ledger.log.manifest import Checkpoint
from foresaid.ledger.log.policy import Policy
from foresaid.ledger.log.signed_note import Note, Signer


@dataclass(frozen=True)
class Judgement:
    """What the signatures under a checkpoint say: what is wrong, what is missing, who signed, which witnesses saw it and when."""

    wrong: tuple[str, ...]
    missing: tuple[str, ...]
    seen: dict[str, int]  # witness -> seconds since 1970
    signed_by: str = ""  # the log's key (a vkey) whose signature holds


def judge(data: bytes, policy: Policy) -> Judgement:
    """Check a checkpoint file against a policy. A missing log signature is wrong; a missing quorum is missing evidence."""
    signed = signed_note.parse_note(data)
    wrong, missing, seen, signed_by = [], [], {}, ""
    if policy.log is None:
        if signed.signatures:
            wrong.append("signed, but the policy names no key that could check it")
    else:
        try:
            if signed_note.check(signed, policy.log) is None:
                wrong.append(f"not signed by the log's key {policy.log.vkey}")
            else:
                signed_by = policy.log.vkey
        except LedgerError as error:
            wrong.append(str(error))
        if (origin := manifest.parse_checkpoint(data).origin) != policy.log.name:
            wrong.append(f"origin {origin} is not the name of the log's key, {policy.log.name}")
    for name, verifier in policy.witnesses.items():
        try:
            seconds = signed_note.check(signed, verifier)
        except LedgerError as error:
            wrong.append(str(error))
            continue
        if seconds is not None:
            seen[name] = seconds
    if not policy.satisfied(seen):
        missing.append(f"cosigned by {', '.join(sorted(seen)) or 'no witness'}, expected the quorum {policy.quorum} of the policy")
    return Judgement(tuple(wrong), tuple(missing), seen, signed_by)


def reread(ledger: Path) -> tuple[int, str]:
    """Read every batch of the manifest from the disk and hash it: the size and root (hex) that may be signed."""
    names, problems = manifest.parse_manifest((ledger / MANIFEST).read_bytes())
    for name in names:
        path = ledger / layout.batch_path(name)
        if path.exists() and sha256(path.read_bytes()).hexdigest() != name:  # a redacted batch is no file any more
            problems.append((0, name))
    if problems:
        raise LedgerError(f"{ledger}: {len(problems)} files or lines read back differ; nothing was signed")
    return len(names), manifest.root(names).hex()


def reread_elsewhere(ledger: Path) -> tuple[int, str]:
    """`reread` in a process of its own, so that no byte of this one's memory is believed."""
    program = (
        "import sys; from pathlib import Path; from foresaid.ledger.log.checkpoint import reread; print(*reread(Path(sys.argv[1])))"
    )
    paths = [str(Path(__file__).parents[3]), *sys.path]
    command = [sys.executable, "-c", f"import sys; sys.path[:0] = {paths!r}; {program}", str(ledger)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LedgerError(f"{ledger}: could not be read back by another process; nothing was signed")
    size, root = done.stdout.split()
    return int(size), root


def sign(checkpoint: Checkpoint, signer: Signer, again: tuple[int, str]) -> bytes:
    """The signed checkpoint, if a second reading (`again`: size and root in hex) agrees with it; else nothing is signed."""
    if signer.name != checkpoint.origin:
        raise LedgerError(f"key {signer.name}: expected a key named like the log, {checkpoint.origin}")
    if again != (checkpoint.size, checkpoint.root.hex()):
        raise LedgerError(
            f"checkpoint: found size {checkpoint.size} and root {checkpoint.root.hex()}, "
            f"the second reading found {again[0]} and {again[1]}; nothing was signed"
        )
    data = checkpoint.encode() + signer.sign(checkpoint.text)
    if signed_note.check(signed_note.parse_note(data), signer.verifier) is None or manifest.parse_checkpoint(data) != checkpoint:
        raise LedgerError("checkpoint: the new signature does not verify; nothing was written")
    return data


def with_signature(data: bytes, line: bytes) -> bytes:
    """The checkpoint with one more signature line; a newer one by the same key takes the place of the older."""
    signed, added = (
        signed_note.parse_note(data),
        signed_note.parse_note(signed_note.parse_note(data).text + b"\n" + line).signatures[0],
    )
    kept = tuple(one for one in signed.signatures if (one.name, one.key_id) != (added.name, added.key_id))
    return Note(signed.text, (*kept, added)).encode()
