"""Tables that a study adds to the page of a law: what it asked, what was found in sentences made from the numbers, and the rows.

The stage `study` makes those that follow from the record; a study of upstream files that the record does not keep is made by its
command, with --write, and kept in registry/protocols. Either way a page only shows them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from foresaid.errors import UnreadableError
from foresaid.files import rounded
from foresaid.studies import kept as files_kept

Cell = str | float | int | None
DIGITS = 10  # significant digits kept, as in the frames of the stages


@dataclass(frozen=True)
class StudyTable:
    """One table: a key for its download, a caption, the names of its columns, and its rows; None where there is no value.

    `mode` says what its forecasts could look at (evaluation/modes.py); it is empty where no forecast is judged.
    """

    key: str
    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    mode: str = ""


@dataclass(frozen=True)
class LawSection:
    """What one study says on the pages of `laws`; `command` prints it anew."""

    key: str
    title: str
    laws: tuple[str, ...]
    said: tuple[str, ...]
    tables: tuple[StudyTable, ...]
    command: str


def to_plain(section: LawSection) -> dict[str, Any]:
    """Turn a section into dictionaries, lists, text and numbers, as JSON holds them."""
    made: dict[str, Any] = rounded(msgspec.to_builtins(section), DIGITS)
    return made


def from_plain(plain: object, where: str) -> LawSection:
    """Turn what `to_plain` made back; raises UnreadableError where it has another form."""
    try:
        return msgspec.convert(plain, LawSection)
    except msgspec.ValidationError as error:
        raise UnreadableError(f"{where}: {error}, expected the tables of a study; make them anew") from None


def write(registry: Path, section: LawSection) -> Path:
    """Keep a section among the protocols of the registry."""
    return files_kept.write(registry, section.key, to_plain(section))


def kept(registry: Path, key: str) -> LawSection | None:
    """Return a kept section, or None where there is none."""
    found = files_kept.read(registry, key)
    return None if found is None else from_plain(found, str(files_kept.place(registry, key)))
