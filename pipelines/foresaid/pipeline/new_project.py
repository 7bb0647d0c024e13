"""A new registry: a folder with settings, an empty record and ledger, a law and a reader of its own, checks and workflows.

What it holds stands in `starter/` as it will stand there; only days and names are filled in. Names that begin with a point stand
there without it, and what no program may take for its own has `.tmpl` behind it. Everything is written into a folder beside the
one asked for, and takes its place when it is whole.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import date
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from tempfile import TemporaryDirectory

from foresaid import __version__
from foresaid.errors import ParameterError, UnreadableError
from foresaid.files import write_bytes
from foresaid.ledger import store
from foresaid.ledger.entries.fields import ID
from foresaid.registry import formats

STARTER = Path(__file__).parent / "starter"
RUN = "run"  # the extra of foresaid with what the stages need
HIDDEN = ("dvc", "dvcignore", "gitattributes", "github", "gitignore")  # what begins with a point in a registry
EMPTY = {
    "aliases.csv": formats.ALIASES.header,
    "licences.csv": formats.LICENCES.header,
    "merges.csv": formats.MERGES.header,
    "models.csv": formats.MODELS.header,
    "events.csv": ["condition", "about", "on", "source"],
    "same_items.csv": ["items", "quantity_id"],
    "sources/scoreboard/observations.csv": formats.OBSERVATIONS.header,
    "sources/scoreboard/subjects.csv": formats.SUBJECTS.header,
}
NO_GIT = "    no_scm = true # take this line out once the folder is a git repository\n"


def create(folder: Path, origin: str, author: str, today: date, under_git: bool = True) -> list[str]:
    """Make a registry in a folder that is new or empty; return its files, sorted.

    `origin` is the name of its log and `author` that of its keeper: lower-case letters, digits and . _ / -. Where git is
    there and the folder is in no repository, it becomes one, with nothing committed.
    Raises ParameterError for other names, UnreadableError for a folder that holds something; nothing is written then.
    """
    for option, name in (("--author", author), ("--origin", origin)):
        if not re.fullmatch(ID, name):
            raise ParameterError(f"init, {option}: found {name[:80]!r}, expected lower-case letters, digits and . _ / -")
    refuse_unless_empty(folder)
    above = folder.resolve().parent
    above.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{folder.resolve().name}-", dir=above) as scratch:
        made = Path(scratch) / "registry"
        for name, content in sorted(contents(origin, author, today).items()):
            write_bytes(made / name, content, durable=False)
        (made / "registry/ledger/verify.sh").chmod(0o755)
        store.create(made / "registry" / "ledger", origin)
        if not _under_git(made, above, under_git):
            with (made / ".dvc/config").open("a", encoding="utf-8") as file:
                file.write(NO_GIT)
        files = sorted(path.relative_to(made).as_posix() for path in _walk(made))
        if folder.is_dir():  # it stays the same folder: somebody may stand in it
            for path in sorted(made.iterdir()):
                os.replace(path, folder / path.name)
        else:
            os.replace(made, folder.resolve())
    return files


def refuse_unless_empty(folder: Path) -> None:
    """Raise UnreadableError where something stands in the way of a new registry."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise UnreadableError(f"{folder}: found a file or a link, expected no folder of that name, or an empty one")
    if folder.is_dir() and (there := sorted(path.name for path in folder.iterdir())):
        more = f" and {len(there) - 1} more" if len(there) > 1 else ""
        raise UnreadableError(f"{folder}: found {there[0]}{more}, expected a new or empty folder; name another one")


def contents(origin: str, author: str, today: date) -> dict[str, bytes]:
    """Every file of a new registry but its ledger's log, by its place."""
    filled = {"@ORIGIN@": origin, "@AUTHOR@": author, "@TODAY@": today.isoformat()}
    made = {f"registry/{name}": (",".join(header) + "\n").encode() for name, header in EMPTY.items()}
    for path in _walk(STARTER):
        parts = path.relative_to(STARTER).as_posix().removesuffix(".tmpl").split("/")
        name = "/".join(f".{part}" if part in HIDDEN else part for part in parts)
        text = path.read_text(encoding="utf-8")
        for placeholder, value in filled.items():
            text = text.replace(placeholder, value)
        made[name] = text.encode()
    made["requirements.lock"] = "".join(f"{line}\n" for line in locked()).encode()
    return made


def locked() -> list[str]:
    """The versions of foresaid and of every library its stages run on here, one `name==version` a line, sorted.

    Of the libraries those that are installed; foresaid alone where it runs from its source tree and no metadata say what it needs.
    """
    found: dict[str, str] = {}
    waiting = ["foresaid"]
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in found:
            continue
        try:
            about = distribution(name)
        except PackageNotFoundError:
            continue  # of another platform, or not installed
        found[name] = about.version
        for need in about.requires or ():
            word, _, marker = need.partition(";")
            wanted = "extra" not in marker or (name == "foresaid" and re.search(rf"extra == ['\"]{RUN}['\"]", marker))
            if wanted and (named := re.match(r"[A-Za-z0-9._-]+", word.strip())):
                waiting.append(named[0])
    found["foresaid"] = __version__
    return [f"{name}{f'[{RUN}]' if name == 'foresaid' else ''}=={version}" for name, version in sorted(found.items())]


def _walk(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if path.is_file() and "__pycache__" not in parts and parts[0] != ".git":
            yield path


def _under_git(made: Path, above: Path, wanted: bool) -> bool:
    """Whether the new folder will be in a git repository: in one that is there, or in its own, which is made here."""
    if not wanted or shutil.which("git") is None:
        return False
    inside = subprocess.run(["git", "-C", str(above), "rev-parse", "--is-inside-work-tree"], capture_output=True, check=False)
    if inside.returncode == 0:
        return True
    made_one = subprocess.run(["git", "init", "-q", "-b", "main", str(made)], capture_output=True, check=False)
    return made_one.returncode == 0
