"""Translation learning curves (Alabdulmohsin et al., arXiv 2209.06640; runs of Bansal et al., arXiv 2202.01994).

Five architectures of some 300 M parameters, the log-perplexity after each number of examples seen.

Traps of the upstream table, each handled here:
- "Seen Examples" is batch times steps: an axis of training length, not of the size of a data set.
- The upstream split is kept in the note: the one point of 512 M examples of each curve was held out by the authors.
- The full upstream file repeats a block of rows: a repeated point is refused here.
- The decoder-only curve is higher at its held-out point than before (it has saturated): the value that rises says so.
"""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

from foresaid.sources._reading import Reading, RunSubject, Score
from foresaid.sources._upstream import table

PATH = "revisiting_neural_scaling_laws/data/benchmark.lang.nmt-rows.csv"
DOMAIN, TASK = "NMT", "log_perplexity"
SPLIT = {"0": "held out by the authors", "1": ""}


def read(folder: Path) -> Reading:
    """Read the 53 points, one subject an architecture and number of examples."""
    scores: list[Score] = []
    subjects: dict[str, RunSubject] = {}
    lowest: dict[str, tuple[Decimal, Decimal]] = {}
    for line in table(folder, PATH, ["Domain", "Task", "Model", "Seen Examples", "Loss", "Training"]):
        for column, expected in (("Domain", DOMAIN), ("Task", TASK)):
            if line.text(column) != expected:
                line.refuse(column, line.text(column)[:60], expected)
        if line.text("Training") not in SPLIT:
            line.refuse("Training", line.text("Training")[:60], "0 or 1")
        family = f"nmt-curves/{re.sub(r'[^a-z0-9]+', '-', line.text('Model').lower()).strip('-')}"
        examples, loss = line.whole("Seen Examples"), line.number("Loss")
        subject = f"{family}/{examples}"
        if subject in subjects:
            line.refuse("Seen Examples", str(examples), "each number of examples once a model: a block is repeated")
        before = lowest.get(family)
        if before is not None and examples <= before[0]:
            line.refuse("Seen Examples", str(examples), f"more than {before[0]} as in the row before")
        rises = "higher than with fewer examples" if before is not None and loss > before[1] else ""
        lowest[family] = (Decimal(examples), loss)
        subjects[subject] = RunSubject(subject, "checkpoint", family, family)
        note = "; ".join(part for part in (SPLIT[line.text("Training")], rises) if part)
        scores.append(Score(subject, "training_examples", "", float(examples), file=line.file, row=line.row))
        scores.append(Score(subject, "nmt_log_perplexity", "", float(loss), note=note, file=line.file, row=line.row))
    return Reading(scores, list(subjects.values()))
