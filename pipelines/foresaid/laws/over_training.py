"""The law of loss for models trained far past the compute-optimal number of tokens: one exponent for both sizes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from foresaid.arrays import Array, middle
from foresaid.fitting._elementary import exp
from foresaid.fitting.data import Target
from foresaid.fitting.law import Design, Parameter
from foresaid.laws._loss_surface import EXPONENT, FLOOR, LIMIT, SurfaceLaw, floor_and_terms, power

EXPONENTS = (0.08, 0.15, 0.22, 0.3, 0.4, 0.6)


def _columns(p: Array, c: Array, x: Array, f: Array, J: Array) -> None:
    """Fill the curve and its derivatives for the compiled engine."""
    for i in range(f.size):
        a = exp(min(max(p[1] - p[3] * x[0, i], -LIMIT), LIMIT))
        b = exp(min(max(p[2] - p[3] * x[1, i], -LIMIT), LIMIT))
        f[i] = p[0] + a + b
        J[0, i] = 1.0
        J[1, i] = a
        J[2, i] = b
        J[3, i] = -a * x[0, i] - b * x[1, i]


@dataclass(frozen=True)
class OverTraining(SurfaceLaw):
    """A loss in parameters and tokens per parameter, whose two terms fall with one exponent.

        L(N, M) = E + a N^-eta + b 6^(-eta / 2) (M N)^-eta,   M = D / N

    `L` is in nats per token, `N` parameters, `D` tokens; `E` the irreducible loss, at least 0; `a`, `b` above 0; `eta` between
    0 and 2. One exponent makes lines of equal M parallel on logarithmic axes, which is what lets runs at small M forecast
    runs at large M. The authors fit plain least squares on the loss.

    Gadre et al. 2024, arXiv 2403.08540, equation 4 (in their code: a = alpha1, b = beta1, eta = -b).

    Do not trust it across corpora, nor its exponent from runs at one M only.

    >>> law = OverTraining(sources=("s",))
    >>> n, m = 1.4e9, 640.0
    >>> point = np.array([1.8366, np.log(166.2), np.log(366.7) - 0.2729 / 2 * np.log(6.0), 0.2729])
    >>> law.curve(point, np.log([[n, m * n]])).round(3).tolist()
    [2.524]
    """

    name: ClassVar[str] = "over_training"
    title: ClassVar[str] = "Loss when over-trained (one exponent)"
    formula: ClassVar[str] = "L = E + a N^−η + b 6^(−η/2) (M N)^−η,  M = D / N"
    reference: ClassVar[str] = "Gadre et al. 2024, arXiv 2403.08540, eq. 4"
    limitations: ClassVar[str] = (
        "Holds within one corpus and recipe. From runs at a single ratio of tokens to parameters the two terms cannot be told "
        "apart, and the forecast of over-trained runs is then a guess."
    )
    believed: ClassVar[dict[str, tuple[float, float]]] = {"irreducible": FLOOR, "eta": EXPONENT}
    columns: ClassVar[Any] = staticmethod(_columns)

    def parameters(self, target: Target, columns: int) -> tuple[Parameter, ...]:
        """Floor, ln of each term in the middle of the rows, and the exponent they share."""
        del target, columns
        return (
            Parameter("irreducible", "loss that no size removes", "nats per token", 0.0, 20.0, (0.5, 2.5), natural=True),
            Parameter(
                "ln_parameter_term", "ln of the parameter term in the middle of the rows", "ln nats", -14.0, 4.0, (-3.0, 1.0)
            ),
            Parameter("ln_token_term", "ln of the token term in the middle of the rows", "ln nats", -14.0, 4.0, (-3.0, 1.0)),
            Parameter("eta", "exponent of both sizes", "", 0.0, 2.0, (0.05, 0.6)),
        )

    def design(self, x: Array, weights: Array) -> Design:
        """Measure both sizes from the middle of the rows; fold back to coefficients at one parameter and one token."""
        del weights
        at = middle(x)

        def fold(p: Array) -> Array:
            return np.column_stack([p[:, 0], p[:, 1] + p[:, 3] * at[0], p[:, 2] + p[:, 3] * at[1], p[:, 3]])

        return Design(x - at, fold)

    def folded_names(self, names: tuple[str, ...], target: Target) -> tuple[str, ...]:
        """Name the frozen parameters; ln_b_6 is ln b - (eta / 2) ln 6 of the printed form."""
        del names, target
        return ("irreducible", "ln_a", "ln_b_6", "eta")

    def curve(self, parameters: Array, x: Array) -> Array:
        """Evaluate the law."""
        floor, a, b, eta = (parameters[..., i, None] for i in range(4))
        return np.asarray(floor + power(a - eta * x[..., 0]) + power(b - eta * x[..., 1]))

    def jacobian(self, parameters: Array, x: Array) -> Array:
        """Derivative by floor, the two terms and the exponent."""
        _, a, b, eta = (parameters[..., i, None] for i in range(4))
        first, second = power(a - eta * x[..., 0]), power(b - eta * x[..., 1])
        return np.stack([np.ones_like(first), first, second, -first * x[..., 0] - second * x[..., 1]], axis=-1)

    def starts(self, x: Array, y: Array) -> Array:
        """For six exponents, floor and terms by least squares."""
        made = []
        for eta in EXPONENTS:
            floor, a, b = floor_and_terms(np.column_stack([power(-eta * x[:, 0]), power(-eta * x[:, 1])]), y)
            made.append([min(floor, 0.98 * float(y.min())), np.log(a), np.log(b), eta])
        return np.array(made)

    def narrowed(self, parameters: tuple[Parameter, ...], y: Array) -> tuple[Parameter, ...]:
        """Hold the floor below the smallest loss that was observed."""
        return (replace(parameters[0], upper=float(y.min())), *parameters[1:])
