"""Files of the first Open LLM Leaderboard, in the layout of its results repository: values, settings and refusals."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from foresaid.sources._formats import lm_eval
from foresaid.sources._formats import open_llm_leaderboard as v1

FILE: dict[str, Any] = {
    "config_general": {
        "lighteval_sha": "?",
        "num_few_shot_default": 0,
        "num_fewshot_seeds": 1,
        "override_batch_size": 1,
        "max_samples": None,
        "job_id": "",
        "model_name": "acme/tiny-7b",
        "model_sha": "0123456789abcdef",
        "model_dtype": "torch.float16",
        "model_size": "13 GB",
    },
    "results": {
        "harness|arc:challenge|25": {"acc": 0.4957, "acc_stderr": 0.0146, "acc_norm": 0.5307, "acc_norm_stderr": 0.0145},
        "harness|gsm8k|5": {"acc": 0.1357, "acc_stderr": 0.0094},
        "harness|truthfulqa:mc|0": {"mc1": 0.2521, "mc1_stderr": 0.0152, "mc2": 0.3876, "mc2_stderr": 0.0136},
        "all": {"acc": 0.3, "acc_stderr": 0.01},
    },
    "versions": {"all": 0, "harness|arc:challenge|25": 0, "harness|gsm8k|5": 0, "harness|truthfulqa:mc|0": 1},
    "config_tasks": {"harness|gsm8k|5": "LM Harness task"},
}


def changed(**general: object) -> dict[str, Any]:
    tree = copy.deepcopy(FILE)
    tree["config_general"] |= general
    return tree


def test_every_metric_of_every_task_is_a_result_with_its_error() -> None:
    found = v1.from_tree(FILE, "r.json")

    assert found.problems == []
    assert found.skipped == {v1.AVERAGES: 1}
    assert {(item.names[0][0], item.value, item.stderr) for item in found.items} == {
        ("open-llm-leaderboard: arc:challenge acc 25-shot", 0.4957, 0.0146),
        ("open-llm-leaderboard: arc:challenge acc_norm 25-shot", 0.5307, 0.0145),
        ("open-llm-leaderboard: gsm8k acc 5-shot", 0.1357, 0.0094),
        ("open-llm-leaderboard: truthfulqa:mc mc1 0-shot", 0.2521, 0.0152),
        ("open-llm-leaderboard: truthfulqa:mc mc2 0-shot", 0.3876, 0.0136),
    }
    assert {item.model for item in found.items} == {"acme/tiny-7b"}
    assert {item.note for item in found.items} == {"commit 0123456789ab"}
    assert found.items[0].names[1] == ("open-llm-leaderboard: arc:challenge acc", "shots=25")


def test_only_this_reader_takes_such_a_file() -> None:
    assert (v1.detect(FILE), lm_eval.detect(FILE)) == (True, False)
    assert not v1.detect({"results": {"mmlu": {"acc,none": 0.5}}, "config": {}})


def test_mmlu_is_the_mean_of_all_57_subjects_and_of_no_fewer() -> None:
    tree = copy.deepcopy(FILE)
    tree["results"] = {f"harness|hendrycksTest-{number}|5": {"acc": number / 100, "acc_stderr": 0.05} for number in range(57)}
    mean = [item for item in v1.from_tree(tree, "r.json").items if "mmlu" in item.names[0][0]]

    assert len(mean) == 1
    assert mean[0].value == pytest.approx(0.28, rel=1e-12)  # the mean of 0 to 56, over 100
    assert mean[0].stderr is None
    del tree["results"]["harness|hendrycksTest-3|5"]
    assert not [item for item in v1.from_tree(tree, "r.json").items if "mmlu" in item.names[0][0]]


def test_a_quantised_model_and_a_part_of_the_samples_are_settings() -> None:
    assert v1.from_tree(changed(model_dtype="GPTQ"), "r").items[0].names[0][1] == "precision=gptq"
    assert v1.from_tree(changed(max_samples="10"), "r").items[0].names[0][1] == "limit=10"
    tree = copy.deepcopy(FILE)
    tree["versions"]["harness|gsm8k|5"] = 2
    assert any(item.names[0][0].endswith("gsm8k acc 5-shot v2") for item in v1.from_tree(tree, "r").items)


def test_a_file_without_a_model_and_a_value_that_is_no_number_are_refused_by_their_place() -> None:
    assert v1.from_tree(changed(model_name=""), "r").problems[0].column == "/config_general/model_name"
    tree = copy.deepcopy(FILE)
    tree["results"]["harness|gsm8k|5"]["acc"] = "0.1"
    tree["results"]["gsm8k"] = {"acc": 0.1}
    assert [problem.column for problem in v1.from_tree(tree, "r").problems] == ["/results/harness|gsm8k|5/acc", "/results/gsm8k"]
