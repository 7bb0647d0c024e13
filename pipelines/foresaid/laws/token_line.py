"""Accuracy as a straight line in the logarithm of test-time compute: the claim as it was made, which must fail in the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from foresaid.arrays import Array, middle
from foresaid.fitting.data import Target
from foresaid.fitting.law import Design, Parameter
from foresaid.laws._size_series import SizeLaw

LN10 = float(np.log(10.0))


def _columns(p: Array, c: Array, x: Array, f: Array, J: Array) -> None:
    """Fill the curve and its derivatives for the compiled engine."""
    for i in range(f.size):
        f[i] = p[0] + p[1] * x[0, i] / LN10
        J[0, i] = 1.0
        J[1, i] = x[0, i] / LN10


@dataclass(frozen=True)
class TokenLine(SizeLaw):
    """Accuracy that gains the same number of points for each tenfold of test-time compute.

        y = level + gain log10(T / T_0)

    `y` is accuracy, a fraction; `T` tokens (or samples, or cost) spent on an answer, above 0; `gain` in fractions of one per
    tenfold; the frozen curve gives `level` at T_0 = 1.

    OpenAI, 12 September 2024, "Learning to reason with LLMs": accuracy on AIME against the logarithm of train-time and
    test-time compute, axes without numbers.

    Do not trust it outside the tokens seen: it passes one, and zero, and is cut there.

    >>> TokenLine(sources=("s",)).curve(np.array([0.2, 0.1]), np.log([[1.0], [1000.0]])).round(3).tolist()
    [0.2, 0.5]
    """

    name: ClassVar[str] = "token_line"
    title: ClassVar[str] = "Accuracy in test-time tokens (log-linear)"
    formula: ClassVar[str] = "accuracy = level + gain · log10 T"
    reference: ClassVar[str] = "OpenAI 2024, “Learning to reason with LLMs”, 12 September"
    limitations: ClassVar[str] = (
        "It has no ceiling: it passes one and is cut there. A line is never right far outside the tokens seen."
    )
    noise: ClassVar[str] = "natural"
    columns: ClassVar[Any] = staticmethod(_columns)

    def parameters(self, target: Target, columns: int) -> tuple[Parameter, ...]:
        """Level at the middle of the rows, and gain per tenfold."""
        del target, columns
        return (
            Parameter("level", "accuracy at the middle of the rows", "fraction", -20.0, 20.0, (0.0, 1.0)),
            Parameter("gain", "gain for ten times the tokens", "fraction per tenfold", -3.0, 3.0, (-0.1, 0.5)),
        )

    def design(self, x: Array, weights: Array) -> Design:
        """Measure ln tokens from the middle of the rows; fold back to one token."""
        del weights
        at = float(middle(x)[0])
        return Design(x - at, lambda p: np.column_stack([p[:, 0] - p[:, 1] * at / np.log(10.0), p[:, 1]]))

    def curve(self, parameters: Array, x: Array) -> Array:
        """Evaluate the law."""
        return np.asarray(parameters[..., 0, None] + parameters[..., 1, None] * x[..., 0] / np.log(10.0))

    def jacobian(self, parameters: Array, x: Array) -> Array:
        """Derivative by level and gain."""
        ones = np.ones_like(self.curve(parameters, x))
        return np.stack([ones, ones * x[..., 0] / np.log(10.0)], axis=-1)

    def starts(self, x: Array, y: Array) -> Array:
        """The mean, and no gain."""
        del x
        return np.array([[float(y.mean()), 0.0]])
