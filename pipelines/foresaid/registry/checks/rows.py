"""The quality gate: what a well-spelt row may mean.

`csv_files` knows how files are written; this module knows what can be true: that a subject exists, that an id is spelt in one
alphabet, that a key stands once. What one observation may say by itself is the list in `row_rules`. Every check returns problems,
none raises, so that all of them are shown at once.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from foresaid.confusables import ascii_twin, masked, stranger
from foresaid.errors import BadCell
from foresaid.registry.checks import row_rules
from foresaid.registry.checks.row_rules import CEILINGS, FLOORS, bounds, within
from foresaid.registry.csv_files import CsvTable
from foresaid.registry.formats import AliasRow, ModelRow, ObservationRow, QuantityRow, SubjectRow, plain

MODEL_ID = re.compile(r"[a-z0-9][a-z0-9._/-]{0,127}", re.ASCII)
QUANTITY_ID = re.compile(r"[a-z0-9_]+", re.ASCII)
UNITS = (
    "fraction",
    "nats_per_token",
    "bits_per_byte",
    "bleu",
    "parameters",
    "tokens",
    "flops",
    "examples",
    "years",
    "words",
    "points",
    "minutes",
    "dollars",
)
OFFERED = 50  # unknown names for which a nearest match is looked up: the search is quadratic

Place = tuple[str, int | None]


@dataclass(frozen=True)
class Known:
    """What rows may refer to: models and quantities by id."""

    models: Mapping[str, ModelRow]
    quantities: Mapping[str, QuantityRow]


class Nearest:
    """Offers the nearest known name, each unknown name looked up once and only the first few at all."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names, self.seen = sorted(set(names)), dict[str, str]()

    def advice(self, name: str) -> str:
        """What to write instead, or nothing.

        >>> Nearest(["mmlu", "gsm8k"]).advice("mmllu")
        'did you mean mmlu?'
        """
        if name not in self.seen and len(self.seen) < OFFERED:
            near = difflib.get_close_matches(name.lower(), self.names, n=1, cutoff=0.6)
            self.seen[name] = f"did you mean {near[0]}?" if near else ""
        return self.seen.get(name, "")


def identifier(name: str, place: Place, column: str, grammar: re.Pattern[str], nearest: Nearest) -> BadCell | None:
    """Check the spelling of an id: look-alikes from other alphabets are named by code point."""
    if grammar.fullmatch(name):
        return None
    odd = stranger(name)
    found = f"{ascii(name)[1:-1][:80]} with {odd}" if odd else name[:80]
    return BadCell(*place, column, found, f"an id matching {grammar.pattern}", nearest.advice(name))


def _twice(keys: Sequence[object], places: Sequence[Place], column: str) -> list[BadCell]:
    first: dict[object, Place] = {}
    problems = []
    for key, place in zip(keys, places, strict=True):
        if key in first:
            problems.append(BadCell(*place, column, f"{key} again", f"one row each: it is already in row {first[key][1]}"))
        else:
            first[key] = place
    return problems


def _size(value: float, unit: str, place: Place, column: str, lowest: float = 1.0) -> BadCell | None:
    ceiling = CEILINGS.get(unit)
    if ceiling is None:
        return None
    if value > ceiling or value < lowest:
        expected = f"between {plain(lowest)} and {ceiling:g} {unit}"
        return BadCell(*place, column, plain(value), expected, "check the unit: plain numbers, not billions or trillions")
    return None


def models(table: CsvTable[ModelRow]) -> list[BadCell]:
    """Check models.csv: ids, release dates that can be cited, sizes that can be."""
    problems = _twice([row.model_id for row in table.items], table.where(), "model_id")
    nearest = Nearest([])
    for row, place in zip(table.items, table.where(), strict=True):
        problem = identifier(row.model_id, place, "model_id", MODEL_ID, nearest)
        problems += [problem] if problem else []
        for column, name in (("family", row.family), ("organisation", row.organisation)):
            if odd := stranger(name):
                problems.append(BadCell(*place, column, ascii(name)[1:-1], "ASCII", odd))
        if (row.released_on is None) != (row.released_precision == ""):
            problems.append(
                BadCell(*place, "released_precision", row.released_precision or "nothing", "day or month where released_on is set")
            )
        if (row.released_on is None) != (row.release_source == ""):
            problems.append(BadCell(*place, "release_source", row.release_source or "nothing", "a source for each release date"))
        for column, unit in (
            ("params_total", "parameters"),
            ("params_active", "parameters"),
            ("training_tokens", "tokens"),
            ("training_flops", "flops"),
        ):
            value = getattr(row, column)
            problem = _size(value, unit, place, column, lowest=FLOORS[unit]) if value is not None else None
            problems += [problem] if problem else []
        if row.params_active is not None and row.params_total is not None and row.params_active > row.params_total:
            problems.append(
                BadCell(*place, "params_active", plain(row.params_active), f"at most params_total {plain(row.params_total)}")
            )
    return problems


