"""The power law of a loss: an irreducible part and a part that falls with the data.

Fitted in numbers that hardly depend on one another (the irreducible loss, the reducible loss in the middle of the training
sizes, the exponent), since A and alpha of the printed form are nearly one number on a short series.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from foresaid.arrays import Array, middle
from foresaid.fitting._elementary import exp
from foresaid.fitting.data import Target, TrainingTable
from foresaid.fitting.law import Design, Parameter
from foresaid.fitting.robust_loss import Huber, RobustLoss
from foresaid.laws._size_series import SizeLaw, floor_parameter, in_order

ALPHAS = (0.05, 0.15, 0.4, 1.0)
GRID = 65  # exponents of the profile


def _columns(p: Array, c: Array, x: Array, f: Array, J: Array) -> None:
    """Fill the curve and its derivatives for the compiled engine."""
    for i in range(f.size):
        excess = exp(min(max(p[1] - p[2] * x[0, i], -700.0), 700.0))
        f[i] = p[0] + excess
        J[0, i] = 1.0
        J[1, i] = excess
        J[2, i] = -excess * x[0, i]


@dataclass(frozen=True)
class CrossEntropyPower(SizeLaw):
    """A loss as a floor plus a power of the amount of data.

        L = E + A / D^alpha = E + exp(ln_excess - alpha (ln D - ln D_middle))

    `L` is in nats per token; `D` the amount of data, above 0; `E`, the irreducible loss, at least 0 and below the smallest
    observed loss; `ln_excess` the logarithm of the reducible loss at the middle of the training sizes (on the logarithmic
    scale), -14 to 4; `alpha` between 0 and 5. Huber's loss on ln L with delta 0.01: with the 0.001 of the paper's text nearly
    every residual of a real series (3 % is usual) lies in the linear part, the fit becomes one of least absolute errors
    that runs through three points exactly, and on 84 real series twice as many resamples end unsettled.

    Isik et al., arXiv 2402.04177v3, equation 3 (equation 2 in v1), for pre-training tokens.

    Status `non_monotone` when the loss rises by more than `rise_tolerance` of itself (0.01) from one size to
    the next: a smaller rise is within the noise of a single run; `at_bound` also when E is held down by the smallest observed loss.

    Do not trust it where the size is not that of the paper (fine-tuning examples follow a bent law, Lin et al., arXiv
    2402.02314), to compare levels between tokenisers, as a sign that translations get better (the loss may fall while BLEU
    does), or far out: E is seldom known.

    >>> law = CrossEntropyPower(sources=("s",))
    >>> law.curve(np.array([2.0, 0.0, 0.5]), np.array([[0.0], [2.0], [-2.0]])).round(3).tolist()
    [3.0, 2.368, 4.718]
    """

    rise_tolerance: float = 0.01

    name: ClassVar[str] = "cross_entropy_power"
    title: ClassVar[str] = "Power law of cross-entropy"
    formula: ClassVar[str] = "L = E + A / D^α"
    reference: ClassVar[str] = "Isik et al. 2024, arXiv 2402.04177v3, eq. 3 (eq. 2 in v1)"
    limitations: ClassVar[str] = (
        "The irreducible loss is seldom known, so far forecasts are guesses; losses do not compare between tokenisers; a falling "
        "loss does not mean better translations. In some series the size is fine-tuning examples, which the paper does not treat."
    )
    robust_loss: ClassVar[RobustLoss] = Huber(0.01)
    profiled: ClassVar[str | None] = "alpha"
    columns: ClassVar[Any] = staticmethod(_columns)

    def parameters(self, target: Target, columns: int) -> tuple[Parameter, ...]:
        """Irreducible loss, ln of the reducible loss in the middle, exponent."""
        del target, columns
        return (
            floor_parameter("irreducible"),
            Parameter("ln_excess", "ln of the reducible loss in the middle of the sizes", "ln nats", -14.0, 4.0, (-4.0, 1.0)),
            Parameter("alpha", "exponent of the data", "", 0.0, 5.0, (0.02, 1.0)),
        )

    def design(self, x: Array, weights: Array) -> Design:
        """Measure ln D from the middle of the training sizes; fold back to ln A."""
        del weights
        at = float(middle(x)[0])

        def fold(parameters: Array) -> Array:
            return np.column_stack([parameters[:, 0], parameters[:, 1] + parameters[:, 2] * at, parameters[:, 2]])

        return Design(x - at, fold)

    def folded_names(self, names: tuple[str, ...], target: Target) -> tuple[str, ...]:
        """Name the frozen parameters as the printed form has them."""
        del names, target
        return ("irreducible", "ln_A", "alpha")

    def curve(self, parameters: Array, x: Array) -> Array:
        """Evaluate the law."""
        irreducible, level, alpha = (parameters[..., i, None] for i in range(3))
        return np.asarray(irreducible + np.exp(np.clip(level - alpha * x[..., 0], -700.0, 700.0)))

    def jacobian(self, parameters: Array, x: Array) -> Array:
        """Derivative by irreducible loss, ln excess and alpha."""
        level, alpha = parameters[..., 1, None], parameters[..., 2, None]
        excess = np.exp(np.clip(level - alpha * x[..., 0], -700.0, 700.0))
        return np.stack([np.ones_like(excess), excess, -excess * x[..., 0]], axis=-1)

    def starts(self, x: Array, y: Array) -> Array:
        """For four exponents, floor and excess by least squares."""
        made = []
        for alpha in ALPHAS:
            shape = np.exp(-alpha * x[:, 0])
            floor, excess = np.linalg.lstsq(np.column_stack([np.ones(len(y)), shape]), y, rcond=None)[0]
            floor = float(np.clip(floor, 0.0, y.min()))
            if excess <= 0:
                excess = 1e-3
            made.append([floor, np.log(max(excess, 1e-6)), alpha])
        return np.array(made)

    def profile_values(self, x: Array) -> Array:
        """Exponents evenly on the logarithmic scale."""
        del x
        return np.geomspace(0.01, 2.0, GRID)

    def pre_fit_status(self, table: TrainingTable) -> str | None:
        """Object when the loss rises by more than its noise from one size to the next."""
        return "non_monotone" if (np.diff(np.log(in_order(table))) > self.rise_tolerance).any() else None

    def narrowed(self, parameters: tuple[Parameter, ...], y: Array) -> tuple[Parameter, ...]:
        """Hold the irreducible loss below the smallest loss that was observed."""
        return (replace(parameters[0], upper=float(y.min())), *parameters[1:])

    def post_fit_status(self, table: TrainingTable, point: Array) -> str | None:
        """Call it `at_bound` when only the smallest observed loss holds the irreducible loss down."""
        return "at_bound" if point[0] >= table.y.min() * (1.0 - 1e-9) else None
