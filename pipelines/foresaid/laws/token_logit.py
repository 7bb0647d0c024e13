"""Accuracy against test-time compute, when it has to level off: logistic in the logarithm of tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from foresaid.arrays import Array, middle, sigmoid
from foresaid.fitting._elementary import exp
from foresaid.fitting.data import Target
from foresaid.fitting.law import Design, Parameter
from foresaid.laws._size_series import SizeLaw

SLOPES = (0.2, 0.6, 1.5)
CEILINGS = (0.5, 0.8, 1.0)


def _columns(p: Array, c: Array, x: Array, f: Array, J: Array) -> None:
    """Fill the curve and its derivatives for the compiled engine."""
    for i in range(f.size):
        s = 1.0 / (1.0 + exp(-p[1] * (x[0, i] - p[0])))
        f[i] = p[2] * s
        J[0, i] = -p[2] * s * (1.0 - s) * p[1]
        J[1, i] = p[2] * s * (1.0 - s) * (x[0, i] - p[0])
        J[2, i] = s


@dataclass(frozen=True)
class TokenLogit(SizeLaw):
    """Accuracy as a logistic curve of ln tokens that levels off at a ceiling.

        y = ceiling / (1 + exp(-slope (ln T - middle)))

    `y` is accuracy, a fraction; `T` tokens (or samples, or cost) spent on an answer, above 0; `slope` at least 0; `ceiling` between
    0 and 1; `middle`, ln T where half the ceiling is reached. The log-linear claim is the middle of this curve.

    Ours, against the log-linear relation shown by OpenAI, 12 September 2024 (no numbers on its axis), and the saturation seen in
    Snell et al., arXiv 2408.03314, and Brown et al., arXiv 2407.21787.

    Do not trust the ceiling before the curve has bent; different ways of spending tokens (longer thought, votes, search) are
    different curves.

    >>> law = TokenLogit(sources=("s",))
    >>> law.curve(np.array([np.log(1e3), 0.5, 0.9]), np.log([[1e2], [1e3], [1e6]])).round(3).tolist()
    [0.216, 0.45, 0.872]
    """

    name: ClassVar[str] = "token_logit"
    title: ClassVar[str] = "Accuracy in test-time tokens (levels off)"
    formula: ClassVar[str] = "accuracy = ceiling / (1 + exp(−slope (ln T − middle)))"
    reference: ClassVar[str] = "ours; against OpenAI, 12 September 2024; Snell et al. 2024, arXiv 2408.03314"
    limitations: ClassVar[str] = (
        "Before the curve bends, the ceiling is a guess. Longer thought, votes and search are different curves; a forecast for "
        "one says nothing of another."
    )
    noise: ClassVar[str] = "natural"
    columns: ClassVar[Any] = staticmethod(_columns)

    def parameters(self, target: Target, columns: int) -> tuple[Parameter, ...]:
        """Middle, slope and ceiling."""
        del target, columns
        return (
            Parameter(
                "middle", "ln tokens at half the ceiling, from the middle of the rows", "ln tokens", -30.0, 30.0, (-4.0, 4.0)
            ),
            Parameter("slope", "gain in log-odds per e-fold of tokens", "", 0.0, 10.0, (0.1, 2.0), natural=True),
            Parameter("ceiling", "where accuracy levels off", "fraction", 0.0, 1.0, (0.4, 1.0), natural=True),
        )

    typical_noise: ClassVar[float] = 0.02

    def prior(self, parameters: object) -> tuple[Array, Array]:
        """Believe weakly in a ceiling of one, (an error of a third where single points err by 0.02)."""
        del parameters
        return np.array([0.0, 0.0, 1.0]), np.array([0.0, 0.0, 0.0036])

    def design(self, x: Array, weights: Array) -> Design:
        """Measure ln tokens from the middle of the rows; fold back."""
        del weights
        at = float(middle(x)[0])
        return Design(x - at, lambda p: np.column_stack([p[:, 0] + at, p[:, 1], p[:, 2]]))

    def curve(self, parameters: Array, x: Array) -> Array:
        """Evaluate the law."""
        middle, slope, ceiling = (parameters[..., i, None] for i in range(3))
        return np.asarray(ceiling * sigmoid(slope * (x[..., 0] - middle)))

    def jacobian(self, parameters: Array, x: Array) -> Array:
        """Derivative by middle, slope and ceiling."""
        middle, slope, ceiling = (parameters[..., i, None] for i in range(3))
        s = sigmoid(slope * (x[..., 0] - middle))
        inner = ceiling * s * (1.0 - s)
        return np.stack([-inner * slope, inner * (x[..., 0] - middle), s], axis=-1)

    def starts(self, x: Array, y: Array) -> Array:
        """For nine slopes and ceilings, the middle that puts the mean right."""
        made = []
        for slope in SLOPES:
            for ceiling in CEILINGS:
                share = float(np.clip(y.mean() / ceiling, 0.02, 0.98))
                made.append([float(x.mean()) - np.log(share / (1.0 - share)) / slope, slope, ceiling])
        return np.array(made)
