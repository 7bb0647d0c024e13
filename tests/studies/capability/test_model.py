from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, DotProduct, Matern

from foresaid.errors import RecordError
from foresaid.laws import _capability_kernel as kernel
from foresaid.laws._capability_forecast import forecast_release
from foresaid.laws._capability_kernel import GRAND_MEAN_VARIANCE, Settings, prior, unpack
from foresaid.laws._capability_likelihood import likelihood
from foresaid.laws._capability_model import condition_on, fit, given, joint
from foresaid.laws._capability_rows import SCHEMA, cells


def frame(seed: int = 0, models: int = 14) -> pl.DataFrame:
    """Cells of a few invented models, for closed forms only: efforts, two lines, three benchmarks, gaps."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(models):
        day = date(2024, 1, 1).toordinal() + 37 * i
        line, tier = ("aa", "bb")[i % 2], ("", "mini")[i % 3 == 0]
        for effort in (None, 2.0, 4.0)[: 1 + i % 3]:
            for b, name in enumerate(("one", "two", "three")):
                if rng.random() < 0.75:
                    value = 1 / (1 + np.exp(-(0.1 * i - 0.8 + 0.2 * (effort or 2.5) - 0.4 * b + rng.normal(0, 0.2))))
                    rows.append(
                        (
                            *(f"m{i}_{effort}", f"m{i}", line.upper(), line, tier, effort, f"{line}@{day}", date.fromordinal(day)),
                            *(name, float(value), (0.0, 0.25, 0.0)[b], (50, None, 400)[b]),
                            date.fromordinal(day),
                        )
                    )
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


@pytest.mark.parametrize("settings", [Settings(), Settings(noise_spread=0.4)])
def test_gradient_equals_finite_differences(settings: Settings) -> None:
    found = cells(frame())
    rng = np.random.default_rng(1)
    centre = prior(settings, 3)[0]
    at = centre + rng.normal(0, 0.3, len(centre))
    analytic = likelihood(found, settings, at)
    assert analytic is not None
    for i in range(len(at)):
        step = np.zeros(len(at))
        step[i] = 1e-5
        up, down = (likelihood(found, settings, at + sign * step, with_slopes=False) for sign in (1, -1))
        assert up is not None
        assert down is not None
        assert analytic.gradient[i] == pytest.approx((up.value - down.value) / 2e-5, rel=2e-5, abs=2e-5), i


def test_likelihood_and_posterior_equal_those_of_scikit_learn() -> None:
    """One benchmark, every model on its own: the law is then an ordinary Gaussian process in the date."""
    rng = np.random.default_rng(2)
    one = frame(models=14).unique("model_id", keep="first").sort("model_id")
    one = one.with_columns(
        pl.lit("one").alias("benchmark"),
        pl.lit(0.0).alias("chance"),
        pl.lit(None, dtype=pl.Int64).alias("items"),
        pl.Series("value", rng.uniform(0.2, 0.8, len(one))),
    )
    settings = Settings(
        ability=(kernel.ABILITY[0], kernel.ABILITY[1]),
        residual=(kernel.RESIDUAL[0], kernel.RESIDUAL[6]),
    )
    at = np.log(np.array([0.5, 0.4, 0.7, 0.3, 0.2, 0.6, 0.5, 1.0]))
    found = cells(one)
    sizes = unpack(settings, at)
    theirs = GaussianProcessRegressor(
        ConstantKernel(0.25) * DotProduct(sigma_0=1.0)  # adds 0.25 to the constant, taken off below
        + ConstantKernel(0.16) * RBF(0.6)
        + ConstantKernel(0.49 + GRAND_MEAN_VARIANCE - 0.25)
        + ConstantKernel(0.09) * Matern(0.5, nu=0.5),
        alpha=float(sizes.noise[0]),
        optimizer=None,
    )
    t = found.systems.t[found.s][:, None]
    theirs.fit(t, found.z)
    centre, spread = prior(settings, 1)
    penalty = 0.5 * float((((at - centre) / spread) ** 2).sum())
    ours = likelihood(found, settings, at)
    assert ours is not None
    assert ours.value + penalty == pytest.approx(theirs.log_marginal_likelihood_value_, abs=1e-8)
    model = condition_on(found, settings, at)
    asked = joint(model, found.systems, found.s, found.q)
    mean, covariance = theirs.predict(t, return_cov=True)
    np.testing.assert_allclose(asked.mean, mean, atol=1e-9)
    np.testing.assert_allclose(asked.covariance, covariance, atol=1e-9)


def test_covariance_of_cells_is_the_sum_written_out() -> None:
    """Every entry of K against the model's sentence, term by term."""
    found = cells(frame(models=6))
    settings = Settings()
    at = prior(settings, 3)[0] + 0.1 * np.arange(25) / 25
    sizes = unpack(settings, at)
    own = (found.systems, found.s, found.q)
    K = kernel.cell_covariance(settings, sizes, own, own)
    systems = found.systems
    for i in range(found.n):
        for j in range(found.n):
            a, b = found.s[i], found.s[j]
            gap = systems.t[a] - systems.t[b]
            line, tier = systems.lines[a] == systems.lines[b], systems.tiers[a] == systems.tiers[b]
            release, model = systems.releases[a] == systems.releases[b], systems.models[a] == systems.models[b]
            step = systems.step[a] * systems.step[b]
            smooth, slow = np.exp(-0.5 * (gap / sizes.lengths[0]) ** 2), np.exp(-abs(gap) / sizes.lengths[1])
            dates, stated = systems.t[a] * systems.t[b], systems.stated[a] * systems.stated[b]
            ability = sizes.ability @ [dates, smooth, line, line * tier, tier, release, model, step, step * line, stated * line]
            residual = sizes.residual @ [1.0, dates, line, line * tier, release, step, slow, stated, model]
            w = sizes.loadings[found.q[i]] * sizes.loadings[found.q[j]]
            assert K[i, j] == pytest.approx(GRAND_MEAN_VARIANCE + w * ability + (found.q[i] == found.q[j]) * residual, abs=1e-12)


