"""The capability law on the embedded record: which rows it takes, what the stage leaves, and the command that completes scores."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner, Result
from tests.conftest import ROOT, Built

from foresaid import params
from foresaid.cli.main import main
from foresaid.errors import ParameterError, RecordError, UnreadableError
from foresaid.forecasting.own_scores import read_scores
from foresaid.laws._capability_index import ability_residuals, reference_index
from foresaid.laws._capability_kernel import GRAND_MEAN_VARIANCE
from foresaid.laws._capability_model import Model, joint
from foresaid.laws._capability_record import of_record, read_choices
from foresaid.laws._capability_rows import CEILING, SCHEMA
from foresaid.pipeline import capability
from foresaid.registry import database
from foresaid.reproducible import generator
from foresaid.studies.capability import completion, tables

SHIPPED = params.load(ROOT / "params.yaml")
CHOICES = read_choices(SHIPPED.capability)
DAY = SHIPPED.fit_as_of


@pytest.fixture(scope="module")
def systems(built: Built) -> pl.DataFrame:
    return database.systems_as_of(database.open_database(built.build / "database"), DAY)


@pytest.fixture(scope="module")
def project(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the real record on which the stage has run."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    (folder / "build").mkdir()
    (folder / "build" / "database").symlink_to(built.build / "database")
    done = CliRunner().invoke(main, ["--root", str(folder), "capability"])
    assert done.exit_code == 0, done.output
    return folder


@pytest.fixture(scope="module")
def model(project: Path) -> Model:
    return capability.read(project / "build")[0]


# The adapter


def test_the_law_sees_shares_of_the_sources_asked_for(systems: pl.DataFrame) -> None:
    found = of_record(systems, CHOICES)

    assert found.schema == pl.Schema({**SCHEMA, CEILING: pl.Float64})
    ceilings = dict(found.select("benchmark", CEILING).unique().iter_rows())
    assert {name: top for name, top in ceilings.items() if top < 1.0} == {
        "epoch_frontiermath": 0.57,
        "epoch_frontiermath_tier_4": 0.6,
    }
    assert found.height > 1000
    assert found["system_id"].n_unique() > 250
    assert found["released_on"].min() >= date(2023, 1, 1)  # type: ignore[operator]
    assert found.group_by("benchmark").len()["len"].min() >= CHOICES.minimum_cells  # type: ignore[operator]
    assert "epoch_capabilities_index" not in set(found["benchmark"])  # points, no share
    assert "epoch_frontiermath_tier_4_public" not in set(found["benchmark"])  # 26 cells, all of them 0


@pytest.mark.parametrize("name", sorted(set(CHOICES.same) - {"epoch_eci_otis_mock_aime"}))
def test_the_two_scales_of_a_board_agree_on_every_model_that_both_sources_hold(systems: pl.DataFrame, name: str) -> None:
    """The settings `same` against the record: the best over efforts of the one source is, brought back, that of the other."""
    one = CHOICES.same[name]
    hub = systems.filter((pl.col("source_id") == "epoch-hub") & (pl.col("benchmark") == one.board))
    best = hub.group_by("model_id").agg(pl.col("value").max().alias("hub"))
    both = systems.filter((pl.col("benchmark") == name) & (pl.col("value") > 0)).join(best, on="model_id")

    assert both.height >= 10
    back = one.zero + (one.one - one.zero) * both["value"].to_numpy()
    np.testing.assert_allclose(back, both["hub"].to_numpy(), atol=1e-9)


def test_no_measurement_counts_twice(systems: pl.DataFrame) -> None:
    """A model that the hub holds on a board, at whatever effort, takes nothing from the index file there."""
    found = of_record(systems, CHOICES)
    hub = systems.filter(pl.col("source_id") == "epoch-hub")
    gpqa = set(hub.filter(pl.col("benchmark") == "epoch_gpqa_diamond")["model_id"])
    kept = found.filter((pl.col("benchmark") == "epoch_gpqa_diamond") & pl.col("model_id").is_in(list(gpqa)))

    assert set(kept["known_on"]) <= set(hub["known_on"])
    assert kept.height == hub.filter(pl.col("benchmark") == "epoch_gpqa_diamond").unique("system_id").height


def test_the_order_of_the_rows_says_nothing(systems: pl.DataFrame) -> None:
    assert of_record(systems.sample(fraction=1.0, shuffle=True, seed=3), CHOICES).equals(of_record(systems, CHOICES))


def test_a_source_the_record_lacks_is_told(systems: pl.DataFrame) -> None:
    with pytest.raises(RecordError, match="found no board with 8 cells in nowhere from 2023 on"):
        of_record(systems, dataclasses.replace(CHOICES, sources=("nowhere",)))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"factor": 0.0}, "factor: found 0.0"),
        ({"minimum_cells": 1}, "minimum_cells: found 1, expected at least 2"),
        ({"from_year": "soon"}, "from_year: found 'soon'"),
        ({"fewest": 3}, "no key fewest, expected sources"),
        ({"same": {"a": {"board": "b", "zero": 0.5, "one": 0.2}}}, "found zero 0.5 and one 0.2"),
        ({"same": {"a": {"bord": "b"}}}, "known keys: board, zero, one"),
    ],
)
def test_a_wrong_setting_is_told_in_one_line(change: dict[str, object], said: str) -> None:
    with pytest.raises(ParameterError, match=said) as caught:
        read_choices(SHIPPED.capability | change)
    assert "\n" not in str(caught.value)


# The stage


def test_the_stage_writes_the_same_bytes_again_and_on_other_kernels(built: Built, project: Path, tmp_path: Path) -> None:
    """Tables are rounded below what the fit settles; log parameters end within 1e-6 on whatever kernels."""
    folder = tmp_path / "again"
    folder.mkdir()
    (folder / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    (folder / "build").mkdir()
    (folder / "build" / "database").symlink_to(built.build / "database")
    command = [sys.executable, "-m", "foresaid", "--root", str(folder), "capability"]
    first, second = project / "build" / "capability", folder / "build" / "capability"
    subprocess.run(command, check=True, capture_output=True)
    for path in sorted(first.iterdir()):
        assert path.read_bytes() == (second / path.name).read_bytes(), path.name

    subprocess.run(command, check=True, capture_output=True, env=os.environ | {"OPENBLAS_CORETYPE": "Nehalem"})
    here, there = (json.loads((at / "model.json").read_text())["log_parameters"] for at in (first, second))
    np.testing.assert_allclose(there, here, atol=1e-5)
    tables_here, tables_there = (pl.read_parquet(at / "index.parquet").sort("system_id") for at in (first, second))
    np.testing.assert_allclose(tables_there["index"].to_numpy(), tables_here["index"].to_numpy(), atol=1e-5)


def test_metrics_are_small(project: Path) -> None:
    made = json.loads((project / "reports" / "metrics" / "capability.json").read_text())
    assert made["benchmarks"] == 15
    assert made["as_of"] == str(DAY)
    assert len(made["sizes"]) == 22


def test_a_project_without_the_section_has_no_fit_and_says_so(built: Built, tmp_path: Path) -> None:
    assert capability.run(dataclasses.replace(SHIPPED, capability={}), tmp_path, tmp_path / "metrics") == {}
    with pytest.raises(UnreadableError, match="expected a section capability"):
        capability.read(tmp_path)
    with pytest.raises(UnreadableError, match="run it"):
        capability.read(tmp_path / "nothing")


# Index and tables


def test_the_index_is_the_mean_of_the_joint_forecast_over_the_benchmarks(model: Model) -> None:
    """The closed form against the joint posterior of all benchmarks of a system, read off the general conditioning."""
    found = reference_index(model, generator(1, "test"))
    count = len(model.cells.benchmarks.names)
    for system in (0, 57, model.cells.systems.n - 1):
        codes = np.arange(count, dtype=np.intp)
        posterior = joint(model, model.cells.systems, np.full(count, system, dtype=np.intp), codes)
        assert found.value[system] == pytest.approx(posterior.mean.mean(), abs=1e-8)
        assert found.error[system] ** 2 == pytest.approx(posterior.covariance.mean(), abs=1e-7)


def test_ranks_are_those_of_the_index_and_sum_to_a_whole(model: Model) -> None:
    table = tables.index(model, generator(1, "test"))
    assert table["rank"].sum() == pytest.approx(table.height * (table.height + 1) / 2)
    assert table.select(pl.corr("index", "rank", method="spearman")).item() < -0.99
    assert table["index"].round(9).is_sorted(descending=True)  # systems that differ in nothing are in order of name


def test_what_ability_leaves_agrees_with_the_covariance_written_out(model: Model) -> None:
    left = ability_residuals(model)
    found = model.cells
    sizes = model.sizes
    from foresaid.laws._capability_kernel import total

    ability = total(model.settings.ability, sizes.ability, found.systems, found.systems, sizes.lengths)
    cell = 100
    row = GRAND_MEAN_VARIANCE + sizes.loadings[found.q[cell]] * sizes.loadings[found.q] * ability[found.s[cell], found.s]
    assert left[cell] == pytest.approx(found.z[cell] - row @ model.alpha, abs=1e-9)


def test_newer_models_of_a_line_stand_above_older_ones(project: Path) -> None:
    index = pl.read_parquet(project / "build" / "capability" / "index.parquet")
    value = dict(index.select("system_id", "index").iter_rows())
    assert value["openai/gpt-5.5[effort=xhigh]"] > value["openai/gpt-5.4[effort=xhigh]"] > value["openai/gpt-4o-2024-08-06"]
    assert index["index_error"].min() > 0  # type: ignore[operator]


def test_what_each_benchmark_adds_never_grows_on_the_way(project: Path) -> None:
    adds = pl.read_parquet(project / "build" / "capability" / "adds.parquet")
    assert adds["place"].to_list() == list(range(1, adds.height + 1))
    assert (adds["next"] <= adds["alone"] + 1e-9).all()
    assert (adds["next"] >= 0).all()


# The command


def scores_file(folder: Path, text: str) -> Path:
    path = folder / "scores.csv"
    path.write_text(text, encoding="utf-8")
    return path


def invoke(project: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["--root", str(project), "complete", *arguments])


def known_scores(project: Path, system: str, but: str) -> tuple[str, float]:
    """The record's own rows of a system as a file of scores, without one benchmark, and the value of that."""
    rows = pl.read_parquet(project / "build" / "capability" / "cells.parquet").filter(pl.col("system_id") == system)
    lines = [f"{name},{value}" for name, value in rows.filter(pl.col("benchmark") != but).select("benchmark", "value").iter_rows()]
    return "\n".join(["benchmark,score", *lines, ""]), rows.filter(pl.col("benchmark") == but)["value"].item()


