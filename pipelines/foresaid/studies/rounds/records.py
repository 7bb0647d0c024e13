"""Forecasts of the record by a day: the frontier's forms on boards of shares, straight lines and a trend on ratings.

A board stands as it was read last; from that day on the forms look ahead by release day, and the publication-lag term adds what
was released by then and published later. Forms for shares see the way from chance to the ceiling that the record states, the scale
on which they were judged; every form starts at the best value that any source shows. A record never falls, so the quantiles of a
later day are at least those of an earlier one. Equal-weight means as in docs/results-frontier.md, section 2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import numpy as np
import polars as pl

from foresaid.arrays import Array
from foresaid.laws import _frontier_curves, _frontier_jumps, _frontier_process, _rating_line, _rating_trend
from foresaid.laws._capability_rows import SCHEMA
from foresaid.laws._frontier_lag import Lag, with_lag
from foresaid.laws._frontier_rows import LEVELS, MONTH, Board, Question, board
from foresaid.laws._frontier_scale import to_line
from foresaid.ledger.entries.schema import TargetEntry
from foresaid.ledger.entries.targets import RecordBy
from foresaid.scoring import levels
from foresaid.studies.frontier.forms import LEVEL, MEANS, forms, with_mean
from foresaid.studies.rounds.training import Rows

MEAN = "mean_of_three"
STUDY = ("simulated releases", "mean of four", "mean of four to ceilings")  # as the frontier study has them, told of standing still
UNBROKEN = 1e-9  # above the record: by so much the record at the last reading is one more record to the lines


def scale_of(rows: Rows) -> dict[str, tuple[float, float]]:
    """Chance and ceiling of each of the law's boards, in shares; a ceiling that the record does not state is one."""
    chance = rows.cells.group_by("benchmark").agg(pl.col("chance").first())
    both = chance.join(rows.read, on="benchmark", how="left").with_columns(pl.col("ceiling").fill_null(1.0))
    return {name: (low, high) for name, low, high in both.select("benchmark", "chance", "ceiling").iter_rows()}


def boards_of(rows: Rows) -> list[Board]:
    """The law's boards as the frontier forms see them: of each model the best share of the way, by day of release."""
    scale = scale_of(rows)
    best = rows.cells.group_by("benchmark", "model_id", "released_on").agg(pl.col("value").max())
    parts = best.sort("benchmark", "released_on", "model_id").partition_by("benchmark", maintain_order=True, as_dict=True)
    found = []
    for (name,), part in parts.items():
        low, high = scale[str(name)]
        way = part.select("released_on", ((pl.col("value") - low) / (high - low)).clip(0.0, 1.0))
        found.append(board(str(name), "", way.iter_rows()))
    return found


def lag_of(rows: Rows) -> Lag | None:
    """The publication lag of the rows, pooled over boards and pairs of readings; None where they hold no two readings."""
    if rows.lag.is_empty():
        return None
    ordered = rows.lag.sort("known_on", "benchmark")
    days = (ordered["known_on"] - ordered["earlier_on"]).dt.total_days().to_numpy()
    risen = to_line(ordered["later"].to_numpy()) - to_line(ordered["earlier"].to_numpy())
    return Lag(risen, float(days.mean()) / MONTH, on_line=True)


def best_cells(rows: Rows) -> pl.DataFrame:
    """The boards of `boards_of` as cells of the capability law (SCHEMA): of each model its best share of the way, no effort."""
    scale = scale_of(rows)
    best = rows.cells.sort("value", "system_id", descending=[True, False]).unique(
        ["benchmark", "model_id"], keep="first", maintain_order=True
    )
    low, high = (pl.col("benchmark").replace_strict({name: pair[i] for name, pair in scale.items()}) for i in (0, 1))
    return best.with_columns(
        value=((pl.col("value") - low) / (high - low)).clip(0.0, 1.0), system_id="model_id", chance=pl.lit(0.0),
        effort=pl.lit(None, pl.Float64), items=pl.lit(None, pl.Int64),
    ).select(*SCHEMA).sort("system_id", "benchmark")  # fmt: skip


def shares(targets: Sequence[TargetEntry], rows: Rows, seed: int) -> dict[str, dict[str, Array]]:
    """By target and method quantiles (23,) in shares of record targets on boards of shares; the seed is of simulated releases."""
    every, lag = boards_of(rows), lag_of(rows)
    scale, read = scale_of(rows), rows.read_on
    found: dict[str, dict[str, Array]] = {}
    for origin in sorted({read[one.benchmark] for one in targets}):
        mine = [one for one in targets if read[one.benchmark] == origin]
        at = float(origin.toordinal())
        known = [one.by(at) for one in every if (one.day <= at).any()]
        asked = [Question(one.benchmark, _rule(one).top, _months(_day(one), origin)) for one in mine]
        for method, made in _forms(known, at, asked, best_cells(rows), seed).items():
            for target, row in zip(mine, made, strict=True):
                if lag is not None and method != "no_change":
                    until = _day(target) + timedelta(days=target.publish_within)
                    row = with_lag(row[None, :], lag, max((until - origin).days, 1) / MONTH)[0]
                low, high = scale[target.benchmark]
                found.setdefault(target.id, {})[method] = _at_levels(low + (high - low) * row)
    return _never_falling(targets, found)


