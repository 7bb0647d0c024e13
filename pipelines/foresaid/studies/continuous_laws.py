"""The three laws of a score by loss, fitted by the engine of every law to accuracy and to continuous metrics of the same runs.

A threshold law reads scores that are 0 at guessing and at most 1. Guessing gives accuracy and the probability of the right choice
1 over the number of choices, its logarithm the logarithm of that; bits per byte have no such level, and the mean of the tenth of
checkpoints with the highest loss stands for it. Metrics rise by very different shares of the way to perfect, and the laws call a
rise under a tenth no threshold. So each is fitted on two scales: to perfect, where that verdict is read, and in its own rise,
where metrics can be compared. Runs are the clusters. The question is that of `foresaid contest`: fitted to higher losses, asked for
lower.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np

from foresaid.errors import RecordError
from foresaid.evaluation.modes import SAID, SCALE
from foresaid.fitting.data import Covariate, Target, TrainingTable
from foresaid.fitting.fit import NO_FORECAST, fit
from foresaid.laws import _loader as laws
from foresaid.registry.load import read_catalogue
from foresaid.studies.continuous_metrics import LAWS, METRICS, Runs
from foresaid.studies.law_sections import Cell, LawSection, StudyTable
from foresaid.studies.loss_threshold import contest, profile_interval

DAY = date(1, 1, 1)  # these rows are in no record, so no day is asked of them
EVERY = 5  # checkpoints of a run, counted back from its end: neighbours share their noise
ASKED = 0.25  # of the rows, those with the lowest losses, are forecast from the others
BOUNDS = (-5.0, 1.0)  # shares of the way from guessing to perfect
LOSS = Covariate("olmo_c4_loss")


@dataclass(frozen=True)
class LawFit:
    """One law on one metric of one task: status on all rows, threshold or midpoint with its 95 % ends (NaN where there is none).

    `to_perfect` is the status on the scale from guessing to perfect; everything else is in the metric's own rise. `wis`, `mae`
    (1 is twice the rise from guessing to the loss that splits off the lowest quarter) and `coverage` (of 80 % intervals) are of
    the rows below that loss, NaN where the law declined.
    """

    task: str
    metric: str
    law: str
    to_perfect: str
    status: str
    threshold: float
    low: float
    high: float
    wis: float
    mae: float
    coverage: float


def chances(registry: Path) -> dict[str, float]:
    """Return what guessing scores by task, from the quantities of the record; raises RecordError where one is missing."""
    known = {row.quantity_id: row.chance for row in read_catalogue(registry)[0].quantities}
    tasks = [name.removeprefix("olmo_").removesuffix("_rc") for name in known if name.startswith("olmo_") and name.endswith("_rc")]
    found = {task: known[f"olmo_{task}_rc"] for task in tasks}
    missing = [task for task, chance in found.items() if chance is None]
    if missing or not found:
        raise RecordError(f"{registry}: found no chance of {', '.join(missing) or 'any task'}, expected one for each olmo_TASK_rc")
    return {task: float(chance) for task, chance in found.items() if chance is not None}


def tables(runs: Runs, chance: Mapping[str, float]) -> list[tuple[str, str, TrainingTable, TrainingTable]]:
    """Return task, metric and rows of each pair on both scales, spaced checkpoints with the losses of C4.

    The first table is 0 at guessing and 1 at perfect; the second 0 at guessing and 0.5 in the mean of the tenth of checkpoints with
    the lowest losses among those that are not asked for, so that no outcome sets its scale.
    """
    left = np.zeros(len(runs.run), dtype=int)
    for name in set(runs.run.tolist()):
        mine = np.flatnonzero(runs.run == name)
        left[mine] = np.arange(len(mine))[::-1]
    kept = np.flatnonzero(left % EVERY == 0)
    loss = runs.loss[kept]
    split = np.quantile(loss, ASKED)
    high = loss >= np.quantile(loss, 0.9)
    reached = (loss > split) & (loss <= np.quantile(loss[loss > split], 0.1))
    names = tuple(f"{runs.run[i]}/{left[i]:05d}" for i in kept)
    clusters = tuple(str(name) for name in runs.run[kept])
    made = []
    for task in sorted({task for task, _ in runs.values}):
        for metric in METRICS:
            value = runs.values[task, metric][kept]
            guess = {
                "accuracy": chance[task],
                "probability": chance[task],
                "log probability": float(np.log(chance[task])),
                "bits per byte": float(value[high].mean()),
            }[metric]
            perfect = 1.0 if metric in ("accuracy", "probability") else 0.0
            target = Target(
                f"{task}/{metric}", f"{metric} of {task}", task, (LOSS,), 0.0, 1.0, *BOUNDS, "own file", None, progress=-1
            )
            days = (DAY,) * len(kept)
            rise = 2.0 * (float(value[reached].mean()) - guess)
            x = loss[:, None]
            to_perfect, own = ((value - guess) / span for span in (perfect - guess, rise))
            whole = TrainingTable(target, names, clusters, days, days, x, to_perfect)
            made.append((task, metric, whole, replace(whole, y=own)))
    return made


def fits(runs: Runs, chance: Mapping[str, float], seed: int, replicates: int) -> list[LawFit]:
    """Fit the three laws to every metric of every task, and put each to the question below the loss of the lowest quarter."""
    made = []
    loaded = [laws.load(name, {"sources": [], "series": {}}) for name in LAWS]
    for task, metric, whole, table in tables(runs, chance):
        split = float(np.quantile(table.x[:, 0], ASKED))
        scores = contest([(law, table) for law in loaded], split, seed, replicates)
        for law, score in zip(loaded, scores, strict=True):
            found = fit(law, table, seed, 2)
            names = dict(zip(found.parameters, found.point.tolist(), strict=False))
            at = names.get("threshold", names.get("midpoint", np.nan))
            ends = (np.nan, np.nan)
            if found.profile is not None and found.status not in NO_FORECAST:
                ends = profile_interval(found.profile, len(set(table.clusters)))
            verdict = fit(law, whole, seed, 2).status
            made.append(LawFit(task, metric, law.name, verdict, found.status, at, *ends, score.wis, score.mae, score.coverage))
    return made


def table_of(found: list[LawFit]) -> StudyTable:
    """Lay the fits beside each other, one row a task, metric and law."""

    def cell(value: float) -> Cell:
        return None if np.isnan(value) else value

    header = (
        "task", "metric", "law", "status to perfect", "status in its own rise", "threshold or midpoint, nats", "95 % from", "to",
        "WIS below", "mean absolute error below", "80 % hold below",
    )  # fmt: skip
    rows = tuple(
        (
            *(one.task, one.metric, one.law, one.to_perfect, one.status),
            *map(cell, (one.threshold, one.low, one.high, one.wis, one.mae, one.coverage)),
        )
        for one in found
    )
    caption = (
        "The three laws on each metric, in the metric’s own rise (0 at guessing, 0.5 at the loss where the question begins); "
        "fitted to the three quarters of checkpoints with the highest loss and scored on the rest"
    )
    return StudyTable("laws", caption, header, rows, SAID[SCALE])


def said(found: list[LawFit]) -> tuple[str, ...]:
    """Say by metric which law forecasts the lower losses best and where a threshold is seen."""
    parts = []
    for metric in METRICS:
        mine = [one for one in found if one.metric == metric]
        tasks = sorted({one.task for one in mine})
        best = [min((one for one in mine if one.task == task and not np.isnan(one.wis)), key=lambda one: one.wis) for task in tasks]
        wins = "/".join(str(sum(one.law == law for one in best)) for law in LAWS)
        means = "/".join(f"{np.nanmean([one.wis for one in mine if one.law == law]):.4f}" for law in LAWS)
        seen = "/".join(str(sum(one.law == law and one.status == "converged" for one in mine)) for law in LAWS)
        shown = "/".join(str(sum(one.law == law and one.to_perfect == "converged" for one in mine)) for law in LAWS)
        held = "/".join(f"{np.nanmean([one.coverage for one in mine if one.law == law]):.0%}" for law in LAWS)
        parts.append(
            f"{metric}: WIS {means}, best on {wins} tasks, 80 % hold {held}, converged on {seen}, on the scale to perfect {shown}"
        )
    return (
        f"The ordinary laws on the same runs (in this order: {', '.join(LAWS)}), fitted to the higher three quarters of losses "
        f"and scored below, in the metric’s own rise: {'; '.join(parts)}.",
        "Of the scale to perfect the probabilities rise little, and the rule of the threshold laws calls a rise under a tenth no "
        "threshold. Twenty runs of one recipe are one draw; bits per byte have no level of guessing and start from their mean at "
        "the highest tenth of losses.",
    )


def added(section: LawSection, found: list[LawFit]) -> LawSection:
    """Put the laws' own fits behind what the section of continuous metrics says."""
    return replace(section, said=(*section.said, *said(found)), tables=(*section.tables, table_of(found)))
