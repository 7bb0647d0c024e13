"""No certainty without information: rows of one size, of one budget or of one value leave the width of what is believed."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from foresaid.arrays import Array
from foresaid.fitting.data import Covariate, Target, TrainingTable
from foresaid.fitting.fit import Fit
from foresaid.fitting.frozen_curve import freeze_curve
from foresaid.fitting.law import Law
from foresaid.forecasting.predict import predict
from foresaid.forecasting.recalibration import FitRequest, recalibrated_fits
from foresaid.laws import _loader as laws
from foresaid.laws.chinchilla import Chinchilla

DAY = date(2024, 1, 1)
SIZES = np.logspace(8, 10.5, 12)
GRIDS = {"one size": (np.full(12, 1e9), np.logspace(9, 12, 12)), "one budget": (SIZES, 1e20 / SIZES)}
DRAWS = 12


def loss(n: Array, d: Array) -> Array:
    """Besiroglu et al. 2024, arXiv 2404.10102."""
    return np.asarray(1.8172 + 477.84 / n**0.34731 + 2143.86 / d**0.36718)


def table(x: Array, y: Array, names: tuple[str, ...], quantity: str = "t", upper: float = 20.0) -> TrainingTable:
    target = Target(quantity, "T", quantity, tuple(Covariate(name, "ln") for name in names), 0.0, 1.0, 0.0, upper, "s")
    subjects = tuple(f"r{i:02d}" for i in range(len(y)))
    return TrainingTable(target, subjects, subjects, (DAY,) * len(y), (DAY,) * len(y), x, y)


def answered(law: Law, rows: TrainingTable, x: Array) -> tuple[Fit, Array]:
    found = recalibrated_fits([FitRequest(law, rows, {})], 7, 60, None)[0].fit
    return found, predict(law, freeze_curve(law, found, {}, DAY, 7), x).interval(0.8)


@pytest.mark.parametrize("grid", sorted(GRIDS))
@pytest.mark.parametrize("name", ["chinchilla", "over_training", "kaplan"])
def test_the_interval_holds_the_truth_where_rows_say_little(grid: str, name: str) -> None:
    n, d = GRIDS[grid]
    law = laws.load(name, {"sources": ["s"], "surfaces": {"t": {}}})
    truth, held = float(loss(np.array([7e10]), np.array([1.4e12]))[0]), 0
    draws = DRAWS if name == "chinchilla" else 4
    for seed in range(draws):
        y = loss(n, d) * np.exp(np.random.default_rng(seed).normal(0, 0.005, 12))
        found, ends = answered(law, table(np.log(np.column_stack([n, d])), y, ("n", "d")), np.log([[7e10, 1.4e12]]))
        held += bool(ends[0, 0] <= truth <= ends[0, 1])
    print(name, grid, held, found.status)
    assert held >= 0.6 * draws, f"{held} of {draws}"


def test_rows_that_all_score_nought_leave_the_beginning_open() -> None:
    law = laws.load("compute_sigmoid", {"sources": ["s"], "targets": {"t": {}}})
    rows = table(np.log(np.logspace(20, 23, 24))[:, None], np.zeros(24), ("training_flops",), upper=1.0)
    found, ends = answered(law, rows, np.log([[1e21], [1e26]]))

    assert found.status == "unidentified"
    assert np.ptp(ends[0]) < 0.05
    assert ends[1, 0] < 0.1
    assert ends[1, 1] > 0.5


def test_rows_that_all_score_one_leave_the_fall_open() -> None:
    law = laws.load("loss_logistic", {"sources": ["s"], "series": {}})
    rows = table(np.linspace(2.0, 3.0, 24)[:, None], np.full(24, 0.5), ("loss",), upper=1.0)

    assert recalibrated_fits([FitRequest(law, rows, {})], 7, 30, None)[0].fit.status == "unidentified"


def test_no_prior_on_the_rows_it_was_read_off() -> None:
    law = laws.load("chinchilla", {"sources": ["s"], "surfaces": {"own": {"prior": False}, "other": {}}})
    own, other = (law.of(table(np.zeros((1, 2)), np.ones(1), ("n", "d"), name).target) for name in ("own", "other"))

    assert isinstance(own, Chinchilla)
    assert not own.prior(own.parameters(table(np.zeros((1, 2)), np.ones(1), ("n", "d")).target, 2))[1].any()
    assert own.residual_loss == law.residual_loss
    assert other is law


def test_every_weight_says_in_which_noise_it_is_measured() -> None:
    from tests.laws.test_every_law import fitted

    for name in laws.names():
        law, rows, _ = fitted(name)
        parameters = law.parameters(rows.target, law.features(rows.x.shape[1]))
        assert law.typical_noise > 0.0 or not law.prior(parameters)[1].any(), name
