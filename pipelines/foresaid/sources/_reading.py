"""What a reader makes of one vintage of an upstream: scores, runs, what is stated of models, and what was left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path


@dataclass(frozen=True)
class Score:
    """One value as the upstream gives it, in the units of the record.

    `subject` is a RunSubject's id or a model's upstream name; `file` and `row` say where it stood, for messages.
    `known_on` is set by an upstream that dates its own history; elsewhere the day of the vintage holds. `record` is the collector's
    own id of the row, where it gives one: the record knows the row again by it.
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
    record: str = ""


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
    """What an upstream states of a model: its maker, the day or month it came out as printed, and whether its weights can be
    downloaded (yes, no, or nothing said). `models.csv` decides.
    """

    subject: str
    released_on: str = ""
    organisation: str = ""
    title: str = ""
    file: str = ""
    row: int | None = None
    open_weights: str = ""


@dataclass(frozen=True)
class StatedQuantity:
    """What an upstream states of a benchmark that the reader has no entry for: its scale, chance level and ceiling."""

    quantity_id: str
    title: str
    unit: str
    lower: float | None
    upper: float | None
    chance: float | None
    direction: str
    protocol: str
    reference: str
    kind: str = "benchmark"


@dataclass(frozen=True)
class Reading:
    """Everything one vintage says; `skipped` counts, by reason, what was left out on purpose.

    `rows` counts the rows of each upstream table, so that what was taken and what was left can be added up. `models` are what
    the files state of models, taken or not, `quantities` what they state of benchmarks nobody had met before.
    """

    scores: list[Score]
    subjects: list[RunSubject]
    skipped: dict[str, int] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    models: list[StatedModel] = field(default_factory=list)
    quantities: list[StatedQuantity] = field(default_factory=list)


Reader = Callable[[Path], Reading]
