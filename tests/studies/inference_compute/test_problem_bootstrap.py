"""The test-time protocols' further tables: resampled problems, difficulty, ten points more."""

from __future__ import annotations

import numpy as np
import pytest

from foresaid.fitting.fit import fit
from foresaid.laws import _loader as laws
from foresaid.report.sections import inference_compute
from foresaid.sources._reading import Reading, RunSubject, Score
from foresaid.studies.inference_compute import problem_bootstrap
from foresaid.studies.inference_compute.series import coverage_series, effort_series, solved_counts

SAMPLES = 20_000


def reading(problems: int = 128) -> Reading:
    """One run whose problems differ in difficulty, one of them never solved."""
    rates = np.linspace(0.0, 1.0, problems) ** 4 / 20.0
    scores = [
        Score("m", "math_solve_rate", f"problem={i}", round(rate * SAMPLES) / SAMPLES, n=SAMPLES) for i, rate in enumerate(rates)
    ]
    return Reading(scores, [RunSubject("m", "run", "m", "m")])


def test_counts_are_kept_for_runs_with_every_problem_sampled_enough() -> None:
    assert list(solved_counts(reading())) == ["m"]
    assert solved_counts(reading(127)) == {}


def test_draws_over_problems_are_wider_than_draws_over_points_and_leave_the_point() -> None:
    (held,), counts = coverage_series(reading()), solved_counts(reading())
    law = laws.load("coverage", {"sources": ["s"], "series": {}})
    found = fit(law, held.train, 7, 20)
    again = problem_bootstrap.over_problems(law, found, counts["m"], 7, 20)
    spread = [float(np.ptp(law.curve(each.draws, held.test.x))) for each in (found, again)]

    np.testing.assert_array_equal(again.point, found.point)
    assert again.interval_recalibration == 1.0
    assert spread[1] > spread[0]
    np.testing.assert_array_equal(again.draws, problem_bootstrap.over_problems(law, found, counts["m"], 7, 20).draws)


def test_harder_fifths_are_solved_less_and_more_samples_solve_more() -> None:
    table = problem_bootstrap.by_difficulty(solved_counts(reading()))

    assert table.shape == (5, 5)
    assert (np.diff(table, axis=0) >= 0).all()
    assert (np.diff(table, axis=1) >= 0).all()
    assert len(inference_compute.difficulty_lines(solved_counts(reading()))) == 7


@pytest.mark.parametrize(("values", "expected"), [([0.2, 0.3, 0.4, 0.5, 0.6, 0.7], True), ([0.7] * 6, False)])
def test_ten_points_more_are_reached_by_a_rise_and_not_by_a_level(values: list[float], expected: bool) -> None:
    subjects = [RunSubject(f"m/{i}", "run", f"m/{i}", "m") for i in range(len(values))]
    scores = []
    for i, (subject, value) in enumerate(zip(subjects, values, strict=True)):
        scores.append(Score(subject.subject_id, "response_tokens", "", 100.0 * 2.0**i))
        scores.append(Score(subject.subject_id, "effort_mmlu", "", value))
    held = effort_series(Reading(scores, subjects))
    law = laws.load("token_line", {"sources": ["s"], "series": {}})
    found = problem_bootstrap.ten_points(held, law, 7, 10)
    (reach,) = found.values()

    assert bool(np.isfinite(reach.times)) is expected
    assert ("not reachable" not in reach.said().split(" (")[0]) is expected
    assert inference_compute.ten_point_lines({"a": found, "b": {}})[2].endswith("| no fit |")
