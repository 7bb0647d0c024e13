"""Baselines told what a law of other scores is told: the model's scores on the law's own covariates (N1 to N4).

A law that sees seven scores of a new model has to beat whoever copies the most similar known model, or draws a line through the
mean of those scores. Inputs are the law's covariates on its own scales, gaps included; the spread is the baseline's own record, as
for every other baseline (baselines.py). The nearest model needs no fit and is the reference named for such laws (methods.py).
"""

from __future__ import annotations

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
    scores = [(k, known.kept((shifted_last, k), lambda rows, k=k: _having(rows, k))) for k in _told(asked, i)]
    before = [last_of_line_and_tier(rows, asked, i) for _, rows in scores if rows.n]
    base = last_of_line_and_tier(known, asked, i)
    if not before:
        return base
    *expected, middle = to_probit(np.array([*before, base])).tolist()
    surprises = asked.probits[i, [k for k, rows in scores if rows.n]] - np.array(expected)
    count = len(expected)
    moved = middle + float(surprises.mean()) * count / (count + 1.0)
    return float(from_probit(np.array([moved]))[0])


def _told(asked: Board, i: int) -> list[int]:
    """The other scores that a row has."""
    return asked.kept((_told, i), lambda rows: np.flatnonzero(np.isfinite(rows.probits[i])).tolist())


def _having(known: Board, k: int) -> Board:
    """The rows that have another score, with it in place of their value."""
    rows = known.where(np.isfinite(known.probits[:, k]))
    return rows.saying(from_probit(rows.probits[:, k]))


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


def _usable(known: Board, x: Array) -> tuple[NDArray[np.intp], NDArray[np.bool_], Array]:
    """Columns the model has and enough others too; which rows have any of them, and those inputs, standardised with gaps at 0."""
    columns = np.flatnonzero(np.isfinite(x) & (np.isfinite(known.x).sum(axis=0) >= FEWEST_ROWS))
    any_known: NDArray[np.bool_] = np.asarray(np.isfinite(known.x[:, columns]).any(axis=1))
    inputs = known.x[any_known][:, columns]
    if not columns.size or len(inputs) < FEWEST_ROWS:
        return columns[:0], any_known, inputs
    return columns, any_known, inputs


def ridge_on_others(known: Board, asked: Board, i: int) -> float:
    """N3: ridge regression on the other scores (standardised, gaps filled with the mean, penalty one).

    (Z'Z + I) b = Z'(y - mean) on centred inputs, as scikit-learn's Ridge with an intercept; solved here because one call of that
    costs many times the system of a dozen unknowns, and this is asked ten thousand times.
    """
    x = asked.x[i]
    columns, kept, inputs = _usable(known, x)
    if not columns.size:
        return training_mean(known, asked, i)
    centre, spread = np.nanmean(inputs, axis=0), np.maximum(np.nanstd(inputs, axis=0), 1e-6)
    z = np.nan_to_num((inputs - centre) / spread)
    middle, mean = z.mean(axis=0), float(known.y[kept].mean())
    off = z - middle
    weights = np.linalg.solve(off.T @ off + RIDGE * np.eye(len(columns)), off.T @ (known.y[kept] - mean))
    return float(mean + ((x[columns] - centre) / spread - middle) @ weights)


def sigmoid_of_mean(known: Board, asked: Board, i: int) -> float:
    """N4: a straight line, on the logit scale, in the mean of the other scores (each centred on the known models)."""
    x = asked.x[i]
    columns, kept, inputs = _usable(known, x)
    if not columns.size:
        return training_mean(known, asked, i)
    centre = np.nanmean(inputs, axis=0)
    mean, at = np.nanmean(inputs - centre, axis=1), float((x[columns] - centre).mean())
    share = np.clip(known.y[kept], LOGIT_EDGE, 1.0 - LOGIT_EDGE)
    z = np.log(share / (1.0 - share))
    off = mean - mean.mean()
    slope = float((off * z).sum() / max(float((off**2).sum()), 1e-12))
    return float(1.0 / (1.0 + np.exp(-(z.mean() + slope * (at - mean.mean())))))


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
