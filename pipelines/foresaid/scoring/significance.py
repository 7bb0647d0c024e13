"""Whether one forecaster is better than another, when twenty scores of one release are one draw.

Scores of the same release rise and fall together, so the number of independent facts is the number of releases, not of rows.
Every test and interval here resamples or sums whole releases (clusters). With few of them the honest verdict is "too few
releases to say", and it is returned as such instead of a p-value nobody should read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from foresaid.arrays import Array

FEWEST_RELEASES = 10  # below this neither test keeps its level well enough to be read
REPLICATES = 1999
LEVEL = 0.05
TOO_FEW = "too few releases to say"


@dataclass(frozen=True)
class Comparison:
    """Mean score of one forecaster over another's on the rows both forecast; below one the first was better.

    `lower` and `upper` bound the ratio at 95 %, NaN where there are too few releases. `p` is two-sided, of equal means.
    """

    ratio: float
    lower: float
    upper: float
    p: float
    n: int
    n_releases: int


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
    sums = _sums(np.asarray(differences, dtype=float), clusters)
    count = len(sums)
    if count < 2:
        return float("nan"), float("nan")
    spread = float(sums.std(ddof=1) / np.sqrt(count))
    if spread <= 1e-14 * max(float(np.abs(sums).max()), 1e-300):
        return (0.0, 1.0) if np.allclose(sums, 0.0) else (float(np.sign(sums.mean()) * np.inf), 0.0)
    statistic = float(sums.mean()) / spread
    return statistic, float(2.0 * student.sf(abs(statistic), count - 1))


def _log_ratio(first: Array, second: Array, weights: Array) -> tuple[Array, Array]:
    """Log ratio of weighted totals (R,) and its linearised standard error (R,), for counts of clusters (R, G)."""
    above, below = weights @ first, weights @ second
    with np.errstate(divide="ignore", invalid="ignore"):
        influence = first[None, :] / above[:, None] - second[None, :] / below[:, None]
        count = weights.sum(axis=1)
        error = np.sqrt((weights * influence**2).sum(axis=1) * count / (count - 1.0))
        return np.log(above / below), error


def compare(
    first: Array, second: Array, clusters: Sequence[str], rng: np.random.Generator, replicates: int = REPLICATES
) -> Comparison:
    """Compare two rows of scores (n,), lower is better, on the same forecasts.

    The interval is a cluster bootstrap of the log ratio of means, studentised by its linearised standard error
    (percentile-t: Cameron, Gelbach and Miller 2008, section III), because the plain percentile interval is too short with the
    ten to forty releases there usually are; `p` is that of `diebold_mariano` on the differences. Scores must not be negative.

    >>> rng = np.random.default_rng(0)
    >>> found = compare(np.full(12, 0.5), np.full(12, 1.0), [str(i) for i in range(12)], rng)
    >>> found.ratio, found.lower, found.upper, found.p, found.n_releases
    (0.5, 0.5, 0.5, 0.0, 12)
    """
    top, bottom = _sums(np.asarray(first, float), clusters), _sums(np.asarray(second, float), clusters)
    count = len(top)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = float(np.divide(top.sum(), bottom.sum()))
    _, p = diebold_mariano(np.asarray(first, float) - np.asarray(second, float), clusters)
    lower = upper = float("nan")
    if count >= FEWEST_RELEASES and ratio > 0.0 and np.isfinite(ratio):
        centre, error = _log_ratio(top, bottom, np.ones((1, count)))
        drawn = rng.multinomial(count, np.full(count, 1.0 / count), size=replicates).astype(float)
        found, scale = _log_ratio(top, bottom, drawn)
        with np.errstate(divide="ignore", invalid="ignore"):
            pivot = np.where(scale > 0, (found - centre[0]) / scale, 0.0)
        low, high = np.quantile(pivot[np.isfinite(pivot)], [LEVEL / 2, 1 - LEVEL / 2])
        lower, upper = (float(np.exp(centre[0] - q * error[0])) for q in (high, low))
    return Comparison(ratio, lower, upper, p, len(np.asarray(first)), count)


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
    """Say in words what a comparison shows.

    >>> verdict(Comparison(0.8, float("nan"), float("nan"), 0.01, 40, 6), 0.01)
    'too few releases to say'
    """
    if comparison.n_releases < FEWEST_RELEASES:
        return TOO_FEW
    if not adjusted_p < LEVEL:
        return "no difference shown"
    return "better" if comparison.ratio < 1.0 else "worse"


def pairwise_skill(scores: dict[str, dict[str, float]], baseline: str) -> dict[str, tuple[float, int]]:
    """Relative skill of each forecaster by pairwise comparison, scaled to a baseline; and the rows it shares with it.

    `scores` holds, by forecaster, its score by row. theta_ij is the ratio of mean scores of i and j on the rows both
    forecast, theta_i the geometric mean of theta_ij over all j that share rows (itself included), and the skill is theta_i /
    theta_baseline: Cramer et al. 2022 (PNAS 119 e2113561119, supplement), as in scoringutils. Nobody gains by forecasting
    easy rows only. Forecasters that share no row with the baseline get NaN.

    >>> easy, hard = {"a": 1.0, "b": 3.0}, {"b": 6.0}
    >>> {name: round(value, 3) for name, (value, _) in pairwise_skill({"base": {"a": 1.0, "b": 3.0}, "x": hard}, "base").items()}
    {'base': 1.0, 'x': 2.0}
    """
    names = sorted(scores)
    theta: dict[str, float] = {}
    for i in names:
        logs = []
        for j in names:
            common = sorted(scores[i].keys() & scores[j].keys())
            above, below = (sum(scores[name][row] for row in common) for name in (i, j))
            if common and above > 0 and below > 0:
                logs.append(float(np.log(above / below)))
        theta[i] = float(np.exp(np.mean(logs))) if logs else float("nan")
    shared = {name: len(scores[name].keys() & scores.get(baseline, {}).keys()) for name in names}
    base = theta.get(baseline, float("nan"))
    return {name: (theta[name] / base if shared[name] else float("nan"), shared[name]) for name in names}
