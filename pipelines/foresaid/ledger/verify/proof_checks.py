"""Checks V08 to V13, V19 and V20: signatures, anchors, stamps, and that the log has only grown."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from foresaid.errors import LedgerError
from foresaid.ledger import layout
from foresaid.ledger.layout import CHECKPOINT, MANIFEST, POLICY
from foresaid.ledger.log import anchors, merkle
from foresaid.ledger.log import manifest as log
from foresaid.ledger.log.git_history import HERE
from foresaid.ledger.log.stamp_kinds import KINDS, StampKind
from foresaid.ledger.state.index import moment
from foresaid.ledger.verify.evidence import _anchor, newest_judged
from foresaid.ledger.verify.snapshot import Finding, Snapshot

MERGE_DELAY = timedelta(days=7)
DISAGREEMENT = timedelta(hours=24)
LATEST = 253_402_300_799  # the last second that a calendar of four digits has


def v08_signatures(snapshot: Snapshot) -> Iterator[Finding]:
    """V08: checkpoints are signed by the log's key and cosigned by the quorum, as the reader's policy wants it."""
    if snapshot.bad_policy:
        yield Finding("V08", POLICY, snapshot.bad_policy.removeprefix(f"{POLICY}, ").removeprefix(f"{POLICY}: "))
    for path, found in snapshot.judged.items():
        yield from (Finding("V08", path, what) for what in found.wrong)
        if path == CHECKPOINT:
            yield from (Finding("V08", path, what, incomplete=True) for what in found.missing)
    yield from _stale(snapshot)
    yield from _authors(snapshot)


def v09_subjects(snapshot: Snapshot) -> Iterator[Finding]:
    """V09: every subject binds its checkpoint, the manifest's first lines and the subject before it; sizes rise."""
    previous = b""
    for size in snapshot.anchored:
        for file, what, found, expected in _anchor(snapshot, size, previous):
            yield Finding("V09", file, what, found, expected)
        previous = snapshot.files.get(f"{layout.folder(size)}/subject", b"")
        yield from _replies_kept(snapshot, f"{layout.folder(size)}/replies")


def _replies_kept(snapshot: Snapshot, path: str) -> Iterator[Finding]:
    """Every reply that an anchor lists is still there: who could take one away could make a forecast late by choice."""
    for number, line in enumerate(snapshot.files.get(path, b"").split(b"\n")[:-1], start=1):
        name = line[66:].decode("ascii", "backslashreplace")
        kept = snapshot.files.get(name)
        if kept is None or anchors.sums({name: kept}) != line + b"\n":
            yield Finding(
                "V09", path, "a time-stamp reply that was here is gone or another one", f"{name[:200]!a}"[1:-1], line=number
            )


def policy_changes(snapshot: Snapshot) -> list[str]:
    """Lawful, and worth a look where the policy in the ledger is the one that is believed."""
    told = snapshot.evidence.history.policies if snapshot.evidence.history else ()
    if snapshot.own_policy or not told:
        return []
    return [f"{POLICY} or a root was changed in {len(told)} commits, the last is {told[0]}; bring a policy of your own"]


def cosigned(snapshot: Snapshot) -> datetime | None:
    """When a witness of the policy last cosigned the newest checkpoint."""
    seen = newest_judged(snapshot).seen.values()
    return datetime.fromtimestamp(min(max(seen), LATEST), UTC) if seen else None


def age(snapshot: Snapshot) -> list[str]:
    """How old the newest cosignature is, in words."""
    at, now = cosigned(snapshot), snapshot.evidence.now
    return [] if at is None or now is None else [f"newest cosignature: {(now - at).days} days ago ({at:%Y-%m-%d %H:%M:%S} UTC)"]


def _stale(snapshot: Snapshot) -> Iterator[Finding]:
    at, now, days = cosigned(snapshot), snapshot.evidence.now, snapshot.policy.fresh
    if days and now is not None and at is not None and now - at > timedelta(days=days):
        what = "the newest cosignature is too old: the log may have grown since, and this be an earlier state of it"
        yield Finding("V08", CHECKPOINT, what, f"{(now - at).days} days", f"at most {days}", incomplete=True)
    if days and now is not None and at is not None and at - now > timedelta(days=1):
        yield Finding("V08", CHECKPOINT, "a cosignature of a time to come", f"{at:%Y-%m-%d}", f"at most {now:%Y-%m-%d}")


