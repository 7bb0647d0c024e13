"""Rolling origins: on the first of each month every law is refitted to what was there, and asked for the months that follow.

What "was there" has two meanings, and no number mixes them. In mode `known` a value counts from the day it was public (two
times: the record as of the origin), so nothing in the forecast could not have been known; few boards kept their history, so
every month of it is taken. In mode `released` a model's values count from its release: the values themselves were often measured
later, revised later, and chosen for measuring by people who knew more. It is a hindcast with hindsight, and says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from foresaid import parallel
from foresaid.arrays import Array
from foresaid.evaluation.modes import KNOWN, RELEASED, TITLES
from foresaid.evaluation.rolling_rows import PER_ROW, SCHEMA, Answer, tabled
from foresaid.fitting.data import Target, TrainingTable
from foresaid.fitting.frozen_curve import Curve, applied_curve
from foresaid.fitting.law import Law
from foresaid.forecasting import baselines, methods, score_baselines
from foresaid.forecasting.board import lineage
from foresaid.forecasting.method import SCORES
from foresaid.forecasting.predict import predict
from foresaid.forecasting.recalibration import FitRequest, recalibrated_fits
from foresaid.forecasting.splits import Split, check, first_published, split_by_release
from foresaid.laws import _loader as laws
from foresaid.params import Params, Rolling
from foresaid.registry import database
from foresaid.registry.database import Database
from foresaid.registry.view import View

MODES = (KNOWN, RELEASED)
SCORE_KINDS = ("benchmark", "index")  # kinds of quantity of which the record has hundreds
LEAST = 5  # training rows: below, neither law nor baseline is asked
ALWAYS = date(9999, 12, 31)


def later(day: date, months: int) -> date:
    """The first of a month so many months after another.

    >>> later(date(2024, 11, 1), 3).isoformat()
    '2025-02-01'
    """
    count = day.year * 12 + day.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)


def origins(grid: Rolling, mode: str, full: bool) -> list[date]:
    """Every origin of the grid: each month where what was known on the day is asked for, or `full`; else each `every`-th month.

    Few boards kept what they said, so a month with something to fit is a rare thing; release dates there are for every month.
    """
    made, step = [], 1 if full or mode == KNOWN else grid.every
    day = grid.first
    while day <= grid.last:
        made.append(day)
        day = later(day, step)
    return made


@dataclass(frozen=True)
class DatedRecord:
    """What one mode may look at: all of the record that can become public, and when each outcome did."""

    mode: str
    whole: View
    published: View

    def of(self, which: str) -> DatedRecord:
        """The same for the systems a law takes."""
        return replace(self, whole=self.whole.of(which), published=self.published.of(which))

    def public_on(self, target: Target) -> dict[str, date | None]:
        """The day from which each subject's outcome may be learned from."""
        rows = self.published.under(target.quantity_id, target.protocol)
        column = "known_on" if self.mode == KNOWN else "released_on"
        return dict(rows.select("subject_id", column).iter_rows())

    def latest(self, target: Target) -> dict[str, float]:
        """The value of each subject as it stands now, after whatever was revised."""
        rows = self.whole.under(target.quantity_id, target.protocol)
        return dict(rows.select("subject_id", "value").iter_rows())


def record(connection: Database, mode: str, until: date = ALWAYS) -> DatedRecord:
    """Read what a mode may look at, up to a day: models only."""

    def models(view: View) -> View:
        return replace(view, observations=view.observations.filter(pl.col("kind") == "model"))

    return DatedRecord(mode, models(database.as_of(connection, until)), models(database.resolutions(connection, until)))


