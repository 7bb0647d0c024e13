"""Forecasts of a next release: the capability law's joint for every day it may come, and the six baselines told the same.

The joint answers for any day of release. A baseline states one set of quantiles, so it is asked at the *expected day*: the last
launch of the line plus the median gap between its launches, at least a month after the target opens. Its spread are the errors the
same rule made at earlier origins, quarter by quarter, by day of release. On a rating, which the law does not know, the baselines
stand alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import polars as pl

from foresaid.arrays import Array
from foresaid.files import rounded
from foresaid.forecasting.baseline_rows import Rows, rows_of
from foresaid.forecasting.floors import binomial_floor
from foresaid.forecasting.informed_baselines import UNINFORMED, error_quantiles, quantile_mean
from foresaid.laws._capability_frozen import Frozen, Sibling, freeze, months
from foresaid.laws._capability_model import Model, condition_on, fit
from foresaid.laws._capability_rows import EPOCH, Benchmarks, cells
from foresaid.ledger.entries.schema import TargetEntry
from foresaid.ledger.entries.targets import NextRelease
from foresaid.registry.lineage import maker
from foresaid.scoring.levels import LEVELS

LAW, OF_SIX = "capability", "quantile_mean_of_six"
FIRST_ORIGIN = date(2024, 1, 1)  # of the origins at which baselines learn their errors; earlier boards have too few models
WINDOW = 92  # days of releases that an origin is asked for
FEWEST = 8  # known cells of a board that is asked
GAPS = 6  # newest gaps between launches of a line that are looked at
LEAST_AHEAD, UNKNOWN_GAP = timedelta(days=30), timedelta(days=120)
PLACES = 6  # after the point, of a frozen mean or covariance on the probit scale: far below what the fit settles
SAME_LAUNCH = 14  # days: a preview and what it previews are one launch
Past = Mapping[str, tuple[Array, Array]]  # method -> errors (n,) on its scale, and the board of each


@dataclass(frozen=True)
class Line:
    """What is known of the lines of a target: newest effort on the board, siblings' cells, and the day a release is expected."""

    maker: str
    line: str
    tier: str
    effort: float | None
    siblings: tuple[Sibling, ...]
    expected: date


def law(frame: pl.DataFrame) -> Model:
    """Fit the law of all cells, its log parameters rounded so that the last digit of the search shows nowhere."""
    fitted = fit(cells(frame))
    return condition_on(fitted.cells, fitted.settings, np.array(rounded(fitted.log_parameters.tolist(), 8)))


def rule_of(target: TargetEntry) -> NextRelease:
    """The rule of a target that is a next release."""
    assert isinstance(target.rule, NextRelease)
    return target.rule


def expected_day(target: TargetEntry, launches: pl.DataFrame) -> date:
    """The day on which the release of a target is expected: the last launch plus `ordinal` median gaps, while it is open."""
    rule = rule_of(target)
    opens, closes = date.fromisoformat(target.opens), date.fromisoformat(target.closes)
    mine = pl.any_horizontal(
        *((pl.col("maker") == one.maker) & (pl.col("line") == one.line) & (pl.col("tier") == one.tier) for one in rule.lines)
    )
    days: list[date] = []
    for day in sorted(set(launches.filter(mine)["released_on"].to_list())):
        if not days or (day - days[-1]).days > SAME_LAUNCH:
            days.append(day)
    if not days:
        return min(opens + UNKNOWN_GAP, closes)
    gaps = [(after - before).days for before, after in pairwise(days)][-GAPS:]
    gap = timedelta(days=float(np.median(gaps))) if gaps else UNKNOWN_GAP
    return min(max(days[-1] + rule.ordinal * gap, opens + rule.ordinal * LEAST_AHEAD), closes)


def line_of(target: TargetEntry, frame: pl.DataFrame, launches: pl.DataFrame) -> Line:
    """The line of a target with one: its maker as the cells spell it, and the systems its newest launch was measured with.

    Siblings are the systems with which the newest launch of each tier of the line, and the newest that states an effort, were
    measured on the target's board. The effort is the highest of the newest launch there that states any, of the line and tier,
    else of the line; None on boards that state none.
    """
    one = rule_of(target).lines[0]
    spelt = {name for name in frame["maker"].unique().to_list() if maker(name) == one.maker}
    mine = frame.filter(
        pl.col("maker").is_in(list(spelt)) & (pl.col("line") == one.line) & (pl.col("benchmark") == target.benchmark)
    )
    stated = pl.col("effort").is_not_null()
    siblings: list[Sibling] = []
    for (tier,), part in mine.sort("tier").group_by(["tier"], maintain_order=True):
        newest = pl.concat([_newest(part), _newest(part.filter(stated))])
        for system in sorted({name.partition("[")[2].rstrip("]") for name in newest["system_id"]}):
            siblings.append(Sibling(one.line, str(tier), system, target.benchmark))
    of_tier = mine.filter(stated & (pl.col("tier") == one.tier))
    highest = _newest(of_tier if of_tier.height else mine.filter(stated))["effort"].max()
    effort = None if highest is None else float(highest)  # type: ignore[arg-type]  # a float
    own = mine.filter(pl.col("tier") == one.tier).sort("released_on")
    name = own["maker"][-1] if own.height else next(iter(sorted(spelt)), one.maker)
    return Line(str(name), one.line, one.tier, effort, tuple(siblings), expected_day(target, launches))


