"""Robust losses of residuals: value, weight, curvature, and the same for the compiled engine, each loss in one place.

Least squares with a robust loss rho is solved by reweighting, every step one of plain least squares with the weights
rho'(r) / r; where asked, it passes into Newton's method with the curvature rho''(r) as a fit settles. A loss is a class with
`value`, `weight` and `curvature` on arrays (the reference), and functions of the module do the same for all rows of a compiled
fit; the two say the same, which a test holds them to. To add a loss: write the class, its compiled rows, and its lines in
`fill_rows` and `blend_rows`. Nothing outside this file knows which losses there are.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from foresaid.arrays import Array
from foresaid.errors import ParameterError

_LINEAR, _HUBER, _SOFT_L1 = 0.0, 1.0, 2.0  # how a loss is named to the compiled engine, which takes numbers
SETTLED = 1e-5  # damping below which a fit counts as being in its basin: see `RobustLoss.settled`


@dataclass(frozen=True)
class RobustLoss(ABC):
    """How much a residual counts: about half its square below `scale`, less than that beyond.

    `scale` has the unit of the residual (the noise scale of a law: values, or logarithms of values). Raises ParameterError for a
    scale that is not above zero.

    Reweighting alone, the rule where `settled` is 0, is sure and slow: where most rows lie beyond the scale it sees curvature that
    is not there. Below a damping of `settled` steps pass into Newton's, which are few but may leave a bent valley by its side; so
    only laws whose starts are seen to end where reweighting ends ask for it.
    """

    scale: float
    settled: float = 0.0

    name: ClassVar[str]
    code: ClassVar[float]

    def __post_init__(self) -> None:
        if not self.scale > 0:
            raise ParameterError(f"{self.name} loss: found scale {self.scale}, expected a number above zero")

    @abstractmethod
    def value(self, residual: Array) -> Array:
        """The loss rho(r) of each residual; r^2 / 2 near zero."""

    @abstractmethod
    def weight(self, residual: Array) -> Array:
        """What each residual weighs in a step of least squares, rho'(r) / r: 1 near zero."""

    @abstractmethod
    def curvature(self, residual: Array) -> Array:
        """The second derivative rho''(r): 1 near zero, never above the weight."""


class Linear(RobustLoss):
    """Plain least squares: rho(r) = r^2 / 2."""

    name, code = "linear", _LINEAR

    def __init__(self) -> None:
        super().__init__(np.inf)

    def value(self, residual: Array) -> Array:
        """Half the square."""
        return 0.5 * residual * residual

    def weight(self, residual: Array) -> Array:
        """One."""
        return np.ones_like(residual)

    def curvature(self, residual: Array) -> Array:
        """One."""
        return np.ones_like(residual)


class Huber(RobustLoss):
    """Squares up to the scale, straight lines beyond: rho(r) = r^2 / 2 for |r| <= delta, else delta (|r| - delta / 2).

    Huber 1964, Annals of Mathematical Statistics 35(1), equation 2.

    >>> Huber(1.0).value(np.array([0.5, 3.0])).tolist(), Huber(1.0).weight(np.array([0.5, 4.0])).tolist()
    ([0.125, 2.5], [1.0, 0.25])
    """

    name, code = "huber", _HUBER

    def value(self, residual: Array) -> Array:
        """Half the square, or the line that touches it at the scale."""
        size = np.abs(residual)
        return np.where(size <= self.scale, 0.5 * residual * residual, self.scale * (size - 0.5 * self.scale))

    def weight(self, residual: Array) -> Array:
        """One, or delta / |r|."""
        return self.scale / np.maximum(np.abs(residual), self.scale)

    def curvature(self, residual: Array) -> Array:
        """One, or nothing beyond the scale."""
        return (np.abs(residual) <= self.scale).astype(float)


