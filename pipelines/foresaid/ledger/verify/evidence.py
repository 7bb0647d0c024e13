"""Time-stamped anchors and receipts as verification reads them: which were judged good, and the newest of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING

from foresaid.errors import LedgerError, UnreadableError
from foresaid.ledger import layout
from foresaid.ledger.layout import CHECKPOINT, MANIFEST
from foresaid.ledger.log import anchors, key_rotation
from foresaid.ledger.log import manifest as log
from foresaid.ledger.log.anchors import Stamp
from foresaid.ledger.log.checkpoint import Judgement

if TYPE_CHECKING:
    from foresaid.ledger.verify.snapshot import Snapshot


@dataclass
class Stamped:
    """The replies that hold, those that do not, and what they say of each batch."""

    good: list[Stamp] = field(default_factory=list)
    bad: list[tuple[str, str]] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    unread: list[tuple[str, str]] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)  # receipts of no batch that is here
    by_batch: dict[str, dict[str, datetime]] = field(default_factory=dict)
    proved: dict[str, datetime] = field(default_factory=dict)


def stamped(snapshot: Snapshot) -> Stamped:
    """Check every time-stamp reply once. A reply over a subject that does not bind the manifest proves nothing."""
    result = Stamped()
    replies = snapshot.replies()
    if not replies:
        return result
    from foresaid.ledger.log import rfc3161 as stamp  # only a stamped ledger needs the parser of RFC 3161

    bound = {size for size in snapshot.anchored if not list(_anchor(snapshot, size, None))}
    for path, authority, batch, size in replies:
        root = snapshot.policy.roots.get(authority)
        if root is None:
            result.unknown.append(path)
            continue
        over = bytes.fromhex(batch) if batch else sha256(snapshot.files.get(f"{layout.folder(size)}/subject", b"")).digest()
        if batch and batch not in snapshot.digests and batch not in snapshot.redacted:
            result.foreign.append(path)
            continue
        try:
            at = stamp.proved_at(snapshot.files[path], over, root)
        except UnreadableError as error:
            result.unread.append((path, str(error)))
            continue
        except LedgerError as error:
            result.bad.append((path, str(error)))
            continue
        if batch or size in bound:
            result.good.append(Stamp(authority, at, size, batch))
    names = [name for name in snapshot.listed[: snapshot.size] if snapshot.digests.get(name) == name or name in snapshot.redacted]
    if len(names) != snapshot.size:
        names = []
    result.by_batch, result.proved = anchors.times(result.good, names, snapshot.policy.stamps)
    return result


def judged(snapshot: Snapshot) -> dict[str, Judgement]:
    """The newest checkpoint and every anchored one, judged by the keys in force for each."""
    if snapshot.checkpoint is None:
        return {}  # V07 says so
    told = key_rotation.changes(snapshot.in_order(), snapshot.checkpoint.origin)
    result: dict[str, Judgement] = {}
    heads: dict[int, bytes] = {}
    paths: dict[int, str] = {}
    newest = snapshot.files.get(CHECKPOINT, b"")
    for size in snapshot.anchored:
        path = f"{layout.folder(size)}/checkpoint"
        data = snapshot.files.get(path, b"")
        try:
            if size < snapshot.size:
                log.parse_checkpoint(data)
                heads[size], paths[size] = data, path
            else:  # of the newest size, or longer than the log: under the keys of the newest
                before = {n: one for n, one in heads.items() if n < snapshot.size}
                result[path] = key_rotation.judge_all({**before, size: data}, snapshot.policy, told)[size]
        except LedgerError:
            continue  # not a checkpoint at all: V09 says so
    try:
        by_size = key_rotation.judge_all({**heads, snapshot.size: newest}, snapshot.policy, told)
    except LedgerError:
        return result  # V07 says so
    return {CHECKPOINT: by_size.pop(snapshot.size), **{paths[size]: one for size, one in by_size.items()}, **result}


def newest_judged(snapshot: Snapshot) -> Judgement:
    """What the signatures under the newest checkpoint say."""
    return snapshot.judged.get(CHECKPOINT, Judgement((), (), {}))


def _anchor(snapshot: Snapshot, size: int, previous: bytes | None) -> Iterator[tuple[str, str, str, str]]:
    """What is wrong with one anchor: (file, what, found, expected); without `previous` the chain is not looked at."""
    place = layout.folder(size)
    stamped_bytes, head = snapshot.files.get(f"{place}/subject"), snapshot.files.get(f"{place}/checkpoint")
    replies = snapshot.files.get(f"{place}/replies", b"")
    for name, data in (("subject", stamped_bytes), ("checkpoint", head)):
        if data is None:
            yield f"{place}/{name}", "file is missing", "", ""
    if f"{place}/replies" in snapshot.files and not replies:
        yield f"{place}/replies", "is empty", "", ""
    if stamped_bytes is None or head is None:
        return
    try:
        found, old = anchors.parse_subject(stamped_bytes), log.parse_checkpoint(head)
    except LedgerError as error:
        yield place, str(error), "", ""
        return
    manifest = snapshot.files.get(MANIFEST, b"")
    wanted = anchors.subject(head, manifest, previous, replies)
    rows = [("origin", found.origin, wanted.origin), ("size", str(found.size), str(old.size)), ("size", str(old.size), str(size))]
    rows += [("checkpoint-sha256", found.checkpoint_sha256, wanted.checkpoint_sha256)]
    rows += [("manifest-sha256", found.manifest_sha256, wanted.manifest_sha256)]
    rows += [("replies-sha256", found.replies_sha256, wanted.replies_sha256)]
    if previous is not None:
        rows += [("previous", found.previous, anchors.FIRST if not previous else wanted.previous)]
    yield from ((f"{place}/subject", f"another {what}", is_, should) for what, is_, should in rows if is_ != should)
