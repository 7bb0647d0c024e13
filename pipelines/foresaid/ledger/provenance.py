"""Which state of the program made a batch, as its header names it: commit, settings, code and libraries, each by its digest.

A commit alone binds little: a stage runs inside `dvc repro`, which has by then rewritten its lock and its metrics, so the
clone always looks changed, and the commit is the one before the round. The digests are of what the numbers depend on, as it
was when the batch was made.
"""

from __future__ import annotations

import subprocess
from hashlib import sha256
from pathlib import Path

from msgspec import UNSET, UnsetType

from foresaid import __version__
from foresaid.ledger.entries import schema as entries
from foresaid.project import OWN_CODE

PACKAGE, SETTINGS, LIBRARIES = "pipelines/foresaid", "params.yaml", "requirements.lock"
ADOPTED = "registry/adopted"
SOURCES = ("*.py", "*.sql")


def program_digest(package: Path) -> str:
    """SHA-256 over what `sha256sum` prints for every source file of the package, in the order of their paths below it.

    `cd pipelines/foresaid && find * -name '*.py' -o -name '*.sql' | LC_ALL=C sort | xargs sha256sum | sha256sum` prints the same.
    """
    return _listed(package, SOURCES)


def adopted_digest(folder: Path) -> str:
    """The same over every file of the adopted forms.

    `cd registry/adopted && find * -type f | LC_ALL=C sort | xargs sha256sum | sha256sum` prints it. What others published is no
    entry of ours, but a batch says which of it stood beside the ledger when it was frozen.
    """
    return _listed(folder, ("*",))


def _listed(folder: Path, patterns: tuple[str, ...]) -> str:
    found = {path for pattern in patterns for path in folder.rglob(pattern) if path.is_file()}
    names = sorted(path.relative_to(folder).as_posix() for path in found)
    lines = [f"{sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in names]
    return sha256("".join(lines).encode()).hexdigest()


def _digest(path: Path) -> str | UnsetType:
    return sha256(path.read_bytes()).hexdigest() if path.is_file() else UNSET


def code_state(root: Path) -> entries.Code:
    """Name the program: its digests, the git commit (null outside a clone), and whether code or settings differ from that."""

    def git(*words: str) -> str | None:
        try:
            done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, check=False)
        except OSError:
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    commit = git("rev-parse", "HEAD")
    return entries.Code(
        git=commit,
        dirty=bool(git("status", "--porcelain", "--", PACKAGE, SETTINGS, LIBRARIES, *OWN_CODE)),
        version=__version__,
        params=_digest(root / SETTINGS),
        program=program_digest(Path(__file__).parents[1]),
        libraries=_digest(root / LIBRARIES),
        adopted=adopted_digest(root / ADOPTED) if (root / ADOPTED).is_dir() else UNSET,
    )
