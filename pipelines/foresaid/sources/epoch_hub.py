"""Epoch AI's Benchmarking Hub: some forty benchmarks, collected or run by Epoch (CC-BY-4.0 and MIT).

Two vintages of one source: the data of the stitching paper (December 2025) and a download of the hub (March 2026). Traps:
- The score column has another name in nearly every file; `_epoch_boards` names it. Percent is printed with a sign, without one
  (Aider, LiveBench, OSWorld), or as a standard error beside a fraction (APEX).
- One model version stands on many rows (shots, scaffolds, publications). What tells them apart is the `setting`; Epoch's
  record id joins it where nothing else does. A row printed twice is taken once.
- Effort and thinking budget are suffixes of the model version, hosts are prefixes: none of them is another model. One model
  is spelt with and without capitals.
- A row without a model version names no model we could resolve. Cells without a score are left out. A score of 0.0 where
  guessing scores half stands for missing and is suspect.
- The paper's data print Epoch's own runs to three digits. Of several runs of one model the last one started counts.
- SWE-bench Verified was run anew in February 2026 on 484 of the 500 tasks: that is another quantity.
- Two rows name one model and give the version of another: both are suspect.
- The capabilities index is estimated anew at each download: a revision of it is not a revision of a measurement.
- The paper's data hold no release dates beside scores, English dates of runs and a byte-order mark before the header.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path

from foresaid.sources import Reading, Score
from foresaid.sources._epoch_boards import BOARDS, RUNS, TASKS, Board
from foresaid.sources._settings import setting
from foresaid.sources._upstream import Line, table

NEW, OLD = "benchmark_data", "data"
EFFORT = re.compile(r"_(none|minimal|low|medium|high|xhigh|max|unknown|thinking|\d+[Kk])$| \((\d+K thinking)\)$")
HOST = re.compile(r"^([\w-]+)/(?=\S)|^(parasail)-")
# Mistral's names for its own hosting of weights that it published.
HOSTED = {
    "open-mistral-nemo-2407": "Mistral-Nemo-Instruct-2407",
    "open-mixtral-8x22b": "Mixtral-8x22B-Instruct-v0.1",
    "open-mixtral-8x7b": "Mixtral-8x7B-Instruct-v0.1",
}
PRECISION = re.compile(r"-(FP8)$")
UNNAMED, UNSCORED = "no model version upstream: nothing to resolve", "no score upstream"
TWICE, RERUN = "the same row printed twice", "an earlier run of the same model: the last one started counts"
# Rows whose own name contradicts their model version, by Epoch's id.
MISNAMED = {
    "phi-3-mini-128k-instruct": "the row is named Phi-3-mini-128k, its model version Phi-3-mini-4k",
    "recjM5TXNeULyzAM4": "the row is named Llama 3.3 70B, its model version Llama-3.1-70B",
}
BEST = "Best score (across scorers)"
HALF = frozenset({"epoch_boolq"})  # guessing scores a half: 0.0 stands for missing


def read(folder: Path) -> Reading:
    """Read one vintage: the paper's data (folder `data`) or a download of the hub (folder `benchmark_data`)."""
    new = (folder / NEW).exists()
    home = NEW if new else OLD
    scores: list[Score] = []
    skipped: dict[str, int] = defaultdict(int)
    rows: dict[str, int] = {}
    for board in BOARDS:
        name = board.new if new else board.old
        if name:
            lines = _lines(folder, f"{home}/{name}.csv", [*board.scores, "Model version"])
            rows[f"{home}/{name}.csv"] = len(lines)
            scores += _external(lines, board, skipped)
    if new:
        for name, quantity in RUNS.items():
            lines = _lines(folder, f"{home}/{name}.csv", [BEST, "Model version", "Started at"])
            rows[f"{home}/{name}.csv"] = len(lines)
            scores += _last([_run(line, "Model version", quantity) for line in lines], lines, skipped)
        lines = _lines(folder, f"{home}/epoch_capabilities_index.csv", ["Model version", "ECI Score"])
        rows[f"{home}/epoch_capabilities_index.csv"] = len(lines)
        scores += _external(lines, Board("", "", {"ECI Score": "epoch_capabilities_index"}), skipped)
    else:
        lines = _lines(folder, f"{home}/benchmarks_runs.csv", [BEST, "model", "task", "started_at", "Status"])
        rows[f"{home}/benchmarks_runs.csv"] = len(lines)
        scores += _last([_run(line, "model", _task(line)) for line in lines], lines, skipped)
    return Reading(scores, [], dict(skipped), rows)


