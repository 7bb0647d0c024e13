"""The accounting identity: whatever is in a ledger, every forecast line has one state and the states add up."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.attacks.build import ROUND, TIME
from tests.evaluation.test_ledger_scores import amended, batch, resolution
from tests.evaluation.test_ledger_scores import proved as proved_clock
from tests.ledger.test_store import forecast, target

from foresaid.evaluation.ledger_scores import score_ledger
from foresaid.ledger.entries import commitment
from foresaid.ledger.entries.batch import Batch
from foresaid.ledger.entries.resolutions import Challenge, Redaction, Void
from foresaid.ledger.entries.schema import Entry, Inner, Reveal, Sealed, Withdrawal
from foresaid.ledger.state.accounting import STATES, accounts, identity, sequenced, totals, universe
from foresaid.ledger.state.index import Clock

BENCHMARKS = ("mmlu-pro", "gpqa", "arc", "drop")
AUTHORS = ("example.org/alice", "example.org/bob")
KINDS = ("open", "sealed", "withdrawal", "amendment", "reveal", "resolution", "challenge", "void", "redaction")
STEP = st.tuples(
    st.sampled_from(KINDS), st.sampled_from(BENCHMARKS), st.sampled_from("abc"), st.sampled_from(AUTHORS), st.integers(0, 400)
)


def sealed(benchmark: str, method: str, author: str) -> tuple[Sealed, Reveal]:
    made = forecast(method, benchmark=benchmark)
    inner = Inner(
        author=author, id=made.id, method=method, origin="example.org/lm-forecasts", prediction=made.prediction, primary=False,
        target=made.target,
    )  # fmt: skip
    shut = commitment.seal(inner, bytes(32), "2027-06-01T00:00:00Z")
    return msgspec.convert(msgspec.to_builtins(shut), Sealed), Reveal(opens=made.id, nonce=bytes(32).hex(), forecast=inner)


def ledger_of(steps: list[tuple[str, str, str, str, int]]) -> tuple[list[Batch], Counter[str]]:
    """A lawful ledger from random steps, and how many forecasts each author froze, counted on the way."""
    made = [batch([ROUND, *map(target, BENCHMARKS)])]
    frozen: dict[tuple[str, str], Batch] = {}
    shut: dict[tuple[str, str], Reveal] = {}
    count: Counter[str] = Counter()
    for number, (kind, benchmark, method, author, days) in enumerate(steps, start=1):
        at, name = TIME + timedelta(days=days), f"2026q4/{benchmark}/model-x/{method}"
        key = (author, name)
        entry: Entry
        if kind in ("open", "sealed"):
            if key in frozen:
                continue
            entry, opening = sealed(benchmark, method, author)
            if kind == "open":
                entry = forecast(method, benchmark=benchmark)
            else:
                shut[key] = opening
            made.append(batch([entry], number, at, author))
            frozen[key] = made[-1]
            count[author] += 1
            continue
        if kind in ("withdrawal", "amendment", "reveal", "redaction") and key not in frozen:
            continue
        if kind == "withdrawal":
            entry = Withdrawal(withdraws=name, reason="r")
        elif kind == "amendment":
            entry = msgspec.structs.replace(amended("0.5"), amends=name)
        elif kind == "reveal":
            if key not in shut:
                continue
            entry = shut.pop(key)
        elif kind == "resolution":
            entry = resolution("0.6", benchmark, known_at=at.date().isoformat())
        elif kind == "challenge":
            entry = Challenge(
                round="2026q4", target=f"{benchmark}/model-x", known_at=at.date().isoformat(), evidence="0" * 64, reason="r"
            )
        elif kind == "void":
            entry = Void(
                round="2026q4",
                target=f"{benchmark}/model-x",
                condition="no_release",
                on="2027-06-02",
                evidence="0" * 64,
                reason="r",
            )
        else:
            gone = frozen[key]
            entry = Redaction(batch=gone.sha256, author=author, forecasts=[name], reason="r")
            if days % 2:  # the bytes are gone; with an even number they are still here
                made = [one for one in made if one is not gone]
        made.append(batch([entry], number, at, author))
    return made, count


@settings(max_examples=150)
@given(st.lists(STEP, max_size=40), st.integers(0, 500), st.booleans(), st.sets(st.integers(1, 40)))
def test_the_states_of_any_ledger_add_up_to_its_forecasts(
    steps: list[tuple[str, str, str, str, int]], today: int, wanted: bool, proved: set[int]
) -> None:
    batches, count = ledger_of(steps)
    clock = Clock(TIME + timedelta(days=today), wanted, {f"{n:064x}": TIME + timedelta(days=n) for n in proved})
    found = accounts(batches, clock)
    counts = totals(found)

    assert count.total() == sequenced(batches) == counts["forecasts"] == sum(counts[name] for name in STATES)
    assert count == Counter(one.author for one in found)
    assert len({(one.author, one.id) for one in found}) == len(found)
    for row in universe(batches, found):
        shown = {one.target for one in found if one.author == row["author"]}
        assert set(row["no_shows"]) >= {f"{name}/model-x" for name in BENCHMARKS} - shown
        assert row["targets"] == len(BENCHMARKS)


@settings(max_examples=40)
@given(st.lists(STEP, max_size=30), st.integers(0, 500))
def test_whoever_is_late_or_worst_is_named_and_whoever_counts_is_scored(
    steps: list[tuple[str, str, str, str, int]], today: int
) -> None:
    batches, _ = ledger_of(steps)
    done = score_ledger(batches, replace(proved_clock(batches), now=TIME + timedelta(days=today)))
    named = {(row["author"], row["id"]): set[str]() for row in done.table}
    for row in done.table:
        named[row["author"], row["id"]].add(row["standing"])

    for one in done.accounts:
        standings = named.get((one.author, one.id), set())
        assert ("penalised" in standings) == (one.state in ("unopened", "redacted")), one
        assert one.state != "late" or "late" in standings, one
        assert ("scored" in standings) == (one.state == "scored"), one
    assert done.rows.height == sum(row["n"] for row in done.table if row["standing"] in ("scored", "penalised"))
    assert done.rows.filter(pl.col("wis").is_null()).height == 0


def test_a_forecast_line_that_lost_its_state_is_noticed() -> None:
    twice = [batch([ROUND, target("arc"), forecast("a", benchmark="arc")]), batch([forecast("a", benchmark="arc")], 1)]

    assert sequenced(twice) == 2
    assert identity(accounts(twice, Clock(datetime(2026, 11, 22, tzinfo=UTC)))).startswith(
        "1 forecasts = 0 scored + 0 claimed + 1 pending"
    )
