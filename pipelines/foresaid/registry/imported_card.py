"""The card of imported results: which files came in, under which day, and how source.toml is spelt.

A person fills in publisher and licence; the program adds files and days and writes the whole card anew, so a card of this
kind carries no comments. A file is known by its SHA-256 and listed once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from foresaid.registry import source_card
from foresaid.registry.source_card import File, Source, Vintage

KIND = "imported results"
FOLDER = "imported"  # stands for the folder of an upstream in messages


def new(name: str, today: date) -> Source:
    """The card of a source that holds nothing yet."""
    return Source(
        name=name,
        title=f"Imported results: {name}",
        publisher="",
        url="",
        licence="",
        redistribution="unclear",
        citation="",
        kind=KIND,
        dates="the day given at import, first on which the results were public",
        accessed=today,
        vintages=(),
    )


def with_files(source: Source, files: Iterable[File], known_on: date) -> Source:
    """The card with these files under their day; a file that is listed under any day is not listed again."""
    listed = {file.sha256 for vintage in source.vintages for file in vintage.files}
    fresh = [file for file in files if file.sha256 not in listed]
    if not fresh:
        return source
    by_day = {vintage.known_on: vintage for vintage in source.vintages}
    before = by_day.get(known_on, Vintage(known_on, "", FOLDER, ()))
    by_day[known_on] = replace(before, files=tuple(sorted((*before.files, *fresh), key=lambda file: (file.path, file.sha256))))
    return replace(source, vintages=tuple(vintage for _, vintage in sorted(by_day.items())))


def dump(source: Source) -> bytes:
    """Spell a card as TOML, the way `card.read` reads it."""
    lines = [f"{key} = {_quoted(str(getattr(source, key)))}" for key in source_card.TEXTS]
    lines.append(f"accessed = {source.accessed.isoformat()}")
    if source.notes:
        lines.append(f"notes = {_quoted(source.notes)}")
    if not source.vintages:
        lines.append("vintage = []")
    for vintage in source.vintages:
        lines += ["", "[[vintage]]", f"known_on = {vintage.known_on.isoformat()}"]
        lines += [f"commit = {_quoted(vintage.commit)}", f"directory = {_quoted(vintage.directory)}", "files = ["]
        lines += [
            f"  {{ path = {_quoted(file.path)}, sha256 = {_quoted(file.sha256)}, bytes = {file.bytes} }}," for file in vintage.files
        ]
        lines.append("]")
    return ("\n".join(lines) + "\n").encode()


def _quoted(text: str) -> str:
    """A TOML basic string.

    >>> _quoted('a "b" ' + chr(10))
    '"a \\\\"b\\\\" \\\\u000A"'
    """
    escaped = "".join(char if char.isprintable() and char not in '"\\' else _escape(char) for char in text)
    return f'"{escaped}"'


def _escape(char: str) -> str:
    return f"\\{char}" if char in '"\\' else f"\\u{ord(char):04X}" if ord(char) < 0x10000 else f"\\U{ord(char):08X}"
