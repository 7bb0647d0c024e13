"""Stage `fit`: one law, every target, on what is known at the as-of date.

It writes the frozen curves, the targets under which an open round would freeze them, the points and bands the pages draw, and
small metrics, which the stage `report` lays into reports/metrics, where a review shows what moved.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from foresaid import parallel
from foresaid.arrays import Array
from foresaid.canonical_json import decimal, dump_line
from foresaid.files import write_frame, write_json, write_lines
from foresaid.fitting.fit import Fit
from foresaid.fitting.frozen_curve import Curve, freeze_curve, to_plain, training_lines
from foresaid.fitting.law import Law
from foresaid.fitting.summary import describe
from foresaid.forecasting.predict import predict, probed
from foresaid.forecasting.recalibration import FitRequest, recalibrated_fits
from foresaid.laws import _loader as laws
from foresaid.params import Params
from foresaid.project import CACHE
from foresaid.registry import database
from foresaid.registry.view import Quantity, View
from foresaid.scoring.levels import LEVELS
from foresaid.studies import compute_returns
from foresaid.studies.simulations._loader import study

GRID = 81
BANDS = {"lower_95": 0.025, "lower_80": 0.1, "median": 0.5, "upper_80": 0.9, "upper_95": 0.975}


def _axis(law: Law, curve: Curve, x: Array) -> Array:
    """The horizontal axis of the chart: the raw covariate, or what the law makes of them where there are several."""
    if x.shape[1] == 1:
        return curve.covariates[0].scale.axis(x[:, 0])
    return law.axis(curve.point, curve.prepare(x))


def _bands(law: Law, curve: Curve, x: Array) -> dict[str, Array]:
    made = predict(law, curve, x)
    level = list(LEVELS)
    return {"point": made.point, **{name: made.quantiles[:, level.index(value)] for name, value in BANDS.items()}}


def drawing(law: Law, curve: Curve, fitted: Fit) -> pl.DataFrame:
    """Return what a page draws of one target: its points, and for one covariate a grid a little beyond them."""
    table = fitted.table
    target = table.target
    parts = []
    observed = target.offset + target.span * table.y
    rows = {
        "subject_id": list(table.subjects),
        "cluster": list(table.clusters),
        "x": _axis(law, curve, table.x),
        "observed": observed,
    }
    parts.append(pl.DataFrame({"kind": ["point"] * table.n, **rows, **_bands(law, curve, table.x)}))
    if table.x.shape[1] == 1:
        low, high = float(table.x.min()), float(table.x.max())
        reach = 0.25 * (high - low)
        span = (low, high + reach) if target.progress > 0 else (low - reach, high)
        x = np.linspace(*span, GRID)[:, None]
        empty = {"subject_id": [""] * GRID, "cluster": [""] * GRID, "x": _axis(law, curve, x), "observed": np.full(GRID, np.nan)}
        parts.append(pl.DataFrame({"kind": ["grid"] * GRID, **empty, **_bands(law, curve, x)}))
    return pl.concat(parts).insert_column(
        0, pl.Series("target_id", [target.target_id]).extend_constant(target.target_id, sum(map(len, parts)) - 1)
    )


def draft(law: Law, curve: Curve, quantity: Quantity) -> dict[str, Any]:
    """Return under what a round would freeze a curve: method and target, without round, days, known models and the curve itself."""
    record = curve.record
    rule = {"kind": "curve", "binds": "run", "series": record.series} if record.series else {"kind": "curve", "binds": "model"}
    return {
        "method": law.name,
        "target": {
            "id": record.target_id,
            "rule": rule,
            "benchmark": record.quantity_id,
            "protocol": quantity.protocol or "as published",
            "unit": quantity.unit,
            "direction": quantity.direction,
            "min": record.lower,
            "max": record.upper,
            "chance": None if quantity.chance is None else decimal(quantity.chance),
            "ceiling": None,
            "resolution": None,
            "resolver": record.resolver,
            "fallbacks": [],
            "system": law.systems,
            "nearest_effort": False,
            "void_if": [],
        },
    }


def as_of(params: Params, build: Path) -> View:
    """The record that every law is fitted on."""
    return database.as_of(database.open_database(build / "database"), params.fit_as_of)


def run(name: str, params: Params, build: Path, view: View | None = None) -> dict[str, int]:
    """Fit one law to all its targets and write the results; return how many targets ended in each status.

    `view` is the record as of the day of the fits, where a caller that fits several laws has read it already.
    """
    settings = params.laws[name]
    law = laws.load(name, settings)
    view = as_of(params, build) if view is None else view
    curves, drafts, drawings, results = [], [], [], []
    returns: dict[str, list[compute_returns.Budget]] = {}
    training: list[bytes] = []
    counts: dict[str, int] = {}
    questions = [FitRequest(law, table, settings) for table in law.tables(view)]
    fits = [one.fit for one in recalibrated_fits(questions, params.seed, params.replicates, build / CACHE)]

    def applied(fitted: Fit) -> tuple[bytes, bytes, pl.DataFrame, dict[str, list[compute_returns.Budget]]] | None:
        if not fitted.point.size:
            return None
        quantity = view.quantity(fitted.table.target.quantity_id)
        curve = probed(law, freeze_curve(law, fitted, settings, params.fit_as_of, params.seed, quantity.counted))
        picture = drawing(law, curve, fitted)
        # Its text takes ten times the room of its line: the curve ends here, or memory would grow with draws and targets.
        under = dump_line(draft(law, curve, quantity)) if law.asked(fitted.table.target) else b""
        return dump_line(to_plain(curve)), under, picture, compute_returns.by_target(law, [curve], picture)

    # Threads, wherever the fits were made: bands are sorts, which let go of the interpreter, and neither law nor rows need a copy.
    with parallel.threads():
        drawn = parallel.each(applied, fits, what="curves")
    for fitted, found in zip(fits, drawn, strict=True):
        table = fitted.table
        counts[fitted.status] = counts.get(fitted.status, 0) + 1
        results.append(describe(law, fitted))
        if found is None:
            continue
        line, under, picture, budgets = found
        curves.append(line)
        if under:
            training.extend(training_lines(table))
            drafts.append(under)
        drawings.append(picture)
        returns |= budgets
    folder = build / "fits" / name
    write_lines(folder / "curves.jsonl", curves)
    write_lines(folder / "drafts.jsonl", drafts)
    write_lines(folder / "training.jsonl", training)
    empty = dict.fromkeys(("x", "observed", "point", *BANDS), pl.Float64())
    schema = {**dict.fromkeys(("target_id", "kind", "subject_id", "cluster"), pl.String()), **empty}
    frame = pl.concat(drawings).select(list(schema)) if drawings else pl.DataFrame(schema=schema)
    write_frame(folder / "returns.parquet", compute_returns.as_frame(returns))
    write_frame(folder / "drawing.parquet", frame.with_columns(pl.col(list(empty)).fill_nan(None)))
    # Profiles are long and only drawn: they stay out of the metrics a person reviews.
    write_json(folder / "profiles.json", {item["target_id"]: item.pop("profile") for item in results})
    write_json(
        folder / "metrics.json",
        {
            "law": name,
            "version": law.version,
            "as_of": params.fit_as_of.isoformat(),
            "targets": results,
            "study": study(law, params.seed, params.replicates),
        },
    )
    return counts
