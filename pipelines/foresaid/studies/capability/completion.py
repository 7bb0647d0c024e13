"""One answer about one's own model: the other benchmarks with intervals, what to measure next, and how much the law knew.

Everything is read off one joint Gaussian (`forecasting.complete`). Which line and tier the law has never seen is said in the
answer, since its forecasts then lean on the date and on the scores alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from foresaid.forecasting.complete import complete, worth_measuring
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


def answer(model: Model, factor: float, release: Release, known: Mapping[str, float]) -> dict[str, Any]:
    """Return scores (each benchmark: known or None, quantiles q10 to q90 in shares of one), next, sd_now (points) and remarks.

    `next` lists the benchmarks not known, the most informative first: information in nats about all others and the mean predictive
    standard deviation of those after it. A known benchmark keeps quantiles too: of a second measurement of the same system.
    """
    systems = model.cells.systems
    line, tier, maker = release.line or NEW, release.tier, release.maker or NEW
    joint = joint_of_release(model, line, tier, maker, release.effort, release.day)
    done = complete(joint, known, LEVELS, factor)
    mean, covariance = told(joint, known)
    mean, sd = predictive(joint, mean, np.diag(covariance))
    points = 100.0 * (1.0 - joint.benchmarks.chance) * np.exp(-0.5 * mean**2) / np.sqrt(2.0 * np.pi)
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
        "next": [
            {"benchmark": one.benchmark, "information": one.information, "sd_after": one.sd}
            for one in worth_measuring(joint, known, factor=factor)
        ],
        "sd_now": float((factor * sd * points)[unknown].mean()) if unknown.any() else None,
        "remarks": remarks,
    }
