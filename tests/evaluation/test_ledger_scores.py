"""Scores of ledgers made up in memory: every version of every forecast has its line, and what nobody can read is worst."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.attacks.build import HEADER, ROUND, TIME
from tests.ledger.entries.test_commitment import NOW, OPENED
from tests.ledger.test_store import OPENING, SEALED, target
from tests.ledger.test_store import forecast as on_five_levels

from foresaid.evaluation.ledger_scores import OTHER_LEVELS, Scores, score_ledger, worst_value
from foresaid.ledger.entries.batch import Batch
from foresaid.ledger.entries.resolutions import Challenge, Redaction, Resolution, Void
from foresaid.ledger.entries.schema import Amendment, Entry, ForecastEntry, Header, Quantiles
from foresaid.ledger.entries.targets import Bound
from foresaid.ledger.state.index import Clock, moment
from foresaid.scoring.levels import LEVELS
from foresaid.scoring.rules import weighted_interval_score

VALUES = [round(0.371 + 0.2 * level, 4) for level in LEVELS]
WEEK = timedelta(days=7)


def at_every_level(values: list[float]) -> Quantiles:
    return Quantiles(levels=[f"{level:g}" for level in LEVELS], values=[f"{value:g}" for value in values])


def forecast(name: str) -> ForecastEntry:
    return msgspec.structs.replace(on_five_levels(name), prediction=at_every_level(VALUES))


def batch(lines: list[Entry], number: int = 0, at: datetime = TIME, author: str = "example.org/alice") -> Batch:
    """A batch that never was a file; its name is its number."""
    data = {"origin": HEADER["origin"], "data": [], "code": HEADER["code"], "n": len(lines), "parents": []}
    when = {"as_of": at.date().isoformat(), "frozen_at": at.strftime("%Y-%m-%dT%H:%M:%SZ")}
    header = Header(author=author, **data, **when)  # type: ignore[arg-type]
    return Batch(f"{number:064x}", header, tuple(enumerate(lines, start=2)), number)


def resolution(value: str, benchmark: str = "mmlu-pro", known_at: str = "2027-01-05", **more: Any) -> Resolution:
    name = benchmark if "subject" in more else f"{benchmark}/model-x"
    return Resolution(
        round="2026q4",
        target=name,
        value=value,
        known_at=known_at,
        released_on="2026-12-31",
        snapshot="0" * 64,
        source="s",
        covariates=[],
        **more,
    )


def proved(batches: Sequence[Batch]) -> Clock:
    """A clock by which every batch was there when it says."""
    return Clock(NOW, wanted=True, proved={one.sha256: moment(one.header.frozen_at) for one in batches})


def score(*batches: Batch) -> Scores:
    return score_ledger(batches, proved(batches))


def lines(done: Scores) -> dict[tuple[str, int, str], dict[str, Any]]:
    return {(row["id"], row["version"], row["standing"]): row for row in done.table}


def test_quantiles_are_scored_on_the_resolution_of_their_target() -> None:
    done = score(batch([*OPENING, forecast("a")]), batch([resolution("0.6")], 1))
    expected = weighted_interval_score(np.array([VALUES]), LEVELS, np.array([0.6]))

    (row,) = done.rows.to_dicts()
    assert (row["subject_id"], row["law"], row["observed"], row["median"]) == ("model-x", "a", 0.6, 0.471)
    assert row["wis"] == pytest.approx(float(expected.wis[0]))
    assert (row["covered_90"], row["covered_50"]) == (False, False)
    assert [one.state for one in done.accounts] == ["scored"]


@pytest.mark.parametrize("levels", [["0.01", "0.5", "0.99"], ["0.2", "0.9"], ["0.01", "0.99"]])
def test_a_forecast_at_other_levels_is_kept_and_enters_no_mean(levels: list[str]) -> None:
    values = [f"{0.4 + 0.1 * float(level):g}" for level in levels]
    odd = msgspec.structs.replace(forecast("a"), prediction=Quantiles(levels=levels, values=values))
    done = score(batch([*OPENING, odd]), batch([resolution("0.6")], 1))

    assert done.rows.height == 0
    assert done.no_forecast["status"].to_list() == [OTHER_LEVELS]
    assert lines(done)[odd.id, 1, "scored"]["wis"] is None
    assert [one.state for one in done.accounts] == ["scored"]


def test_an_opened_seal_is_scored_and_an_unopened_one_is_worst_and_named() -> None:
    known = resolution("0.6", "gpqa")
    opened = score(batch([*OPENING, SEALED]), batch([OPENED], 1, TIME + WEEK), batch([known], 2))
    assert opened.no_forecast["status"].to_list() == [OTHER_LEVELS]  # INNER has three levels
    assert lines(opened)[SEALED.id, 1, "scored"]["n"] == 0

    shut = score(batch([*OPENING, SEALED]), batch([known], 1))
    (row,) = shut.rows.to_dicts()
    assert (row["wis"], row["covered_80"], row["status"]) == (pytest.approx(0.6), False, "unopened")
    assert lines(shut)[SEALED.id, 0, "penalised"]["subjects"] == ["model-x"]
    assert [one.state for one in shut.accounts] == ["unopened"]

    too_late = score(batch([*OPENING, SEALED]), batch([OPENED], 1, datetime(2027, 6, 2, tzinfo=UTC)), batch([known], 2))
    assert too_late.rows["wis"].to_list() == pytest.approx([0.6])
    assert lines(too_late)[SEALED.id, 1, "late"]["subjects"] == ["model-x"]


def test_an_unopened_seal_without_an_outcome_is_named_without_a_number() -> None:
    done = score(batch([*OPENING, SEALED]))

    assert done.rows.height == 0
    assert lines(done)[SEALED.id, 0, "penalised"]["wis"] is None


def test_a_redacted_forecast_is_worst_on_the_outcome_of_its_target() -> None:
    gone = Redaction(batch="f" * 64, author="example.org/alice", forecasts=[forecast("a").id], reason="court order")
    done = score(batch(OPENING), batch([gone, resolution("0.3")], 1))

    assert done.rows["wis"].to_list() == pytest.approx([0.7])
    assert [one.state for one in done.accounts] == ["redacted"]
    assert score(batch([gone])).table[0]["standing"] == "penalised"  # its target is gone too


@given(
    st.lists(st.floats(0, 1), min_size=23, max_size=23).map(sorted),
    st.floats(0, 1),
)
def test_no_forecast_within_the_bounds_is_worse_than_the_worst(values: list[float], outcome: float) -> None:
    worst = abs(worst_value(0.0, 1.0, outcome) - outcome)
    made = weighted_interval_score(np.array([values]), LEVELS, np.array([outcome]))

    assert worst == max(outcome, 1.0 - outcome)
    assert float(made.wis[0]) <= worst + 1e-12


def amended(value: str) -> Amendment:
    return Amendment(amends=forecast("a").id, reason="r", prediction=at_every_level([float(value)] * len(LEVELS)))


@pytest.mark.parametrize(("revision", "counts"), [("first", 1), ("last-before-deadline", 2)])
def test_both_versions_are_scored_and_the_one_of_the_rounds_rule_counts(revision: str, counts: int) -> None:
    opened = msgspec.structs.replace(ROUND, revision=revision)
    done = score(
        batch([opened, *OPENING[1:], forecast("a")]),
        batch([amended("0.5")], 1, TIME + timedelta(days=1)),
        batch([amended("0.9")], 2, datetime(2026, 12, 2, tzinfo=UTC)),
        batch([resolution("0.6")], 3),
    )
    table = lines(done)

    assert done.rows.height == 1
    assert {version: standing for _, version, standing in table if version < 3} == {counts: "scored", 3 - counts: "superseded"}
    assert table[forecast("a").id, 2, "scored" if counts == 2 else "superseded"]["wis"] == pytest.approx(0.1)
    assert table[forecast("a").id, 3, "late"]["wis"] == pytest.approx(0.3)


def test_a_late_forecast_is_scored_in_the_table_and_in_no_mean() -> None:
    done = score(batch(OPENING), batch([forecast("a")], 1, datetime(2026, 12, 2, tzinfo=UTC)), batch([resolution("0.6")], 2))

    assert done.rows.height == 0
    assert lines(done)[forecast("a").id, 1, "late"]["subjects"] == ["model-x"]
    assert [one.state for one in done.accounts] == ["late"]


BINDING = msgspec.structs.replace(target("arc"), id="arc", rule=Bound(binds="model"))
RULED = ForecastEntry(
    id="2026q4/arc/a", target="arc", method="a", primary=True, prediction=at_every_level([0.5] * len(LEVELS))
)  # fmt: skip


def test_a_score_known_before_makes_the_forecast_late_for_that_model_alone() -> None:
    before = resolution("0.8", "arc", known_at="2026-11-20", subject="model-a")
    after = resolution("0.4", "arc", subject="model-b")
    doubted = Challenge(
        round="2026q4", target="arc", subject="model-c", known_at="2026-11-01", evidence="0" * 64, reason="an archived page"
    )
    third = resolution("0.1", "arc", subject="model-c")
    made = batch([ROUND, BINDING, RULED])
    done = score(made, batch([before, after, third, doubted], 1))

    assert done.rows["subject_id"].to_list() == ["model-b"]
    assert lines(done)[RULED.id, 1, "late"]["subjects"] == ["model-a", "model-c"]
    assert [one.state for one in done.accounts] == ["scored"]
    alone = score(made, batch([before], 1))
    assert (alone.accounts[0].state, alone.rows.height) == ("pending", 0)
    assert alone.table[0]["standing"] == "late"


def test_an_amendment_counts_for_the_models_whose_score_was_not_known_yet() -> None:
    change = msgspec.structs.replace(amended("0.9"), amends=RULED.id)
    early = resolution("0.8", "arc", known_at="2026-11-24", subject="model-a")
    late = resolution("0.8", "arc", subject="model-b")
    done = score(batch([ROUND, BINDING, RULED]), batch([change], 1, TIME + WEEK), batch([early, late], 2))

    assert dict(done.rows.select("subject_id", "median").iter_rows()) == {"model-a": 0.5, "model-b": 0.9}
    assert lines(done)[RULED.id, 2, "late"]["subjects"] == ["model-a"]


def test_void_and_withdrawn_targets_are_scored_nowhere() -> None:
    void = Void(round="2026q4", target="mmlu-pro/model-x", condition="no_release", on="2027-06-02", evidence="0" * 64, reason="why")
    done = score(batch([*OPENING, forecast("a")]), batch([resolution("0.6"), void], 1))

    assert (done.rows.height, done.accounts[0].state) == (0, "void")
    assert [(row["standing"], row["n"], row["subjects"]) for row in done.table] == [("void", 1, ["model-x"])]  # kept, and named


def test_a_later_resolution_does_not_replace_the_first() -> None:
    done = score(batch([*OPENING, forecast("a")]), batch([resolution("0.6"), resolution("0.7")], 1))

    assert done.rows["observed"].to_list() == [0.6]


def test_another_authors_method_is_named_after_them() -> None:
    both = (batch([*OPENING, forecast("a")]), batch([forecast("a")], 1, author="example.org/bob"), batch([resolution("0.6")], 2))
    done = score_ledger(both, proved(both), "example.org/alice")

    assert done.rows["law"].sort().to_list() == ["a", "example.org/bob:a"]
    assert target("mmlu-pro").benchmark in done.units
