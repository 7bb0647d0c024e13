"""A small round drafted from the shipped record: what it asks, what it says, and that its published rows make it again.

The round file is the shipped one with fewer lines; the law, the boards and the values are the record's own.
"""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import pytest
from tests.conftest import ROOT, Built

from foresaid.errors import ParameterError
from foresaid.laws._frontier_rows import Question
from foresaid.ledger.entries import schema as entries
from foresaid.ledger.entries.schema import ForecastEntry, JointPrediction, Quantiles
from foresaid.ledger.entries.target_rules import against
from foresaid.ledger.entries.targets import NextRelease, RecordBy, known_digest
from foresaid.pipeline import round as rounds
from foresaid.pipeline.round import Draft, draft
from foresaid.registry.same_model import names
from foresaid.scoring.levels import LEVELS
from foresaid.studies.frontier.forms import MEANS
from foresaid.studies.rounds import cards, forecasts, hindcast, records, releases, round_file, training
from foresaid.studies.rounds.boards import Board, closed, parted
from foresaid.studies.rounds.round_file import Alive, RoundFile

SHIPPED = ROOT / "registry" / "rounds" / "2026-12.yaml"
DAY = date(2026, 11, 28)
LINES = ("claude-opus", "gpt-mini", "gpt-sol")


def small() -> RoundFile:
    """The shipped round with three lines and the frontier of two."""
    file = round_file.read(SHIPPED)
    lines = {name: file.next_release.lines[name] for name in LINES}
    accepted = {name: why for name, why in file.accepted.items() if any(f"next-{line}-" in name for line in LINES)}
    return msgspec.structs.replace(
        file,
        next_release=msgspec.structs.replace(file.next_release, lines=lines),
        frontier=msgspec.structs.replace(file.frontier, lines=["claude-opus", "gpt-sol"]),
        accepted=accepted,
    )


@pytest.fixture(scope="module")
def made(built: Built) -> Draft:
    return draft(built.params, built.build, built.registry, small(), DAY)


def test_no_board_is_asked_that_is_closed_or_saturated_and_each_says_why(made: Draft) -> None:
    asked = {one.board.benchmark for one in made.asked}

    assert not asked & set(made.not_asked)
    assert "epoch_chess_puzzles" in asked
    assert "of the way to its ceiling" in made.not_asked["epoch_gpqa_diamond"]
    assert "newest model of 2025-10-15" in made.not_asked["epoch_math_level_5"]
    assert "read last on 2025-08-06" in made.not_asked["lmarena_text_elo_2025_08"]


def test_a_line_is_asked_only_where_a_model_of_it_was_measured(made: Draft) -> None:
    for one in made.asked:
        if isinstance(one.target.rule, NextRelease):
            lines = {(line.maker, line.line, line.tier) for line in one.target.rule.lines}
            assert lines & set(one.board.models.select("maker", "line", "tier").iter_rows())


def squeezed(name: str) -> str:
    return "".join(sign for sign in name.rpartition("/")[2].lower() if sign.isalnum())


