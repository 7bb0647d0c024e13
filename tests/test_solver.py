"""The batched solver against scipy's, on problems whose best known minimum scipy searches with many starts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import least_squares

from foresaid.law import Array
from foresaid.solver import Problem, solve


def _power(p: Array, x: Array) -> Array:
    return np.asarray(p[..., :1] + p[..., 1:2] * np.exp(-p[..., 2:3] * x[..., 0]))


def _power_slope(p: Array, x: Array) -> Array:
    decay = np.exp(-p[..., 2:3] * x[..., 0])
    return np.stack([np.ones_like(decay), decay, -p[..., 1:2] * x[..., 0] * decay], axis=-1)


LOWER, UPPER = np.array([0.0, 0.0, 0.0]), np.array([5.0, 20.0, 5.0])


def _problems(seed: int, count: int) -> list[tuple[Array, Array]]:
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        x = np.sort(rng.uniform(0, 4, 12))[:, None]
        truth = np.array([rng.uniform(0, 2), rng.uniform(1, 10), rng.uniform(0.3, 2)])
        made.append((x, _power(truth, x) + rng.normal(0, 0.05, 12)))
    return made


@pytest.mark.parametrize("delta", [None, 0.05])
def test_no_minimum_is_worse_than_scipys_best_of_many_starts(delta: float | None) -> None:
    rng = np.random.default_rng(1)
    starts = LOWER + (UPPER - LOWER) * rng.random((8, 3))
    behind = 0
    for x, y in _problems(7, 60):
        ours = solve(Problem(_power, _power_slope, x, y, LOWER, UPPER, delta=delta), np.ones((1, 12)), starts).objective.min()

        def residual(p: Array, x: Array = x, y: Array = y) -> Array:
            return _power(p, x) - y

        options: Any = {"loss": "huber", "f_scale": delta} if delta else {}
        theirs = min(
            least_squares(residual, start, bounds=(LOWER, UPPER), xtol=1e-14, ftol=1e-14, gtol=1e-14, **options).cost
            for start in starts
        )
        behind += ours > theirs * (1 + 1e-6)

    assert behind == 0


def test_a_bound_that_holds_is_reached_exactly() -> None:
    x = np.linspace(0, 3, 10)[:, None]
    y = -1.0 + 2.0 * np.exp(-x[:, 0])  # the offset wants to be negative

    found = solve(Problem(_power, _power_slope, x, y, LOWER, UPPER), np.ones((1, 10)), np.array([[1.0, 1.0, 1.0]]))

    assert found.parameters[0, 0, 0] == 0.0
    assert found.converged.all()


def test_a_row_of_weight_two_counts_like_the_row_twice() -> None:
    x, y = _problems(3, 1)[0]
    weights = np.ones((1, 12))
    weights[0, 4] = 2.0
    start = np.array([[1.0, 5.0, 1.0]])
    weighted = solve(Problem(_power, _power_slope, x, y, LOWER, UPPER), weights, start)

    twice = solve(Problem(_power, _power_slope, np.vstack([x, x[4:5]]), np.append(y, y[4]), LOWER, UPPER), np.ones((1, 13)), start)

    np.testing.assert_allclose(weighted.parameters, twice.parameters, rtol=1e-6)


def test_copies_do_not_disturb_each_other() -> None:
    x, y = _problems(5, 1)[0]
    problem = Problem(_power, _power_slope, x, y, LOWER, UPPER)
    weights = np.random.default_rng(0).integers(0, 3, (20, 12)).astype(float)
    start = np.array([[1.0, 5.0, 1.0], [0.1, 9.0, 0.5]])

    together = solve(problem, weights, start).parameters

    alone = np.concatenate([solve(problem, row[None, :], start).parameters for row in weights])
    np.testing.assert_allclose(together, alone, rtol=1e-9, atol=1e-12)


def test_a_prior_pulls_what_the_data_leave_open() -> None:
    x, y = np.zeros((5, 1)), np.ones(5)  # only offset + amplitude is seen, the rate not at all
    problem = Problem(
        _power, _power_slope, x, y, LOWER, UPPER, prior_centre=np.array([0.0, 0.0, 2.0]), prior_weight=np.array([0.0, 0.0, 1.0])
    )

    found = solve(problem, np.ones((1, 5)), np.array([[0.5, 0.5, 0.1]]))

    assert found.parameters[0, 0, 2] == pytest.approx(2.0, abs=1e-6)


def test_a_start_without_a_finite_value_is_reported_and_not_raised() -> None:
    def broken(p: Array, x: Array) -> Array:
        return np.full((*p.shape[:-1], x.shape[-2]), np.nan)

    found = solve(Problem(broken, _power_slope, np.zeros((3, 1)), np.ones(3), LOWER, UPPER), np.ones((1, 3)), LOWER[None, :])

    assert not found.converged.any()
    assert np.isinf(found.objective).all()
