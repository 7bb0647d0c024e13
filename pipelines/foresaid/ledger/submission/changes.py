"""What a pull request brings: its files that are forecasts, and those that a change of forecasts may not touch.

Nothing of the pull request is run. Its files are read as bytes, and no link is followed out of it.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from foresaid.errors import UnreadableError
from foresaid.ledger.submission.form import SUFFIXES
from foresaid.ledger.submission.objections import Objection

BATCH = re.compile(r"([0-9a-f]{64})\.jsonl")
BESIDE = re.compile(r"[0-9a-f]{64}\.jsonl\.gz|[0-9a-f]{64}\.note|[a-z0-9-]+\.tsr")  # rows, an author's signature, a stamp
ALLOWED = re.compile(
    r"registry/ledger/batches/[0-9a-f]{2}/[0-9a-f]{64}\.jsonl|registry/ledger/signatures/[0-9a-f]{64}\.note"
    r"|registry/ledger/receipts/[0-9a-f]{64}/[a-z0-9-]+\.tsr|registry/snapshots/[0-9a-f]{64}\.jsonl\.gz"
)
SUMS = "registry/ledger/log/ANCHORS.sha256"  # of signatures and stamps, so it changes with them


@dataclass(frozen=True)
class Brought:
    """The files to be judged, by what they are, and what is wrong with the change itself."""

    forms: Sequence[Path]
    batches: Sequence[Path]
    beside: Sequence[Path]
    objections: Sequence[Objection] = ()


def of_paths(paths: Sequence[Path]) -> Brought:
    """The forecasts in files and folders that somebody names; pages (.md) and hidden files of a folder are passed over."""
    wrong: list[Objection] = []
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            below = sorted(one for one in path.rglob("*") if one.is_file() and not one.is_symlink())
            shown = [one for one in below if not any(part.startswith(".") for part in one.relative_to(path).parts)]
            files += [one for one in shown if one.suffix != ".md"]
            if not shown:
                wrong.append(Objection("file_missing", str(path), "an empty folder", "a folder with forecasts"))
        elif path.exists():
            files.append(path)
        else:
            wrong.append(Objection("file_missing", str(path), "no such file or folder", "a submission; correct the path"))
    forms = [path for path in files if path.suffix.lower() in SUFFIXES]
    batches = [path for path in files if BATCH.fullmatch(path.name)]
    beside = [path for path in files if BESIDE.fullmatch(path.name)]
    for path in sorted(set(files) - {*forms, *batches, *beside}):
        expected = f"a file that ends in {', '.join(SUFFIXES)}, or a batch as `foresaid forecast` writes it, under its own name"
        wrong.append(Objection("file_unreadable", str(path), "another kind of file", expected))
    return Brought(forms, batches, beside, wrong)


def of_clone(clone: Path, base: str) -> Brought:
    """The forecasts that the checked-out commit of a clone adds to a commit; everything else it touches is an objection.

    A change that touches nothing of the ledger brings nothing, and that is no fault of it. Raises UnreadableError without git.
    """
    wrong: list[Objection] = []
    files: list[Path] = []
    found = changed(clone, base)
    if not any(name.startswith(("registry/ledger/", "registry/snapshots/", "registry/known/")) for _, name in found):
        return Brought((), (), ())
    for status, name in found:
        path = clone / name
        linked = any(one.is_symlink() for one in (path, *path.parents) if one.is_relative_to(clone) and one != clone)
        if (status == "A" and ALLOWED.fullmatch(name) and not linked) or (name == SUMS and status in "AM" and not linked):
            files.append(path)
        else:
            verb = {"A": "added", "M": "changed", "D": "deleted"}.get(status, "changed")
            expected = "new batches, their signatures, stamps and rows, and nothing else; send other changes by themselves"
            wrong.append(Objection("path_not_allowed", name, f"it {verb}", expected))
    batches = [path for path in files if BATCH.fullmatch(path.name)]
    return Brought((), batches, [path for path in files if path not in batches], wrong)


def changed(clone: Path, base: str) -> list[tuple[str, str]]:
    """Status (A, M, D, T) and path of every file that differs between the checked-out commit and where it left `base`."""
    if not re.fullmatch(r"[0-9A-Za-z][0-9A-Za-z._/-]*", base):
        raise UnreadableError(f"check, --base: found {base[:60]!r}, expected a commit or a branch")
    command = ["git", "-C", str(clone), "diff", "--name-status", "--no-renames", "-z", f"{base}...HEAD", "--"]
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except OSError as error:
        raise UnreadableError(f"git: {error.strerror}, expected git, to see what a change brings") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise UnreadableError(f"{clone}: git says {said[0][:120] if said else 'nothing'!r}, expected a clone that has {base}")
    parts = done.stdout.decode("utf-8", "backslashreplace").split("\0")[:-1]
    return sorted(zip(parts[::2], parts[1::2], strict=True), key=lambda one: one[1])
