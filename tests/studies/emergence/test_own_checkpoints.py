"""`foresaid emergence`: a person's own losses, fine-tuning sizes and accuracies, tried on the early rows of our own experiment."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from tests.conftest import ROOT

from foresaid.cli.main import main
from foresaid.errors import ForesaidError, ParameterError, RecordError
from foresaid.scoring.levels import LEVELS
from foresaid.studies.emergence import own_checkpoints as work
from foresaid.studies.emergence.predict import seen
from foresaid.studies.emergence.thresholds import CUT, means, thresholds

FOLDER = ROOT / "registry" / "experiments" / "emergence-2026-11"
RUNS = ("f0.2-d64-s111", "f0.4-d64-s111")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    early = seen(means(pl.read_csv(FOLDER / "early-1.csv")), 256)
    mine = early.filter((pl.col("protocol") != "zero_shot") & pl.col("run").is_in(RUNS))
    path = tmp_path_factory.mktemp("own") / "checkpoints.csv"
    mine.select("run", "step", pl.col("text_loss").alias("loss"), "examples", "accuracy", flops=pl.col("step") * 1e12).write_csv(
        path
    )
    return path


def test_two_runs_of_our_experiment_are_forecast_and_ranked_as_they_came(file: Path) -> None:
    known = work.experience(FOLDER)
    assert known is not None
    made = work.ranked(work.forecast(work.read(file), 0.25, 12, CUT, known, 1))
    observed = {row["run"]: row for row in thresholds(pl.read_csv(FOLDER / "table.csv")) if row["protocol"] == "few_shot"}

    assert [one.run for one in made] == ["f0.4-d64-s111", "f0.2-d64-s111"]
    for one in made:
        assert abs(one.point - observed[one.run]["loss"]) < 0.1
        assert one.point == pytest.approx(0.5 * (one.law + one.last))
        assert (np.diff(one.quantiles) > 0).all()
        low, high = one.quantiles[LEVELS.index(0.025)], one.quantiles[LEVELS.index(0.975)]
        assert low < observed[one.run]["loss"] < high
        assert one.steps[1] <= one.steps[0] <= one.steps[2]
        assert one.flops[0] == pytest.approx(one.steps[0] * 1e12, rel=1e-6)
        assert not one.emerged


def test_the_discrepancy_widens_and_counts_fits_not_runs(file: Path) -> None:
    known = work.experience(FOLDER)
    assert known is not None
    assert (known.series, known.independent) == (40, 11)


def test_the_command_prints_json_and_refuses_what_is_too_little(file: Path, tmp_path: Path) -> None:
    one = tmp_path / "one.csv"
    frame = pl.read_csv(file)
    frame.filter(pl.col("run") == RUNS[0]).write_csv(one)
    told = CliRunner().invoke(main, ["--root", str(ROOT), "emergence", str(one), "--json"])

    assert told.exit_code == 0, told.output
    assert len(json.loads(told.output)["runs"][0]["quantiles"]) == len(LEVELS)

    frame.filter(pl.col("examples").is_in([0, 256])).write_csv(one)
    with pytest.raises(ParameterError, match="at least two"):
        work.forecast(work.read(one), 0.25, 12, CUT, None, 1)
    few = frame.filter(pl.col("step") >= int(frame.filter(pl.col("run") == RUNS[0])["step"].unique().sort()[-2]))
    few.filter(pl.col("run") == RUNS[0]).write_csv(one)
    with pytest.raises(ParameterError, match="at least 3"):
        work.forecast(work.read(one), 0.25, 12, CUT, None, 1)


@pytest.mark.parametrize(
    ("row", "said"),
    [("a,100,2.0,64,25", "divide percentages"), ("a,100,nan,64,0.25", "loss above 0"), ("a,0,2.0,64,0.25", "above 0")],
)
def test_a_bad_cell_is_named(tmp_path: Path, row: str, said: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_text("run,step,loss,examples,accuracy\n" + row + "\n", encoding="utf-8")

    with pytest.raises(RecordError, match=said):
        work.read(path)


def test_a_missing_column_or_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text("run,step,loss\na,1,2\n", encoding="utf-8")
    for each in (path, tmp_path / "none.csv"):
        with pytest.raises(ForesaidError, match="expected"):
            work.read(each)
