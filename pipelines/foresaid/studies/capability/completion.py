"""One answer about one's own model: the other benchmarks with intervals, what to measure next, and how much the law knew.

Everything is read off one joint Gaussian (`forecasting.complete`). Which line and tier the law has never seen is said in the
answer, since its forecasts then lean on the date and on the scores alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from foresaid.forecasting.complete import Candidate, complete, worth_measuring
from foresaid.laws._capability_model import NEW, Model, joint_of_release, predictive, told

LEVELS = (0.1, 0.25, 0.5, 0.75, 0.9)
FIELDS = tuple(f"q{round(100 * level)}" for level in LEVELS)


@dataclass(frozen=True)
class Release:
    """What is said of one's own model: line, tier and maker ("": nobody the record knows), effort on the record's scale, day."""

    line: str
    tier: str
    maker: str
    effort: float | None
    day: date


def _next(candidates: list[Candidate], costs: Mapping[str, float] | None) -> list[dict[str, Any]]:
    """Candidates as plain rows; with costs by information per cost, those without one after all others."""
    if costs:
        candidates = sorted(candidates, key=lambda one: (math.isnan(one.per_cost), -np.nan_to_num(one.per_cost), one.benchmark))
    rows: list[dict[str, Any]] = []
    for one in candidates:
        row: dict[str, Any] = {"benchmark": one.benchmark, "information": one.information, "sd_after": one.sd}
        if costs:
            row |= {"cost": costs.get(one.benchmark), "per_cost": None if math.isnan(one.per_cost) else one.per_cost}
        rows.append(row)
    return rows


def answer(
    model: Model, factor: float, release: Release, known: Mapping[str, float], costs: Mapping[str, float] | None = None
) -> dict[str, Any]:
    """Return scores (each benchmark: known or None, quantiles q10 to q90 in shares of one), next, sd_now (points) and remarks.

    `next` lists the benchmarks not known, the most informative first: information in nats about all others and the mean predictive
    standard deviation of those after it; with `costs` by information per cost, those without a cost last. A known benchmark keeps
    quantiles too: of a second measurement of the same system.
    """
    systems = model.cells.systems
    line, tier, maker = release.line or NEW, release.tier, release.maker or NEW
    joint = joint_of_release(model, line, tier, maker, release.effort, release.day)
    done = complete(joint, known, LEVELS, factor)
    mean, covariance = told(joint, known)
    mean, sd = predictive(joint, mean, np.diag(covariance))
    points = 100.0 * (joint.benchmarks.ceiling - joint.benchmarks.chance) * np.exp(-0.5 * mean**2) / np.sqrt(2.0 * np.pi)
    unknown = np.array([one.known is None for one in done])
    remarks = []
    if release.line and release.line not in systems.lines:
        remarks.append(f"the record has no model of the line {release.line}: forecast as one nobody has seen")
    elif release.line and tier not in {t for name, t in zip(systems.lines, systems.tiers, strict=True) if name == release.line}:
        remarks.append(f"the record has no tier {tier} in the line {release.line}: forecast from its other tiers")
    return {
        "scores": [
            {"benchmark": one.benchmark, "known": one.known, **dict(zip(FIELDS, one.quantiles, strict=True))} for one in done
        ],
        "next": _next(worth_measuring(joint, known, cost=costs, factor=factor), costs),
        "sd_now": float((factor * sd * points)[unknown].mean()) if unknown.any() else None,
        "remarks": remarks,
    }
