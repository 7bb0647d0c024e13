"""The loss-threshold law: an ability is absent until the loss falls below a threshold, then rises and levels off.

The paper states that there is such a threshold and fits no curve; the saturating form is ours. It was chosen because a
rise that levels off pulls the corner of a straight line towards higher losses (see loss_hinge.py, kept to show it).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from foresaid.arrays import Array
from foresaid.fitting._elementary import exp
from foresaid.fitting.data import Target, TrainingTable
from foresaid.fitting.law import Parameter
from foresaid.laws._loss_series import GRID, LOSS, STARTS, LossLaw, shape_starts, shown, thresholds

RATES = np.array([0.5, 1.5, 4.0, 10.0, 25.0])  # per nat


def _columns(p: Array, c: Array, x: Array, f: Array, J: Array) -> None:
    """Fill the curve and its derivatives for the compiled engine."""
    for i in range(f.size):
        below = max(p[2] - x[0, i], 0.0)
        left = exp(-p[1] * below)
        f[i] = p[0] * (1.0 - left)
        J[0, i] = 1.0 - left
        J[1, i] = p[0] * below * left
        J[2, i] = p[0] * p[1] * left if below > 0 else 0.0


@dataclass(frozen=True)
class LossThreshold(LossLaw):
    """Score at chance above a threshold in loss, and a saturating rise below it.

        y = ceiling (1 - exp(-rate max(threshold - loss, 0))),   y = (score - chance) / (1 - chance)

    `loss` is in nats per token, the same corpus and tokeniser throughout; `threshold` in nats; `rate` per nat, above 0;
    `ceiling` between 0 and 1, the share of the way from chance to perfect. The corner is found from a grid of thresholds
    scaled by least squares, since a slope taken at one side of a corner does not see the other.

    Du, Zeng, Dong, Tang, "Understanding Emergent Abilities of Language Models from the Loss Perspective",
    arXiv 2403.15796v3, equations 3 to 5 (the threshold; the form below it is ours).

    Status `no_threshold` by a rule fixed before looking, see `threshold.shown`: a gain under a tenth at the smallest loss,
    fewer than three rows above the threshold, or no better than a constant.

    Do not trust it across model series (losses do not compare between tokenisers), for another way of asking the same
    questions, far below the smallest loss (the ceiling is a guess until the rise has bent), or for a run with another
    learning-rate schedule.

    >>> law = LossThreshold(sources=("s",))
    >>> law.curve(np.array([0.5, 4.0, 2.7]), np.array([[3.0], [2.7], [2.45]])).round(3).tolist()
    [0.0, 0.0, 0.316]
    """

    name: ClassVar[str] = "loss_threshold"
    title: ClassVar[str] = "Loss threshold (saturating)"
    formula: ClassVar[str] = "score = chance + (1 − chance) · ceiling · (1 − exp(−rate · max(threshold − loss, 0)))"
    reference: ClassVar[str] = "Du, Zeng, Dong, Tang 2024, arXiv 2403.15796v3, eq. 3–5; the form of the rise is ours"
    limitations: ClassVar[str] = (
        "Losses compare only within one corpus and tokeniser; the threshold depends on how the questions are asked; one run "
        "says nothing about another; until the rise has bent the ceiling is a guess. Pythia has no training loss in its files: "
        "there the axis is the log perplexity of LAMBADA's last words."
    )
    profiled: ClassVar[str | None] = "threshold"
    columns: ClassVar[Any] = staticmethod(_columns)

    def parameters(self, target: Target, columns: int) -> tuple[Parameter, ...]:
        """Ceiling, rate and threshold."""
        del target, columns
        return (
            Parameter("ceiling", "where the rise levels off", "share from chance", 0.0, 1.0, (0.1, 1.0), natural=True),
            Parameter("rate", "how fast it rises below the threshold", "per nat", 1e-3, 1e3, (0.5, 10.0)),
            Parameter("threshold", "loss below which the ability shows", "nats per token", *LOSS, (1.5, 5.0)),
        )

    def curve(self, parameters: Array, x: Array) -> Array:
        """Evaluate the law."""
        ceiling, rate, threshold = (parameters[..., i, None] for i in range(3))
        return np.asarray(-ceiling * np.expm1(-rate * np.maximum(threshold - x[..., 0], 0.0)))

    def jacobian(self, parameters: Array, x: Array) -> Array:
        """Derivative by ceiling, rate and threshold; at the corner itself the flat side's."""
        ceiling, rate, threshold = (parameters[..., i, None] for i in range(3))
        below = np.maximum(threshold - x[..., 0], 0.0)
        left = np.exp(-rate * below)
        return np.stack([1.0 - left, ceiling * below * left, np.where(below > 0, ceiling * rate * left, 0.0)], axis=-1)

    def starts(self, x: Array, y: Array) -> Array:
        """For each threshold of a grid, the best of five rates with its ceiling."""
        made = []
        for threshold in thresholds(x, STARTS + 1)[1:]:
            below = np.maximum(threshold - x[:, 0], 0.0)
            scaled = shape_starts(-np.expm1(-RATES[:, None] * below), y, 1.0)
            best = int(np.argmin(scaled[:, 1]))
            made.append([scaled[best, 0], RATES[best], threshold])
        return np.array(made)

    def post_fit_status(self, table: TrainingTable, point: Array) -> str | None:
        """Say `no_threshold` where the rows do not show one."""
        fitted = self.curve(point, table.x)
        return None if shown(table, float(point[2]), fitted, 3) else "no_threshold"

    def profile_values(self, x: Array) -> Array:
        """Thresholds evenly between the smallest and the largest loss."""
        return thresholds(x, GRID)
