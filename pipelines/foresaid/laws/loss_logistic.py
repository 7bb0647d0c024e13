"""The smooth alternative to a threshold in loss: a logistic curve. If it forecasts as well, no threshold has been shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from foresaid.arrays import Array, sigmoid
from foresaid.fitting._elementary import exp
from foresaid.fitting.data import Target
from foresaid.fitting.law import Parameter
from foresaid.laws._loss_series import LOSS, STARTS, LossLaw, shape_starts, thresholds

WIDTHS = np.array([0.02, 0.06, 0.2, 0.6])  # nats


def _columns(p: Array, c: Array, x: Array, f: Array, J: Array) -> None:
    """Fill the curve and its derivatives for the compiled engine."""
    for i in range(f.size):
        z = (p[1] - x[0, i]) / p[2]
        s = 1.0 / (1.0 + exp(-z))
        inner = p[0] * s * (1.0 - s) / p[2]
        f[i] = p[0] * s
        J[0, i] = s
        J[1, i] = inner
        J[2, i] = -inner * z


@dataclass(frozen=True)
class LossLogistic(LossLaw):
    """Score as a logistic curve of the loss, without a threshold.

        y = ceiling / (1 + exp((loss - midpoint) / width)),   y = (score - chance) / (1 - chance)

    `loss` is in nats per token; `midpoint` in nats, where half the ceiling is reached; `width` in nats, above 0; `ceiling`
    between 0 and 1, the share of the way from chance to perfect.

    The no-threshold rival proposed in answer to Du, Zeng, Dong, Tang, arXiv 2403.15796v3 (equations 3 to 5); ours.

    Do not trust it below the smallest loss when the midpoint has not been passed: ceiling and midpoint then trade against
    each other. Losses compare only within one corpus and tokeniser.

    >>> law = LossLogistic(sources=("s",))
    >>> law.curve(np.array([0.5, 2.6, 0.1]), np.array([[3.0], [2.6], [2.4]])).round(3).tolist()
    [0.009, 0.25, 0.44]
    """

    name: ClassVar[str] = "loss_logistic"
    title: ClassVar[str] = "Logistic in loss (no threshold)"
    formula: ClassVar[str] = "score = chance + (1 − chance) · ceiling / (1 + exp((loss − midpoint) / width))"
    reference: ClassVar[str] = "the smooth rival of Du, Zeng, Dong, Tang 2024, arXiv 2403.15796v3, eq. 3–5; ours"
    limitations: ClassVar[str] = (
        "Before the midpoint is passed, ceiling and midpoint trade against each other and the forecast is a guess. Losses "
        "compare only within one corpus and tokeniser."
    )
    columns: ClassVar[Any] = staticmethod(_columns)

    def parameters(self, target: Target, columns: int) -> tuple[Parameter, ...]:
        """Ceiling, midpoint and width."""
        del target, columns
        return (
            Parameter("ceiling", "where the rise levels off", "share from chance", 0.0, 1.0, (0.1, 1.0), natural=True),
            Parameter("midpoint", "loss at half the ceiling", "nats per token", -5.0, LOSS[1], (1.5, 5.0)),
            Parameter("width", "how gradual the rise is", "nats", 1e-3, 5.0, (0.02, 0.6)),
        )

    def curve(self, parameters: Array, x: Array) -> Array:
        """Evaluate the law."""
        ceiling, midpoint, width = (parameters[..., i, None] for i in range(3))
        return np.asarray(ceiling * sigmoid((midpoint - x[..., 0]) / width))

    def jacobian(self, parameters: Array, x: Array) -> Array:
        """Derivative by ceiling, midpoint and width."""
        ceiling, midpoint, width = (parameters[..., i, None] for i in range(3))
        z = (midpoint - x[..., 0]) / width
        s = sigmoid(z)
        inner = ceiling * s * (1.0 - s) / width
        return np.stack([s, inner, -inner * z], axis=-1)

    def starts(self, x: Array, y: Array) -> Array:
        """For each midpoint of a grid, the best of four widths with its ceiling."""
        made = []
        for midpoint in thresholds(x, STARTS):
            scaled = shape_starts(sigmoid((midpoint - x[:, 0]) / WIDTHS[:, None]), y, 1.0)
            best = int(np.argmin(scaled[:, 1]))
            made.append([scaled[best, 0], midpoint, WIDTHS[best]])
        return np.array(made)
