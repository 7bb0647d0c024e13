"""Run folders of HELM in the layout its documentation gives: statistics, the run they belong to, and refusals."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from foresaid.registry.update import import_results
from foresaid.sources._formats import helm
from foresaid.sources._formats.results import Results

SPEC: dict[str, Any] = {
    "name": "mmlu:subject=anatomy,method=multiple_choice_joint,model=acme_tiny-7b",
    "scenario_spec": {"class_name": "helm.benchmark.scenarios.mmlu_scenario.MMLUScenario", "args": {"subject": "anatomy"}},
    "adapter_spec": {
        "method": "multiple_choice_joint",
        "max_train_instances": 5,
        "max_eval_instances": 1000,
        "num_outputs": 1,
        "num_train_trials": 1,
        "sample_train": True,
        "model": "acme/tiny-7b",
        "model_deployment": "acme/tiny-7b",
        "temperature": 0.0,
    },
    "groups": ["mmlu", "mmlu_anatomy"],
}


def stat(name: str, mean: object, **more: object) -> dict[str, Any]:
    return {"name": {"name": name, "split": "test", **more}, "count": 1, "sum": mean, "min": mean, "max": mean, "mean": mean}


STATS = [
    stat("exact_match", 0.5037),
    stat("quasi_exact_match", 0.5111),
    stat("exact_match", 0.48, perturbation={"name": "robustness", "robustness": True}),
    stat("exact_match", 0.6, split="valid"),
    stat("num_instances", 135.0),
    stat("num_prompt_tokens", 512.0),
    stat("inference_runtime", 0.4),
]


def run(stats: object = None, **adapter: object) -> Results:
    spec = copy.deepcopy(SPEC)
    spec["adapter_spec"] |= adapter
    return helm.from_tree({helm.STATS: STATS if stats is None else stats, helm.SPEC: spec}, "stats.json")


def test_scores_of_the_test_come_in_and_all_else_is_counted() -> None:
    found = run()

    assert found.problems == []
    assert [(item.model, item.value, item.n) for item in found.items] == [
        ("acme/tiny-7b", 0.5037, 135),
        ("acme/tiny-7b", 0.5111, 135),
    ]
    assert found.items[0].names == [
        ("helm: mmlu:subject=anatomy,method=multiple_choice_joint exact_match 5-shot", ""),
        ("helm: mmlu:subject=anatomy,method=multiple_choice_joint exact_match", "shots=5"),
    ]
    assert found.skipped == {helm.PERTURBED: 1, helm.SPLITS: 1, helm.OTHER: 3}


def test_another_way_of_asking_is_a_setting() -> None:
    assert run(num_outputs=5, temperature=0.7).items[0].names[0][1] == "num_outputs=5;temperature=0.7"
    assert run(max_eval_instances=100).items[0].names[0][1] == "limit=100"
    assert run(num_train_trials=3).items[0].names[0][1] == "num_train_trials=3"


def test_a_run_without_a_model_or_with_a_value_that_is_no_number_is_refused() -> None:
    assert run(model=None).problems[0].column == "/adapter_spec/model"
    assert run([stat("exact_match", None)]).problems[0].column == "/0/mean"


def test_the_two_files_of_a_run_are_read_together_and_one_alone_is_refused(tmp_path: Path) -> None:
    stats = tmp_path / helm.STATS
    stats.write_text(json.dumps(STATS))
    assert "no run_spec.json beside it" in str(import_results.read_files([stats])[0].results.problems[0])
    (tmp_path / helm.SPEC).write_text(json.dumps(SPEC))
    for given in ([stats], [stats, tmp_path / helm.SPEC]):
        found = import_results.read_files(given)
        assert [(Path(one.file).name, len(one.results.items), len(one.results.problems)) for one in found] == [
            (helm.STATS, 2, 0),
            (helm.SPEC, 0, 0),
        ]


def test_an_archive_of_inspect_is_named_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "log.eval"
    path.write_bytes(b"PK\x03\x04rest")

    assert "inspect log convert --to json" in str(import_results.read_files([path])[0].results.problems[0])
