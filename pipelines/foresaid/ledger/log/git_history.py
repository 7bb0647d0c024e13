"""What git remembers of the ledger: files that were changed or removed, and manifests that were not only appended to.

Git's dates and signatures are never used. Its history is: `-m --full-history --no-renames` also shows what was changed inside
a merge commit, which a plain log hides. Replacement objects of a clone (`git replace`) are not followed, and what was changed
since the newest commit counts as well: history is read as it was written, up to the files as they lie here. History can be
rewritten, so a clean one proves little; a dirty one proves much.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from foresaid.errors import UnreadableError
from foresaid.ledger.layout import CHECKPOINT, MANIFEST, POLICY

PLAIN = ("--no-replace-objects", "-c", "core.quotePath=false")
KEPT = 4
HERE = "0" * 40  # stands for what no commit has yet: the files as they lie here
MAIN = ("/main", "/master", "/HEAD")
FOLDERS = ("batches", "receipts", "signatures", "log/anchors")


@dataclass(frozen=True)
class History:
    """Files below the ledger that a commit modified, deleted or turned into something else, and manifests cut or rewritten."""

    changed: tuple[tuple[str, str, str], ...]  # commit, M D or T, path
    rewritten: tuple[tuple[str, str], ...]  # commit, its parent
    shallow: bool
    heads: tuple[tuple[str, bytes], ...] = ()  # commit that a tag, a remote's branch or the reflog still knows, its checkpoint
    policies: tuple[str, ...] = ()  # commits that changed or removed policy.txt or a root


def _git(ledger: Path, *words: str, data: bytes = b"") -> bytes | None:
    try:
        done = subprocess.run(
            ["git", "--no-replace-objects", "-C", str(ledger), "-c", "core.quotePath=false", *words],
            input=data,
            capture_output=True,
            check=False,
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
    uncommitted = _git(
        ledger, "diff", "--no-renames", "--relative", "--diff-filter=MDT", "--name-status", "-z", "HEAD", "--", *FOLDERS
    )
    policies = _git(ledger, *log, "--diff-filter=MDT", "--format=%H", "--no-patch", "--", POLICY, "tsa") or b""
    for line in dict.fromkeys(touched.decode("ascii", "replace").splitlines()):
        commit, *parents = line.split()
        pairs += [(commit, parent) for parent in parents]
    below = prefix.decode("utf-8", "replace").strip()
    changed = [*_changes(listing), *_changes(b"\0" + HERE.encode() + b"\0" + (uncommitted or b""))]
    told = tuple(dict.fromkeys(policies.decode("ascii", "replace").split()))
    return History(tuple(dict.fromkeys(changed)), _rewritten(ledger, pairs, below + MANIFEST), shallow, _heads(ledger, below), told)


def _rewritten(ledger: Path, pairs: list[tuple[str, str]], path: str) -> tuple[tuple[str, str], ...]:
    """The commits whose manifest does not begin with that of their parent: read one pair at a time, for there may be thousands."""
    found = []
    with _Blobs(ledger) as blobs:
        for commit, parent in pairs:
            newer, older = blobs.read(f"{commit}:{path}"), blobs.read(f"{parent}:{path}")
            if not newer.startswith(older):
                found.append((commit, parent))
    return tuple(found)


def _heads(ledger: Path, below: str) -> tuple[tuple[str, bytes], ...]:
    """Checkpoints that tags, remote main branches and the reflog remember, each once: HEAD alone may have been moved back."""
    refs = _git(ledger, "for-each-ref", "--format=%(refname)", "refs/tags", "refs/remotes") or b""
    names = [name for name in refs.decode("utf-8", "replace").split() if name.startswith("refs/tags/") or name.endswith(MAIN)]
    seen = _git(ledger, "rev-parse", "--verify", "--quiet", *[f"{name}^{{commit}}" for name in names]) if names else b""
    reflog = _git(ledger, "rev-list", "-g", "HEAD") or b""  # a clone has none of its own past
    commits = dict.fromkeys([*(seen or b"").decode("ascii", "replace").split(), *reflog.decode("ascii", "replace").split()])
    heads: dict[bytes, str] = {}
    with _Blobs(ledger) as blobs:
        for commit in commits:
            if data := blobs.read(f"{commit}:{below}{CHECKPOINT}"):
                heads.setdefault(data, commit)
    return tuple((commit, data) for data, commit in heads.items())


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


class _Blobs:
    """Files as commits have them, asked for one after the other; the last few are kept, since a parent is often asked for next."""

    def __init__(self, ledger: Path) -> None:
        self._command = ["git", *PLAIN, "-C", str(ledger), "cat-file", "--batch"]
        self._ledger = ledger
        self._kept: dict[str, bytes] = {}  # by the name of the blob

    def __enter__(self) -> _Blobs:
        try:
            self._git = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            check = [*self._command[:-1], "--batch-check"]
            self._names = subprocess.Popen(check, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        except OSError as error:
            raise UnreadableError(f"{self._ledger}: git cannot be run: {error.strerror}") from None
        return self

    def __exit__(self, *_: object) -> None:
        for process in (self._git, self._names):
            process.communicate()

    def read(self, name: str) -> bytes:
        """The bytes behind `commit:path`; nothing where the commit has no such file."""
        head = self._ask(self._names, name)
        if head[-1] in (b"missing", b"ambiguous") or head[1:2] != [b"blob"]:
            return b""
        key = head[0].decode("ascii", "replace")
        if key not in self._kept:
            size = int(self._ask(self._git, key)[-1])
            assert self._git.stdout is not None
            data = self._git.stdout.read(size + 1)[:-1]
            while len(self._kept) >= KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = data
        return self._kept[key]

    def _ask(self, process: subprocess.Popen[bytes], name: str) -> list[bytes]:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(f"{name}\n".encode())
            process.stdin.flush()
            answer = process.stdout.readline()
        except OSError as error:
            raise UnreadableError(f"{self._ledger}: git cannot read its history: {error.strerror}; run `git fsck`") from None
        if not answer:
            raise UnreadableError(f"{self._ledger}: git cannot read its history; run `git fsck`")
        return answer.split()
