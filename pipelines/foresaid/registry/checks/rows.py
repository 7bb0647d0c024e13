"""The quality gate: what a well-spelt row may mean.

`record` knows how files are written; this module knows what can be true: that a subject exists, that a score is a
fraction, that no model saw 627 trillion tokens. Every rule returns problems, none raises, so that all of them are shown at
once. A value with status `suspect` is a known upstream error kept on the record: it alone may leave its bounds, and must
say why.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from foresaid.confusables import ascii_twin, masked, stranger
from foresaid.errors import BadCell
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
# Beyond any run announced: a larger figure is a slip of units, such as 627 T tokens for 627 B.
CEILINGS = {"parameters": 1e14, "tokens": 1e14, "flops": 1e28, "examples": 1e13, "words": 1e14}
# Below any run of a language model: a smaller figure is a slip of units the other way, such as 2.06 for 2.06 billion tokens.
FLOORS = {"parameters": 1e5, "tokens": 1e4, "flops": 1e12, "words": 1e4}
RATING = 1000.0  # a scale in points from 0 to this or beyond is a rating around an anchor (Elo), where nobody stands at 0
CHANCE_FLOOR = 0.2  # where guessing scores this much, exactly 0.0 stands for "not measured"
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
        if row.chance is not None and not _within(row.chance, row):
            problems.append(BadCell(*place, "chance", plain(row.chance), _bounds(row)))
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
    problems = []
    near_subject = Nearest([*known.models, *runs])
    near_quantity = Nearest(known.quantities)
    first: dict[object, int] = {}
    for index, (row, place) in enumerate(zip(rows, places, strict=True)):
        other = first.setdefault(row.key, index)
        if other != index:
            problems.append(_duplicate(row, rows[other], place, places[other]))
        if row.subject_id not in runs and row.subject_id not in known.models:
            problem = identifier(row.subject_id, place, "subject_id", MODEL_ID, near_subject)
            advice = near_subject.advice(row.subject_id) or "add it to models.csv or subjects.csv"
            problems.append(problem or BadCell(*place, "subject_id", row.subject_id, "a known model or run", advice))
        quantity = known.quantities.get(row.quantity_id)
        if quantity is None:
            problem = identifier(row.quantity_id, place, "quantity_id", QUANTITY_ID, near_quantity)
            advice = near_quantity.advice(row.quantity_id) or "add it to quantities.csv"
            problems.append(problem or BadCell(*place, "quantity_id", row.quantity_id, "a known quantity", advice))
        problem = value(row, quantity, place)
        problems += [problem] if problem else []
        problems += _rest(row, place)
    return problems


def value(row: ObservationRow, quantity: QuantityRow | None, place: Place) -> BadCell | None:
    """Check one value against its quantity: finite, in bounds, a fraction where one belongs, a size that can be."""
    if not math.isfinite(row.value):
        return BadCell(*place, "value", str(row.value), "a finite number", "leave the row out if the value is unknown")
    if quantity is None or row.status in ("suspect", "withdrawn"):  # a withdrawn row repeats what was accepted or suspect
        return None
    problem = _size(row.value, quantity.unit, place, "value", lowest=quantity.lower if quantity.lower is not None else 1.0)
    if problem:
        return problem
    if not _within(row.value, quantity):
        percent = quantity.unit == "fraction" and 1.0 < row.value <= 100.0
        advice = "this looks like percent: divide by 100" if percent else ""
        return BadCell(*place, "value", plain(row.value), f"{_bounds(quantity)} for {row.quantity_id}", advice)
    if row.value == 0.0 and is_rating(quantity):
        return BadCell(*place, "value", "0", f"a rating above 0 for {row.quantity_id}", "leave the row out if 0 stands for missing")
    if row.value == 0.0 and quantity.kind == "loss":
        return BadCell(*place, "value", "0", f"a loss above 0 for {row.quantity_id}", "leave the row out if 0 stands for missing")
    if quantity.kind == "size" and row.value < FLOORS.get(quantity.unit, -math.inf):
        expected = f"{plain(FLOORS[quantity.unit])} or more {quantity.unit} for {row.quantity_id}"
        return BadCell(*place, "value", plain(row.value), expected, "write plain numbers: 2.06 billion is 2060000000")
    if row.value == 0.0 and quantity.kind == "benchmark" and (quantity.chance or 0.0) >= CHANCE_FLOOR:
        expected = f"about {plain(quantity.chance)} or more: guessing scores that on {row.quantity_id}"
        return BadCell(*place, "value", "0", expected, "leave the row out if 0 stands for missing")
    return None


def is_rating(quantity: QuantityRow) -> bool:
    """Whether a quantity is a rating such as Elo, on which 0 is no place a model has but a missing value.

    The capabilities index, which has negative values, and Brier indices up to 100 are none.
    """
    high = quantity.upper is not None and quantity.upper >= RATING
    return quantity.kind == "index" and quantity.unit == "points" and quantity.lower == 0 and high


def still_to_come(days: Iterable[tuple[date | None, Place, str]], today: date) -> list[BadCell]:
    """Dates later than today: nothing is recorded, decided or released before its day."""
    return [
        BadCell(
            *place, column, str(day), f"{today} or earlier: it is still to come", "check the year, or the clock of this machine"
        )
        for day, place, column in days
        if day is not None and day > today
    ]


def _rest(row: ObservationRow, place: Place) -> list[BadCell]:
    problems = []
    if row.stderr is not None and not (math.isfinite(row.stderr) and row.stderr >= 0):
        problems.append(BadCell(*place, "stderr", plain(row.stderr), "a finite number, at least 0"))
    if row.n is not None and row.n < 1:
        problems.append(BadCell(*place, "n", plain(row.n), "at least 1, or nothing"))
    if row.recorded_on < row.known_on:
        expected = f"{row.known_on} or later: nothing is recorded before it is known"
        problems.append(BadCell(*place, "recorded_on", str(row.recorded_on), expected))
    if row.status == "suspect" and not row.note.strip():
        problems.append(BadCell(*place, "note", "nothing", "the reason why the value is suspect"))
    return problems


def _duplicate(row: ObservationRow, other: ObservationRow, place: Place, before: Place) -> BadCell:
    where = f"row {before[1]}" if before[0] == place[0] else f"{before[0]}, row {before[1]}"
    key = f"{row.subject_id}, {row.quantity_id}" + (f", {row.setting}" if row.setting else "") + f", {row.known_on}"
    if row.value == other.value:
        return BadCell(*place, "value", plain(row.value), f"one row for {key}", f"{where} says the same: remove one")
    advice = "keep one, or give the revision its own known_on"
    return BadCell(*place, "value", plain(row.value), f"{plain(other.value)} as in {where} for {key}", advice)


def _within(number: float, quantity: QuantityRow) -> bool:
    low, high = quantity.lower, quantity.upper
    return (low is None or number >= low) and (high is None or number <= high)


def _bounds(quantity: QuantityRow) -> str:
    low = "-inf" if quantity.lower is None else plain(quantity.lower)
    high = "inf" if quantity.upper is None else plain(quantity.upper)
    return f"a fraction in [{low}, {high}]" if quantity.unit == "fraction" else f"a value in [{low}, {high}] {quantity.unit}"
