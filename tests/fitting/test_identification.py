"""No certainty without information: one value, one size or a prior alone give the status `unidentified`."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from foresaid.arrays import Array
from foresaid.fitting.data import Covariate, Table, Target
from foresaid.fitting.fit import fit
from foresaid.laws import _loader as laws

DAY = date(2024, 1, 1)


def losses(parameters: Array, tokens: Array) -> Table:
    names = tuple(f"run-{i:02d}" for i in range(len(tokens)))
    target = Target("t", "T", "t", (Covariate("n", "ln"), Covariate("d", "ln")), 0.0, 1.0, 0.0, 20.0, "s")
    y = 1.8172 + 477.84 / parameters**0.34731 + 2143.86 / tokens**0.36718
    y = y * np.exp(np.random.default_rng(1).normal(0.0, 0.005, len(y)))
    return Table(target, names, names, (DAY,) * len(y), (DAY,) * len(y), np.log(np.column_stack([parameters, tokens])), y)


SIZES = np.logspace(8, 10.5, 12)
GRID = (np.repeat([1e7, 5e7, 2e8, 1e9, 4e9], 6), np.tile([5e8, 2e9, 8e9, 3e10, 1e11, 4e11], 5))


@pytest.mark.parametrize(
    ("parameters", "tokens", "identified"),
    [(np.full(12, 1e9), np.logspace(9, 12, 12), False), (SIZES, 1e20 / SIZES, False), (*GRID, True)],
    ids=["one size", "one budget", "a grid"],
)
def test_a_prior_does_not_make_rows_informative(parameters: Array, tokens: Array, identified: bool) -> None:
    law = laws.load("chinchilla", {"sources": ["s"], "surfaces": {"t": {}}})

    assert (fit(law, losses(parameters, tokens), 7, 2).status == "converged") == identified


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_one_value_in_all_rows_is_unidentified(value: float) -> None:
    names = tuple(f"m{i:02d}" for i in range(24))
    target = Target("t", "T", "t", (Covariate("training_flops", "ln"),), 0.0, 1.0, 0.0, 1.0, "s")
    x = np.log(np.logspace(20, 23, 24))[:, None]
    law = laws.load("compute_sigmoid", {"sources": ["s"], "targets": {"t": {}}})
    table = Table(target, names, names, (DAY,) * 24, (DAY,) * 24, x, np.full(24, value))

    assert fit(law, table, 7, 2).status == "unidentified"
    one_compute = replace(table, x=np.full_like(x, np.log(1e21)), y=np.linspace(0.2, 0.4, 24))
    assert fit(law, one_compute, 7, 2).status == "unidentified"
