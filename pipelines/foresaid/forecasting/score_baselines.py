"""Baselines told what a law of other scores is told: the model's scores on the law's own covariates (N1 to N4).

A law that sees seven scores of a new model has to beat whoever copies the most similar known model, or draws a line through the
mean of those scores. Inputs are the law's covariates on its own scales, gaps included; the spread is the baseline's own record, as
for every other baseline (baselines.py). The nearest model needs no fit and is the reference named for such laws (methods.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foresaid.arrays import Array
from foresaid.fitting.transforms import LOGIT_EDGE
from foresaid.forecasting.baselines import Baseline, Record, last_of_line_and_tier, training_mean
from foresaid.forecasting.board import Board, from_probit, to_probit
from foresaid.forecasting.method import SCORES

FEWEST_SHARED = 3  # scores two models must share to be compared
FEWEST_ROWS = 4  # known models a score needs to be of use
RIDGE = 1.0  # penalty on standardised inputs


def shifted_last(known: Board, asked: Board, i: int) -> float:
    """N1: the last of line and tier, moved on the probit scale by the mean surprise of the n other scores times n / (n + 1).

    The surprise of a score is what the model has above what the same rule would have forecast for that score. A score that no known
    row has gives none.
    """
    scores = [(k, _having(known, k)) for k in np.flatnonzero(np.isfinite(asked.probits[i])).tolist()]
    before = [last_of_line_and_tier(rows, asked, i) for _, rows in scores if rows.n]
    base = last_of_line_and_tier(known, asked, i)
    if not before:
        return base
    *expected, middle = to_probit(np.array([*before, base])).tolist()
    surprises = asked.probits[i, [k for k, rows in scores if rows.n]] - np.array(expected)
    count = len(expected)
    moved = middle + float(surprises.mean()) * count / (count + 1.0)
    return float(from_probit(np.array([moved]))[0])


def _having(known: Board, k: int) -> Board:
    """The rows that have another score, with it in place of their value."""

    def cut(whole: Board) -> Board:
        rows = whole.where(np.isfinite(whole.probits[:, k]))
        return rows.saying(from_probit(rows.probits[:, k]))

    return known.kept((_having, k), cut)


def nearest_known_model(known: Board, asked: Board, i: int) -> float:
    """N2: the value of the known model whose shared scores are nearest (root mean square), best first among equals."""
    x = asked.x[i]
    gap = known.x - x
    shared = np.isfinite(gap).sum(axis=1)
    least = min(FEWEST_SHARED, int(np.isfinite(x).sum()))
    if least == 0 or not (shared >= least).any():
        return training_mean(known, asked, i)
    distance = np.sqrt(np.nansum(gap**2, axis=1) / np.maximum(shared, 1))
    distance[shared < least] = np.inf
    return float(known.y[np.lexsort((-known.y, distance))[0]])


@dataclass(frozen=True)
class _Inputs:
    """Columns a model has and enough others too; values of the rows that have any of them, and those inputs with their means."""

    columns: NDArray[np.intp]
    y: Array
    inputs: Array
    centre: Array


def _usable(known: Board, x: Array) -> _Inputs | None:
    """What can be learned for a model with scores `x` (k,); None where too few rows share too few columns."""
    counts = known.kept(FEWEST_ROWS, lambda rows: np.isfinite(rows.x).sum(axis=0))
    columns = np.flatnonzero(np.isfinite(x) & (counts >= FEWEST_ROWS))

    def cut(rows: Board) -> _Inputs | None:
        any_known = np.isfinite(rows.x[:, columns]).any(axis=1)
        inputs = rows.x[any_known][:, columns]
        if not columns.size or len(inputs) < FEWEST_ROWS:
            return None
        return _Inputs(columns, rows.y[any_known], inputs, np.nanmean(inputs, axis=0))

    return known.kept((_usable, columns.tobytes()), cut)


def ridge_on_others(known: Board, asked: Board, i: int) -> float:
    """N3: ridge regression on the other scores (standardised, gaps filled with the mean, penalty one).

    (Z'Z + I) b = Z'(y - mean) on centred inputs, as scikit-learn's Ridge with an intercept; solved here because one call of that
    costs many times the system of a dozen unknowns, and this is asked ten thousand times.
    """
    x = asked.x[i]
    found = _usable(known, x)
    if found is None:
        return training_mean(known, asked, i)
    mean, middle, spread, weights = known.kept((ridge_on_others, found.columns.tobytes()), lambda _: _ridge(found))
    return float(mean + ((x[found.columns] - found.centre) / spread - middle) @ weights)


def _ridge(found: _Inputs) -> tuple[float, Array, Array, Array]:
    spread = np.maximum(np.nanstd(found.inputs, axis=0), 1e-6)
    z = np.nan_to_num((found.inputs - found.centre) / spread)
    middle, mean = z.mean(axis=0), float(found.y.mean())
    off = z - middle
    return mean, middle, spread, np.linalg.solve(off.T @ off + RIDGE * np.eye(len(found.columns)), off.T @ (found.y - mean))


def sigmoid_of_mean(known: Board, asked: Board, i: int) -> float:
    """N4: a straight line, on the logit scale, in the mean of the other scores (each centred on the known models)."""
    x = asked.x[i]
    found = _usable(known, x)
    if found is None:
        return training_mean(known, asked, i)
    middle, slope, mean = known.kept((sigmoid_of_mean, found.columns.tobytes()), lambda _: _line(found))
    at = float((x[found.columns] - found.centre).mean())
    return float(1.0 / (1.0 + np.exp(-(middle + slope * (at - mean)))))


def _line(found: _Inputs) -> tuple[Any, float, Any]:
    mean = np.nanmean(found.inputs - found.centre, axis=1)
    share = np.clip(found.y, LOGIT_EDGE, 1.0 - LOGIT_EDGE)
    z = np.log(share / (1.0 - share))
    off = mean - mean.mean()
    slope = float((off * z).sum() / max(float((off**2).sum()), 1e-12))
    return z.mean(), slope, mean.mean()


FOR_SCORES: dict[str, Baseline] = {
    "shifted_last": Baseline(
        shifted_last,
        "Last of line, shifted",
        "the last of line and tier, moved by the mean surprise of the model's other scores",
        SCORES,
        Record.EARLIER,
    ),
    "nearest_known_model": Baseline(
        nearest_known_model, "Nearest known model", "the score of the known model whose other scores are nearest", SCORES
    ),
    "ridge_on_others": Baseline(ridge_on_others, "Ridge on other scores", "ridge regression on the model's other scores", SCORES),
    "sigmoid_of_mean": Baseline(
        sigmoid_of_mean, "Line in the mean score", "a logistic line in the mean of the model's other scores", SCORES
    ),
}
