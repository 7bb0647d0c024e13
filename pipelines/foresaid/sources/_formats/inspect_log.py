"""Logs of Inspect (https://inspect.aisi.org.uk/eval-logs.html) written as JSON: one task and one model a file.

A log is taken where its status is success. The value of every metric of every scorer is one result; `stderr` of the same scorer is
its standard error where there is one metric it can belong to (accuracy or mean). Whatever makes another measurement is a setting:
effort and thinking budget, temperature, arguments of the task, a system message, tools or an agent among the solvers, epochs and
how they were reduced, a limit of samples, the version of the task (the first, 0, is not named).
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from foresaid.errors import BadCell
from foresaid.sources._formats.lm_eval import FIRST_VERSIONS
from foresaid.sources._formats.results import ReportedResult, Results, number, pointer, shown, word

NAME = "inspect"
SPREADS = ("stderr", "std", "var", "bootstrap_stderr", "bootstrap_std")
AVERAGES = ("accuracy", "mean")
GENERATION = ("reasoning_effort", "reasoning_tokens", "effort", "temperature", "top_p", "top_k", "max_tokens", "num_choices")
KEYS = {"reasoning_effort": "effort", "reasoning_tokens": "budget"}
PLAIN = ("generate", "multiple_choice", "chain_of_thought", "prompt_template", "user_message", "assistant_message")


def detect(tree: Any) -> bool:
    """Whether a JSON document means to be such a log."""
    return isinstance(tree, dict) and isinstance(tree.get("eval"), dict) and "status" in tree and "task" in tree["eval"]


def from_tree(tree: Any, file: str) -> Results:
    """Read one log that is parsed (`results.parse`): all its values, and a problem for each that is refused."""
    if not detect(tree):
        return Results([], [BadCell(file, None, "/eval", shown(tree), "eval with a task and a model, and a status")])
    if tree["status"] != "success":
        return Results(
            [], [BadCell(file, None, "/status", shown(tree["status"]), "success", "finish the evaluation: `inspect eval-retry`")]
        )
    told, results = tree["eval"], tree.get("results")
    model, task = told.get("model"), told.get("task")
    if not isinstance(model, str) or not isinstance(task, str) or not model or not task:
        return Results([], [BadCell(file, None, "/eval/model", shown(model), "the names of a model and a task")])
    scores = results.get("scores") if isinstance(results, dict) else None
    if not isinstance(scores, list):
        return Results([], [BadCell(file, None, "/results/scores", shown(scores), "a list with one entry a scorer")])
    setting, count = _setting(tree)
    version = str(told.get("task_version") or "")
    items: list[ReportedResult] = []
    problems: list[BadCell] = []
    for place, part in enumerate(scores):
        metrics = part.get("metrics") if isinstance(part, dict) else None
        if not isinstance(metrics, dict):
            problems.append(BadCell(file, None, pointer("results", "scores", place), shown(part), "a scorer with metrics"))
            continue
        reducer = str(part.get("reducer") or "")
        rest = ";".join(filter(None, [setting, f"reducer={word(reducer)}" if reducer not in ("", "mean") else ""]))
        values = {key: _metric(one) for key, one in metrics.items()}
        averages = [key for key in values if key.split("[")[0] in AVERAGES]
        for key, value in values.items():
            where = pointer("results", "scores", place, "metrics", key, "value")
            if key.split("[")[0] in SPREADS:
                continue
            if value is None:
                problems.append(BadCell(file, None, where, shown(metrics[key]), "a finite number"))
                continue
            stderr = values.get("stderr") if averages == [key] else None
            names = _names(task, key, str(part.get("name") or part.get("scorer") or ""), version, rest)
            items.append(ReportedResult(model, names, value, stderr, count, None, None, None, where, group=task, metric=key))
    return Results(items, problems)


def _metric(one: Any) -> float | None:
    return number(one.get("value")) if isinstance(one, dict) else number(one)


def _names(task: str, metric: str, scorer: str, version: str, setting: str) -> list[tuple[str, str]]:
    """Spellings of the quantity, the most exact first: with scorer and version, without the package, the bare task and metric."""
    tasks = dict.fromkeys([task, task.rsplit("/", 1)[-1]])
    spelt = [f"inspect: {one} {metric} [{scorer}]" for one in tasks] + [f"inspect: {one} {metric}" for one in tasks]
    if version in FIRST_VERSIONS:
        return [(name, setting) for name in spelt]
    said = ";".join(filter(None, [setting, f"version={word(version)}"]))
    return [(f"{name} v{version}", setting) for name in spelt] + [(name, said) for name in spelt]


def _setting(tree: dict[str, Any]) -> tuple[str, int | None]:
    """What makes this another measurement than the plain one, and the number of samples answered."""
    told, results = tree["eval"], tree["results"]
    plan = tree.get("plan") if isinstance(tree.get("plan"), dict) else {}
    generation: dict[str, Any] = {}
    for config in (told.get("model_generate_config"), plan.get("config")):  # type: ignore[union-attr]
        generation |= {key: value for key, value in config.items() if value is not None} if isinstance(config, dict) else {}
    parts = [f"{KEYS.get(key, key)}={word(generation[key])}" for key in GENERATION if key in generation]
    if generation.get("system_message"):
        parts.append(f"system_instruction={_digest(generation['system_message'])}")
    for key in ("task_args", "model_args"):
        if isinstance(told.get(key), dict) and told[key]:
            parts.append(f"{key}={_digest(told[key])}")
    steps = plan.get("steps")  # type: ignore[union-attr]
    for step in steps if isinstance(steps, list) else []:
        solver = str(step.get("solver") or "") if isinstance(step, dict) else ""
        if solver and solver.rsplit("/", 1)[-1] not in PLAIN:
            parts.append(f"agent={word(solver)}" + (f"-{_digest(step['params'])}" if step.get("params") else ""))
    config = told.get("config") if isinstance(told.get("config"), dict) else {}
    epochs = number(config.get("epochs"))
    if epochs is not None and epochs > 1:
        parts.append(f"epochs={epochs:g}")
    if config.get("message_limit") is not None or config.get("token_limit") is not None:
        parts.append(f"limits={word(config.get('message_limit'))}-{word(config.get('token_limit'))}")
    total, done = (number(results.get(key)) for key in ("total_samples", "completed_samples"))
    dataset = told.get("dataset") if isinstance(told.get("dataset"), dict) else {}
    whole = number(dataset.get("samples"))
    per = max(int(epochs or 1), 1)
    answered = None if done is None else int(done) // per
    if config.get("limit") is not None or (answered is not None and whole is not None and answered < whole):
        parts.append(f"limit={word(config.get('limit') if config.get('limit') is not None else answered)}")
    elif done is not None and total is not None and done < total:
        parts.append(f"limit={int(done)}")
    return ";".join(parts), answered if answered else None


def _digest(given: Any) -> str:
    """Text or arguments by the first digits of the SHA-256 of their canonical JSON."""
    return hashlib.sha256(json.dumps(given, sort_keys=True, default=str).encode("utf-8", "replace")).hexdigest()[:12]
