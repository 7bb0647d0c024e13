"""Accuracy, probability of the right choice, its logarithm and bits per byte side by side on the ladder's own tables."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from tests.conftest import ROOT

from foresaid.cli.main import main
from foresaid.errors import ForesaidError
from foresaid.report.sections import study_tables
from foresaid.studies import continuous_metrics as work
from foresaid.studies import law_sections


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
    shutil.copy(ROOT / "params.yaml", tmp_path)
    (tmp_path / "registry").mkdir()
    told = CliRunner().invoke(main, ["--root", str(tmp_path), "continuous", str(mirror / "allenai+OLMo-ladder"), "--write"])
    kept, made = (law_sections.kept(root / "registry", "continuous") for root in (ROOT, tmp_path))

    assert told.exit_code == 0, told.output
    assert kept is not None
    assert made is not None
    assert kept.said == made.said
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


def test_a_folder_without_the_runs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ForesaidError, match="found"):
        work.read(tmp_path)
