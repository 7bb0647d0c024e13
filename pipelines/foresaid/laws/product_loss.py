"""A loss whose reducible part is one product of powers of both sizes: the plainest surface there is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from foresaid.arrays import Array, middle
from foresaid.fitting._elementary import exp
from foresaid.fitting.data import Target
from foresaid.fitting.law import Design, Parameter
from foresaid.laws._loss_surface import FLOOR, LIMIT, SurfaceLaw, floor_and_terms, power

EXPONENTS = (0.05, 0.12, 0.25, 0.45)


def _columns(p: Array, c: Array, x: Array, f: Array, J: Array) -> None:
    """Fill the curve and its derivatives for the compiled engine."""
    for i in range(f.size):
        term = exp(min(max(p[1] - p[2] * x[0, i] - p[3] * x[1, i], -LIMIT), LIMIT))
        f[i] = p[0] + term
        J[0, i] = 1.0
        J[1, i] = term
        J[2, i] = -term * x[0, i]
        J[3, i] = -term * x[1, i]


@dataclass(frozen=True)
class ProductLoss(SurfaceLaw):
    """A loss as a floor plus one term in which parameters and tokens stand in for each other at a fixed rate.

        L(N, D) = E + A N^-alpha D^-beta

    `L` is in nats per token; `N` parameters, `D` tokens, above 0; `E` the irreducible loss, at least 0; `A` above 0; `alpha` and
    `beta` between 0 and 2. With alpha = beta it is a power law of compute.

    The multiplicative form among those compared by Alabdulmohsin et al. 2022, arXiv 2209.06640 (there in one size).

    Do not trust it where one size is held and the other grows: it has no floor per size, so it is too hopeful for a small
    model on endless data.

    >>> law = ProductLoss(sources=("s",))
    >>> law.curve(np.array([1.7, np.log(500.0), 0.1, 0.15]), np.log([[1e9, 2e10]])).round(3).tolist()
    [3.494]
    """

    name: ClassVar[str] = "product_loss"
    title: ClassVar[str] = "Loss in parameters times tokens"
    formula: ClassVar[str] = "L = E + A N^−α D^−β"
    reference: ClassVar[str] = "multiplicative form; compare Alabdulmohsin et al. 2022, arXiv 2209.06640"
    limitations: ClassVar[str] = (
        "A small model on endless data would reach the same floor as a large one: where one size is held and the other grows "
        "the forecast is too hopeful."
    )
    believed: ClassVar[dict[str, tuple[float, float]]] = {"irreducible": FLOOR}
    columns: ClassVar[Any] = staticmethod(_columns)

    def parameters(self, target: Target, columns: int) -> tuple[Parameter, ...]:
        """Floor, ln of the term in the middle of the rows, and both exponents."""
        del target, columns
        return (
            Parameter("irreducible", "loss that no size removes", "nats per token", 0.0, 20.0, (0.5, 2.5), natural=True),
            Parameter("ln_term", "ln of A N^−α D^−β in the middle of the rows", "ln nats", -14.0, 4.0, (-3.0, 1.0)),
            Parameter("alpha", "exponent of the parameters", "", 0.0, 2.0, (0.02, 0.5)),
            Parameter("beta", "exponent of the tokens", "", 0.0, 2.0, (0.02, 0.5)),
        )

    def design(self, x: Array, weights: Array) -> Design:
        """Measure both sizes from the middle of the rows; fold back to ln A."""
        del weights
        at = middle(x)

        def fold(p: Array) -> Array:
            return np.column_stack([p[:, 0], p[:, 1] + p[:, 2] * at[0] + p[:, 3] * at[1], p[:, 2], p[:, 3]])

        return Design(x - at, fold)

    def folded_names(self, names: tuple[str, ...], target: Target) -> tuple[str, ...]:
        """Name the frozen parameters as the printed form has them."""
        del names, target
        return ("irreducible", "ln_A", "alpha", "beta")

    def curve(self, parameters: Array, x: Array) -> Array:
        """Evaluate the law."""
        floor, a, alpha, beta = (parameters[..., i, None] for i in range(4))
        return np.asarray(floor + power(a - alpha * x[..., 0] - beta * x[..., 1]))

    def jacobian(self, parameters: Array, x: Array) -> Array:
        """Derivative by floor, ln of the term, and both exponents."""
        _, a, alpha, beta = (parameters[..., i, None] for i in range(4))
        term = power(a - alpha * x[..., 0] - beta * x[..., 1])
        return np.stack([np.ones_like(term), term, -term * x[..., 0], -term * x[..., 1]], axis=-1)

    def starts(self, x: Array, y: Array) -> Array:
        """For sixteen pairs of exponents, floor and term by least squares."""
        made = []
        for alpha in EXPONENTS:
            for beta in EXPONENTS:
                shape = power(-alpha * x[:, 0] - beta * x[:, 1])
                floor, a, b = floor_and_terms(np.column_stack([shape / 2.0, shape / 2.0]), y)
                made.append([min(floor, 0.98 * float(y.min())), np.log((a + b) / 2.0), alpha, beta])
        return np.array(made)

    def narrowed(self, parameters: tuple[Parameter, ...], y: Array) -> tuple[Parameter, ...]:
        """Hold the floor below the smallest loss that was observed."""
        return (replace(parameters[0], upper=float(y.min())), *parameters[1:])
