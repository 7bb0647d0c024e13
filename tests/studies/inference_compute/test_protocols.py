"""The protocols of the laws of compute: what is held out, what is counted, what a table says."""

from __future__ import annotations

import numpy as np
import pytest

from foresaid.laws import _loader as laws
from foresaid.scoring.levels import LEVELS
from foresaid.sources._reading import Reading, RunSubject, Score
from foresaid.studies.inference_compute import protocols, series
from foresaid.studies.inference_compute.series import Scored


def effort(points: list[tuple[float, float]]) -> Reading:
    """One model on one benchmark at these budgets."""
    subjects = [RunSubject(f"m/{i}", "run", f"m/{i}", "m") for i in range(len(points))]
    scores = []
    for subject, (tokens, value) in zip(subjects, points, strict=True):
        scores.append(Score(subject.subject_id, "response_tokens", "", tokens))
        scores.append(Score(subject.subject_id, "effort_mmlu", "", value))
    return Reading(scores, subjects)


RISING = [(100.0, 0.2), (200.0, 0.3), (400.0, 0.4), (800.0, 0.5), (1600.0, 0.6), (3200.0, 0.65)]


def test_only_the_largest_budget_of_a_series_is_held_out() -> None:
    (held,) = series.effort_series(effort(RISING))

    assert held.test.y.tolist() == [0.65]
    assert held.train.x.max() == pytest.approx(np.log(1600.0))
    assert held.train.n == 5


def test_a_series_of_four_points_is_left_out() -> None:
    assert series.effort_series(effort(RISING[:4])) == []


@pytest.mark.parametrize(("last", "expected"), [(0.5, "fell"), (0.605, "level"), (0.7, "rose")])
def test_falls_levels_and_rises_are_counted_against_the_best_smaller_budget(last: float, expected: str) -> None:
    held = series.effort_series(effort([*RISING[:5], (3200.0, last)]))

    assert {"fell": 0, "level": 0, "rose": 0, expected: 1} == series.shapes(held)


def test_coverage_is_fitted_to_a_hundred_samples_and_asked_at_ten_thousand() -> None:
    scores = [Score("m", "math_solve_rate", f"problem={i}", i / 128 / 50, n=20_000) for i in range(128)]
    (held,) = series.coverage_series(Reading(scores, [RunSubject("m", "run", "m", "m")]))

    assert np.exp(held.train.x.max()) == pytest.approx(100.0)
    assert np.exp(held.test.x).tolist() == [[pytest.approx(10_000.0)]]
    assert held.test.y[0] > held.train.y.max()


def test_a_run_with_too_few_samples_of_one_problem_has_no_coverage_at_ten_thousand() -> None:
    scores = [Score("m", "math_solve_rate", f"problem={i}", 0.01, n=9_999 if i == 3 else 20_000) for i in range(128)]

    assert series.coverage_series(Reading(scores, [RunSubject("m", "run", "m", "m")])) == []


def test_a_straight_series_is_forecast_by_the_line() -> None:
    straight = [(100.0 * 2**i, 0.2 + 0.05 * i) for i in range(8)]
    law = laws.load("token_line", {"sources": ["s"], "series": {}})
    made = protocols.run(series.effort_series(effort(straight)), [law], 7, 10)["token_line"]

    assert made.point.tolist() == pytest.approx([0.55], abs=1e-6)


def test_a_table_counts_what_its_intervals_held() -> None:
    quantiles = np.tile(np.array(LEVELS), (4, 1))
    line = Scored(quantiles, np.full(4, 0.5), np.array([0.5, 0.05, 0.3, 0.999]), ("a", "a", "b", "b")).line(log=False)

    assert (line["n"], line["series"], line["50"], line["80"], line["95"]) == (4, 2, 0.5, 0.5, 0.75)
