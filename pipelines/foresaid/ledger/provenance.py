"""Which state of the code made a batch, as its header names it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from foresaid import __version__
from foresaid.ledger.entries import schema as entries


def code_state(root: Path) -> entries.Code:
    """Name the program: the git commit and whether tracked files differ from it; outside a clone the commit is null."""

    def git(*words: str) -> str | None:
        try:
            done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, check=False)
        except OSError:
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    commit = git("rev-parse", "HEAD")
    return entries.Code(git=commit, dirty=bool(git("status", "--porcelain", "--untracked-files=no")), version=__version__)
