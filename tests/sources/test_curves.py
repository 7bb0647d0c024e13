"""Readers of training curves, repeated sampling and result records: counts, published values, every known trap, shapes.

Tests on the real files need FORESAID_MIRROR; those on made-up files of the same shape always run.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.worlds.upstream import REGISTRY, folder_of, reading, source

from foresaid.errors import ForesaidError, RecordError
from foresaid.registry import load as ingest
from foresaid.registry import source_card
from foresaid.registry.update.update import update
from foresaid.sources import _loader as sources
from foresaid.sources import eee_helm, effort_tokens, pass_at_k
from foresaid.sources._reading import Score

ROOT = Path(__file__).parents[2]
RECORDED = date(2026, 11, 21)
EMBEDDED = ("chinchilla", "data-constrained", "dclm", "eee-helm", "gemstones", "nmt-curves")
ON_DEMAND = ("effort-tokens", "o1-mini", "pass-at-k", "steplaw")
NAMES = sorted((*EMBEDDED, *ON_DEMAND))


def values(mirror: Path, name: str, quantity: str) -> dict[str, Score]:
    return {score.subject: score for score in reading(mirror, name).scores if score.quantity_id == quantity}


def documented() -> dict[str, list[str]]:
    """The table of docs/sources-curves.md by source."""
    lines = (ROOT / "docs" / "sources-curves.md").read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    return {row[0]: row[1:] for row in cells if len(row) == 7 and row[0] in NAMES}


def upstream_rows(mirror: Path, name: str) -> int:
    """Count what the upstream gives without the readers: rows of tables, lines, results, points."""
    count = 0
    for file in source(name).vintages[-1].files:
        path = folder_of(mirror, name) / file.path
        if path.suffix == ".parquet":
            count += pl.scan_parquet(path).select(pl.len()).collect().item()
        elif path.suffix == ".jsonl":
            count += len(path.read_text(encoding="utf-8").splitlines())
        elif path.suffix == ".csv":
            count += 0 if path.name == "models.csv" else pl.read_csv(path, infer_schema=False).height
        else:
            tree = json.loads(path.read_text(encoding="utf-8"))
            count += len(tree) if isinstance(tree, list) else len(tree.get("evaluation_results") or tree.get("hf_name") or [tree])
    return count


@pytest.mark.parametrize("name", NAMES)
def test_the_documented_counts_are_those_of_the_files(name: str, mirror: Path) -> None:
    found = reading(mirror, name)
    upstream = upstream_rows(mirror, name)
    left_out = upstream - 9993 if name == "pass-at-k" else sum(found.skipped.values())
    suspect = sum(score.status == "suspect" for score in found.scores)
    keys = {(score.subject, score.quantity_id, score.setting) for score in found.scores}

    expected = documented()[name]
    assert expected == [
        str(upstream),
        str(len(found.scores)),
        str(len({score.subject for score in found.scores})),
        str(left_out),
        str(suspect),
        "embedded" if name in EMBEDDED else "on demand",
    ]
    assert len(keys) == len(found.scores)


@pytest.mark.parametrize("name", NAMES)
def test_the_mirror_holds_the_pinned_files(name: str, mirror: Path) -> None:
    assert [problem for vintage in source(name).vintages for problem in source_card.verify(vintage, mirror)] == []


def empty_registry(home: Path, name: str) -> Path:
    """The catalogue and one source's card, without the rows of any source."""
    shutil.copytree(REGISTRY, home / "registry", ignore=shutil.ignore_patterns("ledger", "observations.csv", "subjects.csv"))
    assert not (home / "registry" / "sources" / name / "observations.csv").exists()
    return home / "registry"


@pytest.mark.parametrize("name", NAMES)
def test_update_takes_every_source_through_the_gate_and_again_nothing(name: str, mirror: Path, tmp_path: Path) -> None:
    registry = empty_registry(tmp_path, name)
    first = update(name, mirror, registry, RECORDED)
    made = {path.name: path.read_bytes() for path in (registry / "sources" / name).iterdir()}
    second = update(name, mirror, registry, date(2027, 1, 1))

    assert first.rows == int(documented()[name][1])
    assert (second.rows, second.subjects) == (0, [])
    if name in EMBEDDED:
        assert {path.name: path.read_bytes() for path in (REGISTRY / "sources" / name).iterdir()} == made


