"""Aider's leaderboards of code editing: polyglot (225 exercises), edit (133, Python) and refactoring (89).

Traps:
- The date of a row is the day it was run. The file is known on the day of its commit; the day of the run stands in the note.
- One model has rows for several edit formats, efforts, editors, precisions and hosts: all of that is the setting.
- `quant.yml` and `qwen3_leaderboard.yml` hold the same weights at several precisions and hosts: never other models.
- A total cost of 0.0 means unknown and is left out. Scores are percent; here they are fractions.
- `o1_polyglot_leaderboard.yml` repeats rows of the polyglot table (same run directory): each run counts once.
- A model run again in the same way in a later file keeps its first row; the second run is counted.
- Runs over a part of the exercises, and a run of another benchmark among the edit rows, are suspect.
The headline of a table is the share solved at the second attempt.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from foresaid.errors import Problem, RecordError
from foresaid.sources._reading import Reading, Score
from foresaid.sources._settings import setting
from foresaid.sources._upstream import text

FOLDER = "aider/website/_data"


@dataclass(frozen=True)
class Board:
    """One file: the benchmark it belongs to and how many exercises that has."""

    file: str
    name: str
    cases: int


BOARDS = (
    Board("polyglot_leaderboard.yml", "aider_polyglot", 225),
    Board("o1_polyglot_leaderboard.yml", "aider_polyglot", 225),
    Board("qwen3_leaderboard.yml", "aider_polyglot", 225),
    Board("edit_leaderboard.yml", "aider_edit", 133),
    Board("quant.yml", "aider_edit", 133),
    Board("refactor_leaderboard.yml", "aider_refactor", 89),
)
QUANT_MODEL = "Qwen2.5-Coder-32B-Instruct"
SHARE = 0.9  # a run over less of the exercises is another measurement
AGAIN = "another run of the same model in the same way"
REPEATED, NO_COST = "a run listed before (same run directory)", "cost 0.0 or none: unknown"
FORMATS = re.compile(r" \((diff|whole|udiff)\)$")
EFFORT = re.compile(r" \(((?:no |\d+k |default )?think(?:ing)?(?: tokens)?|high|medium|low|default|Reasoner|Chat)\)$")
PRECISION = re.compile(r"[-:]((?:[qQ]\d\w*|fp16|bf16)(?:-32k)?)$| \((bf16)\)$")
QWEN3 = re.compile(r"(?P<model>Qwen3[- ](?:235B[- ]A22B|32B)),? (?P<format>diff|whole),? ?(?P<rest>.*)$")
HOSTS = re.compile(r"^(ollama|openrouter|openai|gemini)/(?:qwen/|wojtek/)?")


def read(folder: Path) -> Reading:
    """Read the six tables of one commit."""
    scores: list[Score] = []
    skipped: dict[str, int] = defaultdict(int)
    rows: dict[str, int] = {}
    seen: set[tuple[str, str]] = set()
    ways: set[tuple[str, str, str]] = set()
    for board in BOARDS:
        path = f"{FOLDER}/{board.file}"
        entries = _entries(folder, path)
        rows[path] = len(entries)
        for number, entry in enumerate(entries, start=1):
            key = (board.name, str(_get(entry, "dirname", str, path, number)))
            if key in seen:
                skipped[REPEATED] += 1
                continue
            seen.add(key)
            found = _scores(entry, board, f"{folder.name}/{path}", number, skipped)
            if (way := (board.name, found[0].subject, found[0].setting)) in ways:
                skipped[AGAIN] += 1
                continue
            ways.add(way)
            scores += found
    return Reading(scores, [], dict(skipped), rows)


def identify(name: str, file: str) -> tuple[str, dict[str, str]]:
    """Part the name of a row into the model and how it was run.

    >>> identify("o3 (high) + gpt-4.1", "polyglot_leaderboard.yml")
    ('o3', {'editor': 'gpt-4.1', 'effort': 'high'})
    >>> identify("mlx-community: 4bit", "quant.yml")
    ('Qwen2.5-Coder-32B-Instruct', {'provider': 'mlx-community', 'precision': '4bit'})
    """
    parts: dict[str, str] = {}
    if file == "quant.yml":
        provider, _, precision = name.partition(": ")
        return QUANT_MODEL, {"provider": provider, "precision": precision}
    if match := QWEN3.match(name):
        return match["model"], {"effort": "no think" if "no" in match["rest"] else "", "provider": match["rest"]}
    if " + " in name:
        name, parts["editor"] = name.split(" + ", 1)
    name = name.removesuffix(" (deprecated)")
    if match := HOSTS.match(name):
        name, parts["provider"] = name[match.end() :], match[1]
    if match := FORMATS.search(name):
        name = name[: match.start()]
    if match := EFFORT.search(name):
        name, parts["effort"] = name[: match.start()], match[1]
    if match := PRECISION.search(name):
        name, parts["precision"] = name[: match.start()], match[1] or match[2]
    return name, parts


def _entries(folder: Path, path: str) -> list[dict[str, Any]]:
    content, file = text(folder, path)
    try:
        tree = yaml.safe_load(content)
    except (yaml.YAMLError, ValueError) as error:
        raise RecordError(f"{file}: found {str(error).splitlines()[0][:80]}, expected YAML; the file may be cut short") from None
    if not isinstance(tree, list) or not all(isinstance(entry, dict) for entry in tree):
        raise RecordError.collect([Problem(file, None, "-", type(tree).__name__, "a list of runs")])
    return tree


def _get(entry: dict[str, Any], key: str, kind: type | tuple[type, ...], file: str, number: int) -> Any:
    value = entry.get(key)
    wild = isinstance(value, int | float) and not abs(value) < 1e300
    if not isinstance(value, kind) or isinstance(value, bool) or wild:
        raise RecordError.collect([Problem(file, number, key, repr(value)[:60], "a value of the usual kind")])
    return value


def _scores(entry: dict[str, Any], board: Board, file: str, number: int, skipped: dict[str, int]) -> list[Score]:
    def get(key: str, kind: type | tuple[type, ...]) -> Any:
        return _get(entry, key, kind, file, number)

    model, parts = identify(get("model", str).strip(), board.file)
    parts.setdefault("effort", str(entry.get("reasoning_effort") or ""))
    cases = get("test_cases", int)
    status, note = "reported", f"run {get('date', date)}"
    if not SHARE * board.cases <= cases <= board.cases:
        status, parts["suite"] = "suspect", f"{cases} cases"
        note = f"{cases} test cases where {board.name} has {board.cases}: another measurement; {note}"
    how = setting(format=get("edit_format", str), **parts)
    scores = []
    for attempt in ("1", "2"):
        key = f"pass_rate_{attempt}"
        if attempt == "1" or key in entry:
            value = float(get(key, (int, float)))
            quantity = f"{board.name}_{key}"
            scores.append(
                Score(model, quantity, how, round(value / 100, 6), n=cases, status=status, note=note, file=file, row=number)
            )
    cost = entry.get("total_cost")
    if isinstance(cost, int | float) and 0 < cost < 1e300:
        quantity = f"{board.name}_cost"
        scores.append(Score(model, quantity, how, float(cost), n=cases, status=status, note=note, file=file, row=number))
    else:
        skipped[NO_COST] += 1
    return scores
