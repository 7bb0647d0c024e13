"""The capability law asked as a hindcast case asks the others: fitted on one day's record, scored on later releases.

It is no law of one target at a time, so it has no training table; what it shares with the others is what counts: the rows of the
answer, the first value its resolver published as the outcome, the rule that a value known on the day is not asked for, the rule
that a model that is forecast trains in none of its systems, and the guard. Two methods answer: `capability` is told the scores of
the release on all other boards, as they stood on the last day, `capability_unconditional` none of them.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from foresaid.arrays import Array
from foresaid.evaluation.schema import SCHEMA
from foresaid.fitting.data import Covariate, Target, TrainingTable
from foresaid.forecasting import baselines, leakage, score_baselines
from foresaid.laws._capability_forecast import forecast_release
from foresaid.laws._capability_model import Model, fit
from foresaid.laws._capability_record import Choices, enough, every_cell
from foresaid.laws._capability_rows import Benchmarks, cells, checked
from foresaid.params import Hindcast
from foresaid.registry import database
from foresaid.registry.database import Database
from foresaid.scoring.levels import LEVELS

METHODS = {"capability": "conditional", "capability_unconditional": "unconditional"}
KEY = ["system_id", "benchmark"]


def run(name: str, case: Hindcast, choices: Choices, connection: Database, released_after: date) -> pl.DataFrame:
    """Forecasts of both methods and of the baselines beside their outcomes, in the columns of every hindcast.

    Asked is every share that became known after the case's `as_of` and by its `until`, of a model released after `released_after`,
    on a board that had `minimum_cells` cells on the first day. No row where there is none. RecordError as of `fit`.
    """
    known = every_cell(database.systems_as_of(connection, case.as_of), choices)
    later = every_cell(database.systems_resolved(connection, case.until), choices)
    later = later.filter(pl.col("released_on") > released_after)
    train = enough(known.join(later.select("model_id").unique(), on="model_id", how="anti"), choices.minimum_cells)
    boards = train["benchmark"].unique().to_list()
    later = later.filter(pl.col("benchmark").is_in(boards)).sort(KEY)
    asked = later.join(known.select(KEY), on=KEY, how="anti").sort(KEY)
    if asked.is_empty():
        return pl.DataFrame(schema=SCHEMA)
    _guard(train, asked, case.as_of)
    model = fit(cells(checked(train)))
    families = dict(database.models(connection).select("model_id", "family").iter_rows())
    frames = [_rows(name, case, asked, families, method, "law", *made) for method, made in _forecasts(model, later, asked, choices)]
    for board in asked["benchmark"].unique().sort():
        rows = asked.filter(pl.col("benchmark") == board)
        seen, ahead = (_table(train, train, board, families), _table(later, rows, board, families, train))
        for label, baseline in {**baselines.FOR_RELEASES, **score_baselines.FOR_SCORES}.items():
            made = baselines.forecast(baseline, seen, ahead)
            frames.append(_rows(name, case, rows, families, label, "baseline", made.point, made.mean, made.quantiles))
    return pl.concat(frames)


def _guard(train: pl.DataFrame, asked: pl.DataFrame, as_of: date) -> None:
    """Let the leak guard look at the rows, as for every other law."""
    rows = [
        leakage.TrainingRow(subject, board, "", known, released)
        for subject, board, known, released in train.select("system_id", "benchmark", "known_on", "released_on").iter_rows()
    ]
    leakage.check_training(rows, as_of, as_of, [leakage.GuardedTarget(name) for name in asked["system_id"].unique()])


def _forecasts(
    model: Model, later: pl.DataFrame, asked: pl.DataFrame, choices: Choices
) -> list[tuple[str, tuple[Array, Array, Array]]]:
    """Point, mean and quantiles of each asked cell by each method, in the order of `asked`."""
    known: Benchmarks = model.cells.benchmarks
    made: dict[str, list[pl.DataFrame]] = {method: [] for method in METHODS}
    for release in asked["release"].unique().sort():
        every = later.filter(pl.col("release") == release).sort(KEY)
        coded = cells(every, known)
        answers = forecast_release(model, coded)
        for method, told in METHODS.items():
            levels = answers[told].quantiles(known, coded.q, LEVELS, choices.factor)
            made[method].append(every.select(KEY).with_columns(pl.Series("quantiles", levels.tolist())))
    found = []
    for method, parts in made.items():
        rows = asked.select(KEY).join(pl.concat(parts), on=KEY, how="left", maintain_order="left")
        levels = np.array(rows["quantiles"].to_list(), dtype=float)
        # The mean of a share under a normal probit is not needed by any score here; the mean of the levels stands for it.
        found.append((method, (levels[:, len(LEVELS) // 2], levels.mean(axis=1), levels)))
    return found


def _table(
    told: pl.DataFrame, rows: pl.DataFrame, board: str, families: dict[str, str], columns: pl.DataFrame | None = None
) -> TrainingTable:
    """The cells of a board as a table of baselines: covariates are the system's scores on the other boards of `columns`."""
    mine = rows.filter(pl.col("benchmark") == board).sort("system_id")
    others = sorted(set((told if columns is None else columns)["benchmark"]) - {board})
    x = np.full((mine.height, len(others)), np.nan)
    for column, other in enumerate(others):
        values = told.filter(pl.col("benchmark") == other).select("system_id", pl.col("value").alias("told"))
        found = mine.join(values, on="system_id", how="left", maintain_order="left")["told"].to_numpy().astype(float)
        x[:, column] = Covariate(other, "logit").apply(found)
    target = Target(board, board, board, (), 0.0, 1.0, 0.0, 1.0, "")
    return TrainingTable(
        target,
        tuple(mine["system_id"]),
        tuple(families[name] for name in mine["model_id"]),
        tuple(mine["released_on"]),
        tuple(mine["known_on"]),
        x,
        mine["value"].to_numpy().astype(float),
    )


def _rows(
    name: str,
    case: Hindcast,
    asked: pl.DataFrame,
    families: dict[str, str],
    law: str,
    role: str,
    point: Array,
    mean: Array,
    levels: Array,
) -> pl.DataFrame:
    n = asked.height
    frame = pl.DataFrame(
        {
            **{key: [value] * n for key, value in (("case", name), ("split", case.split), ("law", law), ("role", role))},
            "target_id": asked["benchmark"],
            "quantity_id": asked["benchmark"],
            "series": [""] * n,
            "subject_id": asked["system_id"],
            "cluster": [families[model] for model in asked["model_id"]],
            "released_on": asked["released_on"],
            "as_of": [case.as_of] * n,
            "until": [case.until] * n,
            "observed": asked["value"],
            "status": ["converged"] * n,
            "distance": [None] * n,
            "point": point,
            "mean": mean,
            "quantiles": levels.tolist(),
        },
        schema=SCHEMA,
    )
    return frame.with_columns(pl.col("point", "mean").fill_nan(None))
