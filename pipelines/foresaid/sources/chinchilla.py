"""Hoffmann et al. 2022 (arXiv 2203.15556), figure 4: 245 runs read from the figure's SVG by Besiroglu et al. (arXiv 2404.10102).

Traps of the upstream table, each handled here:
- Tokens are not given: training_tokens is C / (6 N), and says so.
- The five points of highest loss do not fit: the replication drops them, so they are `suspect` here and stay out of fits.
- The loss was read from a colour scale: one colour is one loss, 99 levels for 245 points, about 0.01 nats apart.
- A row has no name; its place in the figure is its key.
"""

from __future__ import annotations

from pathlib import Path

from foresaid.errors import Problem, RecordError
from foresaid.sources._reading import Reading, RunSubject, Score
from foresaid.sources._upstream import Line, slug, table

PATH = "data/svg_extracted_data.csv"
OUTLIERS = 5
OUTLIER_NOTE = "one of the five highest losses, outliers that the replication (arXiv 2404.10102) drops"
DERIVED = "derived: FLOPs / (6 x parameters)"


def read(folder: Path) -> Reading:
    """Read the 245 points, one run each."""
    lines = table(folder, PATH, ["x", "y", "color", "Model Size", "Training FLOP", "hex_color", "loss"])
    _one_loss_a_colour(lines)
    highest = sorted(lines, key=lambda line: line.number("loss"), reverse=True)[:OUTLIERS]
    scores: list[Score] = []
    subjects: dict[str, RunSubject] = {}
    for line in lines:
        subject = f"chinchilla/x{slug(line.text('x'))}-y{slug(line.text('y'))}"
        if subject in subjects:
            line.refuse("x", subject, "each place of the figure once")
        subjects[subject] = RunSubject(subject, "run", subject, subject)
        size, flops = line.number("Model Size"), line.number("Training FLOP")
        if size <= 0:
            line.refuse("Model Size", str(size), "a number of parameters above 0")
        dropped = line in highest
        values = {"params_total": (size, ""), "training_flops": (flops, ""), "training_tokens": (flops / (6 * size), DERIVED)}
        for quantity, (value, note) in values.items():
            scores.append(Score(subject, quantity, "", float(value), note=note, file=line.file, row=line.row))
        status, note = ("suspect", OUTLIER_NOTE) if dropped else ("reported", "")
        loss = float(line.number("loss"))
        scores.append(Score(subject, "chinchilla_loss", "", loss, status=status, note=note, file=line.file, row=line.row))
    return Reading(scores, list(subjects.values()))


def _one_loss_a_colour(lines: list[Line]) -> None:
    first: dict[str, Line] = {}
    for line in lines:
        colour = line.text("hex_color")
        if line.text("color") != colour:
            line.refuse("color", line.text("color"), f"{colour} as in hex_color")
        before = first.setdefault(colour, line)
        if before.number("loss") != line.number("loss"):
            found, expected = line.text("loss"), f"{before.text('loss')} as in row {before.row}: one colour, one loss"
            raise RecordError.collect([Problem(line.file, line.row, "loss", found, expected)])
