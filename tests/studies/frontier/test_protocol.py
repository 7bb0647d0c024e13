"""The frontier question: its rows, its scores, its tables, and on the upstream files the figures of the cheap forms."""

from __future__ import annotations

from datetime import date
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.studies.capability.mirror import HUB_2026_03, HUB_2026_05, hub_cells, mirror, needs_mirror
from tests.studies.frontier.mirror import boards, index_cells

from foresaid.errors import RecordError, UnreadableError
from foresaid.laws import _frontier_jumps, _frontier_still
from foresaid.laws._frontier_lag import Lag, rises, with_lag
from foresaid.laws._frontier_rows import LEVELS, Board, board
from foresaid.laws._frontier_scale import to_line
from foresaid.scoring.rules import crps_of_draws
from foresaid.studies.frontier.boards import FAMILIES, read
from foresaid.studies.frontier.forms import DEFAULT, LEVEL, MEANS, STILL, standing, with_mean
from foresaid.studies.frontier.place import known_before, place, shifted, transforms
from foresaid.studies.frontier.protocol import Law, questions, run, scored, skill
from foresaid.studies.frontier.ratings import MEAN, ask_series, horizons, refit
from foresaid.studies.frontier.tables import tables

CUT = date(2025, 1, 1)
ALIVE = board("alive", "f", [(date(2024, month, 1), 0.1 * month) for month in range(1, 7)] + [(date(2025, 2, 1), 0.9)])
CLOSED = board("closed", "g", [(date(2024, month, 1), 0.1) for month in range(1, 9)])
YOUNG = board("young", "g", [(date(2024, 12, 1), 0.1), (date(2025, 2, 1), 0.5)])


def test_closed_and_young_boards_are_not_asked() -> None:
    asked = questions([ALIVE, CLOSED, YOUNG], CUT)
    assert {one.board for one in asked} == {"alive"}
    assert len(asked) == 6
    assert {one.months for one in questions([ALIVE], CUT, last=date(2025, 7, 15))} == {3, 6}


def test_rows_carry_today_and_the_outcome() -> None:
    rows, quantiles = run([ALIVE, CLOSED], {"no change": _frontier_jumps.no_change}, [CUT])
    one = rows.row(by_predicate=(pl.col("top") == 1) & (pl.col("months") == 3), named=True)
    assert (one["now"], one["outcome"]) == (pytest.approx(0.6), 0.9)
    scores = scored(rows, quantiles["no change"])
    assert scores["crps"].to_list() == pytest.approx((rows["outcome"] - rows["now"]).to_list())
    assert scores["above"].all()
    assert not scores["held"].any()


def test_skill_is_a_ratio_and_its_bounds_draw_families() -> None:
    scores = pl.DataFrame({"family": ["a", "a", "b"], "crps": [1.0, 1.0, 2.0]})
    reference = pl.DataFrame({"family": ["a", "a", "b"], "crps": [2.0, 2.0, 2.0]})
    gain, low, high = skill(scores, reference, np.random.default_rng(0))
    assert [gain, low, high] == pytest.approx([1 - 4 / 6, 0.0, 0.5])


def test_means_are_level_by_level() -> None:
    parts = {name: np.full((1, 200), float(i)) for i, name in enumerate(MEANS["mean of four"])}
    found = with_mean(parts)
    assert found["mean of four"][0, 0] == 1.5
    assert found["mean of three"][0, 0] == 1.0


def test_a_law_that_is_told_how_often_a_record_stands_still_stays_more_often() -> None:
    """A law sure of a rise, on boards of which one rose in every span and one in none: the chance of no rise is the boards' own."""
    boards, cut = [ALIVE, CLOSED], CUT.toordinal()
    asked = questions(boards, CUT)[:1]

    def sure(boards: object, origin: float, asked: list[object]) -> np.ndarray:
        return np.tile(np.linspace(0.7, 0.9, 200), (len(asked), 1))

    seen = [one.by(cut) for one in boards]
    found = standing(sure)(seen, cut, asked)  # type: ignore[arg-type]
    pool = _frontier_jumps.past_jumps(seen, cut, asked[0].top, asked[0].months, STILL.fewest)
    chance = _frontier_still.chance_of_none(pool, seen[0].frontier(cut, asked[0].top), STILL.bandwidth)
    assert 0 < chance < 1
    assert np.mean(found == seen[0].frontier(cut, asked[0].top)) == pytest.approx(chance, abs=0.005)
    assert DEFAULT in MEANS


