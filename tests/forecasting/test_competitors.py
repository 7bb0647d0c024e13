"""Published competitors of the capability law: closed forms, recovered parameters, and that none sees what it may not."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from scipy.special import expit
from scipy.stats import beta
from sklearn.linear_model import LinearRegression
from tests.studies.capability.test_model import frame

from foresaid.forecasting import compute_frontier, item_response, two_step
from foresaid.forecasting.baseline_rows import Rows, rows_of
from foresaid.forecasting.item_response import GRID, Items
from foresaid.laws._capability_rows import SCHEMA, Benchmarks, cells
from foresaid.studies.capability.competitor_rounds import COMPLETION, RESPONSE, STEPS, competitor_round

ITEMS = Items(("a", "b"), np.array([0.0, 1.0]), np.array([1.0, 2.0]), np.array([0.0, 0.5]), np.array([20.0, 50.0]))


def planted(count: int = 80) -> tuple[Rows, Benchmarks, np.ndarray]:
    """Many systems on four benchmarks drawn from the model itself."""
    rng = np.random.default_rng(0)
    theta, slope, hard = rng.normal(0, 1.2, count), np.array([0.8, 1.0, 1.5, 2.0]), np.array([-1.0, 0.0, 0.5, 1.0])
    rows = []
    for i in range(count):
        day = date(2024, 1, 1) + timedelta(days=5 * i)
        for b in range(4):
            mu = expit(slope[b] * (theta[i] - hard[b]))
            share = float(np.clip(rng.beta(60 * mu, 60 * (1 - mu)), 0.005, 0.995))
            rows.append((f"s{i:03d}", f"s{i:03d}", "M", "m", "", None, f"m@{day}", day, "pqrs"[b], share, 0.0, None, day))
    table = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    benchmarks = cells(table).benchmarks
    return rows_of(table, benchmarks), benchmarks, theta


def test_planted_abilities_and_difficulties_are_found() -> None:
    rows, benchmarks, theta = planted()
    items = item_response.fit(rows, benchmarks)
    assert np.corrcoef(items.theta, theta)[0, 1] > 0.97
    assert (np.diff(items.difficulty) > 0).all()
    assert 15.0 < np.median(items.precision) < 120.0  # 60 planted; four items a system bias it, as joint likelihood does


def test_density_and_quantiles_are_those_of_the_beta_distribution() -> None:
    """An ability known for certain: the quantiles of Beta(mu phi, (1 - mu) phi)."""
    assert item_response.log_density(np.array(0.3), np.array(0.4), np.array(20.0)) == pytest.approx(beta.logpdf(0.3, 8, 12))
    weights = np.zeros(len(GRID))
    weights[70] = 1.0
    mu = ITEMS.mean(np.array([1]), GRID[70:71])[0]
    found = item_response.quantiles(ITEMS, 1, weights, [0.1, 0.5, 0.9])
    np.testing.assert_allclose(found, beta.ppf([0.1, 0.5, 0.9], 50 * mu, 50 * (1 - mu)), atol=2e-3)


def test_posterior_is_prior_times_likelihood() -> None:
    prior = np.exp(-0.5 * GRID**2)
    prior /= prior.sum()
    nothing = item_response.posterior(ITEMS, np.empty(0, dtype=np.intp), np.empty(0), prior)
    np.testing.assert_allclose(nothing, prior)
    found = item_response.posterior(ITEMS, np.array([0]), np.array([0.9]), prior)
    wanted = prior * beta.pdf(0.9, expit(GRID) * 20, (1 - expit(GRID)) * 20)
    np.testing.assert_allclose(found, wanted / wanted.sum(), atol=1e-9)


def test_two_steps_follow_the_least_squares_line() -> None:
    rows, benchmarks, _ = planted(30)
    items = item_response.fit(rows, benchmarks)
    days = np.array([rows.day[rows.system == name][0] for name in items.systems])
    line = LinearRegression().fit(days[:, None], items.theta)
    at = float(days.max() + 100)
    weights = two_step.ability_on(items, rows, at)
    assert weights @ GRID == pytest.approx(line.predict([[at]])[0], abs=0.02)


def test_quantile_frontier_of_exact_lines() -> None:
    """Two parallel lines of models: a high quantile lies on the upper, a low one on the lower."""
    x = np.tile(np.arange(10.0), 2)
    z = 0.3 * x + np.repeat([0.0, 1.0], 10)
    found = compute_frontier.frontier(x, z, 12.0, [0.05, 0.95])
    assert found is not None
    np.testing.assert_allclose(found, [3.6, 4.6], atol=1e-6)
    assert compute_frontier.frontier(x[:5], z[:5], 12.0, [0.5]) is None


def test_hidden_outcomes_move_no_competitor() -> None:
    """Change a release's scores on one benchmark: what is said of that benchmark stays, to the last bit."""
    table = frame(models=14)
    origin = sorted(set(table["released_on"]))[9]
    wanted = table.filter(pl.col("released_on") > origin)
    moved = table.with_columns(
        pl.when((pl.col("released_on") > origin) & (pl.col("benchmark") == "one"))
        .then(pl.col("value") * 0.5)
        .otherwise(pl.col("value"))
        .alias("value")
    )
    first, points = competitor_round(table, origin, 1, rows=wanted)
    second, moved_points = competitor_round(moved, origin, 1, rows=moved.filter(pl.col("released_on") > origin))
    assert set(first["method"]) == {RESPONSE, STEPS}
    assert set(points["method"]) == {COMPLETION}
    on_one = pl.col("benchmark") == "one"
    assert points.filter(on_one)["point"].to_list() == moved_points.filter(on_one)["point"].to_list()
    steps, response = pl.col("method") == STEPS, pl.col("method") == RESPONSE
    key = ["system_id", "benchmark"]
    elsewhere = [found.filter(~on_one & response).sort(key)["absolute_error"].to_list() for found in (first, second)]
    assert elsewhere[0] != elsewhere[1]  # what was told moved, so the others move
    untold = [found.filter(~on_one & steps).sort(key)["absolute_error"].to_list() for found in (first, second)]
    assert untold[0] == untold[1]
