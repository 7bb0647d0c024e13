"""Bring an upstream into the record: verify, read, resolve names, compare, append.

The record only grows. For each vintage, in the order of the days they became public, a value nobody had is a new row, a
value that differs from what was known by then is a row with status `revised` and its own known_on, and a value the vintage
no longer has is reported as gone and stays. No row is rewritten or removed, so running it again changes nothing. Files are
written only after the whole source, old rows and new, has passed the quality gate.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from foresaid import card, formats, ingest, quality, record, sources
from foresaid.card import Vintage
from foresaid.errors import Problem, RecordError
from foresaid.formats import AliasRow, ModelRow, ObservationRow, SubjectRow
from foresaid.quality import Nearest, Place

TOLERANCE = 1e-12  # relative: two printings of one float differ by less, a correction by more

Key = tuple[str, str, str]  # subject, quantity, setting


@dataclass(frozen=True)
class Revision:
    """A value that differs from the one known before."""

    before: ObservationRow
    after: ObservationRow


@dataclass(frozen=True)
class VintageChange:
    """What one vintage changes against the record as of its day.

    `restated` are values the record has with another status (reported here, suspect there): rows are never rewritten, so
    a person has to decide.
    """

    known_on: date
    same: int
    new: list[ObservationRow]
    revised: list[Revision]
    gone: list[ObservationRow]
    restated: list[ObservationRow]
    skipped: dict[str, int]


@dataclass(frozen=True)
class Change:
    """What an update did to one source."""

    name: str
    vintages: list[VintageChange]
    subjects: list[SubjectRow] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """How many rows were appended to observations.csv."""
        return sum(len(vintage.new) + len(vintage.revised) for vintage in self.vintages)

    def lines(self, examples: int = 5) -> list[str]:
        """The change as a person reads it: counts for each vintage, and the first few revised and gone values."""
        lines = []
        for vintage in self.vintages:
            lines.append(
                f"{self.name} as of {vintage.known_on}: {len(vintage.new)} new, {len(vintage.revised)} revised, "
                f"{len(vintage.gone)} gone, {vintage.same} as before"
            )
            for revision in vintage.revised[:examples]:
                before, after = revision.before, revision.after
                lines.append(f"  revised {_name(after)}: {formats.plain(before.value)} -> {formats.plain(after.value)}")
            for row in vintage.gone[:examples]:
                lines.append(f"  gone {_name(row)}: {formats.plain(row.value)} of {row.known_on} stays on the record")
            for row in vintage.restated[:examples]:
                lines.append(f"  now {row.status} upstream: {_name(row)}; the row of the record stays as it is")
            for kind, rows in (("revised", vintage.revised), ("gone", vintage.gone), ("restated", vintage.restated)):
                if len(rows) > examples:
                    lines.append(f"  ... {len(rows)} {kind} in all")
            lines += [f"  left out: {count} x {reason}" for reason, count in sorted(vintage.skipped.items())]
        lines.append(f"{self.name}: {self.rows} rows and {len(self.subjects)} subjects appended")
        return lines


def update(name: str, mirror: Path, registry: Path, recorded_on: date, reader: sources.Reader | None = None) -> Change:
    """Read every vintage of a source from `mirror` and append to its observations.csv and subjects.csv what is new.

    `reader` is for tests; by default the source's own module is used. Anything wrong (a file that is not the pinned one, a
    name nobody knows, a value that cannot be) raises RecordError with every problem, and nothing is written.
    """
    read = reader or sources.find(name)
    folder = registry / "sources" / name
    source = card.read(folder / "source.toml", ingest.label(registry, "sources", name, "source.toml"), name)
    unverified = [problem for vintage in source.vintages for problem in card.verify(vintage, mirror)]
    if unverified:
        raise RecordError.collect(unverified)
    return append(name, ((vintage, read(mirror / vintage.directory)) for vintage in source.vintages), registry, recorded_on)


def append(
    name: str,
    readings: Iterable[tuple[Vintage, sources.Reading]],
    registry: Path,
    recorded_on: date,
    beside: Mapping[Path, bytes] | None = None,
) -> Change:
    """Lay readings, each of a vintage, upon the record of a source and append what is new or revised.

    Files `beside` are written together with the rows, or not at all.
    """
    folder = registry / "sources" / name
    catalogue, problems = ingest.read_catalogue(registry)
    state = _State.read(registry, name)
    if problems or state.problems:
        raise RecordError.collect([*problems, *state.problems])
    known = catalogue.known
    names = Names(name, known.models, catalogue.aliases)
    changes = []
    for vintage, reading in readings:
        problems += state.add_subjects(reading.subjects)
        rows, places, unresolved = _rows(reading, vintage, recorded_on, names)
        problems += unresolved
        problems += quality.observations(rows, places, state.subjects, known)
        changes += state.lay(rows, places, vintage.known_on, reading.skipped)
    problems += quality.subjects(list(state.subjects.values()), list(state.subject_places.values()), known)
    problems += quality.observations(state.rows, state.places, state.subjects, known)
    if problems:
        raise RecordError.collect(list(dict.fromkeys(problems)))
    change = Change(name, changes, state.added)
    contents = dict(beside or {})
    if change.subjects:
        contents[folder / "subjects.csv"] = record.dump(state.subjects.values(), formats.SUBJECTS)
    if change.rows:
        contents[folder / "observations.csv"] = record.dump(state.rows, formats.OBSERVATIONS)
    record.write(contents)
    return change


class Names:
    """Resolves upstream names of models: an alias of this source, an alias of any, or the name itself in lower case."""

    def __init__(self, source_id: str, models: Mapping[str, ModelRow], aliases: list[AliasRow]) -> None:
        self.models = models
        ours = [row for row in aliases if row.kind == "model"]
        self.aliases = {row.alias: row.id for row in ours if row.source_id == "*"}
        self.aliases |= {row.alias: row.id for row in ours if row.source_id == source_id}
        self.nearest = Nearest([*models, *self.aliases])

    def resolve(self, name: str, place: Place) -> str | Problem:
        """Return the model's id, or the problem with its nearest match."""
        model = self.aliases.get(name, name.lower())
        if model in self.models:
            return model
        advice = self.nearest.advice(name)
        odd = quality.stranger(name)
        found = f"{ascii(name)[1:-1]} with {odd}" if odd else name
        return Problem(*place, "model", found, "a model of models.csv or aliases.csv", advice or "add it to one of them")


