"""The mixed-effects model: its gradient, what it pools, leaving groups out without a refit, its intervals."""

from __future__ import annotations

import numpy as np
import pytest

from foresaid.arrays import Array, sigmoid
from foresaid.studies.held_out_families import mixed_effects, protocol
from foresaid.studies.held_out_families.covariance import Settings
from foresaid.studies.held_out_families.mixed_effects import EFFECTS, Effects, by_effects, fit_effects
from foresaid.studies.held_out_families.protocol import Leaderboard, hold_out


def planted(seed: int = 1, families: int = 8, spread: float = 1.0, noise: float = 0.01) -> Leaderboard:
    """Families of four base and two chat models on three benchmarks; levels drawn with the given spread."""
    rng = np.random.default_rng(seed)
    family = np.repeat([f"f{i}" for i in range(families)], 6)
    level = np.array([f"{name}/{'chat' if i % 6 > 3 else 'base'}" for i, name in enumerate(family)])
    size = np.tile([1e9, 3e9, 7e9, 7e10, 3e9, 7e10], families)
    skill = 0.4 * (np.log(size) - 22.0) + np.repeat(spread * rng.normal(size=families), 6)
    y = sigmoid(np.outer(skill, [0.8, 1.0, 1.2])) + noise * rng.normal(size=(6 * families, 3))
    return Leaderboard(family, level, size, np.full(6 * families, 1e12), np.clip(y, 0.0, 1.0), np.zeros(3))


def numbers(signed: bool) -> tuple[Array, Settings, mixed_effects._Kinship, Array, Array]:
    table = planted(families=3)
    rng = np.random.default_rng(4)
    settings = Settings(signed, EFFECTS, 3)
    kin = mixed_effects._kinship(table, table, table, True)
    theta = settings.start + 0.2 * rng.normal(size=len(settings.start))
    return theta, settings, kin, rng.normal(size=54), rng.uniform(0.05, 0.25, (3, 18))


@pytest.mark.parametrize("signed", [False, True])
def test_the_gradient_is_that_of_the_objective(signed: bool) -> None:
    theta, settings, kin, z, steep = numbers(signed)

    def value(vector: Array) -> float:
        return mixed_effects.objective(vector, settings, kin, z, steep)[0]

    expected = [(value(theta + d) - value(theta - d)) / 2e-5 for d in 1e-5 * np.eye(len(theta))]

    found = mixed_effects.objective(theta, settings, kin, z, steep)[1]

    np.testing.assert_allclose(expected, found, rtol=1e-5, atol=1e-5)  # central differences of step 1e-5


@pytest.mark.parametrize("signed", [False, True])
def test_effects_have_a_covariance_across_benchmarks(signed: bool) -> None:
    theta, settings, *_ = numbers(signed)

    found = settings.across(theta)

    assert found.shape == (EFFECTS, 3, 3)
    assert (np.linalg.eigvalsh(found) > 0).all()


def refitted(fit: Effects, held: Array, asked: Leaderboard) -> Array:
    """Forecast with the held rows really gone, the settings and the linearisation of the others as they were."""
    cells = ~np.tile(held.astype(bool), len(fit.board.floor))
    inverse = np.linalg.inv(np.linalg.inv(fit.inverse)[np.ix_(cells, cells)])
    k = mixed_effects._kinship(asked, fit.board, fit.board, False).covariance(fit.settings, fit.theta)[:, cells]
    latent = (k @ inverse @ fit.z[cells]).reshape(len(fit.board.floor), -1).T
    return np.asarray(sigmoid(latent))


def test_leaving_a_family_out_without_a_refit_equals_taking_its_rows_away() -> None:
    table = planted()
    fit = fit_effects(table)
    held = protocol.split(table, "f3", 1)[1]

    expected = refitted(fit, held.astype(float), table.take(held))

    np.testing.assert_allclose(expected, fit.without(held), atol=1e-6)  # two ways round the same solve


@pytest.mark.parametrize("spread", [0.0, 1.0])
def test_families_are_pooled_as_far_as_they_are_alike(spread: float) -> None:
    table = planted(spread=spread)
    exercise = hold_out(table, "f2", 1)
    fit = fit_effects(exercise.known)

    amplitude = np.sqrt(np.trace(fit.settings.across(fit.theta)[1]) / 3)  # of families

    assert amplitude < 0.15 if spread == 0.0 else amplitude > 0.3
    assert exercise.errors(fit.predict(exercise.asked)[None])[0] < 0.03


def test_intervals_hold_about_as_many_scores_as_they_say() -> None:
    inside: list[bool] = []
    for seed in range(2):
        table = planted(seed, noise=0.03)
        for family in ("f1", "f5"):
            exercise = hold_out(table, family, 1)
            q, y = fit_effects(exercise.known).quantiles(exercise.asked), exercise.asked.y
            inside += ((q[..., 3] <= y) & (y <= q[..., 19])).ravel().tolist()

    assert len(inside) == 48
    assert 0.6 < np.mean(inside) < 0.97  # 80 % expected; eight families, their rows hang together


def test_quantiles_ascend_about_the_point_and_stay_between_none_and_all() -> None:
    exercise = hold_out(planted(), "f2", 1)
    fit = fit_effects(exercise.known, signed=True)

    q = fit.quantiles(exercise.asked)

    assert (np.diff(q, axis=2) >= 0).all()
    assert q.min() >= 0.0
    assert q.max() <= 1.0
    np.testing.assert_allclose(q[..., 11], fit.predict(exercise.asked), atol=0.005)  # the noise is even, the sigmoid not quite


def test_the_same_rows_in_another_order_give_the_same_forecast() -> None:
    table = planted()
    exercise = hold_out(table, "f2", 1)
    turned = np.arange(len(table.y))[::-1]
    back = Leaderboard(
        table.family[turned], table.level[turned], table.size[turned], table.tokens[turned], table.y[turned], table.floor
    )

    found = fit_effects(hold_out(back, "f2", 1).known).predict(exercise.asked)

    np.testing.assert_allclose(fit_effects(exercise.known).predict(exercise.asked), found, atol=1e-3)  # the search stops elsewhere


def test_the_form_is_chosen_among_three_on_the_rows_that_train() -> None:
    exercise = hold_out(planted(), "f2", 1)

    made = by_effects(exercise)[mixed_effects.NAME]

    assert made.chosen in (0, 1, 2)
    np.testing.assert_allclose(made.points[2], made.points[:2].mean(axis=0))
    assert made.quantiles is not None
    assert made.quantiles.shape == (4, 3, 23)
