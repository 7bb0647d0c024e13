"""LMArena's text leaderboard: its history by date until February 2025, and the board of August 2025.

Two vintages of one upstream. The history dates itself: a value is known on the day of its board, whatever day the file was
committed. Traps:
- 0.0 means "not on the board". A model that leaves the board is withdrawn on that day, so that nobody later mixes an old
  rating with new ones.
- The whole board moves from date to date, since a rating is relative to its pool: each change is a revision.
- The history is wide and its first column has no name. Its early boards use another scale (online Elo).
- The board of August 2025 is anchored otherwise (models on both stand some twenty points higher): a quantity of its own.
- Thinking, effort and precision stand in some names: they become the setting.
- Its interval is text, `+5/-5`: half the width over 1.96 is the standard error. One row is printed twice.
"""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import date
from decimal import Decimal
from pathlib import Path

from foresaid.errors import Problem, RecordError
from foresaid.sources._reading import Reading, Score
from foresaid.sources._settings import peel, setting
from foresaid.sources._upstream import Line, open_table, table

BOARD, HISTORY = "csv/lmarena_text.csv", "output/result.csv"
INTERVAL = re.compile(r"\+(\d+)/-(\d+)")
VARIANT = re.compile(r" \((?P<a>thinking-\d+k)\)$|-(?P<b>no-thinking)$|(?<=mini)-(?P<c>high)$")
PRECISION = re.compile(r"-(?P<value>bf16|fp8)$")
OFF, TWICE = "cells of 0.0: not on the board", "the same row printed twice"
LEFT = "no longer on the board: the last rating it had there"
PLACES = 6  # decimals kept of a rating: its standard error is some five points


def read(folder: Path) -> Reading:
    """Read one vintage: the history, or one board."""
    return _history(folder) if (folder / HISTORY).exists() else _board(folder)


def identify(name: str) -> tuple[str, str]:
    """Part a name into the model and its setting.

    >>> identify("Claude Opus 4 (thinking-16k)"), identify("o3-mini-high")
    (('Claude Opus 4', 'effort=thinking-16k'), ('o3-mini', 'effort=high'))
    """
    model, precision = peel(name, PRECISION)
    match = VARIANT.search(model)
    effort = match["a"] or match["b"] or match["c"] if match else ""
    return (model[: match.start()] if match else model), setting(effort=effort, precision=precision)


def _board(folder: Path) -> Reading:
    lines = table(folder, BOARD, ["model", "arena_score", "95_pct_ci", "votes"], ignored=r".*")
    first: dict[str, Line] = {}
    scores = []
    skipped = 0
    for line in lines:
        model = line.text("model")
        before = first.setdefault(model, line)
        if before is not line:
            if before.cells["arena_score"] != line.cells["arena_score"]:
                line.refuse("arena_score", line.cells["arena_score"], f"{before.cells['arena_score']} as in row {before.row}")
            skipped += 1
            continue
        match = INTERVAL.fullmatch(line.cells["95_pct_ci"])
        if not match:
            line.refuse("95_pct_ci", line.cells["95_pct_ci"][:60] or "nothing", "an interval such as +5/-5")
        subject, how = identify(model)
        scores.append(
            Score(
                subject,
                "lmarena_text_elo_2025_08",
                how,
                float(line.number("arena_score")),
                stderr=round((int(match[1]) + int(match[2])) / 2 / 1.96, 6),
                n=line.whole("votes"),
                file=line.file,
                row=line.row,
            )
        )
    return Reading(scores, [], {TWICE: skipped}, {BOARD: len(lines)})


def _history(folder: Path) -> Reading:
    lines = open_table(folder, HISTORY)
    if not lines or "" not in lines[0].cells:
        raise RecordError.collect([Problem(f"{folder.name}/{HISTORY}", 1, "(no name)", "no such column", "the dates")])
    boards = sorted(((_day(line), line) for line in lines), key=lambda item: item[0])
    scores: list[Score] = []
    skipped: dict[str, int] = defaultdict(int)
    for model in (name for name in lines[0].cells if name):
        last: Decimal | None = None
        for day, line in boards:
            value = line.number(model)
            if value == 0:
                skipped[OFF] += 1
                if last is not None:
                    scores.append(_rating(model, last, line, day, "withdrawn"))
                    last = None
            else:
                scores.append(_rating(model, value, line, day, "reported"))
                last = value
    return Reading(scores, [], dict(skipped), {HISTORY: len(lines)})


def _day(line: Line) -> date:
    cell = line.cells[""]
    try:
        return date.fromisoformat(cell)
    except ValueError:
        line.refuse("(no name)", cell[:60] or "nothing", "a date such as 20230508")


def _rating(model: str, value: Decimal, line: Line, day: date, status: str) -> Score:
    note = LEFT if status == "withdrawn" else ""
    rating = round(float(value), PLACES)
    subject, how = identify(model)
    return Score(subject, "lmarena_text_elo", how, rating, status=status, note=note, file=line.file, row=line.row, known_on=day)
