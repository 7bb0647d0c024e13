"""My own few scores in, the other benchmarks out: how high, how sure, and which to measure next.

Everything is one conditioning of the joint Gaussian of a release's benchmarks (`laws/_capability_model.Joint`, of a fitted law or
of a frozen forecast). What is worth measuring next is judged before its value is known: the posterior variance of a Gaussian does
not depend on the value observed, so the information a measurement will bring can be computed beforehand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from foresaid.arrays import Array
from foresaid.errors import RecordError
from foresaid.laws._capability_model import Joint, predictive, told


@dataclass(frozen=True)
class Completed:
    """One benchmark: its published score if known, and the predictive quantiles at the levels asked, all in shares of one."""

    benchmark: str
    known: float | None
    quantiles: tuple[float, ...]


@dataclass(frozen=True)
class Candidate:
    """What measuring one benchmark would bring.

    `information` is its mutual information, in nats, with the noise-free scores of the targets; `sd` the mean predictive standard
    deviation of the other targets in points of 100 after measuring it (first order on the share scale); `per_cost` is information
    over cost, NaN where no cost is known.
    """

    benchmark: str
    information: float
    sd: float
    per_cost: float


def quantiles(found: Joint, known: Mapping[str, float], levels: Sequence[float], factor: float = 1.0) -> Array:
    """Predictive quantiles (Q, L) in shares of one of every benchmark, given published scores."""
    mean, covariance = told(found, known)
    mean, sd = predictive(found, mean, np.diag(covariance))
    z = mean[:, None] + factor * sd[:, None] * ndtri(np.asarray(levels))[None, :]
    return found.benchmarks.to_share(found.q, z)


def complete(found: Joint, known: Mapping[str, float], levels: Sequence[float], factor: float = 1.0) -> list[Completed]:
    """Complete a release's scores: every benchmark in order, those known marked."""
    table = quantiles(found, known, levels, factor)
    return [
        Completed(name, known.get(name), tuple(map(float, row))) for name, row in zip(found.benchmarks.names, table, strict=True)
    ]


def worth_measuring(
    found: Joint,
    known: Mapping[str, float],
    targets: Sequence[str] | None = None,
    cost: Mapping[str, float] | None = None,
    factor: float = 1.0,
) -> list[Candidate]:
    """Rank the benchmarks not yet known by what measuring each would say about the targets (default: all not yet known).

    Information = 1/2 ln(v_j / v_{j|T}): the variance of the measured score before, and given the noise-free scores of the targets
    other than itself (Cover and Thomas 2006, section 8.5). Best first; equal ones by name.
    """
    mean, covariance = told(found, known)
    names = found.benchmarks.names
    mask = np.array([name in known for name in names])
    wanted = np.array([(name in targets) if targets is not None else True for name in names]) & ~mask
    strange = sorted(set(targets or ()) - set(names))
    if strange:
        raise RecordError(f"targets: found {strange[0]}, expected benchmarks of the forecast: {', '.join(names)}")
    noise = found.noise + found.benchmarks.item_variance(found.q, mean)
    span = found.benchmarks.ceiling - found.benchmarks.chance
    to_points = 100.0 * span * np.exp(-0.5 * mean**2) / np.sqrt(2.0 * np.pi)
    candidates = []
    for j in np.flatnonzero(~mask):
        others = wanted.copy()
        others[j] = False
        if not others.any():
            continue
        block = covariance[np.ix_(others, others)]
        cross = covariance[j, others]
        before = covariance[j, j] + noise[j]
        explained = float(cross @ np.linalg.lstsq(block, cross, rcond=1e-10)[0])
        left = np.diag(block) - cross**2 / before
        sd = factor * np.sqrt(np.maximum(left + noise[others], 0.0)) * to_points[others]
        information = 0.5 * float(np.log(before / max(before - explained, noise[j])))
        price = (cost or {}).get(names[j], float("nan"))
        candidates.append(Candidate(names[j], information, float(sd.mean()), information / price if price > 0 else float("nan")))
    return sorted(candidates, key=lambda candidate: (-candidate.information, candidate.benchmark))
