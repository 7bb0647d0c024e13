"""The forecasts every law must beat: nothing is fitted here but a mean, a maximum or a straight line.

A baseline is one function that forecasts a row from other rows. Its spread is its own record: known rows are forecast from others,
and the quantiles of those errors, taken with both signs so that the median stays the point, are put around it (the forecast hubs
build their baseline so). It is as unsure as it was wrong in training, with nothing to tune. Which rows speak in that record is a
property of the baseline (`Record`): all other families, all other rows, or, for those that follow time, the rows released earlier.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foresaid import parallel
from foresaid.arrays import Array
from foresaid.fitting.data import Target, TrainingTable
from foresaid.forecasting.board import UNKNOWN, Board, Lineage, board, boards, from_probit, to_probit, turned
from foresaid.forecasting.method import DATE, FAMILY, LINE, LINEAGE, MAKER, NOTHING, SCALE, Method
from foresaid.forecasting.predict import Forecast
from foresaid.scoring.levels import LEVELS

Point = Callable[[Board, Board, int], float]
"""Forecast one row from known rows: (known, asked, which of the asked) -> value on the curve's scale."""
RECENT = 12  # values in the recent mean
DOZEN = 12  # errors a target needs to have a spread of its own
FEWEST = 3  # rows a trend goes through
SHORTEST = 30.0  # days between the first and the last row of a trend
SLOPE_LIMIT = 2.0 / 365.25  # probits a day: a trend through two points of one month says nothing
MIDDLE_EFFORT = 3.0


class Record(Enum):
    """From which rows a known row is forecast to learn the spread."""

    FAMILIES = "other families"
    ROWS = "other rows"
    EARLIER = "rows released earlier"


@dataclass(frozen=True)
class Baseline:
    """A point forecast, what tables say of it, and the record its spread is learned from.

    A new baseline is its function and its entry in one of the lists of this file or of score_baselines.py, and nothing else.
    """

    point: Point
    title: str
    sentence: str
    told: str
    record: Record = Record.FAMILIES


def training_mean(known: Board, asked: Board, i: int) -> float:
    """Forecast the mean of all known values."""
    del asked, i
    return known.kept(training_mean, lambda rows: float(rows.y.mean()))


def best_known(known: Board, asked: Board, i: int) -> float:
    """Forecast the best value known: progress has stopped at the frontier."""
    del asked, i
    return known.kept(best_known, lambda rows: float(rows.y.max()))


def _newest(known: Board, rows: NDArray[np.bool_], effort: float) -> float:
    """Value of the newest day at the nearest effort (unstated counts as medium), the best among equals; NaN without rows."""
    at = np.flatnonzero(rows)
    if not at.size:
        return float("nan")
    # A handful of rows: plain numbers are faster than arrays of them.
    wanted = effort if math.isfinite(effort) else MIDDLE_EFFORT
    days = [-math.inf if math.isnan(day) else day for day in known.day[at].tolist()]
    gaps = [abs((MIDDLE_EFFORT if math.isnan(one) else one) - wanted) for one in known.effort[at].tolist()]
    last = max(days)
    nearest = min(gap for gap, day in zip(gaps, days, strict=True) if day == last)
    values = zip(known.y[at].tolist(), gaps, days, strict=True)
    return float(max(y for y, gap, day in values if day == last and gap == nearest))


def last_of_family(known: Board, asked: Board, i: int) -> float:
    """Forecast the newest value of the same family, best first among equals; the mean of all where the family is new."""
    member = np.flatnonzero(known.family == asked.family[i])
    if not member.size:
        return training_mean(known, asked, i)
    days = [-1.0 if math.isnan(day) else day for day in known.day[member].tolist()]
    last = max(days)
    return float(max(y for y, day in zip(known.y[member].tolist(), days, strict=True) if day == last))


def _recent(known: Board) -> float:
    order = np.lexsort((-known.y, np.nan_to_num(known.day, nan=-np.inf)))
    return float(from_probit(to_probit(known.y[order[-RECENT:]]).mean()))


def recent_mean(known: Board, asked: Board, i: int) -> float:
    """Forecast the mean, on the probit scale, of the twelve newest values."""
    del asked, i
    return known.kept(recent_mean, _recent)


def last_of_line_and_tier(known: Board, asked: Board, i: int) -> float:
    """Forecast the last value of the same line and tier, nearest effort; the recent mean where there is none."""
    found = _newest(known, known.place == asked.place[i], float(asked.effort[i]))
    return found if math.isfinite(found) else recent_mean(known, asked, i)


def last_of_maker(known: Board, asked: Board, i: int) -> float:
    """Forecast the last value of the same maker, nearest effort; the recent mean where there is none."""
    found = _newest(known, known.maker == asked.maker[i], float(asked.effort[i]))
    return found if math.isfinite(found) else recent_mean(known, asked, i)


