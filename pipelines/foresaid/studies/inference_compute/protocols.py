"""The protocols of the laws of compute: what each law would have said of the largest budgets, from all smaller ones.

Four tables: losses of the largest pre-training runs and of the longest fine-tunings (from the hindcast), and coverage and
accuracy at budgets that were held out (from sources read on demand, which the record may not keep). Every number is of
forecasts of rows no fit had seen; widths are learned inside the training rows (forecasting/recalibration.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from foresaid.fitting.frozen_curve import freeze_curve
from foresaid.fitting.law import Law
from foresaid.forecasting.predict import Forecast, predict
from foresaid.forecasting.recalibration import FitRequest, ensembles, recalibrated_fits
from foresaid.sources._reading import Reading
from foresaid.studies.compute_returns import Reach
from foresaid.studies.inference_compute import compute_split as split
from foresaid.studies.inference_compute.problem_bootstrap import Counts, problems_resampled, ten_points
from foresaid.studies.inference_compute.series import (
    NO_DAY,
    Held,
    Scored,
    coverage_series,
    effort_series,
    mirror_folder,
    solved_counts,
)
from foresaid.studies.law_sections import LawSection


def run(held: Sequence[Held], laws: Sequence[Law], seed: int, replicates: int) -> dict[str, Scored]:
    """Fit every law to every series, forecast what was held out; also the two ensembles where both laws have a past."""
    questions = [FitRequest(law, one.train, {}) for one in held for law in laws]
    found = recalibrated_fits(questions, seed, replicates, None)
    kept: dict[str, list[tuple[Forecast, Held]]] = {}
    for i, one in enumerate(held):
        members = []
        for law, recalibrated in zip(laws, found[i * len(laws) : (i + 1) * len(laws)], strict=True):
            if not recalibrated.fit.point.size:
                continue
            made = predict(law, freeze_curve(law, recalibrated.fit, {}, NO_DAY, seed), one.test.x)
            kept.setdefault(law.name, []).append((made, one))
            if recalibrated.backtest:
                members.append((made, recalibrated.backtest))
        for name, made in ensembles(members, one.train.target).items():
            kept.setdefault(name, []).append((made, one))
    return {
        name: Scored(
            np.vstack([made.quantiles for made, _ in parts]),
            np.concatenate([made.point for made, _ in parts]),
            np.concatenate([one.test.y for _, one in parts]),
            tuple(one.train.target.target_id for _, one in parts for _ in one.test.subjects),
        )
        for name, parts in kept.items()
    }


LAWS = {"effort-tokens": ("token_logit", "token_line"), "pass-at-k": ("coverage", "beta_coverage")}
SERIES: dict[str, Callable[[Reading], list[Held]]] = {"effort-tokens": effort_series, "pass-at-k": coverage_series}


@dataclass(frozen=True)
class HeldOutBudgets:
    """What the two laws of a source forecast of the largest budget of each series, and what the protocol shows beside it.

    `counts` (coverage) are samples and right answers by problem; `reaches` (effort) the compute that a gain of 0.10 would take.
    """

    held: list[Held]
    methods: dict[str, Scored]
    counts: dict[str, Counts]
    reaches: dict[str, dict[str, Reach]]


def on_demand(source: str, mirror: Path, registry: Path, seed: int, replicates: int) -> HeldOutBudgets:
    """Read a source the record may not keep, hold out each series' largest budget, and forecast it by the source's two laws."""
    from foresaid.laws import _loader as laws
    from foresaid.sources import _loader as sources

    reading = sources.find(source)(mirror_folder(mirror, registry, source))
    held = SERIES[source](reading)
    each = [laws.load(name, {"sources": [source], "series": {}}) for name in LAWS[source]]
    methods = run(held, each, seed, replicates)
    if source == "pass-at-k":
        counts = solved_counts(reading)
        methods |= problems_resampled(held, counts, each, seed, replicates)
        return HeldOutBudgets(held, methods, counts, {})
    reaches = {law.title: ten_points(held, law, seed, replicates) for law in each}
    return HeldOutBudgets(held, methods, {}, reaches)


def compute_split(mirror: Path, registry: Path, seed: int) -> LawSection:
    """Read the samples of one family and say which split of compute serves problems of each difficulty."""
    from foresaid.sources import _loader as sources

    counts = solved_counts(sources.find("pass-at-k")(mirror_folder(mirror, registry, "pass-at-k")))
    return split.section(split.splits(counts, seed), split.sizes(counts))