def test_no_row_of_a_source_without_a_licence_is_in_the_record() -> None:
    kept = [path for name in ON_DEMAND for path in (REGISTRY / "sources" / name).iterdir()]

    assert {path.name for path in kept} == {"source.toml"}
    assert {source(name).redistribution for name in ON_DEMAND} == {"unclear"}
    assert {source(name).redistribution for name in EMBEDDED} == {"yes"}


def test_the_embedded_rows_pass_the_gate_and_stay_small() -> None:
    _, loaded = ingest.load(REGISTRY, EMBEDDED)
    size = sum(path.stat().st_size for name in EMBEDDED for path in (REGISTRY / "sources" / name).iterdir())

    assert sorted(EMBEDDED) == [item.source.name for item in loaded]
    assert size < 10_000_000


# One published value or more of each source, to the last bit.
GOLDEN = [
    ("chinchilla", "chinchilla/x154.03592-y140.63364", "params_total", 6795600349.289497),
    ("data-constrained", "data-constrained/2b855b4b", "training_tokens", 55e9),
    ("data-constrained", "data-constrained/2b855b4b", "unique_tokens", 4e9),
    ("data-constrained", "data-constrained/1b591b1b5", "data_constrained_loss", 3.034805),
    ("dclm", "dclm/5403fd59/2024-01-12-23-37-47", "dclm_core", 0.2653554097),
    ("dclm", "dclm/5403fd59/2024-01-12-23-37-47", "dclm_mmlu_fewshot", 0.2466633257),
    ("eee-helm", "qwen/qwen1.5-110b-chat", "helm_lite_narrative_qa", 0.721),
    (
        "effort-tokens",
        "effort-tokens/gemini-2.5-flash/otis-mock-aime-2024-2025/thinking-tokens-1024",
        "thinking_token_budget",
        1024.0,
    ),
    ("gemstones", "gemstones/768x3/step-83475", "gemstones_dclm_loss", 3.4733363719),
    ("gemstones", "gemstones/1024x28/step-83475", "gemstones_hellaswag", 0.502),
    ("gemstones", "gemstones/1024x28/step-2385", "gemstones_hellaswag", 0.331),
    ("nmt-curves", "nmt-curves/dec-only/512000000", "nmt_log_perplexity", 0.3823245269230769),
    ("o1-mini", "o1-mini/asked-16", "response_tokens", 363.46666666666664),
    ("steplaw", "steplaw/n214663680-d100000000000/lr-0.0003453-batch-736", "steplaw_loss", 2.3976109618296744),
]


@pytest.mark.parametrize(("name", "subject", "quantity", "value"), GOLDEN)
def test_a_published_value_arrives_to_the_last_bit(name: str, subject: str, quantity: str, value: float, mirror: Path) -> None:
    assert value == values(mirror, name, quantity)[subject].value


# gemstones


def test_main_is_the_last_step_of_every_gemstone(mirror: Path) -> None:
    loss, score = (values(mirror, "gemstones", quantity) for quantity in ("gemstones_edu_loss", "gemstones_mmlu"))

    assert loss.keys() == score.keys()
    assert sum(name.endswith("/step-83475") for name in score) == 22


def test_losses_under_other_tokenisers_never_share_a_setting(mirror: Path) -> None:
    public = [score for score in reading(mirror, "gemstones").scores if score.quantity_id == "gemstones_public_loss"]
    of = {score.subject: score.setting for score in public}

    assert len(public) == 21
    assert (of["meta-llama/Llama-2-7b-hf"], of["google/Gemma-7b"]) == ("vocabulary=32000", "vocabulary=256000")
    assert "" not in of.values()


