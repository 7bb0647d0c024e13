"""Attacks on the meaning of entries that came after the first twenty-five, every byte in order: B26 to B33 of docs/campaign.md.

Each was read off the code as it stood before: `verify` would leave with 0 while a score, a state or a mean had changed.
The fix of each is taken out in a copy by `unfixed`, and its test fails there.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.attacks.build import ROUND, TIME
from tests.attacks.test_meaning import (
    BOUND,
    LATER,
    checked,
    child,
    enter,
    on_arc,
    outcome,
    registry,
    standings,
    void,
)  # fmt: skip
from tests.evaluation.test_ledger_scores import batch, score
from tests.ledger.test_store import write
from tests.pipeline.test_a_whole_life import (
    Desk,
    desk,
    world,
)  # fmt: skip

from foresaid.errors import LedgerError
from foresaid.ledger import store
from foresaid.ledger.entries.resolutions import Redaction, Resolution
from foresaid.ledger.entries.schema import Amendment, Entry, RoundEntry, TargetEntry, Withdrawal
from foresaid.ledger.entries.targets import Line, NextRelease
from foresaid.ledger.state.accounting import universe
from foresaid.ledger.state.index import gather
from foresaid.pipeline import outcomes
from foresaid.pipeline.score import with_exits

__all__ = ["desk", "registry"]  # fixtures

BOB = "example.org/bob"
NEXT = msgspec.structs.replace(BOUND, id="arc", rule=NextRelease(lines=[Line(maker="acme", line="next", tier="pro")], ordinal=1))


def again(name: str, benchmark: str = "arc", **changes: Any) -> TargetEntry:
    return msgspec.structs.replace(BOUND, id=name, benchmark=benchmark, same_items=[], **changes)


def test_b26_another_target_on_the_same_benchmark_moves_no_score() -> None:
    """The step between two possible outcomes was looked up by the benchmark, and the last target of the ledger set it."""
    fine, coarse = again("arc", resolution="0.001"), again("other", protocol="another", resolution="0.3")
    made, known = batch([ROUND, fine, on_arc()]), batch([outcome("acme/a", "0.6")], 1)
    before = score(made, known).rows
    after = score(made, known, batch([coarse], 2)).rows

    assert after.equals(before)
    assert (before["covered_50"].to_list(), before["wis"].to_list()) == ([False], [pytest.approx(0.1)])


def test_b27_a_false_void_is_named_and_its_target_keeps_its_outcome_in_the_second_mean(desk: Desk) -> None:
    """Whoever voids a target by a condition it has, before the outcome is entered, needs no closed board: nobody looked."""
    day = date(2027, 5, 2)
    batches = [one for one in store.read(desk.ledger) if not any(isinstance(e, Resolution) for e in one.entries)]
    target = next(e for one in batches for e in one.entries if isinstance(e, TargetEntry) and e.id == "next")
    false = void(round=target.round, target=target.id, condition="board_closed", on="2027-01-02")
    record = world(desk.registry, day)
    honest, _ = outcomes.proposed(batches, record, day)
    lines, differences = outcomes.proposed([*batches, batch([false], 99)], record, day)

    assert [str(one) for one in differences] == ["2026-12/next: the ledger says void, the record says nothing that makes it void"]
    assert lines == honest
    kept = batch([one for one in lines if isinstance(one, Resolution)], 100, LATER)
    done = score(*batches, batch([false], 99), kept)
    row = next(one for one in with_exits(done.table) if one["method"] == "a" and one["n_with_exits"] > one["n"])
    assert row["wis_with_exits"] is not None


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"known_at": "2027-02-20"}, "known on 2027-02-20, the record says known on 2027-01-25"),
        ({"released_on": "2027-01-21"}, "released on 2027-01-21, the record says released on 2027-01-20"),
        (
            {"covariates": []},
            "covariate gpqa acme/next-1 effort=low nothing, the record says covariate gpqa acme/next-1 effort=low 0.5",
        ),
        ({"system": "effort=low"}, "system effort=low, the record says system "),
    ],
)
def test_b28_a_true_value_with_a_false_day_or_covariate_is_told(desk: Desk, change: dict[str, Any], what: str) -> None:
    """A later day lets in forecasts made after the answer was public, an earlier one throws unwelcome ones out as late."""
    day = date(2027, 3, 1)
    batches = [one for one in store.read(desk.ledger) if not any(isinstance(e, Resolution) for e in one.entries)]
    record = world(desk.registry, day)
    lines, differences = outcomes.proposed(batches, record, day)
    assert differences == []
    assert outcomes.proposed([*batches, batch(list(lines), 99, LATER)], record, day)[1] == []

    false = [msgspec.structs.replace(one, **change) if one.target == "next" else one for one in lines]
    _, differences = outcomes.proposed([*batches, batch(list(false), 99, LATER)], record, day)

    assert any(what in str(one) for one in differences if one.target == "next")


def test_b29_one_launch_is_one_outcome_whoever_enters_another_model_for_it() -> None:
    made = batch([ROUND, NEXT, on_arc()])
    first = child(batch([outcome("acme/a", "0.9")], 1), made)
    second = child(batch([outcome("acme/b", "0.5")], 2), first)  # where the forecast stands: its mean would fall by half

    assert score(made, first, second).rows["subject_id"].to_list() == ["acme/a"]
    rival = child(batch([outcome("acme/b", "0.5")], 3), made)  # on another branch: no hash decides which one counts
    assert gather([made, first, rival]).disputed(("2026q4", "arc")) == {"acme/a"}
    assert score(made, first, rival).rows.height == 0


def test_b30_one_model_under_two_names_is_one_outcome(registry: Path) -> None:
    (registry / "merges.csv").write_text(
        "model_id,kept_as,decided_on,reason\nacme/new-preview,acme/new,2026-11-21,one model\n", encoding="utf-8"
    )
    enter(registry, outcome("acme/new", "0.9"), outcome("acme/new-preview", "0.5"))

    assert standings(registry) == {"acme/new": "claimed", "acme/new-preview": "barred"}
    result = checked(registry)
    assert (result.exit_code(), [one.found for one in result.findings]) == (6, ["acme/new-preview"])


@pytest.mark.parametrize(
    ("line", "author", "at", "reason"),
    [
        (again("easy", "mmlu"), BOB, TIME, "target in a round of another author"),
        (again("easy", "mmlu"), None, datetime(2026, 12, 2, tzinfo=UTC), "target set after the deadline of its round"),
        (again("arc-again"), None, TIME, "question asked twice in a round"),
    ],
)
def test_b31_nobody_makes_no_shows_for_others_and_no_question_counts_twice(
    registry: Path, line: TargetEntry, author: str | None, at: datetime, reason: str
) -> None:
    before = universe(checked(registry).batches, checked(registry).accounts)
    by: dict[str, Any] = {"author": author} if author else {}
    with pytest.raises(LedgerError, match=reason):
        write(registry / "ledger", [line], frozen_at=at + timedelta(minutes=5), data=[], **by)
    assert universe(checked(registry).batches, checked(registry).accounts) == before


def test_b31_who_opens_the_same_round_may_ask_in_it(registry: Path) -> None:
    write(registry / "ledger", [ROUND, BOUND, again("mmlu", "mmlu")], minutes=5, data=[], author=BOB)

    assert isinstance(ROUND, RoundEntry)
    assert checked(registry).exit_code() == 0


@pytest.mark.parametrize("kind", ["outcome", "withdrawal", "amendment"])
def test_b32_what_others_rely_on_is_never_redacted(registry: Path, kind: str) -> None:
    """An outcome could be taken away and a better one entered; an amendment for the worse, and the first version counted again."""
    worse = Amendment(amends=on_arc().id, reason="worse", prediction=on_arc(value="0.1").prediction)
    line: dict[str, Entry] = {
        "outcome": outcome("acme/new", "0.9"),
        "withdrawal": Withdrawal(withdraws=on_arc().id, reason="no"),
        "amendment": worse,
    }
    enter(registry, line[kind])
    gone = store.read(registry / "ledger")[-1]
    with pytest.raises(LedgerError, match="redaction of a batch that holds"):
        enter(registry, Redaction(batch=gone.sha256, author=gone.header.author, forecasts=[], reason="law"))


def test_b33_errors_in_different_units_have_no_mean() -> None:
    """A target on a scale of thousandths beside one of hundreds drowned in it, or drowned it."""
    index = again("index", "epoch", unit="points", min="0", max="300", resolution=None, protocol="index")
    far = msgspec.structs.replace(on_arc(), id="2026q4/index/m", target="index", prediction=on_arc(value="150").prediction)
    other = msgspec.structs.replace(outcome("acme/a", "160"), target="index")
    done = score(batch([ROUND, BOUND, index, on_arc(), far]), batch([outcome("acme/a", "0.6"), other], 1))

    assert {row["unit"]: row["wis"] for row in with_exits(done.table)} == {
        "fraction": pytest.approx(0.1),
        "points": pytest.approx(10.0),
    }
