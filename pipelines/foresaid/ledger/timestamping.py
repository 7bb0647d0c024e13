"""Stamping as a person does it: make the file to be stamped, send a request from anywhere, keep the reply.

Nothing here uses the network. The request is a file for curl; the reply comes back as a file, and is kept only when it holds under
the pinned root of the authority it is said to be from.
"""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from pathlib import Path

from foresaid.errors import LedgerError
from foresaid.ledger import layout, store
from foresaid.ledger.layout import CHECKPOINT, MANIFEST
from foresaid.ledger.log import anchors, checkpoint, manifest, rfc3161
from foresaid.ledger.log.policy import Policy
from foresaid.ledger.log.stamp_kinds import StampKind


def anchor(place: Path) -> str:
    """Make the anchor of the newest checkpoint, unless it is there; return its folder below the ledger."""
    head = (place / CHECKPOINT).read_bytes()
    size = manifest.parse_checkpoint(head).size
    if not size:
        raise LedgerError(f"{place}: the log is empty, there is nothing to stamp; run `foresaid ledger checkpoint`")
    folder = layout.folder(size)
    if not (place / folder / "subject").exists():
        older = sorted(path for path in (place / layout.FOLDER).glob("*/subject") if path.parent.name < Path(folder).name)
        previous = older[-1].read_bytes() if older else None
        replies = _new_replies(place)
        subject = anchors.subject(head, (place / MANIFEST).read_bytes(), previous, replies)
        # The subject comes last: a kill before it leaves an anchor that the next call completes.
        files = {f"{folder}/checkpoint": head, **({f"{folder}/replies": replies} if replies else {})}
        files[f"{folder}/subject"] = subject.encode()
        store.write_files(place, files, replaced=(f"{folder}/checkpoint", f"{folder}/replies"))
    return folder


def _new_replies(place: Path) -> bytes:
    """The time-stamp replies that no anchor lists yet, as `sha256sum` prints them."""
    listed = {line[66:] for path in (place / layout.FOLDER).glob("*/replies") for line in path.read_text("utf-8").splitlines()}
    found = [path for where in ("receipts/*/*.tsr", f"{layout.FOLDER}/*/*.tsr") for path in place.glob(where)]
    return anchors.sums({name: path.read_bytes() for path in found if (name := path.relative_to(place).as_posix()) not in listed})


def to_stamp(place: Path, batch: str = "") -> Path:
    """The file an authority is to stamp: the subject of the newest checkpoint, or one batch (on any branch)."""
    if not batch:
        return place / anchor(place) / "subject"
    path = place / layout.batch_path(batch)
    if not path.is_file():
        raise LedgerError(f"{path}: no such batch")
    return path


def request(place: Path, batch: str = "") -> bytes:
    """The bytes of a time-stamp request (.tsq)."""
    return rfc3161.request(to_stamp(place, batch).read_bytes())


def accept(place: Path, reply: bytes, authority: str, policy: Policy, batch: str = "", sent: bytes | None = None) -> datetime:
    """Keep a reply (.tsr) that holds, and return the moment it proves; with the request given, its nonce must come back."""
    if authority not in policy.roots:
        raise LedgerError(f"authority {authority}: expected one of the policy: {', '.join(policy.roots) or 'it names none'}")
    path = to_stamp(place, batch)
    nonce = rfc3161.nonce_of(sent) if sent is not None else None
    proved = rfc3161.proved_at(reply, sha256(path.read_bytes()).digest(), policy.roots[authority], nonce)
    name = f"receipts/{batch}/{authority}.tsr" if batch else f"{path.parent.relative_to(place).as_posix()}/{authority}.tsr"
    store.write_files(place, {name: reply})
    return proved


def accept_other(place: Path, proof: bytes, kind: StampKind) -> str:
    """Keep a proof of another kind over the newest subject, also in place of an earlier one; return its status."""
    path = to_stamp(place)
    found = kind.read(proof, path.read_bytes())
    if found is None:
        raise LedgerError(f"{kind.TITLE}: the optional library is not installed; install foresaid[{kind.NAME}]")
    name = f"{path.parent.relative_to(place).as_posix()}/{kind.FILE}"
    store.write_files(place, {name: proof}, replaced=(name,))
    return str(found.status)


def add_cosignature(place: Path, line: bytes) -> None:
    """Put a witness's line under the newest checkpoint."""
    data = checkpoint.with_signature((place / CHECKPOINT).read_bytes(), line)
    store.write_files(place, {CHECKPOINT: data}, replaced=(CHECKPOINT,))
