"""Fine-tuning losses (Lin et al., arXiv 2402.02314): 30 pre-trained models, 15 sizes of fine-tuning set, two tasks.

Traps of the upstream tables, each handled here:
- The columns are numbers of fine-tuning examples, not pre-training sizes; column "0" is zero-shot and stays 0, so that a
  law that takes its logarithm has to say what it does there.
- On WMT19 English-Chinese, tokenisers made for English show losses of another kind (Chinese becomes unknown tokens for T5):
  those rows say so, and levels may not be compared across tokenisers.
- Six WMT19 rows rise somewhere: the value that rises says so.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from foresaid.sources._reading import Reading, RunSubject, Score
from foresaid.sources._upstream import Line, slug, table

TASKS = {"flan": "finetune_flan_loss", "wmt19": "finetune_wmt19_loss"}
EXAMPLES = (0, *(200 * 2**power for power in range(14)))
ENGLISH_ONLY = (
    "facebook/bart-base",
    "facebook/bart-large",
    "facebook/bart-large-cnn",
    "facebook/bart-large-xsum",
    "google/switch-base-16",
    "google/switch-base-32",
    "google/switch-base-8",
    "google/t5-v1_1-base",
    "t5-base",
    "t5-small",
)
ENGLISH_NOTE = "English-only tokeniser on Chinese text: not comparable with other tokenisers"


def read(folder: Path) -> Reading:
    """Read both tasks, one subject a model, task and number of examples."""
    scores: list[Score] = []
    subjects: list[RunSubject] = []
    for task, quantity in TASKS.items():
        columns = ["config name", *map(str, EXAMPLES), "size", "family"]
        for line in table(folder, f"benchmark/{task}.csv", columns):
            family = f"finetune-loss/{slug(line.text('config name'))}"
            for examples, note in zip(EXAMPLES, _notes(line, task), strict=True):
                subject = f"{family}/{task}-{examples}"
                subjects.append(RunSubject(subject, "run", subject, family))
                loss = float(line.number(str(examples)))
                scores.append(Score(subject, quantity, "", loss, note=note, file=line.file, row=line.row))
                sizes = {"finetuning_examples": float(examples), "params_total": float(line.whole("size"))}
                scores += [Score(subject, name, "", value, file=line.file, row=line.row) for name, value in sizes.items()]
    return Reading(scores, subjects)


def _notes(line: Line, task: str) -> list[str]:
    english = task == "wmt19" and line.text("config name") in ENGLISH_ONLY
    notes = []
    before: Decimal | None = None
    for examples in EXAMPLES:
        loss = line.number(str(examples))
        parts = [ENGLISH_NOTE] if english else []
        if before is not None and loss > before:
            parts.append("higher than with fewer examples")
        notes.append("; ".join(parts))
        before = loss
    return notes
