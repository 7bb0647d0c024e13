"""A source's card, registry/sources/NAME/source.toml: where its figures come from and under which licence.

The card lists each vintage (one state of the upstream, with the first day it was public) and the exact files read from
it with their SHA-256, so that `update` reads nothing it has not checked.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from foresaid.errors import BadCell, RecordError, UnreadableError
from foresaid.sources import _plain_files

TEXTS = ("title", "publisher", "url", "licence", "redistribution", "citation", "kind", "dates")
OPTIONAL = ("notes", "spelt_like")
IMPORTED = "imported results"  # the kind of a source that holds a user's own result files
UNSAID_LICENCE = "its licence is unclear: its rows are yours to use, and not to be published before source.toml names one"


@dataclass(frozen=True)
class File:
    """One upstream file: its path below the vintage's folder, its SHA-256 and its size."""

    path: str
    sha256: str
    bytes: int


@dataclass(frozen=True)
class Vintage:
    """One state of an upstream: the first day it was public, its commit, its folder below the mirror, its files.

    `part` marks a download that holds only a part of the upstream: what it lacks was not taken back. `downloaded_on` is the day
    somebody took it from its publisher, where that is known and is not the day it became public here.
    """

    known_on: date
    commit: str
    directory: str
    files: tuple[File, ...]
    part: bool = False
    downloaded_on: date | None = None


@dataclass(frozen=True)
class Source:
    """A source's card. `dates` says what its known_on days are; `vintages` come in the order of those days.

    `spelt_like` names another source whose spellings of models hold here too, where this one has none of its own.
    """

    name: str
    title: str
    publisher: str
    url: str
    licence: str
    redistribution: str
    citation: str
    kind: str
    dates: str
    accessed: date
    vintages: tuple[Vintage, ...]
    notes: str = ""
    spelt_like: str = ""

    @property
    def embedded(self) -> bool:
        """Whether its rows may stand in registry/: by its licence, or because they are the user's own results.

        Otherwise they are read on demand into build/.
        """
        return self.redistribution == "yes" or self.kind == IMPORTED

    @property
    def unlicensed(self) -> bool:
        """Whether its rows stand in registry/ although nobody said under which licence: imported results as they come in."""
        return self.embedded and (self.redistribution != "yes" or not self.licence.strip())


