"""Rows of one size or one budget leave the width of what is believed: replicates draw the prior's centre."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from foresaid import laws
from foresaid.arrays import Array
from foresaid.fitting.data import Covariate, Table, Target
from foresaid.fitting.frozen_curve import freeze_curve
from foresaid.forecasting.predict import predict
from foresaid.forecasting.recalibration import Question, widened_fits

DAY = date(2024, 1, 1)
SIZES = np.logspace(8, 10.5, 12)
GRIDS = {"one size": (np.full(12, 1e9), np.logspace(9, 12, 12)), "one budget": (SIZES, 1e20 / SIZES)}


def loss(n: Array, d: Array) -> Array:
    """Besiroglu et al. 2024, arXiv 2404.10102."""
    return np.asarray(1.8172 + 477.84 / n**0.34731 + 2143.86 / d**0.36718)


@pytest.mark.parametrize("grid", sorted(GRIDS))
def test_the_interval_holds_the_truth_where_rows_say_little(grid: str) -> None:
    n, d = GRIDS[grid]
    names = tuple(f"r{i:02d}" for i in range(12))
    target = Target("t", "T", "t", (Covariate("n", "ln"), Covariate("d", "ln")), 0.0, 1.0, 0, 20, "s")
    law = laws.load("chinchilla", {"sources": ["s"], "surfaces": {"t": {}}})
    truth, held = float(loss(np.array([7e10]), np.array([1.4e12]))[0]), 0
    for seed in range(40):
        y = loss(n, d) * np.exp(np.random.default_rng(seed).normal(0, 0.005, 12))
        table = Table(target, names, names, (DAY,) * 12, (DAY,) * 12, np.log(np.column_stack([n, d])), y)
        found = widened_fits([Question(law, table, {})], 7, 60, None)[0].fit
        low, high = predict(law, freeze_curve(law, found, {}, DAY, 7), np.log([[7e10, 1.4e12]])).interval(0.8)[0]
        held += bool(low <= truth <= high)
    assert held >= 28, f"{held} of 40"
