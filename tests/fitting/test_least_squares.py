"""The batched solver against scipy's, on problems whose best known minimum scipy searches with many starts.

FORESAID_PROBLEMS says how many random problems of each law are tried; the full thousand takes some minutes.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.optimize import least_squares
from tests.laws.test_every_law import CASES

from foresaid.arrays import Array
from foresaid.fitting.data import Covariate, Target
from foresaid.fitting.fit import problem_for, random_starts
from foresaid.fitting.law import Law, Parameter
from foresaid.fitting.least_squares import engine, solve
from foresaid.fitting.problem import LeastSquaresProblem
from foresaid.fitting.robust_loss import LINEAR, Huber, RobustLoss, SoftL1
from foresaid.laws import _loader as laws

PROBLEMS = int(os.environ.get("FORESAID_PROBLEMS", "20"))
EVERY_LAW = pytest.mark.parametrize("name", laws.names())
COMPILED = pytest.mark.parametrize("name", [name for name in laws.names() if laws.load(name, CASES[name].settings).kernel])


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


@pytest.mark.slow
@pytest.mark.parametrize("loss", [LINEAR, Huber(0.05), SoftL1(0.05)], ids=lambda loss: loss.name)
def test_no_minimum_is_worse_than_scipys_best_of_many_starts(loss: RobustLoss) -> None:
    rng = np.random.default_rng(1)
    starts = LOWER + (UPPER - LOWER) * rng.random((8, 3))
    behind = 0
    for x, y in _problems(7, 25):
        ours = solve(
            LeastSquaresProblem(_power, _power_slope, x, y, LOWER, UPPER, loss=loss), np.ones((1, 12)), starts
        ).objective.min()

        def residual(p: Array, x: Array = x, y: Array = y) -> Array:
            return _power(p, x) - y

        options: Any = {} if loss is LINEAR else {"loss": loss.name, "f_scale": loss.scale}
        theirs = min(
            least_squares(residual, start, bounds=(LOWER, UPPER), xtol=1e-14, ftol=1e-14, gtol=1e-14, **options).cost
            for start in starts
        )
        behind += ours > theirs * (1 + 1e-6)

    assert behind == 0


def test_a_bound_that_holds_is_reached_exactly() -> None:
    x = np.linspace(0, 3, 10)[:, None]
    y = -1.0 + 2.0 * np.exp(-x[:, 0])  # the offset wants to be negative

    found = solve(LeastSquaresProblem(_power, _power_slope, x, y, LOWER, UPPER), np.ones((1, 10)), np.array([[1.0, 1.0, 1.0]]))

    assert found.parameters[0, 0, 0] == 0.0
    assert found.converged.all()


def test_a_row_of_weight_two_counts_like_the_row_twice() -> None:
    x, y = _problems(3, 1)[0]
    weights = np.ones((1, 12))
    weights[0, 4] = 2.0
    start = np.array([[1.0, 5.0, 1.0]])
    weighted = solve(LeastSquaresProblem(_power, _power_slope, x, y, LOWER, UPPER), weights, start)

    twice = solve(
        LeastSquaresProblem(_power, _power_slope, np.vstack([x, x[4:5]]), np.append(y, y[4]), LOWER, UPPER), np.ones((1, 13)), start
    )

    np.testing.assert_allclose(weighted.parameters, twice.parameters, rtol=1e-6)


def test_copies_do_not_disturb_each_other() -> None:
    x, y = _problems(5, 1)[0]
    problem = LeastSquaresProblem(_power, _power_slope, x, y, LOWER, UPPER)
    weights = np.random.default_rng(0).integers(0, 3, (20, 12)).astype(float)
    start = np.array([[1.0, 5.0, 1.0], [0.1, 9.0, 0.5]])

    together = solve(problem, weights, start).parameters

    alone = np.concatenate([solve(problem, row[None, :], start).parameters for row in weights])
    np.testing.assert_allclose(together, alone, rtol=1e-9, atol=1e-12)


def test_a_prior_pulls_what_the_data_leave_open() -> None:
    x, y = np.zeros((5, 1)), np.ones(5)  # only offset + amplitude is seen, the rate not at all
    problem = LeastSquaresProblem(
        _power, _power_slope, x, y, LOWER, UPPER, prior_centre=np.array([0.0, 0.0, 2.0]), prior_weight=np.array([0.0, 0.0, 1.0])
    )

    found = solve(problem, np.ones((1, 5)), np.array([[0.5, 0.5, 0.1]]))

    assert found.parameters[0, 0, 2] == pytest.approx(2.0, abs=1e-6)


def test_a_start_without_a_finite_value_is_reported_and_not_raised() -> None:
    def broken(p: Array, x: Array) -> Array:
        return np.full((*p.shape[:-1], x.shape[-2]), np.nan)

    found = solve(
        LeastSquaresProblem(broken, _power_slope, np.zeros((3, 1)), np.ones(3), LOWER, UPPER), np.ones((1, 3)), LOWER[None, :]
    )

    assert not found.converged.any()
    assert np.isinf(found.objective).all()


def random_problem(
    law: Law, name: str, rng: np.random.Generator
) -> tuple[LeastSquaresProblem, tuple[Parameter, ...], Array, Array]:
    """Plant parameters within their ranges of starts; return the problem, its parameters, the planted ones and our starts."""
    case = CASES[name]
    n, k = case.x.shape
    design = law.design(case.x, np.ones((1, n)))
    x = design.features[0] if design.features.ndim == 3 else design.features
    target = Target("t", "T", "t", tuple(Covariate(f"x{i}") for i in range(k)), 0.0, 1.0, *case.bounds, "s")
    parameters = law.parameters(target, law.features(k))
    low, high = np.array([parameter.starts for parameter in parameters]).T
    if "threshold" in [parameter.name for parameter in parameters]:  # where the rows are: elsewhere there is nothing to find
        high = np.where(high == 5.0, float(x.max()), low * 0 + high)
        low = np.where(low == 1.5, float(x.min()) + 0.1, low)
    planted = low + (high - low) * rng.random(len(parameters))
    y = law.curve(planted, x)
    noise = case.noise * rng.normal(0.0, 1.0, n)
    y = np.maximum(y, 1e-3) * np.exp(noise) if law.noise == "log" else y + noise
    parameters = law.narrowed(parameters, y)
    own = law.starts(x, y)
    starts = np.vstack([own, random_starts(parameters, max(law.replicate_starts - len(own), 2), rng)])
    return problem_for(law, replace(design, features=x), y, parameters), parameters, planted, starts


def scipy_minimum(problem: LeastSquaresProblem, law: Law, starts: Array) -> float:
    """Return the lowest objective scipy finds from these starts; a prior is one more residual."""
    centre, weight = problem.prior_centre, problem.prior_weight
    assert centre is not None
    assert weight is not None
    root = np.sqrt(weight)

    def residual(p: Array) -> Array:
        f = law.curve(p, problem.x)
        r = np.where(f > 0, np.log(np.where(f > 0, f, 1.0)) - np.log(problem.y), 1e6) if problem.log else f - problem.y
        return np.concatenate([r, root * (p - centre)])

    def slope(p: Array) -> Array:
        J = law.jacobian(p, problem.x)
        if problem.log:
            f = law.curve(p, problem.x)
            J = np.where(f[:, None] > 0, J / np.where(f > 0, f, 1.0)[:, None], 0.0)
        return np.vstack([J, np.diag(root)])

    huber: Any = {} if problem.loss is LINEAR else {"loss": problem.loss.name, "f_scale": problem.loss.scale}
    best = np.inf
    gap = 1e-9 * (1.0 + np.abs(problem.upper - problem.lower))
    width = problem.upper > problem.lower
    for start in starts:
        inside = np.clip(start, problem.lower + gap, problem.upper - gap)[width]

        def whole(p: Array) -> Array:
            full = problem.lower.copy()
            full[width] = p
            return full

        def free(p: Array) -> Array:
            return residual(whole(p))

        def free_slope(p: Array) -> Array:
            return np.asarray(slope(whole(p))[:, width])

        bounds = (problem.lower[width], problem.upper[width])
        found = least_squares(free, inside, free_slope, bounds=bounds, xtol=1e-12, ftol=1e-12, gtol=1e-12, max_nfev=200, **huber)
        best = min(best, float(found.cost))
    return best


@pytest.mark.slow
@EVERY_LAW
def test_the_minimum_is_scipys_on_random_problems_of_every_law(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    law = laws.load(name, CASES[name].settings)
    rng = np.random.default_rng(20)
    ours = theirs = 0
    for _ in range(PROBLEMS):
        problem, parameters, planted, starts = random_problem(law, name, rng)
        found = solve(problem, np.ones((1, len(problem.y))), starts).objective.min()
        best = scipy_minimum(problem, law, np.vstack([planted, starts[:1], random_starts(parameters, 2, rng)]))
        lowest = min(found, best)
        ours += found <= lowest * (1 + 1e-6) + 1e-15
        theirs += best <= lowest * (1 + 1e-6) + 1e-15
    with capsys.disabled():
        print(f"\n{name}: within 1e-6 of the lowest known, of {PROBLEMS}: ours {ours}, scipy from 4 starts {theirs}")

    # One miss is allowed whatever the number; a thousand problems are run by setting FORESAID_PROBLEMS.
    assert ours >= min(0.98 * PROBLEMS, PROBLEMS - 1)


@COMPILED
def test_the_compiled_engine_finds_what_numpy_finds(name: str) -> None:
    law = laws.load(name, CASES[name].settings)
    rng = np.random.default_rng(3)
    for _ in range(3):
        problem, parameters, _, starts = random_problem(law, name, rng)
        weights = rng.integers(0, 3, (20, len(problem.y))).astype(float)
        weights[0] = 1.0
        engines = (problem, replace(problem, columns=None))
        found = [solve(one, weights, starts) for one in engines]
        copies = np.arange(len(weights))
        # In a valley that runs flat to infinity a few starts run out of rounds, each where it is: a copy that neither engine has
        # settled gets as many starts as a whole fit, and has to agree like all others.
        flat = np.flatnonzero(~np.any([one.converged[copies, one.best] for one in found], axis=0))
        more = random_starts(parameters, law.random_starts, np.random.default_rng(4)) if flat.size else starts
        objectives, fitted = [], []
        for one, first in zip(engines, found, strict=True):
            objective, best = first.objective.min(axis=1), first.parameters[copies, first.best]
            if flat.size:
                again = solve(one, weights[flat], np.vstack([starts, more]))
                objective[flat], best[flat] = again.objective.min(axis=1), again.parameters[np.arange(len(flat)), again.best]
            objectives.append(objective)
            fitted.append(law.curve(best, problem.x))
        ours, theirs = objectives
        seen = weights > 0

        assert engine(problem.columns) == "numba"
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-18)
        # A minimum of squares is known to about the square root of what its loss is known to.
        np.testing.assert_allclose(fitted[0][seen], fitted[1][seen], atol=1e-4 * float(np.abs(problem.y).max()))


def test_the_engines_agree_on_bounds_and_features_of_each_copy() -> None:
    law = laws.load("observational", CASES["observational"].settings)
    problem, _, _, starts = random_problem(law, "observational", np.random.default_rng(1))
    rng = np.random.default_rng(2)
    weights = rng.integers(0, 3, (6, len(problem.y))).astype(float)
    x = law.design(CASES["observational"].x, weights).features
    lower, upper = np.repeat(problem.lower[None], 6, axis=0), np.repeat(problem.upper[None], 6, axis=0)
    lower[:, 1] = upper[:, 1] = np.linspace(-1, 1, 6)
    many = replace(problem, x=x, lower=lower, upper=upper)
    lanes = np.repeat(starts[None], 6, axis=0) + 0.01 * rng.random((6, *starts.shape))

    compiled, reference = solve(many, weights, lanes), solve(replace(many, columns=None), weights, lanes)

    np.testing.assert_allclose(compiled.objective.min(axis=1), reference.objective.min(axis=1), rtol=1e-9)
    np.testing.assert_array_equal(compiled.parameters[:, :, 1], np.repeat(np.linspace(-1, 1, 6)[:, None], len(starts), axis=1))


def test_a_copy_with_no_rows_and_a_row_without_a_logarithm_do_no_harm() -> None:
    law = laws.load("cross_entropy_power", CASES["cross_entropy_power"].settings)
    problem, _, _, starts = random_problem(law, "cross_entropy_power", np.random.default_rng(1))
    weights = np.vstack([np.zeros(len(problem.y)), np.ones(len(problem.y))])

    found = solve(problem, weights, starts)

    assert (found.objective[0] == 0.0).all()
    assert np.isfinite(found.objective).all()
