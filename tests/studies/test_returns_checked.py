"""Returns by all laws together, and of a held-out budget: the arithmetic on planted numbers, and the real hindcast."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from tests.conftest import ROOT, Built

from foresaid import params
from foresaid.cli.main import main
from foresaid.evaluation.hindcast import run_case
from foresaid.files import write_frame
from foresaid.laws import _loader as laws
from foresaid.registry import database
from foresaid.scoring.levels import LEVELS
from foresaid.studies import returns_checked as work
from foresaid.studies.compute_returns import STEPS, Budget


def steps(gains: list[float]) -> list[Budget]:
    return [
        Budget(1e21 * 10.0**step, 1e9, 1e9, 1e9, 1e11, 2.0, gain, gain - 0.01, gain + 0.01, True)
        for step, gain in zip(STEPS, gains, strict=True)
    ]


def test_laws_that_disagree_are_said_to() -> None:
    alike = work.across({"a": {"t": steps([0.4, 0.3, 0.2, 0.1, 0.05])}, "b": {"t": steps([0.4, 0.3, 0.21, 0.1, 0.05])}})
    apart = work.across({"a": {"t": steps([0.4, 0.3, 0.2, 0.1, 0.05])}, "b": {"t": steps([0.4, 0.3, 0.4, 0.1, 0.05])}})
    assert alike is not None
    assert apart is not None

    assert "in 0 of 1 targets" in alike.said[1]
    assert "in 1 of 1 targets" in apart.said[1]
    assert apart.tables[0].rows[0][4:7] == pytest.approx((0.2, 0.3, 0.4))
    assert work.across({"a": {"t": steps([0.4, 0.3, 0.2, 0.1, 0.05])}}) is None


def test_a_gain_is_the_best_fitted_loss_less_the_best_held_out() -> None:
    drawing = pl.DataFrame(
        {"target_id": "t", "kind": "point", "subject_id": ["a", "b", "c"], "x": [19.0, 20.0, 22.0], "observed": [3.0, 2.8, 2.3]}
    )
    quantiles = (2.4 + 0.1 * (np.array(LEVELS) - 0.5)).tolist()
    forecast = pl.DataFrame(
        {
            "case": work.CASE,
            "law": ["l"],
            "target_id": "t",
            "subject_id": "c",
            "observed": 2.3,
            "point": 2.4,
            "quantiles": [quantiles],
        }
    )
    made = work.held_out(forecast, {"l": drawing})
    assert made is not None
    (row,) = made.tables[0].rows

    assert row[2:4] == (1e20, 1e22)
    assert row[4] == pytest.approx(0.4)
    assert row[7] == pytest.approx(0.5)
    assert "holds 0 of 1" in made.said[0]
    assert work.held_out(forecast.with_columns(case=pl.lit("another")), {"l": drawing}) is None


def test_the_real_hindcast_is_checked_on_three_corpora(built: Built, tmp_path: Path) -> None:
    shipped = params.load(ROOT / "params.yaml")
    case = dataclasses.replace(shipped.hindcast[work.CASE], laws=("over_training",))
    few = dataclasses.replace(shipped, replicates=10, hindcast={work.CASE: case})
    connection = database.open_database(built.build / "database")
    forecasts, _ = run_case(work.CASE, case, few, connection, built.registry)
    law = laws.load("over_training", shipped.laws["over_training"])
    tables = law.tables(database.as_of(connection, shipped.fit_as_of))
    connection.close()
    drawing = pl.concat(
        pl.DataFrame(
            {"target_id": one.target.target_id, "kind": "point", "subject_id": one.subjects,
             "x": (np.log(6.0) + one.x.sum(axis=1)) / np.log(10.0), "observed": one.y}
        )
        for one in tables
    )  # fmt: skip
    made = work.held_out(forecasts, {"over_training": drawing})
    assert made is not None

    numbers = np.array([[cell for cell in row if isinstance(cell, float)] for row in made.tables[0].rows])
    assert numbers.shape == (3, 6)
    assert (numbers[:, 1] > 100 * numbers[:, 0]).all()  # a hundred times the compute of the best run that was fitted
    assert ((numbers[:, 5] > 0.4) & (numbers[:, 5] < 0.8)).all()
    assert (np.abs(numbers[:, 2] - numbers[:, 5]) < 0.15).all()

    # `foresaid protocol` prints the scores of the same forecasts, as `hindcast` left them.
    shutil.copy(ROOT / "params.yaml", tmp_path)
    write_frame(tmp_path / "build" / "hindcast.parquet", forecasts)
    said = CliRunner().invoke(main, ["--root", str(tmp_path), "protocol", "table", work.CASE])
    assert said.exit_code == 0, said.output
    assert "over_training" in said.output
