"""Bring an upstream into the record: verify, read, resolve names, compare, append.

Two ways in. A mirror holds the vintages that source.toml names, each pinned by its SHA-256. The next download of the same
upstream is the normal case: its folder and the day it became public are given, what it changes is shown, and it becomes a
vintage of its own. Either way the record only grows (see `changes`): lines that stand are kept byte for byte, new ones are put
in their place by key, and running it again changes nothing. Files are written together, and only after the whole source, old
rows and new, has passed the quality gate.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from foresaid import files
from foresaid.errors import BadCell, RecordError
from foresaid.registry import additions, csv_files, formats, licences, merges, source_card
from foresaid.registry import load as ingest
from foresaid.registry.checks import cross_row
from foresaid.registry.checks import rows as quality
from foresaid.registry.formats import ObservationRow, SubjectRow
from foresaid.registry.model_names import Names
from foresaid.registry.row_keys import noted
from foresaid.registry.source_card import Vintage
from foresaid.registry.update import download as newer
from foresaid.registry.update import revisions
from foresaid.registry.update.proposals import Proposals, propose
from foresaid.registry.update.revisions import CurrentRows, Place, UpstreamRevision
from foresaid.sources import _loader as sources
from foresaid.sources._reading import Reader, Reading, RunSubject
from foresaid.sources._upstream import listening


@dataclass(frozen=True)
class Download:
    """A download that source.toml does not name yet: the day it became public, and where it came from.

    `against` is the mirror that may still hold the vintage before, for a comparison of columns.
    """

    known_on: date
    commit: str = "n/a"
    part: bool = False
    against: Path | None = None


@dataclass
class Work:
    """What one update is about: the source, its reader, the record so far, and what was found."""

    name: str
    registry: Path
    folder: Path  # where its rows are kept: registry/ or, on demand, build/
    vintages: tuple[Vintage, ...]
    reader: Reader
    catalogue: ingest.Catalogue
    standing: CurrentRows
    subjects: dict[str, SubjectRow]
    subject_places: dict[str, Place]
    added: list[SubjectRow] = field(default_factory=list)
    problems: list[BadCell] = field(default_factory=list)
    made: list[revisions.VintageChange] = field(default_factory=list)
    readings: list[tuple[Vintage, Reading]] = field(default_factory=list)
    accept: bool = False
    described: bool = False  # whether new quantities are the user's own words, so that nobody need be asked
    accepted: Proposals = field(default_factory=Proposals)
    offered: list[str] = field(default_factory=list)


def update(
    name: str,
    mirror: Path,
    registry: Path,
    recorded_on: date,
    reader: Reader | None = None,
    *,
    download: Download | None = None,
    build: Path | None = None,
    dry_run: bool = False,
    skip_unknown: bool = False,
    accept: bool = False,
) -> UpstreamRevision:
    """Read every vintage of a source from `mirror`, or with `download` the one in that folder, and append what it changes.

    `reader` is for tests; by default the source's own module is used. Anything wrong (a file that is not the pinned one, a
    name nobody knows, a value that cannot be) raises RecordError with every problem, and nothing is written. With
    `skip_unknown` rows of unknown models are left out and counted instead; with `accept` the spellings, models and quantities
    that the files themselves make known enter the record together with their rows. Rows whose licence does not allow a copy go
    below `build`, never into `registry`.
    """
    work = _open(name, registry, build or registry.parent / "build", reader)
    work.accept = accept
    if download is None:
        unverified = [problem for vintage in work.vintages for problem in source_card.verify(vintage, mirror)]
        if unverified:
            raise RecordError.collect(unverified)
        for vintage in work.vintages:
            _lay(work, vintage, mirror / vintage.directory, recorded_on, skip_unknown)
        entry = None
    else:
        entry = _next(work, mirror, download, recorded_on, skip_unknown)
    return _finish(work, entry, dry_run)


def append(
    name: str,
    readings: Iterable[tuple[Vintage, Reading]],
    registry: Path,
    recorded_on: date,
    beside: Mapping[Path, bytes] | None = None,
    accept: bool = False,
) -> UpstreamRevision:
    """Lay readings, each of a vintage, upon the record of a source and append what is new or revised.

    For results that were read elsewhere. What they describe in full of new quantities enters the record with them, spellings and
    models only with `accept`. Files `beside` are written together with the rows, or not at all.
    """
    folder = registry / "sources" / name
    work = _standing(name, registry, folder, None, lambda path: Reading([], []))
    work.accept, work.described = accept, True
    for vintage, reading in readings:
        # What these files do not speak of is not gone: they are a part.
        _lay(work, replace(vintage, part=True), Path(vintage.directory), recorded_on, False, reading)
    return _finish(work, None, False, beside)


def _open(name: str, registry: Path, build: Path, reader: Reader | None) -> Work:
    read = reader or sources.find(name)
    source = source_card.read(
        registry / "sources" / name / "source.toml", source_card.label(registry, "sources", name, "source.toml"), name
    )
    return _standing(name, registry, ingest.rows_folder(registry, build, source), source, read)


def _standing(name: str, registry: Path, folder: Path, source: source_card.Source | None, read: Reader) -> Work:
    """The record of a source as it stands; nothing, where it has none yet."""
    catalogue, problems = ingest.read_catalogue(registry)
    if (folder / "observations.csv").exists():
        observations, subjects = ingest.read_tables(registry, name, folder)
        problems += [*observations.problems, *subjects.problems]
        standing = CurrentRows(observations.items, observations.where())
        runs = {row.subject_id: row for row in subjects.items}
        places = dict(zip(runs, subjects.where(), strict=False))
    else:
        standing, runs, places = CurrentRows([], []), {}, {}
    if problems:
        raise RecordError.collect(problems)
    vintages = source.vintages if source else ()
    return Work(name, registry, folder, vintages, read, catalogue, standing, runs, places)


def _next(work: Work, folder: Path, download: Download, recorded_on: date, skip_unknown: bool) -> Vintage | None:
    """Read a download that is not a vintage yet; return the vintage to add, or None where it is one already."""
    newer.check_day(work.name, work.vintages, download.known_on, recorded_on)
    last = work.vintages[-1] if work.vintages else None
    with listening() as opened:
        reading = sources.read(work.name, work.reader, folder)
    read = {score.file.removeprefix(f"{folder.name}/") for score in reading.scores} | opened
    made = newer.vintage(work.vintages, folder, download.known_on, download.commit, read, download.part)
    known = newer.same_day(work.name, work.vintages, made)
    if known is None and newer.identical(last, made) and last is not None:
        note = f"the files are those of {last.known_on}, byte for byte: no vintage is added"
        work.made.append(revisions.VintageChange(download.known_on, 0, [], [], [], [], {}, notes=[note]))
        return None
    _lay(work, known or made, folder, recorded_on, skip_unknown, reading)
    if known is None:
        notes = newer.notes(last, folder, made, download.against)
        if made.directory != folder.resolve().name:
            notes.append(f"keep this download as {made.directory} in your mirror: its own name is taken by another vintage")
        work.made[-1] = replace(work.made[-1], notes=[*work.made[-1].notes, *notes])
    return None if known else made


def _lay(
    work: Work,
    vintage: Vintage,
    folder: Path,
    recorded_on: date,
    skip_unknown: bool,
    reading: Reading | None = None,
) -> None:
    """Read one vintage (unless it was) and lay it upon the record."""
    found = reading or sources.read(work.name, work.reader, folder)
    work.readings.append((vintage, found))
    work.problems += _add_subjects(work, found.subjects)
    proposals = propose(
        work.catalogue, source_card.spelling(work.registry, work.name), work.name, found, max(vintage.known_on, recorded_on)
    )
    if work.described and not work.accept:
        described = Proposals(quantities=proposals.quantities, reasons=proposals.reasons[: len(proposals.quantities)])
        proposals = replace(proposals, quantities=[], reasons=proposals.reasons[len(proposals.quantities) :])
        _accept(work, described)
    if work.accept:
        _accept(work, proposals)
    else:
        work.offered += proposals.lines()
    rows, places, unknown = _rows(work, found, vintage, folder.name, recorded_on)
    stop, left_out = revisions.unresolved(unknown, skip_unknown)
    work.problems += [*stop, *quality.observations(rows, places, work.subjects, work.catalogue.known)]
    merged = merges.mapping(work.catalogue.merges)
    rows = cross_row.suspect(rows, work.standing.rows, work.catalogue.known, work.subjects, merged)
    skipped = {reason: count for reason, count in found.skipped.items() if count} | left_out
    account = row_count(found)
    # An upstream that dates its own history says itself, day by day, what it took back.
    days = sorted({row.known_on for row in rows} | {vintage.known_on})
    part = vintage.part or len(days) > 1
    previous = max((one.known_on for one in work.vintages if one.known_on < vintage.known_on), default=None)
    for day in days:
        before = {row.subject_id for row in work.standing.rows if row.known_on < day}
        today = [(row, place) for row, place in zip(rows, places, strict=True) if row.known_on == day]
        change = work.standing.lay([row for row, _ in today], [place for _, place in today], day, recorded_on, part)
        late = revisions.late(change.new, before, work.catalogue.known.models, previous) if len(days) == 1 else []
        if today or len(days) == 1:
            work.made.append(replace(change, skipped=skipped, late=late, notes=[*change.notes, *account]))
            skipped, account = {}, []  # counted once


def row_count(reading: Reading) -> list[str]:
    """The rows of the upstream's tables as taken and left out, where its reader counts by rows; the rest would be lost rows."""
    if not reading.rows or any(score.row is None for score in reading.scores):
        return []
    total, taken = sum(reading.rows.values()), len({(score.file, score.row) for score in reading.scores})
    left = sum(reading.skipped.values())
    if taken + left > total:  # a reader that counts cells
        return []
    lost = f", {total - taken - left} unaccounted for (`foresaid update --all` lists them)" if taken + left < total else ""
    return [f"rows: {total} upstream in {len(reading.rows)} tables, {taken} taken, {left} left out{lost}"]


