"""Forecasts of the held-out rows of a person's own curves, by the laws and with the widths of the record's hindcasts.

A series that the record knows by name (`olmo_arc_easy_rc`, `gadre_c4_loss/gadre/rpj`) is trained on the record's rows too, so that
a larger run of a known ladder needs no more than its own row. The record's series of the same law teach the width of the
intervals; their held-out rows are not asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from foresaid.arrays import Array
from foresaid.fitting.data import Covariate, Target, TrainingTable
from foresaid.fitting.fit import NO_FORECAST
from foresaid.fitting.frozen_curve import freeze_curve
from foresaid.fitting.law import Law
from foresaid.forecasting.predict import Forecast, predict
from foresaid.forecasting.recalibration import FitRequest, ensembles, recalibrated_fits
from foresaid.forecasting.splits import split_by_scale
from foresaid.laws import _loader as laws
from foresaid.registry.view import View
from foresaid.scoring.levels import LEVELS
from foresaid.scoring.rules import covered, weighted_interval_score
from foresaid.studies.own_curves.files import OwnFile, OwnRow

DAY = date(1, 1, 1)  # rows of one's own have no day
COVERAGES = (0.5, 0.8, 0.95)


@dataclass(frozen=True)
class OwnForecast:
    """What one law, or an ensemble, says of the held-out rows (n,) of one series; no quantiles where it gave none.

    `sizes` (n, k) are as in the file; `outcomes` are NaN where they are not known yet; `trained` counts training rows and
    `of_record` those among them that the record holds.
    """

    file: str
    series: str
    law: str
    status: str
    reason: str
    trained: int
    of_record: int
    sizes: Array
    outcomes: Array
    quantiles: Array | None
    point: Array


@dataclass(frozen=True)
class Asked:
    """One law on one series: training rows, rows to forecast on the scales of the law, and how many rows are the record's."""

    file: str
    series: str
    request: FitRequest
    ahead: TrainingTable
    sizes: Array
    of_record: int


def _table(file: OwnFile, name: str, rows: Sequence[OwnRow]) -> TrainingTable:
    """Bring the rows of one series to the form a law reads."""
    kind = file.kind
    chance = rows[0].chance
    covariates = tuple(Covariate(quantity, "ln") for quantity in kind.quantities)
    target = Target(
        f"{file.name}/{name}", f"{name} ({file.name})", file.name, covariates, chance, 1.0 - chance if kind.upper == 1.0 else 1.0,
        kind.lower, kind.upper, "own file", name,
    )  # fmt: skip
    subjects = tuple(f"{file.name}/{name}/{i:05d}" for i in range(len(rows)))
    x = np.log(np.array([row.sizes for row in rows]))
    if kind.reading:  # the first step reads the loss, and every row is the end of a run
        x = np.column_stack([x, np.nan_to_num([row.reading for row in rows]), np.ones(len(rows))])
    y = (np.array([row.value for row in rows]) - target.offset) / target.span
    days = (DAY,) * len(rows)
    return TrainingTable(target, subjects, subjects, (None,) * len(rows), days, x, y)


def _joined(record: TrainingTable, own: TrainingTable) -> TrainingTable:
    """Put rows of one's own behind the record's, on the record's scale."""
    y = (own.target.offset + own.target.span * own.y - record.target.offset) / record.target.span
    return TrainingTable(
        record.target,
        record.subjects + own.subjects,
        record.clusters + own.clusters,
        record.released_on + own.released_on,
        record.known_on + own.known_on,
        np.vstack([record.x, own.x[:, : record.x.shape[1]]]),
        np.concatenate([record.y, y]),
        record.excluded_rows,
    )


def asked(
    files: Sequence[OwnFile], view: View | None, settings: dict[str, dict[str, Any]], share: float
) -> tuple[list[Asked], list[FitRequest]]:
    """Return one request a law and series, and those of the record's other series, which teach.

    Rows flagged held out are forecast; where a series flags none, a series of the record is asked about all its rows and any other
    about the `share` of its rows furthest along, at least one. `view` is None to leave the record out.
    """
    made: list[Asked] = []
    teachers: list[FitRequest] = []
    for name in dict.fromkeys(law for file in files for law in file.kind.laws):
        law = laws.load(name, settings[name])
        known = {table.target.target_id: table for table in law.tables(view)} if view is not None else {}
        used = set()
        for file in (one for one in files if name in one.kind.laws):
            for series in dict.fromkeys(row.series for row in file.rows):
                rows = [row for row in file.rows if row.series == series]
                own = _table(file, series, rows)
                record = known.get(series)
                used |= {series} if record is not None else set()
                later = _later(law, rows, own, record is not None, share)
                train, ahead = own.where(~later), own.where(later)
                if record is not None:
                    train = _joined(record, train)
                    y = (ahead.target.offset + ahead.target.span * ahead.y - record.target.offset) / record.target.span
                    ahead = replace(ahead, target=record.target, y=y)
                sizes = np.array([row.sizes for row, held in zip(rows, later, strict=True) if held])
                of_record = record.n if record is not None else 0
                made.append(Asked(file.name, series, FitRequest(law, train, settings[name]), ahead, sizes, of_record))
        mine = [one.ahead for one in made if one.request.law is law]
        others = [table for series, table in known.items() if series not in used and not any(_holds(table, one) for one in mine)]
        teachers += [FitRequest(law, table, settings[name]) for table in others]
    return made, teachers


