"""The law of fine-tuning loss that knows the model had already learned something before the first example."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from foresaid.arrays import Array, middle
from foresaid.fitting._elementary import exp, log
from foresaid.fitting.data import Target, TrainingTable
from foresaid.fitting.law import Design, Parameter
from foresaid.fitting.robust_loss import Huber, RobustLoss
from foresaid.laws._loss_surface import LIMIT, power
from foresaid.laws._size_series import BentLaw, floor_parameter, in_order

BETAS = (0.3, 0.8, 1.6)
PLACES = (0.0, 0.35, 0.7)  # where the flat phase ends, as a share of the sizes seen


def _columns(p: Array, c: Array, x: Array, f: Array, J: Array) -> None:
    """Fill the curve and its derivatives for the compiled engine."""
    for i in range(f.size):
        seen = p[3] * x[0, i]
        largest = max(p[2], seen)
        total = largest + log(exp(p[2] - largest) + exp(seen - largest))
        excess = exp(min(max(p[1] - total, -LIMIT), LIMIT))
        share = exp(seen - total)
        f[i] = p[0] + excess
        J[0, i] = 1.0
        J[1, i] = excess
        J[2, i] = -excess * (1.0 - share)
        J[3, i] = -excess * share * x[0, i]


@dataclass(frozen=True)
class Rectified(BentLaw):
    """A loss that stays flat until the new data outweigh what was learned before, then falls as a power of them.

        L(D) = E + B / (D_l + D^beta)

    `L` is in nats per token; `D` fine-tuning examples, above 0; `E` the irreducible loss, at least 0; `B` above 0; `D_l` the
    pre-learned data in units of D^beta, above 0; `beta` between 0 and 5. The bend lies at D = D_l^(1 / beta). With D_l far
    below the smallest D^beta it is the plain power law. Fitted by Huber's loss on ln L with delta 0.01, as the plain law.

    Lin et al. 2024, arXiv 2402.02314 (ICML), equation 4. Their code alternates two surrogate problems from identical starts
    and sticks on one model of thirty; the closed form is fitted here from many starts.

    Do not trust it before the loss has visibly bent: from the flat phase alone neither the bend nor the power is known.

    >>> law = Rectified(sources=("s",))
    >>> law.curve(np.array([1.0, np.log(200.0), np.log(100.0), 0.5]), np.log([[1e2], [1e4], [1e8]])).round(3).tolist()
    [2.818, 2.0, 1.02]
    """

    rise_tolerance: float = 0.01

    name: ClassVar[str] = "rectified"
    title: ClassVar[str] = "Rectified law of fine-tuning loss"
    formula: ClassVar[str] = "L = E + B / (D_l + D^β)"
    reference: ClassVar[str] = "Lin et al. 2024, arXiv 2402.02314, eq. 4"
    limitations: ClassVar[str] = (
        "Four numbers from a dozen sizes: before the loss has visibly bent, neither the bend nor the power is known, and the floor "
        "is a guess throughout."
    )
    robust_loss: ClassVar[RobustLoss] = Huber(0.01)
    profiled: ClassVar[str | None] = "beta"
    columns: ClassVar[Any] = staticmethod(_columns)

    def parameters(self, target: Target, columns: int) -> tuple[Parameter, ...]:
        """Floor, ln B and ln D_l at the middle of the sizes, and the exponent."""
        del target, columns
        return (
            floor_parameter("irreducible"),
            Parameter("ln_B", "ln of B, in units of the middle size", "ln nats", -14.0, 20.0, (-3.0, 4.0)),
            Parameter("ln_prelearned", "ln of D_l, in units of the middle size", "", -25.0, 20.0, (-6.0, 4.0), natural=True),
            Parameter("beta", "exponent of the data", "", 0.0, 5.0, (0.05, 2.0)),
        )

    def design(self, x: Array, weights: Array) -> Design:
        """Measure ln D from the middle of the training sizes; fold back to the printed form."""
        del weights
        at = float(middle(x)[0])

        def fold(p: Array) -> Array:
            return np.column_stack([p[:, 0], p[:, 1] + p[:, 3] * at, p[:, 2] + p[:, 3] * at, p[:, 3]])

        return Design(x - at, fold)

    def curve(self, parameters: Array, x: Array) -> Array:
        """Evaluate the law."""
        floor, b, prelearned, beta = (parameters[..., i, None] for i in range(4))
        return np.asarray(floor + power(b - np.logaddexp(prelearned, beta * x[..., 0])))

    def jacobian(self, parameters: Array, x: Array) -> Array:
        """Derivative by floor, ln B, ln D_l and beta."""
        _, b, prelearned, beta = (parameters[..., i, None] for i in range(4))
        total = np.logaddexp(prelearned, beta * x[..., 0])
        excess, share = power(b - total), power(beta * x[..., 0] - total)
        return np.stack([np.ones_like(excess), excess, -excess * (1.0 - share), -excess * share * x[..., 0]], axis=-1)

    def starts(self, x: Array, y: Array) -> Array:
        """For nine bends and exponents, floor and B by least squares."""
        made = []
        low, span = float(x.min()), float(np.ptp(x))
        for beta in BETAS:
            for place in PLACES:
                prelearned = beta * (low + place * span)
                shape = power(-np.logaddexp(prelearned, beta * x[:, 0]))
                floor, b = np.linalg.lstsq(np.column_stack([np.ones(len(y)), shape]), y, rcond=None)[0]
                made.append([float(np.clip(floor, 0.0, 0.99 * y.min())), np.log(max(b, 1e-6)), prelearned, beta])
        return np.array(made)

    def profile_values(self, x: Array) -> Array:
        """Exponents evenly on the logarithmic scale."""
        del x
        return np.geomspace(0.02, 4.0, 33)

    def pre_fit_status(self, table: TrainingTable) -> str | None:
        """Object when the loss rises by more than its noise from one size to the next."""
        return "non_monotone" if (np.diff(np.log(in_order(table))) > self.rise_tolerance).any() else None

    def narrowed(self, parameters: tuple[Parameter, ...], y: Array) -> tuple[Parameter, ...]:
        """Hold the irreducible loss below the smallest loss that was observed."""
        return (replace(parameters[0], upper=float(y.min())), *parameters[1:])

    def post_fit_status(self, table: TrainingTable, point: Array) -> str | None:
        """Call it `at_bound` when only the smallest observed loss holds the irreducible loss down."""
        return "at_bound" if point[0] >= table.y.min() * (1.0 - 1e-9) else None
