"""Step Law (Li et al., arXiv 2503.04715): 1,911 dense pre-training runs over learning rate and batch size.

Traps of the upstream table, each handled here:
- Most runs are badly tuned on purpose. The best run of each (parameters, tokens) also carries steplaw_best_loss, the lower
  envelope: a law of size and data reads that one, never all rows.
- "smooth loss" is the one to use; "loss" is left out.
- A loss above 4 marks a run that diverged: it is `suspect` and says so.
- D is rounded: it must be within 1 % of batch x iterations x 2,048.
The repository has no licence, so no row of this source is kept in the record.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from foresaid.sources._reading import Reading, RunSubject, Score
from foresaid.sources._upstream import Line, table

PATH = "data/dense_lr_bs_loss.csv"
COLUMNS = ("h", "ffnh", "numh", "numl", "lr", "bs", "ti", "loss", "smooth loss", "exp_name", "D", "N", "D/N")
SEQUENCE = 2048
DIVERGED = 4  # nats per token; the runs that trained end below 3.2
DIVERGED_NOTE = "diverged: a loss above 4"


def read(folder: Path) -> Reading:
    """Read every run, one subject each; family is the pair of parameters and tokens it was tuned for."""
    lines = table(folder, PATH, COLUMNS)
    best: dict[str, Line] = {}
    for line in lines:
        current = best.setdefault(_family(line), line)
        if line.number("smooth loss") < current.number("smooth loss"):
            best[_family(line)] = line
    scores: list[Score] = []
    subjects: dict[str, RunSubject] = {}
    for line in lines:
        family, rate, batch = _family(line), line.number("lr"), line.whole("bs")
        subject = f"{family}/lr-{float(rate):g}-batch-{batch}"
        if subject in subjects:
            line.refuse("exp_name", line.text("exp_name")[:80], "one run for each size, tokens, learning rate and batch")
        seen = line.whole("ti") * batch * SEQUENCE
        tokens = line.whole("D")
        if abs(seen - tokens) > Decimal("0.01") * tokens:
            line.refuse("D", str(tokens), f"within 1 % of {seen} = iterations x batch x {SEQUENCE}")
        subjects[subject] = RunSubject(subject, "run", subject, family, f"learning rate {float(rate):g}, {batch} sequences a batch")
        for quantity, column in (("params_total", "N"), ("training_tokens", "D")):
            scores.append(Score(subject, quantity, "", float(line.whole(column)), file=line.file, row=line.row))
        loss = line.number("smooth loss")
        status, note = ("suspect", DIVERGED_NOTE) if loss > DIVERGED else ("reported", "")
        names = ["steplaw_loss"] + (["steplaw_best_loss"] if best[family] is line else [])
        for name in names:
            scores.append(Score(subject, name, "", float(loss), status=status, note=note, file=line.file, row=line.row))
    return Reading(scores, list(subjects.values()))


def _family(line: Line) -> str:
    return f"steplaw/n{line.whole('N')}-d{line.whole('D')}"
