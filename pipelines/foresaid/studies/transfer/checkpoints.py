"""A person's own checkpoints at several fine-tuning sizes: what pre-training is worth at each, and a score beside a loss.

One row a checkpoint and fine-tuning size, with a score of the task (higher is better, 0 to 100) and perhaps the loss of the same
fine-tuned model. A row with no pre-training tokens is the model trained on the task alone; what pre-training is worth is the score
above it, or above the first checkpoint where there is none.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from foresaid.arrays import Array
from foresaid.errors import BadCell, ParameterError, RecordError
from foresaid.files import read_csv
from foresaid.studies.pretraining_decision import BLEU_AT_MOST, LEAST, LEAST_FOR_INTERVAL, Series, ahead, interval_ahead, is_loss
from foresaid.studies.transfer.joint import JointFit, fit_loss, fit_score

COLUMNS = ("tokens", "examples")
ONE_SIDED = 1.645  # standard deviations of a one-sided test at 5 %


@dataclass(frozen=True)
class Checkpoints:
    """Rows by fine-tuning size and tokens: `tokens` (0: not pre-trained), `examples`, `score`, `loss` (NaN without), all (n,)."""

    score_name: str
    loss_name: str
    tokens: Array
    examples: Array
    score: Array
    loss: Array

    def at(self, size: float) -> Checkpoints:
        """Return the rows of one fine-tuning size."""
        keep = self.examples == size
        columns = (self.tokens[keep], self.examples[keep], self.score[keep], self.loss[keep])
        return Checkpoints(self.score_name, self.loss_name, *columns)

    @property
    def sizes(self) -> list[float]:
        """The fine-tuning sizes, ascending."""
        return sorted(set(self.examples.tolist()))


@dataclass(frozen=True)
class Worth:
    """What pre-training gives at one fine-tuning size: score now, the score it is set against, the gain and what is said of it.

    `ahead` and its 80 % ends are the gain forecast at the most tokens asked for, NaN where nothing was asked or could be fitted.
    `loss_falls` counts steps between checkpoints in which the loss falls, `score_falls` those of them in which the score falls too.
    """

    examples: float
    checkpoints: int
    score: float
    against: float
    untrained: bool
    gain: float
    verdict: str
    ahead: float
    low: float
    high: float
    steps: int
    loss_falls: int
    score_falls: int


def read(path: Path) -> Checkpoints:
    """Read a CSV file with columns tokens, examples, one score, and perhaps one loss, told apart by their names.

    Raises UnreadableError, ParameterError for missing columns, RecordError that names every bad cell.
    """
    header, rows = read_csv(path, "a CSV file with tokens, examples, a score and perhaps a loss")
    others = [name for name in header if name not in COLUMNS]
    losses, scores = [name for name in others if is_loss(name)], [name for name in others if not is_loss(name)]
    if not set(COLUMNS) <= set(header) or len(scores) != 1 or len(losses) > 1 or not rows:
        found = ", ".join(header) or "no columns"
        raise ParameterError(
            f"{path}: found {found}{'' if rows else ', no rows'}, expected tokens, examples, one score and perhaps one loss"
        )
    limits = {
        "tokens": (0.0, math.inf, "pre-training tokens, 0 for a model that was not pre-trained"),
        "examples": (5e-324, math.inf, "the fine-tuning size, above 0"),
        scores[0]: (5e-324, BLEU_AT_MOST, "a score above 0 and at most 100; multiply fractions by 100"),
        **dict.fromkeys(losses, (5e-324, math.inf, "a loss above 0")),
    }
    problems: list[BadCell] = []
    values: dict[str, list[float]] = {name: [] for name in limits}
    for number, row in enumerate(rows, start=2):
        for name, (low, high, expected) in limits.items():
            text = (row.get(name) or "").strip()
            try:
                value = float(text)
            except ValueError:
                value = math.nan
            if not (math.isfinite(value) and low <= value <= high) or None in row:
                problems.append(
                    BadCell(str(path), number, name, text or "nothing", expected, "one value a column, decimals with a point")
                )
            values[name].append(value)
    if problems:
        raise RecordError.collect(problems)
    places = list(zip(values["examples"], values["tokens"], strict=True))
    twice = [place for place in set(places) if places.count(place) > 1]
    if twice:
        raise ParameterError(
            f"{path}: found {twice[0][1]:g} tokens at size {twice[0][0]:g} twice, expected one row each; average seeds"
        )
    order = sorted(range(len(rows)), key=lambda i: places[i])
    tokens, examples, score = (np.array(values[name])[order] for name in (*COLUMNS, scores[0]))
    loss = np.array(values[losses[0]])[order] if losses else np.full(len(rows), np.nan)
    return Checkpoints(scores[0], losses[0] if losses else "", tokens, examples, score, loss)


def worth(own: Checkpoints, tolerance: float, noise: float, fall: float, maximum: float | None, seed: int) -> list[Worth]:
    """Say for every fine-tuning size what pre-training is worth, the smallest size first.

    `tolerance` is the gain that counts, `noise` the standard deviation of one score: worth it where the gain is above `tolerance`
    by more than noise explains, not worth it where it is below by as much, else undecided. A fall of up to `fall` is noise.
    """
    return [_of_size(own.at(size), size, tolerance, noise, fall, maximum, seed) for size in own.sizes]


def _of_size(
    rows: Checkpoints, size: float, tolerance: float, noise: float, fall: float, maximum: float | None, seed: int
) -> Worth:
    trained = rows.tokens > 0
    tokens, score, loss = rows.tokens[trained], rows.score[trained], rows.loss[trained]
    untrained = bool((~trained).any())
    if not len(score):
        raise ParameterError(f"transfer: found no pre-trained checkpoint at size {size:g}, expected tokens above 0")
    against = float(rows.score[~trained][0]) if untrained else float(score[0])
    gain = float(score[-1]) - against
    doubt = ONE_SIDED * math.sqrt(2.0) * noise
    verdict = "worth it" if gain - doubt > tolerance else "not worth it" if gain + doubt < tolerance else "undecided"
    forecast = low = high = math.nan
    if maximum is not None and len(score) >= LEAST:
        series = Series(rows.score_name, tokens, score)
        forecast = ahead(series, maximum)[0] - against
        if len(score) >= LEAST_FOR_INTERVAL:
            ends = interval_ahead(series, maximum, seed)
            low, high = (ends[0] - against, ends[1] - against) if ends is not None else (math.nan, math.nan)
    falling = np.diff(loss) < 0.0
    both = falling & (np.diff(score) < -max(fall, 2.0 * noise))
    counts = (len(falling), int(falling.sum()), int(both.sum()))
    return Worth(size, len(score), float(score[-1]), against, untrained, gain, verdict, forecast, low, high, *counts)


def joint(own: Checkpoints) -> tuple[list[JointFit], list[JointFit]]:
    """Fit score and loss in both sizes; empty where there are fewer than two sizes, or no loss."""
    trained = own.tokens > 0
    if len(own.sizes) < 2 or trained.sum() < 6:
        return [], []
    sizes = own.tokens[trained], own.examples[trained]
    losses = [] if np.isnan(own.loss[trained]).any() else fit_loss(*sizes, own.loss[trained])
    return fit_score(*sizes, own.score[trained]), losses


def break_even(found: Sequence[Worth], tolerance: float) -> tuple[float, float] | None:
    """Return the two neighbouring fine-tuning sizes between which the gain falls below what counts, or None."""
    for smaller, larger in pairwise(found):
        if smaller.gain > tolerance >= larger.gain:
            return smaller.examples, larger.examples
    return None
