"""The three laws of a score against loss, put to one question: fitted above a loss, what do they say below it?

A threshold is worth its name only if the law that has one forecasts better than the smooth law that has none. Beside the
contest: the interval of the threshold by its profile, and the same questions asked in other ways, since a jump of one metric need
not be one of another. The command is `foresaid contest`.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from foresaid.errors import ParameterError
from foresaid.fitting.data import TrainingTable
from foresaid.fitting.fit import NO_FORECAST, Profile
from foresaid.fitting.frozen_curve import freeze_curve
from foresaid.fitting.law import Law
from foresaid.forecasting.predict import locations, predict
from foresaid.forecasting.recalibration import FitRequest, recalibrated_fits
from foresaid.laws import _loader as laws
from foresaid.registry.view import View
from foresaid.scoring.levels import LEVELS
from foresaid.scoring.rules import bias, covered, log_score_of_mixture, weighted_interval_score

LAWS = ("loss_threshold", "loss_hinge", "loss_logistic")
CHI_SQUARE_95 = 3.841458820694124  # one degree of freedom
DAY = date(1, 1, 1)


@dataclass(frozen=True)
class MethodScore:
    """One law on the rows below the loss: mean absolute error, mean error (forecast minus outcome), scores and 80 % coverage.

    `bias` is as in scoring/rules.py, positive when the forecast lies above the outcome, -1 to 1; the log score is minus the log
    density, before interval recalibration (lower is better). All are NaN where the law made no forecast.
    """

    law: str
    status: str
    trained: int
    tested: int
    mae: float
    error: float
    wis: float
    bias: float
    log_score: float
    coverage: float
    interval_recalibration: float


def contest(tables: Sequence[tuple[Law, TrainingTable]], loss: float, seed: int, replicates: int) -> list[MethodScore]:
    """Fit each law to the rows of its table with a loss above `loss` (nats), and score it on the others.

    Neighbouring checkpoints of one run are not independent: the numbers compare laws on one run and say nothing of another.
    Raises ParameterError when a side is empty.
    """
    questions, rest = [], []
    for law, table in tables:
        later = table.x[:, 0] <= loss
        if later.all() or not later.any():
            raise ParameterError(f"contest: found all losses of {table.target.target_id} on one side of {loss:g}, expected both")
        questions.append(FitRequest(law, table.where(~later), {}))
        rest.append(table.where(later))
    made = []
    for question, recalibrated, test in zip(questions, recalibrated_fits(questions, seed, replicates, None), rest, strict=True):
        fitted, target = recalibrated.fit, test.target
        head = (question.law.name, fitted.status, question.table.n, test.n)
        if fitted.status in NO_FORECAST:
            made.append(MethodScore(*head, *[float("nan")] * 7))
            continue
        curve = freeze_curve(question.law, fitted, {}, DAY, seed)
        forecast = predict(question.law, curve, test.x)
        outcome = target.offset + target.span * test.y
        location = target.offset + target.span * locations(question.law, curve, test.x)
        density = log_score_of_mixture(location, target.span * fitted.residual_scale, outcome, target.lower, target.upper)
        made.append(
            MethodScore(
                *head,
                float(np.abs(forecast.point - outcome).mean()),
                float((forecast.point - outcome).mean()),
                float(weighted_interval_score(forecast.quantiles, LEVELS, outcome).wis.mean()),
                float(bias(forecast.quantiles, LEVELS, outcome).mean()),
                float(density.mean()),
                float(covered(forecast.quantiles, LEVELS, outcome, 0.8).mean()),
                fitted.interval_recalibration,
            )
        )
    return made


def of_laws(view: View, settings: Mapping[str, Mapping[str, Any]]) -> list[tuple[Law, TrainingTable]]:
    """Return each law of score against loss with all its tables; `settings` is the `laws` part of params.yaml."""
    made = [laws.load(name, dict(settings[name])) for name in LAWS]
    return [(law, table) for law in made for table in law.tables(view)]


def of_record(view: View, settings: Mapping[str, Mapping[str, Any]], quantity_id: str) -> list[tuple[Law, TrainingTable]]:
    """Return each law of score against loss with its table of one quantity."""
    return [(law, table) for law, table in of_laws(view, settings) if table.target.quantity_id == quantity_id]


def profile_interval(profile: Profile, independent: int) -> tuple[float, float]:
    """Return the 95 % interval of the profiled parameter: where n ln(rms^2 / least rms^2) stays below 3.84.

    `independent` is n: for checkpoints of one run the number of blocks, since neighbours share their noise; with the number of rows
    the interval would claim an independence that is not there.

    >>> one = Profile("t", np.array([1.0, 2.0, 3.0, 4.0]), np.array([2.0, 1.05, 1.0, 1.9]), np.zeros(4), np.ones(4))
    >>> profile_interval(one, 10)
    (2.0, 3.0)
    """
    inside = profile.values[2.0 * independent * np.log(profile.rms / profile.rms.min()) <= CHI_SQUARE_95]
    return float(inside.min()), float(inside.max())


def side_by_side(view: View, run: str, loss: str, quantities: Sequence[str], edges: Sequence[float]) -> pl.DataFrame:
    """Return the mean of several metrics of one run between losses `edges`, descending."""
    columns = [loss, *quantities]
    wide = view.wide(columns, ("olmo-ladder",)).filter(pl.col("run") == run).drop_nulls(columns)
    rows = []
    for high, low in itertools.pairwise(edges):
        inside = wide.filter((pl.col(loss) <= high) & (pl.col(loss) > low))
        means = {name: inside[name].mean() for name in quantities}
        rows.append({"loss_from": high, "loss_to": low, "checkpoints": inside.height, **means})
    return pl.DataFrame(rows)
