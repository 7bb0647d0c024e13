"""The procedure on checkpoints of one's own: every verdict, every refusal, and the one public series."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import Built

from foresaid.cli.main import main
from foresaid.errors import ParameterError, RecordError, UnreadableError
from foresaid.studies.pretraining_decision import VERDICTS, DecisionRequest, Series, ahead, diagnose, read

TOKENS = np.geomspace(2e9, 1.28e11, 8)
LAWFUL = (-5.0 + 0.62 * np.log(TOKENS)) ** 1.3  # laws.md L4.5: 22.2 at the last
FALLING = np.array([12.0, 14.0, 15.0, 13.0, 11.0, 10.0, 9.0, 8.0])


def series(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Series:
    return Series("bleu", TOKENS[: len(values)], values)


def test_two_checkpoints_are_too_few() -> None:
    assert diagnose(series(LAWFUL[:2])).verdict == "COLLECT"


@pytest.mark.parametrize(
    ("values", "question", "expected"),
    [
        (LAWFUL, DecisionRequest(), "CONTINUE"),
        (LAWFUL, DecisionRequest(target=22.5, maximum=2.56e11), "CONTINUE"),
        (LAWFUL, DecisionRequest(target=30.0, maximum=2.56e11), "STOP_NOT_WORTH"),
        (FALLING[2:], DecisionRequest(), "MISALIGNED"),
        (FALLING[2:], DecisionRequest(baseline=20.0), "STOP_NO_VALUE"),
        (FALLING[2:], DecisionRequest(baseline=12.0), "KEEP_BEST_STOP"),
        (np.append(LAWFUL[:6], [18.0, 15.0]), DecisionRequest(baseline=1.0), "STOP_MISALIGNED"),
        (np.append(LAWFUL[:6], [LAWFUL[5], LAWFUL[5] - 0.2]), DecisionRequest(tolerance=1.0), "STOP_MISALIGNED"),  # it stops rising
    ],
)
def test_every_verdict_has_its_checkpoints(
    values: np.ndarray[tuple[int], np.dtype[np.float64]], question: DecisionRequest, expected: str
) -> None:
    found = diagnose(series(values), question)

    assert found.verdict == expected, found.reason
    assert found.verdict in VERDICTS


def test_noise_of_the_scores_excuses_a_fall() -> None:
    values = LAWFUL.copy()
    values[5] = values[4] - 0.35

    assert diagnose(series(values), DecisionRequest(tolerance=2.0)).verdict == "STOP_MISALIGNED"
    assert diagnose(series(values), DecisionRequest(noise=0.2, tolerance=2.0)).verdict == "CONTINUE"


def test_three_checkpoints_are_said_to_check_nothing() -> None:
    found = diagnose(series(LAWFUL[:3]), DecisionRequest(target=18.0, maximum=1.28e11))

    assert "nothing was checked" in found.reason
    assert found.interval is None
    assert found.profile is not None
    assert found.profile[1] - found.profile[0] > 1.0  # three points leave the exponent open


def test_the_forecast_on_all_checkpoints_is_the_planted_one() -> None:
    truth = float((-5.0 + 0.62 * np.log(2.56e11)) ** 1.3)
    found = diagnose(series(LAWFUL), DecisionRequest(target=20.0, maximum=2.56e11))

    assert found.forecast == pytest.approx(truth, abs=0.05)
    assert found.interval is not None
    assert found.interval[0] - 0.05 <= truth <= found.interval[1] + 0.05
    assert any("80 % interval" in line for line in found.lines())


@settings(max_examples=25)
@given(st.lists(st.floats(1.5, 90.0), min_size=3, max_size=9))
def test_any_series_gets_one_of_the_verdicts_and_a_forecast_within_its_profile(values: list[float]) -> None:
    mine = Series("bleu", np.geomspace(1e9, 1e11, len(values)), np.array(values))
    point, (low, high) = ahead(mine, 2e11)

    assert diagnose(mine, DecisionRequest(baseline=5.0)).verdict in VERDICTS
    assert low <= point <= high


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tokens,bleu\n1e9,10\n2e9,nan\n3e9,12\n", "row 3, column bleu: found nan"),
        ("tokens,bleu\n1e9,10\n2e9,\n3e9,12\n", "row 3, column bleu: found nothing"),
        ("tokens,bleu\n2e9,10\n1e9,11\n3e9,12\n", "row 3, column tokens: found 1e.09 after 2e.09"),
        ("tokens,bleu\n1e9,10\n1e9,11\n", "more tokens than in the row before"),
        ("tokens,bleu\n0,10\n1e9,11\n", "a number above 0"),
        ("tokens,bleu\n1e9,-2\n", "from 0 to 100"),
        ("tokens,bleu\n1e9,100.5\n", "from 0 to 100"),
        ("tokens,comet\n1e9,-2\n", "0 or more"),
        ("tokens,bleu\n1e9,27,4\n", "decimals with a point"),
        ('tokens,bleu\n1e9,"27,4"\n', "decimals with a point"),
    ],
)
def test_bad_rows_are_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(RecordError, match=said):
        read(write(tmp_path / "a.csv", text))


@pytest.mark.parametrize("metric", ["loss", "CE", "val_loss", "cross_entropy", "ppl", "test_nll"])
def test_cross_entropy_is_refused_and_the_reason_given(tmp_path: Path, metric: str) -> None:
    with pytest.raises(ParameterError, match="even where the translations get worse"):
        read(write(tmp_path / "a.csv", f"tokens,{metric}\n1e9,3\n2e9,2.5\n"))


@pytest.mark.parametrize(
    ("text", "metric", "said"),
    [
        ("step,bleu\n1,2\n", "", "found the columns step, bleu, expected tokens"),
        ("tokens,bleu,rouge\n1,2,3\n", "", "name it with --metric"),
        ("tokens,bleu\n1,2\n", "rouge", "found no column rouge"),
        ("", "", "found the columns none"),
    ],
)
def test_a_file_with_other_columns_is_refused(tmp_path: Path, text: str, metric: str, said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        read(write(tmp_path / "a.csv", text), metric)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match=r"none\.csv"):
        read(tmp_path / "none.csv")


def test_scores_between_0_and_1_need_tolerances_of_their_own() -> None:
    with pytest.raises(ParameterError, match="multiply by 100"):
        diagnose(series(LAWFUL / 100.0))
    assert diagnose(series(LAWFUL / 100.0), DecisionRequest(tolerance=0.01, fall=0.003)).verdict == "CONTINUE"


def test_a_target_needs_a_maximum() -> None:
    with pytest.raises(ParameterError, match="--maximum"):
        diagnose(series(LAWFUL), DecisionRequest(target=20.0))


# The law bends too little for the first system and the last, whose largest sizes gave 31.1 and 30.4 BLEU.
KOEHN_KNOWLES = {
    "koehn-knowles/neural": "REACHED",  # the law errs by five BLEU, the last is the best and 31.1
    "koehn-knowles/phrase-based": "STOP_NOT_WORTH",  # 28.0 forecast, 30 wanted
    "koehn-knowles/phrase-based-with-big-lm": "REACHED",  # 1.3 BLEU off, the last is the best and 30.4
}


def test_the_public_curves_of_three_systems(built: Built) -> None:
    names = ["koehn_knowles_bleu", "training_words"]
    wide = built.as_of("2026-11-21").wide(names, ("koehn-knowles",)).drop_nulls(names).sort("training_words")
    found = {}
    for family in sorted(set(wide["family"])):
        rows = wide.filter(pl.col("family") == family)
        mine = Series("bleu", rows["training_words"].to_numpy().astype(float), rows["koehn_knowles_bleu"].to_numpy())
        found[family] = diagnose(mine, DecisionRequest(target=30.0, maximum=float(mine.tokens[-1])))

    assert {name: one.verdict for name, one in found.items()} == KOEHN_KNOWLES
    assert "it still rises" in found["koehn-knowles/neural"].reason


def test_the_command_prints_the_verdict_and_why(tmp_path: Path) -> None:
    rows = "\n".join(f"{tokens:.0f},{value:.2f}" for tokens, value in zip(TOKENS, LAWFUL, strict=True))
    path = write(tmp_path / "a.csv", f"tokens,bleu\n{rows}\n")
    done = CliRunner().invoke(main, ["diagnose", str(path), "--target", "30", "--maximum", "2.56e11"])

    assert done.exit_code == 0, done.output
    assert done.output.startswith("STOP_NOT_WORTH: ")
    assert "\nwhy: " in done.output
    refused = CliRunner().invoke(main, ["diagnose", str(write(tmp_path / "b.csv", "tokens,loss\n1,2\n"))])
    assert (refused.exit_code, refused.output.count("\n")) == (2, 1)


@pytest.mark.parametrize("name", ["train/CrossEntropyLoss", "eval/loss", "val loss", "bits_per_byte", "evalLoss", "valloss", "NLL"])
def test_losses_are_refused_under_the_names_that_trainers_log(tmp_path: Path, name: str) -> None:
    file = tmp_path / "a.csv"
    file.write_text(f"tokens,{name}\n1e9,3\n2e9,2.9\n", encoding="utf-8")

    with pytest.raises(ParameterError, match="cross-entropy"):
        read(file)


@pytest.mark.parametrize(
    "question",
    [DecisionRequest(target=20.0, maximum=-1e9), DecisionRequest(target=120.0, maximum=1e12), DecisionRequest(fall=-1.0)],
)
def test_questions_without_a_meaning_are_refused(question: DecisionRequest) -> None:
    series = Series("bleu", np.array([1e9, 2e9, 4e9]), np.array([10.0, 12.0, 13.0]))

    with pytest.raises(ParameterError, match="expected"):
        diagnose(series, question)


def test_a_target_within_the_interval_is_not_given_up() -> None:
    tokens = 1e9 * 2.0 ** np.arange(9.0)
    noise = np.random.default_rng(3).normal(0.0, 0.25, 9)
    series = Series("bleu", tokens, np.asarray(10.0 + 2.0 * np.arange(9.0) ** 0.7 + noise, dtype=np.float64))
    plain = diagnose(series, DecisionRequest(target=1.0, maximum=4e12, fall=2.0, tolerance=3.0))
    assert plain.forecast is not None
    assert plain.interval is not None
    between = (plain.forecast + max(plain.interval[1], plain.forecast)) / 2.0

    assert plain.interval[1] > plain.forecast
    assert diagnose(series, DecisionRequest(target=between, maximum=4e12, fall=2.0, tolerance=3.0)).verdict == "CONTINUE"
    assert diagnose(series, DecisionRequest(target=99.0, maximum=4e12, fall=2.0, tolerance=3.0)).verdict == "STOP_NOT_WORTH"