def identify(version: str) -> tuple[str, dict[str, str]]:
    """Part a model version into the model and how it was run.

    >>> identify("gpt-5.2-2025-12-11_high"), identify("chutes/GLM-4.5-FP8")
    (('gpt-5.2-2025-12-11', {'effort': 'high'}), ('GLM-4.5', {'provider': 'chutes', 'precision': 'FP8'}))
    """
    name, parts = version.strip(), {}
    if match := EFFORT.search(name):
        name, parts["effort"] = name[: match.start()], match[1] or match[2]
    if match := HOST.match(name):
        name, parts["provider"] = name[match.end() :], match[1] or match[2]
    if name in HOSTED:
        name, parts["provider"] = HOSTED[name], "mistral"
    if match := PRECISION.search(name):
        name, parts["precision"] = name[: match.start()], match[1]
    return name, parts


def _lines(folder: Path, path: str, wanted: list[str]) -> list[Line]:
    return table(folder, path, wanted, ignored=r"[^\n]*")


def amount(line: Line, column: str) -> Decimal | None:
    """A cell as a number, percent signs divided out; an empty one is None."""
    cell = line.cells[column].strip()
    if not cell:
        return None
    try:
        value = Decimal(cell.removesuffix("%"))
    except InvalidOperation:
        line.refuse(column, cell[:60], "a number, or nothing where the value is missing")
    if not value.is_finite() or value.adjusted() >= 280:
        line.refuse(column, cell[:60], "a finite number")
    return value / 100 if cell.endswith("%") else value


def _error(line: Line, board: Board) -> float | None:
    if not line.cells.get(board.stderr, "").strip():
        return None
    if match := re.fullmatch(r"=?\+(\d+)/-(\d+)", line.cells[board.stderr].strip()):
        return (int(match[1]) + int(match[2])) / 2 / 1.96  # a 95 % interval
    value = amount(line, board.stderr)
    return None if value is None else float(value * board.error_scale)


def _external(lines: Iterable[Line], board: Board, skipped: dict[str, int]) -> list[Score]:
    found = []
    for line in lines:
        if not line.cells["Model version"].strip():
            skipped[UNNAMED] += 1
            continue
        model, parts = identify(line.cells["Model version"])
        parts |= {key: line.cells.get(column, "") for key, column in board.parts.items()}
        taken = False
        for column, quantity in board.scores.items():
            value = amount(line, column)
            if value is None:
                continue
            taken = True
            status, note = _remark(line, quantity, value)
            found.append(
                (
                    parts,
                    Score(
                        model,
                        quantity,
                        setting(**parts),
                        float(value * board.scale),
                        stderr=_error(line, board) if column == next(iter(board.scores)) else None,
                        status=status,
                        note=note,
                        file=line.file,
                        row=line.row,
                    ),
                    line.cells.get("id") or line.cells.get("ID") or line.cells.get("UUID") or "",
                )
            )
        skipped[UNSCORED] += not taken
    return _apart(found, skipped)


