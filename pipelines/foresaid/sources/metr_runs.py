"""METR's runs of February 2025: how often an agent solved the tasks of an early suite, before time horizon 1.0.

The repository grants no licence: read on demand. Traps:
- An early version of the suite: quantities of their own beside horizons 1.0 and 1.1. A horizon is a fit, not a measurement, so
  none is made here.
- `human` are baseliners, not a model. `started_at` is 0 for them and no day.
- Runs that ended at the limits of use count as failures, as METR counts them.
- Equal runs of one task are not independent: the number of task families stands in the note, and no standard error is given.
- `score_binarized` holds a threshold of the task; the weights within an agent add up to one, which is checked.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

from foresaid.errors import Problem, RecordError
from foresaid.sources._reading import Reading, Score
from foresaid.sources._settings import setting
from foresaid.sources._upstream import branch, lines, real

PATH = "data/external/all_runs.jsonl"
WEIGHTS = {"invsqrt_task_weight": "metr_runs_2025_02_success", "equal_task_weight": "metr_runs_2025_02_success_equal_tasks"}
HUMAN = "a run of a human baseliner"
AGENT = re.compile(r" \((?P<value>elicited|retry 8x)\)$")
ROUNDING = 1e-4  # weights are printed to ten digits


def read(folder: Path) -> Reading:
    """Read all runs and average them by agent."""
    found = lines(folder, PATH)
    agents: dict[str, list[dict[str, Any]]] = defaultdict(list)
    skipped = {HUMAN: 0}
    file = f"{folder.name}/{PATH}"
    for content, _, row in found:
        run = _run(content, file, row)
        if run["alias"] == "human":
            skipped[HUMAN] += 1
        else:
            agents[str(run["alias"])].append(run)
    scores = [score for name, runs in agents.items() for score in _agent(name, runs, file)]
    return Reading(scores, [], skipped, {PATH: len(found)})


def _run(content: str, file: str, row: int) -> dict[str, Any]:
    try:
        run = branch(json.loads(content), f"{file}, row {row}")
    except json.JSONDecodeError as error:
        raise RecordError.collect([Problem(file, row, "-", error.msg, "a JSON object a line", "it may be cut short")]) from None
    for key in ("alias", "task_id", "task_family"):
        if not isinstance(run.get(key), str) or not run[key].strip():
            raise RecordError.collect([Problem(file, row, key, repr(run.get(key))[:40], "some text")])
    if run.get("score_binarized") not in (0, 1):
        raise RecordError.collect([Problem(file, row, "score_binarized", repr(run.get("score_binarized"))[:40], "0 or 1")])
    return run


def _agent(name: str, runs: list[dict[str, Any]], file: str) -> list[Score]:
    match = AGENT.search(name)
    model = name[: match.start()] if match else name
    how = setting(prompt=match["value"]) if match else ""
    tasks, families = len({run["task_id"] for run in runs}), len({run["task_family"] for run in runs})
    note = f"{tasks} tasks of {families} families"
    scores = []
    for weight, quantity in WEIGHTS.items():
        weights = [real(run, file, weight) for run in runs]
        if abs(sum(weights) - 1) > ROUNDING:
            raise RecordError.collect(
                [Problem(file, None, weight, f"a sum of {sum(weights):.6f} for {name}", "weights that add up to 1")]
            )
        value = sum(w * run["score_binarized"] for w, run in zip(weights, runs, strict=True)) / sum(weights)
        scores.append(Score(model, quantity, how, round(value, 9), n=len(runs), note=note, file=file))
    return scores
