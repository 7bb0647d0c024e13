"""The protocols of the laws of compute: what each law would have said of the largest budgets, from all smaller ones.

Four tables: losses of the largest pre-training runs and of the longest fine-tunings (from the hindcast), and coverage and
accuracy at budgets that were held out (from sources read on demand, which the record may not keep). Every number is of
forecasts of rows no fit had seen; widths are learned inside the training rows (widening.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from foresaid.fitting.frozen_curve import freeze_curve
from foresaid.fitting.law import Law
from foresaid.forecasting.predict import Forecast, predict
from foresaid.forecasting.recalibration import Question, ensembles, widened_fits
from foresaid.report.sections.inference_compute import markdown
from foresaid.sources import Reading
from foresaid.studies.inference_compute.series import (
    FELL,
    NO_DAY,
    Held,
    Scored,
    coverage_series,
    effort_series,
    mirror_folder,
    shapes,
    solved_counts,
)


def run(held: Sequence[Held], laws: Sequence[Law], seed: int, replicates: int) -> dict[str, Scored]:
    """Fit every law to every series, forecast what was held out; also the two ensembles where both laws have a past."""
    questions = [Question(law, one.train, {}) for one in held for law in laws]
    found = widened_fits(questions, seed, replicates, None)
    kept: dict[str, list[tuple[Forecast, Held]]] = {}
    for i, one in enumerate(held):
        members = []
        for law, widened in zip(laws, found[i * len(laws) : (i + 1) * len(laws)], strict=True):
            if not widened.fit.point.size:
                continue
            made = predict(law, freeze_curve(law, widened.fit, {}, NO_DAY, seed), one.test.x)
            kept.setdefault(law.name, []).append((made, one))
            if widened.played:
                members.append((made, widened.played))
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


def on_demand(source: str, mirror: Path, registry: Path, seed: int, replicates: int) -> list[str]:
    """Read a source that the record may not keep, hold out each series' largest budget, and write the table of its two laws."""
    from foresaid import laws, sources
    from foresaid.report.sections import inference_compute
    from foresaid.studies.inference_compute import problem_bootstrap

    reading = sources.find(source)(mirror_folder(mirror, registry, source))
    held = SERIES[source](reading)
    each = [laws.load(name, {"sources": [source], "series": {}}) for name in LAWS[source]]
    methods = run(held, each, seed, replicates)
    ends = ", ".join(f"{count} {what}" for what, count in shapes(held).items())
    counted = f"{len(held)} series; the largest budget against the best smaller one (within {FELL:g}: level): {ends}."
    if source == "pass-at-k":
        counts = solved_counts(reading)
        methods |= problem_bootstrap.problems_resampled(held, counts, each, seed, replicates)
        after = inference_compute.difficulty_lines(counts)
    else:
        after = inference_compute.ten_point_lines(
            {law.title: problem_bootstrap.ten_points(held, law, seed, replicates) for law in each}
        )
    return [counted, "", *markdown(methods, log=False), "", *after]
