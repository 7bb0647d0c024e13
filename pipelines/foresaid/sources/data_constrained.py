"""Runs on repeated data (Muennighoff et al., arXiv 2305.16264): 182 runs with their parameters, tokens and unique tokens.

Traps of the upstream table, each handled here:
- The headers are the wrong way round. A run's id spells parameters, tokens seen and unique tokens (2b855b4b: 2.8 B
  parameters, 55 B tokens, 4 B of them unique), and it is the column `unique_tokens` that holds the 55 B. The id decides and
  every row is checked against it. Read as labelled, 153 runs would have seen less than one epoch; in truth they repeat.
- Runs of many epochs break the plain law of parameters and tokens: their loss says how many epochs it took.
- One loss carries a trailing blank. Ids that start with 25m hold 35.5 M parameters: the column counts, the row says so.
"""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

from foresaid.sources._reading import Reading, RunSubject, Score
from foresaid.sources._upstream import Line, slug, table

PATH = "data/data_constrained_scaling_law/data.csv"
SEEN, UNIQUE = "unique_tokens", "tokens"  # as the ids show, not as the headers say
SIZES = {"b": Decimal(10**9), "m": Decimal(10**6)}
LABEL_ERROR = Decimal("0.11")  # a label keeps one digit after the first ("1b1" for 1.19 B)


def read(folder: Path) -> Reading:
    """Read the 182 runs, one subject each."""
    scores: list[Score] = []
    subjects: dict[str, RunSubject] = {}
    for line in table(folder, PATH, ["id", "params", "unique_tokens", "tokens", "loss"]):
        name = line.text("id")
        subject = f"data-constrained/{slug(name)}"
        if subject in subjects:
            line.refuse("id", name, "each run once")
        size, seen, unique = line.number("params"), line.number(SEEN), line.number(UNIQUE)
        label = _label(seen) + _label(unique)
        if not name.endswith(label):
            line.refuse("id", name, f"an id that ends with {label}: tokens seen, then unique tokens")
        if not 0 < unique <= seen:
            line.refuse(UNIQUE, str(unique), f"above 0 and at most the {seen} tokens seen")
        subjects[subject] = RunSubject(subject, "run", subject, f"data-constrained/{slug(name.removesuffix(label))}")
        notes = [_size_note(name.removesuffix(label), size, line), f"{float(seen / unique):.4g} epochs" if seen > unique else ""]
        loss = float(line.forgiving("loss"))
        note = "; ".join(part for part in notes if part)
        for quantity, value in (("params_total", size), ("training_tokens", seen), ("unique_tokens", unique)):
            scores.append(Score(subject, quantity, "", float(value), file=line.file, row=line.row))
        scores.append(Score(subject, "data_constrained_loss", "", loss, note=note, file=line.file, row=line.row))
    return Reading(scores, list(subjects.values()))


def _label(tokens: Decimal) -> str:
    """Spell a number of tokens as the ids do.

    >>> _label(Decimal("1.5e9")), _label(Decimal("178000000000.0")), _label(Decimal("1e8"))
    ('1b5', '178b', '100m')
    """
    unit = "b" if tokens >= SIZES["b"] else "m"
    whole, rest = divmod(int(tokens), int(SIZES[unit]))  # whole numbers have no precision to exceed
    digit = rest * 10 // int(SIZES[unit])
    return f"{whole}{unit}{digit or ''}"


def _size_note(label: str, size: Decimal, line: Line) -> str:
    """Say where the id's own label of the size is far from the column."""
    for unit, scale in SIZES.items():
        whole, found, digit = label.partition(unit)
        if found and re.fullmatch(r"\d{1,4}", whole, re.ASCII) and re.fullmatch(r"\d{0,4}", digit, re.ASCII):
            meant = (Decimal(whole) + Decimal(digit or "0") / 10) * scale
            return "" if abs(size - meant) <= LABEL_ERROR * size else f"the id says {label} parameters"
    line.refuse("id", line.text("id"), "an id that starts with a size such as 2b8 or 146m")
