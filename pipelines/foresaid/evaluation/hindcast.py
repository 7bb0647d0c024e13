"""Stage `hindcast`: what the laws would have said, computed afterwards from old vintages.

A hindcast is evidence of its own kind: it was made afterwards, and says so on every page. Each case fits every law on
the record as it stood on one day, forecasts subjects that were held out by flag and by date (or, for runs, by
scale), and leaves the forecasts beside the outcomes. The leak guard looks at every fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from os.path import commonprefix
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from foresaid.arrays import list_column
from foresaid.confusables import model_of
from foresaid.evaluation import rolling_origin
from foresaid.evaluation.schema import SCHEMA
from foresaid.fitting.data import Target, TrainingTable
from foresaid.fitting.frozen_curve import applied_curve
from foresaid.fitting.law import Law
from foresaid.fitting.summary import describe
from foresaid.forecasting import baselines, methods, score_baselines
from foresaid.forecasting import published as adopted
from foresaid.forecasting.board import lineage
from foresaid.forecasting.floors import floored, items_of
from foresaid.forecasting.method import SCORES
from foresaid.forecasting.predict import Forecast, predict
from foresaid.forecasting.recalibration import Backtest, FitRequest, RecalibratedFit, ensembles, recalibrated_fits
from foresaid.forecasting.splits import Split, check, first_published, released_after, released_by, split_by_release, split_by_scale
from foresaid.laws import _loader as laws
from foresaid.params import Hindcast, Params
from foresaid.registry import database
from foresaid.registry.database import Database
from foresaid.registry.view import View
from foresaid.scoring.levels import LEVELS


def _rows(name: str, case: Hindcast, split: Split, law: str, role: str, status: str, made: Forecast | None) -> pl.DataFrame:
    test = split.test
    target = test.target
    n = test.n
    nothing = np.full(n, np.nan)
    quantiles = np.full((n, len(LEVELS)), np.nan) if made is None else made.quantiles
    frame = pl.DataFrame(
        {
            "case": [name] * n,
            "split": [case.split] * n,
            "law": [law] * n,
            "role": [role] * n,
            "target_id": [target.target_id] * n,
            "quantity_id": [target.quantity_id] * n,
            "series": [target.series or ""] * n,
            "subject_id": list(test.subjects),
            "cluster": list(test.clusters),
            "released_on": list(test.released_on),
            "as_of": [case.as_of] * n,
            "until": [case.until] * n,
            "observed": target.offset + target.span * test.y,
            "status": [status] * n,
            "distance": split.distance,
            "point": nothing if made is None else made.point,
            "mean": nothing if made is None else made.mean,
            "quantiles": list_column(quantiles, n),
        },
        schema=SCHEMA,
    )
    return frame.with_columns(pl.col("distance", "point", "mean").fill_nan(None))


def split_of_scale(law: Law, table: TrainingTable, case: Hindcast) -> Split:
    """Hold out the rows furthest along, as the case says and the law counts it."""
    return split_by_scale(table, law.along(table), case.held_out_share, case.trained_on)


def told_of(known: View, which: str, target: Target) -> frozenset[str]:
    """The subjects whose value of a target was known, whether or not a law could use the row."""
    rows = replace(known, observations=known.observations.filter(pl.col("quantity_id") == target.quantity_id))
    return frozenset(rows.of(which).under(target.quantity_id, target.protocol)["subject_id"].unique())


def teachers(law_name: str, case: Hindcast, settings: dict[str, Any], known: View, scored: Sequence[Split]) -> list[FitRequest]:
    """Return the series of the record that only teach a law of a case how wide it must be: `taught_by` of its entry.

    `settings` are the law's own; `scored` are the splits of the case. A series with a row whose value is scored teaches nothing.
    """
    asked = {(one.test.target.quantity_id, subject) for one in scored for subject in one.test.subjects}
    made = []
    for chosen in case.taught_by.get(law_name, ()):
        entry = {**settings, **chosen}
        law = laws.load(law_name, entry)
        for table in law.tables(known):
            target = table.target
            if any((target.quantity_id, subject) in asked for subject in table.subjects):
                continue
            # Several groups of runs may share a quantity: each is a series of its own name.
            group = commonprefix((target.series or "").split("+")).rstrip("-/")  # noqa: RUF071  # names of families, no paths
            name = target.target_id if group in target.target_id else f"{target.target_id}/{group}"
            made.append(FitRequest(law, replace(table, target=replace(target, target_id=name)), entry))
    return made


@dataclass(frozen=True)
class _Asked:
    """One law on one target of a case, and how its rows were split."""

    question: FitRequest
    split: Split


def _answer(
    name: str, case: Hindcast, asked: _Asked, recalibrated: RecalibratedFit, seed: int
) -> tuple[pl.DataFrame, dict[str, Any], Forecast | None]:
    law, split, fitted = asked.question.law, asked.split, recalibrated.fit
    made = None
    if fitted.point.size:
        made = predict(law, applied_curve(law, fitted, case.as_of, seed), split.test.x)
    rows = _rows(name, case, split, law.name, "law", fitted.status, made)
    described = {"case": name, "law": law.name, "held_out": split.test.n, **describe(law, fitted)}
    return rows, described, made


def run_case(
    name: str,
    case: Hindcast,
    params: Params,
    connection: Database,
    registry: Path,
    cache: Path | None = None,
    by_release: bool = False,
    released_after_day: date | None = None,
) -> tuple[pl.DataFrame, list[dict[str, Any]]]:
    """Answer one case: every law on every target, and the baselines once a target, on the rows of the first law that has it.

    With `by_release` values count from the release of their model, whenever they were measured (mode `released` of
    evaluation/rolling_origin.py). `released_after_day` takes other targets than the models released after the case's `as_of`: those
    released after it whose outcome was not known on `as_of`; a model that is forecast trains in none of its systems.

    Returns the forecasts beside their outcomes, and a description of every fit behind them.
    """
    if by_release:
        whole, published = (
            database.as_of(connection, rolling_origin.ALWAYS),
            database.resolutions(connection, rolling_origin.ALWAYS),
        )
        known, later = released_by(whole, case.as_of), released_by(whole, case.until)
    else:
        known, later = database.as_of(connection, case.as_of), database.as_of(connection, case.until)
        published = database.resolutions(connection, case.until)
    since = released_after_day or case.as_of
    if by_release:  # a model's values are known from its release on, so that none before `as_of` is left to forecast
        since = max(since, case.as_of)
    by_date = case.split == "released" and since >= case.as_of
    if case.split == "listed":
        wanted = frozenset(adopted.load(registry / "adopted" / case.listed).models)
    else:
        wanted = released_after(later, since)
    resolved: dict[str, View] = {}
    asked: list[_Asked] = []
    for law_name in case.laws:
        settings = {**params.laws[law_name], **case.settings}
        law = laws.load(law_name, settings)
        if law.systems not in resolved:
            resolved[law.systems] = published.of(law.systems)
        # What is forecast is not cut: the case's settings choose training rows only.
        after = {table.target.target_id: table for table in laws.load(law_name, params.laws[law_name]).tables(later)}
        for table in law.tables(known):
            if case.split == "larger":
                split = split_of_scale(law, table, case)
            elif table.target.target_id not in after:  # its series are not known yet: nothing comes of it
                continue
            else:
                outcomes = first_published(after[table.target.target_id], resolved[law.systems])
                # What a curve has learned from is no forecast: an outcome known on the day is not asked for.
                told = frozenset() if by_date or case.split == "listed" else told_of(known, law.systems, table.target)
                ahead = frozenset(name for name in outcomes.subjects if model_of(name) in wanted and name not in told)
                split = split_by_release(table, outcomes, ahead)
            if split.test.n:
                # A model of the paper's own list may have been out before the day; the date rule is for targets chosen by date.
                public = [day or date.max for day in split.train.released_on] if by_release else None
                check(split, case.as_of, by_date, public)
                asked.append(_Asked(FitRequest(law, split.train, settings), split))
    teaching = [
        request
        for law_name in case.laws
        for request in teachers(law_name, case, params.laws[law_name], known, [one.split for one in asked])
    ]
    questions = [*(one.question for one in asked), *teaching]
    found = recalibrated_fits(questions, params.seed, params.replicates, cache)[: len(asked)]
    frames: list[pl.DataFrame] = []
    fits: list[dict[str, Any]] = []
    members: dict[str, list[tuple[Forecast, Backtest]]] = {}
    splits: dict[str, Split] = {}
    informed: set[str] = set()
    simple: list[tuple[Split, baselines.Question]] = []
    for one, recalibrated in zip(asked, found, strict=True):
        split, target_id = one.split, one.split.train.target.target_id
        rows, described, made = _answer(name, case, one, recalibrated, params.seed)
        frames.append(rows)
        fits.append(described)
        first = target_id not in splits
        # Only forecasts of the same subjects can be averaged row by row.
        if splits.setdefault(target_id, split).test.subjects == split.test.subjects and made and recalibrated.backtest:
            members.setdefault(target_id, []).append((made, recalibrated.backtest))
        chosen: dict[str, baselines.Baseline] = {}
        if first:
            chosen |= baselines.FOR_SIZES if case.split == "larger" else baselines.FOR_RELEASES
        if case.split != "larger" and methods.told(one.question.law.name) == SCORES and target_id not in informed:
            informed.add(target_id)  # told what this law is told
            chosen |= score_baselines.FOR_SCORES
        if split.train.n >= 2 and chosen:
            # Runs of one series err on the scale of that series; shares of several benchmarks may share a record.
            group = None if case.split == "larger" else name
            simple.append((split, baselines.Question(split.train, split.test, chosen, group)))
    for (split, _), found_for in zip(simple, baselines.forecasts([one for _, one in simple], lineage(connection)), strict=True):
        for label, forecast in found_for.items():
            frames.append(_rows(name, case, split, label, "baseline", "converged", forecast))
    for target_id, several in sorted(members.items()):
        split = splits[target_id]
        for label, forecast in ensembles(several, split.test.target).items():
            frames.append(_rows(name, case, split, label, "law", "converged", forecast))
    forecasts = pl.concat(frames) if frames else pl.DataFrame(schema=SCHEMA)
    return floored(forecasts, items_of(connection)), fits