def test_chance_of_gemstones_and_dclm_is_that_of_the_task() -> None:
    catalogue, _ = ingest.read_catalogue(REGISTRY)
    chance = {row.quantity_id: row.chance for row in catalogue.quantities}

    assert [chance[f"gemstones_{task}"] for task in ("mmlu", "piqa", "winogrande", "commonsense_qa")] == [0.25, 0.5, 0.5, 0.2]
    assert chance["gemstones_siqa"] == pytest.approx(1 / 3)
    assert [chance["dclm_core"], chance["dclm_mmlu_fewshot"]] == [0.0, 0.25]


# dclm


def test_centred_means_and_raw_scores_are_quantities_of_other_bounds(mirror: Path) -> None:
    catalogue, _ = ingest.read_catalogue(REGISTRY)
    lower = {row.quantity_id: row.lower for row in catalogue.quantities}

    assert [lower["dclm_core"], lower["dclm_extended"], lower["dclm_piqa"]] == [-1.0, -1.0, 0.0]
    assert len(values(mirror, "dclm", "dclm_core")) == 327
    assert not [score for score in reading(mirror, "dclm").scores if "perplexity" in score.quantity_id]


def test_evaluations_of_one_uuid_are_one_run_and_copies_are_left_out(mirror: Path) -> None:
    runs = Counter(subject.run for subject in reading(mirror, "dclm").subjects)

    assert [(run, count) for run, count in runs.items() if count > 1] == [("dclm/d5f516d2", 9)]
    assert list(reading(mirror, "dclm").skipped.values()) == [2]


def test_zeros_of_lost_answers_are_suspect_and_other_zeros_are_not(mirror: Path) -> None:
    scores = reading(mirror, "dclm").scores
    suspect = [score for score in scores if score.status == "suspect"]

    assert {score.value for score in suspect} == {0.0}
    assert len({score.subject for score in suspect}) == 2
    assert [score for score in scores if score.value == 0.0 and score.status == "reported"]


# chinchilla, data-constrained, nmt-curves


def test_the_five_outliers_are_the_highest_losses_and_suspect(mirror: Path) -> None:
    losses = sorted(values(mirror, "chinchilla", "chinchilla_loss").values(), key=lambda score: -score.value)

    assert [score.status for score in losses[:6]] == ["suspect"] * 5 + ["reported"]
    assert (round(losses[4].value, 3), round(losses[5].value, 3)) == (3.447, 3.406)


def test_tokens_of_chinchilla_are_flops_over_six_parameters(mirror: Path) -> None:
    size, flops, tokens = (
        values(mirror, "chinchilla", f"{name}") for name in ("params_total", "training_flops", "training_tokens")
    )

    for name, score in tokens.items():
        # One rounding in decimals against two in floats.
        assert score.value == pytest.approx(flops[name].value / (6 * size[name].value), rel=1e-14)
        assert "derived" in score.note


def test_unique_tokens_are_the_last_part_of_a_runs_id(mirror: Path) -> None:
    seen, unique = (values(mirror, "data-constrained", quantity) for quantity in ("training_tokens", "unique_tokens"))
    loss = values(mirror, "data-constrained", "data_constrained_loss")
    repeats = [name for name in seen if seen[name].value > unique[name].value]

    assert all(seen[name].value >= unique[name].value for name in seen)
    assert (len(repeats), sum("epochs" in score.note for score in loss.values())) == (153, 153)
    # The same 4 B tokens seen longer give a lower loss, as the paper has it.
    runs = [loss[f"data-constrained/2b8{total}b4b"].value for total in (32, 40, 55)]
    assert runs == sorted(runs, reverse=True)


def test_the_run_of_the_laws_printed_example_is_found_by_its_total_and_unique_tokens(mirror: Path) -> None:
    # Muennighoff et al. print the law at 8.67 B parameters, 178 B tokens and 25 B unique ones.
    name = "data-constrained/8b7178b25b"
    wanted = ("params_total", "training_tokens", "unique_tokens")
    sizes = [values(mirror, "data-constrained", quantity)[name].value for quantity in wanted]

    assert sizes == [8.67e9, 178e9, 25e9]
    assert values(mirror, "data-constrained", "data_constrained_loss")[name].note == "7.12 epochs"