def split_at(found: DatedRecord, known: TrainingTable | None, outcomes: TrainingTable, origin: date, until: date) -> Split | None:
    """Split one target at an origin: train on what was there, forecast models released after it and up to `until`.

    `outcomes` holds every row with its first published value, `known` (in mode `known`) the record as of the origin. In mode
    `released` the rows of `outcomes` are all there is, and those of models without a date belong to no day.
    """
    dated = np.array([day is not None for day in outcomes.released_on], dtype=bool)
    days = np.array([day or date.min for day in outcomes.released_on])
    # In mode `released` this is the rule on release dates once more; in mode `known` a score printed before the release is known.
    public = found.public_on(outcomes.target)
    hidden = np.array([(public[name] or date.min) > origin for name in outcomes.subjects], dtype=bool)
    ahead = hidden & (days > origin) & (days <= until)
    wanted = frozenset(name for name, one in zip(outcomes.subjects, ahead, strict=True) if one)
    if found.mode == RELEASED:
        known = outcomes.where(dated & (days <= origin))
    if known is None:
        return None
    before = np.array([day is None or day <= origin for day in known.released_on], dtype=bool)
    split = split_by_release(known.where(before), outcomes, wanted)
    if split.train.n < LEAST or not split.test.n:
        return None
    released = [day for day in split.train.released_on if day is not None]
    check(split, origin, by_date=True, public_on=released if found.mode == RELEASED else None)
    return split


@dataclass(frozen=True)
class Asked:
    """One law on one target at one origin."""

    origin: date
    question: FitRequest
    split: Split


def asked(
    found: DatedRecord, connection: Database, params: Params, names: Sequence[str], days: Sequence[date], months: int
) -> Iterator[Asked]:
    """Put every question of a mode: origins in time, laws in the order given, targets by name."""
    made = {name: laws.load(name, params.laws[name]) for name in names}
    under = set(params.rolling.protocols if params.rolling else ())
    outcomes = {
        name: {
            table.target.target_id: table
            for table in law.tables(found.whole)
            if law.asked(table.target) or (table.target.quantity_id, table.target.protocol) in under
        }
        for name, law in made.items()
    }
    views = {which: found.of(which) for which in sorted({law.systems for law in made.values()})}
    mine = {name: views[law.systems] for name, law in made.items()}
    outcomes = {
        name: {key: first_published(table, mine[name].published) for key, table in tables.items()}
        for name, tables in outcomes.items()
    }
    public = {
        (name, key): found_for.public_on(table.target) for name, found_for in mine.items() for key, table in outcomes[name].items()
    }
    for origin in parallel.counted(days, f"origins, {TITLES[found.mode]}", len(days)):
        # Reading the record as of a day is most of the work, and few days have something to learn and something to ask.
        if not any(
            sum((day or date.max) <= origin for day in public[name, key].values()) >= LEAST
            and any(on is not None and origin < on <= later(origin, months) for on in table.released_on)
            for name, tables in outcomes.items()
            for key, table in tables.items()
        ):
            continue
        known: dict[str, dict[str, TrainingTable]] = {}
        if found.mode == KNOWN:
            view = only(database.as_of(connection, origin), [table for tables in outcomes.values() for table in tables.values()])
            known = {name: {table.target.target_id: table for table in law.tables(view)} for name, law in made.items()}
        for name, law in made.items():
            for key, table in outcomes[name].items():
                split = split_at(mine[name], known.get(name, {}).get(key), table, origin, later(origin, months))
                if split is not None:
                    yield Asked(origin, FitRequest(law, split.train, params.laws[name], origin.isoformat()), split)


def only(view: View, tables: Sequence[TrainingTable]) -> View:
    """Leave out the scores that no table forecasts or looks at: a law that speaks of every board need not build them all again."""
    wanted = {table.target.quantity_id for table in tables}
    wanted |= {covariate.quantity_id for table in tables for covariate in table.target.covariates}
    wanted |= {name for name, card in view.quantities.items() if card.kind not in SCORE_KINDS}
    return replace(view, observations=view.observations.filter(pl.col("quantity_id").is_in(sorted(wanted))))


def beyond(law: Law, curve: Curve, split: Split) -> Array:
    """How far (n,) each target lies beyond the last training row on the law's own axis, in standard deviations; 0 within."""
    fitted, ahead = (law.axis(curve.point, curve.prepare(table.x)) for table in (split.train, split.test))
    spread = float(np.nanstd(fitted))
    if not spread > 0.0:
        return np.full(split.test.n, np.nan)
    return np.asarray(np.maximum(ahead - np.nanmax(fitted), 0.0) / spread)


