"""Every Eval Ever records: both schema versions, every scale, and each refused value with its pointer."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from foresaid.sources._formats.every_eval_ever import UNKNOWN_LEVEL, from_tree, scaled
from foresaid.sources._formats.results import ReportedResult, parse

OLD = "evaleval+every_eval_ever@2026-02-12"
NEW = "evaleval+every_eval_ever/every_eval_ever/schemas/eval.schema.json"
RECORD: dict[str, Any] = {
    "schema_version": "0.2.0",
    "evaluation_id": "my-board/org_model/1770834614",
    "retrieved_timestamp": "1770834614",
    "source_metadata": {
        "source_name": "My Board",
        "source_type": "evaluation_run",
        "source_organization_name": "us",
        "evaluator_relationship": "third_party",
    },
    "model_info": {"name": "Model", "id": "org/model"},
    "evaluation_results": [
        {
            "evaluation_name": "MMLU",
            "source_data": {"dataset_name": "MMLU", "source_type": "url", "url": ["https://example.org"]},
            "metric_config": {"lower_is_better": False, "score_type": "continuous", "min_score": 0, "max_score": 100},
            "score_details": {"score": 43.8, "uncertainty": {"standard_error": {"value": 1.2}, "num_samples": 500}},
            "generation_config": {"generation_args": {"temperature": 0.7, "reasoning": True, "max_tokens": 100}},
        }
    ],
}


def changed(*path: str | int, value: object) -> dict[str, Any]:
    """The record with one entry set."""
    tree = copy.deepcopy(RECORD)
    node: Any = tree
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    return tree


def result_of(*path: str | int, value: object) -> dict[str, Any]:
    return changed("evaluation_results", 0, *path, value=value)


def only(tree: dict[str, Any]) -> ReportedResult:
    found = from_tree(tree, "x.json")
    assert found.problems == []
    assert len(found.items) == 1
    return found.items[0]


def test_percent_becomes_a_fraction_by_the_bounds_of_its_own_metric() -> None:
    result = only(RECORD)

    assert (result.model, result.n, result.higher_is_better) == ("org/model", 500, True)
    assert scaled(result, 0.0, 1.0) == (0.438, 0.012)
    assert scaled(result, 0.0, 100.0) == (43.8, 1.2)
    assert list(result.names) == [("My Board: MMLU", "reasoning=true;temperature=0.7")]


def test_a_unit_speaks_where_no_bounds_do() -> None:
    metric = {"lower_is_better": False, "metric_unit": "percent", "metric_name": "accuracy"}
    result = only(result_of("metric_config", value=metric))

    assert scaled(result, 0.0, 1.0) == (0.438, 0.012)
    assert [name for name, _ in result.names] == ["My Board: MMLU (accuracy)", "My Board: MMLU"]


@pytest.mark.parametrize("highest", ["Infinity", None])
def test_an_unbounded_metric_is_taken_as_it_is(highest: str | None) -> None:
    result = only(result_of("metric_config", "max_score", value=highest))

    assert (result.lowest, result.highest) == (0.0, None)
    assert scaled(result, 0.0, 1000.0) == (43.8, 1.2)


def test_a_scale_that_does_not_start_at_zero_is_not_guessed() -> None:
    tree = result_of("metric_config", value={"lower_is_better": False, "min_score": -100, "max_score": 100})

    assert scaled(only(tree), 0.0, 1.0) is None
    assert scaled(only(tree), -100.0, 100.0) == (43.8, 1.2)


INTERVALS = [
    ({"lower": 41.8, "upper": 45.8, "confidence_level": 0.95}, pytest.approx(4 / (2 * 1.959964), rel=1e-6)),
    ({"lower": -3.18, "upper": 3.18, "confidence_level": 0.95}, None),  # an offset, not an interval
    ({"lower": 41.8, "upper": 45.8}, None),  # of no stated level
]


@pytest.mark.parametrize(("interval", "expected"), INTERVALS)
def test_an_interval_gives_an_error_only_with_its_level_and_around_the_score(interval: object, expected: object) -> None:
    tree = result_of("score_details", "uncertainty", value={"confidence_interval": interval})

    assert expected == only(tree).stderr


def test_an_unknown_level_is_left_out_and_counted() -> None:
    metric = {"lower_is_better": False, "score_type": "levels", "level_names": ["no", "yes"], "has_unknown_level": True}
    tree = result_of("metric_config", value=metric)
    tree["evaluation_results"][0]["score_details"]["score"] = -1

    found = from_tree(tree, "x.json")

    assert (found.items, found.problems, found.skipped) == ([], [], {UNKNOWN_LEVEL: 1})


REFUSED = [
    (result_of("score_details", "score", value="0.5"), "/evaluation_results/0/score_details/score"),
    (result_of("score_details", "score", value=True), "/evaluation_results/0/score_details/score"),
    (result_of("score_details", "score", value=float("nan")), "/evaluation_results/0/score_details/score"),
    (result_of("score_details", "score", value=10**400), "/evaluation_results/0/score_details/score"),
    (result_of("score_details", "score", value=-1.0), "leave it out if it stands for missing"),
    (result_of("score_details", "score", value=101), "a score in [0, 100]"),
    (result_of("score_details", "uncertainty", "num_samples", value=10**30), "num_samples"),
    (result_of("score_details", "uncertainty", "standard_error", "value", value=float("inf")), "uncertainty"),
    (result_of("metric_config", value={}), "lower_is_better"),
    (result_of("evaluation_name", value=""), "/evaluation_results/0/evaluation_name"),
    (changed("evaluation_results", value={}), "/evaluation_results"),
    (changed("evaluation_results", 0, value=None), "/evaluation_results/0"),
    (changed("model_info", value={"name": "x"}), "/model_info"),
    (changed("schema_version", value="1.0.0"), "0.2.x or 0.3.x"),
]


@pytest.mark.parametrize(("tree", "expected"), REFUSED)
def test_a_refused_value_is_named_with_file_and_pointer(tree: dict[str, Any], expected: str) -> None:
    found = from_tree(tree, "board/x.json")

    assert found.items == []
    assert len(found.problems) == 1
    assert str(found.problems[0]).startswith("board/x.json")
    assert expected in str(found.problems[0])


# The shipped schemas


def test_every_file_of_the_boards_keeps_the_schema_it_was_shipped_with(mirror: Path) -> None:
    validator = jsonschema.Draft7Validator(json.loads((mirror / OLD / "eval.schema.json").read_text(encoding="utf-8")))
    files = sorted((mirror / OLD).glob("data/*/*/*/*.json"))

    wrong = [path.name for path in files if not validator.is_valid(json.loads(path.read_text(encoding="utf-8")))]

    assert len(files) == 212
    assert wrong == []


def test_every_score_the_schema_lets_through_is_read_but_one_that_leaves_its_own_bounds(mirror: Path) -> None:
    problems = []
    items = 0
    for path in sorted((mirror / OLD).glob("data/*/*/*/*.json")):
        tree, problem = parse(path.read_bytes(), path.name)
        assert problem is None
        found = from_tree(tree, path.name)
        items += len(found.items)
        problems += found.problems

    assert items == 456 + 408 + 910 + 87 - 1
    assert [(problem.found, problem.column) for problem in problems] == [("-1.0", "/evaluation_results/6/score_details/score")]


def test_a_record_of_the_newest_schema_is_read(mirror: Path) -> None:
    schema = json.loads((mirror / NEW).read_text(encoding="utf-8"))
    tree = copy.deepcopy(RECORD)
    tree |= {"schema_version": "0.3.0", "eval_library": {"name": "lm_eval", "version": "0.4.9"}}
    tree["model_info"]["additional_details"] = {"deployment_type": "unknown", "model_availability": "unknown"}
    tree["evaluation_results"][0]["metric_config"] |= {"metric_unit": "percent", "metric_name": "accuracy"}

    assert [error.message for error in jsonschema.Draft7Validator(schema).iter_errors(tree)] == []
    assert scaled(only(tree), 0.0, 1.0) == (0.438, 0.012)


@pytest.mark.parametrize("key", ["metric_id", "metric_name", "evaluation_description"])
def test_two_metrics_of_one_task_are_two_quantities_and_the_bare_name_is_neither(key: str) -> None:
    tree = copy.deepcopy(RECORD)
    first = tree["evaluation_results"][0]
    second = copy.deepcopy(first)
    first["metric_config"][key], second["metric_config"][key] = "acc", "acc_norm"
    tree["evaluation_results"].append(second)

    found = from_tree(tree, "x.json")

    assert found.problems == []
    assert [[name for name, _ in item.names] for item in found.items] == [["My Board: MMLU (acc)"], ["My Board: MMLU (acc_norm)"]]