def test_a_size_that_the_id_denies_is_noted(mirror: Path) -> None:
    notes = {name: score.note for name, score in values(mirror, "data-constrained", "data_constrained_loss").items()}

    assert {name for name, note in notes.items() if "the id says" in note} == {
        f"data-constrained/25m{tokens}" for tokens in ("400m400m", "200m100m", "400m100m", "800m100m")
    }


def test_one_point_a_curve_is_held_out_and_the_decoder_has_saturated(mirror: Path) -> None:
    held = {name: score.note for name, score in values(mirror, "nmt-curves", "nmt_log_perplexity").items() if score.note}

    assert len(held) == 5
    assert {name for name in held if name.endswith("/512000000")} == held.keys()
    assert [name for name, note in held.items() if "higher" in note] == ["nmt-curves/dec-only/512000000"]


# steplaw, o1-mini, effort-tokens


def test_the_envelope_is_one_trained_run_for_each_size_and_tokens(mirror: Path) -> None:
    best, every = (values(mirror, "steplaw", f"steplaw_{name}") for name in ("best_loss", "loss"))
    families = Counter(name.rpartition("/")[0] for name in best)

    assert set(families.values()) == {1}
    assert len(families) == 17
    assert {score.status for score in best.values()} == {"reported"}
    assert sum(score.status == "suspect" for score in every.values()) == 181
    for name, score in best.items():
        family = name.rpartition("/")[0]
        assert score.value == min(other.value for key, other in every.items() if key.rpartition("/")[0] == family)


def test_o1_mini_is_ordered_by_tokens_used_and_falls_where_it_falls(mirror: Path) -> None:
    used, right = (values(mirror, "o1-mini", quantity) for quantity in ("response_tokens", "o1_mini_aime_2024"))
    limits = {name: float(name.rpartition("-")[2]) for name in used}

    assert all(used[name].value > limits[name] for name in used)
    assert {score.n for score in right.values()} == {30}
    assert sum(bool(score.note) for score in right.values()) == 4


def test_one_benchmark_under_two_spellings_is_one_quantity(mirror: Path) -> None:
    found = {score.quantity_id for score in reading(mirror, "effort-tokens").scores}

    assert effort_tokens.quantity("GPQA diamond") == effort_tokens.quantity("GPQA Diamond") == "effort_gpqa_diamond"
    assert effort_tokens.quantity("MATH 500") in found
    assert not [name for name in found if "total" in name]


def test_effort_makes_runs_of_one_model_and_never_another_model(mirror: Path) -> None:
    families = Counter(subject.family for subject in reading(mirror, "effort-tokens").subjects)

    assert len(families) == len(effort_tokens.MODELS)
    assert families["effort-tokens/kimi-k1.5"] == 147 - 16


def test_tokens_of_the_whole_benchmark_become_tokens_of_a_question(mirror: Path) -> None:
    tokens = values(mirror, "effort-tokens", "response_tokens")
    runs = [score.value for name, score in tokens.items() if "/gpt-5.2/gpqa-diamond/run-" in name]

    # 0.204, 0.380, 0.675 and 2.55 M tokens for 198 questions.
    assert [round(value * 198 / 1e6, 3) for value in sorted(runs)] == pytest.approx([0.204, 0.380, 0.675, 2.55], abs=0.005)


def test_what_was_read_off_a_figure_carries_its_error(mirror: Path) -> None:
    scores = [score for score in reading(mirror, "effort-tokens").scores if score.note == effort_tokens.READ_OFF]

    assert {score.stderr for score in scores} == {0.01}
    assert len(scores) == 175 - 16


# pass-at-k


def test_coverage_is_never_that_of_more_samples_than_were_drawn(mirror: Path) -> None:
    scores = reading(mirror, "pass-at-k").scores
    smallest: dict[str, int] = {}
    for score in scores:
        if score.quantity_id == "math_solve_rate" and score.n is not None:
            smallest[score.subject] = min(score.n, smallest.get(score.subject, score.n))
    coverage = [score for score in scores if score.quantity_id == "math_pass_at_k"]

    assert all(int(score.setting.removeprefix("k=")) <= smallest[score.subject] for score in coverage)
    assert "pass-at-k/pythia-12b/2m" not in {score.subject for score in coverage}
    assert all(np.isfinite(score.value) for score in scores)


