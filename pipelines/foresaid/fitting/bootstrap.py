"""Resampling whole clusters: models of one family, or points of one run, are not independent and go together.

A replicate is a vector of counts over the same rows rather than a copied table, so every fit of a bootstrap shares one
design and the whole bootstrap is one batch.

Draws of few clusters lie too close together: residuals are smaller than errors by the parameters fitted to them, and a
variance from few clusters is itself uncertain. What is known about both is put right here, for every law alike, where bands
are made of draws (forecasting/predict.py); nothing in it is tuned.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from foresaid.arrays import Array


def cluster_weights(clusters: Sequence[str], replicates: int, rng: np.random.Generator) -> Array:
    """Draw as many clusters as there are, with replacement, `replicates` times; return row counts (replicates + 1, n).

    The first row is the data themselves, every count one. The draw depends on the sorted names of the clusters, never on the
    order of the rows.

    >>> w = cluster_weights(["b", "a", "b"], 50, np.random.default_rng(0))
    >>> w[0].tolist(), bool((w[:, 0] == w[:, 2]).all()), bool((w.sum(axis=1) > 0).all())
    ([1.0, 1.0, 1.0], True, True)
    """
    names = sorted(set(clusters))
    position = {name: i for i, name in enumerate(names)}
    member = np.array([position[name] for name in clusters])
    drawn = rng.integers(0, len(names), size=(replicates, len(names)))
    counts = np.zeros((replicates + 1, len(names)))
    counts[0] = 1.0
    for i in range(len(names)):
        counts[1:, i] = (drawn == i).sum(axis=1)
    return counts[:, member]


def cr1_factor(rows: int, clusters: int, parameters: int) -> float:
    """Return how much too close together draws lie on average, as a factor on their distance from the middle.

        sqrt(G / (G - 1) (n - 1) / (n - p)),   n rows, G clusters, p fitted parameters

    The finite-sample correction of a cluster-robust variance (CR1): Cameron and Miller 2015, Journal of Human Resources 50 (2), 317
    to 372, section VI. It is exact for no curved law, and does not see that a prior takes parameters away. One cluster has no
    spread to correct: 1.

    >>> round(cr1_factor(14, 10, 4), 3), cr1_factor(14, 1, 4)
    (1.202, 1.0)
    """
    return math.sqrt(clusters / (clusters - 1) * (rows - 1) / (rows - parameters)) if clusters > 1 and rows > parameters else 1.0


def student_factors(replicates: int, clusters: int) -> Array:
    """Return one factor a draw (R,) that turns normal draws into those of Student's t with G - 1 degrees of freedom.

        sqrt(nu / q),   nu = G - 1,   q at evenly spaced levels of chi-square with nu degrees of freedom

    Few clusters leave their own variance uncertain, which widens the tails (Cameron and Miller 2015, section VI). The draws come
    in no order, so factors given by place are independent of them, and no random number is needed. One cluster: ones.

    >>> student_factors(3, 11).round(3).tolist()
    [1.315, 1.035, 0.841]
    """
    from scipy.special import chdtri  # upper tail; those who only read forecasts do not pay for it

    if clusters < 2 or not replicates:
        return np.ones(replicates)
    levels = (np.arange(replicates) + 0.5) / replicates
    return np.asarray(np.sqrt((clusters - 1) / chdtri(clusters - 1, 1.0 - levels)))


def inflate_about_median(draws: Array, factors: Array, noise: str) -> Array:
    """Move draws of a curve or of parameters (R, n) from their median by one factor a draw (R,); with noise `log` as ratios.

    About the median and not about the fitted point: the correction is one of spread, so the middle of a band stays where it is.

    >>> draws = np.array([[1.0], [2.0], [4.0]])
    >>> inflate_about_median(draws, np.full(3, 2.0), "natural").tolist()
    [[0.0], [2.0], [6.0]]
    >>> inflate_about_median(draws, np.full(3, 2.0), "log").tolist()
    [[0.5], [2.0], [8.0]]
    """
    middle = np.median(draws, axis=0)
    if noise != "log":
        return np.asarray(middle + factors[:, None] * (draws - middle))
    positive = (draws > 0) & (middle > 0)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):  # beyond all bounds is cut at the bounds
        return np.asarray(np.where(positive, middle * np.where(positive, draws / middle, 1.0) ** factors[:, None], draws))


def inflate_for_few_clusters(draws: Array, corrected: float, clusters: int, noise: str = "natural") -> Array:
    """Return draws as far apart as so few clusters ask: `corrected` is what `cr1_factor` gave, and tails are Student's.

    >>> inflate_for_few_clusters(np.array([[1.0], [2.0], [4.0]]), 1.2, 11).round(2).tolist()
    [[0.42], [2.0], [4.02]]
    """
    return inflate_about_median(draws, corrected * student_factors(len(draws), clusters), noise)
