"""Inspect logs in the layout its documentation gives: values, what makes another measurement, and refusals."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from foresaid.sources._formats import inspect_log, lm_eval

LOG: dict[str, Any] = {
    "version": 2,
    "status": "success",
    "eval": {
        "eval_id": "x",
        "run_id": "y",
        "created": "2026-11-01T10:00:00+00:00",
        "task": "inspect_evals/gpqa_diamond",
        "task_id": "z",
        "task_version": 0,
        "task_args": {},
        "model": "openai/gpt-9",
        "model_args": {},
        "model_generate_config": {},
        "dataset": {"name": "gpqa", "samples": 198, "shuffled": False},
        "config": {"epochs": 1, "epochs_reducer": ["mean"]},
    },
    "plan": {"name": "plan", "steps": [{"solver": "multiple_choice", "params": {}}], "config": {}},
    "results": {
        "total_samples": 198,
        "completed_samples": 198,
        "scores": [
            {
                "name": "choice",
                "scorer": "choice",
                "params": {},
                "metrics": {
                    "accuracy": {"name": "accuracy", "value": 0.7121, "params": {}},
                    "stderr": {"name": "stderr", "value": 0.0323, "params": {}},
                },
            }
        ],
    },
}


def changed(*path: str, value: object) -> dict[str, Any]:
    tree = copy.deepcopy(LOG)
    node = tree
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    return tree


def test_a_log_gives_its_metric_with_error_and_number_of_samples() -> None:
    found = inspect_log.from_tree(LOG, "log.json")

    assert found.problems == []
    item = found.items[0]
    assert (item.model, item.value, item.stderr, item.n) == ("openai/gpt-9", 0.7121, 0.0323, 198)
    assert item.names[0] == ("inspect: inspect_evals/gpqa_diamond accuracy [choice]", "")
    assert [name for name, _ in item.names][-1] == "inspect: gpqa_diamond accuracy"
    assert not lm_eval.detect(LOG)


@pytest.mark.parametrize(
    ("path", "value", "setting"),
    [
        (("plan", "config"), {"reasoning_effort": "high", "reasoning_tokens": 16000}, "effort=high;budget=16000"),
        (("eval", "model_generate_config"), {"temperature": 0.7, "max_tokens": None}, "temperature=0.7"),
        (("eval", "config", "epochs"), 4, "epochs=4;limit=49"),  # 198 answers are 49 questions, not the 198 of the set
        (("eval", "config", "limit"), 50, "limit=50"),
        (("results", "completed_samples"), 100, "limit=100"),
        (("plan", "steps"), [{"solver": "use_tools"}, {"solver": "inspect_swe/react"}], "agent=use_tools;agent=inspect_swe/react"),
    ],
)
def test_what_makes_another_measurement_is_a_setting(path: tuple[str, ...], value: object, setting: str) -> None:
    assert inspect_log.from_tree(changed(*path, value=value), "l").items[0].names[0][1] == setting


def test_arguments_of_the_task_and_a_system_message_tell_measurements_apart() -> None:
    seen = {
        inspect_log.from_tree(tree, "l").items[0].names[0][1]
        for tree in (
            LOG,
            changed("eval", "task_args", value={"cot": True}),
            changed("eval", "task_args", value={"cot": False}),
            changed("plan", "config", value={"system_message": "Think."}),
            changed("eval", "model_args", value={"cot": True}),
        )
    }

    assert len(seen) == 5


def test_the_version_of_a_task_and_several_scorers_and_metrics_stay_apart() -> None:
    item = inspect_log.from_tree(changed("eval", "task_version", value="2-A"), "l").items[0]
    assert item.names[0][0].endswith("accuracy [choice] v2-A")
    assert item.names[-1] == ("inspect: gpqa_diamond accuracy", "version=2-a")
    scores = [
        {
            "name": "judge",
            "scorer": "judge",
            "reducer": "pass_at_3",
            "metrics": {"mean": {"value": 3.5}, "accuracy": {"value": 0.5}, "stderr": {"value": 0.1}},
        },
        {"name": "choice", "scorer": "choice", "metrics": {"accuracy": {"value": 0.6}}},
    ]
    found = inspect_log.from_tree(changed("results", "scores", value=scores), "l").items

    assert [(one.names[0][0].split(" ", 2)[2], one.value, one.stderr) for one in found] == [
        ("mean [judge]", 3.5, None),  # two metrics: whose error it is nobody says
        ("accuracy [judge]", 0.5, None),
        ("accuracy [choice]", 0.6, None),
    ]
    assert found[0].names[0][1] == "reducer=pass_at_3"


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        (("status",), "cancelled", "/status"),
        (("eval", "model"), None, "/eval/model"),
        (("results",), None, "/results/scores"),
        (("results", "scores"), [1], "/results/scores/0"),
        (
            ("results", "scores"),
            [{"name": "c", "metrics": {"accuracy": {"value": "0.5"}}}],
            "/results/scores/0/metrics/accuracy/value",
        ),
    ],
)
def test_a_log_that_is_not_whole_is_refused_by_its_place(path: tuple[str, ...], value: object, place: str) -> None:
    found = inspect_log.from_tree(changed(*path, value=value), "l")

    assert ([problem.column for problem in found.problems], found.items) == ([place], [])
