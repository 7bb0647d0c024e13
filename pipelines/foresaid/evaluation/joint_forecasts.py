"""A joint forecast as it stands in the ledger, and the law's own frozen form: one to write it, the other to read quantiles off.

The ledger keeps decimal strings and knows no law; the law keeps arrays. Numbers go over with twelve significant digits, as the law
writes them: 1e-12 on the probit scale says nothing. The law is loaded where a joint is read: a ledger without one is scored
without the numerical libraries that fits need.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from foresaid.errors import RecordError
from foresaid.ledger.entries.forecasts import Sibling
from foresaid.ledger.entries.resolutions import Covariate
from foresaid.ledger.entries.schema import JointPrediction, TargetEntry, Training
from foresaid.scoring.levels import LEVELS

if TYPE_CHECKING:
    from foresaid.laws._capability_frozen import Frozen


def of_frozen(frozen: Frozen, training: Training) -> JointPrediction:
    """The prediction that a forecast/v1 line holds for a frozen capability forecast."""
    from foresaid.laws._capability_frozen import to_json

    plain = json.loads(to_json(frozen), parse_float=Decimal, parse_int=Decimal)
    return JointPrediction(
        days=plain["days"],
        benchmarks=plain["benchmarks"],
        chance=_texts(plain["chance"]),
        ceiling=_texts(plain["ceiling"]),
        items=[None if one is None else _text(one) for one in plain["items"]],
        siblings=[Sibling(line=one.line, tier=one.tier, system=one.system, benchmark=one.benchmark) for one in frozen.siblings],
        mean=[_texts(row) for row in plain["mean"]],
        covariance=[_texts(row) for row in plain["covariance_lower"]],
        noise_variance=_texts(plain["noise_variance"]),
        factor=_text(plain["factor"]),
        training=training,
    )


def to_frozen(made: JointPrediction) -> Frozen:
    """The frozen capability forecast of a prediction; RecordError where its numbers make none."""
    from foresaid.laws._capability_frozen import FORMAT, from_plain

    record = {
        "format": FORMAT,
        "line": "",
        "tier": "",
        "effort": None,
        "days": made.days,
        "benchmarks": made.benchmarks,
        "chance": [float(one) for one in made.chance],
        "ceiling": [float(one) for one in made.ceiling],
        "items": [None if one is None else float(one) for one in made.items],
        "siblings": [[one.line, one.tier, one.system, one.benchmark] for one in made.siblings],
        "mean": [[float(one) for one in row] for row in made.mean],
        "covariance_lower": [[float(one) for one in row] for row in made.covariance],
        "noise_variance": [float(one) for one in made.noise_variance],
        "factor": float(made.factor),
    }
    return from_plain(record)


def joint_quantiles(
    made: JointPrediction,
    target: TargetEntry,
    released: date | None,
    known: Mapping[str, Decimal],
    siblings: Mapping[Sibling, Decimal] | None = None,
    levels: Sequence[float] = LEVELS,
) -> tuple[float | None, list[float]]:
    """Median and quantiles at `levels` of the target's score, in shares of one, for a release on a day.

    `known` are other published scores of the system, `siblings` those of other systems of its launch, as `known_of` and
    `siblings_of` find them; a value outside 0 to 1 stands at the bound. None and no quantiles without a release day, or for one
    outside the days of the joint.
    """
    from foresaid.laws import _capability_frozen as law

    if released is None:
        return None, []
    scores = {name: _share(value) for name, value in known.items()}
    beside = {law.Sibling(one.line, one.tier, one.system, one.benchmark): _share(value) for one, value in (siblings or {}).items()}
    try:
        found = to_frozen(made).quantiles(released, [*levels, 0.5], scores, beside)[made.benchmarks.index(target.benchmark)]
    except RecordError:
        return None, []
    return float(found[-1]), [float(one) for one in found[:-1]]


def known_of(made: JointPrediction, target: TargetEntry, told: Sequence[Covariate]) -> dict[str, Decimal]:
    """The other scores of the outcome's own system that a joint can be conditioned on, by benchmark."""
    names = set(made.benchmarks) - {target.benchmark}
    return {one.benchmark: Decimal(one.value) for one in told if not isinstance(one.sibling, str) and one.benchmark in names}


def siblings_of(made: JointPrediction, told: Sequence[Covariate]) -> dict[Sibling, Decimal]:
    """The scores of other systems of the launch that a joint has cells for; of two models of one cell, the first in the entry."""
    found: dict[Sibling, Decimal] = {}
    for one in told:
        if isinstance(one.sibling, str) and isinstance(one.line, str) and isinstance(one.tier, str):
            cell = Sibling(line=one.line, tier=one.tier, system=one.system or "", benchmark=one.benchmark)
            if cell in made.siblings:
                found.setdefault(cell, Decimal(one.value))
    return found


def _share(value: Decimal) -> float:
    return float(min(max(value, Decimal(0)), Decimal(1)))


def _text(number: Decimal) -> str:
    return format(round(number, 18).normalize(), "f")


def _texts(numbers: Sequence[Decimal]) -> list[str]:
    return [_text(one) for one in numbers]
