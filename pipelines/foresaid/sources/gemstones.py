"""Gemstones (McLeish et al., arXiv 2502.06857): 22 model shapes, 35 checkpoints each to 350 B tokens, two losses, nine tasks.

Traps of the upstream files, each handled here:
- The accuracy table names the last checkpoint "main": it is step 83,475, and every checkpoint must stand in all three tables.
- Losses of 21 public models were measured under their own tokenisers. The size of the vocabulary is their `setting`, so that
  no law reads two of them, or one of them and a Gemstone, as one series.
- Guessing scores 0.25 on most tasks, 0.5 on PIQA and WinoGrande, 0.33 on Social IQa, 0.2 on CommonsenseQA: quantities.csv.
- "params_active_precise" counts the embeddings too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from foresaid.errors import Problem, RecordError
from foresaid.sources._parquet import frame
from foresaid.sources._reading import Reading, RunSubject, Score
from foresaid.sources._upstream import document, items, lines, pick, real

LOSSES = {
    "gemstones_dclm_loss": "benchmarks/fineweb_dclm_losses_combined.jsonl",
    "gemstones_edu_loss": "benchmarks/fineweb_edu_losses_combined.jsonl",
}
ACCURACIES, PUBLIC = "benchmarks/light_eval_df.parquet", "data/our_val_loss_data.json"
TASKS = ("arc:challenge", "arc:easy", "commonsense_qa", "hellaswag", "mmlu", "openbookqa", "piqa", "siqa", "winogrande")
KEY = "__index_level_0__"
NAME = re.compile(r"(?P<run>Gemstone-\d+x\d+)-(main|step_(?P<step>\d{8}))")
FIELDS = ("step", "final_loss", "run_name", "width", "depth", "tokens", "params_active_precise", "num_nodes", "seconds_per_step")
LAST_STEP, TOKENS_PER_STEP = 83_475, 4_194_304

Checkpoint = tuple[str, int]  # run and step


def read(folder: Path) -> Reading:
    """Read every checkpoint, one subject each, and the public models' losses."""
    scores: list[Score] = []
    subjects: list[RunSubject] = []
    listed: dict[str, set[Checkpoint]] = {}
    for quantity, path in LOSSES.items():
        seen = listed.setdefault(path, set())
        for tree, file, row in _entries(folder, path):
            run, step, notes = _checkpoint(tree, file, row)
            if (run, step) in seen:
                raise RecordError.collect([Problem(file, row, "step", f"{run} at {step} again", "each checkpoint once")])
            seen.add((run, step))
            subject = _subject(run, step)
            scores.append(Score(subject, quantity, "", real(tree, file, "final_loss"), file=file, row=row))
            if len(listed) == 1:  # the sizes stand in both files: the first speaks
                subjects.append(RunSubject(subject, "checkpoint", _family(run), _family(run), notes))
                for size, key in (("training_tokens", "tokens"), ("params_total", "params_active_precise")):
                    scores.append(Score(subject, size, "", real(tree, file, key), file=file, row=row))
    table, file = frame(folder, ACCURACIES, [*TASKS, KEY])
    seen = listed.setdefault(ACCURACIES, set())
    for row, cells in enumerate(table.iter_rows(named=True), start=1):
        match = NAME.fullmatch(str(cells[KEY]))
        if not match:
            raise RecordError.collect([Problem(file, row, KEY, str(cells[KEY])[:60], "Gemstone-WIDTHxDEPTH-main or -step_N")])
        run, step = match["run"], int(match["step"] or LAST_STEP)
        if (run, step) in seen:
            raise RecordError.collect([Problem(file, row, KEY, f"{run} at {step} again", "each checkpoint once")])
        seen.add((run, step))
        for task in TASKS:
            quantity = f"gemstones_{task.replace(':', '_')}"
            scores.append(Score(_subject(run, step), quantity, "", real(cells, file, task), file=file, row=row))
    _same_checkpoints(folder, listed)
    return Reading(scores + _public(folder), subjects)


def _entries(folder: Path, path: str) -> Iterator[tuple[dict[str, Any], str, int]]:
    for content, file, row in lines(folder, path):
        try:
            tree = json.loads(content)
        except (RecursionError, ValueError) as error:
            raise RecordError.collect([Problem(file, row, "-", str(error)[:60], "one JSON object a line")]) from None
        if not isinstance(tree, dict) or set(tree) != set(FIELDS):
            found = ", ".join(sorted(tree)) if isinstance(tree, dict) else repr(tree)[:60]
            raise RecordError.collect([Problem(file, row, "-", found, "an object with " + ", ".join(FIELDS))])
        yield tree, file, row


def _checkpoint(tree: dict[str, Any], file: str, row: int) -> tuple[str, int, str]:
    step, width, depth, tokens = (real(tree, file, key) for key in ("step", "width", "depth", "tokens"))
    run = str(tree["run_name"])
    if run != f"Gemstone-{width:g}x{depth:g}":
        raise RecordError.collect([Problem(file, row, "run_name", run[:60], f"Gemstone-{width:g}x{depth:g}")])
    if tokens != step * TOKENS_PER_STEP:
        expected = f"{step:g} steps x {TOKENS_PER_STEP} = {step * TOKENS_PER_STEP:g}"
        raise RecordError.collect([Problem(file, row, "tokens", f"{tokens:g}", expected)])
    return run, int(step), f"width {width:g}, depth {depth:g}"


def _family(run: str) -> str:
    return f"gemstones/{run.removeprefix('Gemstone-')}"


def _subject(run: str, step: int) -> str:
    return f"{_family(run)}/step-{step}"


def _same_checkpoints(folder: Path, listed: dict[str, set[Checkpoint]]) -> None:
    """Every checkpoint stands in the losses and in the accuracies, the one called main too."""
    every = set().union(*listed.values())
    for path, found in listed.items():
        if missing := sorted(every - found):
            run, step = missing[0]
            found_text = f"no {run} at step {step}" + (f" and {len(missing) - 1} more" if len(missing) > 1 else "")
            raise RecordError.collect(
                [Problem(f"{folder.name}/{path}", None, "step", found_text, "the same checkpoints in all files")]
            )


def _public(folder: Path) -> list[Score]:
    tree, file = document(folder, PUBLIC)
    columns = {key: items(tree, file, key) for key in ("hf_name", "loss", "vocab_size")}
    if len({len(column) for column in columns.values()}) != 1:
        found = ", ".join(f"{len(column)} of {key}" for key, column in columns.items())
        raise RecordError.collect([Problem(file, None, "hf_name", found, "columns of one length")])
    scores = []
    for place in range(len(columns["hf_name"])):
        entry = {key: column[place] for key, column in columns.items()}
        setting = f"vocabulary={real(entry, file, 'vocab_size'):.0f}"
        scores.append(
            Score(str(pick(entry, file, "hf_name")), "gemstones_public_loss", setting, real(entry, file, "loss"), file=file)
        )
    return scores
