"""Baselines told the new model's other scores: what they copy, and that they never read the outcome."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from foresaid.arrays import sigmoid
from foresaid.fitting.data import Covariate, Table, Target
from foresaid.forecasting.baselines import TOLD, forecast_told, tells
from foresaid.scoring.levels import LEVELS

MEDIAN = LEVELS.index(0.5)


def made(count: int, seed: int, prefix: str) -> Table:
    """Models of one ability, in families of two, on three other benchmarks and the target."""
    ability = np.random.default_rng(seed).uniform(-1.0, 1.0, count)
    target = Target("t", "T", "t", tuple(Covariate(f"x{k}") for k in range(3)), 0.0, 1.0, 0.0, 1.0, "s")
    names = tuple(f"{prefix}{i:02d}" for i in range(count))
    families = tuple(f"{prefix}{i // 2}" for i in range(count))
    days = (date(2024, 1, 1),) * count
    return Table(
        target, names, families, days, days, sigmoid(ability[:, None] + np.array([-0.5, 0.0, 0.5])), sigmoid(1.5 * ability)
    )


KNOWN, NEW = made(20, 0, "k"), made(4, 1, "n")


def test_the_nearest_known_model_is_copied_exactly() -> None:
    twin = replace(NEW, x=KNOWN.x[[3, 7, 11, 15]])

    np.testing.assert_allclose(forecast_told("nearest_known_model", KNOWN, twin).quantiles[:, MEDIAN], KNOWN.y[[3, 7, 11, 15]])


@pytest.mark.parametrize("name", ["ridge_on_others", "sigmoid_of_mean"])
def test_a_sigmoid_in_the_ability_is_found(name: str) -> None:
    np.testing.assert_allclose(forecast_told(name, KNOWN, NEW).quantiles[:, MEDIAN], NEW.y, atol=0.03)


@pytest.mark.parametrize("name", TOLD)
def test_the_outcome_is_never_read(name: str) -> None:
    other = replace(NEW, y=1.0 - NEW.y)

    np.testing.assert_array_equal(forecast_told(name, KNOWN, NEW).quantiles, forecast_told(name, KNOWN, other).quantiles)


@pytest.mark.parametrize("name", TOLD)
def test_a_model_of_which_nothing_is_known_gets_a_forecast(name: str) -> None:
    blind = replace(NEW, x=np.full_like(NEW.x, np.nan))

    assert np.isfinite(forecast_told(name, KNOWN, blind).quantiles).all()


def test_a_law_of_one_covariate_is_told_nothing() -> None:
    assert tells(KNOWN)
    assert not tells(replace(KNOWN, x=KNOWN.x[:, :1]))
