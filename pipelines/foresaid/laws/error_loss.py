"""Downstream score as an exponential of the loss: the second half of the over-training paper's forecast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from foresaid.arrays import Array, middle
from foresaid.fitting._elementary import exp
from foresaid.fitting.data import Target
from foresaid.fitting.law import Design, Parameter
from foresaid.laws._loss_series import LossLaw
from foresaid.laws._loss_surface import LIMIT, power

RATES = (0.3, 0.7, 1.5, 3.0, 6.0)


def _columns(p: Array, c: Array, x: Array, f: Array, J: Array) -> None:
    """Fill the curve and its derivatives for the compiled engine."""
    for i in range(f.size):
        gain = exp(min(max(p[1] - p[2] * x[0, i], -LIMIT), LIMIT))
        f[i] = p[0] + gain
        J[0, i] = 1.0
        J[1, i] = gain
        J[2, i] = -gain * x[0, i]


@dataclass(frozen=True)
class ErrorLoss(LossLaw):
    """An error that falls exponentially as the loss falls, from about the error of guessing.

        error = epsilon - k exp(-gamma L);   here: y = floor + k exp(-gamma L),   y = (score - chance) / (1 - chance)

    `L` is in nats per token; `gamma`, above 0, per nat; `k` above 0; `floor` the score without skill on the scale where chance
    is 0, about 0 (epsilon = 1 - chance - (1 - chance) floor). The authors fit averages over 17 or 46 tasks, by least squares.

    Gadre et al. 2024, arXiv 2403.08540, equation 5.

    Do not trust it for single tasks: the printed error of 0.05 % is one of six, and dropping one run makes it 10.6 %. It has no
    ceiling, so it must fail where the score nears one; k and gamma trade against each other.

    >>> law = ErrorLoss(sources=("s",))
    >>> law.curve(np.array([0.0, np.log(2.2), 0.7]), np.array([[3.0], [2.0]])).round(3).tolist()
    [0.269, 0.543]
    """

    name: ClassVar[str] = "error_loss"
    title: ClassVar[str] = "Error as an exponential of the loss"
    formula: ClassVar[str] = "error = ε − k exp(−γ L)"
    reference: ClassVar[str] = "Gadre et al. 2024, arXiv 2403.08540, eq. 5"
    limitations: ClassVar[str] = (
        "It has no ceiling and fails as scores near one. k and γ trade against each other; single tasks miss by tens of per "
        "cent, averages over many tasks do better."
    )
    columns: ClassVar[Any] = staticmethod(_columns)

    def parameters(self, target: Target, columns: int) -> tuple[Parameter, ...]:
        """Score without skill, ln k at the middle loss, and the rate."""
        del target, columns
        return (
            Parameter("floor", "score without skill", "share from chance", -0.5, 0.5, (-0.1, 0.1)),
            Parameter("ln_k", "ln of the gain at the middle loss", "", -20.0, 5.0, (-4.0, 0.0)),
            Parameter("gamma", "rate", "per nat", 1e-3, 30.0, (0.1, 8.0)),
        )

    def design(self, x: Array, weights: Array) -> Design:
        """Measure the loss from the middle of the rows; fold back to k at a loss of zero."""
        del weights
        at = float(middle(x)[0])
        return Design(x - at, lambda p: np.column_stack([p[:, 0], p[:, 1] + p[:, 2] * at, p[:, 2]]))

    def curve(self, parameters: Array, x: Array) -> Array:
        """Evaluate the law."""
        floor, k, gamma = (parameters[..., i, None] for i in range(3))
        return np.asarray(floor + power(k - gamma * x[..., 0]))

    def jacobian(self, parameters: Array, x: Array) -> Array:
        """Derivative by floor, ln k and gamma."""
        _, k, gamma = (parameters[..., i, None] for i in range(3))
        gain = power(k - gamma * x[..., 0])
        return np.stack([np.ones_like(gain), gain, -gain * x[..., 0]], axis=-1)

    def starts(self, x: Array, y: Array) -> Array:
        """For five rates, floor and gain by least squares."""
        made = []
        for gamma in RATES:
            floor, k = np.linalg.lstsq(np.column_stack([np.ones(len(y)), power(-gamma * x[:, 0])]), y, rcond=None)[0]
            made.append([float(np.clip(floor, -0.5, 0.5)), np.log(max(k, 1e-6)), gamma])
        return np.array(made)
