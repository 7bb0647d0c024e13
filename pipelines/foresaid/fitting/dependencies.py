"""Which files of the package a file of it loads, read off the imports in its text.

A list of dependencies kept by hand goes wrong in silence; this one cannot. The fit cache and the stages both use it, so that a
change refits what it touches and nothing else.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path

Graph = Mapping[Path, set[Path]]


def _files(package: Path, name: str) -> set[Path]:
    """Return the file of a module of the package by its name below it; importing one loads the packages above it."""
    parts = name.split(".")
    found = {package.joinpath(*parts[: end + 1], "__init__.py") for end in range(len(parts))}
    return {path for path in {*found, package.joinpath(*parts).with_suffix(".py")} if path.is_file()}


@cache
def _named(content: str) -> tuple[str, ...]:
    """Return every module and name that a text imports; parsed once a process, since all laws run on the same files.

    What stands under `if TYPE_CHECKING:` never runs and does not count.
    """
    found: dict[str, None] = {}
    waiting: list[ast.AST] = [ast.parse(content)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= dict.fromkeys([node.module, *(f"{node.module}.{alias.name}" for alias in node.names)])
        elif isinstance(node, ast.Import):
            found |= dict.fromkeys(alias.name for alias in node.names)
        elif isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            waiting += node.orelse
        elif not isinstance(node, ast.expr):  # no expression holds an import
            waiting += ast.iter_child_nodes(node)
    return tuple(found)


def imports(package: Path, path: Path) -> set[Path]:
    """Return the files of the package that one of its files imports, wherever in the file it does."""
    found: set[Path] = set()
    for name in _named(path.read_text(encoding="utf-8")):
        if name.startswith(f"{package.name}."):
            found |= _files(package, name.removeprefix(f"{package.name}."))
    return found


def reached(package: Path, start: Iterable[Path]) -> set[Path]:
    """Return these files and all files of the package that importing them loads, reading no other file."""
    return _reached(start, lambda path: imports(package, path))


def graph(package: Path) -> Graph:
    """Return for every file of the package the files of it that it imports."""
    return {path: imports(package, path) for path in package.rglob("*.py")}


def closure(edges: Graph, start: Iterable[Path]) -> set[Path]:
    """Return these files and all files that importing them loads, however far down.

    >>> a, b, c = Path("a.py"), Path("b.py"), Path("c.py")
    >>> sorted(closure({a: {b}, b: {a}, c: set()}, [a])) == [a, b]
    True
    """
    return _reached(start, edges.__getitem__)


def _reached(start: Iterable[Path], imported: Callable[[Path], Iterable[Path]]) -> set[Path]:
    seen: set[Path] = set()
    waiting = list(start)
    while waiting:
        path = waiting.pop()
        if path not in seen:
            seen.add(path)
            waiting += imported(path)
    return seen
