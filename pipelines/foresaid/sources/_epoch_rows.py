"""The rows of Epoch's hub as scores: numbers as they are printed, which row of several holds, and what is suspect.

`epoch_hub` says which tables a download has; this module says what their rows mean.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import replace
from datetime import datetime
from decimal import Decimal, InvalidOperation

from foresaid.sources._epoch_boards import TASKS, Board
from foresaid.sources._epoch_names import EARLY, identify, named, same
from foresaid.sources._reading import Score
from foresaid.sources._settings import setting, slug
from foresaid.sources._upstream import Line

UNNAMED, UNSCORED = "no model version upstream: nothing to resolve", "no score upstream"
TWICE, RERUN = "the same row printed twice", "an earlier run of the same model: the last one started counts"
REPEATED = "a model and agent of an earlier import, to more digits"
# Rows whose own name contradicts their model version, by Epoch's id.
MISNAMED = {
    "phi-3-mini-128k-instruct": "the row is named Phi-3-mini-128k, its model version Phi-3-mini-4k",
    "recjM5TXNeULyzAM4": "the row is named Llama 3.3 70B, its model version Llama-3.1-70B",
}
BEST = "Best score (across scorers)"
MISSING = ("", "-", "n/a", "na", "nan", "none", "null")
INDEX = "epoch_capabilities_index"
HALF = frozenset({"epoch_boolq"})  # guessing scores a half: 0.0 stands for missing


def amount(line: Line, column: str) -> Decimal | None:
    """A cell as a number, percent signs divided out; an empty one is None."""
    cell = line.cells[column].strip()
    if cell.lower() in MISSING:
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


def external(lines: list[Line], board: Board, skipped: dict[str, int]) -> list[Score]:
    found: list[tuple[dict[str, str], Score]] = []
    again = _imported_again(lines, board)
    for line in lines:
        if line.row in again:
            skipped[REPEATED] += 1
            continue
        if not line.cells["Model version"].strip():
            skipped[UNNAMED] += 1
            continue
        model, parts = identify(line.cells["Model version"])
        if board.named:
            parts |= named(line.cells.get("Name", "").strip(), parts)
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
                        # The index is Epoch's own fit: one row a version, known by its key.
                        record="" if quantity == INDEX else _record(line),
                    ),
                )
            )
        skipped[UNSCORED] += not taken
    return _apart(found, skipped)


def _record(line: Line) -> str:
    return next((line.cells[name] for name in ("id", "ID", "UUID") if line.cells.get(name)), "")


def _imported_again(lines: list[Line], board: Board) -> set[int]:
    """Rows of a later import that repeat a padded row of an earlier one: the same model and agent, the score to more digits."""
    agent, column = board.parts.get("agent", ""), next(iter(board.scores))
    first: dict[tuple[str, str], Decimal] = {}
    for line in lines:
        cell = line.cells.get(agent, "")
        value = amount(line, column)
        if cell != cell.strip() and value is not None:
            first[same(identify(line.cells["Model version"])[0]), slug(cell)] = value
    again = set()
    for line in lines:
        cell = line.cells.get(agent, "")
        key = (same(identify(line.cells["Model version"])[0]), slug(cell))
        value = amount(line, column)
        if cell == cell.strip() and value is not None and key in first and abs(value - first[key]) <= Decimal("0.0005"):
            again.add(line.row)
    return again


def _remark(line: Line, quantity: str, value: Decimal) -> tuple[str, str]:
    for column in ("id", "UUID"):
        if line.cells.get(column) in MISNAMED:
            return "suspect", MISNAMED[line.cells[column]]
    if quantity in HALF and value == 0:
        return "suspect", "0.0 where guessing scores 0.5 stands for missing"
    if quantity == INDEX:
        return "reported", "estimated by a model; estimated anew at each download"
    low, high = line.cells.get("CI_low", ""), line.cells.get("CI_high", "")
    return "reported", f"95 % interval {low} to {high} minutes" if low and high else ""


def _apart(found: list[tuple[dict[str, str], Score]], skipped: dict[str, int]) -> list[Score]:
    """Tell rows of one key apart by Epoch's record id; of rows that say the same keep one."""
    groups: dict[tuple[str, str, str], list[tuple[dict[str, str], Score]]] = defaultdict(list)
    for item in found:
        groups[same(item[1].subject), item[1].quantity_id, item[1].setting].append(item)
    scores = []
    for group in groups.values():
        distinct = {item[1].value: item for item in reversed(group)}
        if len(distinct) == 1:
            scores.append(group[0][1])
            continue
        for parts, score in sorted(distinct.values(), key=lambda item: item[1].row or 0):
            scores.append(replace(score, setting=setting(**parts, record=score.record or f"row {score.row}")))
    skipped[TWICE] += len({item[1].row for item in found} - {score.row for score in scores})
    return scores


def task(line: Line) -> str:
    if line.cells["Status"] != "Success":
        line.refuse("Status", line.cells["Status"], "Success")
    if line.cells["task"] not in TASKS:
        line.refuse("task", line.cells["task"], "one of " + ", ".join(TASKS))
    return TASKS[line.cells["task"]]


def started(line: Line) -> datetime | None:
    """The start of a run, as the hub (ISO) or the paper's data (English) print it; a few runs have none."""
    column = "Started at" if "Started at" in line.cells else "started_at"
    cell = line.cells.get(column, "")
    if not cell:
        return None
    for read_as in (datetime.fromisoformat, lambda text: datetime.strptime(text, "%d %B %Y %I:%M%p")):
        try:
            return read_as(cell).replace(tzinfo=None)
        except ValueError:
            continue
    line.refuse(column, cell[:60], "a day and time such as 17 November 2025 4:28pm")


def run(line: Line, column: str, quantity: str) -> Score | None:
    value = amount(line, BEST)
    if value is None:
        return None
    model, parts = identify(line.text(column))
    when = started(line)
    note = f"run started {when.date()}" if when else "start of the run not stated"
    if EARLY.search(line.text(column).split("_")[0]) and when:
        note = f"started {when.date()}, before the model was released"
    stderr = amount(line, "stderr") if "stderr" in line.cells else _printed_error(line.cells.get("Scores", ""))
    if "Scores" in line.cells and "mean_score" not in line.cells:
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


def last(found: list[Score | None], lines: list[Line], skipped: dict[str, int]) -> list[Score]:
    best: dict[tuple[str, str, str], tuple[datetime, Score]] = {}
    for score, line in zip(found, lines, strict=True):
        if score is None:
            skipped[UNSCORED] += 1
            continue
        when = started(line) or datetime.min
        key = (same(score.subject), score.quantity_id, score.setting)
        if key in best:
            skipped[RERUN] += 1
        if key not in best or best[key][0] < when:
            best[key] = (when, score)
    return [score for _, score in best.values()]
