"""Accuracy, probability of the right choice, its logarithm and bits per byte side by side on the ladder's own tables."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from tests.conftest import ROOT

from foresaid import params
from foresaid.cli.main import main
from foresaid.errors import ForesaidError, RecordError
from foresaid.report.sections import study_tables
from foresaid.studies import continuous_laws, law_sections
from foresaid.studies import continuous_metrics as work


@pytest.fixture(scope="module")
def runs(mirror: Path) -> work.Runs:
    return work.read(mirror / "allenai+OLMo-ladder")


def test_twenty_runs_of_five_sizes_are_read_with_their_probabilities(runs: work.Runs) -> None:
    assert len(set(runs.run.tolist())) == int(runs.last.sum()) == 20
    assert len(set(runs.ln_size.tolist())) == 5
    for task in ("arc_easy", "mmlu", "piqa"):
        share, logarithm = runs.values[task, "probability"], runs.values[task, "log probability"]
        assert ((share > 0.0) & (share < 1.0)).all()
        assert (logarithm <= np.log(share)).all()  # Jensen: the mean logarithm is below the logarithm of the mean


def test_an_effect_of_size_is_seen_where_it_is_planted_and_nowhere_else() -> None:
    rng = np.random.default_rng(3)
    size = np.repeat(np.log([190e6, 370e6, 760e6, 1.3e9, 3.2e9]), 4)
    loss = 4.0 - 0.2 * (size - size[0]) + rng.uniform(-0.3, 0.3, 20)
    none = 1.0 - 0.2 * loss + 0.001 * rng.standard_normal(20)
    some = none + 0.01 * (size - size[0]) / np.log(2.0)
    names = np.array([str(i) for i in range(20)])
    planted = work.Runs(names, size, loss, np.ones(20, dtype=bool), {("a", "none"): none, ("a", "some"): some})
    effects = {one.metric: one for one in work.size_effects(planted)}

    assert effects["none"].low < 0.0 < effects["none"].high
    assert effects["some"].low < 0.01 < effects["some"].high
    assert effects["some"].adjusted < 0.01


def test_a_planted_corner_is_told_from_a_smooth_rise() -> None:
    loss = np.sort(np.random.default_rng(1).uniform(2.0, 4.0, 400))
    corner = 0.25 + 0.3 * np.maximum(3.0 - loss, 0.0)
    smooth = 0.25 + 0.5 / (1.0 + np.exp((loss - 2.9) / 0.3))
    noise = 0.003 * np.random.default_rng(2).standard_normal(400)
    runs = work.Runs(
        np.repeat([str(i) for i in range(20)], 20), loss, loss, np.ones(400, dtype=bool),
        {("a", "corner"): corner + noise, ("a", "smooth"): smooth + noise},
    )  # fmt: skip
    found = {one.metric: one for one in work.shapes(runs)}

    assert found["corner"].corner > 0.0 > found["smooth"].corner
    assert found["corner"].threshold == pytest.approx(3.0, abs=0.05)


def test_what_is_kept_for_the_pages_is_what_the_runs_give_and_says_what_they_say_of_the_corner(
    mirror: Path, tmp_path: Path
) -> None:
    settings = (ROOT / "params.yaml").read_text(encoding="utf-8")
    few = settings.replace("\nreplicates: 200 ", "\nreplicates: 20 ")  # what is said of the laws' fits is tested below
    assert few != settings
    (tmp_path / "params.yaml").write_text(few, encoding="utf-8")
    (tmp_path / "registry").mkdir()
    for catalogue in (ROOT / "registry").glob("*.csv"):
        shutil.copy(catalogue, tmp_path / "registry")
    told = CliRunner().invoke(main, ["--root", str(tmp_path), "continuous", str(mirror / "allenai+OLMo-ladder"), "--write"])
    kept, made = (law_sections.kept(root / "registry", "continuous") for root in (ROOT, tmp_path))

    assert told.exit_code == 0, told.output
    assert kept is not None
    assert made is not None
    assert kept.said[:-2] == made.said[:-2]
    assert made.said[0] in told.output
    assert "in 1 by BIC (bits per byte of boolq)" in made.said[0]
    assert "neither accuracy nor the probability" in made.said[0]
    numbers = [[cell for cell in row if isinstance(cell, float)] for row in made.tables[0].rows]
    again = [[cell for cell in row if not isinstance(cell, str)] for row in kept.tables[0].rows]
    np.testing.assert_allclose(np.array(again, dtype=float), np.array(numbers), rtol=1e-3, atol=1e-6)  # kept to six digits


def test_a_corner_in_accuracy_would_be_said() -> None:
    shapes = [work.Shape("t", metric, 0.5, 20.0 if metric == "accuracy" else -20.0, 3.0) for metric in work.METRICS]
    effects = [work.SizeEffect("t", metric, 0.0, -1.0, 1.0, 1.0, 1.0) for metric in work.METRICS]
    section = work.section(shapes, effects)

    assert "shows one in 1 tasks" in section.said[0]
    assert study_tables.shown([section], "loss_hinge")[0]["tables"][0]["rows"][0][3] == "20.0"
    assert study_tables.shown([section], "chinchilla") == []
    assert study_tables.downloads([section])["study-continuous-metrics"].height == len(work.METRICS)


def test_both_scales_start_from_guessing_and_no_outcome_sets_the_second(runs: work.Runs) -> None:
    chance = continuous_laws.chances(ROOT / "registry")
    found = {(task, metric): (whole, own) for task, metric, whole, own in continuous_laws.tables(runs, chance)}
    whole, own = found["csqa", "probability"]
    last = np.array([name.endswith("/00000") for name in whole.subjects])

    assert len(found) == 40
    assert len(set(own.clusters)) == int(last.sum()) == 20
    ends = runs.values["csqa", "probability"][runs.last]
    np.testing.assert_allclose(np.sort(whole.y[last]), np.sort((ends - 0.2) / 0.8))
    loss = own.x[:, 0]
    asked = loss <= np.quantile(loss, continuous_laws.ASKED)
    reached = ~asked & (loss <= np.quantile(loss[~asked], 0.1))
    assert own.y[reached].mean() == pytest.approx(0.5)
    spoilt = replace(runs, values={key: np.where(runs.loss <= loss[asked].max(), 0.9, y) for key, y in runs.values.items()})
    again = {(task, metric): table for task, metric, _, table in continuous_laws.tables(spoilt, chance)}
    np.testing.assert_array_equal(again["csqa", "probability"].y[~asked], own.y[~asked])


def test_the_laws_say_of_a_task_what_is_kept(runs: work.Runs) -> None:
    kept = law_sections.kept(ROOT / "registry", "continuous")
    shipped = params.load(ROOT / "params.yaml")
    chance = continuous_laws.chances(ROOT / "registry")
    one = replace(runs, values={key: y for key, y in runs.values.items() if key[0] == "csqa"})
    rows = continuous_laws.table_of(continuous_laws.fits(one, chance, shipped.seed, shipped.replicates)).rows

    assert kept is not None
    assert [table.key for table in kept.tables] == ["metrics", "laws"]
    stands = [row for row in kept.tables[1].rows if row[0] == "csqa"]
    assert len(stands) == len(rows) == 12
    for mine, theirs in zip(rows, stands, strict=True):
        assert mine[:5] == theirs[:5]
        numbers = [(a, b) for a, b in zip(mine[5:], theirs[5:], strict=True) if a is not None and b is not None]
        np.testing.assert_allclose([float(a) for a, _ in numbers], [float(b) for _, b in numbers], rtol=1e-2)
    assert [row[3] for row in rows if row[1] == "accuracy"] == ["converged"] * 3
    smooth = [float(row[8] or 1.0) for row in rows if row[1] == "accuracy"]
    assert smooth[2] == min(smooth)  # the law without a corner forecasts accuracy best here


def test_what_the_laws_say_is_put_behind_the_metrics() -> None:
    found = [
        continuous_laws.LawFit("t", metric, law, "no_threshold", "converged", 3.0, np.nan, np.nan, 0.1 * (1 + at), 0.1, 0.8)
        for metric in work.METRICS
        for at, law in enumerate(work.LAWS)
    ]
    effects = [work.SizeEffect("t", metric, 0.0, -1.0, 1.0, 1.0, 1.0) for metric in work.METRICS]
    bare = work.section([work.Shape("t", metric, 0.5, -20.0, 3.0) for metric in work.METRICS], effects)
    whole = continuous_laws.added(bare, found)

    assert whole.said[: len(bare.said)] == bare.said
    assert "accuracy: WIS 0.1000/0.2000/0.3000, best on 1/0/0 tasks, 80 % hold 80%/80%/80%" in whole.said[len(bare.said)]
    assert "converged on 1/1/1, on the scale to perfect 0/0/0" in whole.said[len(bare.said)]
    assert whole.tables[1].rows[0][6] is None


def test_a_record_without_the_tasks_is_refused(tmp_path: Path) -> None:
    for name in ("models.csv", "quantities.csv", "aliases.csv", "merges.csv", "licences.csv"):
        head = (ROOT / "registry" / name).read_text(encoding="utf-8").splitlines()[0]
        (tmp_path / name).write_text(head + "\n", encoding="utf-8")

    with pytest.raises(RecordError, match="found no chance of any task"):
        continuous_laws.chances(tmp_path)


def test_a_folder_without_the_runs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ForesaidError, match="found"):
        work.read(tmp_path)