def _newest(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.filter(pl.col("released_on") == pl.col("released_on").max())


def joint(model: Model, target: TargetEntry, line: Line, factor: float) -> Frozen:
    """The law's frozen forecast of a target on the first of each month until it closes, its numbers rounded to PLACES."""
    days = months(date.fromisoformat(target.opens), date.fromisoformat(target.closes))
    made = freeze(model, line.line, line.tier, line.maker, line.effort, days, factor, line.siblings)
    return replace(
        made, mean=np.round(made.mean, PLACES), covariance=np.round(made.covariance, PLACES), noise=np.round(made.noise, PLACES)
    )


def _empty(rows: Rows) -> Rows:
    return rows.where(np.zeros(rows.n, dtype=bool))


def _points(known: Rows, asked: Rows) -> dict[str, Array]:
    """Point forecasts of each asked row by each of the six baselines, NaN where one has nothing to say."""
    nothing = _empty(known)
    return {name: np.array([point(known, asked, i, nothing) for i in range(asked.n)]) for name, point in UNINFORMED.items()}


def past_errors(rows: Rows, until: date) -> Past:
    """Errors of the six baselines at the quarters from FIRST_ORIGIN to `until`, on releases of the next WINDOW days."""
    errors: dict[str, list[Array]] = {name: [] for name in UNINFORMED}
    boards: dict[str, list[Array]] = {name: [] for name in UNINFORMED}
    origin = FIRST_ORIGIN
    while origin + timedelta(days=WINDOW) <= until:
        at = float((origin - EPOCH).days)
        known = rows.where(rows.day <= at)
        counts = np.bincount(known.q, minlength=int(rows.q.max()) + 1)
        asked = rows.where((rows.day > at) & (rows.day <= at + WINDOW) & (counts[rows.q] >= FEWEST))
        for name, point in _points(known, asked).items() if asked.n else ():
            kept = np.isfinite(point)
            errors[name].append(asked.z[kept] - point[kept])
            boards[name].append(asked.q[kept].astype(float))
        origin = (origin.replace(day=1) + timedelta(days=93)).replace(day=1)
    return {name: (np.concatenate([[], *errors[name]]), np.concatenate([[], *boards[name]])) for name in UNINFORMED}


def baselines(known: Rows, asked: Rows, past: Past) -> dict[str, Array]:
    """Quantiles (n, 23) of the asked rows on their scale by each of the six and their quantile mean; NaN where nothing is said."""
    found = {}
    for name, point in _points(known, asked).items():
        errors, boards = past[name]
        found[name.replace(" ", "_")] = np.stack(
            [value + error_quantiles(errors, boards == q, LEVELS) for value, q in zip(point, asked.q, strict=True)]
        )
    return {**found, OF_SIX: quantile_mean(list(found.values()))}


def asked_rows(targets: Sequence[TargetEntry], lines: Sequence[Line], names: Sequence[str]) -> Rows:
    """The systems that targets ask for, as rows that a baseline is asked about; names are the boards by their code."""
    n = len(targets)
    new = np.array([f"\0{i}" for i in range(n)])
    return Rows(
        system=new, model=new, release=new,
        maker=np.array([one.maker for one in lines]), line=np.array([one.line for one in lines]),
        tier=np.array([one.tier for one in lines]),
        effort=np.array([np.nan if one.effort is None else one.effort for one in lines]),
        day=np.array([float((one.expected - EPOCH).days) for one in lines]),
        q=np.array([names.index(one.benchmark) for one in targets], dtype=np.intp), z=np.zeros(n),
    )  # fmt: skip


def share_baselines(
    frame: pl.DataFrame, benchmarks: Benchmarks, targets: Sequence[TargetEntry], lines: Sequence[Line], until: date
) -> dict[str, Array]:
    """Quantiles (n, 23) in shares of targets on the law's boards, at least as wide as the binomial noise of their items."""
    known = rows_of(frame, benchmarks)
    asked = asked_rows(targets, lines, benchmarks.names)
    found = {}
    for name, z in baselines(known, asked, past_errors(known, until)).items():
        shares = benchmarks.to_share(asked.q, z)
        items, ceiling = benchmarks.items[asked.q], benchmarks.ceiling[asked.q]
        counted = np.isfinite(items)
        shares[counted] = binomial_floor(shares[counted], items[counted], ceiling[counted])
        found[name] = shares
    return found


def rating_baselines(frame: pl.DataFrame, target: TargetEntry, expected: date, until: date) -> dict[str, Array]:
    """Quantiles (23,) of a target on a rating board, whose values (RATINGS) are brought to spread one; never outside its scale.

    Models of any of the target's lines count as one line, so that "last of line" is the last of that frontier.
    """
    board = frame.filter(pl.col("benchmark") == target.benchmark).sort("released_on", "model_id")
    value = board["value"].to_numpy()
    middle, spread = float(value.mean()), max(float(value.std()), 1e-9)
    lines = {(one.maker, one.line, one.tier) for one in rule_of(target).lines}
    own = np.array([row in lines for row in board.select("maker", "line", "tier").iter_rows()])
    mark = np.where(own, "own", board["line"].to_numpy().astype(str))
    names = board["model_id"].to_numpy().astype(str)
    day = np.array([float((one - EPOCH).days) for one in board["released_on"]])
    nothing = np.full(len(day), np.nan)
    known = Rows(
        names, names, np.where(own, "own", board["maker"].to_numpy().astype(str)), mark,
        np.where(own, "own", board["tier"].to_numpy().astype(str)), names, nothing, day, np.zeros(len(day), dtype=np.intp),
        (value - middle) / spread,
    )  # fmt: skip
    asked = asked_rows([target], [Line("own", "own", "own", None, (), expected)], [target.benchmark])
    low, high = float(target.min), float(target.max)
    made = baselines(known, asked, past_errors(known, until))
    return {name: np.clip(middle + spread * z[0], low, high) for name, z in made.items()}
