"""Checks V08 to V13, V19 and V20: signatures, anchors, stamps, and that the log has only grown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

from foresaid.errors import LedgerError
from foresaid.ledger.log import anchors, key_rotation, merkle, opentimestamps
from foresaid.ledger.log import manifest as log
from foresaid.ledger.log.anchors import Stamp
from foresaid.ledger.log.checkpoint import Judgement
from foresaid.ledger.log.manifest import CHECKPOINT, MANIFEST
from foresaid.ledger.log.policy import POLICY
from foresaid.ledger.state.index import moment
from foresaid.ledger.verify.snapshot import Finding, Snapshot

MERGE_DELAY = timedelta(days=7)
DISAGREEMENT = timedelta(hours=24)


@dataclass
class Stamped:
    """The replies that hold, those that do not, and what they say of each batch."""

    good: list[Stamp] = field(default_factory=list)
    bad: list[tuple[str, str]] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
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
        over = bytes.fromhex(batch) if batch else sha256(snapshot.files.get(f"{anchors.folder(size)}/subject", b"")).digest()
        try:
            at = stamp.proved_at(snapshot.files[path], over, root)
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


def v08_signatures(snapshot: Snapshot) -> Iterator[Finding]:
    """V08: checkpoints are signed by the log's key and cosigned by the quorum, as the reader's policy wants it."""
    if snapshot.bad_policy:
        yield Finding("V08", POLICY, snapshot.bad_policy.removeprefix(f"{POLICY}, ").removeprefix(f"{POLICY}: "))
    for path, found in snapshot.judged.items():
        yield from (Finding("V08", path, what) for what in found.wrong)
        if path == CHECKPOINT:
            yield from (Finding("V08", path, what, incomplete=True) for what in found.missing)


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
        path = f"{anchors.folder(size)}/checkpoint"
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
    place = anchors.folder(size)
    stamped_bytes, head = snapshot.files.get(f"{place}/subject"), snapshot.files.get(f"{place}/checkpoint")
    for name, data in (("subject", stamped_bytes), ("checkpoint", head)):
        if data is None:
            yield f"{place}/{name}", "file is missing", "", ""
    if stamped_bytes is None or head is None:
        return
    try:
        found, old = anchors.parse_subject(stamped_bytes), log.parse_checkpoint(head)
    except LedgerError as error:
        yield place, str(error), "", ""
        return
    manifest = snapshot.files.get(MANIFEST, b"")
    wanted = anchors.subject(head, manifest, previous)
    rows = [("origin", found.origin, wanted.origin), ("size", str(found.size), str(old.size)), ("size", str(old.size), str(size))]
    rows += [("checkpoint-sha256", found.checkpoint_sha256, wanted.checkpoint_sha256)]
    rows += [("manifest-sha256", found.manifest_sha256, wanted.manifest_sha256)]
    if previous is not None:
        rows += [("previous", found.previous, anchors.FIRST if not previous else wanted.previous)]
    yield from ((f"{place}/subject", f"another {what}", is_, should) for what, is_, should in rows if is_ != should)


def v09_subjects(snapshot: Snapshot) -> Iterator[Finding]:
    """V09: every subject binds its checkpoint, the manifest's first lines and the subject before it; sizes rise."""
    previous = b""
    for size in snapshot.anchored:
        for file, what, found, expected in _anchor(snapshot, size, previous):
            yield Finding("V09", file, what, found, expected)
        previous = snapshot.files.get(f"{anchors.folder(size)}/subject", b"")


def v10_stamps(snapshot: Snapshot) -> Iterator[Finding]:
    """V10: every reply is over its file, by the pinned root; as many authorities as the policy wants cover every batch."""
    found = snapshot.stamped
    yield from (Finding("V10", path, what) for path, what in found.bad)
    for path in found.unknown:
        yield Finding("V10", path, "the policy names no such authority, so nothing could check it", incomplete=True)
    wanted = snapshot.policy.stamps
    bare = [name for name in snapshot.listed[: snapshot.size] if name not in found.proved]
    if wanted and bare:
        what = f"{len(bare)} batches have fewer stamps than the policy wants, the first is {bare[0]}"
        have = len(found.by_batch.get(bare[0], {}))
        yield Finding("V10", CHECKPOINT, what, str(have), f"{wanted} authorities", incomplete=True)


def disagreements(snapshot: Snapshot) -> list[str]:
    """Subjects that authorities date more than a day apart: lawful, and worth a look."""
    notes = []
    for size in snapshot.anchored:
        at = [stamp.proved_at for stamp in snapshot.stamped.good if stamp.size == size and not stamp.batch]
        if at and max(at) - min(at) > DISAGREEMENT:
            notes.append(f"{anchors.folder(size)}: authorities disagree by {max(at) - min(at)}; the later time counts")
    return notes


