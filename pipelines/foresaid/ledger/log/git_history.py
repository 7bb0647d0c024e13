"""What git remembers of the ledger: files that were changed or removed, and manifests that were not only appended to.

Git's dates and signatures are never used. Its history is: `-m --full-history --no-renames` also shows what was changed inside a
merge commit, which a plain log hides. History can be rewritten, so a clean one proves little; a dirty one proves much.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from foresaid.errors import UnreadableError
from foresaid.ledger.layout import MANIFEST

FOLDERS = ("batches", "receipts", "log/anchors")


@dataclass(frozen=True)
class History:
    """Files below the ledger that a commit modified, deleted or turned into something else, and manifests cut or rewritten."""

    changed: tuple[tuple[str, str, str], ...]  # commit, M D or T, path
    rewritten: tuple[tuple[str, str], ...]  # commit, its parent
    shallow: bool


def _git(ledger: Path, *words: str, data: bytes = b"") -> bytes | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(ledger), "-c", "core.quotePath=false", *words], input=data, capture_output=True, check=False
        )
    except OSError:
        return None
    return done.stdout if done.returncode == 0 else None


def read(ledger: Path) -> History | None:
    """The history of the current commit; None outside a clone (or without git)."""
    prefix = _git(ledger, "rev-parse", "--show-prefix")
    if prefix is None or _git(ledger, "rev-parse", "--verify", "HEAD") is None:
        return None
    log = ("log", "-m", "--full-history", "--no-renames", "--relative")
    listing = _git(ledger, *log, "--diff-filter=MDT", "--format=%x00%H", "--name-status", "-z", "--", *FOLDERS)
    touched = _git(ledger, *log, "--format=%H %P", "--no-patch", "--", MANIFEST)
    if listing is None or touched is None:
        raise UnreadableError(f"{ledger}: git cannot read its history; run `git fsck`")
    shallow = _git(ledger, "rev-parse", "--is-shallow-repository") == b"true\n"
    pairs = []
    for line in dict.fromkeys(touched.decode("ascii", "replace").splitlines()):
        commit, *parents = line.split()
        pairs += [(commit, parent) for parent in parents]
    path = prefix.decode("utf-8", "replace").strip() + MANIFEST
    blobs = _blobs(ledger, sorted({name for pair in pairs for name in pair}), path)
    rewritten = tuple(pair for pair in pairs if not blobs[pair[0]].startswith(blobs[pair[1]]))
    return History(tuple(dict.fromkeys(_changes(listing))), rewritten, shallow)


def _changes(listing: bytes) -> list[tuple[str, str, str]]:
    found, commit, status = [], "", ""
    for word in listing.split(b"\0"):
        text = word.decode("ascii", "backslashreplace").strip("\n")
        if len(text) >= 40 and all(sign in "0123456789abcdef" for sign in text):
            commit = text
        elif text in ("M", "D", "T"):
            status = text
        elif text:
            found.append((commit, status, text))
    return found


def _blobs(ledger: Path, commits: list[str], path: str) -> dict[str, bytes]:
    """The file as each commit has it; nothing where it has none."""
    answer = _git(ledger, "cat-file", "--batch", data="".join(f"{name}:{path}\n" for name in commits).encode()) or b""
    blobs, place = {}, 0
    for name in commits:
        end = answer.index(b"\n", place)
        head = answer[place:end].split()
        if head[-1] == b"missing":
            blobs[name], place = b"", end + 1
        else:
            size = int(head[-1])
            blobs[name], place = answer[end + 1 : end + 1 + size], end + 2 + size
    return blobs
