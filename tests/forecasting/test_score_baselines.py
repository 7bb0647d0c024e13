"""Baselines told other scores, worked by hand on small tables."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from foresaid.fitting.data import Table, Target
from foresaid.forecasting.baselines import forecast
from foresaid.forecasting.score_baselines import FOR_SCORES, nearest_known_model, ridge_on_others, sigmoid_of_mean

DAY = date(2024, 1, 1)
NAN = float("nan")


def table(x: list[list[float]], y: list[float]) -> Table:
    names = tuple(f"m{i}" for i in range(len(y)))
    target = Target("t", "", "q", (), 0.0, 1.0, 0.0, 1.0, "s")
    return Table(target, names, names, (DAY,) * len(y), (DAY,) * len(y), np.array(x, dtype=float), np.array(y, dtype=float))


KNOWN = table([[0.1, 0.2, 0.1], [0.5, 0.5, NAN], [0.5, 0.6, 0.5], [0.9, 0.8, 0.9]], [0.0, 0.3, 0.4, 0.8])


def test_the_nearest_model_shares_three_scores_and_is_copied() -> None:
    assert nearest_known_model(KNOWN, "f", DAY, np.array([0.5, 0.5, 0.5])) == 0.4  # the second shares two scores only
    assert nearest_known_model(KNOWN, "f", DAY, np.array([0.5, 0.5, NAN])) == 0.3  # asked with two, two are enough


def test_without_any_score_it_is_the_mean() -> None:
    nothing = np.full(3, NAN)

    assert [baseline(KNOWN, "f", DAY, nothing) for baseline in FOR_SCORES.values()] == pytest.approx([0.375] * 3)


def test_the_logistic_line_finds_a_logistic_curve() -> None:
    at = np.linspace(-2.0, 2.0, 9)
    curve = table([[value, value] for value in at], list(1 / (1 + np.exp(-(0.3 + 1.5 * at)))))

    assert sigmoid_of_mean(curve, "f", DAY, np.array([0.4, 0.4])) == pytest.approx(1 / (1 + np.exp(-0.9)))


def test_ridge_of_one_input_is_its_closed_form() -> None:
    at, y = np.array([0.0, 1.0, 2.0, 3.0, 4.0]), np.array([0.1, 0.2, 0.4, 0.5, 0.9])
    z = (at - at.mean()) / at.std()
    expected = y.mean() + (z * (y - y.mean())).sum() / ((z**2).sum() + 1.0) * (2.5 - at.mean()) / at.std()

    assert ridge_on_others(table(at[:, None].tolist(), y.tolist()), "f", DAY, np.array([2.5])) == pytest.approx(expected)


def test_the_spread_is_the_baselines_own_record() -> None:
    asked = table([[0.5, 0.6, 0.5]], [0.4])

    made = forecast(nearest_known_model, KNOWN, asked)

    assert made.point.tolist() == [0.4]
    assert made.quantiles[0, 0] < 0.4 < made.quantiles[0, -1]
