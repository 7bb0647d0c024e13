"""Baselines told other scores, worked by hand on small tables."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.linear_model import Ridge

from foresaid.fitting.data import Covariate, Target, TrainingTable
from foresaid.forecasting.baselines import forecast
from foresaid.forecasting.board import Lineage, boards
from foresaid.forecasting.score_baselines import FOR_SCORES

DAY = date(2024, 1, 1)
NAN = float("nan")


def table(x: list[list[float]], y: list[float]) -> TrainingTable:
    names = tuple(f"m{i}" for i in range(len(y)))
    target = Target("t", "", "q", (), 0.0, 1.0, 0.0, 1.0, "s")
    return TrainingTable(target, names, names, (DAY,) * len(y), (DAY,) * len(y), np.array(x, dtype=float), np.array(y, dtype=float))


def one(name: str, known: TrainingTable, x: list[float]) -> float:
    return FOR_SCORES[name].point(*boards(known, table([x], [0.0])), 0)


KNOWN = table([[0.1, 0.2, 0.1], [0.5, 0.5, NAN], [0.5, 0.6, 0.5], [0.9, 0.8, 0.9]], [0.0, 0.3, 0.4, 0.8])


def test_the_nearest_model_shares_three_scores_and_is_copied() -> None:
    assert one("nearest_known_model", KNOWN, [0.5, 0.5, 0.5]) == 0.4  # the second shares two scores only
    assert one("nearest_known_model", KNOWN, [0.5, 0.5, NAN]) == 0.3  # asked with two, two are enough


def test_without_any_score_it_is_the_mean() -> None:
    assert [one(name, KNOWN, [NAN] * 3) for name in FOR_SCORES if name != "shifted_last"] == pytest.approx([0.375] * 3)


def test_the_logistic_line_finds_a_logistic_curve() -> None:
    at = np.linspace(-2.0, 2.0, 9)
    curve = table([[value, value] for value in at], list(1 / (1 + np.exp(-(0.3 + 1.5 * at)))))

    assert one("sigmoid_of_mean", curve, [0.4, 0.4]) == pytest.approx(1 / (1 + np.exp(-0.9)))


def test_ridge_of_one_input_is_its_closed_form() -> None:
    at, y = np.array([0.0, 1.0, 2.0, 3.0, 4.0]), np.array([0.1, 0.2, 0.4, 0.5, 0.9])
    z = (at - at.mean()) / at.std()
    expected = y.mean() + (z * (y - y.mean())).sum() / ((z**2).sum() + 1.0) * (2.5 - at.mean()) / at.std()

    assert one("ridge_on_others", table(at[:, None].tolist(), y.tolist()), [2.5]) == pytest.approx(expected)


def test_the_spread_is_the_baselines_own_record() -> None:
    asked = table([[0.5, 0.6, 0.5]], [0.4])

    made = forecast(FOR_SCORES["nearest_known_model"], KNOWN, asked)

    assert made.point.tolist() == [0.4]
    assert made.quantiles[0, 0] < 0.4 < made.quantiles[0, -1]


def test_ridge_is_that_of_a_library_on_inputs_with_gaps() -> None:
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(30, 5)), rng.uniform(size=30)
    x[rng.uniform(size=x.shape) < 0.2] = NAN
    z = np.nan_to_num((x - np.nanmean(x, axis=0)) / np.nanstd(x, axis=0))
    new = np.array([0.3, -0.2, 1.0, 0.5, -1.5])
    expected = Ridge(alpha=1.0).fit(z, y).predict(((new - np.nanmean(x, axis=0)) / np.nanstd(x, axis=0))[None, :])[0]

    assert one("ridge_on_others", table(x.tolist(), y.tolist()), new.tolist()) == pytest.approx(float(expected), abs=1e-12)


def test_the_last_of_a_line_is_moved_by_the_mean_surprise_of_the_other_scores() -> None:
    who = Lineage({"m0": ("A", "a", "mini"), "m1": ("B", "b", "mini")})
    shares = (Covariate("p", "identity"), Covariate("q", "identity"))
    known = replace(table([[0.4, 0.6], [0.9, 0.9]], [0.3, 0.8]), target=replace(KNOWN.target, covariates=shares))
    asked = replace(table([[0.5, 0.8]], [0.0]), target=known.target)
    first, second = boards(known, asked, who)
    surprise = np.mean([norm.ppf(0.5) - norm.ppf(0.4), norm.ppf(0.8) - norm.ppf(0.6)])

    # m0 of the asked table is of the line of the known m0; two scores count two thirds.
    assert FOR_SCORES["shifted_last"].point(first, second, 0) == pytest.approx(norm.cdf(norm.ppf(0.3) + surprise * 2 / 3))