def test_counts_of_solved_samples_can_be_had_back_whole(mirror: Path) -> None:
    rates = [score for score in reading(mirror, "pass-at-k").scores if score.quantity_id == "math_solve_rate"]

    assert len(rates) == 896 + 9097
    # Up to 3.7 million samples: a product of two floats is off by parts in 1e16.
    assert all(abs(score.value * (score.n or 0) - round(score.value * (score.n or 0))) < 1e-6 for score in rates)


def test_coverage_grows_with_samples_and_at_one_sample_is_the_mean_rate(mirror: Path) -> None:
    scores = [score for score in reading(mirror, "pass-at-k").scores if score.subject == "pass-at-k/original/pythia-12b"]
    rates = [score.value for score in scores if score.quantity_id == "math_solve_rate"]
    coverage = [score.value for score in scores if score.quantity_id == "math_pass_at_k"]

    assert coverage[0] == pytest.approx(np.mean(rates), rel=1e-9)
    assert coverage == sorted(coverage)
    assert len(coverage) == 9


# eee-helm


def test_means_missing_values_accounts_and_older_scrapes_are_left_out_and_counted(mirror: Path) -> None:
    assert reading(mirror, "eee-helm").skipped == {
        eee_helm.MEAN: 68 + 91,
        eee_helm.ACCOUNT: 12,
        eee_helm.OLDER: 6,
        eee_helm.MISSING: 1,
    }


def test_the_first_result_of_helm_capabilities_is_the_mean_of_the_others(mirror: Path) -> None:
    for path in (folder_of(mirror, "eee-helm") / "data/helm_capabilities").glob("*/*/*.json"):
        mean, *rest = [entry["score_details"]["score"] for entry in json.loads(path.read_text())["evaluation_results"]]

        # Three printed digits.
        assert mean == pytest.approx(sum(rest) / 5, abs=0.0015)


def test_of_two_scrapes_the_later_counts(mirror: Path) -> None:
    # 0.8873 in October 2025, 0.9014 in February 2026.
    assert values(mirror, "eee-helm", "livecodebench_pro_easy")["openai/gpt-5-2025-08-07"].value == 0.9014


def test_the_way_of_serving_is_a_setting(mirror: Path) -> None:
    settings = Counter(score.setting for score in reading(mirror, "eee-helm").scores)

    assert settings["thinking=10k"] == 2 * 5
    assert not [score.subject for score in reading(mirror, "eee-helm").scores if score.subject.endswith(("-turbo", "-fp8", "-10k"))]


def test_no_error_is_made_of_an_offset(mirror: Path) -> None:
    assert {score.stderr for score in values(mirror, "eee-helm", "global_mmlu_lite_arabic").values()} == {None}


# Made-up files of the same shape: they run without the mirror


def put(folder: Path, path: str, content: str) -> None:
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_text(content, encoding="utf-8")


