"""How to read each upstream: one module a source, found by name.

A reader is a function `read(folder) -> Reading`, where the folder holds one vintage of the upstream. It knows the upstream's
spelling, units and known errors, and nothing of the record: models keep the upstream's names, `update` resolves them.
A reader refuses what it does not know (a missing or new column, a short row, a NaN) instead of guessing.

May import the top files.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from foresaid.errors import ForesaidError, RecordError, UnreadableError


@dataclass(frozen=True)
class Score:
    """One value as the upstream gives it, in the units of the record.

    `subject` is a RunSubject's id or a model's upstream name; `file` and `row` say where it stood, for messages.
    `known_on` is set by an upstream that dates its own history; elsewhere the day of the vintage holds.
    """

    subject: str
    quantity_id: str
    setting: str
    value: float
    stderr: float | None = None
    n: int | None = None
    status: str = "reported"
    note: str = ""
    file: str = ""
    row: int | None = None
    known_on: date | None = None


@dataclass(frozen=True)
class RunSubject:
    """A training run (kind run) or one checkpoint of it (kind checkpoint)."""

    subject_id: str
    kind: str
    run: str
    family: str
    notes: str = ""


@dataclass(frozen=True)
class StatedModel:
    """What an upstream states of a model: its maker, and the day or month it came out as printed. `models.csv` decides."""

    subject: str
    released_on: str = ""
    organisation: str = ""
    title: str = ""
    file: str = ""
    row: int | None = None


@dataclass(frozen=True)
class Reading:
    """Everything one vintage says; `skipped` counts, by reason, what was left out on purpose.

    `rows` counts the rows of each upstream table, so that what was taken and what was left can be added up. `models` are what
    the files state of models, taken or not.
    """

    scores: list[Score]
    subjects: list[RunSubject]
    skipped: dict[str, int] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    models: list[StatedModel] = field(default_factory=list)


Reader = Callable[[Path], Reading]


def names() -> list[str]:
    """The sources that have a reader, as their folders are called.

    >>> "olmo-ladder" in names()
    True
    """
    found = (module.name for module in pkgutil.iter_modules(__path__))
    return sorted(name.replace("_", "-") for name in found if not name.startswith("_"))


def find(name: str) -> Reader:
    """Return the reader of a source, or say which sources have one.

    >>> find("gadre").__module__
    'foresaid.sources.gadre'
    """
    if name not in names():
        near = difflib.get_close_matches(name, names(), n=1)
        advice = f"did you mean {near[0]}?" if near else "one file below pipelines/foresaid/sources/ adds it"
        raise UnreadableError(f"source {name}: found no reader, expected one of {', '.join(names())}; {advice}")
    reader: Reader = importlib.import_module(f"{__name__}.{name.replace('-', '_')}").read
    return reader


def read(name: str, reader: Reader, folder: Path) -> Reading:
    """Run a reader on files nobody vouches for: what it did not foresee is a refusal, not a traceback."""
    try:
        return reader(folder)
    except ForesaidError:
        raise
    except (ArithmeticError, LookupError, TypeError, ValueError, AttributeError, RecursionError, AssertionError) as error:
        said = f"{type(error).__name__}: {error}".splitlines()[0][:120]
        raise RecordError(
            f"{folder.name}: the reader of {name} stopped at {ascii(said)[1:-1]}, expected the upstream's usual format; "
            "compare the files with an earlier download"
        ) from None
