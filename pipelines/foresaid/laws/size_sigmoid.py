"""The size baseline: a sigmoid of the logarithm of number of parameters.

Every claim of a better law is a claim to beat this one, so it runs beside the observational law on the same rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from foresaid.fitting.data import Covariate
from foresaid.laws._sigmoid import SigmoidLaw, SigmoidTarget


@dataclass(frozen=True)
class SizeSigmoid(SigmoidLaw):
    """Score of a task from number of parameters.

        y = floor + (1 - floor) s(a + w ln x),   y = (score - chance) / (1 - chance)

    with x the number of parameters. Models without it are left out, on both sides of a split. Draws
    resample whole model families.

    Ruan, Maddison, Hashimoto, "Observational Scaling Laws", arXiv 2405.10938v3, section 4 and figure 4 (their axis is
    labelled log10 but is the natural logarithm).

    Size alone ignores how long and on what a model was trained; small models trained long beat large ones trained briefly.

    >>> import numpy as np
    >>> law = SizeSigmoid(sources=("s",), targets={"t": SigmoidTarget()})
    >>> law.curve(np.array([-1.0, 1.0, 0.0]), np.array([[1.0], [2.0]])).round(3).tolist()
    [0.5, 0.731]
    """

    name: ClassVar[str] = "size_sigmoid"
    title: ClassVar[str] = "Size baseline (sigmoid in log parameters)"
    formula: ClassVar[str] = "score = chance + (1 − chance) · [floor + (1 − floor) · s(a + w · ln x)], x = number of parameters"
    reference: ClassVar[str] = "Ruan, Maddison, Hashimoto 2024, arXiv 2405.10938v3, section 4"
    limitations: ClassVar[str] = (
        "Size alone ignores how long and on what a model was trained; small models trained long beat large ones trained briefly."
    )

    def covariates(self, target: SigmoidTarget) -> tuple[Covariate, ...]:
        """The only covariate is the logarithm of number of parameters."""
        del target
        return (Covariate("params_total", "ln"),)
