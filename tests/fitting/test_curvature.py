"""What steps teach: learned curvature, and starts that stop where another has been; in NumPy and for one lane the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.fitting.test_least_squares import random_problem
from tests.laws.test_every_law import CASES

from foresaid.arrays import Array
from foresaid.fitting import curvature, least_squares
from foresaid.fitting.least_squares import solve
from foresaid.laws import _loader as laws


def symmetric(rng: np.random.Generator, size: int) -> Array:
    root = rng.normal(size=(size, size))
    return np.asarray(root @ root.T)


def test_the_curvature_that_is_missing_is_learned_in_as_many_steps_as_there_are_parameters() -> None:
    rng = np.random.default_rng(1)
    H, missing = symmetric(rng, 4), rng.normal(size=(4, 4))
    missing = missing + missing.T
    rest, t = np.zeros((4, 4)), np.empty(4)
    for d in rng.normal(size=(4, 4)):
        curvature.learn(rest, H, 0.5 * H @ d + rest @ d, (H + missing) @ d, np.zeros(4), d, np.ones(4), t)

    np.testing.assert_allclose(rest, missing, rtol=1e-9, atol=1e-12)


def test_one_lane_learns_what_all_lanes_learn() -> None:
    rng = np.random.default_rng(2)
    H, rest = (np.array([symmetric(rng, 3) for _ in range(5)]) for _ in range(2))
    expected, g, g_before, d = rng.normal(size=(4, 5, 3))
    scale = rng.random((5, 3)) + 0.1
    together = curvature.learn_all(rest, H, expected, g, g_before, d, scale)
    for lane in range(5):
        curvature.learn(rest[lane], H[lane], expected[lane], g[lane], g_before[lane], d[lane], scale[lane], np.empty(3))

    np.testing.assert_allclose(rest, together, rtol=1e-12)


def test_a_change_of_gradient_at_right_angles_to_its_step_teaches_nothing() -> None:
    rest = np.zeros((2, 2))
    curvature.learn(
        rest, np.zeros((2, 2)), np.zeros(2), np.array([0.0, 1.0]), np.zeros(2), np.array([1.0, 0.0]), np.ones(2), np.empty(2)
    )

    assert not rest.any()


@pytest.mark.parametrize(
    ("gain", "before", "along", "settled"), [(0.6, 1.0, 1.0, True), (0.8, 1.0, 1.0, False), (0.8, 1.0, -1.0, True)]
)
def test_steps_settle_when_they_gain_less_or_turn_back(gain: float, before: float, along: float, settled: bool) -> None:
    d, d_before, scale = np.array([along, 0.0]), np.array([1.0, 0.0]), np.ones(2)

    assert bool(curvature.settles(gain, before, d, d_before, scale)) is settled
    assert curvature.settles_all(np.array([gain]), np.array([before]), d[None], d_before[None], scale[None]).tolist() == [settled]


def nearest(F: float, p: Array, g: Array, value: float, place: Array, gradient: Array, bend: Array) -> int:
    """Ask both forms, which must agree, about one known minimum."""
    known = np.concatenate([[value], place, gradient])[None]
    one = curvature.nearest(F, p, g, known, bend[None], 1)
    together = curvature.nearest_all(
        np.array([F]), p[None], g[None], np.array([[value]]), place[None, None], gradient[None, None], bend[None, None]
    )
    assert together.tolist() == [one]
    return one


def test_a_start_on_the_parabola_around_a_known_minimum_is_on_its_way_there_and_others_are_not() -> None:
    bend, place, away = symmetric(np.random.default_rng(3), 3), np.array([1.0, 2.0, 3.0]), np.array([1e-3, -1e-3, 2e-3])
    height = 0.5 * away @ bend @ away
    still = np.zeros(3)
    value = 2.0 * height / curvature.CLOSE

    assert nearest(value + height, place + away, bend @ away, value, place, still, bend) == 0
    assert nearest(value + 1.2 * height, place + away, bend @ away, value, place, still, bend) == -1  # too high
    assert nearest(value - height, place + away, bend @ away, value, place, still, bend) == -1  # lower than that minimum
    assert nearest(value + height, place + away, -bend @ away, value, place, still, bend) == -1  # pulled elsewhere
    assert nearest(value + height, place + 90.0 * away, bend @ away, value, place, still, bend) == -1  # too far
    assert (
        nearest(value + height, place + away, bend @ away, 0.5 * height / curvature.CLOSE, place, still, bend) == -1
    )  # too high up


def test_at_a_bound_the_slope_that_is_left_counts() -> None:
    bend, place, away = np.diag([2.0, 1.0]), np.zeros(2), np.array([1e-3, 1e-3])
    slope = np.array([0.5, 0.0])  # the first parameter stands on its lower bound
    height = slope @ away + 0.5 * away @ bend @ away

    assert nearest(100.0 + height, away, slope + bend @ away, 100.0, place, slope, bend) == 0


def test_a_start_that_feels_a_parameter_which_acts_on_nothing_at_a_minimum_goes_on() -> None:
    bend, still, away = np.diag([2.0, 0.0]), np.zeros(2), np.array([1e-3, 0.0])
    height = 0.5 * away @ bend @ away

    assert nearest(100.0 + height, away, bend @ away, 100.0, still, still, bend) == 0
    assert nearest(100.0 + height, away, bend @ away + [0.0, 1e-6], 100.0, still, still, bend) == -1


@pytest.mark.parametrize(("name", "learns"), [("loss_hinge", False), ("loss_threshold", True)])
def test_a_law_says_whether_its_fits_learn(name: str, learns: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    problem, _, _, starts = random_problem(laws.load(name, CASES[name].settings), name, np.random.default_rng(8))
    weights = np.ones((1, len(problem.y)))
    taught: list[int] = []

    def counted(*arrays: Array) -> Array:
        taught.append(len(arrays[0]))
        return curvature.learn_all(*arrays)

    monkeypatch.setattr(least_squares, "learn_all", counted)
    solve(replace(problem, columns=None), weights, starts)

    assert problem.learns is learns
    assert any(taught) is learns


def test_the_compiled_engine_learns_where_it_may_and_nowhere_else() -> None:
    problem, _, _, starts = random_problem(laws.load("growth", CASES["growth"].settings), "growth", np.random.default_rng(8))
    weights = np.ones((1, len(problem.y)))
    learning, plain = (solve(replace(problem, learns=learns), weights, starts) for learns in (True, False))

    np.testing.assert_allclose(learning.objective.min(), plain.objective.min(), rtol=1e-12)
    assert not np.array_equal(learning.parameters, plain.parameters)  # the last digits of the way taken


@pytest.mark.parametrize("engine", ["numba", "numpy"])
@pytest.mark.parametrize("name", ["observational", "loss_logistic", "emergence"])
def test_starts_that_stop_early_end_where_they_would_have_ended(name: str, engine: str) -> None:
    law = laws.load(name, CASES[name].settings)
    rng = np.random.default_rng(8)
    for _ in range(3):
        problem, _, _, starts = random_problem(law, name, rng)
        weights = rng.integers(0, 3, (6, len(problem.y))).astype(float)
        problem = problem if engine == "numba" else replace(problem, columns=None)

        together = solve(problem, weights, starts)

        alone = [solve(problem, weights, start[None]) for start in starts]
        objective = np.column_stack([found.objective[:, 0] for found in alone])
        # A start is no nearer to its minimum than the square root of what its loss is known to.
        np.testing.assert_allclose(together.objective, objective, rtol=1e-6, atol=1e-15)
        same = [np.unique(row).size for row in together.objective]
        assert max(same) < len(starts)  # several were stopped, and have the very value of the one that found it
