"""Where a task emerges, measured: the pre-training loss and step at which an accuracy leaves chance and stays away from it.

The one rule by which everything of the emergence experiment is judged, applied alike to answers without fine-tuning and after it.
What cannot be measured is named and counted: a task that had emerged at the first checkpoint is censored, one that never stays is
not emerged, and an accuracy that falls back below the cut after having reached it is a reversal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

CUT = 0.35  # an accuracy that has left chance (0.25): seven standard errors of 1,000 questions above it
FOUND, CENSORED, NOT_EMERGED = "found", "censored", "not_emerged"


@dataclass(frozen=True)
class Threshold:
    """A measured emergence: its status, the loss in nats per token and the step (both interpolated), and how often it fell back."""

    status: str
    loss: float
    step: float
    reversals: int


def threshold(steps: Sequence[float], losses: Sequence[float], accuracies: Sequence[float], cut: float = CUT) -> Threshold:
    """Find where the accuracy reaches the cut for good, checkpoints in the order of their steps.

    Interpolated between the last checkpoint below the cut and the next: the loss linearly, the step in its logarithm.

    >>> found = threshold([100, 200, 400], [2.0, 1.8, 1.6], [0.25, 0.30, 0.40])
    >>> found.status, round(found.loss, 6), round(found.step, 1)
    ('found', 1.7, 282.8)
    >>> threshold([100, 200, 400], [2.0, 1.8, 1.6], [0.40, 0.50, 0.60]).status
    'censored'
    >>> threshold([100, 200, 400], [2.0, 1.8, 1.6], [0.25, 0.40, 0.30])
    Threshold(status='not_emerged', loss=nan, step=nan, reversals=1)
    """
    value = np.asarray(accuracies, dtype=float)
    above = value >= cut
    reversals = int((above[:-1] & ~above[1:]).sum())
    if not above[-1]:
        return Threshold(NOT_EMERGED, float("nan"), float("nan"), reversals)
    below = np.flatnonzero(~above)
    if not below.size:
        return Threshold(CENSORED, float("nan"), float("nan"), reversals)
    at = int(below[-1])
    share = (cut - value[at]) / (value[at + 1] - value[at])
    loss = losses[at] + share * (losses[at + 1] - losses[at])
    step = np.exp(np.log(steps[at]) + share * (np.log(steps[at + 1]) - np.log(steps[at])))
    return Threshold(FOUND, float(loss), float(step), reversals)


def means(table: pl.DataFrame) -> pl.DataFrame:
    """Average the subsets: one row a run, step, protocol and number of examples."""
    key = ["run", "frequency", "width", "seed", "step", "text_loss", "protocol", "examples"]
    return table.group_by(key).agg(pl.col("accuracy").mean()).sort("run", "step", "protocol", "examples")


def thresholds(table: pl.DataFrame) -> list[dict[str, Any]]:
    """Measure every run's emergence without fine-tuning (examples 0) and by number of examples, subsets averaged."""
    rows: list[dict[str, Any]] = []
    key = ["run", "frequency", "width", "seed", "protocol", "examples"]
    for values, part in means(table).group_by(key, maintain_order=True):
        ordered = part.sort("step")
        found = threshold(ordered["step"].to_list(), ordered["text_loss"].to_list(), ordered["accuracy"].to_list())
        rows.append({**dict(zip(key, values, strict=True)), **vars(found)})
    return sorted(rows, key=lambda row: (row["width"], row["frequency"], row["seed"], row["protocol"], row["examples"]))
