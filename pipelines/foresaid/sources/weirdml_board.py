"""The WeirdML board as it stood on a day: machine-learning tasks solved by writing code (Håvard Tveit Ihle).

Each vintage is the board's own table at one of its commits. The repository states no licence: read on demand. Traps:
- On 2025-11-19 two tasks were taken out and every average changed at once: the averages over 19 and over 17 tasks are two
  quantities. Which one a table holds follows from its columns.
- Columns come and go (standard error, tokens, release date) and change order; an unknown one is refused.
- Effort and thinking stand in the display name. `model_slug` is shared by efforts; `internal_model_name` is the key, and a table
  that holds one twice is two tables joined: refused.
- Local models run in 4 bit; the quantisation ends the internal name.
- Release dates are at times days of API access, once two days early: stated, never taken for the record's.
- Averages of old models move as runs are added: a revision, not a new score.
"""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

from foresaid.errors import Problem, RecordError
from foresaid.sources._reading import Reading, Score, StatedModel
from foresaid.sources._settings import effort_parts, setting
from foresaid.sources._upstream import Line, table

PATH = "data/weirdml_data.csv"
TASKS = (
    *("shapes_easy", "shapes_hard", "digits_unsup", "chess_winners", "kolmo_shuffle", "classify_sentences", "classify_shuffled"),
    *("insert_patches", "blunders_easy", "blunders_hard", "digits_generalize", "shapes_variable", "xor_easy", "xor_hard"),
    *("splash_easy", "splash_hard", "number_patterns"),
)
TAKEN_OUT = ("shuffle_easy", "shuffle_hard")
WANTED = ("internal_model_name", "display_name", "avg_acc", "cost_per_run_usd", *(f"{task}_acc" for task in TASKS))
BESIDE = (
    *("model_slug", "avg_acc_standard_error", "mean_total_output_tokens", "release_date", "API source", "exec_time_median_s"),
    *("code_len_p10", "code_len_p50", "code_len_p90", *(f"{task}_acc" for task in TAKEN_OUT)),
)
VARIANT = re.compile(r" \((?P<value>[^()]+)\)$")
QUANTISED = re.compile(r"-(q\d\w*)$")


def read(folder: Path) -> Reading:
    """Read the board of one day."""
    lines = table(folder, PATH, WANTED, BESIDE)
    header = set(lines[0].cells) if lines else set()
    out = [task for task in TAKEN_OUT if f"{task}_acc" in header]
    if len(out) == 1:
        file = f"{folder.name}/{PATH}"
        raise RecordError.collect([Problem(file, 1, f"{out[0]}_acc", "one of the two shuffle tasks", "both or neither")])
    seen: dict[str, Line] = {}
    scores: list[Score] = []
    models: dict[StatedModel, None] = {}
    for line in lines:
        name = line.text("internal_model_name")
        if seen.setdefault(name, line) is not line:
            advice = f"{name} again, first in row {seen[name].row}"
            line.refuse("internal_model_name", advice, "each once; two states of the board may be joined here")
        subject, how = identify(line.text("display_name").strip(), name)
        models[StatedModel(subject, line.cells.get("release_date", "").strip())] = None
        scores += _scores(line, subject, how, (*TASKS, *out), "weirdml_board_accuracy_19" if out else "weirdml_board_accuracy_17")
    return Reading(scores, [], {}, {PATH: len(lines)}, [model for model in models if model.released_on])


def identify(display: str, internal: str) -> tuple[str, str]:
    """Part a display name and its key into the model and its setting.

    >>> identify("claude-opus-4.5 (high, 16k)", "claude-opus-4.5"), identify("qwen3.5-27b", "qwen3.5:27b-q4_K_M")
    (('claude-opus-4.5', 'effort=high;budget=16k'), ('qwen3.5-27b', 'precision=q4-k-m'))
    """
    match = VARIANT.search(display)
    parts = effort_parts(match["value"]) if match else {}
    if quantised := QUANTISED.search(internal):
        parts["precision"] = quantised[1]
    return (display[: match.start()] if match else display), setting(**parts)


def _scores(line: Line, subject: str, how: str, tasks: tuple[str, ...], average: str) -> list[Score]:
    error = line.decimal("avg_acc_standard_error") if "avg_acc_standard_error" in line.cells else None
    cells: list[tuple[str, Decimal | None]] = [(f"weirdml_board_{task}", line.number(f"{task}_acc")) for task in tasks]
    cells.append(("weirdml_board_cost_per_run", line.number("cost_per_run_usd")))
    if "mean_total_output_tokens" in line.cells:
        cells.append(("weirdml_board_output_tokens", line.decimal("mean_total_output_tokens")))
    at = {"file": line.file, "row": line.row}
    first = Score(
        subject, average, how, float(line.number("avg_acc")), None if error is None else float(error), file=line.file, row=line.row
    )
    return [first, *(Score(subject, name, how, float(value), **at) for name, value in cells if value is not None)]  # type: ignore[arg-type]
