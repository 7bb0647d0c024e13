"""Stage `inputs`: for every stage, and for every law of `fit`, one small file that says which settings and which code it runs on.

A stage depends on its own file in place of a list of modules and parameters. The lists cannot be wrong, since they are read off
the imports; a law is refitted when a module it imports changes and left alone when another law's does; and DVC, which
looks at each dependency of each stage, has few to look at: with nothing to do it answers in less than half the time.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from foresaid.errors import ParameterError, UnreadableError
from foresaid.files import write_bytes
from foresaid.fitting.dependencies import Graph, closure, graph, imports
from foresaid.params import Params

# `workers` stands nowhere: where the work runs changes no result. Of an open round `fit` sees the day alone (Params.fit_as_of), so
# that opening one on the day that was fitted refits nothing; `laws` of `fit` is the one law's entry.
SETTINGS: dict[str, tuple[str, ...]] = {
    "ingest": ("sources",),
    "database": ("sources",),
    "fit": ("seed", "replicates", "fit_as_of", "laws"),
    "hindcast": ("seed", "replicates", "laws", "hindcast", "rolling"),
    "capability": ("seed", "fit_as_of", "capability"),
    "freeze": ("origin", "author", "laws", "round"),
    "score": ("author", "seed", "laws", "sources", "hindcast"),
    "study": ("seed", "replicates", "sources", "fit_as_of", "laws"),
    "report": (
        "origin",
        "author",
        "seed",
        "replicates",
        "as_of",
        "round",
        "sources",
        "laws",
        "hindcast",
        "rolling",
        "capability",
        "repository",
    ),
}
# These import a file by the name of a law: who runs one of them runs that file of each law that params.yaml names, if there is one.
LAWS = "laws/_loader.py"
SIMULATIONS = "studies/simulations/_loader.py"
READERS = "sources/_loader.py"  # the same for the sources that are read on demand, by the names of the sources


def own_files(root: Path, kind: str) -> dict[str, Path]:
    """The project's own `laws` or `sources` by name, with those that they share (`_...`); none where it has no folder."""
    return {path.stem: path for path in sorted((root / kind).glob("*.py"))}


def code(
    package: Path, edges: Graph, stage: str, laws: Iterable[str], sources: Iterable[str] = (), root: Path | None = None
) -> set[Path]:
    """Return the code a stage runs when it runs these laws and reads these sources; every page names a digest of the whole program.

    `root` is the folder of the project, whose own laws and sources count as the program's do, with all that they share.
    Raises ParameterError for a law that has no file.
    """
    mine = {kind: own_files(root, kind) if root else {} for kind in ("laws", "sources")}
    if stage == "report":
        templates = [path for path in package.rglob("templates/*") if path.is_file()]
        return {*edges, *package.rglob("*.sql"), *templates, *mine["laws"].values(), *mine["sources"].values()}
    found = closure(edges, [package / "__init__.py", package / "pipeline" / "__init__.py", package / "pipeline" / f"{stage}.py"])
    named: list[Path] = []
    if package / LAWS in found:
        for name in laws:
            path = package / "laws" / f"{name}.py"
            if path in edges:
                named.append(path)
            elif name in mine["laws"]:
                named += _with_shared(package, mine["laws"], name)
            else:
                raise ParameterError(
                    f"params.yaml, laws: found {name}, expected the name of a file in foresaid's laws or in its own laws/"
                )
    if package / SIMULATIONS in found:
        named += [path for path in (package / Path(SIMULATIONS).with_name(f"{name}.py") for name in laws) if path in edges]
    if package / READERS in found:
        for name in (one.replace("-", "_") for one in sources):
            path = package / "sources" / f"{name}.py"
            if path in edges:
                named.append(path)
            elif name in mine["sources"]:
                named += _with_shared(package, mine["sources"], name)
    strange = {path for path in named if path not in edges}
    if stage == "database":
        found |= set(package.rglob("*.sql"))
    return closure(edges, [path for path in (*found, *named) if path in edges]) | strange | (found - set(edges))


def _with_shared(package: Path, own: Mapping[str, Path], name: str) -> list[Path]:
    """A file of the project, those that begin with `_` beside it, and what they load of the program."""
    files = [own[name], *(path for shared, path in own.items() if shared.startswith("_"))]
    return [*files, *(path for file in files for path in imports(package, file))]


def of_stage(
    package: Path, edges: Graph, stage: str, settings: Mapping[str, Any], law: str = "", root: Path | None = None
) -> dict[str, Any]:
    """Return what one stage runs on: its settings by name, and the SHA-256 of each file of its code."""
    chosen = {name: settings[name] for name in SETTINGS[stage]}
    if law:
        chosen["laws"] = {law: settings["laws"][law]}
    files = sorted(code(package, edges, stage, chosen.get("laws", ()), chosen.get("sources", ()), root))
    digests = {_name(path, package, root): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    return {"stage": f"{stage}@{law}" if law else stage, "settings": chosen, "code": digests}


def _name(path: Path, package: Path, root: Path | None) -> str:
    """How a file is called in the list: its place in the program, or `own/...` for one of the project."""
    if path.is_relative_to(package):
        return path.relative_to(package).as_posix()
    return f"own/{path.relative_to(root or path.parent).as_posix()}"


def run(params: Params, package: Path, locked: Path, build: Path, root: Path | None = None) -> int:
    """Write the file of every stage below `build/inputs` and return how many there are.

    `locked` is the file that pins every library: a stage depends on its bytes as on its own code. `root` is the project's folder.
    Raises UnreadableError where it cannot be read, ParameterError for a law without a file.
    """
    try:
        libraries = hashlib.sha256(locked.read_bytes()).hexdigest()
    except OSError as error:
        raise UnreadableError(f"{locked}: {error.strerror}, expected the pinned libraries; run `make lock`") from None
    settings, edges = {**dataclasses.asdict(params), "fit_as_of": params.fit_as_of}, graph(package)
    written = {
        f"{stage}/{law}" if law else stage: of_stage(package, edges, stage, settings, law, root)
        for stage in SETTINGS
        for law in (params.laws if stage == "fit" else [""])
    }
    for name, entry in written.items():
        text = json.dumps({**entry, "libraries": libraries}, indent=1, sort_keys=True, ensure_ascii=False, default=str)
        write_bytes(build / "inputs" / f"{name}.json", (text + "\n").encode())
    return len(written)