def read(path: Path, file: str, name: str) -> Source:
    """Read a card; every wrong entry is named, and nothing is defaulted."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except RecursionError:
        raise RecordError(f"{file}: found tables or lists nested too deeply, expected the plain card of source {name}") from None
    except OSError as error:
        raise UnreadableError(f"{file}: found {error.strerror or error}, expected the card of source {name}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecordError(f"{file}: found {error}, expected TOML in UTF-8") from None
    problems: list[BadCell] = []
    _keys(document, (*TEXTS, "accessed"), (*OPTIONAL, "vintage"), file, problems)
    texts = {key: _typed(document, key, str, file, problems, "") for key in TEXTS if key in document}
    vintages = []
    for place, entry in enumerate(_typed({"vintage": [], **document}, "vintage", list, file, problems, [])):
        where = f"{file} [[vintage]] {place + 1}"
        if not isinstance(entry, Mapping):
            problems.append(BadCell(file, None, "vintage", repr(entry), "a table"))
            continue
        _keys(entry, ("known_on", "commit", "directory", "files"), ("part", "downloaded_on"), where, problems)
        known_on = _typed(entry, "known_on", date, where, problems, date.min)
        downloaded_on = _typed(entry, "downloaded_on", date, where, problems, known_on) if "downloaded_on" in entry else None
        if downloaded_on is not None and downloaded_on > known_on:
            problems.append(BadCell(where, None, "downloaded_on", str(downloaded_on), f"a day up to known_on {known_on}"))
        listed = [_file(item, where, problems) for item in _typed(entry, "files", list, where, problems, [])]
        vintages.append(
            Vintage(
                known_on,
                _typed(entry, "commit", str, where, problems, ""),
                _typed(entry, "directory", str, where, problems, ""),
                tuple(listed),
                _typed(entry, "part", bool, where, problems, False),
                downloaded_on,
            )
        )
    for one in vintages:
        if one.directory.startswith("/") or ".." in one.directory.split("/"):
            problems.append(BadCell(file, None, "directory", one.directory, "the name of a folder below the mirror"))
    accessed = _typed(document, "accessed", date, file, problems, date.min)
    days = [vintage.known_on for vintage in vintages]
    if len(set(days)) != len(days):
        problems.append(BadCell(file, None, "known_on", "two vintages of one day", "a day for each vintage"))
    if problems:
        raise RecordError.collect(problems)
    ordered = tuple(sorted(vintages, key=lambda vintage: vintage.known_on))
    more = {key: _typed(document, key, str, file, problems, "") for key in OPTIONAL}
    if problems:
        raise RecordError.collect(problems)
    return Source(name=name, accessed=accessed, vintages=ordered, **more, **texts)


def spelling(registry: Path, name: str) -> tuple[str, ...]:
    """The sources whose spellings of models hold for a source, itself first, then those its card says it is spelt like."""
    found = [name]
    while (path := registry / "sources" / found[-1] / "source.toml").exists():
        like = read(path, f"{found[-1]}/source.toml", found[-1]).spelt_like
        if not like:
            break
        if like in found:
            raise RecordError(f"{found[-1]}/source.toml, column spelt_like: found a circle, expected a source outside {found}")
        found.append(like)
    return tuple(found)


def _keys(
    table: Mapping[str, Any],
    wanted: tuple[str, ...],
    extra: tuple[str, ...],
    file: str,
    problems: list[BadCell],
) -> None:
    for key in sorted(set(table) - set(wanted) - set(extra)):
        near = difflib.get_close_matches(key, (*wanted, *extra), n=1)
        advice = f"did you mean {near[0]}?" if near else ""
        problems.append(BadCell(file, None, key, "an unknown key", "one of " + ", ".join(wanted), advice))
    for key in wanted:
        if key not in table:
            problems.append(BadCell(file, None, key, "nothing", "this key"))


def _typed(table: Mapping[str, Any], key: str, kind: type, file: str, problems: list[BadCell], instead: Any) -> Any:
    value = table.get(key, instead)
    # bool is an int and datetime is a date in Python: exact types only.
    if type(value) is not kind:
        problems.append(BadCell(file, None, key, repr(value), f"a {kind.__name__}"))
        return instead
    return value


def _file(item: object, where: str, problems: list[BadCell]) -> File:
    if not isinstance(item, Mapping):
        problems.append(BadCell(where, None, "files", repr(item), "a table {path, sha256, bytes}"))
        return File("", "", 0)
    _keys(item, ("path", "sha256", "bytes"), (), where, problems)
    path = _typed(item, "path", str, where, problems, "")
    digest = _typed(item, "sha256", str, where, problems, "")
    if digest and not re.fullmatch("[0-9a-f]{64}", digest):
        problems.append(BadCell(where, None, "sha256", digest, "64 hexadecimal digits in lower case"))
    if path.startswith("/") or ".." in path.split("/"):
        problems.append(BadCell(where, None, "path", path, "a path below the vintage's folder"))
    return File(path, digest, _typed(item, "bytes", int, where, problems, 0))


def entry(vintage: Vintage) -> str:
    """Spell a vintage as it is appended to source.toml.

    >>> print(entry(Vintage(date(2026, 3, 12), "n/a", "tiny@2026-03-12", (File("a.csv", "00", 9),))), end="")
    <BLANKLINE>
    [[vintage]]
    known_on = 2026-03-12
    commit = "n/a"
    directory = "tiny@2026-03-12"
    files = [
      {path = "a.csv", sha256 = "00", bytes = 9},
    ]
    """
    lines = ["", "[[vintage]]", f"known_on = {vintage.known_on}", f"commit = {_quoted(vintage.commit)}"]
    lines += [f"directory = {_quoted(vintage.directory)}"]
    lines += [f"downloaded_on = {vintage.downloaded_on}"] if vintage.downloaded_on else []
    lines += ["part = true"] if vintage.part else []
    files = [f'  {{path = {_quoted(file.path)}, sha256 = "{file.sha256}", bytes = {file.bytes}}},' for file in vintage.files]
    return "\n".join([*lines, "files = [", *files, "]", ""])


def with_entry(raw: bytes, vintage: Vintage) -> bytes:
    """A card with one vintage more; all else of it stays byte for byte, save the line that says there is none yet."""
    kept = re.sub(rb"(?m)^vintage *= *\[ *\]\n", b"", raw)
    return kept.rstrip(b"\n") + b"\n" + entry(vintage).encode()


def _quoted(text: str) -> str:
    # A JSON string in ASCII is a TOML basic string.
    return json.dumps(text)


def verify(vintage: Vintage, mirror: Path) -> list[BadCell]:
    """Compare every listed file with what the mirror holds; nothing is read before this list is empty."""
    problems = []
    for file in vintage.files:
        label = f"{vintage.directory}/{file.path}"
        try:
            content = _plain_files.check(mirror / vintage.directory, file.path).read_bytes()
        except RecordError as error:
            problems.append(BadCell(label, None, "sha256", str(error), "a plain file", "fetch the pinned commit"))
            continue
        except OSError as error:
            advice = "point --from or FORESAID_MIRROR at the folder that holds it"
            problems.append(BadCell(label, None, "sha256", error.strerror or "no file", "a file", advice))
            continue
        found = hashlib.sha256(content).hexdigest()
        if found != file.sha256:
            size = f" ({len(content)} bytes)"
            problems.append(
                BadCell(
                    label,
                    None,
                    "sha256",
                    found + size,
                    f"{file.sha256} ({file.bytes} bytes)",
                    "fetch the pinned commit",
                )
            )
    return problems


def label(registry: Path, *parts: str) -> str:
    """Name a file of the registry in messages, without the path of the machine."""
    return "/".join((registry.name, *parts))


def of(registry: Path, name: str) -> Source:
    """The card of a source of the registry, its problems named by the place in the registry. Raises RecordError as `read` does."""
    return read(registry / "sources" / name / "source.toml", label(registry, "sources", name, "source.toml"), name)


def source_names(registry: Path) -> list[str]:
    """Every source that has a folder, sorted."""
    return sorted(path.parent.name for path in registry.glob("sources/*/source.toml"))
