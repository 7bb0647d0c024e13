"""What one observation may say: every rule once, for files of any size.

A rule is a name, the column it speaks of, one predicate and its message. The predicate is SQL in the few words that Polars and
DuckDB read alike, over the columns of the row and the limits of its quantity: small files are checked as a frame, files too large
to hold as rows inside the engine (`bulk`), and neither has a rule of its own. Of the rules of one column only the first that a row
breaks is told, in the order of the list. To add a rule, add it to `RULES`.

A value with status `suspect` or `withdrawn` is a known upstream error kept on the record, or repeats one: it alone may leave its
bounds. Ids, look-alikes and repeated keys are not rules of one row: they need the rest of the record (`rows`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from foresaid.registry.formats import STATUSES, ObservationRow, QuantityRow, plain
from foresaid.registry.schema import ROWS

# Beyond any run announced: a larger figure is a slip of units, such as 627 T tokens for 627 B.
CEILINGS = {"parameters": 1e14, "tokens": 1e14, "flops": 1e28, "examples": 1e13, "words": 1e14}
# Below any run of a language model: a smaller figure is a slip of units the other way, such as 2.06 for 2.06 billion tokens.
FLOORS = {"parameters": 1e5, "tokens": 1e4, "flops": 1e12, "words": 1e4}
RATING = 1000.0  # a scale in points from 0 to this or beyond is a rating around an anchor (Elo), where nobody stands at 0
CHANCE_FLOOR = 0.2  # where guessing scores this much, exactly 0.0 stands for "not measured"
LIMITS = {
    "quantity_id": pl.String,
    "kind": pl.String,
    "unit": pl.String,
    **dict.fromkeys(("lower", "upper", "chance", "smallest", "largest"), pl.Float64),
}

Told = Callable[[ObservationRow, QuantityRow | None], str]


def _says(words: str) -> Told:
    return lambda row, quantity: words


_NO_ADVICE = _says("")


@dataclass(frozen=True)
class RowRule:
    """One rule: `broken` is true of a row that breaks it; `expected` and `advice` say what should stand there and what to do.

    `broken` may name the columns of observations.csv and, of the row's quantity, `kind`, `unit`, `lower`, `upper`, `chance`,
    `smallest` and `largest` (nothing where the quantity has no such limit).
    """

    name: str
    column: str
    broken: str
    expected: Told
    advice: Told = _NO_ADVICE


def within(number: float, quantity: QuantityRow) -> bool:
    """Whether a number lies in the bounds of its quantity."""
    low, high = quantity.lower, quantity.upper
    return (low is None or number >= low) and (high is None or number <= high)


def bounds(quantity: QuantityRow) -> str:
    """The bounds of a quantity in words.

    >>> bounds(QuantityRow("mmlu", "MMLU", "benchmark", "fraction", 0.0, 1.0, 0.25, "higher", 100, "", "", "tiny"))
    'a fraction in [0, 1]'
    """
    low = "-inf" if quantity.lower is None else plain(quantity.lower)
    high = "inf" if quantity.upper is None else plain(quantity.upper)
    return f"a fraction in [{low}, {high}]" if quantity.unit == "fraction" else f"a value in [{low}, {high}] {quantity.unit}"


def _possible_size(row: ObservationRow, quantity: QuantityRow | None) -> str:
    assert quantity is not None
    low = 1.0 if quantity.lower is None else quantity.lower
    return f"between {plain(low)} and {CEILINGS[quantity.unit]:g} {quantity.unit}"


def _in_bounds(row: ObservationRow, quantity: QuantityRow | None) -> str:
    assert quantity is not None
    return f"{bounds(quantity)} for {row.quantity_id}"


def _percent(row: ObservationRow, quantity: QuantityRow | None) -> str:
    percent = quantity is not None and quantity.unit == "fraction" and 1.0 < row.value <= 100.0
    return "this looks like percent: divide by 100" if percent else ""


def _smallest(row: ObservationRow, quantity: QuantityRow | None) -> str:
    assert quantity is not None
    return f"{plain(FLOORS[quantity.unit])} or more {quantity.unit} for {row.quantity_id}"


def _guessing(row: ObservationRow, quantity: QuantityRow | None) -> str:
    assert quantity is not None
    return f"about {plain(quantity.chance)} or more: guessing scores that on {row.quantity_id}"


_BOUNDED = "status not in ('suspect', 'withdrawn')"
_FINITE = "abs({0}) <= 1.7976931348623157e308"  # false of infinities and of NaN, which both engines order last
_MISSING = _says("leave the row out if 0 stands for missing")
RULES = (
    RowRule("subject known", "subject_id", "subject_id is null", _says("a known model or run")),
    RowRule("quantity known", "quantity_id", "quantity_id is null", _says("a known quantity")),
    RowRule("day known", "known_on", "known_on is null", _says("a date such as 2024-05-31")),
    RowRule("status known", "status", "status is null", _says("one of " + ", ".join(STATUSES))),
    RowRule(
        "finite value",
        "value",
        f"value is null or not ({_FINITE.format('value')})",
        _says("a finite number"),
        _says("leave the row out if the value is unknown"),
    ),
    RowRule(
        "possible size",
        "value",
        f"{_BOUNDED} and largest is not null and (value > largest or value < coalesce(lower, 1.0))",
        _possible_size,
        _says("check the unit: plain numbers, not billions or trillions"),
    ),
    RowRule("in bounds", "value", f"{_BOUNDED} and (value < lower or value > upper)", _in_bounds, _percent),
    RowRule(
        "no loss of zero",
        "value",
        f"{_BOUNDED} and kind = 'loss' and value = 0.0",
        lambda row, quantity: f"a loss above 0 for {row.quantity_id}",
        _MISSING,
    ),
    RowRule(
        "no rating of zero",  # the capabilities index, which has negative values, and Brier indices up to 100 are no ratings
        "value",
        f"{_BOUNDED} and kind = 'index' and unit = 'points' and lower = 0.0 and upper >= {RATING} and value = 0.0",
        lambda row, quantity: f"a rating above 0 for {row.quantity_id}",
        _MISSING,
    ),
    RowRule(
        "no size in billions",
        "value",
        f"{_BOUNDED} and value < smallest",
        _smallest,
        _says("write plain numbers: 2.06 billion is 2060000000"),
    ),
    RowRule(
        "no zero where guessing scores",
        "value",
        f"{_BOUNDED} and kind = 'benchmark' and chance >= {CHANCE_FLOOR} and value = 0.0",
        _guessing,
        _MISSING,
    ),
    RowRule(
        "standard error a number",
        "stderr",
        f"stderr is not null and not (stderr >= 0.0 and {_FINITE.format('stderr')})",
        _says("a finite number, at least 0"),
    ),
    RowRule("some items", "n", "n < 1", _says("at least 1, or nothing")),
    RowRule(
        "recorded in time",
        "recorded_on",
        "recorded_on is null or recorded_on < known_on",
        lambda row, quantity: f"{row.known_on} or later: nothing is recorded before it is known",
    ),
    RowRule(
        "suspect for a reason",
        "note",
        "status = 'suspect' and (note is null or trim(replace(note, '\t', ' ')) = '')",
        _says("the reason why the value is suspect"),
    ),
)


def verdicts(rules: Sequence[RowRule] = RULES) -> dict[str, str]:
    """For each column the SQL of its verdict: the place in `rules` of the first rule a row breaks, or nothing."""
    cases: dict[str, list[str]] = {}
    for place, rule in enumerate(rules):
        cases.setdefault(rule.column, []).append(f"when {rule.broken} then {place}")
    return {column: f"case {' '.join(whens)} end" for column, whens in cases.items()}


def limits(quantities: Mapping[str, QuantityRow]) -> pl.DataFrame:
    """The limits of every quantity, one row each, with the columns of `LIMITS`."""
    rows = [
        (
            *(name, card.kind, card.unit, card.lower, card.upper, card.chance),
            FLOORS.get(card.unit) if card.kind == "size" else None,
            CEILINGS.get(card.unit),
        )
        for name, card in quantities.items()
    ]
    return pl.DataFrame(rows, schema=LIMITS, orient="row")


def broken(rows: Sequence[ObservationRow], quantities: Mapping[str, QuantityRow]) -> list[tuple[int, RowRule]]:
    """Every broken rule with the place of its row, by row and then by the order of `RULES`.

    >>> from datetime import date
    >>> row = ObservationRow("a/b", "mmlu", "", date(2024, 5, 31), float("nan"), None, 0, date(2024, 5, 31), "reported", "")
    >>> [(place, rule.name) for place, rule in broken([row], {})]
    [(0, 'finite value'), (0, 'some items')]
    """
    columns = zip(*rows, strict=True) if rows else [()] * len(ROWS)
    frame = pl.DataFrame(dict(zip(ROWS, columns, strict=True)), schema=ROWS)
    told = frame.join(limits(quantities), on="quantity_id", how="left", maintain_order="left").select(
        pl.sql_expr(verdict).alias(column) for column, verdict in verdicts().items()
    )
    found = [
        (place, number)
        for column in told.get_columns()
        if column.null_count() < column.len()
        for place, number in enumerate(column.to_list())
        if number is not None
    ]
    return [(place, RULES[number]) for place, number in sorted(found)]