def _never_falling(targets: Sequence[TargetEntry], found: Mapping[str, Mapping[str, Array]]) -> dict[str, dict[str, Array]]:
    """Raise the quantiles of a later day to those of the days before it, board by board and method by method."""
    made: dict[str, dict[str, Array]] = {}
    best: dict[tuple[str, int, str], Array] = {}
    for target in sorted(targets, key=_day):
        for method, values in found[target.id].items():
            key = (target.benchmark, _rule(target).top, method)
            best[key] = np.maximum(best[key], values) if key in best else values
            made.setdefault(target.id, {})[method] = best[key]
    return made


def _forms(known: Sequence[Board], at: float, asked: Sequence[Question], cells: pl.DataFrame, seed: int) -> Mapping[str, Array]:
    made = {
        "no_change": _frontier_jumps.no_change(known, at, asked),
        "jumps": _frontier_jumps.pooled(known, at, asked),
        "constant_growth": _frontier_curves.constant_growth(known, at, asked),
        "logistic_growth": _frontier_curves.logistic_growth(known, at, asked),
        "jumps_by_level": _frontier_jumps.by_level(known, at, asked, LEVEL),
        "hierarchical_growth": _frontier_process.forecast("growth", known, at, asked),
        "local_trend": _frontier_process.forecast("trend", known, at, asked),
    }
    three = ("jumps_by_level", "hierarchical_growth", "local_trend")
    made[MEAN] = np.asarray(np.mean([made[name] for name in three], axis=0))
    study = _as_in_the_study(known, at, asked, cells, seed)
    return {**made, **{name.replace(" ", "_"): study[name] for name in STUDY}}


def _as_in_the_study(
    known: Sequence[Board], at: float, asked: Sequence[Question], cells: pl.DataFrame, seed: int
) -> Mapping[str, Array]:
    """Forms and means of STUDY by the study's own code.

    Releases are simulated for every board and then read off for those asked, so that no forecast depends on what else is asked.
    """
    laws = forms(cells, seed)
    parts = {name: laws[name](known, at, asked) for mean in STUDY[1:] for name in MEANS[mean] if name != STUDY[0]}
    spans = sorted({(one.top, one.months) for one in asked})
    every = [Question(one.name, top, months) for one in known for top, months in spans if len(one.day) >= top]
    simulated = laws[STUDY[0]](known, at, every)
    parts[STUDY[0]] = simulated[[every.index(one) for one in asked]]
    return with_mean(parts)


def rating(target: TargetEntry, rows: Rows) -> dict[str, Array]:
    """By method quantiles (23,) of a record target on a rating board, within its scale.

    The lines go through the models that set a record and through the record as it stood at the last reading: that nobody broke it
    since is an observation too. Tried on quarterly cut-offs, results seen: CRPS of the index 3.17 with it and 3.68 without before
    April 2025, 1.35 and 1.42 after; of ForecastBench 1.14 and 1.20, .59 and .74 (15, 11, 12 and 5 overlapping rows; nothing
    resolved).
    """
    mine = rows.ratings.filter(pl.col("benchmark") == target.benchmark).sort("released_on", "model_id")
    origin = float(rows.read_on[target.benchmark].toordinal())
    day = np.array([float(one.toordinal()) for one in mine["released_on"]])
    sign = 1.0 if target.direction == "higher" else -1.0
    value, at = sign * mine["value"].to_numpy(), float(_day(target).toordinal())
    standing = float(value.max())
    seen, stood = np.append(day, origin), np.append(value, standing + UNBROKEN)
    made = {
        "no_change": _rating_line.no_change(day, value, at),
        "line": np.maximum(_rating_line.line(seen, stood, at), standing),
        "bend": np.maximum(_rating_line.bend(seen, stood, at), standing),
        "local_trend": _rating_trend.trend(day, value, at, origin),
    }
    made[MEAN] = np.asarray(np.mean([made[name] for name in ("line", "bend", "local_trend")], axis=0))
    low, high = float(target.min), float(target.max)
    return {name: np.sort(np.clip(sign * _at_levels(row), low, high)) for name, row in made.items()}


def _at_levels(row: Array) -> Array:
    return np.asarray(np.interp(levels.LEVELS, LEVELS, row))


def _rule(target: TargetEntry) -> RecordBy:
    assert isinstance(target.rule, RecordBy)
    return target.rule


def _day(target: TargetEntry) -> date:
    return date.fromisoformat(_rule(target).by)


def _months(by: date, origin: date) -> int:
    """Whole months from the last reading to the day asked, at least one."""
    return max(1, round((by - origin).days / MONTH))