def test_the_list_of_known_models_holds_every_release_that_is_known_to_exist(made: Draft, mirror: Path) -> None:
    """By id, by a spelling of aliases.csv, or by the id of its preview: `gemini-3.1-pro` is `gemini-3.1-pro-preview` there."""
    spelt = names(ROOT / "registry")
    known = {squeezed(name) for name in made.known}
    with (mirror / "RELEASES.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["released_on"] <= DAY.isoformat()]
    missing = [
        row["id"]
        for row in rows
        if not any(one.startswith(squeezed(row["id"])) for one in known) and spelt.get(row["name"]) not in set(made.known)
    ]

    assert len(rows) > 100
    assert missing == []
    assert {one.target.known for one in made.asked} == {known_digest(made.known)}


def test_the_record_at_the_freeze_is_what_the_rule_itself_finds(made: Draft, built: Built) -> None:
    history = pl.read_parquet(built.build / "database" / "history.parquet")
    for one in made.asked:
        if isinstance(one.target.rule, RecordBy):
            mine = history.filter(
                (pl.col("quantity_id") == one.target.benchmark)
                & (pl.col("source_id") == one.target.resolver)
                & pl.col("counts")
                & (pl.col("kind") == "model")
            )
            first = mine.sort("known_on", "value").unique(["subject_id", "setting"], keep="first", maintain_order=True)
            assert one.target.rule.record is not None
            assert Decimal(one.target.rule.record) == pytest.approx(Decimal(str(first["value"].max())))


def test_every_line_is_lawful_and_every_target_has_one_primary(made: Draft) -> None:
    targets = {one.target.id: one.target for one in made.asked}
    for line in (*targets.values(), *made.forecasts):
        assert entries.parse(msgspec.to_builtins(line)) == line
    assert [
        against(one.prediction, targets[one.target]) for one in made.forecasts if against(one.prediction, targets[one.target])
    ] == []
    primary = [one.target for one in made.forecasts if one.primary]
    assert sorted(primary) == sorted(targets)
    assert {one.method for one in made.forecasts if one.primary} == {"capability", "quantile_mean_of_six", "mean_of_three"}


def test_the_published_rows_alone_make_the_same_forecasts(made: Draft) -> None:
    content = training.to_bytes(made.rows)
    again = training.from_bytes(content, DAY)
    named = {"next-gpt-mini-epoch_chess_puzzles", "record-2027-03-31-epoch_chess_puzzles", "record-2027-06-30-epoch_eci_index"}
    asked = [one.target for one in made.asked if one.target.id in named]
    found = forecasts.make(asked, again, made.file.primary, 1.1, made.seed)
    frozen = {one.id: one for one in made.forecasts}

    assert training.to_bytes(again) == content
    assert len(found) > 15
    for one in found:
        before = frozen[one.id].prediction
        if isinstance(one.prediction, Quantiles) and one.target.startswith("next"):
            assert one == frozen[one.id]
        elif isinstance(one.prediction, JointPrediction):
            assert entries.encode(one) == entries.encode(frozen[one.id])
        else:  # a record is asked with fewer days before it here, and a later day never lies below an earlier one
            assert one.prediction == before


def test_records_have_the_means_of_the_frontier_study_beside_the_primary(made: Draft) -> None:
    """Mean of four: of the same board and day the level-by-level mean of its parts, of which simulated releases are one."""
    methods = {one.method for one in made.forecasts if one.target == "record-2027-03-31-epoch_chess_puzzles"}
    assert methods >= {"simulated_releases", "mean_of_four", "mean_of_four_to_ceilings"}

    rows = made.rows
    at = float(rows.read_on["epoch_chess_puzzles"].toordinal())
    seen, asked = [one.by(at) for one in records.boards_of(rows)], [Question("epoch_chess_puzzles", 1, 6)]
    cells = records.best_cells(rows)
    found = records._as_in_the_study(seen, at, asked, cells, made.seed)
    parts = np.mean([found[name] for name in MEANS["mean of four"]], axis=0)
    np.testing.assert_allclose(found["mean of four"], parts)
    best = cells.filter(pl.col("benchmark") == "epoch_chess_puzzles")
    assert sorted(best["value"]) == pytest.approx(sorted(next(one for one in seen if one.name == asked[0].board).value))
    other = records._as_in_the_study(seen, at, asked, cells, made.seed + 1)
    assert np.abs(other["simulated releases"] - found["simulated releases"]).max() > 0


def test_a_record_never_lies_below_the_record_at_the_freeze_nor_falls_with_the_day(made: Draft) -> None:
    assert list(cards._falling(drawn(made), made.forecasts)) == []
    for one in made.forecasts:
        if isinstance(one.prediction, Quantiles) and one.target.startswith("record"):
            rule = next(asked.target.rule for asked in made.asked if asked.target.id == one.target)
            assert isinstance(rule, RecordBy)
            assert Decimal(one.prediction.values[0]) >= Decimal(rule.record or "0")


def test_no_forecast_lies_above_the_ceiling_that_the_record_states(made: Draft) -> None:
    """Tier 4 of FrontierMath, whose ceiling Epoch states as .60: releases on any day, records, and every method beside."""
    stated = {one.target.id: one.target for one in made.asked if one.target.ceiling is not None}
    mine = [one for one in made.forecasts if one.target in stated]
    for one in mine:
        target = stated[one.target]
        days = [date(2026, 12, 15), date(2027, 12, 31)]
        for day in days if isinstance(one.prediction, JointPrediction) else days[:1]:
            assert cards.said_quantiles(one, target, day).max() <= float(target.ceiling or 1) + 1e-9

    assert {target.benchmark for target in stated.values()} == {"epoch_frontiermath_tier_4"}
    assert {one.method for one in mine} >= {"capability", "frontier_trend", "quantile_mean_of_six", "mean_of_three"}


def drawn(made: Draft) -> list[cards.Card]:
    return cards.cards(made.asked, made.forecasts, made.rows.launches)


def test_the_cards_find_nothing_that_the_file_does_not_give_a_reason_for(made: Draft, tmp_path: Path) -> None:
    assert rounds.write_draft(made, tmp_path) == []
    page = (tmp_path / rounds.CARDS).read_text(encoding="utf-8")
    assert page.count("\n- next-") + page.count("\n- record-") + page.count("\n- frontier-") == len(made.asked)
    assert "last 0.180 (openai/gpt-5.4-mini, 2026-03-17)" in page
    assert page.count("; accepted: gpt-5.4-mini") == 2
    for name in (rounds.QUESTIONS, rounds.FORECASTS):
        for line in (tmp_path / name).read_bytes().splitlines(keepends=True):
            assert entries.encode(entries.parse(msgspec.json.decode(line))) == line


def narrow(made: Draft, width: float, middle: float) -> tuple[list[cards.Card], list[ForecastEntry]]:
    """The cards with every primary of a next release replaced by a band about the middle."""
    values = np.clip(middle + width * (np.array(LEVELS) - 0.5), 0.0, 1.0)
    return [replace(card, values=values) for card in drawn(made) if card.target.unit == "fraction"], list(made.forecasts)


def test_a_forecast_narrower_than_counting_allows_is_found(made: Draft) -> None:
    found = cards.problems(*narrow(made, 0.001, 0.5), {})
    assert any("next-claude-opus-epoch_chess_puzzles" in line and "counting 100 items" in line for line in found)


def test_a_forecast_that_leaves_out_the_last_value_is_found_unless_a_reason_is_accepted(made: Draft) -> None:
    card, every = narrow(made, 0.02, 0.99)
    name = "next-claude-opus-epoch_chess_puzzles"
    assert any(line.startswith(f"{name}: the last value 0.420") for line in cards.problems(card, every, {}))
    assert not any(line.startswith(f"{name}: the last value") for line in cards.problems(card, every, {name: "why"}))
    idle = cards.problems(card, every, {"record-2027-03-31-epoch_chess_puzzles": "why"})
    assert "record-2027-03-31-epoch_chess_puzzles: a reason is accepted for it, and no check finds anything" in idle


def test_a_record_that_falls_is_found(made: Draft) -> None:
    name = "2026-12/record-2027-12-31-epoch_chess_puzzles/mean_of_three"
    every = [
        msgspec.structs.replace(one, prediction=msgspec.structs.replace(one.prediction, values=["0.64"] * len(LEVELS)))
        if one.id == name
        else one
        for one in made.forecasts
    ]
    [line] = cards.problems(drawn(made), every, made.file.accepted)
    assert line.startswith("epoch_chess_puzzles, mean_of_three: a quantile of the record falls by")


def test_chances_of_round_numbers_fall_with_the_number_and_rise_with_the_day(made: Draft) -> None:
    by_day = [
        card for card in drawn(made) if card.target.id.endswith("epoch_chess_puzzles") and card.target.id.startswith("record")
    ]
    chances = np.array([[card.above(level) for level in (0.65, 0.7, 0.8, 0.9)] for card in by_day])

    assert chances.shape == (3, 4)
    assert (np.diff(chances, axis=1) <= 0).all()
    assert (np.diff(chances, axis=0) >= 0).all()


def test_the_expected_day_is_the_last_launch_and_the_median_gap(made: Draft) -> None:
    target = next(one.target for one in made.asked if one.target.id.startswith("next-claude-opus"))
    days = [date(2026, 1, 1), date(2026, 1, 10), date(2026, 5, 1), date(2026, 11, 1)]  # the second is the launch of the first
    launches = pl.DataFrame(
        [("m", "anthropic", "claude", "opus", day) for day in days],
        schema=["model_id", "maker", "line", "tier", "released_on"], orient="row",
    )  # fmt: skip

    assert releases.expected_day(target, launches) == date(2027, 4, 2)  # gaps of 120 and 184 days
    assert releases.expected_day(target, launches.head(3)) == date(2026, 12, 28)  # overdue: a month after the target opens
    assert releases.expected_day(target, launches.clear()) == date(2027, 3, 28)


ALIVE = Alive(fewest=3, measured_within=100, read_within=200, saturated=0.85)


def board(days: list[date], values: list[float], read_on: date = date(2026, 6, 1)) -> Board:
    rows = [(f"m{i}", "acme", "x", "plain", "r", day, value) for i, (day, value) in enumerate(zip(days, values, strict=True))]
    models = pl.DataFrame(rows, schema=["model_id", "maker", "line", "tier", "release", "released_on", "value"], orient="row")
    return Board("b", "share", "s", "p", "fraction", "higher", 0.0, 1.0, 0.2, 0.8, 0.01, read_on, models)


def test_why_a_board_is_not_asked() -> None:
    fresh = [date(2026, 1, 1), date(2026, 2, 1), date(2026, 5, 1)]

    assert closed(board(fresh, [0.3, 0.4, 0.5]), ALIVE, date(2026, 8, 1)) == ""
    assert "2 models" in closed(board(fresh[:2], [0.3, 0.4]), ALIVE, date(2026, 8, 1))
    assert "read last on 2026-06-01" in closed(board(fresh, [0.3, 0.4, 0.5]), ALIVE, date(2027, 8, 1))
    assert "newest model of 2026-02-01" in closed(board([date(2025, 1, 1), *fresh[:2]], [0.3, 0.4, 0.5]), ALIVE, date(2026, 8, 1))
    assert "0.90 of the way" in closed(board(fresh, [0.3, 0.4, 0.74]), ALIVE, date(2026, 8, 1))  # (.74 - .2) / (.8 - .2)
    assert parted([board(fresh[:2], [0.3, 0.4])], ALIVE, date(2026, 8, 1)) == ([], {"b": "2 models, fewer than 3"})


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("fewest:", "fewst:", "unknown field `fewst`"),
        ('"2027-12-31"]', '"2028-12-31"]', "found 2028-12-31, expected at most 2027-12-31"),
        ('"2027-06-30", ', '"2027-06-31", ', "found the day '2027-06-31'"),
        ("lines: [gpt, ", "lines: [gpt-9, ", "found the line gpt-9"),
        ("id: ", "id: [", "not YAML"),
    ],
)
def test_a_wrong_round_file_is_refused_in_one_line(old: str, new: str, said: str) -> None:
    text = SHIPPED.read_text(encoding="utf-8")
    assert old in text
    with pytest.raises(ParameterError, match=r"^[^\n]*$") as caught:
        round_file.parse(text.replace(old, new, 1), "round.yaml")
    assert said in str(caught.value)


