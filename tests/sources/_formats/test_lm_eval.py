"""Result files of the LM Evaluation Harness: both layouts, groups, shots, limits and each refused value with its pointer."""

from __future__ import annotations

import copy
import os
from pathlib import Path
from typing import Any

import pytest

from foresaid.sources._formats.lm_eval import detect, from_tree
from foresaid.sources._formats.results import parse

# The layout of version 0.4: metric,filter; groups twice; the end of a file as the harness writes it.
NEW: dict[str, Any] = {
    "results": {
        "mmlu": {"acc,none": 0.25, "acc_stderr,none": 0.01, "alias": "mmlu"},
        "mmlu_anatomy": {"acc,none": 0.3, "acc_stderr,none": 0.04, "alias": " - anatomy"},
        "gsm8k": {"exact_match,strict-match": 0.5, "exact_match_stderr,strict-match": "N/A", "exact_match,flexible-extract": 0.6},
    },
    "groups": {"mmlu": {"acc,none": 0.25, "acc_stderr,none": 0.01, "alias": "mmlu"}},
    "configs": {"gsm8k": {"task": "gsm8k", "num_fewshot": 5}},
    "versions": {"mmlu": 2, "gsm8k": 3.0},
    "n-shot": {"mmlu": 0, "mmlu_anatomy": 0},
    "n-samples": {"gsm8k": {"original": 1319, "effective": 1319}},
    "higher_is_better": {"mmlu": {"acc": True}, "gsm8k": {"exact_match": True}},
    "config": {"model": "hf", "model_args": "pretrained=EleutherAI/pythia-70m-deduped,dtype=bfloat16", "limit": None},
    "model_name": "EleutherAI/pythia-70m-deduped",
    "date": 1763683200.0,
}
# The layout before: plain names.
OLD: dict[str, Any] = {
    "results": {"piqa": {"acc": 0.59, "acc_stderr": 0.011, "acc_norm": 0.6, "acc_norm_stderr": 0.011}},
    "versions": {"piqa": 0},
    "config": {"model": "hf-causal", "model_args": "pretrained=org/model,revision=step3000", "num_fewshot": 5, "limit": None},
}


def changed(tree: dict[str, Any], *path: str, value: object) -> dict[str, Any]:
    fresh = copy.deepcopy(tree)
    node = fresh
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    return fresh


def test_the_new_layout_gives_every_metric_once_with_its_shots() -> None:
    found = from_tree(NEW, "x.json")

    expected = [
        ("lm-eval: mmlu acc 0-shot v2", 0.25, 0.01, None),
        ("lm-eval: mmlu_anatomy acc 0-shot", 0.3, 0.04, None),
        ("lm-eval: gsm8k exact_match [strict-match] 5-shot v3", 0.5, None, 1319),
        ("lm-eval: gsm8k exact_match [flexible-extract] 5-shot v3", 0.6, None, 1319),
    ]
    assert found.problems == []
    assert expected == [(item.names[0][0], item.value, item.stderr, item.n) for item in found.items]
    assert {item.model for item in found.items} == {"EleutherAI/pythia-70m-deduped"}
    assert found.items[0].names[1:] == [
        ("lm-eval: mmlu acc v2", "shots=0"),
        ("lm-eval: mmlu acc 0-shot", "version=2"),
        ("lm-eval: mmlu acc", "shots=0;version=2"),
    ]
    assert found.items[2].pointer == "/results/gsm8k/exact_match,strict-match"


def test_the_old_layout_is_read_and_a_revision_makes_another_model() -> None:
    found = from_tree(OLD, "x.json")

    assert [(item.names[0][0], item.value, item.stderr) for item in found.items] == [
        ("lm-eval: piqa acc 5-shot", 0.59, 0.011),
        ("lm-eval: piqa acc_norm 5-shot", 0.6, 0.011),
    ]
    assert {item.model for item in found.items} == {"org/model@step3000"}


def test_a_group_that_stands_in_groups_alone_is_taken() -> None:
    tree = changed(NEW, "groups", "bbh", value={"exact_match,get-answer": 0.4})

    assert [item.pointer for item in from_tree(tree, "x.json").items if item.group == "bbh"] == [
        "/groups/bbh/exact_match,get-answer"
    ]


