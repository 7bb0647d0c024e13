"""A power law that changes its slope once: the smoothly broken neural scaling law with one break."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from foresaid.arrays import Array, middle, sigmoid
from foresaid.fitting._elementary import exp, log
from foresaid.fitting.data import Target, TrainingTable
from foresaid.fitting.law import Design, Parameter
from foresaid.fitting.least_squares import solve
from foresaid.fitting.problem import LeastSquaresProblem
from foresaid.fitting.robust_loss import Huber, RobustLoss
from foresaid.laws._loss_surface import LIMIT, power
from foresaid.laws._size_series import BentLaw, floor_parameter

SLOPES, CHANGES, SHARPNESS = (0.05, 0.3), (-0.2, 0.3, 1.0), (0.4,)
PLACES = (0.3, 0.65)
BEYOND = 3  # rows that must lie beyond the break
# The authors' brute grid: limit, offset and break, slope and sharpness; offset and break are 1.25^g - 1 of the second.
GRID_LIMIT, GRID_POWER, GRID_SLOPE = (
    np.arange(0.0, 1.0, 0.1),
    1.25 ** np.arange(0.0, 40.0, 2.5) - 1.0 + 1e-8,
    np.arange(0.0, 1.0, 0.25),
)


def _columns(p: Array, c: Array, x: Array, f: Array, J: Array) -> None:
    """Fill the curve and its derivatives for the compiled engine."""
    limit, b, c0, c1, at, sharpness = p[0], p[1], p[2], p[3], p[4], p[5]
    for i in range(f.size):
        z = (x[0, i] - at) / sharpness
        bend = max(z, 0.0) + log(1.0 + exp(-abs(z)))
        share = 1.0 / (1.0 + exp(-z))
        value = exp(min(max(b - c0 * x[0, i] - c1 * sharpness * bend, -LIMIT), LIMIT))
        f[i] = limit + value
        J[0, i] = 1.0
        J[1, i] = value
        J[2, i] = -x[0, i] * value
        J[3, i] = -sharpness * bend * value
        J[4, i] = c1 * share * value
        J[5, i] = -c1 * (bend - z * share) * value


@dataclass(frozen=True)
class Broken(BentLaw):
    """A loss whose power law bends once, smoothly, at a size the data show.

        y = a + b x^-c0 (1 + (x / d)^(1 / f))^(-c1 f)

    `y` is in nats per token; `x` a size, above 0; `a` the limit, at least 0; `b` above 0; `c0` the first slope, 0 to 3; `c1` the
    change of slope, -2 to 5 (below -c0 the curve turns upwards); `d` the break, within the sizes seen; `f` its sharpness, 0.02 to
    2, smaller is sharper. One break: six numbers, so at least eight sizes are asked for.

    Caballero et al. 2022, arXiv 2210.14891, equation 1 with n = 1. Their search is a brute grid on ln(y + 1) and an unbounded
    polish.

    Status `unidentified` also when fewer than three sizes lie beyond the break: a break at the end of the data fits anything.
    Do not trust it across a break that has not happened yet; no law can.

    >>> law = Broken(sources=("s",))
    >>> point = np.array([0.5, 0.0, 0.1, 0.5, np.log(1e3), 0.1])
    >>> law.curve(point, np.log([[1.0], [1e2], [1e6]])).round(4).tolist()
    [1.5, 1.131, 0.5079]
    """

    name: ClassVar[str] = "broken"
    title: ClassVar[str] = "Broken power law (one break)"
    formula: ClassVar[str] = "y = a + b x^−c0 (1 + (x / d)^(1/f))^(−c1 f)"
    reference: ClassVar[str] = "Caballero et al. 2022, arXiv 2210.14891, eq. 1, n = 1"
    limitations: ClassVar[str] = (
        "Six numbers: it fits almost any short curve. A break near the end of the data, or one that has not happened yet, is "
        "not known from them."
    )
    robust_loss: ClassVar[RobustLoss] = Huber(0.01)
    columns: ClassVar[Any] = staticmethod(_columns)

    def parameters(self, target: Target, columns: int) -> tuple[Parameter, ...]:
        """Limit, ln offset at the middle size, slope, change of slope, ln of the break from the middle, sharpness."""
        del target, columns
        return (
            floor_parameter("limit"),
            Parameter("ln_b", "ln of the power law at the middle size", "ln nats", -14.0, 10.0, (-4.0, 3.0)),
            Parameter("c0", "first slope", "", 0.0, 3.0, (0.0, 0.6), natural=True),
            Parameter("c1", "change of slope", "", -2.0, 5.0, (-0.3, 1.5)),
            Parameter("ln_break", "ln size of the break, from the middle size", "ln size", -30.0, 40.0, (-4.0, 4.0)),
            Parameter("sharpness", "width of the break on the ln axis over 1/c1's", "", 0.02, 2.0, (0.05, 1.0), natural=True),
        )

    def design(self, x: Array, weights: Array) -> Design:
        """Measure ln size from the middle of the training sizes; fold back to the printed form."""
        del weights
        at = float(middle(x)[0])

        def fold(p: Array) -> Array:
            return np.column_stack([p[:, 0], p[:, 1] + p[:, 2] * at, p[:, 2], p[:, 3], p[:, 4] + at, p[:, 5]])

        return Design(x - at, fold)

    def curve(self, parameters: Array, x: Array) -> Array:
        """Evaluate the law."""
        limit, b, c0, c1, at, f = (parameters[..., i, None] for i in range(6))
        bend = np.logaddexp(0.0, (x[..., 0] - at) / f)
        return np.asarray(limit + power(b - c0 * x[..., 0] - c1 * f * bend))

    def jacobian(self, parameters: Array, x: Array) -> Array:
        """Derivative by the six parameters in their order."""
        _, b, c0, c1, at, f = (parameters[..., i, None] for i in range(6))
        z = (x[..., 0] - at) / f
        bend, share = np.logaddexp(0.0, z), sigmoid(z)
        value = power(b - c0 * x[..., 0] - c1 * f * bend)
        columns = [
            np.ones_like(value),
            value,
            -x[..., 0] * value,
            -f * bend * value,
            c1 * share * value,
            -c1 * (bend - z * share) * value,
        ]
        return np.stack(columns, axis=-1)

    def starts(self, x: Array, y: Array) -> Array:
        """For a grid of slopes, breaks and sharpnesses, limit and offset by least squares."""
        made = []
        low, span = float(x.min()), float(np.ptp(x))
        for c0 in SLOPES:
            for c1 in CHANGES:
                for f in SHARPNESS:
                    for place in PLACES:
                        at = low + place * span
                        shape = power(-c0 * x[:, 0] - c1 * f * np.logaddexp(0.0, (x[:, 0] - at) / f))
                        limit, b = np.linalg.lstsq(np.column_stack([np.ones(len(y)), shape]), y, rcond=None)[0]
                        made.append([float(np.clip(limit, 0.0, 0.99 * y.min())), np.log(max(b, 1e-6)), c0, c1, at, f])
        return np.array(made)

    def narrowed(self, parameters: tuple[Parameter, ...], y: Array) -> tuple[Parameter, ...]:
        """Hold the limit below the smallest loss that was observed."""
        return (replace(parameters[0], upper=float(y.min())), *parameters[1:])

    def post_fit_status(self, table: TrainingTable, point: Array) -> str | None:
        """Call the break `unidentified` when fewer than three sizes lie beyond it, or before it."""
        sizes = np.unique(table.x[:, 0])
        at = point[4] + float(middle(table.x)[0])
        return "unidentified" if min((sizes > at).sum(), (sizes < at).sum()) < BEYOND else None


def search(size: Array, y: Array) -> Array:
    """Find (a, ln b, c0, c1, ln d, f) as the law's authors do: a brute grid, then a polish from its best cell.

        minimise mean (ln(y + 1) - ln(yhat + 1))^2

    `size` and `y` are (n,), sizes above 0. The grid holds a in 0 to 0.9, b and d at 1.25^g - 1 for g in 0 to 37.5, and c0, c1,
    f in 0 to 0.75 (f from 0.25). The authors' polish has no bounds; here it keeps to a at most the smallest y, c1 in -2 to 20
    and f in 0.005 to 2, since outside them the printed form is no number. The code beside Caballero et al. 2022, arXiv 2210.14891.

    Do not trust one polish of one cell: the law itself starts from 12 shapes and 100 random points.

    >>> size = np.geomspace(10.0, 1e5, 30)
    >>> point = np.array([0.3, np.log(2.0), 0.2, 0.5, np.log(900.0), 0.3])
    >>> y = Broken(sources=("s",)).curve(point, np.log(size)[:, None])
    >>> found = Broken(sources=("s",)).curve(search(size, y), np.log(size)[:, None])
    >>> bool(np.abs(np.log1p(found) - np.log1p(y)).max() < 1e-3)
    True
    """
    x, wanted = np.log(size), np.log1p(y)
    best, start = np.inf, np.empty(6)
    for c0 in GRID_SLOPE:
        for c1 in GRID_SLOPE:
            for f in GRID_SLOPE[1:]:
                bend = np.logaddexp(0.0, (x - np.log(GRID_POWER)[:, None]) / f)  # (D, n)
                shape = np.exp(-c0 * x - c1 * f * bend)
                value = GRID_LIMIT[:, None, None, None] + GRID_POWER[:, None, None] * shape  # (A, B, D, n)
                miss = ((np.log1p(value) - wanted) ** 2).mean(axis=-1)
                at = np.unravel_index(int(miss.argmin()), miss.shape)
                if miss[at] < best:
                    best = float(miss[at])
                    start = np.array([GRID_LIMIT[at[0]], np.log(GRID_POWER[at[1]]), c0, c1, np.log(GRID_POWER[at[2]]), f])
    law = Broken(sources=("s",))

    def curve(p: Array, at: Array) -> Array:
        return np.log1p(law.curve(p, at))

    def slope(p: Array, at: Array) -> Array:
        return np.asarray(law.jacobian(p, at) / (1.0 + law.curve(p, at))[..., None])

    lower = np.array([0.0, -40.0, 0.0, -2.0, -30.0, 0.005])
    upper = np.array([float(y.min()), 40.0, 3.0, 20.0, 40.0, 2.0])
    problem = LeastSquaresProblem(curve, slope, x[:, None], wanted, lower, upper)
    return np.asarray(solve(problem, np.ones((1, len(y))), np.clip(start, lower, upper)[None]).parameters[0, 0])