CHINCHILLA = "x,y,color,Model Size,Training FLOP,hex_color,loss\n" + "".join(
    f"{i}.5,{i}.25,#{i}0,1000000000.0,6e19,#{i}0,{2 + i / 10}\n" for i in range(1, 8)
)
CONSTRAINED = (
    "id,params,unique_tokens,tokens,loss\n"
    "2b855b4b,2810000000.0,55000000000.0,4000000000.0,2.69\n"
    "7m100m100m,7098752.0,1e8,1e8,8.1 \n"
)
NMT = (
    "Domain,Task,Model,Seen Examples,Loss,Training\nNMT,log_perplexity,Dec-only,1e6,0.7,1\nNMT,log_perplexity,Dec-only,2e6,0.8,0\n"
)
STEPLAW = "h,ffnh,numh,numl,lr,bs,ti,loss,smooth loss,exp_name,D,N,D/N\n" + "".join(
    f"8,8,8,8,{rate},10,1000,2.5,{loss},name,20480000,1000000,20.48\n" for rate, loss in ((0.01, 2.4), (0.02, 2.3), (0.5, 9.0))
)
O1 = json.dumps([{"token_limit": 16, "accuracy": 0.2, "avg_tokens_used": 300.5}])
REPORT = (
    "model,benchmark,x_value,x_unit,performance,score_unit,data_quality,source_detail,model_id,benchmark_id,source_url,human_verified\n"
    "o1,GPQA diamond,100,mean_response_tokens,.7,accuracy,figure_estimate,Figure 1,m,b,u,yes\n"
    "Kimi k1.5,total@temp_1.0,100,mean_response_tokens,0.7,accuracy,exact_text,Table 1,m,b,u,yes\n"
)
SUMMARY: dict[str, Any] = {
    "task": "GPQA Diamond",
    "model": "openai/gpt-5.1",
    "run_id": "abc",
    "epochs_configured": 2,
    "accuracy": 0.5,
    "stderr": 0.03,
    "totals": {"total_output_tokens": 396_000},
    "samples": {},
}
RECORD: dict[str, Any] = {
    "schema_version": "0.2.0",
    "evaluation_id": "helm_lite/x",
    "retrieved_timestamp": "1770834614.5",
    "source_metadata": {"source_name": "helm_lite", "source_organization_name": "crfm"},
    "model_info": {"id": "meta/llama-3.1-8b-instruct-turbo"},
    "evaluation_results": [
        {
            "evaluation_name": name,
            "source_data": {},
            "metric_config": {"lower_is_better": False, "min_score": 0.0, "max_score": 1.0},
            "score_details": {"score": score},
        }
        for name, score in (("Mean win rate", 0.6), ("MMLU", 0.7), ("GSM8K", -1.0))
    ],
}


def tiny_dclm(folder: Path) -> None:
    from foresaid.sources import dclm

    head = ["Dataset", "model", "params", "tokens", "Core", "Extended", "creation_date", "model_uuid", "perplexity.mmlu"]
    start = ["rpj", "open_lm_1b", "1439795200", "28795904000", "", "0.13"]
    uuid = "5403fd59-bffb-4c06-9b80-916b0ffb36e9"
    tasks = [*dclm.TASKS, *dclm.REST]
    rows = [
        [*start, "2024_01_12-23_37_47", uuid, "", *["0.5" for _ in tasks]],
        [*start, "2024_01_13-23_37_47", uuid, "3.1", *["0.5" for _ in tasks]],
        [*start, "2024_01_14-23_37_47", uuid, "", *["0.0" if task in dclm.GENERATED else "0.6" for task in tasks]],
    ]
    put(folder, dclm.PATH, "\n".join(",".join(row) for row in [[*head, *tasks], *rows]) + "\n")


def tiny_gemstones(folder: Path) -> None:
    from foresaid.sources import gemstones

    lines = [
        json.dumps(
            {
                "step": step, "final_loss": 3.5, "run_name": "Gemstone-768x3", "width": 768, "depth": 3,
                "tokens": step * 4_194_304, "params_active_precise": 10**8, "num_nodes": None, "seconds_per_step": None,
            }
        )
        for step in (2385, 83475)
    ]  # fmt: skip
    for path in gemstones.LOSSES.values():
        put(folder, path, "\n".join(lines) + "\n")
    frame = pl.DataFrame({task: [0.25, 0.5] for task in gemstones.TASKS})
    keys = pl.Series(gemstones.KEY, ["Gemstone-768x3-step_00002385", "Gemstone-768x3-main"])
    frame.with_columns(keys).write_parquet(folder / gemstones.ACCURACIES)
    put(folder, gemstones.PUBLIC, json.dumps({"hf_name": ["a/b"], "loss": [2.0], "vocab_size": [32000]}))


