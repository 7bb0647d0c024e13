"""The principal-component space of benchmarks that two laws share: gaps filled, components taken, a sigmoid of the position.

Both laws say that models lie near a few dimensions in the space of benchmarks. They differ in the scale the benchmarks enter on
and in which boards they may read. Weights are folded back onto the raw benchmarks: a component's sign and rotation depend on
the library that made it, its product with the loadings does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import msgspec
import numpy as np

from foresaid.arrays import Array
from foresaid.fitting.components import components
from foresaid.fitting.data import Covariate
from foresaid.fitting.imputation import TOLERANCE, impute
from foresaid.fitting.law import Design
from foresaid.laws._settings import AtLeastOne
from foresaid.laws._sigmoid import SigmoidLaw, SigmoidTarget

NO_SPREAD = 1e-9  # of component scores, on the scale of the benchmarks


@dataclass(frozen=True)
class PlaneLaw(SigmoidLaw):
    """A sigmoid of the first `components` principal components of `metrics`; subclasses say on which scale they enter.

    `scale` is a transform of Covariate, `reach` the range, on that scale, within which a missing benchmark is filled, and
    `tolerance` how still (in standard deviations) a filled cell has to stand, and
    `filling_prior` the precision of scores and loadings in filling.
    """

    metrics: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)] = ()
    components: AtLeastOne = 3

    scale: ClassVar[str] = "identity"
    reach: ClassVar[tuple[float, float]] = (0.0, 1.0)
    tolerance: ClassVar[float] = TOLERANCE
    filling_prior: ClassVar[float] = 0.0

    def covariates(self, target: SigmoidTarget) -> tuple[Covariate, ...]:
        """Return the benchmarks that may predict this target."""
        return tuple(Covariate(metric, self.scale) for metric in self.metrics if metric not in target.without)

    def features(self, covariates: int) -> int:
        """The design reduces the benchmarks to components."""
        return min(self.components, covariates)

    def usable(self, x: Array) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """A row with at least one benchmark can be filled."""
        return np.asarray((~np.isnan(x)).any(axis=1))

    def design(self, x: Array, weights: Array) -> Design:
        """Impute and project under each weighting; standardise the scores; fold back onto raw benchmarks."""
        imputed = impute(x, weights, *self.reach, tolerance=self.tolerance, prior=self.filling_prior)
        plane = components(imputed.values, weights, self.features(x.shape[1]))
        scores = plane.scores(imputed.values)
        total = weights.sum(axis=1)[:, None]
        spread = np.sqrt((weights[:, None, :] @ scores**2)[:, 0] / total)
        # A resample of few distinct models has no spread along its last components, only rounding: nothing is divided by that.
        spread = np.where(spread > NO_SPREAD, spread, 1.0)

        def fold(parameters: Array) -> Array:
            on_metrics = np.einsum("rk,rkm->rm", parameters[:, 1:-1] / spread, plane.loadings)
            intercept = parameters[:, 0] - (on_metrics * plane.centre).sum(axis=1)
            return np.column_stack([intercept, on_metrics, parameters[:, -1]])

        return Design(scores / spread[:, None, :], fold, imputed.rule)
