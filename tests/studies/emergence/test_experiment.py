"""Our own emergence experiment: what was said came before what was measured, and the results follow from the files alone."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from foresaid import files
from foresaid.errors import LeakError, RecordError, UnreadableError
from foresaid.registry import source_card
from foresaid.studies.emergence import experiment, predict, record, score, source, transformer
from foresaid.studies.emergence import language as text
from foresaid.studies.emergence.fit import SHARED, fit
from foresaid.studies.emergence.thresholds import CUT, means, thresholds

ROOT = Path(__file__).parents[3]
TABLE = ROOT / record.TABLE
BATCHES = record.batches(ROOT)
EVERY_BATCH = pytest.mark.parametrize("batch", BATCHES)
SCHEMA = {"frequency": pl.Float64, "text_loss": pl.Float64, "accuracy": pl.Float64}


@pytest.fixture(scope="module")
def table() -> pl.DataFrame:
    return pl.read_csv(TABLE, schema_overrides=SCHEMA)


@pytest.fixture(scope="module")
def said() -> dict[str, Any]:
    return record.everything_said(ROOT)


def early_of(batch: int) -> Path:
    return ROOT / record.early_table(batch)


def runs() -> dict[str, experiment.Run]:
    return {run.name: run for batch in experiment.BATCHES.values() for run in batch}


@EVERY_BATCH
def test_the_predictions_name_the_early_table_they_were_made_from(batch: int) -> None:
    said = record.check(batch, ROOT)

    assert hashlib.sha256(early_of(batch).read_bytes()).hexdigest() == said["early_table_sha256"]
    assert record.early_table(batch).as_posix() == said["early_table"]


@EVERY_BATCH
def test_the_early_table_is_part_of_the_whole_line_for_line_and_holds_nothing_held_back(batch: int) -> None:
    early, whole = early_of(batch).read_text().splitlines(), TABLE.read_text().splitlines()

    assert [line for line in early if line not in set(whole)] == []
    assert [line for line in early if ",held_back," in line] == []


def test_what_is_early_follows_from_rows_not_later_than_itself(table: pl.DataFrame) -> None:
    for name, run in means(table).group_by("run", maintain_order=True):
        stop = predict.horizon_of(run, experiment.NEAREST)
        early = table.filter((pl.col("run") == name[0]) & (pl.col("part") == "early"))["step"].to_list()

        assert (stop or run["step"].to_list()[-1]) == max(early)


def test_no_forecast_saw_a_step_at_which_the_task_had_emerged_without_saying_so(table: pl.DataFrame, said: dict[str, Any]) -> None:
    emerged = {row["run"]: row["step"] for row in thresholds(table) if row["protocol"] == "few_shot" and row["status"] == "found"}
    for item in said["predictions"]:
        if not item["emerged_before"]:
            assert item["stop_step"] <= emerged.get(item["run"], np.inf), item["run"]


def test_the_committed_results_follow_from_the_table_and_the_predictions(said: dict[str, Any]) -> None:
    expected = json.loads((ROOT / record.RESULTS).read_bytes())
    found = files.rounded(score.results(TABLE.read_bytes(), said))

    assert expected == json.loads(json.dumps(found))


@EVERY_BATCH
def test_the_committed_predictions_follow_from_the_early_table(batch: int) -> None:
    said = record.check(batch, ROOT)
    law = next(law for law in said["laws"] if law["bend"] == "free")
    early = means(pl.read_csv(early_of(batch), schema_overrides=SCHEMA))
    group = predict.seen(early, law["horizon"]).filter(
        (pl.col("frequency") == law["frequency"]) & (pl.col("width") == law["width"])
    )
    names = sorted(group["run"].unique().to_list())
    forecasts = {item["run"]: item["methods"] for item in said["predictions"] if item["horizon"] == law["horizon"]}
    theta = fit(predict.rows_of(group, names), "free")

    # least squares stop within 1e-8 of the sum; a processor's last digits move the corner by less than this
    assert [forecasts[name]["pooled_free_corner"]["loss"] for name in names] == pytest.approx(theta[SHARED:].tolist(), abs=2e-3)


def test_every_checkpoint_has_every_measurement_once(table: pl.DataFrame) -> None:
    expected = len(text.SHOWN) + len(experiment.SIZES) * experiment.SUBSETS
    key = ["run", "step", "protocol", "examples", "subset"]

    assert {expected} == set(table.group_by("run", "step").len()["len"])
    assert len(table) == table.select(key).n_unique()


def test_steps_and_columns_are_those_of_the_design(table: pl.DataFrame) -> None:
    for (name, frequency, width, seed), part in table.group_by("run", "frequency", "width", "seed"):
        steps = sorted(set(part["step"]))

        assert runs()[str(name)] == experiment.Run(float(str(frequency)), int(str(width)), int(str(seed)))
        assert runs()[str(name)].steps()[: len(steps)] == steps


@EVERY_BATCH
def test_every_run_of_a_batch_is_in_the_table_to_its_last_step(batch: int, table: pl.DataFrame) -> None:
    last = dict(table.group_by("run").agg(pl.col("step").max()).iter_rows())

    assert [run.steps()[-1] for run in experiment.BATCHES[batch]] == [last.get(run.name) for run in experiment.BATCHES[batch]]


def test_accuracies_are_shares_of_a_thousand_questions(table: pl.DataFrame) -> None:
    thousandths = table["accuracy"].to_numpy() * experiment.QUESTIONS

    # accuracies are written with six digits
    assert np.allclose(np.round(thousandths), thousandths, atol=1e-3)
    assert table["accuracy"].is_between(0, 1).all()


def test_the_source_in_the_registry_is_the_table() -> None:
    content = TABLE.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    folder = record.FOLDER.name
    for path, expected in source.contents(content, folder, digest, ROOT / "registry").items():
        assert expected == path.read_bytes(), path.name
    path = ROOT / "registry/sources" / source.NAME / "source.toml"

    assert digest == source_card.read(path, "source.toml", source.NAME).vintages[0].files[0].sha256


def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a copy of the repository's experiment folder."""
    shutil.copytree(ROOT / record.FOLDER, tmp_path / record.FOLDER)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_an_early_table_changed_by_one_digit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copied(tmp_path, monkeypatch)
    path = record.early_table(1)
    changed = bytearray(path.read_bytes())
    changed[-2] ^= 1
    path.write_bytes(changed)

    with pytest.raises(LeakError, match="found SHA-256"):
        record.check(1)


