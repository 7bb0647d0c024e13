"""What is said of a fit is a figure of it: no weight of a benchmark that no row was measured on."""

from __future__ import annotations

import dataclasses

import numpy as np
from tests.laws.test_every_law import CASES, made

from foresaid.fitting.fit import fit
from foresaid.fitting.summary import describe, unmeasured


def test_the_weight_of_a_benchmark_nobody_was_measured_on_is_not_said() -> None:
    law, table = made("observational", CASES["observational"].noise)
    first = table.target.covariates[0].quantity_id
    x = table.x.copy()
    x[:, 0] = np.nan
    whole, without = (fit(law, one, 7, 6) for one in (table, dataclasses.replace(table, x=x)))
    said = [[item["name"] for item in describe(law, one)["parameters"]] for one in (whole, without)]

    assert not unmeasured(whole)
    assert unmeasured(without) == {first}
    assert first in said[0]
    assert said[1] == [name for name in said[0] if name != first]
