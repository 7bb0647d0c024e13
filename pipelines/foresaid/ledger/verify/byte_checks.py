"""Checks V01 to V07: the bytes of the ledger are those that were frozen, and stand in the order that was signed."""

from __future__ import annotations

from collections.abc import Iterator

from foresaid.ledger import layout
from foresaid.ledger.layout import CHECKPOINT, MANIFEST
from foresaid.ledger.log import anchors, merkle
from foresaid.ledger.verify.snapshot import Finding, Snapshot


def v01_files(snapshot: Snapshot) -> Iterator[Finding]:
    """V01: the two files of the log are there; nothing is foreign, linked, special or executable."""
    yield from snapshot.odd


def v02_names(snapshot: Snapshot) -> Iterator[Finding]:
    """V02: the name of a batch is the SHA-256 of its bytes; anchors, roots and policy have the sums that were written down."""
    for name, found in snapshot.digests.items():
        if found != name:
            yield Finding("V02", layout.batch_path(name), "the bytes are not those that were frozen", found, name)
    files = snapshot.summed()
    if not files and layout.SUMS not in snapshot.files:
        return
    expected = dict.fromkeys(anchors.sums(files).split(b"\n")[:-1])
    data = snapshot.files.get(layout.SUMS, b"")
    written = data.split(b"\n")
    if written.pop() != b"":
        yield Finding("V02", layout.SUMS, "no newline at the end; the file was cut", line=len(written) + 1)
    if len(set(written)) != len(written) or written != sorted(written, key=lambda line: line[64:]):
        yield Finding("V02", layout.SUMS, "lines are not sorted by name, each once")
    for line in expected:
        if line not in written:
            path = line[66:].decode("ascii")
            yield Finding("V02", path, f"is not the file that {layout.SUMS} lists", line[:64].decode("ascii"))
    for number, line in enumerate(written, start=1):
        if line not in expected:
            yield Finding("V02", layout.SUMS, "lists a file that is not there", f"{line[:200]!a}"[2:-1], line=number)


def v03_lines(snapshot: Snapshot) -> Iterator[Finding]:
    """V03: every line of a batch is canonical and follows the schema of its type."""
    for name, problems in snapshot.bad_batches.items():
        for number, reason in problems:
            yield Finding("V03", layout.batch_path(name), reason, line=number)


def v04_manifest(snapshot: Snapshot) -> Iterator[Finding]:
    """V04: every line of the manifest has the form of `sha256sum` and stands there once."""
    for number, reason in snapshot.bad_lines:
        yield Finding("V04", MANIFEST, reason, line=number)


def v05_listed(snapshot: Snapshot) -> Iterator[Finding]:
    """V05: every batch of the manifest is a file, or was redacted (a file outside the manifest is pending, and counted)."""
    for name in dict.fromkeys(snapshot.listed):
        if name in snapshot.digests:
            continue
        if name in snapshot.redacted:
            what = "the bytes were redacted; its forecasts count as worst"
            yield Finding("V05", layout.batch_path(name), what, _ascii(snapshot.redacted[name].reason), incomplete=True)
        else:
            yield Finding("V05", layout.batch_path(name), "stands in the manifest, but there is no such file")


def v06_parents(snapshot: Snapshot) -> Iterator[Finding]:
    """V06: the parents of a batch exist, and in the log they precede it."""
    places = {name: index for index, name in enumerate(snapshot.listed)}
    for name, batch in snapshot.batches.items():
        for parent in batch.header.parents:
            if parent not in snapshot.batches and not (parent in snapshot.redacted and parent in places):
                yield Finding("V06", layout.batch_path(name), "a parent is missing", expected=parent, line=1)
            elif name in places and places.get(parent, len(places)) >= places[name]:
                yield Finding("V06", layout.batch_path(name), "a parent does not precede it in the log", parent, line=1)


def v07_root(snapshot: Snapshot) -> Iterator[Finding]:
    """V07: the checkpoint has the size and the root of the manifest, and the origin of every batch."""
    checkpoint = snapshot.checkpoint
    if checkpoint is None:
        if CHECKPOINT in snapshot.files:
            yield Finding("V07", CHECKPOINT, snapshot.bad_checkpoint)
        return
    if snapshot.origin is not None and checkpoint.origin != snapshot.origin:
        yield Finding("V07", CHECKPOINT, "another log", checkpoint.origin, snapshot.origin, line=1)
    for name, batch in snapshot.batches.items():
        if batch.header.origin != checkpoint.origin:
            where = f"{CHECKPOINT} against {layout.batch_path(name)}"
            yield Finding("V07", where, "a batch of another log", batch.header.origin, checkpoint.origin)
    leaves = snapshot.files.get(MANIFEST, b"").splitlines(keepends=True)
    if checkpoint.size > len(leaves):
        found = f"{len(leaves)} lines in {MANIFEST}"
        yield Finding("V07", CHECKPOINT, "the manifest is shorter than the log", found, f"{checkpoint.size}", line=2)
        return
    root = merkle.root([merkle.leaf_hash(leaf) for leaf in leaves[: checkpoint.size]])
    if root != checkpoint.root:
        what = "the first lines of the manifest do not have this root"
        yield Finding("V07", CHECKPOINT, what, root.hex(), checkpoint.root.hex(), line=3)


def _ascii(text: str) -> str:
    return text.encode("ascii", "backslashreplace").decode("ascii")
