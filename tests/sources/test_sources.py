"""Every reader against the real upstream files: counts, published values, known traps, and what a spoilt file gives.

The files are not in the repository: FORESAID_MIRROR names the folder that holds them.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import tempfile
from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.sources.test_curves import NAMES as CURVES
from tests.sources.test_dated_boards import COUNTS as DATED
from tests.worlds.upstream import REGISTRY, reading, source

from foresaid.errors import ForesaidError
from foresaid.registry import csv_files, formats, source_card
from foresaid.registry import load as ingest
from foresaid.registry.update.update import update
from foresaid.sources import _loader as sources
from foresaid.sources import gadre
from foresaid.sources._reading import Score

RECORDED = date(2026, 11, 21)
# Scores, runs or checkpoints, and distinct subjects of the last vintage of each source.
COUNTS = {
    "aider": (490, 0, 142),
    "alpaca-eval": (376, 0, 183),
    "epoch-eci": (913, 0, 222),
    "epoch-eci-external": (1558, 0, 219),
    "epoch-hub": (421, 0, 232),
    "epoch-hub-external": (2639, 0, 391),
    "epoch-models": (846, 0, 367),
    "evalplus": (428, 0, 125),
    "livebench": (5424, 0, 248),
    "lmarena": (265, 0, 261),
    "metr-horizon": (150, 0, 35),
    "sloth": (3789, 0, 384),
    "weirdml": (1740, 0, 80),
    "finetune-loss": (2700, 900, 900),
    "gadre": (6032, 104, 104),
    "koehn-knowles": (66, 33, 33),
    "obsscaling": (3325, 0, 175),
    "olmo-ladder": (58104, 2557, 2557),
    "pythia": (1320, 120, 120),
}
# Without a licence that allows it no figure is kept in the registry.
EMBEDDED = sorted(set(COUNTS) - {"epoch-eci-external", "epoch-hub-external", "livebench", "metr-horizon"})
# Sources whose vintages we took on more than one day.
TAKEN = {"epoch-hub", "epoch-models"}
# One published value or more of each source: subject, quantity, value as printed upstream.
GOLDEN = [
    ("finetune-loss", "finetune-loss/mbzuai/lamini-gpt-124m/wmt19-200", "finetune_wmt19_loss", 3.060643435),
    ("finetune-loss", "finetune-loss/gpt2/flan-0", "finetuning_examples", 0.0),
    ("gadre", "gadre/rpj-d576-l24-h8-0.5", "gadre_c4_loss", 3.7329098405267933),
    ("gadre", "gadre/rpj-d576-l24-h8-0.5", "gadre_de_en_loss", 4.577207598369569),
    ("gadre", "gadre/rpj-d576-l24-h8-0.5", "params_total", 153677376.0),
    ("gadre", "gadre/rpj-d576-l24-h8-0.5", "training_tokens", 1536773760.0),
    ("koehn-knowles", "koehn-knowles/neural/1-1024", "koehn_knowles_bleu", 1.6),
    ("koehn-knowles", "koehn-knowles/phrase-based-with-big-lm/1-1", "koehn_knowles_bleu", 30.4),
    ("obsscaling", "meta-llama/Llama-2-7b-hf", "mmlu", 0.4379609636092418),
    ("obsscaling", "meta-llama/Llama-2-7b-hf", "params_total", 7e9),
    ("obsscaling", "meta-llama/Llama-2-7b-hf", "training_flops", 8.4e22),
    ("obsscaling", "meta-llama/Llama-2-7b-hf", "gsm8k_cot", 0.154),
    ("obsscaling", "gpt-4-0613", "agentbench_overall", 4.01),
    ("obsscaling", "claude-2.0", "agentboard_success_rate", 0.262),
    ("olmo-ladder", "olmo-ladder/190m-1xc/step-200", "olmo_c4_loss", 6.029934883117676),
    ("olmo-ladder", "olmo-ladder/190m-1xc/step-7272", "training_tokens", 3812622336.0),
    ("olmo-ladder", "olmo-ladder/190m-1xc/step-7272", "params_total", 190354176.0),
    ("olmo-ladder", "olmo-ladder/7b-anneal/step-940577", "training_tokens", 3945065873408.0),
    ("pythia", "pythia/70m-deduped/step-3000", "training_tokens", 6291456000.0),
    ("pythia", "pythia/70m-deduped/step-3000", "pythia_lambada", 0.1063458179701145),
]


def values(mirror: Path, name: str, quantity: str) -> dict[str, Score]:
    return {score.subject: score for score in reading(mirror, name).scores if score.quantity_id == quantity}


def test_every_source_with_a_reader_has_counts_here_or_among_the_curves() -> None:
    assert sorted((*COUNTS, *CURVES, *DATED)) == sources.names()


@pytest.mark.parametrize("name", COUNTS)
def test_a_reader_returns_every_row_once(name: str, mirror: Path) -> None:
    found = reading(mirror, name)
    keys = Counter((score.subject, score.quantity_id, score.setting, score.known_on) for score in found.scores)

    assert COUNTS[name] == (len(found.scores), len(found.subjects), len({score.subject for score in found.scores}))
    assert max(keys.values()) == 1


@pytest.mark.parametrize(("name", "subject", "quantity", "value"), GOLDEN)
def test_a_published_value_arrives_to_the_last_bit(name: str, subject: str, quantity: str, value: float, mirror: Path) -> None:
    assert value == values(mirror, name, quantity)[subject].value


@pytest.mark.parametrize("name", COUNTS)
def test_the_mirror_holds_the_pinned_files(name: str, mirror: Path) -> None:
    assert [problem for vintage in source(name).vintages for problem in source_card.verify(vintage, mirror)] == []


@pytest.mark.parametrize("name", EMBEDDED)
def test_the_embedded_rows_are_what_update_makes_of_the_upstream_and_again_nothing(name: str, mirror: Path, tmp_path: Path) -> None:
    registry = tmp_path / "registry"
    embedded = REGISTRY / "sources" / name
    shutil.copytree(REGISTRY, registry, ignore=shutil.ignore_patterns("ledger", "observations.csv", "subjects.csv"))
    first = update(name, mirror, registry, max(RECORDED, source(name).accessed))
    made = {path.name: path.read_bytes() for path in (registry / "sources" / name).iterdir()}
    second = update(name, mirror, registry, date(2027, 1, 1))
    kept = {path.name: path.read_bytes() for path in embedded.iterdir()}
    if name in TAKEN:  # later vintages were recorded later: all but that day is the same
        for found in (made, kept):
            found["observations.csv"] = re.sub(
                rb",2026-11-\d\d,(?=reported|revised|withdrawn|suspect)", b",,", found["observations.csv"]
            )

    assert kept == made
    assert (second.rows, second.subjects) == (0, [])
    assert first.rows > 0


# obsscaling


def test_btlm_with_627_trillion_tokens_is_suspect_and_says_why(mirror: Path) -> None:
    name = "cerebras/btlm-3b-8k-base"
    tokens, flops, size = (
        values(mirror, "obsscaling", quantity)[name] for quantity in ("training_tokens", "training_flops", "params_total")
    )

    assert (tokens.status, tokens.value, flops.status, flops.value) == ("suspect", 627e12, "suspect", 11286e21)
    assert "627 B are meant" in tokens.note
    assert size.status == "reported"


def test_active_parameters_of_mixtures_of_experts_are_suspect_as_totals(mirror: Path) -> None:
    suspects = {score.subject for score in values(mirror, "obsscaling", "params_total").values() if score.status == "suspect"}

    assert "mistralai/Mixtral-8x22B-v0.1" in suspects
    assert "mistralai/Mixtral-8x7B-v0.1" not in suspects
    assert len(suspects) == 5


def test_the_models_both_vintages_share_are_not_revised(mirror: Path, tmp_path: Path) -> None:
    registry = tmp_path / "registry"
    shutil.copytree(REGISTRY, registry, ignore=shutil.ignore_patterns("ledger", "observations.csv"))
    change = update("obsscaling", mirror, registry, RECORDED)

    assert [(len(vintage.revised), len(vintage.gone)) for vintage in change.vintages] == [(0, 0), (0, 0)]
    assert [len(vintage.new) for vintage in change.vintages] == [2274, 1051]


# gadre


def test_percent_baselines_of_gadre_are_fractions_and_equal_chance_in_quantities(mirror: Path) -> None:
    baselines = gadre.baselines(mirror / source("gadre").vintages[0].directory)
    cards = csv_files.read(REGISTRY / "quantities.csv", "quantities.csv", formats.QUANTITIES).items
    ours = {f"gadre_{task}" for task in gadre.TASKS}
    chance = {row.quantity_id: row.chance or 0.0 for row in cards if row.quantity_id in ours}

    assert baselines["gadre_mmlu"] == 0.25
    assert chance == {name: baselines[name] for name in chance}
    assert len(chance) == 46


# olmo-ladder


def test_step_0_is_left_out_and_counted(mirror: Path) -> None:
    found = reading(mirror, "olmo-ladder")

    assert found.skipped == {"step 0: an untrained network": 1}
    assert not [subject for subject in found.subjects if subject.subject_id.endswith("/step-0")]


def test_multiple_choice_mmlu_leaves_chance_at_the_loss_where_it_is_known_to(mirror: Path) -> None:
    loss, score = (values(mirror, "olmo-ladder", quantity) for quantity in ("olmo_c4_loss", "olmo_mmlu_mc"))
    run = [name for name in score if name.startswith("olmo-ladder/7b/")]

    before = max(score[name].value for name in run if loss[name].value > 2.73)
    after = max(run, key=lambda name: loss[name].value if loss[name].value < 2.675 else 0.0)

    # Multiple-choice MMLU: .23-.28 down to a C4 loss of 2.73, .43 by 2.67. Neighbouring checkpoints differ by up to 0.02.
    assert before == pytest.approx(0.28, abs=0.02)
    assert score[after].value == pytest.approx(0.43, abs=0.02)
    assert {name.split("/")[1] for name in score} == {"7b", "7b-medlr", "7b-anneal"}


# pythia


def test_mmlu_of_pythia_barely_leaves_chance(mirror: Path) -> None:
    score = values(mirror, "pythia", "pythia_mmlu")

    # The upstream figures, rounded to two digits.
    assert round(score["pythia/12b-deduped/step-143000"].value, 2) == 0.30
    assert round(score["pythia/2.8b-deduped/step-143000"].value, 2) == 0.28


# finetune-loss


def test_six_rows_of_wmt19_are_not_monotone_and_say_so(mirror: Path) -> None:
    notes = values(mirror, "finetune-loss", "finetune_wmt19_loss")
    rising = {name.rsplit("/", 1)[0] for name, score in notes.items() if "higher than with fewer" in score.note}

    assert len(rising) == 6


def test_english_only_tokenisers_are_named_on_chinese_text_alone(mirror: Path) -> None:
    wmt19 = values(mirror, "finetune-loss", "finetune_wmt19_loss")
    flan = values(mirror, "finetune-loss", "finetune_flan_loss")

    assert "English-only" in wmt19["finetune-loss/t5-small/wmt19-0"].note
    assert wmt19["finetune-loss/google/mt5-base/wmt19-0"].note == ""
    assert flan["finetune-loss/t5-small/flan-0"].note == ""


# koehn-knowles


def test_the_one_value_nobody_checked_is_suspect(mirror: Path) -> None:
    found = [score for score in reading(mirror, "koehn-knowles").scores if score.status == "suspect"]

    assert [(score.subject, score.value) for score in found] == [("koehn-knowles/phrase-based/1-1", 28.4)]


# every reader, one way of being wrong each


BENCHMARKS = "eval_results/base_llm_benchmark_eval.csv"
RUN = "exp_data/models/rpj-d=576_l=24_h=8-0.5.json"
LADDER = "src/scripts/paper/data/ladder-runs/190M-1xC.csv"
CHECKPOINT = "evals/pythia-v1/pythia-70m-deduped/five-shot/70m-deduped-5shot_step3000.json"
SPOILT = [
    ("obsscaling", BENCHMARKS, "0.4379609636092418", "nan", "row 2, column MMLU: found nan"),
    ("obsscaling", BENCHMARKS, ",0.1280487804878048", "", "found 12 cells, expected 13 cells"),
    (
        "obsscaling",
        BENCHMARKS,
        "Winograd,",
        "Winogrande,",
        "column Winograd: found no such column",
    ),
    ("obsscaling", "eval_results/base_llm_leaderboard_v2_eval.csv", "leaderboard_musr", "leaderboard_bbh", "the column twice"),
    ("finetune-loss", "benchmark/flan.csv", "4.891325951", "", "row 2, column 0: found nothing, expected a number"),
    ("finetune-loss", "benchmark/flan.csv", ",1638400,", ",3276800,", "column 1638400: found no such column"),
    ("koehn-knowles", "koehn-knowles-2017-figure-3.csv", "376660", "386660", "expected 385700000 / 1024"),
    ("koehn-knowles", "koehn-knowles-2017-figure-3.csv", "neural", "neurol", "found neurol, expected one of neural"),
    ("gadre", RUN, "paloma_ptb", "paloma_ptc", "expected one validation set"),
    ("gadre", RUN, "3.7329098405267933", "NaN", "found NaN, expected finite"),
    ("gadre", RUN, '"params":', '"parms":', "hyperparameters.params: found nothing"),
    ("gadre", RUN, "}", "", "expected JSON"),
    (
        "olmo-ladder",
        LADDER,
        "\n200,",
        "\n201,",
        "expected 201 steps x 524288 tokens",
    ),
    (
        "olmo-ladder",
        LADDER,
        "c4_en",
        "c4_xx",
        "c4_en-validation/CrossEntropyLoss: found no",
    ),
    (
        "pythia",
        CHECKPOINT,
        "revision=step3000",
        "revision=step4000",
        "column config.model_args",
    ),
    (
        "pythia",
        CHECKPOINT,
        "hendrycksTest-virology",
        "hendrycksTest_virology",
        "found 56 subjects, expected 57 subjects",
    ),
]


@pytest.mark.parametrize(("name", "path", "old", "new", "expected"), SPOILT)
def test_a_spoilt_upstream_file_is_refused_with_its_place(
    name: str, path: str, old: str, new: str, expected: str, mirror: Path, tmp_path: Path
) -> None:
    vintage = source(name).vintages[-1]
    folder = tmp_path / Path(vintage.directory).name
    for file in vintage.files:
        target = folder / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        content = (mirror / vintage.directory / file.path).read_bytes()
        if file.path == path:
            assert old.encode() in content
            content = content.replace(old.encode(), new.encode(), 1)
        target.write_bytes(content)

    with pytest.raises(ForesaidError) as caught:
        sources.find(name)(folder)
    assert expected in str(caught.value)
    assert path.rsplit("/", 1)[-1] in str(caught.value)


# A few files of each source are enough to run its reader.
BOARDS = (
    "aider",
    "alpaca-eval",
    "epoch-eci",
    "epoch-eci-external",
    "epoch-hub",
    "epoch-hub-external",
    "epoch-models",
    "evalplus",
    "livebench",
    "lmarena",
    "metr-horizon",
    "sloth",
    "weirdml",
)
FEW = {
    **{name: [file.path for file in source(name).vintages[-1].files] for name in BOARDS},
    "finetune-loss": ["benchmark/flan.csv", "benchmark/wmt19.csv"],
    "gadre": [RUN, f"exp_data/evals/evaluation_{Path(RUN).stem}_heavy.json"],
    "koehn-knowles": ["koehn-knowles-2017-figure-3.csv"],
    "obsscaling": [file.path for file in source("obsscaling").vintages[-1].files],
    "olmo-ladder": ["src/scripts/paper/configs/final.json", LADDER],
    "pythia": [CHECKPOINT],
}


@given(st.data())
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_mutated_upstream_file_is_read_or_refused_but_never_breaks_a_reader(mirror: Path, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(COUNTS)))
    spoilt = data.draw(st.sampled_from(FEW[name]))
    vintage = source(name).vintages[-1]
    with tempfile.TemporaryDirectory() as home:
        for path in FEW[name]:
            raw = (mirror / vintage.directory / path).read_bytes()
            if path == spoilt:
                at, cut = data.draw(st.integers(0, len(raw))), data.draw(st.integers(0, 9))
                raw = (
                    raw[:at]
                    + data.draw(st.binary(max_size=5) | st.sampled_from([b"NaN", b"null", b"[]", b'"x"']))
                    + raw[at + cut :]
                )
            (Path(home) / path).parent.mkdir(parents=True, exist_ok=True)
            (Path(home) / path).write_bytes(raw)
        with contextlib.suppress(ForesaidError):
            sources.find(name)(Path(home))


def test_the_whole_embedded_record_passes_the_gate() -> None:
    catalogue, loaded = ingest.load(REGISTRY, EMBEDDED)

    assert [item.source.name for item in loaded] == EMBEDDED
    assert all(item.observations for item in loaded)
    assert catalogue.models