def _accept(work: Work, proposals: Proposals) -> None:
    """Count proposed rows as known from here on; they are written with the values, or not at all."""
    work.catalogue = replace(
        work.catalogue,
        models=[*work.catalogue.models, *proposals.models],
        aliases=[*work.catalogue.aliases, *proposals.aliases],
        quantities=[*work.catalogue.quantities, *proposals.quantities],
    )
    work.accepted.models += proposals.models
    work.accepted.aliases += proposals.aliases
    work.accepted.quantities += proposals.quantities
    work.accepted.reasons += proposals.reasons


def _refusal(work: Work, problems: Sequence[BadCell]) -> RecordError:
    """Every problem, and what would settle the unknown names: all of them at once."""
    refused = RecordError.collect(list(dict.fromkeys(problems)))
    offered = list(dict.fromkeys(work.offered))
    if not offered or all(problem.column not in ("model", "quantity_id") for problem in problems):
        return refused
    said = "what the files state of them; --accept takes the spellings, models and quantities into the record:"
    return RecordError("\n".join([str(refused), said, *(f"  {line}" for line in offered)]))


def _finish(work: Work, entry: Vintage | None, dry_run: bool, beside: Mapping[Path, bytes] | None = None) -> UpstreamRevision:
    """Pass old rows and new through the gate together, then write all of it or nothing."""
    known = work.catalogue.known
    problems = work.problems
    problems += quality.subjects(list(work.subjects.values()), list(work.subject_places.values()), known)
    problems += quality.observations(work.standing.rows, work.standing.places, work.subjects, known)
    held, file = {row.quantity_id for row in work.standing.rows}, source_card.label(work.registry, "sources", work.name)
    embedded = work.folder.is_relative_to(work.registry)
    problems += licences.refused(work.name, embedded, held, licences.grants(work.catalogue.licences), file)
    if problems:
        raise _refusal(work, problems)
    change = UpstreamRevision(work.name, work.made, work.added, "would be appended" if dry_run else "appended")
    change.accepted.extend(work.accepted.lines())
    contents: dict[Path, bytes] = dict(beside or {})
    if work.accepted:
        new = work.accepted
        contents |= additions.contents(work.registry, new.models, new.aliases, new.quantities, work.name)
    if change.subjects:
        path = work.folder / "subjects.csv"
        contents[path] = csv_files.extend(path.read_bytes() if path.exists() else b"", change.subjects, formats.SUBJECTS)
    if change.rows:
        path = work.folder / "observations.csv"
        contents[path] = csv_files.extend(path.read_bytes() if path.exists() else b"", work.standing.added, formats.OBSERVATIONS)
    if entry is not None:
        path = work.registry / "sources" / work.name / "source.toml"
        contents[path] = source_card.with_entry(path.read_bytes(), entry)
    if not dry_run:
        files.write(contents)
    return change


