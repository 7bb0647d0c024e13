"""The emergence law fitted to early checkpoints of our own experiment, by maximum likelihood, for one run or several together.

Gaussian errors in the accuracy, so maximum likelihood is least squares; accuracies and fitted values are both capped at 0.6, since
the law's straight hinge says nothing of saturation. Runs fitted together share slope, base, shift and bend, and have one few-shot
emergence each, because seeds emerge at losses that differ by more than everything the law is about. Whole runs are resampled
for the bands, and then each run's own checkpoints.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from foresaid.arrays import Array
from foresaid.laws.emergence import PRIOR_SPREAD, TYPICAL_NOISE, WIDTH, Emergence

LAW = Emergence(chance=0.25, few_shot_size=12, largest_size=512)  # twelve pairs are shown in a few-shot question
CAP = 0.6
ALPHA_LIMIT = {"free": 25.0, "prior": 5.0}  # `prior` is the law as it is specified: LogNormal(0, 0.5), at most 5
SLOPES, SHIFTS, BASE = (0.05, 5.0), (0.0, 3.0), 0.03
SHARED = 4  # slope, base, shift, ln alpha; after them one few-shot emergence a run
BELOW, ALPHAS = (0.05, 0.25), (1.5, 8.0)  # of the starts: nats below the lowest loss seen, and bends
GRID = np.linspace(-1.0, 1.0, 401)  # nats around the lowest loss, where a run's own emergence is looked for

Integers = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class CheckpointRows:
    """What a forecast may see: loss, ln D, accuracy, and to which run (0, 1, ...) and checkpoint each belongs; all (N,)."""

    loss: Array
    ln_size: Array
    accuracy: Array
    run: Integers
    step: Integers

    def of(self, which: np.ndarray[Any, np.dtype[np.bool_]]) -> CheckpointRows:
        """The rows picked by a mask."""
        return CheckpointRows(self.loss[which], self.ln_size[which], self.accuracy[which], self.run[which], self.step[which])


def _per_row(theta: Array, run: Integers) -> Array:
    """Return the law's five parameters for each row (N, 5)."""
    slope, base, shift, ln_alpha = (np.full(len(run), value) for value in theta[:SHARED])
    return np.column_stack([slope, base, theta[SHARED + run], shift, ln_alpha])


def fit(
    rows: CheckpointRows,
    bend: str,
    weights: Array | None = None,
    start: Array | None = None,
    law: Emergence = LAW,
    cap: float = CAP,
) -> Array:
    """Return slope, base, shift, ln alpha and each run's few-shot emergence (4 + runs,); `weights` (runs,) count runs.

    Several starts unless one is given; the best is kept. `law` says chance and sizes, `cap` where accuracies saturate.

    >>> loss, ln_size = (grid.ravel() for grid in np.meshgrid([2.4, 2.2, 2.0, 1.9], np.log([64, 128, 256, 512.0])))
    >>> planted = np.array([2.0, 0.25, 0.6, np.log(4.0), 1.8])
    >>> zero = np.zeros(len(loss), dtype=np.int64)
    >>> y = LAW.curve(_per_row(planted, zero), np.column_stack([loss, ln_size])[:, None])[:, 0]
    >>> fit(CheckpointRows(loss, ln_size, y, zero, zero), "free").round(2).tolist()
    [2.0, 0.25, 0.6, 1.39, 1.8]
    """
    runs = int(rows.run.max()) + 1
    count = np.ones(runs) if weights is None else weights
    root = np.sqrt(count[rows.run])
    x = np.column_stack([rows.loss, rows.ln_size])[:, None]
    y = np.minimum(rows.accuracy, cap)
    pull = TYPICAL_NOISE / PRIOR_SPREAD if bend == "prior" else 0.0
    lower = np.array([SLOPES[0], law.chance - BASE, SHIFTS[0], np.log(0.1), *[0.0] * runs])
    upper = np.array([SLOPES[1], law.chance + BASE, SHIFTS[1], np.log(ALPHA_LIMIT[bend]), *[6.0] * runs])

    def residual(theta: Array) -> Array:
        fitted = law.curve(_per_row(theta, rows.run), x)[:, 0]
        return np.append(root * (np.minimum(fitted, cap) - y), pull * theta[3])

    def jacobian(theta: Array) -> Array:
        parameters = _per_row(theta, rows.run)
        by = law.jacobian(parameters, x)[:, 0] * (root * (law.curve(parameters, x)[:, 0] < cap))[:, None]
        full = np.zeros((len(y) + 1, SHARED + runs))
        full[:-1, :SHARED] = by[:, [0, 1, 3, 4]]
        full[np.arange(len(y)), SHARED + rows.run] = by[:, 2]
        full[-1, 3] = pull
        return full

    lowest = np.array([rows.loss[rows.run == one].min() if (rows.run == one).any() else 2.0 for one in range(runs)])
    starts = [np.append([2.0, law.chance, 0.6, np.log(alpha)], lowest - below) for below in BELOW for alpha in ALPHAS]
    from scipy.optimize import least_squares  # pages only read what was fitted

    best, least = starts[0], np.inf
    for first in starts if start is None else [start]:
        inside = np.clip(first, lower + 1e-6, upper - 1e-6)
        found = least_squares(residual, inside, jacobian, bounds=(lower, upper), x_scale=0.1, max_nfev=200)
        if found.cost < least:
            best, least = found.x, found.cost
    return np.asarray(best)


def own_emergence(rows: CheckpointRows, shared: Array, counts: Array, law: Emergence = LAW, cap: float = CAP) -> float:
    """Return the few-shot emergence of one run, all else given (4,), its rows weighted by `counts` (N,)."""
    candidates = rows.loss.min() + GRID
    parameters = np.column_stack(
        [np.broadcast_to(shared[[0, 1]], (len(GRID), 2)), candidates, np.broadcast_to(shared[[2, 3]], (len(GRID), 2))]
    )
    fitted = np.minimum(law.curve(parameters, np.column_stack([rows.loss, rows.ln_size])[None]), cap)
    return float(candidates[np.argmin((counts * (fitted - np.minimum(rows.accuracy, cap)) ** 2).sum(axis=1))])


def crossing(slope: float, base: float, few_shot: float, cut: float) -> float:
    """Return the loss at which the law's few-shot accuracy passes the cut: the corner, less the way up.

    >>> round(crossing(2.0, 0.25, 1.8, 0.35), 3)
    1.75
    """
    way = (cut - base) / slope
    return float(few_shot - WIDTH * np.log(np.expm1(way / WIDTH))) if way < 100 * WIDTH else few_shot - way


def resampled(rng: np.random.Generator, labels: Integers) -> Array:
    """Resample whole groups with replacement: how often each row's group was drawn (N,)."""
    names, place = np.unique(labels, return_inverse=True)
    return np.bincount(rng.integers(0, len(names), len(names)), minlength=len(names)).astype(float)[place]
