"""Transfer: the alignment score, both sizes in the laws, and what pre-training is worth, on our own experiment's real rows."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from tests.conftest import ROOT, Built

from foresaid.cli.main import main
from foresaid.errors import ParameterError, RecordError
from foresaid.registry.view import View
from foresaid.studies.transfer import checkpoints, section
from foresaid.studies.transfer.alignment import PRINTED, alignment
from foresaid.studies.transfer.joint import GROWTH, PRODUCT, SUM, fit_loss, fit_score

TABLE = ROOT / "registry" / "experiments" / "emergence-2026-11" / "table.csv"


def written(path: Path, share: float, sizes: tuple[int, ...], loss: bool = True) -> Path:
    """Two runs of the experiment, averaged, as a person would write them: steps stand for tokens."""
    rows = pl.read_csv(TABLE).filter(
        (pl.col("frequency") == share)
        & (pl.col("width") == 64)
        & (pl.col("protocol") == "fine_tuned")
        & pl.col("examples").is_in(sizes)
    )
    means = rows.group_by(pl.col("step").alias("tokens"), "examples").agg(
        (100.0 * pl.col("accuracy")).mean().alias("score"), pl.col("text_loss").mean().alias("loss")
    )
    means.sort("examples", "tokens").select("tokens", "examples", "score", *(["loss"] if loss else [])).write_csv(path)
    return path


def test_alignment_is_as_printed() -> None:
    made = [alignment(mix, "en", "de") for mix in ({"en": 0.5, "de": 0.5}, {"de": 1.0}, {"en": 1.0}, {"fr": 1.0})]

    assert made == pytest.approx(list(PRINTED.values()))


@pytest.mark.parametrize("mix", [["en=1.5"], ["en=0.7", "de=0.7"], ["en"], ["en=0.5", "en=0.5"]])
def test_a_mixture_that_is_none_is_refused_in_one_line(mix: list[str]) -> None:
    words = [word for item in mix for word in ("--mix", item)]
    told = CliRunner().invoke(main, ["--root", str(ROOT), "alignment", *words, "--from", "en", "--to", "de"])

    assert told.exit_code != 0
    assert "found" in str(told.exception) + told.output


def test_the_forms_are_told_apart_where_they_are_planted() -> None:
    d_p, d_f = np.repeat(np.geomspace(1e8, 1e11, 6), 5), np.tile(np.geomspace(1e3, 1e6, 5), 6)
    noise = np.exp(0.002 * np.random.default_rng(1).standard_normal(30))
    product = (0.8 + 40.0 * d_p**-0.1 * d_f**-0.1) * noise
    added = (0.8 + 20.0 * d_p**-0.15 + 8.0 * d_f**-0.2) * noise
    x, w = np.log(d_p / 1e9), np.log(d_f / 1e4)
    score = (5.0 + 0.5 * x + 0.3 * w - 0.05 * x * w) ** 1.5 * noise

    assert fit_loss(d_p, d_f, product)[0].form == PRODUCT
    assert fit_loss(d_p, d_f, added)[0].form == SUM
    best = fit_score(d_p, d_f, score)[0]
    assert best.form == GROWTH
    assert best.predict(d_p, d_f) == pytest.approx(score, rel=0.02)


def test_pre_training_hurts_much_fine_tuning_where_the_skill_is_rare_and_helps_little_where_it_is_common(tmp_path: Path) -> None:
    rare = checkpoints.worth(checkpoints.read(written(tmp_path / "a.csv", 0.05, (64, 512))), 2.0, 1.0, 0.3, None, 1)
    common = checkpoints.worth(checkpoints.read(written(tmp_path / "b.csv", 0.4, (64, 512))), 2.0, 1.0, 0.3, None, 1)

    assert [one.verdict for one in common] == ["worth it", "worth it"]
    assert rare[1].verdict == "not worth it"
    assert rare[1].gain < -15.0  # .88 at the first checkpoint, .66 at the last
    assert rare[1].score_falls > 0  # the loss falls all along
    assert rare[1].loss_falls == rare[1].steps


def test_the_command_prints_gains_forms_and_disagreement(tmp_path: Path) -> None:
    path = written(tmp_path / "own.csv", 0.05, (64, 256, 512))
    told = CliRunner().invoke(main, ["--root", str(ROOT), "transfer", str(path), "--noise", "1", "--maximum", "5000"])

    assert told.exit_code == 0, told.output
    assert "they disagree, and the score decides" in told.output
    assert "by the laws with both sizes, 512 examples at 5000 tokens" in told.output
    assert "the gain stops counting between 256 and 512 examples" in told.output


def test_a_row_without_pre_training_is_what_the_gain_is_set_against(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("tokens,examples,bleu\n0,1000,20\n1e9,1000,21\n2e9,1000,25\n", encoding="utf-8")
    (one,) = checkpoints.worth(checkpoints.read(path), 1.0, 0.0, 0.3, None, 1)

    assert (one.against, one.gain, one.untrained, one.checkpoints) == (20.0, 5.0, True, 2)


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("tokens,bleu\n1,2\n", ParameterError, "expected tokens, examples, one score"),
        ("tokens,examples,loss\n1,2,3\n", ParameterError, "one score"),
        ("tokens,examples,bleu\n1e9,10,101\n", RecordError, "row 2, column bleu: found 101"),
        ("tokens,examples,bleu\n-1,10,20\n", RecordError, "column tokens: found -1"),
        ("tokens,examples,bleu\n1e9,10,20\n1e9,10,21\n", ParameterError, "twice"),
    ],
)
def test_bad_files_are_refused(tmp_path: Path, text: str, error: type[Exception], said: str) -> None:
    (tmp_path / "x.csv").write_text(text, encoding="utf-8")

    with pytest.raises(error, match=said):
        checkpoints.read(tmp_path / "x.csv")


def test_the_section_of_the_pages_rests_on_the_record(built: Built) -> None:
    def as_of(_: date) -> View:
        return built.as_of("2026-11-21")

    made = section.section(as_of, built.params)
    assert made is not None
    worth, joint = made.tables

    assert {row[1] for row in worth.rows} == {64, 96, 128, 192, 256, 384, 512}
    assert min(float(row[5]) for row in worth.rows if row[5] is not None) == pytest.approx(-0.219, abs=1e-3)
    assert len(joint.rows) == 8
    assert section.section(lambda _: built.as_of("2024-05-31"), built.params) is None