@dataclass(frozen=True)
class _Trend:
    """A straight line on the probit scale: `slope` a day through (`day`, `middle`); without rows or length its middle alone."""

    middle: float
    slope: float | None = None
    day: float = 0.0

    def at(self, day: float) -> float:
        if self.slope is None:
            return float(from_probit(np.asarray(self.middle)))
        return float(from_probit(np.asarray(self.middle + self.slope * (day - self.day))))


def _trend(day: Array, y: Array) -> _Trend:
    z = to_probit(y)
    if len(z) < FEWEST or np.ptp(day) < SHORTEST:
        return _Trend(float(z.mean()) if len(z) else float("nan"))
    off = day - day.mean()
    slope = float(np.clip((off * (z - z.mean())).sum() / (off**2).sum(), -SLOPE_LIMIT, SLOPE_LIMIT))
    return _Trend(float(z.mean()), slope, float(day.mean()))


def _average(known: Board) -> _Trend:
    dated = np.isfinite(known.day)
    return _trend(known.day[dated], known.y[dated])


def _frontier(known: Board) -> _Trend:
    dated = known.where(np.isfinite(known.day))
    order = np.lexsort((-dated.y, dated.day))
    day, y = dated.day[order], dated.y[order]
    record = y > np.r_[-np.inf, np.maximum.accumulate(y)[:-1]] if dated.n else np.zeros(0, dtype=bool)
    return _trend(day[record], y[record])


def average_trend(known: Board, asked: Board, i: int) -> float:
    """Forecast by a straight line in the release day, on the probit scale, through all dated values."""
    found = known.kept(average_trend, _average).at(float(asked.day[i]))
    return found if math.isfinite(found) else training_mean(known, asked, i)


def frontier_trend(known: Board, asked: Board, i: int) -> float:
    """Forecast by a straight line in the release day through the values that were records when they came."""
    found = known.kept(frontier_trend, _frontier).at(float(asked.day[i]))
    return found if math.isfinite(found) else training_mean(known, asked, i)


def last_value(known: Board, asked: Board, i: int) -> float:
    """Forecast the value of the known run nearest in scale, the largest among equals: nothing more is gained."""
    return float(known.y[np.lexsort((-known.x.sum(axis=1), np.abs(known.x[:, 0] - asked.x[i, 0])))[0]])


def straight_line(known: Board, asked: Board, i: int) -> float:
    """Forecast by a straight line in the covariate (a logarithm, for sizes) through all known points."""
    at = known.x[:, 0]
    if np.ptp(at) == 0:
        return float(known.y.mean())
    slope = ((at - at.mean()) * (known.y - known.y.mean())).sum() / ((at - at.mean()) ** 2).sum()
    return float(known.y.mean() + slope * (asked.x[i, 0] - at.mean()))


FOR_RELEASES: dict[str, Baseline] = {
    "training_mean": Baseline(training_mean, "Mean (climatology)", "the mean score of the training models", NOTHING),
    "best_known": Baseline(best_known, "Best so far", "the best score of the training models", NOTHING),
    "last_of_family": Baseline(
        last_of_family, "Last value (persistence)", "the score of the newest known model of the same family", FAMILY, Record.ROWS
    ),
    "last_of_line_and_tier": Baseline(
        last_of_line_and_tier,
        "Last of line and tier",
        "the last score of the same line and tier, at the nearest effort",
        LINE,
        Record.EARLIER,
    ),
    "last_of_maker": Baseline(
        last_of_maker, "Last of maker", "the last score of the same maker, at the nearest effort", MAKER, Record.EARLIER
    ),
    "recent_mean": Baseline(
        recent_mean, "Mean of the last twelve", "the mean of the twelve newest scores", NOTHING, Record.EARLIER
    ),
    "average_trend": Baseline(
        average_trend, "Average trend", "a line in the release date through all scores, as probits", DATE, Record.EARLIER
    ),
    "frontier_trend": Baseline(
        frontier_trend, "Frontier trend", "a line in the release date through the records, as probits", DATE, Record.EARLIER
    ),
}
FOR_SIZES: dict[str, Baseline] = {
    "last_value": Baseline(last_value, "Nearest known run", "the score of the nearest smaller run of the series", SCALE),
    "straight_line": Baseline(
        straight_line, "Straight line", "linear regression on the first covariate, or its logarithm, over all known runs", SCALE
    ),
}
MEAN_OF_SIX = "mean_of_six"
SIX = ("last_of_line_and_tier", "last_of_maker", "recent_mean", "best_known", "average_trend", "frontier_trend")
COMBINED = Method(MEAN_OF_SIX, "Mean of six baselines", "the average quantiles of the six that know no score", "baseline", LINEAGE)