def quantities(table: CsvTable[QuantityRow], sources: Collection[str]) -> list[BadCell]:
    """Check quantities.csv: ids, units, bounds in order, and a resolver that exists."""
    problems = _twice([row.quantity_id for row in table.items], table.where(), "quantity_id")
    nearest, near_source = Nearest(UNITS), Nearest(sources)
    for row, place in zip(table.items, table.where(), strict=True):
        problem = identifier(row.quantity_id, place, "quantity_id", QUANTITY_ID, nearest)
        problems += [problem] if problem else []
        if row.unit not in UNITS:
            problems.append(BadCell(*place, "unit", row.unit, "one of " + ", ".join(UNITS), nearest.advice(row.unit)))
        if row.lower is not None and row.upper is not None and row.lower >= row.upper:
            problems.append(BadCell(*place, "upper", plain(row.upper), f"more than lower {plain(row.lower)}"))
        if row.chance is not None and not within(row.chance, row):
            problems.append(BadCell(*place, "chance", plain(row.chance), bounds(row)))
        if row.items is not None and row.items < 1:
            problems.append(BadCell(*place, "items", plain(row.items), "at least 1, or nothing"))
        if row.resolver not in sources:
            expected = "a folder of registry/sources"
            problems.append(BadCell(*place, "resolver", row.resolver, expected, near_source.advice(row.resolver)))
    return problems


def aliases(table: CsvTable[AliasRow], known: Known, sources: Collection[str]) -> list[BadCell]:
    """Check aliases.csv: every target exists and no spelling means two things in one source."""
    keys = [(row.alias, row.source_id, row.kind) for row in table.items]
    problems = _twice(keys, table.where(), "alias")
    ids = {"model": known.models, "quantity": known.quantities}
    nearest = {kind: Nearest(names) for kind, names in ids.items()}
    near_source = Nearest(sources)
    for row, place in zip(table.items, table.where(), strict=True):
        if masked(row.alias):
            expected = f"{ascii_twin(row.alias)!r}, in letters of one alphabet"
            problems.append(BadCell(*place, "alias", ascii(row.alias)[1:-1][:80], expected, stranger(row.alias)))
        if row.id not in ids[row.kind]:
            problems.append(BadCell(*place, "id", row.id[:80], f"a {row.kind} of the record", nearest[row.kind].advice(row.id)))
        if row.source_id != "*" and row.source_id not in sources:
            expected = "* or a folder of registry/sources"
            problems.append(BadCell(*place, "source_id", row.source_id, expected, near_source.advice(row.source_id)))
    return problems


def subjects(rows: Sequence[SubjectRow], places: Sequence[Place], known: Known) -> list[BadCell]:
    """Check subjects.csv: ids that are spelt right, listed once, and not the id of a model."""
    problems = _twice([row.subject_id for row in rows], places, "subject_id")
    nearest = Nearest([])
    for row, place in zip(rows, places, strict=True):
        for column in ("subject_id", "run", "family"):
            problem = identifier(getattr(row, column), place, column, MODEL_ID, nearest)
            problems += [problem] if problem else []
        if row.subject_id in known.models:
            problems.append(BadCell(*place, "subject_id", row.subject_id, "a run or checkpoint", "it is a model of models.csv"))
    return problems


def observations(rows: Sequence[ObservationRow], places: Sequence[Place], runs: Collection[str], known: Known) -> list[BadCell]:
    """Check the values of one source; `places` says where each row came from, `runs` which subjects are not models.

    A duplicate key is a problem whether or not the values agree, and the message says which of the two it is.
    """
    problems: list[tuple[int, BadCell]] = []
    near_subject = Nearest([*known.models, *runs])
    near_quantity = Nearest(known.quantities)
    first: dict[object, int] = {}
    for index, row in enumerate(rows):
        other = first.setdefault(row.key, index)
        if other != index:
            problems.append((index, _duplicate(row, rows[other], places[index], places[other])))
        if row.subject_id not in runs and row.subject_id not in known.models:
            problem = identifier(row.subject_id, places[index], "subject_id", MODEL_ID, near_subject)
            advice = near_subject.advice(row.subject_id) or "add it to models.csv or subjects.csv"
            problem = problem or BadCell(*places[index], "subject_id", row.subject_id, "a known model or run", advice)
            problems.append((index, problem))
        if row.quantity_id not in known.quantities:
            problem = identifier(row.quantity_id, places[index], "quantity_id", QUANTITY_ID, near_quantity)
            advice = near_quantity.advice(row.quantity_id) or "add it to quantities.csv"
            problem = problem or BadCell(*places[index], "quantity_id", row.quantity_id, "a known quantity", advice)
            problems.append((index, problem))
    for index, rule in row_rules.broken(rows, known.quantities):
        row = rows[index]
        card = known.quantities.get(row.quantity_id)
        found = plain(getattr(row, rule.column)).strip() or "nothing"
        problem = BadCell(*places[index], rule.column, found, rule.expected(row, card), rule.advice(row, card))
        problems.append((index, problem))
    # By row, and of each row its key and ids first: the sort is stable.
    return [problem for _, problem in sorted(problems, key=lambda one: one[0])]


def still_to_come(days: Iterable[tuple[date | None, Place, str]], today: date) -> list[BadCell]:
    """Dates later than today: nothing is recorded, decided or released before its day."""
    return [
        BadCell(
            *place, column, str(day), f"{today} or earlier: it is still to come", "check the year, or the clock of this machine"
        )
        for day, place, column in days
        if day is not None and day > today
    ]


def _duplicate(row: ObservationRow, other: ObservationRow, place: Place, before: Place) -> BadCell:
    where = f"row {before[1]}" if before[0] == place[0] else f"{before[0]}, row {before[1]}"
    key = f"{row.subject_id}, {row.quantity_id}" + (f", {row.setting}" if row.setting else "") + f", {row.known_on}"
    if row.value == other.value:
        return BadCell(*place, "value", plain(row.value), f"one row for {key}", f"{where} says the same: remove one")
    advice = "keep one, or give the revision its own known_on"
    return BadCell(*place, "value", plain(row.value), f"{plain(other.value)} as in {where} for {key}", advice)
