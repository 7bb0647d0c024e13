"""What one state of an upstream changes on the record: rows are recognised by their key, never by their order.

The record only grows. A value nobody had is a new row, a value that differs from what was known by then a row with status
`revised`, a value the upstream no longer has a row with status `withdrawn` (where
it still has others of that quantity). Nothing here writes: a change is made, shown to a
person, and appended by `update` when the whole of it has passed the gate.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from foresaid.errors import BadCell
from foresaid.registry.checks import cross_row
from foresaid.registry.formats import ModelRow, ObservationRow, SubjectRow, plain
from foresaid.registry.row_keys import Key, carried, identity, noted, same

GONE = "no longer in the upstream"
BACK = "in the upstream again"

Place = tuple[str, int | None]


@dataclass(frozen=True)
class Revision:
    """A value that differs from the one known before."""

    before: ObservationRow
    after: ObservationRow


@dataclass(frozen=True)
class VintageChange:
    """What one vintage changes against the record as of its day.

    `gone` are the rows it no longer has, for each of which a withdrawn row was made; `restated` are values the record has with
    another status (reported here, suspect there): rows are never rewritten, so a person has to decide. `late` are models that
    are new here although they were out when the vintage before was published: old models added late, which a split by date
    must not take for new ones. `notes` says what happened to files and columns.
    """

    known_on: date
    same: int
    new: list[ObservationRow]
    revised: list[Revision]
    gone: list[ObservationRow]
    restated: list[ObservationRow]
    skipped: dict[str, int]
    late: list[ModelRow] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    withdrawn: list[ObservationRow] = field(default_factory=list)


@dataclass(frozen=True)
class UpstreamRevision:
    """What an update does to one source."""

    name: str
    vintages: list[VintageChange]
    subjects: list[SubjectRow] = field(default_factory=list)
    written: str = "appended"
    accepted: list[str] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """How many rows are appended to observations.csv."""
        return sum(len(vintage.new) + len(vintage.revised) + len(vintage.withdrawn) for vintage in self.vintages)

    def lines(self, examples: int = 5) -> list[str]:
        """The change as a person reads it: counts for each vintage, then the first few of each kind and their number."""
        lines = []
        for vintage in self.vintages:
            lines.append(
                f"{self.name} as of {vintage.known_on}: {len(vintage.new)} new, {len(vintage.revised)} revised, "
                f"{len(vintage.gone)} gone, {vintage.same} as before"
            )
            lines += [f"  {note}" for note in vintage.notes]
            revised = [
                f"revised {_name(one.after)}: {plain(one.before.value)} -> {plain(one.after.value)}" for one in vintage.revised
            ]
            gone = [
                f"gone {_name(row)}: {plain(row.value)} of {row.known_on} stays on the record, a withdrawn row follows it"
                for row in vintage.gone
            ]
            stated = [f"now {row.status} upstream: {_name(row)}; the row of the record stays as it is" for row in vintage.restated]
            late = [f"added late {row.model_id}: released {row.released_on}, on this board only now" for row in vintage.late]
            stale = [
                f"stale error? {_name(one.after)}: its value moved by more than the error, which stayed {plain(one.after.stderr)}"
                for one in vintage.revised
                if cross_row.stale(one.before, one.after)
            ]
            suspect = [f"suspect {_name(row)}: {row.note}" for row in vintage.new if row.status == "suspect"]
            for words in (revised, gone, stated, late, suspect, stale):
                lines += [f"  {word}" for word in words[:examples]]
                if len(words) > examples:
                    lines.append(f"  ... {len(words)} in all: {words[0].split(' ', 1)[0]}")
            lines += [f"  left out: {count} x {reason}" for reason, count in sorted(vintage.skipped.items())]
        lines += [f"accepted: {line}" for line in self.accepted]
        lines.append(f"{self.name}: {self.rows} rows and {len(self.subjects)} subjects {self.written}")
        return lines

    def as_dict(self) -> dict[str, object]:
        """The whole change, every row of it, for programs."""
        return {
            "source": self.name,
            "rows": self.rows,
            "accepted": self.accepted,
            "subjects": [row.subject_id for row in self.subjects],
            "vintages": [
                {
                    "known_on": str(one.known_on),
                    "same": one.same,
                    "new": [_plain(row) for row in one.new],
                    "revised": [{**_plain(pair.after), "before": pair.before.value} for pair in one.revised],
                    "gone": [_plain(row) for row in one.gone],
                    "restated": [_plain(row) for row in one.restated],
                    "late": [{"model_id": row.model_id, "released_on": str(row.released_on)} for row in one.late],
                    "left_out": one.skipped,
                    "notes": one.notes,
                }
                for one in self.vintages
            ],
        }


def _name(row: ObservationRow) -> str:
    return " ".join(part for part in row[:3] if part)


def _plain(row: ObservationRow) -> dict[str, object]:
    return {"subject_id": row.subject_id, "quantity_id": row.quantity_id, "setting": row.setting, "value": row.value}


class CurrentRows:
    """The rows of one source while vintages are laid upon them, each with the place it came from."""

    def __init__(self, rows: Sequence[ObservationRow], places: Sequence[Place]) -> None:
        self.rows, self.places = list(rows), list(places)
        self.added: list[ObservationRow] = []

    def latest(self, day: date) -> dict[Key, ObservationRow]:
        """The last row of each key that was known on a day."""
        found: dict[Key, ObservationRow] = {}
        for row in self.rows:
            if row.known_on <= day and (row[:3] not in found or found[row[:3]].known_on < row.known_on):
                found[row[:3]] = row
        return found

    def lay(
        self,
        rows: Sequence[ObservationRow],
        places: Sequence[Place],
        known_on: date,
        recorded_on: date,
        part: bool = False,
    ) -> VintageChange:
        """Lay one vintage upon the record as of its day and add what is new, revised or withdrawn."""
        latest = self.latest(known_on)
        rows = carried(rows, latest)
        seen: set[Key] = set()
        new, revised, restated = [], [], []
        errors: list[str] = []
        for row, place in zip(rows, places, strict=True):
            seen.add(row[:3])
            before = latest.get(row[:3])
            if before is None:
                new.append(row)
            elif not same(before.value, row.value) or (before.status == "withdrawn") != (row.status == "withdrawn"):
                if row.status == "reported":  # a reader may itself say that a value is suspect or was withdrawn
                    bare = row.note in ("", noted("", identity(row), row.setting))
                    note = noted(BACK, identity(row), row.setting) if bare and before.status == "withdrawn" else row.note
                    row = row._replace(status="revised", note=note)
                revised.append(Revision(before, row))
            else:
                if (before.status == "suspect") != (row.status == "suspect"):
                    restated.append(row)
                elif row.stderr is not None and (before.stderr is None or not same(before.stderr, row.stderr)):
                    errors.append(f"{_name(row)}: standard error {plain(before.stderr) or 'none'} -> {plain(row.stderr)}")
                continue
            self._add(row, place)
        missing = [row for key, row in latest.items() if key not in seen and row.status != "withdrawn" and row.known_on < known_on]
        # A board that the vintage does not hold at all says nothing about its rows.
        held = {row.quantity_id for row in rows}
        gone = [row for row in missing if row.quantity_id in held]
        absent = Counter(row.quantity_id for row in missing if row.quantity_id not in held)
        withdrawn = []
        if not part:
            for row in gone:
                note = noted(GONE, identity(row), row.setting)
                taken_back = row._replace(known_on=known_on, recorded_on=recorded_on, status="withdrawn", note=note)
                withdrawn.append(taken_back)
                self._add(taken_back, ("", None))
        kept = len(rows) - len(new) - len(revised)
        notes = [f"{name}: no value in this download, its {count} rows stay as they are" for name, count in sorted(absent.items())]
        if part:
            gone, notes = [], []
        if errors:
            notes.append(f"{len(errors)} standard errors differ where the value does not, the rows stay as they are: {errors[0]}")
        return VintageChange(known_on, kept, new, revised, gone, restated, {}, notes=notes, withdrawn=withdrawn)

    def _add(self, row: ObservationRow, place: Place) -> None:
        self.rows.append(row)
        self.places.append(place)
        self.added.append(row)


def late(rows: Sequence[ObservationRow], before: set[str], models: Mapping[str, ModelRow], previous: date | None) -> list[ModelRow]:
    """Models of these rows that the source did not have, though they were released by the day of the vintage before."""
    if previous is None:
        return []
    names = sorted({row.subject_id for row in rows} - before)
    found = (models.get(name) for name in names)
    return [row for row in found if row is not None and row.released_on is not None and row.released_on <= previous]


def unresolved(problems: Sequence[BadCell], skip: bool) -> tuple[list[BadCell], dict[str, int]]:
    """Split off unknown names when the caller chose to leave them out: reasons to count instead of problems to stop at."""
    if not skip:
        return list(problems), {}
    counts: dict[str, int] = {}
    for problem in (one for one in problems if one.column == "model"):
        said = f"unknown model {problem.found}" + (f": {problem.advice}" if problem.advice else "")
        counts[said] = counts.get(said, 0) + 1
    return [one for one in problems if one.column != "model"], counts
