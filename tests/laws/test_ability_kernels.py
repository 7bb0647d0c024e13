"""The ability law fills sparse tables alike whatever kernels do the arithmetic, and stands a benchmark with one row."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.conftest import ROOT, Built

from foresaid.fitting.imputation import impute
from foresaid.laws.ability import Ability
from foresaid.laws.observational import Observational

# Twenty-one weightings of three real tables of the hub, as the bootstrap makes them.
FILL = """
import sys
from datetime import date
from pathlib import Path
import numpy as np
from foresaid import params
from foresaid.fitting.imputation import impute
from foresaid.laws import _loader
from foresaid.registry import database
from foresaid.reproducible import generator
settings = params.load(Path(sys.argv[1])).laws["ability"]
view = database.as_of(database.open_database(Path(sys.argv[2])), date(2026, 11, 21))
law = _loader.load("ability", settings)
found = []
for table in law.tables(view)[:3]:
    n = len(table.x)
    drawn = generator(1, table.target.target_id).multinomial(n, np.full(n, 1 / n), size=20)
    weights = np.vstack([np.ones(n), drawn]).astype(float)
    found.append(impute(table.x, weights, *law.reach, tolerance=law.tolerance, prior=law.filling_prior).values.ravel())
np.save(sys.argv[3], np.concatenate(found))
"""


def test_two_kernel_sets_fill_the_same_table_alike(built: Built, tmp_path: Path) -> None:
    """Before, cells of one table differed by up to 9.19 logits: a column of one value was divided by its rounding."""
    filled = []
    for kernels in ("Haswell", "Nehalem"):
        out = tmp_path / f"{kernels}.npy"
        command = [sys.executable, "-c", FILL, str(ROOT / "params.yaml"), str(built.build / "database"), str(out)]
        subprocess.run(command, check=True, capture_output=True, env=os.environ | {"OPENBLAS_CORETYPE": kernels})
        filled.append(np.load(out))
    assert filled[0].size > 1000
    np.testing.assert_allclose(filled[0], filled[1], atol=1e-6)


@pytest.mark.parametrize("prior", [0.0, 1.0])
def test_a_column_of_one_value_drawn_several_times_is_not_divided_by_its_rounding(prior: float) -> None:
    """The weighted mean of one value drawn three times is off by a rounding; what it is off by is no spread."""
    values = np.array([[0.1, 0.3, 0.2], [0.1, 0.5, 0.4], [0.1, 0.2, np.nan], [0.7, 0.6, 0.5], [np.nan, 0.4, 0.3]])
    weights = np.array([[3.0, 7.0, 1.0, 0.0, 2.0]])
    filled = impute(values, weights, prior=prior).values[0]
    assert filled[4, 0] == pytest.approx(0.1, abs=1e-6)
    assert 0.0 < filled[2, 2] < 0.5


def test_a_benchmark_with_one_row_is_filled_with_that_row() -> None:
    values = np.array([[0.1, 0.2, np.nan], [0.2, 0.3, np.nan], [0.4, 0.5, 0.35], [0.6, 0.6, np.nan]])
    filled = impute(values, np.ones((2, 4)), prior=Ability.filling_prior).values
    np.testing.assert_allclose(filled[:, :, 2], 0.35, atol=1e-9)
    designed = Ability(sources=("s",), targets={}, metrics=("a", "b", "c")).design(values, np.ones((2, 4)))
    assert np.isfinite(designed.features).all()


def test_the_prior_is_the_ability_law_s_alone() -> None:
    assert Ability.filling_prior == 1.0
    assert Observational.filling_prior == 0.0


def test_a_larger_prior_draws_filled_cells_towards_their_column_mean() -> None:
    values = np.array([[0.1, 0.15], [0.3, 0.35], [0.5, 0.55], [0.9, np.nan]])
    cells = [impute(values, np.ones((1, 4)), prior=prior).values[0, 3, 1] for prior in (0.0, 1.0, 100.0)]
    assert cells[0] > cells[1] > cells[2]
    assert cells[2] == pytest.approx(0.35, abs=1e-3)