def test_real_scores_are_completed_with_intervals_and_advice(project: Path, tmp_path: Path) -> None:
    text, held = known_scores(project, "anthropic/claude-opus-4-8", "epoch_simpleqa_verified")
    told = ("--line", "claude", "--tier", "opus", "--maker", "Anthropic", "--released-on", "2026-05-28")
    done = invoke(project, str(scores_file(tmp_path, text)), *told, "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.output)
    rows = {row["benchmark"]: row for row in found["scores"]}
    assert len(rows) == 15
    assert sum(row["known"] is not None for row in rows.values()) == text.count("\n") - 1
    for row in rows.values():
        assert 0 <= row["q10"] <= row["q25"] <= row["q50"] <= row["q75"] <= row["q90"] <= 1
    assert abs(rows["epoch_simpleqa_verified"]["q50"] - held) < 0.15
    informations = [row["information"] for row in found["next"]]
    assert informations == sorted(informations, reverse=True)
    assert informations[-1] >= 0
    assert {row["benchmark"] for row in found["next"]} == {name for name, row in rows.items() if row["known"] is None}


def test_more_scores_make_the_rest_surer(project: Path, tmp_path: Path) -> None:
    one = json.loads(invoke(project, str(scores_file(tmp_path, "benchmark,score\nepoch_gpqa_diamond,0.86\n")), "--json").output)
    more = "benchmark,score\nepoch_gpqa_diamond,0.86\nepoch_frontiermath,0.35\nepoch_otis_mock_aime,0.9\n"
    three = json.loads(invoke(project, str(scores_file(tmp_path, more)), "--json").output)
    width = [
        {row["benchmark"]: row["q90"] - row["q10"] for row in found["scores"]}["epoch_frontiermath_tier_4"]
        for found in (one, three)
    ]
    assert width[1] < width[0]
    assert three["sd_now"] < one["sd_now"]


def test_a_line_nobody_has_seen_is_said(project: Path, tmp_path: Path) -> None:
    path = scores_file(tmp_path, "score,benchmark\n0.86,epoch_gpqa_diamond\n")
    assert "no model of the line zebra" in invoke(project, str(path), "--line", "zebra").output
    assert "no tier zebra in the line claude" in invoke(project, str(path), "--line", "claude", "--tier", "zebra").output
    assert "measure next" in invoke(project, str(path)).output


def test_the_known_benchmarks_can_be_listed(project: Path, model: Model) -> None:
    assert invoke(project, "--benchmarks").output.split() == list(model.cells.benchmarks.names)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("benchmark,score\nepoch_gpqa,0.8\n", "did you mean epoch_gpqa_diamond?"),
        ("benchmark,score\nepoch_gpqa_diamond,80\n", "divide per cent by 100"),
        ("benchmark,score\nepoch_gpqa_diamond,good\n", "found good, expected a share"),
        ("benchmark,score\nepoch_gpqa_diamond,nan\n", "found nan, expected a share"),
        ("benchmark,score\nepoch_gpqa_diamond,-0.1\n", "found -0.1, expected a share"),
        ("benchmark,score\nepoch_gpqa_diamond,0.8\nepoch_gpqa_diamond,0.7\n", "a second time"),
        ("benchmark,score\nepoch_gpqa_diamond\n", "1 fields"),
        ("name,value\nepoch_gpqa_diamond,0.8\n", "found the columns name, value"),
        ("", "found the columns none"),
    ],
)
def test_a_wrong_file_is_one_line_and_no_traceback(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(RecordError) as caught:
        read_scores(scores_file(tmp_path, text), ["epoch_gpqa_diamond", "epoch_frontiermath"])
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    path.write_bytes(b"benchmark,score\n\xff\xfe,1\n")
    with pytest.raises(UnreadableError, match="not UTF-8"):
        read_scores(path, ["a"])
    with pytest.raises(UnreadableError, match="expected a CSV file"):
        read_scores(tmp_path / "none.csv", ["a"])


@pytest.mark.parametrize(("option", "said"), [(("--effort", "hard"), "found hard"), ((), "found no file")])
def test_a_wrong_option_is_one_line(project: Path, tmp_path: Path, option: tuple[str, ...], said: str) -> None:
    path = [str(scores_file(tmp_path, "benchmark,score\nepoch_gpqa_diamond,0.8\n"))] if option else []
    done = invoke(project, *path, *option)
    assert done.exit_code == 2 or done.exit_code == 1
    assert said in done.output
    assert "Traceback" not in done.output


def test_nothing_known_is_the_unconditional_forecast(model: Model) -> None:
    found = completion.answer(model, 1.1, completion.Release("", "plain", "", None, DAY), {})
    assert all(row["known"] is None for row in found["scores"])
    assert found["sd_now"] > 0
