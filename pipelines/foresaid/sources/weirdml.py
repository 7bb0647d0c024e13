"""WeirdML: machine-learning tasks solved by writing code, 17 tasks, with costs (Håvard Tveit Ihle, MIT).

Traps:
- Effort and thinking stand in the display name; the slug is shared by variants. The display name is what is resolved, its
  parenthesis is the setting.
- Two to nine runs a task: the standard error of the mean is kept, of a task from the scatter of its runs.
- Chance levels are not given; none is stated here.
- The other files (estimates of human hours, calibration) hold no scores of models and are not read.
"""

from __future__ import annotations

import re
from pathlib import Path
from statistics import stdev

from foresaid.errors import Problem, RecordError
from foresaid.sources._reading import Reading, Score
from foresaid.sources._settings import setting
from foresaid.sources._upstream import branch, document, items, pick, real

PATH = "data/weirdml_results.json"
VARIANT = re.compile(r" \((?P<value>[^()]+)\)$")


def read(folder: Path) -> Reading:
    """Read the results of one vintage."""
    tree, file = document(folder, PATH)
    tasks = items(tree, file, "tasks")
    models = branch(tree, file, "models")
    scores: list[Score] = []
    for name in models:
        scores += _model(tree, file, name, tasks)
    return Reading(scores, [], {}, {PATH: len(models)})


def _model(tree: object, file: str, key: str, tasks: list[object]) -> list[Score]:
    display = pick(tree, file, "models", key, "display_name")
    if not isinstance(display, str) or not display.strip():
        raise RecordError.collect([Problem(file, None, f"models.{key}.display_name", repr(display)[:60], "a name")])
    match = VARIANT.search(display)
    model = display[: match.start()] if match else display
    how = setting(effort=match["value"] if match else "")
    at = ("models", key)
    accuracy = real(tree, file, *at, "aggregate_scores", "avg_acc")
    error = real(tree, file, *at, "aggregate_scores", "avg_acc_standard_error")
    scores = [
        Score(model, "weirdml_accuracy", how, accuracy, stderr=error, file=file),
        Score(model, "weirdml_cost_per_run", how, real(tree, file, *at, "cost_per_run_usd"), file=file),
        Score(model, "weirdml_output_tokens", how, real(tree, file, *at, "mean_total_output_tokens"), file=file),
    ]
    found = branch(tree, file, *at, "tasks")
    if sorted(found) != sorted(map(str, tasks)):
        problem = Problem(file, None, f"models.{key}.tasks", f"{len(found)} tasks", f"the {len(tasks)} tasks of the benchmark")
        raise RecordError.collect([problem])
    for task in map(str, tasks):
        runs = [real(run, file, "score") for run in items(tree, file, *at, "tasks", task, "runs")]
        mean = real(tree, file, *at, "tasks", task, "mean_accuracy")
        error_of_mean = stdev(runs) / len(runs) ** 0.5 if len(runs) > 1 else None
        scores.append(Score(model, f"weirdml_{task}", how, mean, stderr=error_of_mean, n=len(runs) or None, file=file))
    return scores
