"""How wrong a law has been about rows it had not seen, turned into the width of its intervals.

A bootstrap says what the rows leave open if the law is right; it knows nothing of the law being wrong beyond them. So each
fit is first backtested on its own rows: it is fitted to those that came earlier (smaller, older) and asked for the rest. Where
several independent series of a law have a backtest, they teach each other a discrepancy that grows with distance (see
discrepancy.py); where not, the factor on the width of a fit's intervals that would have served best is kept, shrunk towards one
where it rests on few rows. Either is learned from training rows only, frozen with the curve, and shown on the page of the law.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from foresaid import parallel
from foresaid.arrays import Array
from foresaid.fitting.cache import Shard, fit_all
from foresaid.fitting.data import Target, TrainingTable
from foresaid.fitting.discrepancy import Discrepancy, discrepancy_intervals, halves, on_noise_scale
from foresaid.fitting.fit import NO_FORECAST, Fit
from foresaid.fitting.frozen_curve import applied_curve
from foresaid.fitting.law import Law
from foresaid.forecasting.combine import average, learn_width, median, shrunk, stack
from foresaid.forecasting.discrepancy import SeriesBacktest, learn
from foresaid.forecasting.predict import Forecast, predict, rescale
from foresaid.scoring.levels import LEVELS

SHARES = (0.2, 0.3, 0.4)  # of the rows furthest along, held out in turn
REPLICATES = 50  # the width of a band needs fewer draws than its ends
UNDATED = date(1, 1, 1)


@dataclass(frozen=True)
class Backtest:
    """Forecasts of held-out training rows: quantiles (n, 23) and outcomes (n,) in the quantity's unit, and their clusters.

    `rows` names each by its share and subject, so that the backtests of two laws on one table can be compared row by row.
    """

    quantiles: Array
    outcomes: Array
    clusters: tuple[str, ...]
    rows: tuple[str, ...]
    distances: Array  # (n,): how far beyond the last row each was forecast from


def held_out(law: Law, table: TrainingTable, share: float) -> tuple[TrainingTable, TrainingTable] | None:
    """Split off the rows furthest along, as the law counts it, at least one; None where all rows are at one place."""
    along = law.along(table)
    order = np.argsort(along, kind="stable")
    edge = along[order[table.n - max(1, int(share * table.n))]]
    later = along >= edge
    return None if later.all() else (table.where(~later), table.where(later))


@dataclass(frozen=True)
class FitRequest:
    """One law to be fitted to one table, with the entry of params.yaml it is frozen with.

    Requests of one law, of one version and `known` together teach each other; `known` names the state of knowledge, such as an
    origin, where requests of several are made at once: what a later one knows must not teach an earlier one.
    """

    law: Law
    table: TrainingTable
    settings: dict[str, Any]
    known: str = ""


@dataclass(frozen=True)
class RecalibratedFit:
    """A fit with the width of its intervals learned, and the backtest it was learned from."""

    fit: Fit
    backtest: Backtest | None


def _score(question: FitRequest, parts: Sequence[tuple[float, TrainingTable, Fit]], seed: int) -> Backtest:
    """Forecast what each fit to earlier rows was asked for."""
    quantiles, outcomes = [np.empty((0, len(LEVELS)))], [np.empty(0)]
    clusters: list[str] = []
    rows: list[str] = []
    distances = [np.empty(0)]
    target = question.table.target
    for share, rest, found in parts:
        if found.status in NO_FORECAST:
            continue
        made = predict(question.law, applied_curve(question.law, found, UNDATED, seed), rest.x)
        known = ~np.isnan(made.point)
        quantiles.append(made.quantiles[known])
        outcomes.append((target.offset + target.span * rest.y)[known])
        distances.append((question.law.along(rest) - question.law.along(found.table).max())[known])
        clusters += [name for name, keep in zip(rest.clusters, known, strict=True) if keep]
        rows += [f"{share}/{name}" for name, keep in zip(rest.subjects, known, strict=True) if keep]
    return Backtest(np.vstack(quantiles), np.concatenate(outcomes), tuple(clusters), tuple(rows), np.concatenate(distances))


def recalibrated_fits(questions: Sequence[FitRequest], seed: int, replicates: int, cache: Path | None) -> list[RecalibratedFit]:
    """Fit every law to its table and set its intervals by what its kind missed on earlier rows.

    All fits, of whole tables and of earlier rows, go through one call (see fitting/cache.py), so they share the workers and the
    cache. Where no backtest could be made (too few rows, one place) the width stays as the bootstrap gives it.
    """
    answers = backtested_fits(questions, seed, replicates, cache)
    taught = taught_by_each_other([one.question for one in answers], [one.backtest for one in answers])
    alone: dict[int, RecalibratedFit] = {}  # by the fit: see `backtested_fits`
    made = []
    for one, found in zip(answers, taught, strict=True):
        if found is not None:
            made.append(with_discrepancy(one, found))
        else:
            if id(one.fit) not in alone:
                alone[id(one.fit)] = one_factor(one)
            made.append(alone[id(one.fit)])
    return made


@dataclass(frozen=True)
class BacktestedFit:
    """A fit as the bootstrap leaves it, its request with the rows in order, and what the law forecast of them from earlier ones."""

    question: FitRequest
    fit: Fit
    backtest: Backtest | None


def backtested_fits(questions: Sequence[FitRequest], seed: int, replicates: int, cache: Path | None) -> list[BacktestedFit]:
    """Fit every law to its table and to earlier rows of it, and forecast the rest from those; no width is set yet."""
    ordered = [replace(one, table=one.table.take(np.argsort(np.array(one.table.subjects), kind="stable"))) for one in questions]
    shards = [Shard(one.law, one.table, seed, replicates) for one in ordered]
    asked: list[tuple[int, float, TrainingTable]] = []
    for i, one in enumerate(ordered):
        for share in SHARES if one.law.backtests and one.table.n > 1 else ():
            parts = held_out(one.law, one.table, share)
            if parts is not None:
                asked.append((i, share, parts[1]))
                shards.append(Shard(one.law, parts[0], seed, REPLICATES))
    found = fit_all(shards, cache)
    earlier: dict[int, list[tuple[float, TrainingTable, Fit]]] = {}
    for (i, share, rest), fitted in zip(asked, found[len(ordered) :], strict=True):
        earlier.setdefault(i, []).append((share, rest, fitted))
    made = []
    # Where nothing changed between two origins the fit is one and the same (fitting/cache.py), and so is its backtest.
    scored: dict[int, Backtest | None] = {}
    for i, one in parallel.counted(enumerate(ordered), "backtests", len(ordered)):
        place = id(found[i])
        if place not in scored:
            no_forecast = found[i].status in NO_FORECAST or i not in earlier
            backtest = None if no_forecast else _score(one, earlier[i], seed)
            scored[place] = backtest if backtest is not None and len(backtest.outcomes) else None
        made.append(BacktestedFit(one, found[i], scored[place]))
    return made


def series_backtest(question: FitRequest, backtest: Backtest) -> SeriesBacktest:
    """Bring the backtest of one series to the noise scale of its law, on which series can be compared."""
    law, target = question.law, question.table.target
    middle, half = halves(backtest.quantiles, law.noise, target.offset, target.span)
    outcome = on_noise_scale(backtest.outcomes, law.noise, target.offset, target.span)
    return SeriesBacktest(
        target.target_id, target.quantity_id, frozenset(question.table.subjects), half, outcome - middle, backtest.distances
    )


def taught_by_each_other(questions: Sequence[FitRequest], backtest: Sequence[Backtest | None]) -> list[Discrepancy | None]:
    """Learn the discrepancy of each request from all requests of its law and state of knowledge; None where too few teach it."""
    pools: dict[tuple[str, str], list[SeriesBacktest]] = {}
    for one, own in zip(questions, backtest, strict=True):
        if own is not None and len(own.outcomes) and one.law.place(one.table.x[:1], one.table.target.progress) is not None:
            pools.setdefault((one.law.name, one.known), []).append(series_backtest(one, own))
    learned: dict[tuple[str, str, str], Discrepancy | None] = {}
    taught: list[Discrepancy | None] = []
    for one in questions:
        target, pool = one.table.target, pools.get((one.law.name, one.known), [])
        place = one.law.place(one.table.x, target.progress)
        if place is None or not pool or not len(place):
            taught.append(None)
            continue
        key = (one.law.name, one.known, target.quantity_id)
        if key not in learned:
            learned[key] = learn(pool, target.quantity_id, 0.0, 1)
        found = learned[key]
        own_way = found is None or target.target_id in found.set_aside
        taught.append(None if found is None or own_way else replace(found, edge=float(place.max()), progress=target.progress))
    return taught


def with_discrepancy(answer: BacktestedFit, taught: Discrepancy) -> RecalibratedFit:
    """Give a fit its discrepancy; one without a backtest may be taught by the others.

    The backtest comes back as it would have been with what was learned, so that an ensemble learns its width beyond that.
    """
    question, found, backtest = answer.question, answer.fit, answer.backtest
    if found.status in NO_FORECAST:
        return RecalibratedFit(found, None)
    if backtest is None:
        return RecalibratedFit(replace(found, discrepancy=taught), None)
    target = question.table.target
    units = (target.offset, target.span, target.lower, target.upper)
    away = np.maximum(backtest.distances, 0.0)
    again = discrepancy_intervals(backtest.quantiles, np.array(LEVELS), away, taught, question.law.noise, units)
    known = replace(found, n_backtest_clusters=len(set(backtest.clusters)), discrepancy=taught)
    return RecalibratedFit(known, replace(backtest, quantiles=again))


def one_factor(answer: BacktestedFit) -> RecalibratedFit:
    """Give a fit the one factor on its width that nothing but its own rows teach."""
    found, backtest, target = answer.fit, answer.backtest, answer.question.table.target
    if found.status in NO_FORECAST or backtest is None:
        return RecalibratedFit(found, None)
    n = len(backtest.outcomes)
    bounds = (np.full(n, target.lower), np.full(n, target.upper))
    width = learn_width(backtest.quantiles, LEVELS, backtest.outcomes, np.ones(n), bounds, len(set(backtest.clusters)))
    # What the rows do not identify was never put to the test on them: such intervals may become wider, not narrower.
    scale = max(width.scale, 1.0) if found.status == "unidentified" else width.scale
    return RecalibratedFit(replace(found, interval_recalibration=scale, n_backtest_clusters=width.releases), backtest)


def ensembles(members: Sequence[tuple[Forecast, Backtest]], target: Target) -> dict[str, Forecast]:
    """Combine laws of one target in two ways: `ensemble_median`, level by level, and `ensemble_stacked`, with learned weights.

    Only rows that are in every member's backtest count. The weights (stacked pinball loss) are shrunk towards equal ones, and
    each ensemble's width towards one, by the number of clusters in them; nothing is learned from the rows to be forecast.
    Nothing is made where fewer than two members have backtest rows in common.
    """
    common = sorted(set.intersection(*(set(backtest.rows) for _, backtest in members))) if len(members) > 1 else []
    if not common:
        return {}
    place = [{name: i for i, name in enumerate(backtest.rows)} for _, backtest in members]
    past = np.stack([backtest.quantiles[[at[name] for name in common]] for (_, backtest), at in zip(members, place, strict=True)])
    first, at = members[0][1], place[0]
    outcomes = first.outcomes[[at[name] for name in common]]
    releases = len({first.clusters[at[name]] for name in common})
    weights = shrunk(stack(past, LEVELS, outcomes, np.ones(len(common))), releases)
    ahead = np.stack([made.quantiles for made, _ in members])
    centres = np.stack([np.column_stack([made.mean, made.point]) for made, _ in members])
    ways: dict[str, Callable[[Array], Array]] = {
        "ensemble_median": median,
        "ensemble_stacked": lambda quantiles: average(quantiles, weights),
    }
    return {name: _with_width(way, past, outcomes, releases, ahead, centres, target) for name, way in ways.items()}


def _with_width(
    way: Callable[[Array], Array], past: Array, outcomes: Array, releases: int, ahead: Array, centres: Array, target: Target
) -> Forecast:
    """Combine in one way, learn the width from the combined past, and apply both to what lies ahead."""
    n, m = len(outcomes), ahead.shape[1]
    bounds = (np.full(n, target.lower), np.full(n, target.upper))
    width = learn_width(way(past), LEVELS, outcomes, np.ones(n), bounds, releases)
    ends = (np.full(m, target.lower), np.full(m, target.upper))
    middle = way(centres)
    return Forecast(rescale(way(ahead), width.scale, *ends), middle[:, 0], middle[:, 1])
