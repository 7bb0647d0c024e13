"""The first joint law of loss in parameters and tokens. It has no floor, so it cannot be right for ever; it is a hard rival
inside a factor of a hundred in compute.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from foresaid.arrays import Array, middle
from foresaid.fitting._elementary import exp, log
from foresaid.fitting.data import Target
from foresaid.fitting.law import Design, Parameter
from foresaid.laws._loss_surface import LIMIT, SurfaceLaw, power

RATIOS, EXPONENTS = (0.6, 1.0, 1.5), (0.05, 0.1, 0.2, 0.4)


def _columns(p: Array, c: Array, x: Array, f: Array, J: Array) -> None:
    """Fill the curve and its derivatives for the compiled engine."""
    for i in range(f.size):
        first = p[0] - p[2] * x[0, i]
        second = p[1] - x[1, i]
        largest = max(first, second)
        total = largest + log(exp(first - largest) + exp(second - largest))
        share = exp(first - total)
        value = exp(min(max(p[3] * total, -LIMIT), LIMIT))
        f[i] = value
        J[0, i] = value * p[3] * share
        J[1, i] = value * p[3] * (1.0 - share)
        J[2, i] = -value * p[3] * share * x[0, i]
        J[3, i] = value * total


@dataclass(frozen=True)
class Kaplan(SurfaceLaw):
    """A loss that parameters and tokens share a single power of, without a floor.

        L(N, D) = [ (N_c / N)^(alpha_N / alpha_D) + D_c / D ]^alpha_D

    `L` is in nats per token; `N` parameters (the authors count none of the embeddings) and `D` tokens, above 0; `N_c`, `D_c`
    above 0; `alpha_N / alpha_D` between 0.05 and 8, `alpha_D` between 0.005 and 2. Printed for WebText2: alpha_N 0.076, alpha_D
    0.103 (0.095 alone), N_c 6.4e13 (8.8e13 alone), D_c 1.8e13 (5.4e13 alone).

    Kaplan et al. 2020, arXiv 2001.08361, equation 1.5.

    Do not trust it at high compute: without a floor it forecasts a loss of zero. Its allocation of compute is superseded
    (Porian et al., arXiv 2406.19146).

    >>> law = Kaplan(sources=("s",))
    >>> p, alpha = 0.076 / 0.095, 0.095
    >>> point = np.array([p * np.log(8.8e13), np.log(5.4e13), p, alpha])
    >>> law.curve(point, np.log([[1e9, 1e18]])).round(3).tolist()  # all data there could be: (N_c / N)^alpha_N
    [2.376]
    """

    name: ClassVar[str] = "kaplan"
    title: ClassVar[str] = "Loss in parameters and tokens (Kaplan)"
    formula: ClassVar[str] = "L = [ (N_c / N)^(α_N / α_D) + D_c / D ]^α_D"
    reference: ClassVar[str] = "Kaplan et al. 2020, arXiv 2001.08361, eq. 1.5"
    limitations: ClassVar[str] = (
        "It has no irreducible loss, so it is too hopeful far beyond the data. Its advice on how to split compute between "
        "parameters and tokens is superseded."
    )
    believed: ClassVar[dict[str, tuple[float, float]]] = {"ratio": (0.8, 0.5), "alpha_D": (0.095, 0.05)}
    settled: ClassVar[float] = 0.0
    columns: ClassVar[Any] = staticmethod(_columns)

    def parameters(self, target: Target, columns: int) -> tuple[Parameter, ...]:
        """Ln of both terms in the middle of the rows, the ratio of exponents, and the exponent of the sum."""
        del target, columns
        return (
            Parameter("ln_parameter_term", "ln of (N_c / N)^ratio in the middle of the rows", "", -60.0, 400.0, (0.0, 20.0)),
            Parameter("ln_token_term", "ln of D_c / D in the middle of the rows", "", -60.0, 400.0, (0.0, 20.0)),
            Parameter("ratio", "α_N / α_D", "", 0.05, 8.0, (0.4, 2.0)),
            Parameter("alpha_D", "exponent of the sum", "", 0.005, 2.0, (0.03, 0.5)),
        )

    def design(self, x: Array, weights: Array) -> Design:
        """Measure both sizes from the middle of the rows; fold back to ratio * ln N_c and ln D_c."""
        del weights
        at = middle(x)

        def fold(p: Array) -> Array:
            return np.column_stack([p[:, 0] + p[:, 2] * at[0], p[:, 1] + at[1], p[:, 2], p[:, 3]])

        return Design(x - at, fold)

    def folded_names(self, names: tuple[str, ...], target: Target) -> tuple[str, ...]:
        """Name the frozen parameters; the first is ratio * ln N_c."""
        del names, target
        return ("ratio_ln_N_c", "ln_D_c", "ratio", "alpha_D")

    def _terms(self, parameters: Array, x: Array) -> tuple[Array, Array]:
        """Ln of the sum of both terms, and the share of the first in it."""
        a, b, ratio = (parameters[..., i, None] for i in range(3))
        first, second = a - ratio * x[..., 0], b - x[..., 1]
        total = np.logaddexp(first, second)
        return total, power(first - total)

    def curve(self, parameters: Array, x: Array) -> Array:
        """Evaluate the law."""
        total, _ = self._terms(parameters, x)
        return np.asarray(power(parameters[..., 3, None] * total))

    def jacobian(self, parameters: Array, x: Array) -> Array:
        """Derivative by the two terms, the ratio and the exponent."""
        total, share = self._terms(parameters, x)
        alpha = parameters[..., 3, None]
        value = power(alpha * total)
        inner = value * alpha
        return np.stack([inner * share, inner * (1.0 - share), -inner * share * x[..., 0], value * total], axis=-1)

    def starts(self, x: Array, y: Array) -> Array:
        """For twelve pairs of exponents, both terms alike and the loss in the middle right."""
        level = float(np.log(y).mean())
        made = []
        for ratio in RATIOS:
            for alpha in EXPONENTS:
                made.append([level / alpha - np.log(2.0), level / alpha - np.log(2.0), ratio, alpha])
        return np.array(made)