def test_held_back_checkpoints_are_refused_before_predictions_are_written(tmp_path: Path) -> None:
    with pytest.raises(LeakError, match="found no predictions"):
        record.check(1, tmp_path)


def test_predictions_once_written_stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copied(tmp_path, monkeypatch)

    with pytest.raises(LeakError, match="what was said stands"):
        record.predict(1, tmp_path)


def measurement(folder: Path, run: experiment.Run, step: int, tuned: float) -> None:
    found = {"step": step, "text_loss": 2.0, "zero_shot": 0.25, "few_shot": 0.25}
    accuracies = {str(size): [tuned] * experiment.SUBSETS for size in experiment.SIZES}
    files.write_json(folder / run.name / f"step-{step:05d}.json", {**found, "fine_tuned": accuracies})


def test_measurements_that_lost_an_early_row_write_no_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copied(tmp_path, monkeypatch)
    before = record.TABLE.read_bytes()
    run = experiment.BATCHES[1][0]
    measurement(tmp_path / "measured", run, run.steps()[0], 0.25)

    with pytest.raises(RecordError, match="early rows changed or gone"):
        record.score(tmp_path / "measured")
    assert before == record.TABLE.read_bytes()


def test_a_checkpoint_after_the_one_that_stops_is_held_back(tmp_path: Path) -> None:
    run = experiment.BATCHES[1][0]
    for step, tuned in zip(run.steps()[:3], (0.25, CUT, 0.25), strict=True):
        measurement(tmp_path, run, step, tuned)
    whole, early = (pl.read_csv(io.BytesIO(record.collect(tmp_path, [1], early_only=only))) for only in (False, True))

    assert [whole.filter(pl.col("step") == step)["part"][0] for step in run.steps()[:3]] == ["early", "early", "held_back"]
    assert run.steps()[:2] == sorted(set(early["step"]))


