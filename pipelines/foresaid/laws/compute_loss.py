"""A loss as a power law of training compute alone, whatever the split between parameters and tokens."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from foresaid.arrays import Array
from foresaid.fitting._elementary import exp
from foresaid.fitting.data import Target
from foresaid.fitting.law import Design, Parameter
from foresaid.laws._loss_surface import FLOOR, LIMIT, SurfaceLaw, power

EXPONENTS = (0.03, 0.08, 0.15, 0.25, 0.4)


LN_6 = 1.791759469228055


def _columns(p: Array, c: Array, x: Array, f: Array, J: Array) -> None:
    """Fill the curve and its derivatives for the compiled engine."""
    for i in range(f.size):
        flops = x[0, i] + LN_6
        term = exp(min(max(p[1] - p[2] * flops, -LIMIT), LIMIT))
        f[i] = p[0] + term
        J[0, i] = 1.0
        J[1, i] = term
        J[2, i] = -term * flops


@dataclass(frozen=True)
class ComputeLoss(SurfaceLaw):
    """A loss as a floor plus a power of training compute.

        L(C) = E + A C^-alpha,   C = 6 N D

    `L` is in nats per token; `C` training FLOPs of `N` parameters on `D` tokens; `E` the irreducible loss, at least 0; `A` above 0;
    `alpha` between 0 and 2.

    Henighan et al. 2020, arXiv 2010.14701, equation 1.1 (with a floor); Kaplan et al. 2020, equation 1.3 (without).

    Do not trust it for runs that split their compute unlike the training rows: it cannot tell a good split from a bad one. It is
    here as the law the others must beat.

    >>> law = ComputeLoss(sources=("s",))
    >>> law.curve(np.array([1.7, np.log(2000.0), 0.15]), np.log([[1e9, 2e10]])).round(3).tolist()
    [3.646]
    """

    name: ClassVar[str] = "compute_loss"
    title: ClassVar[str] = "Loss in training compute"
    formula: ClassVar[str] = "L = E + A C^−α,  C = 6 N D"
    reference: ClassVar[str] = "Henighan et al. 2020, arXiv 2010.14701, eq. 1.1"
    limitations: ClassVar[str] = "It cannot tell a good split of compute between parameters and tokens from a bad one."
    believed: ClassVar[dict[str, tuple[float, float]]] = {"irreducible": FLOOR}
    columns: ClassVar[Any] = staticmethod(_columns)

    def parameters(self, target: Target, columns: int) -> tuple[Parameter, ...]:
        """Floor, ln of the term in the middle of the rows, and the exponent."""
        del target, columns
        return (
            Parameter("irreducible", "loss that no compute removes", "nats per token", 0.0, 20.0, (0.5, 2.5), natural=True),
            Parameter("ln_term", "ln of A C^−α in the middle of the rows", "ln nats", -14.0, 4.0, (-3.0, 1.0)),
            Parameter("alpha", "exponent of the compute", "", 0.0, 2.0, (0.02, 0.4)),
        )

    def features(self, covariates: int) -> int:
        """One feature, ln C."""
        del covariates
        return 1

    def design(self, x: Array, weights: Array) -> Design:
        """Measure ln N + ln D from the middle of the rows; fold back to ln A of 6 N D."""
        del weights
        total = x.sum(axis=1, keepdims=True)
        at = float((total.min() + total.max()) / 2.0)

        def fold(p: Array) -> Array:
            return np.column_stack([p[:, 0], p[:, 1] + p[:, 2] * (at + np.log(6.0)), p[:, 2]])

        return Design(total - at - np.log(6.0), fold)

    def folded_names(self, names: tuple[str, ...], target: Target) -> tuple[str, ...]:
        """Name the frozen parameters as the printed form has them."""
        del names, target
        return ("irreducible", "ln_A", "alpha")

    def curve(self, parameters: Array, x: Array) -> Array:
        """Evaluate the law: `x` holds ln N and ln D, or while fitting their sum from the middle."""
        floor, a, alpha = (parameters[..., i, None] for i in range(3))
        return np.asarray(floor + power(a - alpha * (x.sum(axis=-1) + np.log(6.0))))

    def jacobian(self, parameters: Array, x: Array) -> Array:
        """Derivative by floor, ln of the term and the exponent."""
        _, a, alpha = (parameters[..., i, None] for i in range(3))
        flops = x.sum(axis=-1) + np.log(6.0)
        term = power(a - alpha * flops)
        return np.stack([np.ones_like(term), term, -term * flops], axis=-1)

    def starts(self, x: Array, y: Array) -> Array:
        """For five exponents, floor and term by least squares."""
        made = []
        for alpha in EXPONENTS:
            shape = power(-alpha * (x.sum(axis=1) + np.log(6.0)))
            floor, a = np.linalg.lstsq(np.column_stack([np.ones(len(y)), shape]), y, rcond=None)[0]
            made.append([float(np.clip(floor, 0.0, 0.98 * y.min())), np.log(max(a, 1e-3)), alpha])
        return np.array(made)

    def narrowed(self, parameters: tuple[Parameter, ...], y: Array) -> tuple[Parameter, ...]:
        """Hold the floor below the smallest loss that was observed."""
        return (replace(parameters[0], upper=float(y.min())), *parameters[1:])