def _questions(one: Asked, found: DatedRecord, horizons: Sequence[int]) -> pl.DataFrame:
    """What a table says of the rows that are forecast, whoever forecasts them."""
    test, target = one.split.test, one.split.test.target
    public, latest = found.public_on(target), found.latest(target)
    ends = [(months, later(one.origin, months)) for months in horizons]
    quantity = found.whole.quantity(target.quantity_id)
    return pl.DataFrame(
        {
            "subject_id": test.subjects,
            "cluster": test.clusters,
            "released_on": test.released_on,
            "public_on": [public[name] for name in test.subjects],
            "horizon": [next(months for months, end in ends if day is not None and day <= end) for day in test.released_on],
            "observed": target.offset + target.span * test.y,
            "latest": [latest.get(name) for name in test.subjects],
        },
        schema={name: SCHEMA[name] for name in PER_ROW},
    ).select(
        *PER_ROW,
        mode=pl.lit(found.mode),
        origin=pl.lit(one.origin),
        board=pl.lit(quantity.resolver),
        # Shares of which less is better have no mean with the others.
        unit=pl.lit(f"{quantity.unit}, lower is better" if target.lower_is_better else quantity.unit),
        target_id=pl.lit(target.target_id),
        quantity_id=pl.lit(target.quantity_id),
        trained_on=pl.lit(one.split.train.n, pl.Int64),
        lower=pl.lit(target.lower, pl.Float64),
        upper=pl.lit(target.upper, pl.Float64),
    )


def forecasts(
    params: Params,
    connection: Database,
    mode: str,
    days: Sequence[date],
    replicates: int,
    cache: Path | None = None,
) -> pl.DataFrame:
    """Forecast at every origin with every law and baseline; one row a forecast, those without a forecast without a point.

    Baselines that know no score of a model are asked once a target and origin, on the rows of the first law that has it; those that
    do on the rows of the first law that is told scores, so that they are told the same.
    """
    grid = params.rolling
    if grid is None:
        return pl.DataFrame(schema=SCHEMA)
    found = record(connection, mode)
    every = list(asked(found, connection, params, grid.laws, days, grid.horizons[-1]))
    answers = recalibrated_fits([one.question for one in every], params.seed, replicates, cache)
    views = {which: found.of(which) for which in sorted({one.question.law.systems for one in every})}
    seen = set()
    simple: list[baselines.Question] = []
    said: list[Answer] = []
    asked_of = parallel.counted(zip(every, answers, strict=True), f"forecasts, {TITLES[mode]}", len(every))
    for i, (one, recalibrated) in enumerate(asked_of):
        law, fitted, target = one.question.law, recalibrated.fit, one.split.train.target
        made, far = None, None
        if fitted.point.size:
            curve = applied_curve(law, fitted, one.origin, params.seed)
            made, far = predict(law, curve, one.split.test.x), beyond(law, curve, one.split)
        said.append(Answer(i, law.name, "law", fitted.status, made, far))
        chosen: dict[str, baselines.Baseline] = {}
        for told, more in ((False, baselines.FOR_RELEASES), (True, score_baselines.FOR_SCORES)):
            key = (one.origin, target.target_id, told)
            if key not in seen and (not told or methods.told(law.name) == SCORES):
                seen.add(key)
                chosen |= more
        # Errors are pooled within one origin and board: what is known on another day is another record.
        simple.append(baselines.Question(one.split.train, one.split.test, chosen, f"{one.origin} {target.resolver}"))
    for i, answered in enumerate(baselines.forecasts(simple, lineage(connection))):
        said += [Answer(i, label, "baseline", "converged", forecast) for label, forecast in answered.items()]
    whole = tabled([_questions(one, views[one.question.law.systems], grid.horizons) for one in every], said)
    return whole.sort("mode", "origin", "law", "target_id", "subject_id")