def test_place_is_above_zero_where_outcomes_come_too_high() -> None:
    rows = pl.DataFrame({"family": ["a", "b"], "outcome": [0.9, 0.8]})
    low, high = np.tile(np.linspace(0, 0.5, 200), (2, 1)), np.tile(np.linspace(0.85, 1, 200), (2, 1))
    assert place(rows, low, np.random.default_rng(0)) == (0.5, 0.5, 0.5)
    assert place(rows[1:], high[1:], np.random.default_rng(0))[0] == -0.5
    np.testing.assert_array_equal(transforms(np.full((1, 200), 0.3), np.array([0.3])), [0.5])


def test_a_shift_is_learned_only_from_what_was_known() -> None:
    """The first cut-off stays; the second moves up by the error of the first, whose span had ended, and no further row counts."""
    rows = pl.DataFrame({"cutoff": [date(2024, 1, 1), date(2024, 1, 1), date(2024, 7, 1)], "months": [3, 12, 3],
                         "now": [0.2, 0.2, 0.2], "outcome": [0.6, 0.99, 0.3]})  # fmt: skip
    before = np.tile(np.linspace(0.3, 0.5, 200), (3, 1))
    assert known_before(rows, date(2024, 7, 1)).tolist() == [0]
    after = shifted(rows, before)
    np.testing.assert_array_equal(after[:2], before[:2])
    assert np.median(after[2]) == pytest.approx(0.6, abs=0.01)


def test_a_series_is_asked_only_where_something_came() -> None:
    day = np.array([date(2024, month, 1).toordinal() for month in range(1, 10)], dtype=float)
    rows = ask_series(day, np.arange(9.0), [date(2024, 7, 15), date(2024, 10, 1)], date(2024, 12, 31))
    assert {(row["cutoff"], row["months"]) for row in rows} == {(date(2024, 7, 15), 3)}
    by_form = {row["form"]: row for row in rows}
    assert by_form["no change"]["crps"] == pytest.approx(2.0)
    assert by_form["no change"]["above"]
    assert by_form[MEAN]["crps"] < 2.0
    assert np.isnan(refit({"a": 1.0}, {"b": 1.0})[1])


def test_a_damaged_file_of_horizons_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="benchmark_results"):
        horizons(tmp_path / "none.yaml", 80)
    (tmp_path / "bad.yaml").write_text("results: {agent: {release_date: 2025-01-01}}", encoding="utf-8")
    with pytest.raises(RecordError, match="agent: expected release_date"):
        horizons(tmp_path / "bad.yaml", 80)


def test_every_table_has_a_line_a_form() -> None:
    rows, quantiles = run([ALIVE, CLOSED], {"jumps": _frontier_jumps.pooled, "no change": _frontier_jumps.no_change}, [CUT])
    for title, table in tables(rows, quantiles, 1):
        assert title
        assert len({len(line) for line in table}) == 1
        assert len(table) >= 2


def test_a_missing_or_damaged_index_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match=r"eci_scores\.csv"):
        read(tmp_path)
    (tmp_path / "eci_scores.csv").write_text("Model,Organization\n")
    (tmp_path / "eci_benchmarks.csv").write_text("benchmark,performance,model\n")
    with pytest.raises(RecordError, match="column date is missing"):
        read(tmp_path)
    (tmp_path / "eci_benchmarks.csv").write_text("benchmark,performance,model,date\nHLE,half,m,2025-01-01\n")
    with pytest.raises(RecordError, match="line 2"):
        read(tmp_path)


