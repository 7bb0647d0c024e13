"""Result files of the first Open LLM Leaderboard (2023 to June 2024): results_*.json of its public results repository.

Tasks are spelt "suite|task|shots", each with its metrics and standard errors side by side. What is taken and what is not:
- The model is `model_name` of `config_general` (or, in the first months, of `config`); its commit is a note, for the leaderboard
  pins one for every model. A quantised precision is a setting.
- MMLU stands as 57 subjects. The board's MMLU is their plain mean, made here only where all 57 are there, with no standard error.
- "all" is a mean over everything that happened to be run: left out and counted. So is a run of a few samples, which is a setting.
- A task version after the first is part of the spelling, as in the harness of that time.
"""

from __future__ import annotations

import re
from statistics import fmean
from typing import Any

from foresaid.errors import BadCell
from foresaid.sources._formats.lm_eval import FIRST_VERSIONS
from foresaid.sources._formats.results import ReportedResult, Results, number, pointer, shown, word

NAME = "open-llm-leaderboard"
TASK = re.compile(r"(?P<suite>[\w.-]+)\|(?P<task>[^|]+)\|(?P<shots>\d{1,3})", re.ASCII)
SUBJECT, SUBJECTS = "hendrycksTest-", 57
USUAL = ("", "torch.float16", "torch.bfloat16", "torch.float32", "float16", "bfloat16", "float32", "auto", "none")
AVERAGES = "a mean over whatever was run (all)"


def detect(tree: Any) -> bool:
    """Whether a JSON document means to be such a file."""
    results = tree.get("results") if isinstance(tree, dict) else None
    return isinstance(results, dict) and any(TASK.fullmatch(str(name)) for name in results)


def from_tree(tree: Any, file: str) -> Results:
    """Read one file that is parsed (`results.parse`): all its values, and a problem for each that is refused."""
    if not detect(tree):
        return Results([], [BadCell(file, None, "/results", shown(tree), "tasks spelt suite|task|shots")])
    general: dict[str, Any] = next((tree[key] for key in ("config_general", "config") if isinstance(tree.get(key), dict)), {})
    model = str(general.get("model_name") or "").strip()
    if not model:
        return Results([], [BadCell(file, None, "/config_general/model_name", "nothing", "the name of the model")])
    sha = str(general.get("model_sha") or "")
    note = f"commit {word(sha)[:12]}" if sha and sha != "None" else ""
    setting = _setting(general)
    items: list[ReportedResult] = []
    problems: list[BadCell] = []
    skipped = 0
    for name, metrics in tree["results"].items():
        found = TASK.fullmatch(name)
        if found is None or not isinstance(metrics, dict):
            skipped += name == "all"
            if name != "all":
                problems.append(BadCell(file, None, pointer("results", name), shown(name), "a task spelt suite|task|shots, or all"))
            continue
        versions = tree.get("versions")
        version = str(versions.get(name, "")) if isinstance(versions, dict) else ""
        for metric, value in metrics.items():
            if metric.endswith("_stderr"):
                continue
            place = pointer("results", name, metric)
            score = number(value)
            if score is None:
                problems.append(
                    BadCell(file, None, place, shown(value), "a finite number", "leave the task out if it was not measured")
                )
                continue
            stderr = number(metrics.get(f"{metric}_stderr"))
            names = _names(f"{found['task']} {metric}", int(found["shots"]), version, setting)
            higher = True  # accuracies and F1 alone were on the board
            items.append(
                ReportedResult(model, names, score, stderr, None, None, None, higher, place, group=name, note=note, metric=metric)
            )
    items += _mmlu(items, model, setting, note)
    return Results(items, problems, {AVERAGES: skipped} if skipped else {})


def _names(label: str, shots: int, version: str, setting: str) -> list[tuple[str, str]]:
    spelt = [(f"{NAME}: {label} {shots}-shot", setting), (f"{NAME}: {label}", f"shots={shots};{setting}".rstrip(";"))]
    if version in FIRST_VERSIONS:
        return spelt
    exact = [(f"{name} v{version}", rest) for name, rest in spelt]
    return exact + [(name, f"{rest};version={word(version)}".lstrip(";")) for name, rest in spelt]


def _mmlu(items: list[ReportedResult], model: str, setting: str, note: str) -> list[ReportedResult]:
    """The board's MMLU of each metric and number of examples: the mean of 57 subjects, or nothing."""
    made = []
    groups: dict[tuple[str, str], list[ReportedResult]] = {}
    for item in items:
        found = TASK.fullmatch(item.group)
        if found and found["task"].startswith(SUBJECT):
            groups.setdefault((item.metric, found["shots"]), []).append(item)
    for (metric, shots), parts in groups.items():
        if len(parts) == SUBJECTS:
            said = "; ".join(filter(None, [note, f"mean of {SUBJECTS} subjects"]))
            names = _names(f"mmlu {metric}", int(shots), "", setting)
            value = fmean(part.value for part in parts)
            made.append(ReportedResult(model, names, value, None, None, None, None, True, "/results", note=said, metric=metric))
    return made


def _setting(general: dict[str, Any]) -> str:
    """Precision and number of samples, where they are not the usual ones."""
    dtype, limit = str(general.get("model_dtype") or "").lower(), str(general.get("max_samples") or "")
    parts = [f"precision={word(dtype)}"] if dtype not in USUAL else []
    return ";".join([*parts, *([f"limit={word(limit)}"] if limit.isdigit() and int(limit) > 0 else [])])
