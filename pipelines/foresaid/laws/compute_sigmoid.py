"""The compute baseline: a sigmoid of the logarithm of training compute (6 · parameters · tokens, in FLOPs).

Every claim of a better law is a claim to beat this one, so it runs beside the observational law on the same rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from foresaid.fitting.data import Covariate
from foresaid.laws._sigmoid import SigmoidLaw, SigmoidTarget


@dataclass(frozen=True)
class ComputeSigmoid(SigmoidLaw):
    """Score of a task from training compute (6 · parameters · tokens, in FLOPs).

        y = floor + (1 - floor) s(a + w ln x),   y = (score - chance) / (1 - chance)

    with x the training compute (6 · parameters · tokens, in FLOPs). Models without it are left out, on both sides of a split. Draws
    resample whole model families.

    Ruan, Maddison, Hashimoto, "Observational Scaling Laws", arXiv 2405.10938v3, section 4 and figure 4 (their axis is
    labelled log10 but is the natural logarithm).

    Compute says nothing on the quality of data or recipe, is unknown for many models, and mixtures of experts are counted
    by active parameters in some tables and by all in others.

    >>> import numpy as np
    >>> law = ComputeSigmoid(sources=("s",), targets={"t": SigmoidTarget()})
    >>> law.curve(np.array([-1.0, 1.0, 0.0]), np.array([[1.0], [2.0]])).round(3).tolist()
    [0.5, 0.731]
    """

    name: ClassVar[str] = "compute_sigmoid"
    title: ClassVar[str] = "Compute baseline (sigmoid in log FLOPs)"
    formula: ClassVar[str] = (
        "score = chance + (1 − chance) · [floor + (1 − floor) · s(a + w · ln x)], "
        "x = training compute (6 · parameters · tokens, in FLOPs)"
    )
    reference: ClassVar[str] = "Ruan, Maddison, Hashimoto 2024, arXiv 2405.10938v3, section 4"
    limitations: ClassVar[str] = (
        "Compute says nothing on the quality of data or recipe, is unknown for many models, and mixtures of experts are "
        "counted by active parameters in some tables and by all in others."
    )

    def covariates(self, target: SigmoidTarget) -> tuple[Covariate, ...]:
        """The only covariate is the logarithm of training compute (6 · parameters · tokens, in FLOPs)."""
        del target
        return (Covariate("training_flops", "ln"),)
