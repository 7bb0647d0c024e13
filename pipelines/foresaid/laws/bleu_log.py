"""The BLEU log law: a power of the logarithm of the amount of data.

The three coefficients of the paper cannot be told apart on real series: very different exponents fit alike and forecast
differently. So the law is fitted in numbers that can be (BLEU at the smallest size, growth there, and the exponent under a
weak prior), the profile of the exponent is kept, and the status says when it decides the forecast.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from foresaid.arrays import Array
from foresaid.fitting._elementary import exp, log
from foresaid.fitting.data import Target, TrainingTable
from foresaid.fitting.law import Design, Parameter
from foresaid.fitting.robust_loss import Huber, RobustLoss
from foresaid.laws._size_series import SizeLaw, in_order

LN_BETA = (float(np.log(0.3)), float(np.log(12.0)))
PRIOR_CENTRE, PRIOR_SPREAD = float(np.log(1.5)), 0.5  # of ln beta
TYPICAL_NOISE = 0.01  # of ln BLEU: what the prior is weighed against, 0.2 BLEU at 20
FALL = 0.3  # BLEU
BETAS = (0.5, 1.0, 2.0, 4.0, 8.0)
GRID = 65  # exponents of the profile


def _columns(p: Array, c: Array, x: Array, f: Array, J: Array) -> None:
    """Fill the curve and its derivatives for the compiled engine."""
    beta = exp(p[2])
    for i in range(f.size):
        inner = 1.0 + p[1] * x[0, i] / beta
        safe = inner if inner > 0 else 1.0
        logarithm = log(safe)
        power = exp(beta * logarithm) if inner > 0 else 0.0
        f[i] = p[0] * power
        J[0, i] = power
        J[1, i] = p[0] * power / safe * x[0, i]
        J[2, i] = p[0] * power * (beta * logarithm - p[1] * x[0, i] / safe)


@dataclass(frozen=True)
class BleuLog(SizeLaw):
    """BLEU of a system as a power of the logarithm of its data.

        BLEU = (ln(A D^alpha))^beta = (a + alpha ln D)^beta
             = first (1 + growth (ln D - ln D_first) / beta)^beta

    `D` is the amount of data (words of the task here; the paper has pre-training tokens), above 0; `first` is BLEU at the
    smallest training size D_first, 0.05 to 100; `growth` its relative growth there for each e-fold of data, 0 to 10; `beta`
    between 0.3 and 12, fitted as ln beta under the prior LogNormal(ln 1.5, 0.5). Where the logarithm would be negative the
    curve is 0. Huber's loss on ln BLEU with delta 0.1; errors are reported in BLEU.

    Isik et al., "Scaling Laws for Downstream Task Performance in Machine Translation", arXiv 2402.04177, equation 1.

    Status `non_monotone` when BLEU falls by more than 0.3 from one size to the next; `unidentified` when exponents that fit
    within 0.05 BLEU (or within one per cent of the best) forecast eight times the data differently by more than the claimed error.

    Do not trust its coefficients at all, its forecasts without the profile, or either where pre-training and task are not
    aligned: there BLEU stops rising and no law of this form shows it. A system that is poor at the small end (neural
    translation below some ten million words) does not follow one logarithm over the whole range.

    >>> law = BleuLog(sources=("s",))
    >>> law.curve(np.array([10.0, 0.1, np.log(2.0)]), np.array([[0.0], [2.0], [-30.0]])).round(3).tolist()
    [10.0, 12.1, 0.0]
    """

    name: ClassVar[str] = "bleu_log"
    title: ClassVar[str] = "BLEU log law"
    formula: ClassVar[str] = "BLEU = (ln(A · D^α))^β = (a + α ln D)^β"
    reference: ClassVar[str] = "Isik et al. 2024, arXiv 2402.04177, eq. 1"
    limitations: ClassVar[str] = (
        "Very different exponents fit alike: read forecasts with the profile, never the coefficients. Where pre-training and "
        "task are not aligned BLEU stops rising and the law does not see it. Here the size is task data, not pre-training data."
    )
    robust_loss: ClassVar[RobustLoss] = Huber(0.1)
    resolution: ClassVar[float] = 0.05
    profiled: ClassVar[str | None] = "ln_beta"
    columns: ClassVar[Any] = staticmethod(_columns)

    def parameters(self, target: Target, columns: int) -> tuple[Parameter, ...]:
        """BLEU at the smallest size, relative growth there, and ln beta."""
        del target, columns
        return (
            Parameter("first", "BLEU at the smallest training size", "BLEU", 0.05, 100.0, (1.0, 40.0)),
            Parameter("growth", "relative growth there", "per e-fold of data", 0.0, 10.0, (0.01, 1.0), natural=True),
            Parameter("ln_beta", "logarithm of the exponent beta", "", *LN_BETA, (float(np.log(0.5)), float(np.log(6.0)))),
        )

    def folded_names(self, names: tuple[str, ...], target: Target) -> tuple[str, ...]:
        """Name the frozen parameters: the origin of the logarithm is one of them."""
        del target
        return (*names, "ln_first_size")

    def design(self, x: Array, weights: Array) -> Design:
        """Measure ln D from the smallest training size, where the curve must be positive."""
        del weights
        origin = float(x.min())
        return Design(x - origin, lambda parameters: np.column_stack([parameters, np.full(len(parameters), origin)]))

    def _inner(self, parameters: Array, x: Array) -> tuple[Array, Array, Array]:
        """Return ln D from the origin, beta, and the bracket (0 where it would be negative)."""
        distance = x[..., 0] - (parameters[..., 3, None] if parameters.shape[-1] > 3 else 0.0)
        beta = np.exp(parameters[..., 2, None])
        return distance, beta, np.maximum(1.0 + parameters[..., 1, None] * distance / beta, 0.0)

    def curve(self, parameters: Array, x: Array) -> Array:
        """Evaluate the law; a fourth parameter, the origin, is there once the curve is frozen."""
        _, beta, inner = self._inner(parameters, x)
        return np.asarray(parameters[..., 0, None] * inner**beta)

    def jacobian(self, parameters: Array, x: Array) -> Array:
        """Derivative by first, growth and ln beta."""
        distance, beta, inner = self._inner(parameters, x)
        safe = np.where(inner > 0, inner, 1.0)
        power = np.where(inner > 0, safe**beta, 0.0)
        first, growth = parameters[..., 0, None], parameters[..., 1, None]
        by_growth = first * power / safe * distance
        by_ln_beta = first * power * (beta * np.log(safe) - growth * distance / safe)
        return np.stack([power, by_growth, by_ln_beta], axis=-1)

    def starts(self, x: Array, y: Array) -> Array:
        """For five exponents, a straight line through BLEU^(1 / beta)."""
        made = []
        for beta in BETAS:
            line = np.column_stack([np.ones(len(y)), x[:, 0]])
            level, slope = np.linalg.lstsq(line, np.maximum(y, 0.05) ** (1.0 / beta), rcond=None)[0]
            level = max(level, 1e-3)
            made.append([level**beta, max(beta * slope / level, 0.0), np.log(beta)])
        return np.array(made)

    typical_noise: ClassVar[float] = TYPICAL_NOISE

    def prior(self, parameters: Sequence[Parameter]) -> tuple[Array, Array]:
        """Put LogNormal(ln 1.5, 0.5) on beta, weighed as a log posterior would at the typical noise."""
        del parameters
        return np.array([0.0, 0.0, PRIOR_CENTRE]), np.array([0.0, 0.0, (TYPICAL_NOISE / PRIOR_SPREAD) ** 2])

    def profile_values(self, x: Array) -> Array:
        """Exponents evenly on the logarithmic scale."""
        del x
        return np.linspace(*LN_BETA, GRID)

    def pre_fit_status(self, table: TrainingTable) -> str | None:
        """Object when BLEU falls by more than its noise from one size to the next."""
        return "non_monotone" if (np.diff(in_order(table)) < -FALL).any() else None