def _authors(snapshot: Snapshot) -> Iterator[Finding]:
    """Signatures of batches by authors whose keys the policy has; what waits for one is listed by V14."""
    for name, reason in snapshot.unsigned.items():
        if name in snapshot.listed:
            yield Finding("V08", layout.batch_path(name), reason)
    for path in snapshot.files:
        if (match := layout._SIGNATURE.fullmatch(path)) and match[1] not in snapshot.digests and match[1] not in snapshot.redacted:
            yield Finding("V08", path, "signs a batch that is not here")


def v10_stamps(snapshot: Snapshot) -> Iterator[Finding]:
    """V10: every reply is over its file, by the pinned root; as many authorities as the policy wants cover every batch."""
    found = snapshot.stamped
    yield from (Finding("V10", path, what) for path, what in found.bad)
    yield from (Finding("V10", path, "is about no batch that is here") for path in found.foreign)
    yield from (Finding("V10", path, what, incomplete=True) for path, what in found.unread)
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
            notes.append(f"{layout.folder(size)}: authorities disagree by {max(at) - min(at)}; the later time counts")
    return notes


def calendar_status(snapshot: Snapshot) -> tuple[list[Finding], list[str]]:
    """Proofs of other kinds than RFC 3161: what is wrong or missing, and what each says (pending, attested, checked)."""
    told = [_status_of(kind, snapshot) for kind in KINDS]
    return [one for wrong, _ in told for one in wrong], [note for _, notes in told for note in notes]


def _status_of(kind: StampKind, snapshot: Snapshot) -> tuple[list[Finding], list[str]]:
    wrong, notes, against = [], [], 0
    trusted = snapshot.evidence.trusted.get(kind.NAME, {})
    words = kind.TRUSTED.replace("-", " ")
    for size in snapshot.anchored:
        path = f"{layout.folder(size)}/{kind.FILE}"
        if path not in snapshot.files:
            continue
        try:
            proof = kind.read(snapshot.files[path], snapshot.files.get(f"{layout.folder(size)}/subject", b""))
            if proof is None:
                notes.append(f"{path}: not read, install foresaid[{kind.NAME}]")
                continue
            checked = kind.proved(proof, trusted)
        except LedgerError as error:
            wrong.append(Finding("V11", path, str(error)))
            continue
        against += len(checked)
        says = f"checked against {words}: {min(checked):%Y-%m-%d}" if checked else f"{proof.status}, proves no time here"
        notes.append(f"{path}: {says}")
    if trusted and not against and not wrong:
        what = f"{words} were given, but no proof here names one of them"
        wrong.append(Finding("V11", layout.FOLDER, what, incomplete=True))
    return wrong, notes


def v11_calendar(snapshot: Snapshot) -> Iterator[Finding]:
    """V11: an OpenTimestamps proof, or one of another kind, is over its subject; a block header has its work and this root."""
    yield from calendar_status(snapshot)[0]


def v12_growth(snapshot: Snapshot) -> Iterator[Finding]:
    """V12: every checkpoint the reader remembers, and every anchored one, is a beginning of the log."""
    leaves = [merkle.leaf_hash(line) for line in snapshot.files.get(MANIFEST, b"").splitlines(keepends=True)]
    places = [(f"{layout.folder(size)}/checkpoint", None) for size in snapshot.anchored]
    history = snapshot.evidence.history
    heads = [(path, snapshot.files.get(path, b"")) for path, _ in places]
    heads += [(f"checkpoint in commit {commit}", data) for commit, data in (history.heads if history else ())]
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
    redacted = {layout.batch_path(name) for name in snapshot.redacted}
    for commit, status, path in history.changed:
        grows = path.startswith(layout.FOLDER) and path.rpartition("/")[2] in (*layout.STAMPS, "checkpoint")
        if not (status == "M" and grows) and not (status == "D" and path in redacted):
            where = "here, and not committed" if commit == HERE else f"in commit {commit}"
            yield Finding("V13", path, f"{words.get(status, status)} {where}")


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
        if name not in covered and name not in snapshot.rejected and now - moment(batch.header.frozen_at) > MERGE_DELAY:
            what = "is not in the log after seven days; run `foresaid ledger checkpoint` on the main branch"
            yield Finding("V20", layout.batch_path(name), what, f"frozen {batch.header.frozen_at}", line=1)
