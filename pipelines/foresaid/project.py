"""Where the parts of a project lie below its folder, and which folder that is.

A project is a folder with `params.yaml`; everything else has its place relative to it, said here once. As git looks for `.git`, the
folder is looked for from where one stands upwards, so that commands work from any folder of a project.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from foresaid.errors import ParameterError, UnreadableError

PARAMS = "params.yaml"
CHARTS = "cache/charts"  # below build/: see report/drawing.py
PAGES = "cache/pages"  # below build/: see report/kept.py
KNOWN = "known"  # below registry/: the models known when targets were set, by digest
CACHE = "cache/fits"  # below build/: see fitting/cache.py
# Folders beside params.yaml for a project's own laws and readers, and where processes find them: an environment variable, since
# a worker that is sent a law imports its file itself.
OWN_CODE = {"laws": "FORESAID_LAWS", "sources": "FORESAID_SOURCES"}


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


def use_own_code(layout: Layout) -> None:
    """Let laws and readers of this project be found by name, here and in processes started from here; no other project's."""
    for kind, variable in OWN_CODE.items():
        folder = layout.root / kind
        if folder.is_dir():
            os.environ[variable] = str(folder.resolve())
        else:
            os.environ.pop(variable, None)


def own_code(kind: str) -> list[str]:
    """The folder in which the project keeps its own `laws` or `sources`; none where it has none."""
    folder = os.environ.get(OWN_CODE[kind], "")
    return [folder] if folder else []


def module_files(package: ModuleType) -> dict[str, Path]:
    """The modules of `foresaid.laws` or `foresaid.sources` and of the project's folder of that name, by name; not those with `_`.

    Raises ParameterError for a file of the project that has the name of one of the program.
    """
    own = Path(str(package.__file__)).parent
    found: dict[str, Path] = {}
    for folder in (own, *map(Path, own_code(package.__name__.rpartition(".")[2]))):
        for module in pkgutil.iter_modules([str(folder)]):
            path = folder / f"{module.name}.py"
            if module.name in found and not module.name.startswith("_"):
                raise ParameterError(f"{path}: found the name of {found[module.name].name} of foresaid, expected another one")
            found.setdefault(module.name, path)
    return {name: path for name, path in sorted(found.items()) if not name.startswith("_")}


def load_module(package: ModuleType, name: str) -> ModuleType:
    """Import a module of these; one of another project that was imported before under the same name is let go.

    Raises ParameterError for a file of the project that cannot be imported, with its line.
    """
    kind = package.__name__.rpartition(".")[2]
    package.__path__[1:] = own_code(kind)
    path, full = module_files(package)[name], f"{package.__name__}.{name}"
    known = sys.modules.get(full)
    if known is not None and Path(str(known.__file__)) != path:
        del sys.modules[full]
    if path.parent == Path(package.__path__[0]):
        return importlib.import_module(full)
    importlib.invalidate_caches()
    try:
        return importlib.import_module(full)
    except Exception as error:  # the user's file: whatever it raises is told as its fault
        line = f", line {error.lineno}" if isinstance(error, SyntaxError) else ""
        said = f"{type(error).__name__}: {error}".splitlines()[0]
        raise ParameterError(f"{path}{line}: cannot be imported ({said}), expected a module; correct the file") from None
