"""One list of rules, two engines: what is refused as a frame is refused as a table, row for row, and every rule can be broken."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foresaid.registry import database
from foresaid.registry.checks import bulk, row_rules
from foresaid.registry.checks.rows import Known
from foresaid.registry.formats import STATUSES, ObservationRow, QuantityRow

QUANTITIES = {
    name: QuantityRow(name, name, kind, unit, low, high, chance, "higher", None, "", "", "tiny")
    for name, kind, unit, low, high, chance in (
        ("score", "benchmark", "fraction", 0.0, 1.0, 0.25),
        ("open", "benchmark", "fraction", 0.0, 1.0, None),
        ("loss", "loss", "nats_per_token", 0.0, None, None),
        ("tokens", "size", "tokens", None, None, None),
        ("flops", "size", "flops", 1.0, 1e27, None),
        ("rating", "index", "points", 0.0, 4000.0, None),
        ("years", "budget", "years", None, 20.0, None),
    )
}
DAYS = st.dates(date(2024, 1, 1), date(2024, 1, 5))
VALUES = st.one_of(
    st.sampled_from([0.0, -0.0, 0.25, 1.0, 31.0, 2.06, 1e4, 1e14, 1.1e14, 1e27, 1e29, float("inf"), float("-inf"), float("nan")]),
    st.floats(width=32),
)
ROWS = st.builds(
    ObservationRow,
    st.just("acme/tiny-1b"),
    st.sampled_from(sorted(QUANTITIES)),
    st.just(""),
    DAYS,
    VALUES,
    st.none() | VALUES,
    st.none() | st.integers(-1, 2),
    DAYS,
    st.sampled_from(STATUSES),
    st.text(" \t\xa0x", max_size=3),
)
KINDS = ("varchar", "varchar", "varchar", "date", "double", "double", "bigint", "date", "varchar", "varchar")


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = database.staging()
    bulk._names(connection, Known({}, QUANTITIES), ["acme/tiny-1b"])
    bulk._limits(connection, Known({}, QUANTITIES))
    yield connection
    connection.close()


def in_the_engine(engine: duckdb.DuckDBPyConnection, rows: list[ObservationRow]) -> list[tuple[int, str]]:
    """What the large gate says of each row: the same predicates, asked of a table."""
    columns = ", ".join(f"{name} {kind}" for name, kind in zip(ObservationRow._fields, KINDS, strict=True))
    engine.execute(f"create or replace temporary table made (place integer, {columns})")
    places = ", ".join(f"({', '.join('?' * 11)})" for _ in rows)
    engine.execute(f"insert into made values {places}", [cell for place, row in enumerate(rows) for cell in (place, *row)])
    joined = "(select * replace (quantity_id::quantity_name as quantity_id) from made) left join limits using (quantity_id)"
    verdicts = ", ".join(row_rules.verdicts().values())
    told = engine.execute(f"select {verdicts} from {joined} order by place").fetchall()
    return sorted((place, row_rules.RULES[rule].name) for place, row in enumerate(told) for rule in row if rule is not None)


@given(st.lists(ROWS, min_size=20, max_size=20))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_frame_and_a_table_break_the_same_rules(engine: duckdb.DuckDBPyConnection, rows: list[ObservationRow]) -> None:
    small = sorted((place, rule.name) for place, rule in row_rules.broken(rows, QUANTITIES))

    assert small == in_the_engine(engine, rows)


DAY = date(2024, 1, 2)
GOOD = ObservationRow("acme/tiny-1b", "score", "", DAY, 0.5, 0.01, 100, DAY, "reported", "")
BREAKING = {
    "finite value": GOOD._replace(value=float("nan")),
    "possible size": GOOD._replace(quantity_id="tokens", value=627e12),
    "in bounds": GOOD._replace(value=31.0),
    "no loss of zero": GOOD._replace(quantity_id="loss", value=0.0),
    "no rating of zero": GOOD._replace(quantity_id="rating", value=0.0),
    "no size in billions": GOOD._replace(quantity_id="tokens", value=2.06),
    "no zero where guessing scores": GOOD._replace(value=0.0),
    "standard error a number": GOOD._replace(stderr=-0.01),
    "some items": GOOD._replace(n=0),
    "recorded in time": GOOD._replace(recorded_on=date(2024, 1, 1)),
    "suspect for a reason": GOOD._replace(status="suspect", note=" \t"),
}


@pytest.mark.parametrize("name", BREAKING)
def test_each_rule_is_broken_by_its_own_row_and_by_no_sound_one(name: str) -> None:
    assert row_rules.broken([GOOD], QUANTITIES) == []
    assert [(place, rule.name) for place, rule in row_rules.broken([GOOD, BREAKING[name]], QUANTITIES)] == [(1, name)]


def test_every_rule_about_a_typed_row_has_a_row_that_breaks_it() -> None:
    typed = {rule.name for rule in row_rules.RULES if not rule.name.endswith(" known")}  # those speak of cells that are not there

    assert typed == set(BREAKING)


def test_a_suspect_or_withdrawn_value_may_leave_its_bounds_and_only_that() -> None:
    kept = [GOOD._replace(status=status, note="627 B are meant", value=31.0) for status in ("suspect", "withdrawn")]

    assert row_rules.broken(kept, QUANTITIES) == []
    assert [rule.name for _, rule in row_rules.broken([kept[0]._replace(n=0)], QUANTITIES)] == ["some items"]
