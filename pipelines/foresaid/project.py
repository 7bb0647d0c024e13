"""Where the parts of a project lie below its folder, and which folder that is.

A project is a folder with `params.yaml`; everything else has its place relative to it, said here once. As git looks for `.git`, the
folder is looked for from where one stands upwards, so that commands work from any folder of a project.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from foresaid.errors import UnreadableError

PARAMS = "params.yaml"
CHARTS = "cache/charts"  # below build/: see report/charts.py
KNOWN = "known"  # below registry/: the models known when targets were set, by digest
CACHE = "cache/fits"  # below build/: see fitting/cache.py


@dataclass(frozen=True)
class Layout:
    """The paths of one project. `root` is its folder; no path depends on the working directory unless `root` does.

    >>> Layout(Path("acme")).ledger.as_posix()
    'acme/registry/ledger'
    """

    root: Path = Path()

    @property
    def params(self) -> Path:
        """The settings of the project."""
        return self.root / PARAMS

    @property
    def registry(self) -> Path:
        """The record and what else is kept under git."""
        return self.root / "registry"

    @property
    def ledger(self) -> Path:
        """The pre-registration ledger."""
        return self.registry / "ledger"

    @property
    def build(self) -> Path:
        """What the stages make and do not keep under git."""
        return self.root / "build"

    @property
    def snapshots(self) -> Path:
        """Training rows of frozen curves by digest, published with the record."""
        return self.registry / "snapshots"

    @property
    def metrics(self) -> Path:
        """Figures a person reviews, under git."""
        return self.root / "reports" / "metrics"

    @property
    def templates(self) -> Path:
        """The project's own templates, in place of the package's of the same name; may be absent."""
        return self.root / "reports" / "templates"

    @property
    def site(self) -> Path:
        """The rendered pages."""
        return self.root / "reports" / "site"

    @property
    def lock(self) -> Path:
        """The versions of the libraries."""
        return self.root / "requirements.lock"


def find(start: Path) -> Layout | None:
    """Return the project that holds a folder: the nearest one upwards with params.yaml, or None.

    The root is relative where `start` is, so that messages name paths as the reader would type them.

    >>> find(Path("/nowhere/at/all")) is None
    True
    """
    here = Path(os.path.abspath(start))
    for folder in (here, *here.parents):
        if (folder / PARAMS).is_file():
            return Layout(folder if start.is_absolute() else Path(os.path.relpath(folder)))
    return None


def at(root: Path) -> Layout:
    """Return the project in exactly this folder; raises UnreadableError where it is no folder or has no params.yaml."""
    if not root.is_dir():
        raise UnreadableError(f"{root}: found no such folder, expected one that holds {PARAMS}; correct --root or the path")
    if not (root / PARAMS).is_file():
        raise UnreadableError(f"{root}: found no {PARAMS}, expected the folder of a project; correct --root or the path")
    return Layout(root)
