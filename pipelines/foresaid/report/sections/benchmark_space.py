"""The principal-component space of benchmarks on the observational law's page: what
studies/benchmark_space/study.py found, as tables, charts and downloads.

Only words, tables and drawings are made here; every number is the study's.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import polars as pl

from foresaid.report.charts import choices, fitted_curve
from foresaid.studies.benchmark_space.study import DAY, LEAST, SHOWN, Plane
from foresaid.text import number


def shown(plane: Plane | None, title: Callable[[str], str]) -> dict[str, Any] | None:
    """Turn the study into tables and drawings; `title` names a quantity."""
    if plane is None:
        return None
    rows = [
        {"x": x, "observed": y, "median": m, "lower_80": m, "upper_80": m}
        for x, y, m in plane.drawn.select("x", "observed", "median").rows()
    ]
    axis = "training compute at which Llama-2 would reach the model's component scores (FLOPs)"
    picks = [
        {"models": one.choice.models, "objective": one.choice.objective, "optimal": one.error, "random": one.random}
        for one in plane.chosen
    ]
    return {
        "day": DAY.isoformat(),
        "shares": [
            {
                "population": one.population,
                "models": f"{one.models} ({one.families})",
                "shares": [_tenths(share) for share in one.explained],
                "together": _tenths(sum(one.explained)),
            }
            for one in plane.shares
        ],
        "families": [
            {"family": name, "r2": [f"{line.r2:.3f}" for line in lines]}
            for name, lines in sorted(plane.families.items(), key=lambda item: -item[1][0].r2)
        ],
        "components": [
            {"task": title(name), "errors": [number(error) for error in errors], "best": errors.index(min(errors)) + 1}
            for name, errors in plane.errors.items()
        ],
        "axes": [
            {
                "task": title(one.quantity_id),
                "reference": f"{one.reference} ({one.models})",
                "line": f"{one.line.slope:.2f} · log10 C {one.line.intercept:+.2f}".replace("-", "−"),
                "r2": f"{one.line.r2:.3f}",
            }
            for one in plane.axes
        ],
        "drawing": fitted_curve(rows, [], f"{title(SHOWN)} against equivalent compute", axis, "score", log=True),
        "swept": [
            {
                "task": title(one.quantity_id),
                "ranked_by": one.ranked_by,
                "cuts": str(one.cuts),
                "components": number(one.components),
                "compute": number(one.compute),
            }
            for one in plane.swept
        ],
        "least": str(LEAST),
        "chosen": [
            {
                "budget": str(one.choice.budget),
                "models": str(one.choice.models),
                "families": ", ".join(one.choice.families),
                "objective": f"{one.choice.objective:.2f}",
                "error": number(one.error),
                "random": number(one.random),
            }
            for one in plane.chosen
        ],
        "all_error": number(plane.all_error),
        "choices": choices(picks, "Prediction variance and test error by number of models"),
    }


def _tenths(share: float) -> str:
    return f"{100 * share:.1f} %"


def downloads(plane: Plane) -> dict[str, pl.DataFrame]:
    """Every table of the study, flat."""
    families = [
        {"family": name, "component": at, **dataclasses.asdict(line)}
        for name, lines in plane.families.items()
        for at, line in enumerate(lines, start=1)
    ]
    picks = [
        {"budget": one.choice.budget, "models": one.choice.models, "families": " ".join(one.choice.families),
         "objective": one.choice.objective, "test_error": one.error, "random_test_error": one.random}
        for one in plane.chosen
    ]  # fmt: skip
    return {
        "families": pl.DataFrame(families),
        "equivalent-compute": plane.drawn,
        "sweeps": pl.DataFrame([dataclasses.asdict(one) for one in plane.swept]),
        "choices": pl.DataFrame(picks),
    }
