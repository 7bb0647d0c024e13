"""Whether stated probabilities can be believed, judged on few and dependent outcomes.

Coverage is a share of rows, but rows of one release hang together, so its interval uses the effective number of rows. The
probability integral transform (PIT) says where in its forecast each outcome fell; its first two moments, tested by release,
say whether forecasts sit too high or too low and whether they are too narrow or too wide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from foresaid.arrays import Array
from foresaid.scoring.rules import Resolution, _outcomes, half_width
from foresaid.scoring.significance import FEWEST_RELEASES, REPLICATES, TOO_FEW, holm, sign_test


@dataclass(frozen=True)
class Coverage:
    """Share of outcomes inside an interval, with its 95 % bounds; `effective` is the number of independent rows it is worth."""

    share: float
    lower: float
    upper: float
    effective: float
    n: int
    n_releases: int


def coverage_interval(inside: Array, clusters: Sequence[str], confidence: float = 0.95) -> Coverage:
    """Bound a coverage whose rows (n,) of 0 and 1 are dependent within clusters.

    Korn and Graubard 1998: the effective number is n over the design effect (the clustered variance of the share over that of
    independent rows), times (t_{n-1} / t_{G-1})^2, at most n; the bounds are Clopper and Pearson's for that number. Where
    all or none are inside the variance says nothing and the number of clusters is used.

    >>> found = coverage_interval(np.array([1.0, 1.0, 0.0, 1.0]), ["a", "b", "c", "d"])
    >>> round(found.share, 2), round(found.lower, 3), round(found.upper, 3)
    (0.75, 0.194, 0.994)
    """
    from scipy.special import betaincinv, stdtrit  # those who only know the names of scores do not pay for it

    hit = np.asarray(inside, dtype=float)
    names, member = np.unique(np.asarray(clusters), return_inverse=True)
    n, count = len(hit), len(names)
    share = float(hit.mean())
    effective = float(count)
    if count > 1 and 0.0 < share < 1.0:
        residual = np.bincount(member, weights=hit - share, minlength=count)
        variance = float((residual**2).sum()) * count / (count - 1) / n**2
        if variance > 0:
            tail = 1 - (1 - confidence) / 2
            shrink = (stdtrit(n - 1, tail) / stdtrit(count - 1, tail)) ** 2
            effective = float(min(n, n * share * (1 - share) / (n - 1) / variance * shrink))
    tail = (1 - confidence) / 2
    hits = share * effective
    lower = 0.0 if share == 0 else float(betaincinv(hits, effective - hits + 1, tail))
    upper = 1.0 if share == 1 else float(betaincinv(hits + 1, effective - hits, 1 - tail))
    return Coverage(share, lower, upper, effective, n, count)


def probability_integral_transform(
    quantiles: Array, levels: Sequence[float], outcomes: Array, resolution: Resolution = 0.0
) -> Array:
    """Where each outcome fell in its forecast: (n,), 0 below everything, 1 above everything.

    Linear between quantiles (n, L). Where several levels share one value (a bound, a point mass) the middle of their levels;
    below the first and above the last level the middle of what is left. For a calibrated forecast this is uniform.
    Dawid 1984; Gneiting, Balabdaoui, Raftery 2007, section 3. An outcome y known to the resolution r only gets the middle of
    the values at y - r/2 and y + r/2: what randomising between the two gives on average (Czado, Gneiting, Held 2009,
    section 2.1), without a random number. It is a little narrower than uniform where r is wide against the forecast.

    >>> probability_integral_transform(np.array([[1.0, 2.0, 3.0]] * 3), [0.25, 0.5, 0.75], np.array([2.5, 0.0, 3.0])).tolist()
    [0.625, 0.125, 0.75]
    >>> probability_integral_transform(np.array([[1.0, 2.0, 3.0]]), [0.25, 0.5, 0.75], np.array([3.5]), 2.0).tolist()
    [0.75]
    """
    y = _outcomes(outcomes)
    half = half_width(resolution, len(y))
    if not half.any():
        return _transform(quantiles, levels, y)
    return (_transform(quantiles, levels, y - half) + _transform(quantiles, levels, y + half)) / 2.0


def _transform(quantiles: Array, levels: Sequence[float], outcomes: Array) -> Array:
    level = np.asarray(levels, dtype=float)
    y = outcomes[:, None]
    below, upto = (quantiles < y).sum(axis=1), (quantiles <= y).sum(axis=1)
    tied = upto > below
    row = np.arange(len(outcomes))
    last = len(level) - 1
    left, right = np.clip(below - 1, 0, last), np.clip(below, 0, last)
    q_left, q_right = quantiles[row, left], quantiles[row, right]
    gap = np.where(q_right > q_left, q_right - q_left, 1.0)
    between = level[left] + (level[right] - level[left]) * (outcomes - q_left) / gap
    between = np.where(below == 0, level[0] / 2, np.where(below > last, (1 + level[-1]) / 2, between))
    middle = (level[right] + level[np.clip(upto - 1, 0, last)]) / 2
    return np.asarray(np.where(tied, middle, between))


@dataclass(frozen=True)
class CalibrationTest:
    """Test of uniform PIT values. `place` is above zero when outcomes lie above their forecasts, `width` when outside them.

    Both are means of orthonormal polynomials of the PIT: zero when calibrated. `p` is NaN where too few releases were seen.
    """

    place: float
    width: float
    p: float
    verdict: str


def calibration_test(
    pit: Array, clusters: Sequence[str], rng: np.random.Generator, replicates: int = REPLICATES, level: float = 0.05
) -> CalibrationTest:
    """Test that PIT values (n,), dependent within clusters, are uniform in place and in width.

    Neyman's smooth test with two components: h1 = sqrt(3) (2u - 1) and h2 = sqrt(5) (6u^2 - 6u + 1) have mean zero and
    variance one under uniformity. Each gets the wild bootstrap of its sums by release (`significance.sign_test`), and the two p
    Holm's adjustment; `p` is the smaller one. Student's t on the same sums rejects calibrated forecasts .7 to 2.2 % of the time
    where one release holds most rows, and Hotelling's T^2 on both at once up to three times too often with ten dependent releases.
    It looks at place and width only: a forecast wrong in shape alone passes.

    >>> u, names = (np.arange(40) + 0.5) / 40, [str(i) for i in range(40)]
    >>> calibration_test(u, names, np.random.default_rng(0)).verdict
    'no miscalibration shown'
    >>> calibration_test(np.tile([0.02, 0.98], 20), names, np.random.default_rng(0)).verdict
    'too narrow'
    """
    u = np.asarray(pit, dtype=float)
    components = np.column_stack([np.sqrt(3.0) * (2 * u - 1), np.sqrt(5.0) * (6 * u * u - 6 * u + 1)])
    place, width = (float(value) for value in components.mean(axis=0))
    if len(set(clusters)) < FEWEST_RELEASES:
        return CalibrationTest(place, width, float("nan"), TOO_FEW)
    at_place, at_width = holm([sign_test(components[:, k], clusters, rng, replicates) for k in (0, 1)])
    p = min(at_place, at_width)
    if p >= level:
        return CalibrationTest(place, width, p, "no miscalibration shown")
    # Each as a share of the farthest it can go: forecasts wholly below their outcomes are misplaced before they are narrow.
    farthest = np.sqrt(5.0) if width > 0 else np.sqrt(5.0) / 2
    displaced = at_width >= level or (at_place < level and abs(place) / np.sqrt(3.0) > abs(width) / farthest)
    if displaced:
        return CalibrationTest(place, width, p, "forecasts too low" if place > 0 else "forecasts too high")
    return CalibrationTest(place, width, p, "too narrow" if width > 0 else "too wide")


def reliability(quantiles: Array, levels: Sequence[float], outcomes: Array, resolution: Resolution = 0.0) -> Array:
    """Share of outcomes at or below each quantile: (L,). For a calibrated forecast it equals the level.

    An outcome within half its resolution of the quantile counts as half: it may lie on either side.

    >>> reliability(np.array([[0.0, 1.0, 2.0], [0.0, 1.0, 2.0]]), [0.25, 0.5, 0.75], np.array([0.5, 1.5])).tolist()
    [0.0, 0.5, 1.0]
    """
    del levels  # they are the other axis of the diagram
    y = _outcomes(outcomes)
    half = half_width(resolution, len(y))[:, None]
    gap = quantiles - y[:, None]
    share = np.where(half > 0, np.where(np.abs(gap) <= half, 0.5, gap > 0), gap >= 0)
    return np.asarray(share.mean(axis=0))