def _rows(
    reading: sources.Reading, vintage: Vintage, recorded_on: date, names: Names
) -> tuple[list[ObservationRow], list[Place], list[Problem]]:
    """Turn a reading into rows of the record, with the upstream file and row each came from."""
    listed = {f"{Path(vintage.directory).name}/{file.path}" for file in vintage.files}
    runs = {subject.subject_id for subject in reading.subjects}
    rows, places = [], []
    problems: dict[Problem, None] = {}
    for score in reading.scores:
        place = (score.file, score.row)
        if score.file not in listed:
            expected = "a file listed in source.toml with its SHA-256"
            problems[Problem(score.file, None, "files", "values from a file nobody verified", expected)] = None
            continue
        subject = score.subject if score.subject in runs else names.resolve(score.subject, place)
        if isinstance(subject, Problem):
            problems[subject] = None
            continue
        rows.append(
            ObservationRow(
                subject,
                score.quantity_id,
                score.setting,
                score.known_on or vintage.known_on,
                score.value,
                score.stderr,
                score.n,
                recorded_on,
                score.status,
                score.note,
            )
        )
        places.append(place)
    return rows, places, list(problems)


class _State:
    """The rows of one source while vintages are laid upon them."""

    def __init__(self) -> None:
        self.rows: list[ObservationRow] = []
        self.places: list[Place] = []
        self.subjects: dict[str, SubjectRow] = {}
        self.subject_places: dict[str, Place] = {}
        self.added: list[SubjectRow] = []
        self.problems: list[Problem] = []
        self.file = ""

    @classmethod
    def read(cls, registry: Path, name: str) -> _State:
        """Start from what the record holds; a source without observations.csv starts empty."""
        state = cls()
        state.file = ingest.label(registry, "sources", name, "subjects.csv")
        if (registry / "sources" / name / "observations.csv").exists():
            observations, subjects = ingest.read_tables(registry, name)
            state.rows, state.places = observations.items, observations.where()
            state.subjects = {row.subject_id: row for row in subjects.items}
            state.subject_places = dict(zip(state.subjects, subjects.where(), strict=False))
            state.problems = [*observations.problems, *subjects.problems]
        return state

    def add_subjects(self, found: list[sources.RunSubject]) -> list[Problem]:
        """Add the runs nobody had; one that changed its run or family is a problem."""
        problems = []
        for subject in found:
            row = SubjectRow(subject.subject_id, subject.kind, subject.run, subject.family, subject.notes)
            before = self.subjects.setdefault(row.subject_id, row)
            if before is row:
                self.added.append(row)
                self.subject_places[row.subject_id] = (self.file, None)
            elif before[:4] != row[:4]:
                found_now, expected = ", ".join(row[1:4]), ", ".join(before[1:4]) + " as on the record"
                problems.append(Problem(self.file, None, row.subject_id, found_now, expected))
        return problems

    def lay(self, rows: list[ObservationRow], places: list[Place], known_on: date, skipped: dict[str, int]) -> list[VintageChange]:
        """Lay a vintage upon the record: at once, or day by day where the upstream dates its own history."""
        days = sorted({row.known_on for row in rows} | {known_on})
        changes = []
        for day in days:
            part = [(row, place) for row, place in zip(rows, places, strict=True) if row.known_on == day]
            if part or len(days) == 1:
                changes.append(self.compare([row for row, _ in part], [place for _, place in part], day, skipped))
                skipped = {}  # counted once
        return changes

    def compare(self, rows: list[ObservationRow], places: list[Place], known_on: date, skipped: dict[str, int]) -> VintageChange:
        """Lay one vintage upon the record as of its day, and append what is new or revised."""
        latest: dict[Key, ObservationRow] = {}
        for row in self.rows:
            if row.known_on <= known_on and (row[:3] not in latest or latest[row[:3]].known_on < row.known_on):
                latest[row[:3]] = row
        seen: set[Key] = set()
        new, revised, restated = [], [], []
        for row, place in zip(rows, places, strict=True):
            seen.add(row[:3])
            before = latest.get(row[:3])
            if before is None:
                new.append(row)
            elif not _same(before.value, row.value) or (before.status == "withdrawn") != (row.status == "withdrawn"):
                row = row._replace(status="revised") if row.status == "reported" else row
                revised.append(Revision(before, row))
            else:
                if (before.status == "suspect") != (row.status == "suspect"):
                    restated.append(row)
                continue
            self.rows.append(row)
            self.places.append(place)
        gone = [row for key, row in latest.items() if key not in seen and row.status != "withdrawn"]
        same = len(rows) - len(new) - len(revised)
        return VintageChange(known_on, same, new, revised, gone, restated, {k: n for k, n in skipped.items() if n})


def _same(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=TOLERANCE, abs_tol=0.0)


def _name(row: ObservationRow) -> str:
    return " ".join(part for part in row[:3] if part)
