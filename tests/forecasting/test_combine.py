"""Combinations of forecasts: what they keep, what they learn, and what a missing member does."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import minimize
from scipy.stats import norm

from foresaid.arrays import Array
from foresaid.forecasting.combine import average, learn_width, median, shrunk, stack
from foresaid.forecasting.predict import rescale
from foresaid.scoring.levels import LEVELS
from foresaid.scoring.rules import weighted_interval_score

members = arrays(float, (3, 4, 23), elements=st.floats(0, 1)).map(lambda q: np.sort(q, axis=2))


def normal(mean: Array, sd: float) -> Array:
    return np.asarray(mean[:, None] + sd * np.asarray(norm.ppf(LEVELS))[None, :])


@given(members, arrays(float, 3, elements=st.floats(0.01, 1)))
def test_combinations_lie_between_their_members_and_ascend(quantiles: Array, weights: Array) -> None:
    for combined in (average(quantiles, weights), median(quantiles)):
        assert (combined >= quantiles.min(axis=0) - 1e-12).all()
        assert (combined <= quantiles.max(axis=0) + 1e-12).all()
        assert (np.diff(combined, axis=1) >= -1e-12).all()


@given(members)
def test_a_missing_member_shares_its_weight_among_the_rest(quantiles: Array) -> None:
    with_gap = quantiles.copy()
    with_gap[2, 1] = np.nan

    found = average(with_gap, np.array([0.2, 0.3, 0.5]))

    np.testing.assert_allclose(found[1], 0.4 * quantiles[0, 1] + 0.6 * quantiles[1, 1], atol=1e-12)
    np.testing.assert_allclose(median(with_gap)[1], (quantiles[0, 1] + quantiles[1, 1]) / 2, atol=1e-12)


def test_nothing_is_forecast_where_no_member_forecasts() -> None:
    assert np.isnan(average(np.full((2, 1, 23), np.nan), np.ones(2))).all()
    assert np.isnan(median(np.full((2, 1, 23), np.nan))).all()


def test_the_linear_programme_finds_the_weights_a_direct_search_finds() -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(size=30)
    quantiles = np.stack([normal(truth + rng.normal(scale=s, size=30) + b, w) for s, b, w in ((0.5, 0.2, 0.4), (0.8, -0.5, 1.0))])

    def loss(w: Array) -> float:
        return float(weighted_interval_score(average(quantiles, np.array([w[0], 1 - w[0]])), LEVELS, truth).wis.mean())

    found = stack(quantiles, LEVELS, truth, np.ones(30))
    searched = min(
        (minimize(loss, np.array([start]), method="Nelder-Mead", options={"xatol": 1e-8}) for start in (0.2, 0.5, 0.8)),
        key=lambda r: r.fun,
    )

    assert loss(found) == pytest.approx(searched.fun, rel=1e-6)
    assert found.sum() == pytest.approx(1.0)


def test_few_releases_hardly_move_the_weights() -> None:
    assert shrunk(np.array([1.0, 0.0, 0.0]), 0).tolist() == [1 / 3, 1 / 3, 1 / 3]
    assert shrunk(np.array([1.0, 0.0]), 10_000)[0] > 0.99


@pytest.mark.parametrize("truth", [0.5, 1.0, 2.5])
def test_a_wrong_width_is_learned_back(truth: float) -> None:
    y = truth * norm.ppf((np.arange(400) + 0.5) / 400)
    far = (np.full(400, -99.0), np.full(400, 99.0))

    found = learn_width(normal(np.zeros(400), 1.0), LEVELS, y, np.ones(400), far, releases=100_000)

    assert found.scale == pytest.approx(truth, rel=0.02)


def test_a_width_learned_from_nothing_changes_nothing() -> None:
    far = (np.full(2, -99.0), np.full(2, 99.0))
    wrong = learn_width(normal(np.zeros(2), 1.0), LEVELS, np.array([5.0, -5.0]), np.ones(2), far, releases=0)

    assert wrong.scale == 1.0


def test_widening_keeps_the_median_and_the_bounds() -> None:
    wider = rescale(normal(np.array([0.5]), 0.2), 3.0, np.zeros(1), np.ones(1))

    assert wider[0, 11] == pytest.approx(0.5)
    assert (wider.min(), wider.max()) == (0.0, 1.0)