def past_errors(baseline: Baseline, known: Board, seen: dict[Hashable, Any] | None = None) -> Array:
    """Errors the baseline made on known rows, forecast from the rows its record says.

    By default the family is left out as a whole, as a new release is new to everybody; within one series, or where every row is a
    family of its own, only the row itself is left out. `Record.EARLIER` forecasts each dated row from those released before it; a
    row with fewer than FEWEST before it has no error. `seen` keeps errors from one call to the next, by all that they depend on:
    from one origin to another the same rows stand before most rows, and often there is no other row at all.
    """
    seen = {} if seen is None else seen

    def error(i: int, rest: Board) -> float:
        return float(known.y[i] - baseline.point(rest, known, i))

    if baseline.record is not Record.EARLIER:
        key: Hashable = (baseline.point, known.digest)
        if key not in seen:
            rests = [_others(known, baseline.record, i) for i in range(known.n)]
            seen[key] = np.array([error(i, rest) for i, rest in enumerate(rests) if rest.n])
        return np.asarray(seen[key])
    errors = []
    for i in range(known.n):
        rest = _others(known, baseline.record, i)
        if rest.n >= FEWEST:
            key = (baseline.point, rest.digest, known.name[i])
            if key not in seen:
                seen[key] = error(i, rest)
            errors.append(seen[key])
    return np.array(errors)


def _others(known: Board, record: Record, i: int) -> Board:
    """The rows from which a known row is forecast; rows of one day or family share theirs, and all baselines do."""
    if record is Record.EARLIER:
        day = float(known.day[i])
        return known.kept((record, day), lambda rows: rows.where(rows.day < day))
    families = known.kept("families", lambda rows: len(np.unique(rows.family)))
    if record is Record.ROWS or families in (1, known.n):
        return known.kept((Record.ROWS, i), lambda rows: rows.where(np.arange(rows.n) != i))
    family = int(known.family[i])
    return known.kept((record, family), lambda rows: rows.where(rows.family != family))


def around(point: Array, errors: Array, target: Target) -> Forecast:
    """Put the quantiles of errors (m,), taken with both signs, around points (n,) of the curve's scale, cut at the bounds."""
    both = np.concatenate([errors, -errors]) if errors.size else np.zeros(1)

    def in_unit(curve_scale: Array) -> Array:
        return np.clip(target.offset + target.span * curve_scale, target.lower, target.upper)

    values = point[:, None] + np.quantile(both, LEVELS)
    return Forecast(in_unit(values), in_unit(point[:, None] + both).mean(axis=1), in_unit(point))


def forecast(baseline: Baseline, known: TrainingTable, asked: TrainingTable, who: Lineage = UNKNOWN) -> Forecast:
    """Forecast each asked row: the baseline's point with the quantiles of its past errors around it."""
    first, second = boards(known, asked, who)
    point = np.array([baseline.point(first, second, i) for i in range(second.n)])
    return around(turned(point, known.target), past_errors(baseline, first), known.target)


@dataclass(frozen=True)
class Question:
    """Known and asked rows of one target, the baselines asked, and the group whose errors may be pooled (None: its own alone)."""

    known: TrainingTable
    asked: TrainingTable
    chosen: Mapping[str, Baseline]
    group: str | None = None


def forecasts(questions: Sequence[Question], who: Lineage = UNKNOWN) -> list[dict[str, Forecast]]:
    """Forecast all questions. A target with fewer than a DOZEN errors of a baseline takes those of its whole group.

    Where all six unconditional baselines are asked their quantiles are averaged to a seventh (`mean_of_six`).
    """
    points: list[dict[str, Array]] = []
    errors: list[dict[str, Array]] = []
    pools: dict[tuple[str | None, str], list[Array]] = {}
    numbers: dict[str, int] = {}
    seen: dict[Hashable, Any] = {}
    for one in parallel.counted(questions, "baselines", len(questions)):
        if not one.chosen:
            points.append({})
            errors.append({})
            continue
        known, asked = (board(table, who, numbers) for table in (one.known, one.asked))
        points.append(
            {
                name: turned(np.array([item.point(known, asked, i) for i in range(asked.n)]), one.known.target)
                for name, item in one.chosen.items()
            }
        )
        errors.append({name: past_errors(item, known, seen) for name, item in one.chosen.items()})
        for name, past in errors[-1].items():
            pools.setdefault((one.group, name), []).append(past)
    pooled = {key: np.concatenate(parts) for key, parts in pools.items()}
    made = []
    for one, centres, own in zip(questions, points, errors, strict=True):
        found = {
            name: around(
                centres[name],
                own[name] if one.group is None or own[name].size >= DOZEN else pooled[one.group, name],
                one.known.target,
            )
            for name in one.chosen
        }
        if set(SIX) <= set(found):
            six = [found[name] for name in SIX]
            parts = ([getattr(item, part) for item in six] for part in ("quantiles", "mean", "point"))
            found[MEAN_OF_SIX] = Forecast(*(np.mean(part, axis=0) for part in parts))
        made.append(found)
    return made