def test_a_group_that_says_two_things_is_refused() -> None:
    found = from_tree(changed(NEW, "groups", "mmlu", "acc,none", value=0.26), "x.json")

    assert [(problem.column, problem.found) for problem in found.problems] == [("/groups/mmlu/acc,none", "0.26")]


def test_a_run_cut_short_is_never_the_whole_benchmark() -> None:
    tree = changed(NEW, "n-samples", "gsm8k", value={"original": 1319, "effective": 100})

    assert {item.names[0][1] for item in from_tree(tree, "x.json").items if item.group == "gsm8k"} == {"limit=100"}


def test_precision_is_a_setting_and_not_another_model() -> None:
    tree = changed(NEW, "config", "model_args", value="pretrained=org/model,load_in_4bit=True")
    found = from_tree(tree, "x.json")

    assert {(item.model, item.names[0][1]) for item in found.items} == {("org/model", "load_in_4bit=true")}


REFUSED = [
    (changed(NEW, "results", "mmlu", "acc,none", value=float("nan")), "/results/mmlu/acc,none"),
    (changed(NEW, "results", "mmlu", "acc,none", value="high"), "/results/mmlu/acc,none"),
    (changed(NEW, "results", "mmlu_anatomy", "acc_stderr,none", value=float("inf")), "/results/mmlu_anatomy/acc_stderr,none"),
    (changed(NEW, "results", "mmlu_anatomy", value=[]), "/results/mmlu_anatomy"),
    (changed(NEW, "groups", value=[]), "/groups"),
    (changed(OLD, "config", value={}), "/config/model_args"),
]


@pytest.mark.parametrize(("tree", "pointer"), REFUSED)
def test_a_refused_value_is_named_with_file_and_pointer(tree: dict[str, Any], pointer: str) -> None:
    problems = from_tree(tree, "runs/x.json").problems

    assert pointer in [problem.column for problem in problems]
    assert {problem.file for problem in problems} == {"runs/x.json"}


def test_every_accuracy_of_the_real_files_of_pythia_is_read_with_its_error() -> None:
    mirror = os.environ.get("FORESAID_MIRROR")
    if not mirror:
        pytest.skip("needs the upstream files: FORESAID_MIRROR names no folder")
    files = sorted(Path(mirror, "EleutherAI+pythia").rglob("*.json"))
    assert files
    for path in files:
        tree, problem = parse(path.read_bytes(), path.name)
        assert problem is None
        expected = {
            (task, metric): (value, row.get(f"{metric}_stderr"))
            for task, row in tree["results"].items()
            for metric, value in row.items()
            if not metric.endswith("_stderr")
        }
        found = from_tree(tree, path.name)

        assert detect(tree)
        assert found.problems == []
        assert list(expected.values()) == [(item.value, item.stderr) for item in found.items]


@pytest.mark.parametrize(
    ("path", "value", "setting"),
    [
        (("chat_template",), "{{ messages }}", "chat_template=SHA"),
        (("fewshot_as_multiturn",), True, "multiturn=true"),
        (("system_instruction",), "Be brief.", "system_instruction=SHA"),
        (("config", "gen_kwargs"), {"temperature": 0.7, "do_sample": True}, "generation=do_sample_true_temperature_0.7"),
        (("config", "model_args"), "pretrained=org/m,gguf_file=m.Q2_K.gguf", "gguf_file=m.q2_k.gguf"),
        (("config", "model_args"), "pretrained=org/m,subfolder=small", "subfolder=small"),
        (("config", "model_args"), "pretrained=org/m,enable_thinking=True", "enable_thinking=true"),
        (("versions", "piqa"), 2, "version=2"),
    ],
)
def test_whatever_makes_another_measurement_is_a_setting(path: tuple[str, ...], value: object, setting: str) -> None:
    plain = {item.names[-1] for item in from_tree(OLD, "x.json").items}
    found = {item.names[-1] for item in from_tree(changed(OLD, *path, value=value), "x.json").items}

    key, _, told = setting.partition("=")
    parts = [dict(part.split("=", 1) for part in how.split(";")) for _, how in found]
    assert {part[key] for part in parts} == {told} or (told == "SHA" and all(len(part[key]) == 12 for part in parts))
    assert plain.isdisjoint(found)
