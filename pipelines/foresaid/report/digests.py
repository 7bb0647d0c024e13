"""Digests that the footer of every page names: of the data and of the code that made it."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from importlib import resources
from pathlib import Path

from foresaid.params import Params
from foresaid.project import OWN_CODE, own_code
from foresaid.registry import database


def digest(files: Iterable[tuple[str, Path]]) -> str:
    """SHA-256 over the names and digests of some files, whatever order they come in."""
    return _joined((name, path.read_bytes()) for name, path in files)


def _joined(contents: Iterable[tuple[str, bytes]]) -> str:
    lines = sorted(f"{sha256(content).hexdigest()}  {name}\n" for name, content in contents)
    return sha256("".join(lines).encode()).hexdigest()


def vintage(folder: Path) -> str:
    """Digest of the exported database: the schema and the tables.

    `load.sql` is left out, since DuckDB writes the folder's path into it and the same data would differ by where they lie.
    """
    return digest((name, folder / name) for name in ("schema.sql", *(f"{table}.parquet" for table in database.TABLES)))


def code_digest(params: Params, own: Path) -> str:
    """Digest of what makes the pages beside the data: package with its templates, parameters, the project's `own` templates,
    laws and readers.

    The footer names this and not the git commit. A commit is known only after it is made: a page that named it would change
    with every commit, DVC would find the site out of date after each, and the committed dvc.lock could never
    be right. The digest is known before the commit, and equal for equal files wherever they stand.
    """
    package = Path(str(resources.files("foresaid")))
    files = [(f"foresaid/{path.relative_to(package).as_posix()}", path) for path in sorted(package.rglob("*.py"))]
    files += [("foresaid/registry/schema.sql", package / "registry" / "schema.sql")]
    files += [(f"foresaid/{path.relative_to(package).as_posix()}", path) for path in sorted(package.glob("report/templates/*"))]
    files += [(f"templates/{path.name}", path) for path in sorted(own.glob("*"))]
    folders = [(kind, Path(folder)) for kind in OWN_CODE for folder in own_code(kind)]
    files += [(f"{kind}/{path.name}", path) for kind, folder in folders for path in sorted(folder.glob("*.py"))]
    return _joined([*((name, path.read_bytes()) for name, path in files), ("params", repr(params).encode())])
