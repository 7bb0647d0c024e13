"""The transfer laws with the fine-tuning size in them: a score and a loss in pre-training and in fine-tuning data at once.

Isik et al. 2024 (arXiv 2402.04177) fit each fine-tuning size by itself, since its coefficients depend on it. Zhang et al. 2024
(arXiv 2402.17193, equation 1) put the size into the law of the loss. Here both laws take it, in several forms, and BIC
says how much of it the rows ask for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares

from foresaid.arrays import Array

ALONE, LEVEL, GROWTH = "no fine-tuning size", "fine-tuning size moves the level", "fine-tuning size moves level and growth"
PRODUCT, SUM = "E + A / (D_p^α D_f^β)", "E + A / D_p^α + B / D_f^β"
BETAS = (0.5, 1.0, 2.0, 4.0)
LN_BETA = (float(np.log(0.3)), float(np.log(12.0)))
PRIOR_CENTRE, PRIOR_WEIGHT = float(np.log(1.5)), 0.02  # of ln beta, as in laws/bleu_log.py: LogNormal(ln 1.5, 0.5), noise 0.01
FLOORS, EXPONENTS = (0.0, 0.5, 0.9), (0.05, 0.3, 0.8)


@dataclass(frozen=True)
class JointFit:
    """One form fitted: `predict` takes pre-training and fine-tuning sizes (n,), `bic` counts the rows as independent."""

    form: str
    predict: Callable[[Array, Array], Array]
    rms: float
    bic: float


def _best(residual: Callable[[Array], Array], starts: list[list[float]], low: list[float], high: list[float]) -> Array:
    inside = [np.clip(start, np.array(low) + 1e-9, np.array(high) - 1e-9) for start in starts]
    found = [least_squares(residual, start, bounds=(low, high), x_scale="jac", max_nfev=500) for start in inside]
    return np.asarray(min(found, key=lambda one: float(one.cost)).x)


def _summed(form: str, errors: Array, numbers: int, predict: Callable[[Array, Array], Array]) -> JointFit:
    mean = max(float((errors**2).mean()), 1e-12)
    return JointFit(form, predict, float(np.sqrt(mean)), len(errors) * float(np.log(mean)) + numbers * float(np.log(len(errors))))


def fit_score(pretraining: Array, finetuning: Array, score: Array) -> list[JointFit]:
    """Fit a score in both sizes, three nested forms, the one BIC prefers first.

        score = max(0, a + α ln D_p + c ln D_f + d ln D_p ln D_f)^β

    `score` is above 0 (BLEU, or per cent right); least squares on ln score, β under the prior of the BLEU log law. The first form
    has c = d = 0, the second d = 0. Coefficients are of no interest: read forecasts.

    >>> d_p, d_f = np.repeat([1e9, 4e9, 16e9, 64e9], 3), np.tile([1e5, 1e6, 1e7], 4)
    >>> score = (-3.0 + 0.3 * np.log(d_p) + 0.1 * np.log(d_f)) ** 1.5
    >>> fit_score(d_p, d_f, score)[0].form
    'fine-tuning size moves the level'
    """
    centre = float(np.log(pretraining).mean()), float(np.log(finetuning).mean())

    def shape(d_p: Array, d_f: Array, form: str) -> Array:
        x, w = np.log(d_p) - centre[0], np.log(d_f) - centre[1]
        columns = [np.ones_like(x), x] + ([w] if form != ALONE else []) + ([x * w] if form == GROWTH else [])
        return np.column_stack(columns)

    made = []
    for form in (ALONE, LEVEL, GROWTH):
        design = shape(pretraining, finetuning, form)
        k = design.shape[1]

        def value(p: Array, rows: Array) -> Array:
            return np.asarray(np.maximum(rows @ p[:-1], 1e-6) ** np.exp(p[-1]))

        def residual(p: Array, rows: Array = design) -> Array:
            belief = PRIOR_WEIGHT * (p[-1] - PRIOR_CENTRE)
            return np.append(np.log(value(p, rows) / score), belief)

        starts = [[*np.linalg.lstsq(design, score ** (1.0 / beta), rcond=None)[0], float(np.log(beta))] for beta in BETAS]
        p = _best(residual, starts, [-np.inf] * k + [LN_BETA[0]], [np.inf] * k + [LN_BETA[1]])

        def predict(d_p: Array, d_f: Array, p: Array = p, form: str = form) -> Array:
            return value(p, shape(d_p, d_f, form))

        made.append(_summed(form, residual(p)[:-1], k + 1, predict))
    return sorted(made, key=lambda one: one.bic)


def fit_loss(pretraining: Array, finetuning: Array, loss: Array) -> list[JointFit]:
    """Fit a loss in both sizes, as a product and as a sum of powers, the one BIC prefers first.

        product  L = E + A / (D_p^α D_f^β)          Zhang et al. 2024, arXiv 2402.17193, equation 1
        sum      L = E + A / D_p^α + B / D_f^β

    `pretraining` may be tokens or, between models of one family, parameters. Least squares on ln L; E from 0 to the least loss.

    >>> d_p, d_f = np.repeat([1e8, 1e9, 1e10], 4), np.tile([1e3, 1e4, 1e5, 1e6], 3)
    >>> fit_loss(d_p, d_f, 0.5 + 30.0 * d_p**-0.05 * d_f**-0.2)[0].form
    'E + A / (D_p^α D_f^β)'
    """
    x, w = np.log(pretraining / pretraining.min()), np.log(finetuning / finetuning.min())
    least, top = float(loss.min()), float(loss.max())

    def product(p: Array, x: Array, w: Array) -> Array:
        return np.asarray(p[0] + np.exp(p[1] - p[2] * x - p[3] * w))

    def added(p: Array, x: Array, w: Array) -> Array:
        return np.asarray(p[0] + np.exp(p[1] - p[2] * x) + np.exp(p[3] - p[4] * w))

    made = []
    for form, curve, excesses in ((PRODUCT, product, 1), (SUM, added, 2)):
        low = [0.0, -12.0, 0.0, 0.0] if excesses == 1 else [0.0, -12.0, 0.0, -12.0, 0.0]
        high = [least, 6.0, 5.0, 5.0] if excesses == 1 else [least, 6.0, 5.0, 6.0, 5.0]
        starts = []
        for share in FLOORS:
            rest = float(np.log((top - share * least) / excesses))
            for exponent in EXPONENTS:
                tail = [rest, 0.1, exponent] if excesses == 1 else [rest, 0.1, rest, exponent]
                starts.append([share * least, *tail])

        def residual(p: Array, curve: Callable[[Array, Array, Array], Array] = curve) -> Array:
            return np.asarray(np.log(curve(p, x, w) / loss))

        p = _best(residual, starts, low, high)

        def predict(d_p: Array, d_f: Array, p: Array = p, curve: Callable[[Array, Array, Array], Array] = curve) -> Array:
            return curve(p, np.log(d_p / pretraining.min()), np.log(d_f / finetuning.min()))

        made.append(_summed(form, residual(p), len(low), predict))
    return sorted(made, key=lambda one: one.bic)