@pytest.mark.parametrize("models", [6, 14])
def test_inverse_in_parts_is_that_of_the_whole_covariance(models: int) -> None:
    """K^-1 z, K^-1 itself, ln|K| and the likelihood against the covariance of all cells written out and factored whole."""
    found = cells(frame(models=models))
    settings = Settings()
    at = prior(settings, 3)[0] + np.linspace(-0.4, 0.4, 25)
    sizes = unpack(settings, at)
    own = (found.systems, found.s, found.q)
    K = kernel.cell_covariance(settings, sizes, own, own) + np.diag(sizes.noise[found.q] + found.item_variance)
    model = condition_on(found, settings, at)
    np.testing.assert_allclose(model.inverse.times(np.eye(found.n)) @ K, np.eye(found.n), atol=1e-9)
    np.testing.assert_allclose(model.inverse.product(K), K, atol=1e-9)
    np.testing.assert_allclose(model.alpha, np.linalg.solve(K, found.z), atol=1e-9)
    determinant = np.linalg.slogdet(K)[1]
    assert model.inverse.log_determinant == pytest.approx(determinant, abs=1e-9)
    centre, spread = prior(settings, 3)
    dense = -0.5 * float(found.z @ np.linalg.solve(K, found.z) + determinant + found.n * np.log(2 * np.pi))
    assert model.log_likelihood == pytest.approx(dense - 0.5 * float((((at - centre) / spread) ** 2).sum()), abs=1e-9)


def test_conditioning_on_a_release_equals_training_on_it() -> None:
    """Two steps (train, then condition on what is known of the release) give what one joint conditioning gives."""
    table = frame()
    last = table["release"].unique().sort().to_list()[-1]
    everything = cells(table)
    at = prior(Settings(), 3)[0]
    before = cells(table.filter(pl.col("release") != last), everything.benchmarks)
    new = cells(table.filter(pl.col("release") == last), everything.benchmarks)
    predicted = forecast_release(condition_on(before, Settings(), at), new)
    for i in range(new.n):
        hidden_cell = (pl.col("release") == last) & (pl.col("system_id") == new.systems.ids[new.s[i]])
        benchmark = everything.benchmarks.names[new.q[i]]
        rules = {
            "siblings": hidden_cell & (pl.col("benchmark") == benchmark),
            "conditional": (pl.col("release") == last) & (pl.col("benchmark") == benchmark),
        }
        for told, hidden in rules.items():
            one_step = condition_on(cells(table.filter(~hidden), everything.benchmarks), Settings(), at)
            asked = joint(one_step, new.systems, new.s[i : i + 1], new.q[i : i + 1])
            assert predicted[told].mean[i] == pytest.approx(asked.mean[0], abs=1e-9)
            noise = asked.noise[0] + everything.benchmarks.item_variance(new.q[i : i + 1], asked.mean)[0]
            assert predicted[told].sd[i] ** 2 == pytest.approx(asked.covariance[0, 0] + noise, abs=1e-9)


def test_order_of_rows_changes_nothing() -> None:
    table = frame()
    first = fit(cells(table))
    second = fit(cells(table.sample(fraction=1.0, shuffle=True, seed=3)))
    assert (first.log_parameters == second.log_parameters).all()
    assert (first.alpha == second.alpha).all()


def test_fit_ends_where_no_start_finds_better() -> None:
    found = cells(frame())
    model = fit(found)
    again = fit(found, start=model.log_parameters + np.random.default_rng(4).normal(0, 0.3, len(model.log_parameters)))
    np.testing.assert_allclose(again.log_parameters, model.log_parameters, atol=2e-4)
    assert again.log_likelihood == pytest.approx(model.log_likelihood, abs=1e-8)


def test_knowing_a_score_without_noise_gives_it_back() -> None:
    table = frame()
    found = cells(table)
    model = condition_on(found, Settings(), prior(Settings(), 3)[0])
    asked = joint(model, found.systems, found.s[:4], found.q[:4])
    exact = type(asked)(asked.s, asked.q, asked.mean, asked.covariance, np.zeros(4), asked.benchmarks)
    z = np.array([0.3, -0.2, 0.9, 0.0])
    mean, covariance = given(exact, np.array([True, False, True, False]), z, np.zeros(4))
    np.testing.assert_allclose(mean[[0, 2]], z[[0, 2]], atol=1e-9)
    np.testing.assert_allclose(covariance[[0, 2]][:, [0, 2]], 0.0, atol=1e-9)


def test_a_fit_of_two_cells_is_refused() -> None:
    with pytest.raises(RecordError, match="expected at least 3"):
        fit(cells(frame().head(2)))
