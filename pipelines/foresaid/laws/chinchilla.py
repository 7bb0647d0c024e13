"""The law of loss in parameters and tokens that Chinchilla was built on.

Fitted with both coefficients at the middle of the training rows; the printed A and B are where their lines cross one parameter
and one token, thousands of times outside the data, which is why their errors are as large as they are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from foresaid.arrays import Array, middle
from foresaid.fitting._elementary import exp
from foresaid.fitting.data import Target
from foresaid.fitting.law import Design, Parameter
from foresaid.laws._loss_surface import EXPONENT, FLOOR, LIMIT, SurfaceLaw, floor_and_terms, power

EXPONENTS = (0.1, 0.25, 0.4, 0.7)


def _columns(p: Array, c: Array, x: Array, f: Array, J: Array) -> None:
    """Fill the curve and its derivatives for the compiled engine."""
    floor, ln_a, alpha, ln_b, beta = p[0], p[1], p[2], p[3], p[4]
    for i in range(f.size):
        a = exp(min(max(ln_a - alpha * x[0, i], -LIMIT), LIMIT))
        b = exp(min(max(ln_b - beta * x[1, i], -LIMIT), LIMIT))
        f[i] = floor + a + b
        J[0, i] = 1.0
        J[1, i] = a
        J[2, i] = -a * x[0, i]
        J[3, i] = b
        J[4, i] = -b * x[1, i]


@dataclass(frozen=True)
class Chinchilla(SurfaceLaw):
    """A loss as a floor plus a term that falls with parameters and one that falls with tokens.

        L(N, D) = E + A / N^alpha + B / D^beta

    `L` is in nats per token; `N` parameters and `D` training tokens, above 0; `E` the irreducible loss, at least 0; `A`, `B`
    above 0; `alpha`, `beta` between 0 and 3.

    Hoffmann et al. 2022, arXiv 2203.15556, equations 2 and 3 (approach 3); refitted by Besiroglu et al. 2024, arXiv
    2404.10102. Their compute-optimal split at C = 6 N D is N = G (C / 6)^(beta / (alpha + beta)); see `allocation`.

    Do not trust it for losses of checkpoints in mid-schedule, for repeated data, across corpora or tokenisers, or for A and B by
    themselves: A moves with alpha and B with beta, and a few outliers decide beta.

    >>> law = Chinchilla(sources=("s",))
    >>> point = np.array([1.8172, np.log(477.84), 0.34731, np.log(2143.86), 0.36718])
    >>> law.curve(point, np.log([[70e9, 1.4e12]])).round(3).tolist()
    [1.973]
    """

    name: ClassVar[str] = "chinchilla"
    title: ClassVar[str] = "Loss in parameters and tokens (Chinchilla)"
    formula: ClassVar[str] = "L = E + A / N^α + B / D^β"
    reference: ClassVar[str] = "Hoffmann et al. 2022, arXiv 2203.15556, eq. 2–3; Besiroglu et al. 2024, arXiv 2404.10102"
    limitations: ClassVar[str] = (
        "Holds for finished runs of one corpus, tokeniser and recipe on fresh data. A and α, B and β trade against each other; a "
        "few runs with large losses can decide β; the floor E is a guess where no run comes near it."
    )
    believed: ClassVar[dict[str, tuple[float, float]]] = {"irreducible": FLOOR, "alpha": EXPONENT, "beta": EXPONENT}
    columns: ClassVar[Any] = staticmethod(_columns)

    def parameters(self, target: Target, columns: int) -> tuple[Parameter, ...]:
        """Floor, and for each size the ln of its term in the middle of the rows and its exponent."""
        del target, columns
        return (
            Parameter("irreducible", "loss that no size removes", "nats per token", 0.0, 20.0, (0.5, 2.5), natural=True),
            Parameter("ln_parameter_term", "ln of A / N^α in the middle of the rows", "ln nats", -14.0, 4.0, (-3.0, 1.0)),
            Parameter("alpha", "exponent of the parameters", "", 0.0, 3.0, (0.05, 0.8)),
            Parameter("ln_token_term", "ln of B / D^β in the middle of the rows", "ln nats", -14.0, 4.0, (-3.0, 1.0)),
            Parameter("beta", "exponent of the tokens", "", 0.0, 3.0, (0.05, 0.8)),
        )

    def design(self, x: Array, weights: Array) -> Design:
        """Measure both sizes from the middle of the rows; fold back to ln A and ln B."""
        del weights
        at = middle(x)

        def fold(p: Array) -> Array:
            return np.column_stack([p[:, 0], p[:, 1] + p[:, 2] * at[0], p[:, 2], p[:, 3] + p[:, 4] * at[1], p[:, 4]])

        return Design(x - at, fold)

    def folded_names(self, names: tuple[str, ...], target: Target) -> tuple[str, ...]:
        """Name the frozen parameters as the printed form has them."""
        del names, target
        return ("irreducible", "ln_A", "alpha", "ln_B", "beta")

    def curve(self, parameters: Array, x: Array) -> Array:
        """Evaluate the law."""
        floor, a, alpha, b, beta = (parameters[..., i, None] for i in range(5))
        return np.asarray(floor + power(a - alpha * x[..., 0]) + power(b - beta * x[..., 1]))

    def jacobian(self, parameters: Array, x: Array) -> Array:
        """Derivative by floor, ln of the parameter term, alpha, ln of the token term, beta."""
        _, a, alpha, b, beta = (parameters[..., i, None] for i in range(5))
        first, second = power(a - alpha * x[..., 0]), power(b - beta * x[..., 1])
        return np.stack([np.ones_like(first), first, -first * x[..., 0], second, -second * x[..., 1]], axis=-1)

    def starts(self, x: Array, y: Array) -> Array:
        """For sixteen pairs of exponents, floor and terms by least squares: the law is linear in those."""
        made = []
        for alpha in EXPONENTS:
            for beta in EXPONENTS:
                shapes = np.column_stack([power(-alpha * x[:, 0]), power(-beta * x[:, 1])])
                floor, a, b = floor_and_terms(shapes, y)
                made.append([min(floor, 0.98 * float(y.min())), np.log(a), alpha, np.log(b), beta])
        return np.array(made)

    def narrowed(self, parameters: tuple[Parameter, ...], y: Array) -> tuple[Parameter, ...]:
        """Hold the floor below the smallest loss that was observed."""
        return (replace(parameters[0], upper=float(y.min())), *parameters[1:])


def allocation(point: Array, training_flops: Array) -> tuple[Array, Array]:
    """Parameters and tokens that reach the least loss for a budget of C = 6 N D FLOPs: two arrays like `training_flops`.

    N = G (C / 6)^(beta / (alpha + beta)), G = (alpha A / (beta B))^(1 / (alpha + beta)), D = C / (6 N). Hoffmann et al. 2022,
    equation 4. `point` is a frozen curve's (irreducible, ln_A, alpha, ln_B, beta).

    Do not read it beyond the fitted sizes by more than about a factor of ten: the split hangs on alpha - beta.

    >>> point = np.array([1.8172, np.log(477.84), 0.34731, np.log(2143.86), 0.36718])
    >>> n, d = allocation(point, np.array([5.76e23]))
    >>> round(float(n[0]) / 1e9), round(float(d[0]) / 1e12, 2)
    (73, 1.31)
    """
    _, a, alpha, b, beta = point
    ln_g = (np.log(alpha / beta) + a - b) / (alpha + beta)
    ln_n = ln_g + beta / (alpha + beta) * np.log(np.asarray(training_flops) / 6.0)
    n = np.exp(ln_n)
    return n, np.asarray(training_flops) / (6.0 * n)
