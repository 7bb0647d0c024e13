"""Accuracy straight from sizes, beside the ladder's way round by a loss: a power law of minus the logarithm of accuracy.

Krajewski et al. 2025 (arXiv 2512.08894) fit -ln(accuracy) by powers of the training budget and say that no step in between is
needed. Here it meets the ladder on the ladder's own hold-out: sixteen small runs, and the finished run of seven billion parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np
from scipy.optimize import least_squares

from foresaid.arrays import Array
from foresaid.evaluation.modes import SAID, SCALE
from foresaid.fitting.fit import NO_FORECAST, fit
from foresaid.forecasting.splits import split_by_scale
from foresaid.laws import _loader as laws
from foresaid.params import Params
from foresaid.registry.view import View
from foresaid.studies.law_sections import LawSection, StudyTable

LAW = "ladder"
FORMS = ("A / C^α", "A / N^α + B / D^β")
STARTS = (0.05, 0.2, 0.5)
LEAST_SHARE = 1e-3  # of the way from chance to perfect: below it a logarithm speaks of single items


def direct(x: Array, accuracy: Array, form: str, ahead: Array) -> Array:
    """Fit -ln(accuracy) of runs (n,) with ln N and ln D (n, 2), and return the accuracy at sizes `ahead` (m, 2).

        -ln(accuracy) = A / C^α                C = 6 N D
        -ln(accuracy) = A / N^α + B / D^β

    Accuracy in (0, 1]; least squares on the logarithm of -ln(accuracy). Krajewski et al. 2025, arXiv 2512.08894.

    >>> x = np.log([[1e8, 1e10], [1e9, 1e10], [1e9, 1e11], [1e10, 1e12]])
    >>> made = np.exp(-50.0 * np.exp(x.sum(axis=1) * -0.1))
    >>> direct(x[:3], made[:3], FORMS[0], x[3:]).round(4).tolist() == made[3:].round(4).tolist()
    True
    """
    origin = x.mean(axis=0)
    y = np.log(-np.log(np.clip(accuracy, LEAST_SHARE, 1.0 - 1e-6)))

    def value(p: Array, sizes: Array) -> Array:
        if form == FORMS[0]:
            return np.asarray(p[0] - p[1] * (sizes - origin).sum(axis=1))
        return np.asarray(np.logaddexp(p[0] - p[1] * (sizes[:, 0] - origin[0]), p[2] - p[3] * (sizes[:, 1] - origin[1])))

    def residual(p: Array) -> Array:
        return value(p, x) - y

    level = float(y.mean())
    starts = [[level, one] if form == FORMS[0] else [level - 0.7, one, level - 0.7, one] for one in STARTS]
    low, high = ([-12.0, 0.0], [6.0, 3.0]) if form == FORMS[0] else ([-12.0, 0.0] * 2, [6.0, 3.0] * 2)
    found = [least_squares(residual, np.clip(start, low, high), bounds=(low, high)) for start in starts]
    best = min(found, key=lambda one: float(one.cost))
    return np.asarray(np.exp(-np.exp(value(best.x, ahead))))


def section(as_of: Callable[[date], View], params: Params) -> LawSection | None:
    """Lay both ways beside each other on every task of the ladder; None where the record or the settings lack it."""
    if LAW not in params.laws:
        return None
    law = laws.load(LAW, params.laws[LAW])
    rows: list[tuple[str | float, ...]] = []
    for table in law.tables(as_of(params.fit_as_of)):
        ends = table.where(table.x[:, 3] > 0)
        split = split_by_scale(table, law.along(table), 0.001)
        found = fit(law, split.train, params.seed, 2)
        if found.status in NO_FORECAST:
            continue
        target = table.target
        observed = float(split.test.y[0])
        runs = ends.where(np.array([name not in split.test.subjects for name in ends.subjects]))
        ladder = float(law.curve(found.point[None], split.test.x)[0, 0])
        said = [float(direct(runs.x[:, :2], runs.y, form, split.test.x[:, :2])[0]) for form in FORMS]
        raw = [float(direct(runs.x[:, :2], target.offset + target.span * runs.y, form, split.test.x[:, :2])[0]) for form in FORMS]
        scores = [target.offset + target.span * one for one in (observed, ladder, *said)]
        rows.append((target.quantity_id, *scores, *raw))
    if not rows:
        return None
    errors = np.abs(np.array([row[2:] for row in rows], dtype=float) - np.array([[row[1]] for row in rows], dtype=float)).mean(
        axis=0
    )
    names = ("ladder", *(f"{form}, from chance" for form in FORMS), *(f"{form}, raw" for form in FORMS))
    order = np.argsort(errors)
    listed = "; ".join(f"{names[at]} {100 * errors[at]:.1f} points" for at in order)
    said_of = (
        f"Mean absolute error on {len(rows)} tasks of the 7B run, fitted on the small runs alone: {listed}. Tasks of one run are "
        "one draw, and the least of four forms is picked with hindsight. From chance: the share of the way from guessing to "
        "perfect is fitted; raw: the accuracy itself.",
    )
    header = ("task", "observed", *names)
    table_of_all = StudyTable(
        "tasks", "Accuracy of the 7B run: observed, by the ladder, and straight from sizes", header, tuple(rows), SAID[SCALE]
    )
    return LawSection("direct-power", "Straight from sizes to accuracy", (LAW,), said_of, (table_of_all,), "foresaid study")