def _holds(record: TrainingTable, ahead: TrainingTable) -> bool:
    """Say whether a series of the record holds a row that is to be forecast: such a series would teach its own answer."""
    k = ahead.target.covariates
    same = np.isclose(record.x[:, None, : len(k)], ahead.x[None, :, : len(k)], rtol=1e-9, atol=0.0).all(axis=-1)
    ours = record.target.offset + record.target.span * record.y
    return bool((same & np.isclose(ours[:, None], ahead.target.offset + ahead.target.span * ahead.y, rtol=1e-6, atol=0.0)).any())


def _later(law: Law, rows: Sequence[OwnRow], own: TrainingTable, known: bool, share: float) -> np.ndarray[Any, np.dtype[np.bool_]]:
    if any(row.held_out is not None for row in rows):
        return np.array([bool(row.held_out) for row in rows])
    if known:
        return np.ones(len(rows), dtype=bool)
    split = split_by_scale(own, law.along(own), share)
    return np.isin(own.subjects, split.test.subjects)


def forecasts(
    found: Sequence[Asked], teachers: Sequence[FitRequest], seed: int, replicates: int, cache: Path | None
) -> list[OwnForecast]:
    """Fit every request, set its width by what its kind missed on earlier rows, and forecast; also the ensembles of each series."""
    recalibrated = recalibrated_fits([*(one.request for one in found), *teachers], seed, replicates, cache)
    made: list[OwnForecast] = []
    members: dict[tuple[str, str], list[tuple[Forecast, Any]]] = {}
    first: dict[tuple[str, str], Asked] = {}
    for one, answer in zip(found, recalibrated, strict=False):
        law, fitted, ahead = one.request.law, answer.fit, one.ahead
        no_forecast = fitted.status in NO_FORECAST or not ahead.n
        forecast = None if no_forecast else predict(law, freeze_curve(law, fitted, one.request.settings, DAY, seed), ahead.x)
        made.append(_forecast(one, law.name, fitted.status, fitted.reason, forecast))
        key = (one.file, one.series)
        same = first.setdefault(key, one).ahead.subjects == ahead.subjects
        if forecast is not None and answer.backtest is not None and same:
            members.setdefault(key, []).append((forecast, answer.backtest))
    for key, several in members.items():
        for name, forecast in ensembles(several, first[key].ahead.target).items():
            made.append(_forecast(first[key], name, "converged", "", forecast))
    return made


def _forecast(one: Asked, law: str, status: str, reason: str, forecast: Forecast | None) -> OwnForecast:
    target = one.ahead.target
    outcomes = target.offset + target.span * one.ahead.y
    nothing = np.full(one.ahead.n, np.nan)
    return OwnForecast(
        one.file, one.series, law, status, reason, one.request.table.n, one.of_record, one.sizes, outcomes,
        None if forecast is None else forecast.quantiles, nothing if forecast is None else forecast.point,
    )  # fmt: skip


def scores(made: Sequence[OwnForecast]) -> dict[tuple[str, str], dict[str, float]]:
    """Score by file and law what is known: rows, series, mean WIS, mean absolute error of the point, and shares held."""
    grouped: dict[tuple[str, str], list[OwnForecast]] = {}
    for one in made:
        grouped.setdefault((one.file, one.law), []).append(one)
    table: dict[tuple[str, str], dict[str, float]] = {}
    for key, parts in grouped.items():
        kept = [(one, ~np.isnan(one.outcomes)) for one in parts if one.quantiles is not None]
        kept = [(one, known) for one, known in kept if known.any()]
        if not kept:
            continue
        quantiles = np.vstack([one.quantiles[known] for one, known in kept if one.quantiles is not None])
        outcomes = np.concatenate([one.outcomes[known] for one, known in kept])
        points = np.concatenate([one.point[known] for one, known in kept])
        table[key] = {
            "n": len(outcomes),
            "series": len(kept),
            "wis": float(weighted_interval_score(quantiles, LEVELS, outcomes).wis.mean()),
            "mae": float(np.abs(points - outcomes).mean()),
            **{f"{share:.0%}": float(covered(quantiles, LEVELS, outcomes, share).mean()) for share in COVERAGES},
        }
    return table