def tiny_pass_at_k(folder: Path) -> None:
    for path in (pass_at_k.ORIGINAL, pass_at_k.CHECKPOINTS):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
    size = pass_at_k.PROBLEMS
    plain: dict[str, Any] = {"Benchmark": "MATH", "Log Score": 0.0, "Neg Log Score": float("inf")}
    pl.DataFrame(
        {
            "Model": ["Pythia 12B"] * size,
            "Problem Idx": range(size),
            "Num. Samples Total": [10] * size,
            "Num. Samples Correct": [1] * size,
        }
        | {"Scaling Parameter": [1] * size, "Score": [0.1] * size}
        | {name: [value] * size for name, value in plain.items()}
    ).write_parquet(folder / pass_at_k.ORIGINAL)
    pl.DataFrame(
        {"Model Nickname": ["Pythia_12B_2M"], "prompt_idx": [5], "Level": ["Level 1"], "Num. Samples": [128], "k": [10_000]}
        | {"Num. Samples Correct": [0.0], "Inference Compute": [1.0], "pass@k": [1.0], "neg_log_pass@k": [0.0]}
    ).write_parquet(folder / pass_at_k.CHECKPOINTS)
    head = "Model Family,Model Nickname,HuggingFace Path,HuggingFace Revision,Tokens,Parameters\n"
    put(folder, pass_at_k.MODELS, head + "Pythia,Pythia_12B_2M,p,step1,2000000,12000000000\nOLMo,x,p,main,1,1\n")


def tiny_effort(folder: Path) -> None:
    put(folder, effort_tokens.REPORTS, REPORT)
    put(folder, "data/eci/log_viewer_summary/run.json", json.dumps(SUMMARY))


MADE: dict[str, Callable[[Path], None]] = {
    "chinchilla": lambda folder: put(folder, "data/svg_extracted_data.csv", CHINCHILLA),
    "data-constrained": lambda folder: put(folder, "data/data_constrained_scaling_law/data.csv", CONSTRAINED),
    "dclm": tiny_dclm,
    "eee-helm": lambda folder: put(folder, "data/helm_lite/meta/llama/u.json", json.dumps(RECORD)),
    "effort-tokens": tiny_effort,
    "gemstones": tiny_gemstones,
    "nmt-curves": lambda folder: put(folder, "revisiting_neural_scaling_laws/data/benchmark.lang.nmt-rows.csv", NMT),
    "o1-mini": lambda folder: put(folder, "helpers/results_log_just_ask_nicely.json", O1),
    "pass-at-k": tiny_pass_at_k,
    "steplaw": lambda folder: put(folder, "data/dense_lr_bs_loss.csv", STEPLAW),
}
# Source, values, subjects, suspects, left out.
SHAPES = [
    ("chinchilla", 28, 7, 5, 0),
    ("data-constrained", 8, 2, 0, 0),
    ("dclm", 2 * 30, 2, 3, 1),
    ("eee-helm", 1, 0, 0, 2),
    ("effort-tokens", 4, 2, 0, 1),
    ("gemstones", 2 * 13 + 1, 2, 0, 0),
    ("nmt-curves", 4, 2, 0, 0),
    ("o1-mini", 2, 1, 0, 0),
    ("pass-at-k", 128 + 3 + 1 + 2, 2, 0, 7),
    ("steplaw", 3 * 3 + 1, 3, 1, 0),
]


@pytest.mark.parametrize(("name", "count", "subjects", "suspects", "left_out"), SHAPES)
def test_a_made_up_file_of_the_same_shape_is_read(
    name: str, count: int, subjects: int, suspects: int, left_out: int, tmp_path: Path
) -> None:
    MADE[name](tmp_path)
    found = sources.find(name)(tmp_path)

    assert (count, subjects) == (len(found.scores), len(found.subjects))
    assert suspects == sum(score.status == "suspect" for score in found.scores)
    assert left_out == sum(found.skipped.values())


