"""A batch of least-squares problems and what solving it gives; both engines speak of these and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from foresaid.arrays import Array, Columns
from foresaid.fitting.robust_loss import LINEAR, RobustLoss

ITERATIONS = 300


GRADIENT = 1e-9  # scaled gradient at which a lane counts as at its minimum


REDUCTION = 1e-14  # relative reduction, actual and predicted, below which nothing more is to be had


FIRST_DAMPING = 1e-3


DAMPING_LIMIT = 1e14


LEAST_DAMPING = 1e-12  # enough to tell two parameters apart that act alike to the last digit


UNUSABLE = 1e6  # residual of a row whose logarithm does not exist


@dataclass(frozen=True)
class LeastSquaresProblem:
    """Minimise sum_i w_i rho(f(p, x_i) - y_i) + prior over lower <= p <= upper.

    `model(p, x)` and `slope(p, x)` follow Law.curve and Law.jacobian. `x` is (n, k), shared, or (R, n, k), one a copy; so are
    the bounds and the prior's centre, (P,) or (R, P).
    With `log` residuals are ln f - ln y. `loss` is rho, of the residual. `damping` is that of the first step, less for
    starts that are known to be near their minimum. `learns` says whether steps of plain squares use what the ones before taught.
    """

    model: Callable[[Array, Array], Array]
    slope: Callable[[Array, Array], Array]
    x: Array
    y: Array
    lower: Array
    upper: Array
    log: bool = False
    loss: RobustLoss = LINEAR
    prior_centre: Array | None = None
    prior_weight: Array | None = None
    columns: Columns | None = None
    constants: Array = field(default_factory=lambda: np.empty(0))
    damping: float = FIRST_DAMPING
    learns: bool = True


@dataclass(frozen=True)
class Solution:
    """What came of R copies times S starts: parameters (R, S, P), objective (R, S), converged (R, S)."""

    parameters: Array
    objective: Array
    converged: NDArray[np.bool_]

    @property
    def best(self) -> NDArray[np.intp]:
        """Index of the best start of each copy (R,)."""
        return np.asarray(np.argmin(np.where(np.isfinite(self.objective), self.objective, np.inf), axis=1))
