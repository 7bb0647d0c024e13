"""The power law of a loss: its series, its statuses, and its extrapolation."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from foresaid.arrays import Array
from foresaid.fitting.data import Covariate, Target, TrainingTable
from foresaid.fitting.fit import fit
from foresaid.laws import _loader as laws

if TYPE_CHECKING:
    from tests.conftest import Built

SETTINGS: dict[str, Any] = {
    "sources": ["gadre", "finetune-loss"],
    "series": {
        "gadre_c4_loss": {"size": "training_tokens", "at_least": 5},
        "gadre_de_en_loss": {"size": "training_tokens", "at_least": 5},
        "finetune_flan_loss": {"size": "finetuning_examples", "at_least": 5},
        "finetune_wmt19_loss": {"size": "finetuning_examples", "at_least": 5},
    },
    "rise_tolerance": 0.01,
}
LAW = laws.load("cross_entropy_power", SETTINGS)
TARGET = Target("t", "T", "t", (Covariate("d", "ln"),), 0.0, 1.0, 0.0, 15.0, "s")


@pytest.fixture(scope="session")
def tables(built: Built) -> dict[str, TrainingTable]:
    return {table.target.target_id: table for table in LAW.tables(built.as_of("2026-11-21"))}


def rows(x: Array, y: Array) -> TrainingTable:
    names = tuple(f"{i:02d}" for i in range(len(y)))
    days = (date(2024, 1, 1),) * len(y)
    return TrainingTable(TARGET, names, names, days, days, x[:, None], y)


def test_there_is_one_target_a_family_with_enough_runs(tables: dict[str, TrainingTable]) -> None:
    counts = Counter(name.split("/")[0] for name in tables)

    assert counts == {"gadre_c4_loss": 12, "gadre_de_en_loss": 12, "finetune_flan_loss": 30, "finetune_wmt19_loss": 30}
    assert min(table.n for table in tables.values()) >= 5


def test_zero_shot_rows_are_left_out_and_counted(tables: dict[str, TrainingTable]) -> None:
    table = tables["finetune_wmt19_loss/finetune-loss/gpt2"]

    assert table.n == 14
    assert table.excluded_rows == (("no logarithm: finetuning_examples is zero", 1),)
    assert tables["gadre_c4_loss/gadre/rpj-d96-l8-h4"].excluded_rows == ()


def test_published_series_have_these_coefficients(tables: dict[str, TrainingTable]) -> None:
    found = fit(LAW, tables["gadre_de_en_loss/gadre/rpj-d576-l24-h8"], 20240531, 5)

    assert found.parameters == ("irreducible", "ln_A", "alpha")
    assert found.status == "converged"
    # Golden, checked against 40 starts of scipy's least_squares.
    np.testing.assert_allclose(found.point, [3.365, 10.102, 0.467], atol=0.001)


def test_the_irreducible_loss_stays_below_every_observed_loss(tables: dict[str, TrainingTable]) -> None:
    table = tables["gadre_c4_loss/gadre/rpj-d512-l8-h4"]
    found = fit(LAW, table, 20240531, 5)

    assert found.status == "at_bound"
    assert found.point[0] <= table.y.min()


def test_a_floor_of_zero_is_no_objection(tables: dict[str, TrainingTable]) -> None:
    found = fit(LAW, tables["finetune_flan_loss/finetune-loss/gpt2"], 20240531, 5)

    assert found.status == "converged"
    assert found.point[0] == 0.0


def test_a_loss_that_rises_by_more_than_its_noise_is_non_monotone() -> None:
    x = np.linspace(5.0, 14.0, 10)
    y = 1.0 + np.exp(1.0 - 0.2 * x)
    small, large = y.copy(), y.copy()
    small[6], large[6] = y[5] * 1.009, y[5] * 1.011

    assert fit(LAW, rows(x, small), 1, 2).status != "non_monotone"
    assert fit(LAW, rows(x, large), 1, 2).status == "non_monotone"


def test_the_order_of_runs_of_one_size_cannot_make_a_rise() -> None:
    x, y = np.array([1.0, 1.0, 2.0, 2.0]), np.array([2.0, 2.1, 1.0, 1.1])

    assert LAW.pre_fit_status(rows(x, y)) is None
    assert LAW.pre_fit_status(rows(x[::-1], y[::-1])) is None


def test_a_short_noisy_series_does_not_identify_its_far_forecast() -> None:
    x = np.linspace(20.0, 21.0, 6)
    y = (3.0 - 0.15 * (x - 20.0)) * np.exp(np.random.default_rng(0).normal(0.0, 0.01, 6))  # a straight line: any floor will do
    found = fit(LAW, rows(x, y), 1, 5)

    assert found.status == "unidentified"
    assert "alpha" in found.reason


def test_the_forecast_stays_valid_far_outside_the_sizes(tables: dict[str, TrainingTable]) -> None:
    found = fit(LAW, tables["gadre_c4_loss/gadre/rpj-d96-l8-h4"], 20240531, 20)
    far = LAW.curve(found.draws, np.array([[0.0], [30.0], [200.0]]))

    assert np.isfinite(far).all()
    assert (np.diff(far, axis=1) <= 0).all()
