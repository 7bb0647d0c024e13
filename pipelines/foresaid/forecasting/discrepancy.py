"""How wrong a law has been beyond its rows, learned across series: bias and variance that grow with the distance.

One factor a fit, learned from a handful of its own rows, is symmetric and blind to distance. All series of a law's kind together
say more: each has forecast its own furthest training rows from the rest (forecasting/recalibration.py), and four numbers are
chosen that would have served those forecasts best. A series of one's own data set counts fully, those of others together as much
as OTHERS series: data sets borrow from each other while they are small (a power prior, Ibrahim and Chen 2000, Statistical
Science 15 (1)). That a law differs from reality by a function of its inputs is Kennedy and O'Hagan 2001, JRSS B 63 (3).
Rows that will be scored never come here. How this form was chosen, and what else was tried: docs/results-intervals.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from foresaid.arrays import Array
from foresaid.fitting.discrepancy import Discrepancy, student
from foresaid.scoring.levels import LEVELS

LEAST = 3  # independent series: fewer teach nothing beyond their own runs, and the one factor of recalibration.py stays
OTHERS = 5.0  # series' worth of what other data sets say
RIDGE = 0.1  # on (ln scale)^2 over the number of series: where backtests say nothing the bootstrap's spread is believed
ASIDE = 3.5  # robust standard deviations of ln(error): Iglewicz and Hoaglin 1993
LEAST_DEVIATION = 0.5  # of ln(error): errors of alike series may well differ by two thirds


@dataclass(frozen=True)
class SeriesBacktest:
    """What one series forecast of its own training rows, on the noise scale.

    `half` (n, L) are distances of its quantiles from the median, `error` (n,) outcome less median, `distance` (n,) how far beyond
    the rows it was fitted on. `subjects` are its rows: series that share one are not independent.
    """

    name: str
    data_set: str
    subjects: frozenset[str]
    half: Array
    error: Array
    distance: Array


def independent(series: Sequence[SeriesBacktest]) -> int:
    """Count groups of series that share no run with each other: eight tasks of one ladder of runs are one."""
    groups: list[set[str]] = []
    for one in series:
        shared = [group for group in groups if group & one.subjects]
        groups = [group for group in groups if not group & one.subjects] + [set(one.subjects).union(*shared)]
    return len(groups)


def diverged(series: Sequence[SeriesBacktest]) -> tuple[str, ...]:
    """Name the series whose median absolute error lies ASIDE robust deviations above the others', on the log scale.

    One run that diverged would otherwise make everybody's interval wider: WIS grows with the error.
    """
    if len(series) < LEAST:
        return ()
    size = np.log([max(float(np.median(np.abs(one.error))), 1e-300) for one in series])
    middle = float(np.median(size))
    deviation = max(1.4826 * float(np.median(np.abs(size - middle))), LEAST_DEVIATION)
    return tuple(one.name for one, each in zip(series, size, strict=True) if each > middle + ASIDE * deviation)


def learn(series: Sequence[SeriesBacktest], data_set: str, edge: float, progress: int, without: str = "") -> Discrepancy | None:
    """Learn the discrepancy of a data set from all series, or None where fewer than LEAST are independent.

    `without` leaves out one series by name: what only the others teach. `edge` and `progress` are of the series it is for.
    """
    every = sorted((one for one in series if len(one.error) and one.name != without), key=lambda one: one.name)
    aside = diverged(every)
    kept = [one for one in every if one.name not in aside]
    count = independent(kept)
    if count < LEAST:
        return None
    others = sum(one.data_set != data_set for one in kept)
    weights = [1.0 if one.data_set == data_set else min(1.0, OTHERS / others) for one in kept]
    bias, scale, growth, floor = _least_wis(kept, np.array(weights))
    return Discrepancy(bias, scale, growth, floor, edge, progress, len(kept), count, aside)


def _least_wis(series: Sequence[SeriesBacktest], weights: Array) -> tuple[float, float, float, float]:
    """Minimise the mean WIS of all backtests over (bias, ln scale, ln growth, ln floor); each series counts by its weight.

    WIS is twice the mean pinball loss over symmetric levels (Bracher et al. 2021, arXiv 2005.12881), so its gradient is exact.
    """
    from scipy.optimize import minimize  # only those who learn pay for it

    half, error = np.vstack([one.half for one in series]), np.concatenate([one.error for one in series])
    distance = np.concatenate([one.distance for one in series])
    share = np.concatenate([np.full(len(one.error), w / len(one.error)) for one, w in zip(series, weights, strict=True)])
    share /= share.sum()
    size = float(np.median(np.abs(error))) + 1e-9
    levels, t = np.array(LEVELS), student(np.array(LEVELS))
    sign, ridge = np.sign(t), RIDGE / float(weights.sum())

    # What a row below or above a quantile adds to the slope; and room: arrays made anew cost more than what is done in them.
    twice = share[:, None] * 2.0
    below, above = twice * (1.0 - levels) / len(levels) / size, twice * -levels / len(levels) / size
    scaled, root, short, slope, outward, spare = np.empty((6, *half.shape))

    def total(one: Array, other: Array) -> float:
        return float(np.multiply(one, other, out=spare).sum())

    def cost(p: Array) -> tuple[float, Array]:
        np.square(np.multiply(np.exp(p[1]), half, out=scaled), out=scaled)
        grown, floor = (np.exp(p[2]) * distance[:, None]) ** 2, np.exp(2.0 * p[3])
        np.multiply(t**2, grown + floor, out=root)
        np.sqrt(np.add(scaled, root, out=root), out=root)
        np.subtract(error[:, None] - p[0] * distance[:, None], np.multiply(sign, root, out=short), out=short)
        np.maximum(np.multiply(levels, short, out=slope), np.multiply(levels - 1.0, short, out=spare), out=spare)
        loss = 2.0 * spare.mean(axis=1)
        np.copyto(slope, below)
        np.copyto(slope, above, where=short > 0)
        root[~(root > 0)] = 1.0
        np.divide(np.multiply(slope, sign, out=outward), root, out=outward)
        gradient = [total(slope, distance[:, None]), total(outward, scaled) + 2.0 * ridge * p[1]]
        np.multiply(outward, t**2, out=outward)
        gradient += [total(outward, grown), total(outward, floor)]
        return float(share @ loss) / size + ridge * p[1] ** 2, np.array(gradient)

    far = np.log(size / (float(distance.mean()) + 0.1))
    low = np.log(size)
    bounds = [(-3.0, 3.0), (np.log(0.05), np.log(8.0)), (low - 8.0, low + 4.0), (low - 8.0, low + 4.0)]
    starts = ([0.0, 0.0, far, low - 0.7], [0.0, -0.5, far - 2.0, low], [0.0, 0.0, low - 4.0, low - 4.0])
    found = [minimize(cost, start, jac=True, method="L-BFGS-B", bounds=bounds) for start in starts]
    best = min(found, key=lambda one: float(one.fun)).x
    return float(best[0]), float(np.exp(best[1])), float(np.exp(best[2])), float(np.exp(best[3]))
