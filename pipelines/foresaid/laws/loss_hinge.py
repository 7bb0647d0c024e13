"""The plain hinge: flat, then a straight line in the loss. Kept beside loss_threshold.py to show how far its corner is off.

Real rises bend; a straight line through a bent rise starts too early, so the hinge puts the threshold at a higher loss than
the one at which the score moves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from foresaid.arrays import Array
from foresaid.fitting.data import Target, TrainingTable
from foresaid.fitting.law import Parameter
from foresaid.laws._loss_series import GRID, LOSS, STARTS, LossLaw, shape_starts, shown, thresholds

SLOPE_LIMIT = 100.0


def _columns(p: Array, c: Array, x: Array, f: Array, J: Array) -> None:
    """Fill the curve and its derivatives for the compiled engine."""
    for i in range(f.size):
        below = max(p[1] - x[0, i], 0.0)
        f[i] = p[0] * below
        J[0, i] = below
        J[1, i] = p[0] if below > 0 else 0.0


@dataclass(frozen=True)
class LossHinge(LossLaw):
    """Score at chance above a threshold in loss, and a straight rise below it.

        y = slope max(threshold - loss, 0),   y = (score - chance) / (1 - chance)

    `loss` is in nats per token; `threshold` in nats; `slope` in shares of the way from chance to perfect per nat, 0 to 100.
    Scores above perfect are cut by the forecast, not by the law.

    Du, Zeng, Dong, Tang, arXiv 2403.15796v3, equations 3 to 5 (the threshold); the straight rise is the usual shorthand.

    Status `no_threshold` by the rule of `threshold.shown`, fixed before looking.

    Do not trust its threshold where the rise bends: it lies too high. Everything said of losses in loss_threshold.py holds.

    >>> law = LossHinge(sources=("s",))
    >>> law.curve(np.array([2.0, 2.7]), np.array([[3.0], [2.7], [2.45]])).round(3).tolist()
    [0.0, 0.0, 0.5]
    """

    name: ClassVar[str] = "loss_hinge"
    title: ClassVar[str] = "Loss threshold (straight hinge)"
    formula: ClassVar[str] = "score = chance + (1 − chance) · slope · max(threshold − loss, 0)"
    reference: ClassVar[str] = "Du, Zeng, Dong, Tang 2024, arXiv 2403.15796v3, eq. 3–5; a straight line below the threshold"
    limitations: ClassVar[str] = (
        "Its threshold lies above the visible jump wherever the rise bends; far below the smallest loss the line leaves the "
        "scale. Losses compare only within one corpus and tokeniser."
    )
    profiled: ClassVar[str | None] = "threshold"
    learns: ClassVar[bool] = False  # curvature beyond a corner is not that before it; a straight line is fitted soon without
    columns: ClassVar[Any] = staticmethod(_columns)

    def parameters(self, target: Target, columns: int) -> tuple[Parameter, ...]:
        """Slope and threshold."""
        del target, columns
        return (
            Parameter("slope", "rise below the threshold", "share per nat", 0.0, SLOPE_LIMIT, (0.1, 10.0)),
            Parameter("threshold", "loss below which the ability shows", "nats per token", *LOSS, (1.5, 5.0)),
        )

    def curve(self, parameters: Array, x: Array) -> Array:
        """Evaluate the law."""
        return np.asarray(parameters[..., 0, None] * np.maximum(parameters[..., 1, None] - x[..., 0], 0.0))

    def jacobian(self, parameters: Array, x: Array) -> Array:
        """Derivative by slope and threshold; at the corner itself the flat side's."""
        below = np.maximum(parameters[..., 1, None] - x[..., 0], 0.0)
        return np.stack([below, np.where(below > 0, parameters[..., 0, None], 0.0)], axis=-1)

    def starts(self, x: Array, y: Array) -> Array:
        """For each threshold of a grid, the slope that fits best."""
        grid = thresholds(x, STARTS + 1)[1:]
        shapes = np.maximum(grid[:, None] - x[:, 0], 0.0)
        return np.column_stack([shape_starts(shapes, y, SLOPE_LIMIT)[:, 0], grid])

    def post_fit_status(self, table: TrainingTable, point: Array) -> str | None:
        """Say `no_threshold` where the rows do not show one."""
        fitted = self.curve(point, table.x)
        return None if shown(table, float(point[1]), fitted, 2) else "no_threshold"

    def profile_values(self, x: Array) -> Array:
        """Thresholds evenly between the smallest and the largest loss."""
        return thresholds(x, GRID)
