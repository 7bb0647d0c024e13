"""How wrong a law has been about rows it had not seen, turned into the width of its intervals.

A bootstrap says what the rows leave open if the law is right; it knows nothing of the law being wrong beyond them. So each
fit first plays its own past: it is fitted to the rows that came earlier (smaller, older) and asked for the rest. Where several
independent series of a law have played, they teach each other a discrepancy that grows with distance (see discrepancy.py); where
not, the factor on the width of a fit's intervals that would have served best is kept, shrunk towards one where few rows were
played. Either is learned from training rows only, frozen with the curve, and shown on the page of the law.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from foresaid.arrays import Array
from foresaid.fitting.cache import Shard, fit_all
from foresaid.fitting.data import Target, TrainingTable
from foresaid.fitting.discrepancy import Discrepancy, halves, on_noise_scale, widened
from foresaid.fitting.fit import NO_FORECAST, Fit
from foresaid.fitting.frozen_curve import freeze_curve
from foresaid.fitting.law import Law
from foresaid.forecasting.combine import average, learn_width, median, shrunk, stack
from foresaid.forecasting.discrepancy import SeriesPlays, learn
from foresaid.forecasting.predict import Forecast, predict, widen
from foresaid.scoring.levels import LEVELS

SHARES = (0.2, 0.3, 0.4)  # of the rows furthest along, held out in turn
REPLICATES = 50  # the width of a band needs fewer draws than its ends
UNDATED = date(1, 1, 1)


@dataclass(frozen=True)
class Played:
    """Forecasts of held-out training rows: quantiles (n, 23) and outcomes (n,) in the quantity's unit, and their clusters.

    `rows` names each by its share and subject, so that the plays of two laws on one table can be laid side by side.
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
class Widened:
    """A fit with the width of its intervals learned, and the plays it was learned from."""

    fit: Fit
    played: Played | None


def _score(question: FitRequest, parts: Sequence[tuple[float, TrainingTable, Fit]], seed: int) -> Played:
    """Forecast what each fit to earlier rows was asked for."""
    quantiles, outcomes = [np.empty((0, len(LEVELS)))], [np.empty(0)]
    clusters: list[str] = []
    rows: list[str] = []
    distances = [np.empty(0)]
    target = question.table.target
    for share, rest, found in parts:
        if found.status in NO_FORECAST:
            continue
        made = predict(question.law, freeze_curve(question.law, found, question.settings, UNDATED, seed), rest.x)
        known = ~np.isnan(made.point)
        quantiles.append(made.quantiles[known])
        outcomes.append((target.offset + target.span * rest.y)[known])
        distances.append((question.law.along(rest) - question.law.along(found.table).max())[known])
        clusters += [name for name, keep in zip(rest.clusters, known, strict=True) if keep]
        rows += [f"{share}/{name}" for name, keep in zip(rest.subjects, known, strict=True) if keep]
    return Played(np.vstack(quantiles), np.concatenate(outcomes), tuple(clusters), tuple(rows), np.concatenate(distances))


def widened_fits(questions: Sequence[FitRequest], seed: int, replicates: int, cache: Path | None) -> list[Widened]:
    """Fit every law to its table and set the width of its intervals by what it missed on its own earlier rows.

    All fits, of whole tables and of earlier rows, go through one call (see fitting/cache.py), so they share the workers and the
    cache. Where nothing could be played (too few rows, one place) the width stays as the bootstrap gives it.
    """
    ordered = [replace(one, table=one.table.take(np.argsort(np.array(one.table.subjects), kind="stable"))) for one in questions]
    shards = [Shard(one.law, one.table, seed, replicates) for one in ordered]
    asked: list[tuple[int, float, TrainingTable]] = []
    for i, one in enumerate(ordered):
        for share in SHARES if one.law.plays_its_past and one.table.n > 1 else ():
            parts = held_out(one.law, one.table, share)
            if parts is not None:
                asked.append((i, share, parts[1]))
                shards.append(Shard(one.law, parts[0], seed, REPLICATES))
    found = fit_all(shards, cache)
    plays: dict[int, list[tuple[float, TrainingTable, Fit]]] = {}
    for (i, share, rest), fitted in zip(asked, found[len(ordered) :], strict=True):
        plays.setdefault(i, []).append((share, rest, fitted))
    played = [
        None if found[i].status in NO_FORECAST or i not in plays else _score(one, plays[i], seed) for i, one in enumerate(ordered)
    ]
    taught = taught_by_each_other(ordered, played)
    return [_widen(one, found[i], played[i], taught[i]) for i, one in enumerate(ordered)]


def series_plays(question: FitRequest, played: Played) -> SeriesPlays:
    """Bring the plays of one series to the noise scale of its law, on which series can be compared."""
    law, target = question.law, question.table.target
    middle, half = halves(played.quantiles, law.noise, target.offset, target.span)
    outcome = on_noise_scale(played.outcomes, law.noise, target.offset, target.span)
    return SeriesPlays(
        target.target_id, target.quantity_id, frozenset(question.table.subjects), half, outcome - middle, played.distances
    )


def taught_by_each_other(questions: Sequence[FitRequest], played: Sequence[Played | None]) -> list[Discrepancy | None]:
    """Learn the discrepancy of each request from all requests of its law and state of knowledge; None where too few teach it."""
    pools: dict[tuple[str, str], list[SeriesPlays]] = {}
    for one, own in zip(questions, played, strict=True):
        if own is not None and len(own.outcomes) and one.law.place(one.table.x[:1], one.table.target.progress) is not None:
            pools.setdefault((one.law.name, one.known), []).append(series_plays(one, own))
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


def _widen(question: FitRequest, found: Fit, played: Played | None, taught: Discrepancy | None) -> Widened:
    """Give a fit its discrepancy, or the one factor where nothing but its own rows can teach it.

    The plays come back as they would have been with what was learned, so that an ensemble learns its width beyond that.
    """
    if found.status in NO_FORECAST or played is None or not len(played.outcomes):
        return Widened(found if taught is None else replace(found, discrepancy=taught), None)
    target, n = question.table.target, len(played.outcomes)
    if taught is not None:
        units = (target.offset, target.span, target.lower, target.upper)
        levels = np.array(LEVELS)
        again = widened(played.quantiles, levels, np.maximum(played.distances, 0.0), taught, question.law.noise, units)
        known = replace(found, played=len(set(played.clusters)), discrepancy=taught)
        return Widened(known, replace(played, quantiles=again))
    bounds = (np.full(n, target.lower), np.full(n, target.upper))
    width = learn_width(played.quantiles, LEVELS, played.outcomes, np.ones(n), bounds, len(set(played.clusters)))
    return Widened(replace(found, widening=width.scale, played=width.releases), played)


def ensembles(members: Sequence[tuple[Forecast, Played]], target: Target) -> dict[str, Forecast]:
    """Combine laws of one target in two ways: `ensemble_median`, level by level, and `ensemble_stacked`, with learned weights.

    Only rows of the past that every member played count. The weights (stacked pinball loss) are shrunk towards equal ones, and
    each ensemble's width towards one, by the number of clusters played; nothing is learned from the rows to be forecast.
    Nothing is made where fewer than two members have plays in common.
    """
    common = sorted(set.intersection(*(set(played.rows) for _, played in members))) if len(members) > 1 else []
    if not common:
        return {}
    place = [{name: i for i, name in enumerate(played.rows)} for _, played in members]
    past = np.stack([played.quantiles[[at[name] for name in common]] for (_, played), at in zip(members, place, strict=True)])
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
    return Forecast(widen(way(ahead), width.scale, *ends), middle[:, 0], middle[:, 1])
