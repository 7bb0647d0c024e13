"""The observational law: a few principal components of standard benchmarks predict a harder one.

Models from many families lie close to a plane of two or three dimensions in the space of standard benchmarks, whatever
compute they were trained with; a sigmoid of the position in that plane predicts tasks that only large models do well.
The frozen curve carries weights on the raw benchmarks, not components: a component's sign and rotation depend on the
library that made it, its product with the loadings does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from foresaid.laws._principal_components import PlaneLaw


@dataclass(frozen=True)
class Observational(PlaneLaw):
    """Score of a task from the principal components of standard benchmarks.

        y = floor + (1 - floor) s(a + sum_k w_k PC_k(benchmarks)),   y = (score - chance) / (1 - chance)

    Benchmarks are fractions of one; `components` of them (3 by default) are used, centred and not standardised; missing
    benchmarks are filled by the rank-one rule of fitting/imputation.py, fitted on training rows. Draws resample whole
    model families and refit imputation, components and sigmoid each time.

    Ruan, Maddison, Hashimoto, "Observational Scaling Laws", arXiv 2405.10938v3, equations 3 to 8 and algorithm A.1.

    Do not trust it for chat or reasoning models (the plane was fitted on base models), for benchmarks that have leaked into
    training data, where training scores are all near chance (the slope then is a guess), or when the status is
    `separable` or `unidentified`.

    >>> import numpy as np
    >>> from foresaid.laws._sigmoid import SigmoidTarget
    >>> law = Observational(sources=("s",), targets={"t": SigmoidTarget()}, metrics=("a", "b"), components=1)
    >>> law.curve(np.array([0.0, 2.0, 0.0]), np.array([[0.0], [1.0]])).round(3).tolist()
    [0.5, 0.881]
    """

    name: ClassVar[str] = "observational"
    title: ClassVar[str] = "Observational law (principal components)"
    formula: ClassVar[str] = "score = chance + (1 − chance) · [floor + (1 − floor) · s(a + w₁PC₁ + w₂PC₂ + w₃PC₃)]"
    reference: ClassVar[str] = "Ruan, Maddison, Hashimoto 2024, arXiv 2405.10938v3, eq. 3–8"
    limitations: ClassVar[str] = (
        "Chat and reasoning models are outside the fitted population; benchmarks saturate and leak; near chance the slope is a "
        "guess; a separable or unidentified fit forecasts a step, not a slope."
    )