def _rows(
    work: Work, reading: Reading, vintage: Vintage, folder: str, recorded_on: date
) -> tuple[list[ObservationRow], list[Place], list[BadCell]]:
    """Turn a reading into rows of the record, with the upstream file and row each came from."""
    names = Names(source_card.spelling(work.registry, work.name), work.catalogue.known.models, work.catalogue.aliases)
    listed = {f"{folder}/{file.path}" for file in vintage.files}
    runs = {subject.subject_id for subject in reading.subjects}
    rows, places = [], []
    problems: dict[BadCell, None] = {}
    for score in reading.scores:
        place = (score.file, score.row)
        if score.file not in listed:
            expected = "a file listed in source.toml with its SHA-256"
            problems[BadCell(score.file, None, "files", "values from a file nobody verified", expected)] = None
            continue
        subject = score.subject if score.subject in runs else names.resolve(score.subject, place)
        if isinstance(subject, BadCell):
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
                noted(score.note, score.record, score.setting),
            )
        )
        places.append(place)
    return rows, places, list(problems)


def _add_subjects(work: Work, found: Sequence[RunSubject]) -> list[BadCell]:
    """Add the runs nobody had; one that changed its run or family is a problem."""
    problems = []
    file = source_card.label(work.registry, "sources", work.name, "subjects.csv")
    for subject in found:
        row = SubjectRow(subject.subject_id, subject.kind, subject.run, subject.family, subject.notes)
        before = work.subjects.setdefault(row.subject_id, row)
        if before is row:
            work.added.append(row)
            work.subject_places[row.subject_id] = (file, None)
        elif before[:4] != row[:4]:
            found_now, expected = ", ".join(row[1:4]), ", ".join(before[1:4]) + " as on the record"
            problems.append(BadCell(file, None, row.subject_id, found_now, expected))
    return problems