def calendar_status(snapshot: Snapshot) -> tuple[list[Finding], list[str]]:
    """OpenTimestamps proofs: what is wrong or missing, and what each says (pending, attested, checked against a given header)."""
    wrong, notes, against_header = [], [], 0
    headers = snapshot.evidence.headers
    for size in snapshot.anchored:
        path = f"{anchors.folder(size)}/subject.ots"
        if path not in snapshot.files:
            continue
        try:
            proof = opentimestamps.read(snapshot.files[path], snapshot.files.get(f"{anchors.folder(size)}/subject", b""))
            if proof is None:
                notes.append(f"{path}: not read, install foresaid[opentimestamps]")
                continue
            checked = [opentimestamps.block_time(headers[height], root) for height, root in proof.blocks if height in headers]
        except LedgerError as error:
            wrong.append(Finding("V11", path, str(error)))
            continue
        against_header += len(checked)
        says = f"checked against its block header: {min(checked):%Y-%m-%d}" if checked else f"{proof.status}, proves no time here"
        notes.append(f"{path}: {says}")
    if headers and not against_header and not wrong:
        what = "block headers were given, but no proof here names one of their heights"
        wrong.append(Finding("V11", anchors.FOLDER, what, incomplete=True))
    return wrong, notes


def v11_calendar(snapshot: Snapshot) -> Iterator[Finding]:
    """V11: an OpenTimestamps proof is over its subject; with a block header given, the header has its work and this root."""
    yield from calendar_status(snapshot)[0]


def v12_growth(snapshot: Snapshot) -> Iterator[Finding]:
    """V12: every checkpoint the reader remembers, and every anchored one, is a beginning of the log."""
    leaves = [merkle.leaf_hash(line) for line in snapshot.files.get(MANIFEST, b"").splitlines(keepends=True)]
    places = [(f"{anchors.folder(size)}/checkpoint", None) for size in snapshot.anchored]
    heads = [(path, snapshot.files.get(path, b"")) for path, _ in places]
    heads += [(f"known checkpoint {number}", data) for number, data in enumerate(snapshot.evidence.known, start=1)]
    now = snapshot.checkpoint
    for where, data in heads:
        try:
            old = log.parse_checkpoint(data)
        except LedgerError as error:
            if where.startswith("known"):
                yield Finding("V12", where, str(error))
            continue
        shown = f"{old.origin} size {old.size} root {old.root.hex()}"
        here = f"{now.origin} size {now.size} root {now.root.hex()}" if now else "no checkpoint"
        if now is not None and old.origin != now.origin:
            yield Finding("V12", where, "is of another log", here, shown)
        elif old.size > snapshot.size:
            yield Finding("V12", where, "the log was rolled back: it was longer", here, shown)
        elif merkle.root(leaves[: old.size]) != old.root:
            yield Finding("V12", where, "the log was forked: it began otherwise", here, shown)


def v13_history(snapshot: Snapshot) -> Iterator[Finding]:
    """V13: no commit, and no merge, changed or removed a file of the ledger (but proofs that grow, and redactions)."""
    history = snapshot.evidence.history
    if history is None:
        if "V13" in snapshot.evidence.asked:
            yield Finding("V13", MANIFEST, "no git history here, so it was not checked", incomplete=True)
        return
    if history.shallow:
        yield Finding("V13", MANIFEST, "the clone is shallow; its history was checked only as far as it goes", incomplete=True)
    words = {"M": "modified", "D": "deleted", "T": "turned into something else"}
    redacted = {log.batch_path(name) for name in snapshot.redacted}
    for commit, status, path in history.changed:
        grows = path.startswith(anchors.FOLDER) and path.endswith(("/subject.ots", "/checkpoint"))
        if not (status == "M" and grows) and not (status == "D" and path in redacted):
            yield Finding("V13", path, f"{words.get(status, status)} in commit {commit}")


def v19_appended(snapshot: Snapshot) -> Iterator[Finding]:
    """V19: in git, the manifest of every commit begins with the manifest of each of its parents."""
    history = snapshot.evidence.history
    for commit, parent in history.rewritten if history else ():
        yield Finding("V19", MANIFEST, f"commit {commit} does not continue the manifest of its parent {parent}")


def v20_pending(snapshot: Snapshot) -> Iterator[Finding]:
    """V20: no batch waits longer than seven days for its place in the log."""
    now = snapshot.evidence.now
    if now is None:
        return
    covered = set(snapshot.listed[: snapshot.size])
    for name, batch in snapshot.batches.items():
        if name not in covered and now - moment(batch.header.frozen_at) > MERGE_DELAY:
            what = "is not in the log after seven days; run `foresaid checkpoint` on the main branch"
            yield Finding("V20", log.batch_path(name), what, f"frozen {batch.header.frozen_at}", line=1)