def _remark(line: Line, quantity: str, value: Decimal) -> tuple[str, str]:
    for column in ("id", "UUID"):
        if line.cells.get(column) in MISNAMED:
            return "suspect", MISNAMED[line.cells[column]]
    if quantity in HALF and value == 0:
        return "suspect", "0.0 where guessing scores 0.5 stands for missing"
    if quantity == "epoch_capabilities_index":
        return "reported", "estimated by a model; estimated anew at each download"
    low, high = line.cells.get("CI_low", ""), line.cells.get("CI_high", "")
    return "reported", f"95 % interval {low} to {high} minutes" if low and high else ""


def _apart(found: list[tuple[dict[str, str], Score, str]], skipped: dict[str, int]) -> list[Score]:
    """Tell rows of one key apart by Epoch's record id; of rows that say the same keep one."""
    groups: dict[tuple[str, str, str], list[tuple[dict[str, str], Score, str]]] = defaultdict(list)
    for item in found:
        groups[_same(item[1].subject), item[1].quantity_id, item[1].setting].append(item)
    scores = []
    for group in groups.values():
        distinct = {item[1].value: item for item in reversed(group)}
        if len(distinct) == 1:
            scores.append(group[0][1])
            continue
        for parts, score, record in sorted(distinct.values(), key=lambda item: item[1].row or 0):
            name = record or f"row {score.row}"
            scores.append(replace(score, setting=setting(**parts, record=name)))
    skipped[TWICE] += len({item[1].row for item in found} - {score.row for score in scores})
    return scores


def _same(model: str) -> str:
    """One spelling of names that differ in case or by the mark of the Hugging Face format."""
    return model.lower().removesuffix("-hf")


def _task(line: Line) -> str:
    if line.cells["Status"] != "Success":
        line.refuse("Status", line.cells["Status"], "Success")
    if line.cells["task"] not in TASKS:
        line.refuse("task", line.cells["task"], "one of " + ", ".join(TASKS))
    return TASKS[line.cells["task"]]


def started(line: Line) -> datetime | None:
    """The start of a run, as the hub (ISO) or the paper's data (English) print it; a few runs have none."""
    column = "Started at" if "Started at" in line.cells else "started_at"
    cell = line.cells[column]
    if not cell:
        return None
    for read_as in (datetime.fromisoformat, lambda text: datetime.strptime(text, "%d %B %Y %I:%M%p")):
        try:
            return read_as(cell).replace(tzinfo=None)
        except ValueError:
            continue
    line.refuse(column, cell[:60], "a day and time such as 17 November 2025 4:28pm")


def _run(line: Line, column: str, quantity: str) -> Score | None:
    value = amount(line, BEST)
    if value is None:
        return None
    model, parts = identify(line.text(column))
    when = started(line)
    note = f"run started {when.date()}" if when else "start of the run not stated"
    stderr = amount(line, "stderr") if "stderr" in line.cells else _printed_error(line.cells["Scores"])
    if "mean_score" not in line.cells:
        note += "; rounded to three digits upstream"
    return Score(
        model,
        quantity,
        setting(**parts),
        float(value),
        stderr=None if stderr is None else float(stderr),
        note=note,
        file=line.file,
        row=line.row,
    )


def _printed_error(cell: str) -> Decimal | None:
    """The standard error of the best scorer in a cell such as `choice:0.77±0.03,choice:0.8±0.02`."""
    pairs = re.findall(r":(\d*\.?\d+)±(\d*\.?\d+)", cell)
    return max((Decimal(value), Decimal(error)) for value, error in pairs)[1] if pairs else None


def _last(found: list[Score | None], lines: list[Line], skipped: dict[str, int]) -> list[Score]:
    best: dict[tuple[str, str, str], tuple[datetime, Score]] = {}
    for score, line in zip(found, lines, strict=True):
        if score is None:
            skipped[UNSCORED] += 1
            continue
        when = started(line) or datetime.min
        key = (_same(score.subject), score.quantity_id, score.setting)
        if key in best:
            skipped[RERUN] += 1
        if key not in best or best[key][0] < when:
            best[key] = (when, score)
    return [score for _, score in best.values()]
