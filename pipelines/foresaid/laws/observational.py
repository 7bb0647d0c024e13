"""The observational law: a few principal components of standard benchmarks predict a harder one.

Models from many families lie close to a plane of two or three dimensions in the space of standard benchmarks, whatever
compute they were trained with; a sigmoid of the position in that plane predicts tasks that only large models do well.
The frozen curve carries weights on the raw benchmarks, not components: a component's sign and rotation depend on the
library that made it, its product with the loadings does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from foresaid.law import Array, Covariate, Design
from foresaid.preprocess import components, impute
from foresaid.sigmoid import SigmoidLaw, SigmoidTarget


@dataclass(frozen=True)
class Observational(SigmoidLaw):
    """Score of a task from the principal components of standard benchmarks.

        y = floor + (1 - floor) s(a + sum_k w_k PC_k(benchmarks)),   y = (score - chance) / (1 - chance)

    Benchmarks are fractions of one; `components` of them (3 by default) are used, centred and not standardised; missing
    benchmarks are filled by the rank-one rule of preprocess.py, fitted on training rows. Draws resample whole
    model families and refit imputation, components and sigmoid each time.

    Ruan, Maddison, Hashimoto, "Observational Scaling Laws", arXiv 2405.10938v3, equations 3 to 8 and algorithm A.1.

    Do not trust it for chat or reasoning models (the plane was fitted on base models), for benchmarks that have leaked into
    training data, where training scores are all near chance (the slope then is a guess), or when the status is
    `separable` or `unidentified`.

    >>> law = Observational(sources=("s",), targets={"t": SigmoidTarget()}, metrics=("a", "b"), components=1)
    >>> law.curve(np.array([0.0, 2.0, 0.0]), np.array([[0.0], [1.0]])).round(3).tolist()
    [0.5, 0.881]
    """

    metrics: tuple[str, ...] = ()
    components: int = 3

    name: ClassVar[str] = "observational"
    title: ClassVar[str] = "Observational law (principal components)"
    formula: ClassVar[str] = "score = chance + (1 − chance) · [floor + (1 − floor) · s(a + w₁PC₁ + w₂PC₂ + w₃PC₃)]"
    reference: ClassVar[str] = "Ruan, Maddison, Hashimoto 2024, arXiv 2405.10938v3, eq. 3–8"
    distrust: ClassVar[str] = (
        "Chat and reasoning models are outside the fitted population; benchmarks saturate and leak; near chance the slope is a "
        "guess; a separable or unidentified fit forecasts a step, not a slope."
    )

    def covariates(self, target: SigmoidTarget) -> tuple[Covariate, ...]:
        """Return the standard benchmarks that may predict this target."""
        return tuple(Covariate(metric) for metric in self.metrics if metric not in target.without)

    def features(self, covariates: int) -> int:
        """The design reduces the benchmarks to components."""
        return min(self.components, covariates)

    def usable(self, x: Array) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """A row with at least one benchmark can be filled."""
        return np.asarray((~np.isnan(x)).any(axis=1))

    def design(self, x: Array, weights: Array) -> Design:
        """Impute and project under each weighting; standardise the scores; fold back onto raw benchmarks."""
        imputed = impute(x, weights)
        plane = components(imputed.values, weights, self.features(x.shape[1]))
        scores = plane.scores(imputed.values)
        total = weights.sum(axis=1)[:, None]
        spread = np.sqrt((weights[:, None, :] @ scores**2)[:, 0] / total)
        spread = np.where(spread > 0, spread, 1.0)

        def fold(parameters: Array) -> Array:
            on_metrics = np.einsum("rk,rkm->rm", parameters[:, 1:-1] / spread, plane.loadings)
            intercept = parameters[:, 0] - (on_metrics * plane.centre).sum(axis=1)
            return np.column_stack([intercept, on_metrics, parameters[:, -1]])

        return Design(scores / spread[:, None, :], fold, imputed.rule)