def test_predictions_are_refused_once_a_held_back_checkpoint_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = experiment.BATCHES[1][0]
    for step, tuned in zip(run.steps()[:2], (CUT, 0.25), strict=True):
        measurement(tmp_path, run, step, tuned)
    monkeypatch.chdir(tmp_path)

    with pytest.raises(LeakError, match="found held-back checkpoints of batch 1 measured"):
        record.predict(1, tmp_path)


def test_without_pytorch_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)

    with pytest.raises(UnreadableError, match=r"pip install 'foresaid\[experiment\]'"):
        transformer.library()


def test_subsets_of_a_seed_are_nested_and_differ(tmp_path: Path) -> None:
    training, _ = experiment.subsets(111)

    assert not np.array_equal(training.asked[0], training.asked[1])
    assert np.array_equal(experiment.subsets(111)[0].asked, training.asked)


def trained(width: int = 16) -> transformer.Weights:
    """Weights after two steps of a tiny model."""
    language = text.Language()
    rng = np.random.default_rng(1)
    batches = (text.batch(language, rng, 4, 0.5) for _ in range(2))
    return dict(transformer.pretrain(transformer.initial(np.random.default_rng(0), width), batches, [2]))[2]


def questions(seed: int, *shape: int) -> transformer.Questions:
    rng = np.random.default_rng(seed)
    asked, choices, answer = text.prompts(rng, int(np.prod(shape)), 4)
    return transformer.Questions(asked.reshape(*shape, -1), choices.reshape(*shape, -1), answer.reshape(shape))


def test_training_twice_gives_the_same_bits() -> None:
    pytest.importorskip("torch", reason="PyTorch is an optional extra: pip install 'foresaid[experiment]'")
    first, second = trained(), trained()

    assert all(np.array_equal(first[name], second[name]) for name in first)
    assert not np.array_equal(first["token"], transformer.initial(np.random.default_rng(0), 16)["token"])


def test_subsets_fine_tuned_together_score_as_they_would_alone() -> None:
    pytest.importorskip("torch", reason="PyTorch is an optional extra: pip install 'foresaid[experiment]'")
    weights, test = trained(), questions(9, 200)
    training, validation = questions(2, 2, 32), questions(3, 2, 8)
    orders = np.argsort(np.random.default_rng(4).random((2, transformer.EPOCHS, 32)), axis=2)
    together = transformer.finetune(weights, training, validation, test, orders)

    def one(part: transformer.Questions, at: int) -> transformer.Questions:
        return transformer.Questions(part.asked[[at]], part.choices[[at]], part.answer[[at]])

    alone = [transformer.finetune(weights, one(training, at), one(validation, at), test, orders[[at]])[0] for at in (0, 1)]

    # a stack of two sums in another order, so a tie between digits may fall otherwise in one question of 200
    assert alone == pytest.approx(together, abs=0.0051)


def test_a_checkpoint_is_measured_once_and_then_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch", reason="PyTorch is an optional extra: pip install 'foresaid[experiment]'")
    monkeypatch.setattr(experiment, "CHECKPOINTS", 2)
    monkeypatch.setattr(experiment, "SIZES", (64, 192))
    monkeypatch.setattr(experiment, "QUESTIONS", 50)
    monkeypatch.setattr(experiment, "LAST_STEP", {0.2: 8})
    monkeypatch.setattr(experiment, "BATCHES", {1: (experiment.Run(0.2, 64, 1),)})
    said: list[str] = []
    experiment.run_batch(1, tmp_path, True, said.append)
    first = {path.name: path.stat().st_mtime_ns for path in tmp_path.rglob("step-*")}
    experiment.run_batch(1, tmp_path, True, said.append)

    assert sorted(first) == ["step-00001.json", "step-00001.npz", "step-00008.json", "step-00008.npz"]
    assert first == {path.name: path.stat().st_mtime_ns for path in tmp_path.rglob("step-*")}
    assert len(said) == 2