@needs_mirror
def test_rows_and_the_cheap_forms_on_the_index_file() -> None:
    """447 rows of 41 boards in 10 families below .85, 231 of 32 at the last two cut-offs; no change and both forms of jumps."""
    laws: dict[str, Law] = {
        "no change": _frontier_jumps.no_change,
        "jumps": _frontier_jumps.pooled,
        "jumps by level": partial(_frontier_jumps.by_level, settings=LEVEL),
    }
    rows, quantiles = run(boards(), laws)
    below = pl.col("now") < 0.85
    late = below & (pl.col("cutoff") >= date(2025, 7, 1))
    assert (rows.filter(below).height, rows.filter(late).height) == (447, 231)
    assert (rows.filter(late)["board"].n_unique(), rows.filter(late)["family"].n_unique()) == (32, 10)
    for name, every, last in (("no change", 0.1404, 0.1455), ("jumps", 0.0752, 0.0678), ("jumps by level", 0.0627, 0.0550)):
        scores = scored(rows, quantiles[name])
        assert scores.filter(below)["crps"].mean() == pytest.approx(every, abs=1e-4)
        assert scores.filter(late)["crps"].mean() == pytest.approx(last, abs=1e-4)
    assert len(FAMILIES) == 10
    assert index_cells()["benchmark"].n_unique() == len({one.name for one in boards()})


def _hub(folder: str) -> list[Board]:
    cells = hub_cells(mirror() / folder)
    return [
        board(str(name), "hub", list(part.select("released_on", "value").iter_rows()))
        for (name,), part in sorted(cells.group_by("benchmark"), key=lambda pair: str(pair[0][0]))
    ]


@needs_mirror
def test_a_lag_learned_on_one_pair_of_downloads_helps_on_the_next() -> None:
    """March to 11 April teaches, 19 April to May is scored: the lag lowers the CRPS of a frontier taken as it stands."""
    first, second, third, fourth = (
        _hub(folder)
        for folder in (
            HUB_2026_03,
            "Jason-Wang313+stereology@2026-04-11/data/epoch_ai",
            "madhu24raj+bayes-llm-saturation@2026-04-19/benchmark_data",
            HUB_2026_05,
        )
    )
    lag = Lag(rises(first, second, float(date(2026, 2, 20).toordinal()), 1), 1.6)
    day = float(date(2026, 4, 19).toordinal())
    later = {one.name: one for one in fourth}
    now = np.array([one.frontier(day, 1) for one in third if one.name in later])
    outcome = np.array([later[one.name].frontier(day, 1) for one in third if one.name in later])
    both = np.isfinite(now) & np.isfinite(outcome)
    point = np.repeat(now[both][:, None], len(LEVELS), axis=1)
    without = crps_of_draws(point.T, outcome[both]).mean()
    with_it = crps_of_draws(with_lag(point, lag, 0.8).T, outcome[both]).mean()
    assert np.mean(lag.rises != 0.0) == pytest.approx(10 / 46)
    assert with_it < without
    names = {one.name: one for one in second}
    then = float(date(2026, 2, 20).toordinal())
    pairs = np.array([(one.frontier(then, 1), names[one.name].frontier(then, 1)) for one in first if one.name in names])
    pairs = pairs[np.isfinite(pairs).all(axis=1)]
    on_line = Lag(to_line(pairs[:, 1]) - to_line(pairs[:, 0]), 1.6, on_line=True)
    assert crps_of_draws(with_lag(point, on_line, 0.8).T, outcome[both]).mean() < with_it


@needs_mirror
def test_horizons_of_80_percent_lie_below_those_of_one_half() -> None:
    """17 agents of METR's version 1.1; every horizon at 80 % is the shorter, and the forms say what the results page prints."""
    path = mirror() / "IAPS-AI+METR-Time-Horizons" / "benchmark_results_1_1.yaml"
    day, half = horizons(path, 50)
    same_day, value = horizons(path, 80)
    assert len(day) == len(same_day) == 17
    assert value.max() < half.max()
    cutoffs = [date(2024, month, 1) for month in (4, 7, 10)] + [date(2025, 1, 1)]
    rows = pl.DataFrame(ask_series(same_day, value, cutoffs, date(2025, 11, 24)))
    crps = dict(rows.group_by("form").agg(pl.col("crps").mean()).iter_rows())
    assert crps["no change"] == pytest.approx(2.14, abs=0.005)
    assert crps[MEAN] == pytest.approx(0.80, abs=0.005)
