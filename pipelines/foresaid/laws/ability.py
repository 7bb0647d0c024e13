"""The ability law: what one number says of a model on a board, read off the benchmarks it has taken.

Item response theory speaks of one ability of a model and of a difficulty and a slope of every test. A hub of many benchmarks, each
taken by some of the models, is such a table: a model's ability is its score on the first component of the benchmarks'
logits, gaps filled by the same component. The law needs neither compute nor size, which closed models do not tell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from foresaid.fitting.transforms import LOGIT_EDGE
from foresaid.laws._principal_components import PlaneLaw
from foresaid.laws._settings import AtLeastOne

_EDGE = float(np.log((1.0 - LOGIT_EDGE) / LOGIT_EDGE))


@dataclass(frozen=True)
class Ability(PlaneLaw):
    """Score on a benchmark from the model's ability, as the other benchmarks of the board show it.

        y = floor + (1 - floor) s(a + w theta),   y = (score - chance) / (1 - chance),
        theta = first component of ln(p / (1 - p)) of the other benchmarks, p in fractions of one

    with `components` of 1 this is the two-parameter logistic model of item response theory, difficulty -a / w and slope w, with
    abilities by least squares on the logits and not by likelihood: a benchmark's items are many and seldom published. The
    benchmark itself never stands among its covariates, nor does another version of it (`without`). Missing benchmarks are filled
    by the rank-one rule of fitting/imputation.py. Draws resample whole model families and refit everything.

    Birnbaum 1968, in Lord and Novick, Statistical Theories of Mental Test Scores, chapter 17, equation 17.2.2 (two parameters);
    the publisher of the hub builds its capabilities index on the same curve.

    Do not trust it for a model with one or two known benchmarks, where its ability is theirs alone; for benchmarks that
    measure something of their own (games, images, long context); or when a benchmark has leaked into training.

    >>> from foresaid.laws._sigmoid import SigmoidTarget
    >>> law = Ability(sources=("s",), targets={"t": SigmoidTarget()}, metrics=("a", "b"), components=1)
    >>> law.curve(np.array([0.0, 2.0, 0.0]), np.array([[0.0], [1.0], [-1.0]])).round(3).tolist()
    [0.5, 0.881, 0.119]
    """

    components: AtLeastOne = 1

    scale: ClassVar[str] = "logit"
    reach: ClassVar[tuple[float, float]] = (-_EDGE, _EDGE)
    tolerance: ClassVar[float] = 1e-4  # sparse tables settle slowly, and scores are rounded to a thousandth
    filling_prior: ClassVar[float] = 1.0  # one observation: without it a benchmark with few rows runs away (fitting/imputation.py)
    name: ClassVar[str] = "ability"
    title: ClassVar[str] = "Ability law (item response on a board)"
    formula: ClassVar[str] = "score = chance + (1 − chance) · [floor + (1 − floor) · s(a + w · ability)]"
    reference: ClassVar[str] = "Birnbaum 1968 (two-parameter logistic model, eq. 17.2.2), abilities by least squares"
    limitations: ClassVar[str] = (
        "A model with one or two known benchmarks has their ability and no other; benchmarks that measure something of their own, "
        "or have leaked, do not follow the common one."
    )
