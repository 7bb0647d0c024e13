"""What the principal-component space says beside a forecast: compute within families, the equivalent-compute axis, cut-off sweeps.

The observational law assumes that within a family each component is a line in the logarithm of compute. These functions show
how far that holds, and turn a law's score into the compute a reference family would need. None of them changes a forecast.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from foresaid.arrays import Array

LEAST = 3  # models of a family: a line through two says nothing


@dataclass(frozen=True)
class LinearFit:
    """A straight line: slope and intercept, and the share of variance it explains."""

    slope: float
    intercept: float
    r2: float


def line(x: Array, y: Array) -> LinearFit:
    """Fit y (n,) by a straight line in x (n,); the share explained is 0 where y does not vary.

    >>> line(np.array([0.0, 1.0, 2.0]), np.array([1.0, 3.0, 5.0]))
    LinearFit(slope=2.0, intercept=1.0, r2=1.0)
    """
    dx, dy = x - x.mean(), y - y.mean()
    slope = float(dx @ dy / (dx @ dx))
    total = float(dy @ dy)
    miss = dy - slope * dx
    return LinearFit(slope, float(y.mean() - slope * x.mean()), 1.0 - float(miss @ miss) / total if total > 0 else 0.0)


def within_families(scores: Array, flops: Array, families: Sequence[str]) -> dict[str, list[LinearFit]]:
    """Lines of each component (n, K) against log10 of compute (n,), one list a family with three models or more of known compute.

    Ruan et al., arXiv 2405.10938v3, figure 3 (first component; they say R2 > 0.9). Lower components follow compute far less.

    >>> found = within_families(np.array([[0.0], [1.0], [2.0], [9.0]]), np.array([1e20, 1e21, 1e22, 1e20]), ["a", "a", "a", "b"])
    >>> {name: round(lines[0].slope, 6) for name, lines in found.items()}
    {'a': 1.0}
    """
    member, known = np.asarray(families), np.isfinite(flops)
    made = {}
    for name in sorted(set(families)):
        mine = (member == name) & known
        if mine.sum() >= LEAST:
            made[name] = [line(np.log10(flops[mine]), column) for column in scores[mine].T]
    return made


def equivalent_compute(score: Array, reference_score: Array, reference_flops: Array) -> tuple[Array, LinearFit]:
    """Turn logits (n,) into log10 of the compute at which the reference family reaches them, in the unit of `reference_flops` (r,).

        log10 C = (score - b) / w,   reference: score = w log10 C + b

    Also returns the reference line. It is an axis for the eye: it changes no forecast, and beyond the reference family's
    models it is an extrapolation of a line through few points. Ruan et al., arXiv 2405.10938v3, equation 8.

    >>> axis, reference = equivalent_compute(np.array([3.0]), np.array([0.0, 2.0]), np.array([1.0, 100.0]))
    >>> axis.tolist(), reference.slope
    ([3.0], 1.0)
    """
    reference = line(np.log10(reference_flops), reference_score)
    return (score - reference.intercept) / reference.slope, reference


@dataclass(frozen=True)
class Cut:
    """One cut-off of a sweep: the largest training compute, rows on both sides, and the mean squared error on the far side."""

    cutoff: float
    trained: int
    tested: int
    error: float


def sweep(
    fit: Callable[[Array, Array], Callable[[Array], Array]], x: Array, y: Array, rank: Array, shares: Sequence[float], least: int
) -> tuple[list[Cut], float]:
    """Fit on the lower part of `rank` (n,) and test on the upper, for each held-out share; return cuts and area under the error.

    `fit` takes training rows (x, y) and returns a function of rows. The area is the mean error over the shares by the trapezoid
    rule. Rows without a rank are tested always. Cuts with fewer than `least` training rows are left out. The cuts share rows: they
    are one experiment seen from several sides. Ruan et al., arXiv 2405.10938v3, figures C.10 and C.11.

    >>> fit = lambda x, y: lambda new: np.full(len(new), y.mean())
    >>> cuts, area = sweep(fit, np.zeros((4, 1)), np.array([0.0, 0.0, 1.0, 1.0]), np.arange(4.0), [0.5, 0.25], 2)
    >>> [(cut.trained, round(cut.error, 4)) for cut in cuts], round(area, 4)
    ([(2, 1.0), (3, 0.4444)], 0.7222)
    """
    order = np.argsort(np.where(np.isnan(rank), np.inf, rank), kind="stable")
    cuts = []
    for share in shares:
        trained = len(y) - max(1, int(share * len(y)))
        trained = min(trained, int((~np.isnan(rank)).sum()))
        if trained < least:
            continue
        near, far = order[:trained], order[trained:]
        miss = fit(x[near], y[near])(x[far]) - y[far]
        known = ~np.isnan(miss)
        cuts.append(Cut(float(rank[near[-1]]), trained, int(known.sum()), float((miss[known] ** 2).mean())))
    errors = np.array([cut.error for cut in cuts])
    area = float(((errors[1:] + errors[:-1]) / 2.0).mean()) if len(errors) > 1 else float(errors.mean()) if len(errors) else np.nan
    return cuts, area
