"""How often has a downstream task no law at all? Forty-six tasks on three corpora, forecast from the loss, beside no fit.

Gadre et al. 2024 (arXiv 2403.08540) released every task of their 104 runs and fit the means. Each task is fitted here by the same
exponential of the loss on the three quarters of the runs with the highest loss, and forecast for the rest, given their loss.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np
from scipy.stats import spearmanr

from foresaid.evaluation.modes import SAID, SCALE
from foresaid.fitting.fit import NO_FORECAST, fit
from foresaid.forecasting.splits import split_by_scale
from foresaid.laws import _loader as laws
from foresaid.params import Params
from foresaid.registry.view import View
from foresaid.studies.law_sections import LawSection, StudyTable

LAW, SOURCE, LOSS = "error_loss", "gadre", "gadre_c4_loss"
CORPORA = ("gadre/c4-original", "gadre/rpj", "gadre/rw-original")
NOT_TASKS = ("gadre_mean_of_17", "gadre_mean_of_46")
HELD_OUT = 0.25
FOLLOWS = 0.7  # rank correlation of score and falling loss from which a task is said to follow it


@dataclass(frozen=True)
class TaskFit:
    """One task on one corpus: rank correlation with falling loss, and mean absolute error of law and of no fit on held-out runs.

    No fit is the better of two on these very rows, the training mean and the score of the training run with the lowest loss: a
    baseline with hindsight, so that a law is not credited with what a constant does. `law` is None where the law gave no fit.
    """

    task: str
    corpus: str
    runs: int
    correlation: float
    law: float | None
    constant: float


def fits(view: View, seed: int) -> list[TaskFit]:
    """Fit and forecast every task of every corpus."""
    known = view.observations.filter(view.observations["source_id"] == SOURCE)["quantity_id"].unique().to_list()
    tasks = sorted(name for name in known if name.startswith("gadre_") and not name.endswith("_loss") and name not in NOT_TASKS)
    made = []
    for corpus in CORPORA:
        series = {task: {"loss": LOSS, "families": [corpus]} for task in tasks}
        law = laws.load(LAW, {"sources": [SOURCE], "series": series})
        for table in law.tables(view):
            split = split_by_scale(table, law.along(table), HELD_OUT)
            found = fit(law, split.train, seed, 2)
            said = None
            if found.status not in NO_FORECAST and found.point.size:
                lower, upper = ((end - table.target.offset) / table.target.span for end in (table.target.lower, table.target.upper))
                forecast = np.clip(law.curve(found.point[None], split.test.x)[0], lower, upper)
                said = float(np.abs(forecast - split.test.y).mean())
            last = split.train.y[law.along(split.train).argmax()]
            constants = [float(np.abs(value - split.test.y).mean()) for value in (split.train.y.mean(), last)]
            scale = split.test.target.span
            rank = float(spearmanr(-table.x[:, 0], table.y).statistic)
            law_error = None if said is None else scale * said
            made.append(TaskFit(table.target.quantity_id, corpus, table.n, rank, law_error, scale * min(constants)))
    return made


def section(as_of: Callable[[date], View], params: Params) -> LawSection | None:
    """Say on how many tasks the law forecasts better than a constant; None where the record lacks the runs."""
    view = as_of(params.fit_as_of)
    if LAW not in params.laws or LOSS not in set(view.observations["quantity_id"].unique()):
        return None
    found = fits(view, params.seed)
    tasks = sorted({one.task for one in found})
    rows = []
    for task in tasks:
        parts = [one for one in found if one.task == task]
        better = sum(one.law is not None and one.law < one.constant for one in parts)
        errors = [one.law for one in parts if one.law is not None]
        mean = float(np.mean(errors)) if errors else None
        rows.append(
            (
                task,
                float(np.mean([one.correlation for one in parts])),
                better,
                mean,
                float(np.mean([one.constant for one in parts])),
            )
        )
    rows.sort(key=lambda row: (-row[2], -row[1]))
    none, always = (sum(row[2] == count for row in rows) for count in (0, len(CORPORA)))
    follow = sum(row[1] >= FOLLOWS for row in rows)
    said = (
        f"The base rate of no law: of {len(tasks)} tasks on {len(CORPORA)} corpora the exponential of the loss forecasts the "
        f"quarter of runs with the lowest loss better than the best constant in {always} tasks on every corpus, in {none} on "
        f"none. The score follows the falling loss (rank correlation {FOLLOWS:g} or more, mean of corpora) in {follow} tasks. A "
        f"task taken up unseen has no law in {none / len(tasks):.0%} of cases here; the means of tasks that this page forecasts "
        "were chosen by their authors.",
    )
    header = ("task", "rank correlation", "corpora where the law is better", "law, mean absolute error", "best constant")
    table = StudyTable("tasks", "Every task of Gadre et al., held-out runs with the lowest loss", header, tuple(rows), SAID[SCALE])
    return LawSection("no-law", "How often a task has no law", (LAW,), said, (table,), "foresaid study")
