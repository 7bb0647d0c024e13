"""ForecastBench: language models forecast questions that resolve later; two boards, re-scored every night (CC-BY-SA-4.0).

Each vintage holds the baseline board (models run with fixed prompts) and the tournament board (those and anyone's systems).
Figures taken from it stay under CC-BY-SA-4.0, whatever the licence of the registry (see NOTICE beside them). Traps:
- Until 2026-03-03 Dataset, Market and Overall are Brier scores (0-1, lower is better), from 2026-03-04 the Brier Index (0-100,
  higher is better) under the same names. The columns `Brier ...`, there from that day on, carry the old scale on: two quantities.
- Prompts are rows of one model: they are settings, zero shot too. News, crowd forecast and web search are part of the prompt.
- Not models: the superforecaster and public medians, imputed, naive and constant forecasters, crowds of models.
- Systems of other teams name no model; they are left out.
- Values move nightly as questions resolve: revisions. Rows were dropped from the tournament board to make room: a row that is
  gone is not withdrawn (vintages are parts).
- A dash stands for no value; intervals are text.
"""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

from foresaid.sources._reading import Reading, Score, StatedModel
from foresaid.sources._settings import setting
from foresaid.sources._upstream import Line, table

BOARDS = ("baseline", "tournament")
PARTS = {"Dataset": "N dataset", "Market": "N market", "Overall": "N"}
WANTED = ("Rank", "Team", "Model Organization", "Model", *PARTS, *PARTS.values(), *(f"{part} 95% CI" for part in PARTS))
BESIDE = (
    *("Supers > Forecaster?", "p-val Supers > Forecaster?", "Forecaster > Public?", "p-val Forecaster > Public?"),
    *("Pct times № 1", "Pct times top 5%", "x% oracle equiv", "Peer", "BSS", *(f"Brier {part}" for part in PARTS)),
)
INTERVAL = re.compile(r"\[(-?\d+(?:\.\d+)?), (-?\d+(?:\.\d+)?)\]")
ROW = re.compile(r"(?P<model>.+?) \((?P<prompt>(?:zero shot|scratchpad|superforecaster)[^()]*)\)")
PRECISION = re.compile(r"-(FP8)(?:-Tput)?$", re.IGNORECASE)
REASONING = re.compile(r"-(Non-Reasoning|Reasoning)$")
NOBODY = frozenset({"Superforecaster median forecast", "Public median forecast", "Imputed Forecaster", "Naive Forecaster"})
ALWAYS = re.compile(r"Always (0|0\.5|1)|Random Uniform|LLM Crowd .*")
NONE = "—"
NO_MODEL, OTHERS = "a reference forecaster, not a model", "a system of another team"


def read(folder: Path) -> Reading:
    """Read both boards of one day."""
    scores: list[Score] = []
    skipped: dict[str, int] = defaultdict(int)
    rows: dict[str, int] = {}
    models: dict[StatedModel, None] = {}
    for board in BOARDS:
        path = f"leaderboards/csv/leaderboard_{board}.csv"
        lines = table(folder, path, WANTED, BESIDE)
        rows[path] = len(lines)
        for line in lines:
            name = line.text("Model").strip()
            if name in NOBODY or ALWAYS.fullmatch(name):
                skipped[NO_MODEL] += 1
            elif line.cells["Team"] != "ForecastBench":
                skipped[OTHERS] += 1
            else:
                subject, how = _identify(line, name)
                models[StatedModel(subject, "", line.cells["Model Organization"])] = None
                scores += _scores(line, board, subject, how)
    return Reading(scores, [], dict(skipped), rows, list(models))


def _identify(line: Line, name: str) -> tuple[str, str]:
    match = ROW.fullmatch(name)
    if not match:
        line.refuse("Model", name[:60], "a model and its prompt, such as GPT-4o (zero shot)")
    model, parts = match["model"], {"prompt": match["prompt"]}
    if found := PRECISION.search(model):
        model, parts["precision"] = model[: found.start()], found[1]
    if found := REASONING.search(model):
        model, parts["effort"] = model[: found.start()], found[1]
    return model, setting(**parts)


def _scores(line: Line, board: str, subject: str, how: str) -> list[Score]:
    indexed = "Brier Overall" in line.cells
    scores = []
    for part, count in PARTS.items():
        if board == "tournament" and part != "Overall":
            continue  # the parts of the tournament repeat those of the baseline board but for their prompts
        quantity = f"forecastbench_{board}_{part.lower()}"
        n = line.whole(count) if line.cells[count] not in (NONE, "") else None
        headline = _score(line, part, f"{quantity}_{'index' if indexed else 'brier'}", subject, how, n, _error(line, part))
        beside = _score(line, f"Brier {part}", f"{quantity}_brier", subject, how, n, None) if indexed else None
        scores += [score for score in (headline, beside) if score is not None]
    return scores


def _score(line: Line, column: str, quantity: str, subject: str, how: str, n: int | None, error: float | None) -> Score | None:
    if line.cells[column] == NONE:
        return None
    return Score(subject, quantity, how, float(line.number(column)), error, n, file=line.file, row=line.row)


def _error(line: Line, part: str) -> float | None:
    cell = line.cells[f"{part} 95% CI"]
    if cell == NONE:
        return None
    match = INTERVAL.fullmatch(cell)
    if not match:
        line.refuse(f"{part} 95% CI", cell[:60] or "nothing", f"an interval such as [0.122, 0.142], or {NONE}")
    return round((float(match[2]) - float(match[1])) / 2 / 1.96, 9)