def test_what_is_settled_when_counts_every_target_once(made: Draft) -> None:
    found = cards.calendar(drawn(made))

    assert [day for day, _ in found] == [date(2027, 7, 2), date(2027, 10, 1), date(2028, 4, 2), date(2028, 7, 2)]
    assert sum(int(part.split()[0]) for _, what in found for part in what.split(", ")) == len(made.asked)


ORIGIN = date(2026, 1, 1)


def test_a_hindcast_sees_nothing_after_its_origin_and_scores_what_came(made: Draft) -> None:
    file = msgspec.structs.replace(made.file, next_release=msgspec.structs.replace(made.file.next_release, launched_within=400))
    scores = hindcast.run(file, made.boards, made.rows, [ORIGIN], date(2026, 7, 31), made.factor, made.seed)
    later = pl.col("released_on") > ORIGIN
    blind = replace(made.rows, cells=made.rows.cells.filter(~later), ratings=made.rows.ratings.filter(~later))
    before = hindcast.cut(made.rows, ORIGIN)

    assert before.part(training.CELLS).equals(hindcast.cut(blind, ORIGIN).part(training.CELLS))
    assert before.cells["released_on"].max() <= ORIGIN  # type: ignore[operator]  # days
    assert set(scores["kind"].unique()) >= {"next release", "record", "rating, record"}
    [chess] = scores.filter(
        (pl.col("target") == "next-claude-opus-epoch_chess_puzzles") & (pl.col("method") == "capability")
    ).to_dicts()
    cell = made.rows.cells.filter(
        (pl.col("benchmark") == "epoch_chess_puzzles") & pl.col("model_id").str.starts_with("anthropic/claude-opus-4-6")
    ).sort(pl.col("effort").fill_null(-1.0))
    assert chess["value"] == cell["value"][-1]  # the first Opus after the origin, at its highest effort
    assert chess["wis"] > 0
    assert scores.filter(pl.col("target").str.starts_with("record") & pl.col("method").eq("no_change"))["wis"].min() >= 0  # type: ignore[operator]
    page = hindcast.page(hindcast.table(scores, np.random.default_rng(1)), "Hindcast")
    assert "| **capability** |" in page
    assert "| jumps | " in page


def test_a_record_after_the_last_reading_of_its_board_has_no_outcome(made: Draft) -> None:
    one = next(one for one in made.asked if one.target.id.startswith("record-2027-03-31-weirdml"))
    cells, launches = made.rows.cells, made.rows.launches

    assert hindcast.outcome_of(one.target, one.board, cells, launches, date(2027, 12, 31)) is None
    read = replace(one.board, read_on=date(2027, 6, 1))
    found = hindcast.outcome_of(one.target, read, cells, launches, date(2027, 12, 31))
    assert found is not None
    assert found.value == pytest.approx(one.board.best)