SPOILT = [
    ("chinchilla", ",#10,2.1", ",#20,2.1", "column color"),
    ("chinchilla", "2.5,2.25", "1.5,1.25", "each place of the figure once"),
    ("data-constrained", "55000000000.0,4000000000.0", "4000000000.0,55000000000.0", "an id that ends with 4b55b"),
    ("data-constrained", "2b855b4b", "xb855b4b", "starts with a size"),
    ("dclm", "2024_01_12-23", "2024-01-12-23", "a time such as"),
    ("dclm", "5403fd59-", "5403fd5-", "a UUID"),
    ("dclm", "Core,Extended", "Core,Extnded", "is it now Extnded?"),
    ("eee-helm", '"max_score": 1.0', '"max_score": 0.5', "a score in [0, 0.5]"),
    ("eee-helm", '"MMLU"', '"MMLV"', "a result the reader knows"),
    ("eee-helm", '"0.2.0"', '"2.0"', "0.2.x or 0.3.x"),
    ("effort-tokens", "GPQA diamond", "GPQB", "a benchmark the reader knows"),
    ("effort-tokens", "o1,", "o7,", "a model the reader knows"),
    ("effort-tokens", "figure_estimate", "guess", "one of exact_text"),
    ("gemstones", '"width": 768', '"width": 769', "Gemstone-769x3"),
    ("gemstones", '"step": 2385', '"step": 2386', "4194304"),
    ("nmt-curves", "2e6", "1e6", "each number of examples once"),
    ("nmt-curves", "0.8,0", "0.8,2", "0 or 1"),
    ("o1-mini", '"accuracy": 0.2', '"accuracy": 0.21', "a whole number of 30 questions"),
    ("pass-at-k", "step1,", "step9,", "about 18874368"),
    ("steplaw", "20480000", "30480000", "within 1 %"),
    ("steplaw", "0.02,10", "0.01,10", "one run for each"),
]


@pytest.mark.parametrize(("name", "old", "new", "expected"), SPOILT)
def test_a_spoilt_file_is_refused_with_its_place(name: str, old: str, new: str, expected: str, tmp_path: Path) -> None:
    MADE[name](tmp_path)
    changed = 0
    for path in sorted(path for path in tmp_path.rglob("*") if path.suffix in (".csv", ".json", ".jsonl")):
        text = path.read_text(encoding="utf-8")
        if old in text and not changed:
            path.write_text(text.replace(old, new, 1), encoding="utf-8")
            changed += 1
    assert changed == 1

    with pytest.raises(ForesaidError) as caught:
        sources.find(name)(tmp_path)
    assert expected in str(caught.value)


def test_a_pass_rate_that_its_counts_deny_is_refused(tmp_path: Path) -> None:
    tiny_pass_at_k(tmp_path)
    path = tmp_path / pass_at_k.ORIGINAL
    pl.read_parquet(path).with_columns(pl.lit(0.2).alias("Score")).write_parquet(path)

    with pytest.raises(RecordError, match=r"found 0\.2, expected 0\.1 from 1 of 10 samples at k = 1"):
        sources.find("pass-at-k")(tmp_path)


def test_a_cut_parquet_file_is_one_line(tmp_path: Path) -> None:
    tiny_gemstones(tmp_path)
    path = tmp_path / "benchmarks/light_eval_df.parquet"
    for size in (0, 4, 100, 500):
        path.write_bytes(path.read_bytes()[:size])
        with pytest.raises(ForesaidError) as caught:
            sources.find("gemstones")(tmp_path)
        assert "light_eval_df.parquet: found" in str(caught.value)
        assert "\n" not in str(caught.value)


@given(st.data())
@settings(max_examples=200)
def test_a_mutated_file_is_read_or_refused_but_never_breaks_a_reader(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(NAMES))
    with tempfile.TemporaryDirectory() as home:
        MADE[name](Path(home))
        path = data.draw(st.sampled_from(sorted(path for path in Path(home).rglob("*") if path.is_file())))
        raw = path.read_bytes()
        at, cut = data.draw(st.integers(0, len(raw))), data.draw(st.integers(0, 9))
        spoilt = [b"NaN", b"null", b"[]", b"{}", b'"x"', b"1e999", b"-1", b"9" * 5000, b"[" * 3000, b"\xff", b",", b"\n"]
        path.write_bytes(raw[:at] + data.draw(st.binary(max_size=5) | st.sampled_from(spoilt)) + raw[at + cut :])
        with contextlib.suppress(ForesaidError):
            sources.find(name)(Path(home))
