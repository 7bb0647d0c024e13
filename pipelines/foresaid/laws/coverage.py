"""The law of repeated sampling: the share of problems solved by at least one of k samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from foresaid.arrays import Array, middle
from foresaid.fitting._elementary import exp
from foresaid.fitting.data import Target
from foresaid.fitting.law import Design, Parameter
from foresaid.laws._loss_surface import LIMIT, power
from foresaid.laws._size_series import SizeLaw


def _columns(p: Array, c: Array, x: Array, f: Array, J: Array) -> None:
    """Fill the curve and its derivatives for the compiled engine."""
    for i in range(f.size):
        rate = exp(min(max(p[0] - p[1] * x[0, i], -LIMIT), LIMIT))
        f[i] = exp(-rate)
        J[0, i] = -rate * exp(-rate)
        J[1, i] = rate * exp(-rate) * x[0, i]


@dataclass(frozen=True)
class Coverage(SizeLaw):
    """Coverage as an exponentiated power law of the number of samples.

        c = exp(-exp(ln_a - b ln k)),   that is ln c = a k^b of the paper with a = -exp(ln_a) and its b = -b

    `c`, between 0 and 1, is pass@k by the unbiased estimator; `k` samples, at least 1; `ln_a` any; `b` above 0. Least squares on
    c, as the authors. Points of one curve are sums over the same problems, so their errors move together: the band is widened by
    what forecasts of larger k missed inside the training rows.

    Brown et al. 2024, arXiv 2407.21787, equations 2 and 3; estimator Chen et al. 2021, arXiv 2107.03374, equation 1.

    Do not trust it as accuracy: it needs an oracle that knows the right sample, and voting levels off near a hundred samples. Nor
    where coverage stays below 5 % or above 98 %: a and b are then one number. A power law in the aggregate needs many
    nearly unsolvable problems (Schaeffer et al., arXiv 2502.17578); see `beta_coverage`.

    >>> law = Coverage(sources=("s",))
    >>> law.curve(np.array([np.log(1.84), 0.2]), np.log([[1.0], [250.0]])).round(3).tolist()
    [0.159, 0.543]
    """

    name: ClassVar[str] = "coverage"
    title: ClassVar[str] = "Coverage of repeated samples"
    formula: ClassVar[str] = "pass@k = exp(a k^b)"
    reference: ClassVar[str] = "Brown et al. 2024, arXiv 2407.21787, eq. 2–3"
    limitations: ClassVar[str] = (
        "It is what an oracle could pick from k samples, not what the model answers. Below 5 % or above 98 % its two numbers "
        "are one. Problems that cannot be solved at all make it too hopeful."
    )
    noise: ClassVar[str] = "natural"
    columns: ClassVar[Any] = staticmethod(_columns)

    def parameters(self, target: Target, columns: int) -> tuple[Parameter, ...]:
        """Ln of minus ln c at the middle k, and the exponent."""
        del target, columns
        return (
            Parameter("ln_a", "ln of −ln coverage at the middle number of samples", "", -12.0, 4.0, (-4.0, 2.5)),
            Parameter("b", "exponent of the samples", "", 0.0, 3.0, (0.05, 1.0)),
        )

    def design(self, x: Array, weights: Array) -> Design:
        """Measure ln k from the middle; fold back to one sample."""
        del weights
        at = float(middle(x)[0])
        return Design(x - at, lambda p: np.column_stack([p[:, 0] + p[:, 1] * at, p[:, 1]]))

    def curve(self, parameters: Array, x: Array) -> Array:
        """Evaluate the law."""
        a, b = parameters[..., 0, None], parameters[..., 1, None]
        return np.asarray(np.exp(-power(a - b * x[..., 0])))

    def jacobian(self, parameters: Array, x: Array) -> Array:
        """Derivative by ln a and b."""
        a, b = parameters[..., 0, None], parameters[..., 1, None]
        rate = power(a - b * x[..., 0])
        slope = -rate * np.exp(-rate)
        return np.stack([slope, -slope * x[..., 0]], axis=-1)

    def starts(self, x: Array, y: Array) -> Array:
        """A straight line through ln(-ln c), where c is neither 0 nor 1, for three exponents."""
        inner = np.clip(y, 1e-6, 1.0 - 1e-6)
        level = float(np.mean(np.log(-np.log(inner))))
        return np.array([[level, b] for b in (0.1, 0.3, 0.8)])
