"""Growth in time: a logistic trend of scores in the release date, the baseline of everybody who draws a line through a chart.

It knows nothing of a model but the day it comes out. Small and large models of a year stand far apart, so its intervals are
wide; a law that is to be of use has to beat it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from foresaid.fitting.data import Covariate
from foresaid.laws._sigmoid import SigmoidLaw, SigmoidTarget
from foresaid.registry.view import RELEASE_YEAR


@dataclass(frozen=True)
class Growth(SigmoidLaw):
    """Score of a model from the date of its release.

        y = floor + (1 - floor) s(a + w t),   y = (score - lowest) / (highest - lowest)

    with t the release date in years (2024.5 is the beginning of July 2024) and the lowest value that of guessing, or the lower
    bound of the quantity where guessing has none. On a rating without a ceiling (LMArena, 0 to 3,000 points) the middle of the
    sigmoid is as good as a straight line. Models without a release date are left out. Draws resample whole model families.

    The logistic curve is Verhulst 1838; as a trend of benchmark scores in time: Owen 2024, "How predictable is language model
    benchmark performance?" (arXiv 2401.04757), where it is the curve in compute.

    It speaks of whatever was measured: where only strong models are put on a board its trend is that of the choice, and a small
    model of tomorrow is not better because it is younger.

    >>> import numpy as np
    >>> law = Growth(sources=("s",), targets={"t": SigmoidTarget()})
    >>> law.curve(np.array([-2024.0, 1.0, 0.0]), np.array([[2024.0], [2025.0]])).round(3).tolist()
    [0.5, 0.731]
    """

    name: ClassVar[str] = "growth"
    title: ClassVar[str] = "Growth in time (logistic trend)"
    formula: ClassVar[str] = "score = lowest + (highest − lowest) · [floor + (1 − floor) · s(a + w · t)], t = release in years"
    reference: ClassVar[str] = "Verhulst 1838 (logistic curve); Owen 2024, arXiv 2401.04757"
    distrust: ClassVar[str] = (
        "It knows the date of a model and nothing else; its trend is that of the models somebody chose to measure, and a small "
        "model is not better for being younger."
    )

    def covariates(self, target: SigmoidTarget) -> tuple[Covariate, ...]:
        """The only covariate is the release date."""
        del target
        return (Covariate(RELEASE_YEAR),)
