"""LiveBench, all releases from June 2024 to June 2026: one table a release, one column a subtask.

The repository has no licence file: figures are read on demand and never embedded. Traps:
- Each release changes questions and subtasks, so scores of two releases do not compare: every release has its own quantities.
- Averages are not stored: a category is the mean of its subtasks, the overall score the mean of the categories. A model that
  lacks a subtask has no value for the category, and none overall.
- Scores are percent; here they are fractions.
- Names of models encode effort and thinking: these become the setting.
- Rows are added and corrected in place and carry no date: all are known on the day of the commit, an upper bound.
- One row of January 2026 is three cells short: no cell can be trusted, so the row is left out and counted.
- The cost table has no scores and is not read: dollars a question, which the README of the upstream defines.
"""

from __future__ import annotations

import re
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

from foresaid.errors import Problem, RecordError
from foresaid.sources._reading import Reading, Score
from foresaid.sources._settings import peel, setting, slug
from foresaid.sources._upstream import Line, document, files, table

FOLDER = "public"
EFFORT = re.compile(
    r"-(?P<value>(?:thinking-)?(?:auto-)?(?:\d+k-)?(?:x?high|medium|low|max)-effort|thinking-\d+k|highthinking|nothinking|"
    r"xhigh|high|medium|low|minimal|base|thinking)"
)
# Names in which such a word belongs to the model.
WHOLE = re.compile(r"kimi-k2-thinking|qwen3-235b-a22b-thinking-2507|qwen3-next-80b-a3b-thinking|.*non-reasoning")
# Together's and Fireworks' own builds of open weights.
HOSTED = re.compile(r"(?<=instruct)-(?P<value>turbo|basic)")
SHORT = "a row with too few cells: none can be told apart"
INCOMPLETE = "a subtask is missing: no mean of the category"


def read(folder: Path) -> Reading:
    """Read every release of one commit."""
    scores: list[Score] = []
    skipped: dict[str, int] = defaultdict(int)
    rows: dict[str, int] = {}
    for path in files(folder, f"{FOLDER}/table_*.csv"):
        release = path.removeprefix(f"{FOLDER}/table_").removesuffix(".csv")
        categories = _categories(folder, f"{FOLDER}/categories_{release}.json")
        short: list[int] = []
        columns = dict.fromkeys(task for tasks in categories.values() for task in tasks)
        lines = table(folder, path, ["model", *columns], short=short)
        rows[path] = len(lines) + len(short)
        skipped[SHORT] += len(short)
        for line in lines:
            scores += _means(line, release, categories, skipped)
    return Reading(scores, [], dict(skipped), rows)


def identify(name: str) -> tuple[str, str]:
    """Part a name of the table into the model and its effort.

    >>> identify("claude-opus-4-5-20251101-thinking-64k-low-effort"), identify("gpt-5.2-2025-12-11-nothinking")
    (('claude-opus-4-5-20251101', 'thinking-64k-low-effort'), ('gpt-5.2-2025-12-11', 'nothinking'))
    >>> identify("kimi-k2-thinking")
    ('kimi-k2-thinking', '')
    """
    if WHOLE.fullmatch(name):
        return name, ""
    return peel(name, EFFORT)


def _categories(folder: Path, path: str) -> dict[str, list[str]]:
    tree, file = document(folder, path)
    if (
        not isinstance(tree, dict)
        or not tree
        or not all(isinstance(tasks, list) and tasks and all(isinstance(task, str) for task in tasks) for tasks in tree.values())
    ):
        raise RecordError.collect([Problem(file, None, "-", repr(tree)[:60], "a list of subtasks for each category")])
    return tree


def _means(line: Line, release: str, categories: dict[str, list[str]], skipped: dict[str, int]) -> list[Score]:
    model, effort = identify(line.text("model"))
    model, precision = peel(model, HOSTED)
    means: dict[str, Decimal] = {}
    for category, tasks in categories.items():
        values = [line.decimal(task) for task in tasks]
        known = [value for value in values if value is not None]
        if len(known) == len(values):
            means[category] = sum(known, Decimal()) / len(known)
        else:
            skipped[INCOMPLETE] += 1
    if len(means) == len(categories):
        means["overall"] = sum(means.values(), Decimal()) / len(means)
    return [
        Score(
            model,
            f"livebench_{release}_{slug(category).replace('-', '_')}",
            setting(effort=effort, precision=precision),
            round(float(mean / 100), 12),
            file=line.file,
            row=line.row,
        )
        for category, mean in means.items()
    ]
