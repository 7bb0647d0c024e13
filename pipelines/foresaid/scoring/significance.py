"""Whether one forecaster is better than another, when all scores of one release are one observation.

Scores of one launch rise and fall together (intraclass correlation of score differences .3 to .75), so the number of independent
facts is the number of releases, not of rows. Every test and interval here resamples or sums whole releases; makers, whose launches
share data and recipes, give a second interval beside it. Interval and p come from one wild bootstrap: p is below LEVEL exactly
where the interval leaves out 1. With few releases the honest verdict is "too few releases to say", and it stands in place of a
p-value nobody should read. docs/results-evaluation.md prints how often these tests reject where nothing is to be found.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Any

import numpy as np

from foresaid.arrays import Array
from foresaid.errors import ParameterError

FEWEST_RELEASES = 10  # the one number below which nothing is called a difference, for releases and for makers
REPLICATES = 1999
LEVEL = 0.05
TOO_FEW = "too few releases to say"
NO_DIFFERENCE = "no difference shown"
BETTER, WORSE = "better", "worse"
BY_RELEASE_ALONE = ", by release alone"  # the interval by maker does not show it, or there are too few makers
FLAT = 1e-12  # a sum this close to another, relatively, is the same sum in another order


@dataclass(frozen=True)
class Comparison:
    """Mean score of one forecaster over another's on the rows both forecast (relative WIS); below one the first was better.

    `lower` and `upper` bound the ratio at 95 % and `p` is two-sided, of equal means, all by release; `maker_lower`, `maker_upper`
    and `maker_p` are the same by maker. They are NaN where there are too few clusters. A ratio to a mean score of zero is infinite,
    and 1 where both are zero.
    """

    ratio: float
    lower: float
    upper: float
    p: float
    n: int
    n_releases: int
    n_makers: int = 0
    maker_lower: float = float("nan")
    maker_upper: float = float("nan")
    maker_p: float = float("nan")

    @property
    def by_maker_too(self) -> bool:
        """Whether the interval by maker lies on the same side of one as the ratio."""
        return self.maker_upper < 1.0 if self.ratio < 1.0 else self.maker_lower > 1.0


def _numbers(values: Array, least: float = -np.inf) -> Array:
    """Refuse scores that are no numbers, or below `least`: a comparison with one would pass for a verdict."""
    found = np.asarray(values, dtype=float)
    bad = ~np.isfinite(found) | (found < least)
    if bad.any():
        raise ParameterError(f"scores: found {found[bad][0]}, expected finite numbers{' of 0 or more' if least == 0 else ''}")
    return found


def _sums(values: Array, clusters: Sequence[str]) -> Array:
    """Sum the rows of each cluster, clusters in the order of their names: (G,) or (G, k)."""
    _, member = np.unique(np.asarray(clusters), return_inverse=True)
    total = np.zeros((int(member.max(initial=-1)) + 1, *values.shape[1:]))
    np.add.at(total, member, values)
    return total


def diebold_mariano(differences: Array, clusters: Sequence[str]) -> tuple[float, float]:
    """Test that the mean score difference (n,) is zero; return the statistic and its two-sided p.

    With S_g the summed differences of release g, t = mean(S) / sqrt(var(S) / G), var with G - 1 in the denominator, against
    Student's t with G - 1 degrees of freedom. This is the test of Diebold and Mariano 1995 (section 1.1) on one number a
    release, with the small-sample correction of Harvey, Leybourne and Newbold 1997 (equation 9) at horizon one. Differences
    that are all zero give t = 0, p = 1.

    Releases must be independent of each other; a common shock to a whole year of releases is not seen.

    >>> t, p = diebold_mariano(np.array([1.0, 2.0, 3.0]), ["a", "b", "c"])
    >>> round(t, 4), round(p, 4)
    (3.4641, 0.0742)
    """
    sums = _sums(_numbers(differences), clusters)
    count = len(sums)
    if count < 2:
        return float("nan"), float("nan")
    spread = float(sums.std(ddof=1) / np.sqrt(count))
    if spread <= 1e-14 * max(float(np.abs(sums).max()), 1e-300):
        return (0.0, 1.0) if np.allclose(sums, 0.0) else (float(np.sign(sums.mean()) * np.inf), 0.0)
    statistic = float(sums.mean()) / spread
    from scipy.special import stdtr  # most who import this never ask

    return statistic, float(2.0 * stdtr(count - 1, -abs(statistic)))


def sign_test(differences: Array, clusters: Sequence[str], rng: np.random.Generator, replicates: int = REPLICATES) -> float:
    """Two-sided p that the sums by cluster of `differences` (n,) have mean zero: the wild cluster bootstrap with random signs.

    p = (1 + number of replicates with |sum of signed sums| >= |sum|) / (replicates + 1); Rademacher signs, for which the order of
    the studentised statistic is that of the sum (Cameron, Gelbach and Miller 2008, section III.B). Exact for sums symmetric about
    zero, whatever their sizes. It cannot be below 2^(1 - G) with G clusters.

    >>> sign_test(np.array([1.0, -1.0, 2.0, -2.0]), ["a", "b", "c", "d"], np.random.default_rng(0))
    1.0
    """
    sums = _sums(_numbers(differences), clusters)
    drawn = np.abs((rng.integers(0, 2, (replicates, len(sums))) * 2.0 - 1.0) @ sums)
    return float((1.0 + (drawn >= abs(sums.sum()) * (1.0 - FLAT)).sum()) / (replicates + 1.0))


def _wild(top: Array, bottom: Array, rng: np.random.Generator, replicates: int) -> tuple[float, float, float]:
    """Ends of the 95 % interval of the ratio of totals, and p of a ratio of one, for totals by cluster (G,).

    Under a ratio r the differences D_g = top_g - r bottom_g have mean zero; each replicate gives them random signs s_g. It is as
    far out as the data where |sum s_g D_g| >= |sum D_g|, that is for r between (A - A_k) / (B - B_k) and (A + A_k) / (B + B_k),
    with A, B the totals and A_k, B_k the signed ones. The interval holds the r that LEVEL of the replicates are as far out at.
    """
    signs = rng.integers(0, 2, (replicates, len(top))) * 2.0 - 1.0
    above, below, drawn_above, drawn_below = top.sum(), bottom.sum(), signs @ top, signs @ bottom

    def rest(total: float, drawn: Array) -> Array:
        left = total - drawn  # twice the clusters whose sign is against; what rounding leaves of none is none
        return np.where(left <= FLAT * total, 0.0, left)

    with np.errstate(divide="ignore", invalid="ignore"):
        ends = np.array([rest(above, sign * drawn_above) / rest(below, sign * drawn_below) for sign in (1.0, -1.0)])
    everywhere = np.isnan(ends).any(axis=0)  # all signs alike: as far out as the data at every ratio
    low = np.where(everywhere, 0.0, ends.min(axis=0))
    high = np.where(everywhere, np.inf, ends.max(axis=0))
    rank = int(np.floor(LEVEL * (replicates + 1))) - 2  # one less may lie beyond and leave p below LEVEL
    gap = abs(above - below) * (1.0 - FLAT)
    p = (1.0 + int((np.abs(drawn_above - drawn_below) >= gap).sum())) / (replicates + 1.0)
    return float(np.sort(low)[rank]), float(np.sort(high)[::-1][rank]), p


def _clustered(
    first: Array, second: Array, clusters: Sequence[str], rng: np.random.Generator, replicates: int
) -> tuple[float, float, float, int]:
    top, bottom = _sums(first, clusters), _sums(second, clusters)
    if len(top) < FEWEST_RELEASES:
        return float("nan"), float("nan"), float("nan"), len(top)
    return (*_wild(top, bottom, rng, replicates), len(top))


def compare(
    first: Array,
    second: Array,
    clusters: Sequence[str],
    rng: np.random.Generator,
    replicates: int = REPLICATES,
    makers: Sequence[str] | None = None,
) -> Comparison:
    """Compare two rows of scores (n,), lower is better, on the same forecasts.

    `p` is that of the wild cluster bootstrap-t with the null imposed (Cameron, Gelbach and Miller 2008, section III.B; Rademacher
    signs, for which the order of |t| is that of |sum|), and the interval holds the ratios that this test does not reject. It keeps
    its level with ten releases of very unequal size, where resampling releases rejects up to twice too often. Where `makers` are
    given the same is done by maker. Scores that are negative or not finite are refused
    (ParameterError).

    >>> rng = np.random.default_rng(0)
    >>> found = compare(np.full(12, 0.5), np.full(12, 1.0), [str(i) for i in range(12)], rng)
    >>> found.ratio, found.lower, found.upper, round(found.p, 3), found.n_releases
    (0.5, 0.5, 0.5, 0.001, 12)
    """
    one, other = _numbers(first, 0.0), _numbers(second, 0.0)
    above, below = float(one.sum()), float(other.sum())
    ratio = above / below if below > 0.0 else (1.0 if above == 0.0 else float("inf"))
    lower, upper, p, count = _clustered(one, other, clusters, rng, replicates)
    by_maker = _clustered(one, other, makers, rng, replicates) if makers is not None else (float("nan"),) * 3 + (0,)
    return Comparison(ratio, lower, upper, p, len(one), count, by_maker[3], *by_maker[:3])


def holm(p: Sequence[float]) -> list[float]:
    """Adjust p-values for their number, in the order given; NaN stays NaN and does not count.

    Holm 1979: the k-th smallest of m is multiplied by m - k + 1 and made monotone. It bounds the chance of any false claim
    under every dependence.

    >>> [round(value, 10) for value in holm([0.01, 0.04, 0.03, float("nan")])]
    [0.03, 0.06, 0.06, nan]
    """
    values = np.asarray(p, dtype=float)
    adjusted = np.full(len(values), np.nan)
    order = [int(i) for i in np.argsort(values, kind="stable") if not np.isnan(values[i])]
    running = 0.0
    for rank, i in enumerate(order):
        running = max(running, min(1.0, (len(order) - rank) * float(values[i])))
        adjusted[i] = running
    return [float(value) for value in adjusted]


def verdict(comparison: Comparison, adjusted_p: float) -> str:
    """Say in words what a comparison shows: the only place where numbers become a verdict.

    `adjusted_p` is Holm's over the claims that stand together. What the interval by maker does not show is said to hold by release
    alone.

    >>> verdict(Comparison(0.8, float("nan"), float("nan"), 0.01, 40, 6), 0.01)
    'too few releases to say'
    >>> verdict(Comparison(0.8, 0.7, 0.9, 0.01, 400, 40), 0.01)
    'better, by release alone'
    """
    if comparison.n_releases < FEWEST_RELEASES:
        return TOO_FEW
    if not adjusted_p < LEVEL:
        return NO_DIFFERENCE
    said = BETTER if comparison.ratio < 1.0 else WORSE
    return said if comparison.by_maker_too else said + BY_RELEASE_ALONE


def skill(score: float, reference: float) -> float:
    """Skill against a reference: 1 - score / reference. Positive is better, 1 is perfect, 0 as good as the reference.

    Murphy 1973 (skill score). Against a perfect reference it is 0 for an equal and minus infinity for anything else.

    >>> skill(0.8, 1.0).__round__(2), skill(0.0, 0.0), skill(1.0, 0.0)
    (0.2, 0.0, -inf)
    """
    if reference > 0.0:
        return 1.0 - score / reference
    return 0.0 if score == 0.0 else float("-inf")


def _sum_in_order(values: Array) -> float:
    """Sum of values (n,) from the first to the last, one after another."""
    return float(values.cumsum()[-1]) if values.size else 0.0


def pairwise_relative_wis(scores: Mapping[str, Mapping[Any, float]], baseline: str) -> dict[str, tuple[float, int]]:
    """Relative WIS of each forecaster by pairwise comparison, scaled to a baseline; and the rows it shares with it.

    `scores` holds, by forecaster, its score by row; sums follow the order of the rows' names or numbers. theta_ij is the ratio of
    mean scores of i and j on the rows both forecast, theta_i the geometric mean of theta_ij over all j that share rows (itself
    included), the result theta_i / theta_baseline: Cramer et al. 2022 (PNAS 119 e2113561119, supplement), as in scoringutils.
    Below one is better. Nobody gains by forecasting easy rows only. Forecasters that share no row with the baseline get NaN. A
    forecaster whose scores are all zero is the best one: it gets 0, and all others infinity where it is the baseline.

    >>> easy, hard = {"a": 1.0, "b": 3.0}, {"b": 6.0}
    >>> found = pairwise_relative_wis({"base": {"a": 1.0, "b": 3.0}, "x": hard}, "base")
    >>> {name: round(value, 3) for name, (value, _) in found.items()}
    {'base': 1.0, 'x': 2.0}
    """
    names = sorted(scores)
    place = {row: k for k, row in enumerate(sorted(set().union(*scores.values())))}
    has = {name: np.zeros(len(place), dtype=bool) for name in names}
    value = {name: np.zeros(len(place)) for name in names}
    for name in names:
        at = [place[row] for row in scores[name]]
        has[name][at], value[name][at] = True, list(scores[name].values())
    totals: dict[tuple[str, str], float] = {}  # of the first, on the rows both forecast
    for i, j in combinations_with_replacement(names, 2):
        both = np.flatnonzero(has[i] & has[j])
        totals[i, j], totals[j, i] = (_sum_in_order(value[name][both]) for name in (i, j))
    theta: dict[str, float] = {}
    for i in names:
        pairs = [(totals[i, j], totals[j, i]) for j in names]
        logs = [float(np.log(above / below)) for above, below in pairs if above > 0 and below > 0]
        theta[i] = float(np.exp(np.mean(logs))) if logs else float("nan")
        if scores[i] and not any(scores[i].values()):
            theta[i] = 0.0
    shared = {name: len(scores[name].keys() & scores.get(baseline, {}).keys()) for name in names}
    base = theta.get(baseline, float("nan"))

    def scaled(value: float) -> float:
        if base > 0.0 or np.isnan(base):
            return value / base
        return 1.0 if value == 0.0 else float("inf")

    return {name: (scaled(theta[name]) if shared[name] else float("nan"), shared[name]) for name in names}
