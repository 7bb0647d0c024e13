"""Baselines: simple points, and spreads that are their own record."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

from foresaid.fitting.data import Covariate, Target, TrainingTable
from foresaid.forecasting import baselines
from foresaid.forecasting.baselines import FOR_RELEASES, FOR_SIZES, Question, forecast, forecasts, past_errors
from foresaid.forecasting.board import Lineage, boards, to_probit
from foresaid.scoring.levels import LEVELS

MEDIAN = LEVELS.index(0.5)


def table(rows: list[tuple[str, str, int, float, float]]) -> TrainingTable:
    """Rows of (name, family, month of 2024, covariate, value)."""
    target = Target("t", "T", "t", (Covariate("x", "identity"),), 0.0, 1.0, 0.0, 1.0, "s")
    return TrainingTable(
        target,
        tuple(name for name, *_ in rows),
        tuple(family for _, family, *_ in rows),
        tuple(date(2024, month, 1) for _, _, month, *_ in rows),
        tuple(date(2024, month, 1) for _, _, month, *_ in rows),
        np.array([[x] for *_, x, _ in rows]),
        np.array([y for *_, y in rows]),
    )


KNOWN = table([("a1", "a", 1, 1.0, 0.2), ("a2", "a", 3, 2.0, 0.3), ("b1", "b", 2, 3.0, 0.7)])


def one(name: str, known: TrainingTable, row: tuple[str, str, int, float, float], who: Lineage | None = None) -> float:
    """The point of a baseline for one asked row."""
    first, second = boards(known, table([row]), who or Lineage({}))
    return {**FOR_RELEASES, **FOR_SIZES}[name].point(first, second, 0)


def test_the_newest_member_speaks_for_its_family() -> None:
    assert one("last_of_family", KNOWN, ("a3", "a", 5, 0.0, 0.0)) == 0.3


def test_a_new_family_gets_the_mean_of_all() -> None:
    assert one("last_of_family", KNOWN, ("z1", "z", 5, 0.0, 0.0)) == np.mean([0.2, 0.3, 0.7])


def test_the_straight_line_goes_through_points_on_a_line() -> None:
    line = table([("a", "a", 1, 0.0, 0.1), ("b", "b", 1, 1.0, 0.2), ("c", "c", 1, 2.0, 0.3)])

    np.testing.assert_allclose(one("straight_line", line, ("d", "d", 2, 4.0, 0.0)), 0.5)


def test_past_errors_leave_the_whole_family_out() -> None:
    # a1 and a2 are forecast from b1 alone, b1 from the better of a1 and a2.
    np.testing.assert_allclose(past_errors(FOR_RELEASES["best_known"], boards(KNOWN, KNOWN)[0]), [0.2 - 0.7, 0.3 - 0.7, 0.7 - 0.3])


LINES = Lineage({"a1": ("A", "aa", "mini"), "a2": ("A", "aa", "large"), "a3": ("A", "aa", "mini"), "b1": ("B", "bb", "large")})


def test_the_last_of_line_and_tier_is_not_the_last_of_the_maker() -> None:
    asked = ("a3", "a", 5, 0.0, 0.0)

    assert one("last_of_line_and_tier", KNOWN, asked, LINES) == 0.2
    assert one("last_of_maker", KNOWN, asked, LINES) == 0.3


def test_the_nearest_effort_of_the_last_day_speaks() -> None:
    known = table([("a1[effort=low]", "a", 1, 0.0, 0.2), ("a1[effort=high]", "a", 1, 0.0, 0.6), ("a1", "a", 1, 0.0, 0.4)])

    found = [
        one("last_of_line_and_tier", known, (f"a3{word}", "a", 5, 0.0, 0.0), LINES)
        for word in ("[effort=high]", "[effort=none]", "")
    ]

    assert found == [0.6, 0.2, 0.4]


def test_a_new_line_gets_the_mean_of_the_newest_on_the_probit_scale() -> None:
    known = table([(f"m{i}", f"f{i}", 1 + i // 12, 0.0, 0.1 if i < 12 else 0.2 + 0.05 * i / 12) for i in range(24)])
    z = to_probit(known.y[12:]).mean()

    assert to_probit(np.array([one("last_of_line_and_tier", known, ("n", "n", 5, 0.0, 0.0))]))[0] == pytest.approx(z)


def test_trends_find_a_straight_line_of_probits_and_the_frontier_its_records() -> None:
    rows = [
        (f"m{i}", f"f{i}", 1 + i, 0.0, float(norm.cdf(-1.0 + 0.1 * (date(2024, 1 + i, 1) - date(2024, 1, 1)).days / 30)))
        for i in range(6)
    ]
    low = [(f"l{i}", f"l{i}", 1 + i, 0.0, 0.05) for i in range(1, 6)]
    expected = float(norm.cdf(-1.0 + 0.1 * (date(2024, 9, 1) - date(2024, 1, 1)).days / 30))

    assert one("average_trend", table(rows), ("n", "n", 9, 0.0, 0.0)) == pytest.approx(expected)
    assert one("frontier_trend", table(rows + low), ("n", "n", 9, 0.0, 0.0)) == pytest.approx(expected)
    assert one("average_trend", table(rows + low), ("n", "n", 9, 0.0, 0.0)) < expected


def test_a_baseline_that_follows_time_is_as_unsure_as_it_was_for_later_releases() -> None:
    rows = table([(f"m{i}", f"f{i}", 1 + i, 0.0, (0.1, 0.2, 0.4, 0.5, 0.9)[i]) for i in range(5)])
    errors = past_errors(FOR_RELEASES["last_of_maker"], boards(rows, rows)[0])

    # No maker is known twice, so each is forecast by the mean of those before it; two rows have fewer than three before them.
    before = [to_probit(rows.y[:i]).mean() for i in (3, 4)]
    np.testing.assert_allclose(errors, [0.5 - norm.cdf(before[0]), 0.9 - norm.cdf(before[1])])


def test_few_errors_are_pooled_over_the_group_and_a_dozen_are_not() -> None:
    few, many = KNOWN, table([(f"m{i}", f"f{i}", 1 + i % 12, 0.0, 0.5 + 0.01 * i) for i in range(14)])
    chosen = {"best_known": FOR_RELEASES["best_known"]}
    asked = table([("n", "n", 12, 0.0, 0.0)])
    alone = [forecast(chosen["best_known"], known, asked).quantiles for known in (few, many)]
    both = forecasts([Question(few, asked, chosen, "g"), Question(many, asked, chosen, "g"), Question(few, asked, chosen)])

    assert both[0]["best_known"].quantiles.tolist() != alone[0].tolist()
    assert both[1]["best_known"].quantiles.tolist() == alone[1].tolist()
    assert both[2]["best_known"].quantiles.tolist() == alone[0].tolist()


def test_the_mean_of_six_is_the_average_of_their_quantiles() -> None:
    found = forecasts([Question(KNOWN, table([("c1", "c", 5, 5.0, 0.9)]), FOR_RELEASES, "g")])[0]

    np.testing.assert_allclose(found["mean_of_six"].quantiles, np.mean([found[name].quantiles for name in baselines.SIX], axis=0))


def test_every_baseline_gives_quantiles_that_ascend_within_bounds() -> None:
    target = table([("c1", "c", 5, 5.0, 0.9)])
    for baseline in {**FOR_RELEASES, **FOR_SIZES}.values():
        made = forecast(baseline, KNOWN, target)

        assert (np.diff(made.quantiles, axis=1) >= 0).all()
        assert made.quantiles.min() >= 0
        assert made.quantiles.max() <= 1


def test_the_median_is_the_point_and_the_spread_its_own_record() -> None:
    target = table([("c1", "c", 5, 5.0, 0.9)])
    sizes = np.abs(past_errors(FOR_RELEASES["last_of_family"], boards(KNOWN, KNOWN)[0]))

    made = forecast(FOR_RELEASES["last_of_family"], KNOWN, target)

    np.testing.assert_allclose(made.quantiles[0, MEDIAN], 0.4)
    np.testing.assert_allclose(made.quantiles[0, LEVELS.index(0.99)], min(0.4 + np.quantile([*sizes, *-sizes], 0.99), 1.0))


def turned_over(rows: TrainingTable) -> TrainingTable:
    """The same rows as a score of which less is better, each value as far above the one bound as it was below the other."""
    return replace(rows, target=replace(rows.target, lower_is_better=True), y=1.0 - rows.y)


@pytest.mark.parametrize("name", FOR_RELEASES)
def test_where_less_is_better_a_baseline_says_the_mirror_image(name: str) -> None:
    known = table([(f"m{i}", "ab"[i % 2], 1 + i, 0.0, 0.1 + 0.05 * i + 0.02 * (i % 3)) for i in range(8)])
    asked = table([("new", "c", 12, 0.0, 0.0)])
    as_is = forecast(FOR_RELEASES[name], known, asked)
    mirrored = forecast(FOR_RELEASES[name], turned_over(known), turned_over(asked))

    np.testing.assert_allclose(mirrored.point, 1.0 - as_is.point, atol=1e-12)
    np.testing.assert_allclose(mirrored.quantiles, 1.0 - as_is.quantiles[:, ::-1], atol=1e-12)


def test_the_best_brier_score_so_far_is_the_least() -> None:
    rows = turned_over(KNOWN)
    best = {"best_known": FOR_RELEASES["best_known"]}

    assert forecast(best["best_known"], rows, rows).point[0] == pytest.approx(0.3)
    assert forecasts([Question(rows, rows, best, None)])[0]["best_known"].point[0] == pytest.approx(0.3)


def test_errors_kept_from_another_origin_are_those_made_anew() -> None:
    every = {**FOR_RELEASES, **FOR_SIZES}
    rows = [(f"m{i}", f"f{i % 4}", 1 + i % 11, float(i), 0.1 + 0.07 * (i * 5 % 11)) for i in range(11)]
    origins = [table(rows[:count]) for count in (5, 8, 8, 11)]
    moved = table([*rows[:4], ("m4", "f0", 5, 4.0, 0.99), *rows[5:]])  # one score was revised
    seen: dict[Hashable, Any] = {}

    for known in (*origins, moved):
        for item in every.values():
            board = boards(known, known)[0]

            assert past_errors(item, board, seen).tobytes() == past_errors(item, board).tobytes()


def test_a_question_without_a_baseline_has_no_answer_and_costs_no_board() -> None:
    asked = table([("z", "z", 5, 4.0, 0.0)])

    assert forecasts([Question(KNOWN, asked, {})]) == [{}]
