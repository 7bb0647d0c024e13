"""The rival law of repeated sampling: problems differ in difficulty, and each is a coin tossed k times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import betaln, digamma

from foresaid.arrays import Array
from foresaid.fitting.data import Target
from foresaid.fitting.law import Parameter
from foresaid.laws._loss_surface import power
from foresaid.laws._size_series import SizeLaw

MEANS, SIZES = (0.02, 0.2, 0.6), (0.3, 1.0, 5.0)


@dataclass(frozen=True)
class BetaCoverage(SizeLaw):
    """Coverage when a share of the problems is out of reach and the others' success rates follow a beta distribution.

        c = (1 - out) (1 - E[(1 - p)^k]) = (1 - out) (1 - B(a, b + k) / B(a, b)),   p ~ Beta(a, b)

    `c`, between 0 and 1, is pass@k; `k` samples, at least 1; `a`, `b` above 0 (for large k, c rises as k^-a does: a is the
    exponent of the tail of hard problems); `out` the share never solved, 0 to 1. Least squares on c.

    The mixture of Schaeffer et al. 2025, arXiv 2502.17578, section 4 (there fitted by problem; here to the curve).

    Do not trust `out`: no finite number of samples tells a problem that cannot be solved from one solved once in a million.

    >>> law = BetaCoverage(sources=("s",))
    >>> law.curve(np.array([0.0, 0.0, 0.0]), np.log([[1.0], [9.0]])).round(6).tolist()  # uniform rates: k / (k + 1)
    [0.5, 0.9]
    """

    name: ClassVar[str] = "beta_coverage"
    title: ClassVar[str] = "Coverage of repeated samples (beta mixture)"
    formula: ClassVar[str] = "pass@k = (1 − out) (1 − B(a, b + k) / B(a, b))"
    reference: ClassVar[str] = "Schaeffer et al. 2025, arXiv 2502.17578, section 4"
    limitations: ClassVar[str] = (
        "It is what an oracle could pick from k samples. The share of problems out of reach is not identified by any finite "
        "number of samples, and the far forecast hangs on it."
    )
    noise: ClassVar[str] = "natural"

    def parameters(self, target: Target, columns: int) -> tuple[Parameter, ...]:
        """Ln a, ln b, and the share out of reach."""
        del target, columns
        return (
            Parameter("ln_a", "ln of the beta distribution's first number", "", -5.0, 5.0, (-3.0, 2.0)),
            Parameter("ln_b", "ln of its second", "", -5.0, 14.0, (-2.0, 6.0)),
            Parameter("out", "share of problems never solved", "share", 0.0, 1.0, (0.0, 0.5), natural=True),
        )

    @staticmethod
    def _missed(parameters: Array, x: Array) -> tuple[Array, Array, Array, Array]:
        """E[(1 - p)^k], and a, b, k."""
        a, b, k = power(parameters[..., 0, None]), power(parameters[..., 1, None]), power(x[..., 0])
        return np.exp(betaln(a, b + k) - betaln(a, b)), a, b, k

    def curve(self, parameters: Array, x: Array) -> Array:
        """Evaluate the law."""
        missed, *_ = self._missed(parameters, x)
        return np.asarray((1.0 - parameters[..., 2, None]) * (1.0 - missed))

    def jacobian(self, parameters: Array, x: Array) -> Array:
        """Derivative by ln a, ln b and the share out of reach."""
        missed, a, b, k = self._missed(parameters, x)
        reach = 1.0 - parameters[..., 2, None]
        shared = digamma(a + b) - digamma(a + b + k)
        by_a = -reach * missed * shared * a
        by_b = -reach * missed * (digamma(b + k) - digamma(b) + shared) * b
        return np.stack([by_a, by_b, missed - 1.0], axis=-1)

    def starts(self, x: Array, y: Array) -> Array:
        """For nine means and sizes of the distribution, nothing out of reach."""
        del x, y
        return np.array([[np.log(m * s), np.log((1.0 - m) * s), 0.0] for m in MEANS for s in SIZES])
