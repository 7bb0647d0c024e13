"""Baselines told what a law of other scores is told: the model's scores on the law's own covariates (N2 to N4).

A law that sees seven scores of a new model has to beat whoever copies the most similar known model, or draws a line through the
mean of those scores. Inputs are the law's covariates on its own scales, gaps included; the spread is the baseline's own record, as
for every other baseline (baselines.py). The nearest model needs no fit and is the reference named for such laws (methods.py).
"""

from __future__ import annotations

from datetime import date

import numpy as np
from numpy.typing import NDArray

from foresaid.arrays import Array
from foresaid.fitting.data import TrainingTable
from foresaid.fitting.transforms import LOGIT_EDGE
from foresaid.forecasting.baselines import by_name, named, training_mean
from foresaid.forecasting.method import SCORES

FEWEST_SHARED = 3  # scores two models must share to be compared
FEWEST_ROWS = 4  # known models a score needs to be of use
RIDGE = 1.0  # penalty on standardised inputs


def nearest_known_model(rows: TrainingTable, cluster: str, released_on: date | None, x: Array) -> float:
    """N2: the value of the known model whose shared scores are nearest (root mean square), best first among equals."""
    gap = rows.x - x
    shared = np.isfinite(gap).sum(axis=1)
    least = min(FEWEST_SHARED, int(np.isfinite(x).sum()))
    if least == 0 or not (shared >= least).any():
        return training_mean(rows, cluster, released_on, x)
    distance = np.sqrt(np.nansum(gap**2, axis=1) / np.maximum(shared, 1))
    distance[shared < least] = np.inf
    return float(rows.y[np.lexsort((-rows.y, distance))[0]])


def _usable(rows: TrainingTable, x: Array) -> tuple[NDArray[np.intp], NDArray[np.bool_], Array]:
    """Columns the model has and enough others too; which rows have any of them, and those inputs, standardised with gaps at 0."""
    columns = np.flatnonzero(np.isfinite(x) & (np.isfinite(rows.x).sum(axis=0) >= FEWEST_ROWS))
    any_known: NDArray[np.bool_] = np.asarray(np.isfinite(rows.x[:, columns]).any(axis=1))
    inputs = rows.x[any_known][:, columns]
    if not columns.size or len(inputs) < FEWEST_ROWS:
        return columns[:0], any_known, inputs
    return columns, any_known, inputs


def ridge_on_others(rows: TrainingTable, cluster: str, released_on: date | None, x: Array) -> float:
    """N3: ridge regression on the other scores (standardised, gaps filled with the mean, penalty one)."""
    columns, kept, inputs = _usable(rows, x)
    if not columns.size:
        return training_mean(rows, cluster, released_on, x)
    centre, spread = np.nanmean(inputs, axis=0), np.maximum(np.nanstd(inputs, axis=0), 1e-6)
    from sklearn.linear_model import Ridge  # takes half a second to load, and most stages never ask

    model = Ridge(alpha=RIDGE).fit(np.nan_to_num((inputs - centre) / spread), rows.y[kept])
    return float(model.predict(((x[columns] - centre) / spread)[None, :])[0])


def sigmoid_of_mean(rows: TrainingTable, cluster: str, released_on: date | None, x: Array) -> float:
    """N4: a straight line, on the logit scale, in the mean of the other scores (each centred on the known models)."""
    columns, kept, inputs = _usable(rows, x)
    if not columns.size:
        return training_mean(rows, cluster, released_on, x)
    centre = np.nanmean(inputs, axis=0)
    mean, at = np.nanmean(inputs - centre, axis=1), float((x[columns] - centre).mean())
    share = np.clip(rows.y[kept], LOGIT_EDGE, 1.0 - LOGIT_EDGE)
    z = np.log(share / (1.0 - share))
    off = mean - mean.mean()
    slope = float((off * z).sum() / max(float((off**2).sum()), 1e-12))
    return float(1.0 / (1.0 + np.exp(-(z.mean() + slope * (at - mean.mean())))))


INFORMED = (
    named(nearest_known_model, "Nearest known model", "the score of the known model whose other scores are nearest", SCORES),
    named(ridge_on_others, "Ridge on other scores", "ridge regression on the model's other scores", SCORES),
    named(sigmoid_of_mean, "Line in the mean score", "a logistic line in the mean of the model's other scores", SCORES),
)
FOR_SCORES = by_name(INFORMED)
