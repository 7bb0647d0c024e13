"""`foresaid protocol larger`: the four kinds of hold-outs of docs/results-intervals.md, forecast from a folder of CSV files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.conftest import ROOT, Built

from foresaid import params
from foresaid.errors import ParameterError, RecordError
from foresaid.registry import source_card
from foresaid.report.sections.own_curves import as_plain, lines
from foresaid.scoring.levels import LEVELS
from foresaid.sources import _loader
from foresaid.studies.inference_compute.series import coverage_series
from foresaid.studies.own_curves import files, forecasts
from foresaid.studies.own_curves.forecasts import OwnForecast

DAY = "2026-11-21"


def asked(built: Built, folder: Path, laws: tuple[str, ...], alone: bool = False) -> list[OwnForecast]:
    view = None if alone else built.as_of(DAY)
    found, teachers = forecasts.asked(files.read_folder(folder), view, params.load(ROOT / "params.yaml").laws, 0.25)
    only = [one for one in found if one.request.law.name in laws]
    return forecasts.forecasts(only, [one for one in teachers if one.law.name in laws][:6], 1, 20, None)


def test_a_larger_run_of_a_known_ladder_needs_its_own_row_alone(built: Built, tmp_path: Path) -> None:
    (tmp_path / "runs.csv").write_text(
        "series,parameters,tokens,bits_per_byte,accuracy,held_out\nolmo_arc_easy_rc,13e9,5e12,,,1\n", encoding="utf-8"
    )
    (made,) = asked(built, tmp_path, ("ladder",))

    assert made.of_record == made.trained > 100
    assert made.quantiles is not None
    assert 0.75 < made.quantiles[0, LEVELS.index(0.5)] < 0.95  # the 7B run, with less, scores .83
    assert np.isnan(made.outcomes).all()


def test_another_fine_tuning_task_is_taught_by_the_series_of_the_record(built: Built, tmp_path: Path, mirror: Path) -> None:
    upstream = pl.read_csv(mirror / "linhaowei1+Fine-tuning-Scaling-Law/benchmark/flan.csv").to_dicts()[3]
    sizes = [name for name in upstream if name.isdigit() and int(name) > 0]
    rows = [f"task,{size},{upstream[size]},{int(int(size) > 204_800)}" for size in sizes]
    (tmp_path / "task.csv").write_text("\n".join(["series,examples,loss,held_out", *rows, ""]), encoding="utf-8")
    (made,) = asked(built, tmp_path, ("rectified",))

    assert made.trained == 11
    assert made.of_record == 0
    assert made.quantiles is not None
    assert np.abs(np.log(made.point / made.outcomes)).max() < 0.2
    assert forecasts.scores([made])["task", "rectified"]["n"] == 3


def test_a_series_of_the_record_under_another_name_does_not_teach_its_own_answer(
    built: Built, tmp_path: Path, mirror: Path
) -> None:
    upstream = pl.read_csv(mirror / "linhaowei1+Fine-tuning-Scaling-Law/benchmark/flan.csv").to_dicts()[3]
    (tmp_path / "task.csv").write_text(
        f"series,examples,loss,held_out\ncopy,819200,{upstream['819200']},1\ncopy,200,{upstream['200']},0\n", encoding="utf-8"
    )
    _, teachers = forecasts.asked(files.read_folder(tmp_path), built.as_of(DAY), params.load(ROOT / "params.yaml").laws, 0.25)
    of_record = [one for one in teachers if one.law.name == "rectified"]

    assert len(of_record) == 59  # of 60: the copy is none of them


def test_a_sweep_holds_out_its_largest_compute_and_is_forecast_by_five_laws(built: Built, tmp_path: Path) -> None:
    wide = built.as_of(DAY).wide(["gadre_c4_loss", "params_total", "training_tokens"], ("gadre",)).drop_nulls("gadre_c4_loss")
    rows = wide.filter(pl.col("family").str.starts_with("gadre/rpj")).select(
        pl.lit("mine").alias("series"), pl.col("params_total").alias("parameters"), pl.col("training_tokens").alias("tokens"),
        pl.col("gadre_c4_loss").alias("loss"),
    )  # fmt: skip
    rows.write_csv(tmp_path / "sweep.csv")
    made = asked(built, tmp_path, files.SURFACES, alone=True)
    scored = forecasts.scores(made)

    assert {one.law for one in made} == {*files.SURFACES, "ensemble_median", "ensemble_stacked"}
    assert scored["sweep", "chinchilla"]["n"] == rows.height // 4
    assert scored["sweep", "chinchilla"]["wis"] < scored["sweep", "kaplan"]["wis"]
    flops = made[0].sizes.prod(axis=1)
    assert flops.min() >= np.sort((rows["parameters"] * rows["tokens"]).to_numpy())[-rows.height // 4]


def test_larger_inference_budgets_are_forecast_from_a_file(built: Built, tmp_path: Path, mirror: Path) -> None:
    place = ROOT / "registry/sources/pass-at-k/source.toml"
    vintage = source_card.read(place, str(place), "pass-at-k").vintages[-1]
    held = coverage_series(_loader.find("pass-at-k")(mirror / vintage.directory))[0]
    each = [(np.exp(x), y, 0) for x, y in zip(held.train.x[:, 0], held.train.y, strict=True)]
    each += [(np.exp(x), y, 1) for x, y in zip(held.test.x[:, 0], held.test.y, strict=True)]
    text = "\n".join(["series,samples,coverage,held_out", *(f"run,{k},{y},{flag}" for k, y, flag in each), ""])
    (tmp_path / "samples.csv").write_text(text, encoding="utf-8")
    made = asked(built, tmp_path, ("coverage", "beta_coverage"), alone=True)

    assert {one.law for one in made} >= {"coverage", "beta_coverage"}
    assert all(abs(one.point[0] - held.test.y[0]) < 0.15 for one in made)
    said = "\n".join(lines(made))
    assert "samples" in said
    assert "coverage 80%" in said
    assert len(as_plain(made)["forecasts"]) == len(made)


def test_a_ladder_of_ones_own_is_forecast_straight_from_sizes_too_whatever_its_losses(tmp_path: Path) -> None:
    sizes = [(n, d) for n in (2e8, 4e8, 8e8, 1.3e9) for d in (4e9, 1.6e10, 6.4e10)]

    def planted(n: float, d: float) -> float:
        return 0.25 + 0.75 * float(np.exp(-np.exp(5.5) * n**-0.3 - np.exp(5.4) * d**-0.25))

    rows = [f"mine,{n},{d},{1.0 + at / 100.0},{planted(n, d)},0.25,0" for at, (n, d) in enumerate(sizes)]
    text = "\n".join(["series,parameters,tokens,bits_per_byte,accuracy,chance,held_out", *rows, "mine,7e9,4e12,,,0.25,1", ""])
    (tmp_path / "runs.csv").write_text(text, encoding="utf-8")
    found, _ = forecasts.asked(files.read_folder(tmp_path), None, params.load(ROOT / "params.yaml").laws, 0.25)
    (made,) = forecasts.forecasts([one for one in found if one.request.law.name == "direct_power"], [], 1, 20, None)

    assert {one.request.law.name for one in found} == {"ladder", "direct_power"}
    assert made.point[0] == pytest.approx(planted(7e9, 4e12), abs=1e-3)


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("a,b\n1,2\n", ParameterError, "expected series, parameters, tokens, bits_per_byte, accuracy"),
        ("series,examples,loss\nt,0,2.0\n", RecordError, "row 2, column examples: found 0, expected a number above 0"),
        ("series,examples,loss\nt,100,\n", RecordError, "column loss: found nothing"),
        ("series,samples,coverage\nt,10,45\n", RecordError, "divide percentages by 100"),
        ("series,examples,loss,held_out\nt,100,2.0,yes\n", RecordError, "0, 1 or nothing"),
        ("series,examples,loss\n", ParameterError, "no rows"),
    ],
)
def test_bad_files_are_refused_by_row_and_column(tmp_path: Path, text: str, error: type[Exception], said: str) -> None:
    (tmp_path / "x.csv").write_text(text, encoding="utf-8")

    with pytest.raises(error, match=said.replace("(", r"\(")):
        files.read_folder(tmp_path)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="found no CSV file"):
        files.read_folder(tmp_path)
