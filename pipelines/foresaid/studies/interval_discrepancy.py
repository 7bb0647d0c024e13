"""What a discrepancy learned across series is worth: hindcasts by scale with the one factor, with it, and with only the others'.

The cases of params.yaml that hold out the largest rows are fitted once; three rules then set the width of the same fits, all
learned from training rows alone: one factor a fit, the discrepancy of all series, and that of the other series only, which is what
a new series would be given. docs/results-intervals.md shows the table and says what it does and does not prove.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from foresaid.arrays import Array
from foresaid.evaluation.hindcast import split_of_scale, teachers
from foresaid.fitting.discrepancy import Discrepancy
from foresaid.fitting.fit import Fit
from foresaid.fitting.frozen_curve import freeze_curve
from foresaid.forecasting.discrepancy import independent, learn
from foresaid.forecasting.predict import predict
from foresaid.forecasting.recalibration import (
    UNDATED,
    BacktestedFit,
    FitRequest,
    backtested_fits,
    one_factor,
    series_backtest,
    taught_by_each_other,
    with_discrepancy,
)
from foresaid.forecasting.splits import Split
from foresaid.laws import _loader as laws
from foresaid.params import Params
from foresaid.registry import database
from foresaid.registry.database import Database
from foresaid.scoring.levels import LEVELS
from foresaid.scoring.rules import covered, weighted_interval_score

COVERAGES = (0.5, 0.8, 0.95)
RULES = ("one factor", "pooled", "other series only")


@dataclass(frozen=True)
class Compared:
    """One law on one case: series with a backtest, others that only teach, those set aside, and by rule mean WIS and shares held.

    `independent` counts the series of both kinds that share no run; a pair of law and case without a backtest has no plays.
    `better` counts series whose WIS is lower than with the one factor, by rule. None where a rule changes nothing: too few series.
    """

    case: str
    law: str
    series: int
    teachers: int
    independent: int
    forecasts: int
    set_aside: tuple[str, ...]
    wis: dict[str, float]
    held: dict[str, tuple[float, ...]]
    better: dict[str, int]


def _scored(found: Fit, request: FitRequest, split: Split, seed: int) -> tuple[Array, Array]:
    made = predict(request.law, freeze_curve(request.law, found, request.settings, UNDATED, seed), split.test.x)
    outcome = split.test.target.offset + split.test.target.span * split.test.y
    held = np.stack([covered(made.quantiles, LEVELS, outcome, share) for share in COVERAGES]).astype(float)
    return weighted_interval_score(made.quantiles, LEVELS, outcome).wis, held


def _others(answers: list[BacktestedFit]) -> list[Discrepancy | None]:
    """Learn the discrepancy of each series from all but itself."""
    pool = [series_backtest(one.question, one.backtest) for one in answers if one.backtest is not None]
    taught: list[Discrepancy | None] = []
    for one in answers:
        target = one.question.table.target
        place = one.question.law.place(one.question.table.x, target.progress)
        found = None if place is None else learn(pool, target.quantity_id, float(place.max()), target.progress, target.target_id)
        taught.append(found)
    return taught


def compare(case: str, law_name: str, params: Params, connection: Database, cache: Path | None) -> Compared | None:
    """Compare the three rules on one law of one case, or None where no series has forecast its own past."""
    chosen = params.hindcast[case]
    settings = {**params.laws[law_name], **chosen.settings}
    law = laws.load(law_name, settings)
    known = database.as_of(connection, chosen.as_of)
    splits = [split_of_scale(law, table, chosen) for table in law.tables(known)]
    splits = [split for split in splits if split.test.n]
    requests = [FitRequest(law, split.train, settings) for split in splits]
    requests += teachers(law_name, chosen, params.laws[law_name], known, splits)
    answers = backtested_fits(requests, params.seed, params.replicates, cache)
    tested = [(one, split) for one, split in zip(answers, splits, strict=False) if one.backtest is not None]
    if not tested:
        return None
    kept = [one for one, _ in tested]
    pooled = taught_by_each_other([one.question for one in answers], [one.backtest for one in answers])
    others = _others(answers)
    asked = answers[: len(splits)]
    taught: dict[str, list[Discrepancy | None]] = {
        "one factor": [None] * len(kept),
        "pooled": [found for found, one in zip(pooled, asked, strict=False) if one.backtest is not None],
        "other series only": [found for found, one in zip(others, asked, strict=False) if one.backtest is not None],
    }
    parts: dict[str, list[tuple[Array, Array]]] = {rule: [] for rule in RULES}
    for rule in RULES:
        for (one, split), found in zip(tested, taught[rule], strict=True):
            made = one_factor(one) if found is None else with_discrepancy(one, found)
            parts[rule].append(_scored(made.fit, one.question, split, params.seed))
    series = [series_backtest(one.question, one.backtest) for one in answers if one.backtest is not None]
    each = {rule: [float(wis.mean()) for wis, _ in parts[rule]] for rule in RULES}
    return Compared(
        case,
        law_name,
        len(kept),
        len(series) - len(kept),
        independent(series),
        sum(len(wis) for wis, _ in parts[RULES[0]]),
        next((found.set_aside for found in taught["pooled"] if found is not None), ()),
        {rule: float(np.mean(np.concatenate([wis for wis, _ in parts[rule]]))) for rule in RULES},
        {rule: tuple(np.hstack([held for _, held in parts[rule]]).mean(axis=1).tolist()) for rule in RULES},
        {rule: sum(now < then for now, then in zip(each[rule], each[RULES[0]], strict=True)) for rule in RULES[1:]},
    )


def study(params: Params, build: Path, cache: Path | None) -> Iterator[Compared]:
    """Compare the rules on every law of every case of params.yaml that holds out the largest rows."""
    connection = database.open_database(build / "database")
    for name, case in params.hindcast.items():
        for law_name in case.laws if case.split == "larger" else ():
            found = compare(name, law_name, params, connection, cache)
            if found is not None:
                yield found
    connection.close()