class SoftL1(RobustLoss):
    """Smooth all the way: rho(r) = d^2 (sqrt(1 + (r / d)^2) - 1), as `soft_l1` of scipy.optimize.least_squares.

    Charbonnier et al. 1997, IEEE Transactions on Image Processing 6(2), table I.

    >>> SoftL1(4.0).value(np.array([0.0, 3.0])).tolist(), SoftL1(4.0).weight(np.array([3.0])).tolist()
    ([0.0, 4.0], [0.8])
    """

    name, code = "soft_l1", _SOFT_L1

    def value(self, residual: Array) -> Array:
        """The hyperbola that is a parabola near zero."""
        z = residual / self.scale
        return self.scale * self.scale * (np.sqrt(1.0 + z * z) - 1.0)

    def weight(self, residual: Array) -> Array:
        """1 / sqrt(1 + (r / d)^2)."""
        z = residual / self.scale
        return 1.0 / np.sqrt(1.0 + z * z)

    def curvature(self, residual: Array) -> Array:
        """1 / (1 + (r / d)^2)^(3/2)."""
        z = residual / self.scale
        return (1.0 + z * z) ** -1.5


LINEAR = Linear()


def share_beyond(settled: float, damping: Any) -> Any:
    """Return the share of a robust loss's reweighted curvature that a step still counts; the rest is the loss's own.

    A step solves with J' diag(c + s (v - c)) J, where v = w rho'(r) / r bounds the loss from above and c = w rho''(r) is its
    curvature: reweighting at s = 1, Newton's step on the loss at s = 0. The damping falls while steps keep what they promised and
    rises where they do not, and s follows it from `settled` on. Clark and Osborne 1986, SIAM Journal on Scientific and Statistical
    Computing 7(1): at s = 0 a linear problem is solved in finitely many steps.

    >>> [round(float(share_beyond(SETTLED, damping)), 6) for damping in (1e-3, 1e-5, 1e-6)], share_beyond(0.0, 1e-6)
    ([1.0, 1.0, 0.1], 1.0)
    """
    return np.minimum(1.0, damping / settled) if settled > 0 else 0.0 * damping + 1.0


def linear_rows(r: Array, w: Array, v: Array, f: Array) -> None:
    """`Linear` for the compiled engine."""
    for i in range(f.size):
        v[i] = w[i]
        f[i] = 0.5 * w[i] * r[i] * r[i]


def huber_rows(scale: float, r: Array, w: Array, v: Array, f: Array) -> None:
    """`Huber` for the compiled engine."""
    for i in range(f.size):
        size = abs(r[i])
        inside = size <= scale
        v[i] = w[i] if inside else w[i] * (scale / size)
        f[i] = 0.5 * w[i] * r[i] * r[i] if inside else w[i] * scale * (size - 0.5 * scale)


def soft_l1_rows(scale: float, r: Array, w: Array, v: Array, f: Array) -> None:
    """`SoftL1` for the compiled engine."""
    for i in range(f.size):
        root = np.sqrt(1.0 + (r[i] / scale) * (r[i] / scale))
        v[i] = w[i] / root
        f[i] = w[i] * scale * scale * (root - 1.0)


def fill_rows(code: float, scale: float, r: Array, w: Array, v: Array, f: Array) -> None:
    """Fill the weights `v` = w rho'(r) / r and the losses `f` = w rho(r) of all rows; part of what the driver compiles.

    The loss is chosen once a call and not once a row, so that the loops stay simple enough for vector registers.
    """
    if code == _HUBER:
        huber_rows(scale, r, w, v, f)
    elif code == _SOFT_L1:
        soft_l1_rows(scale, r, w, v, f)
    else:
        linear_rows(r, w, v, f)


def blend_rows(code: float, scale: float, share: float, r: Array, w: Array, v: Array, q: Array) -> None:
    """Fill `q` = c + share (v - c) of all rows from their weights `v`, c = w rho''(r): see `share_beyond`."""
    if code == _HUBER:
        for i in range(q.size):
            c = w[i] if abs(r[i]) <= scale else 0.0
            q[i] = c + share * (v[i] - c)
    elif code == _SOFT_L1:
        for i in range(q.size):
            root = np.sqrt(1.0 + (r[i] / scale) * (r[i] / scale))
            c = w[i] / (root * root * root)
            q[i] = c + share * (v[i] - c)
    else:
        for i in range(q.size):
            q[i] = v[i]
