"""METR's time horizons: the length of task an agent completes half (or four fifths) of the time.

The repository has no licence file: figures are read on demand and never embedded. Traps:
- Versions 1.0 and 1.1 use different tasks, so one model has two horizons: they are different quantities.
- `doubling_time_in_days` stands beside the results and is no model.
- Version 1.1 was revised by METR on or before 2026-03-03: this vintage is the one of January 2026.
- The scaffold is part of an agent's name: `_inspect` is a setting, and so is `_elicited`.
Horizons are minutes and best looked at on a log scale.
"""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from foresaid.errors import RecordError
from foresaid.sources._reading import Reading, Score
from foresaid.sources._settings import setting
from foresaid.sources._upstream import branch, pick, real, text

VERSIONS = {"METR-Horizon-v1": "metr_horizon_v1_0", "METR-Horizon-v1.1": "metr_horizon_v1_1"}
FILES = ("benchmark_results_1_0.yaml", "benchmark_results_1_1.yaml")
MEASURES = {"p50_horizon_length": "50", "p80_horizon_length": "80"}
UNSIZED = {"gpt2": "gpt-2-size-not-stated"}  # GPT-2 came in four sizes
AGENT = re.compile(r"_(inspect|elicited)$")


def read(folder: Path) -> Reading:
    """Read both versions of one vintage."""
    scores: list[Score] = []
    rows: dict[str, int] = {}
    for path in FILES:
        content, file = text(folder, path)
        try:
            tree = yaml.safe_load(content)
        except (yaml.YAMLError, ValueError) as error:
            raise RecordError(f"{file}: found {str(error).splitlines()[0][:80]}, expected YAML; it may be cut short") from None
        name = pick(tree, file, "benchmark_name")
        if name not in VERSIONS:
            raise RecordError(f"{file}: found benchmark_name {name!r:.60}, expected one of {', '.join(VERSIONS)}")
        agents = branch(tree, file, "results")
        rows[path] = len(agents)
        for agent in agents:
            scores += _agent(tree, file, agent, VERSIONS[name])
    return Reading(scores, [], {}, rows)


def _agent(tree: object, file: str, agent: str, prefix: str) -> list[Score]:
    match = AGENT.search(agent)
    model = agent[: match.start()] if match else agent
    model = UNSIZED.get(model, model)
    how = setting(**({"agent" if match[1] == "inspect" else "prompt": match[1]} if match else {}))
    scores = []
    for measure, share in MEASURES.items():
        at = ("results", agent, "metrics", measure)
        low, high = real(tree, file, *at, "ci_low"), real(tree, file, *at, "ci_high")
        note = f"95 % interval {low:g} to {high:g} minutes"
        scores.append(Score(model, f"{prefix}_{share}", how, real(tree, file, *at, "estimate"), note=note, file=file))
    value = real(tree, file, "results", agent, "metrics", "average_score", "estimate")
    return [*scores, Score(model, f"{prefix}_average_score", how, value, file=file)]
