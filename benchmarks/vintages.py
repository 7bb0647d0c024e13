"""Goals 22, 23 and 26: discrepancy learned across series, origins that see what was known on the day, and memory against size."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import scipy.optimize

from benchmarks import machine, made_up, notebooks
from benchmarks.measure import Finding, MissingError, clock, growth, seconds, slope, verdict
from foresaid.arrays import Array
from foresaid.errors import UnreadableError
from foresaid.fitting.discrepancy import spread, student
from foresaid.forecasting.discrepancy import SeriesBacktest, learn
from foresaid.registry import database
from foresaid.scoring.levels import LEVELS
from foresaid.scoring.rules import weighted_interval_score

ROOT = Path(__file__).parents[1]
ROWS = 12  # backtested rows of a series
DAYS = [date(2023 + month // 12, month % 12 + 1, 1) for month in range(46)]  # the first of each month up to 2026-10


def _learned(series: list[SeriesBacktest]) -> Any:
    return learn(series, "own", 0.0, 1)


def _searched(series: list[SeriesBacktest]) -> int:
    """Count evaluations of the loss in one learning."""
    plain, counts = scipy.optimize.minimize, []

    def counted(*arguments: Any, **named: Any) -> Any:
        found = plain(*arguments, **named)
        counts.append(int(found.nfev))
        return found

    with mock.patch.object(scipy.optimize, "minimize", counted):
        _learned(series)
    return sum(counts)


def _score(series: list[SeriesBacktest], made: Callable[[SeriesBacktest], Array]) -> float:
    every = [weighted_interval_score(np.sort(made(one), axis=1), list(LEVELS), one.error).wis for one in series]
    return float(np.concatenate(every).mean())


def goal_22(quick: bool) -> Finding:
    """Four numbers of a discrepancy, learned from the backtests of many series."""
    levels = np.array(LEVELS)
    sizes = [20, 40, 80, 160, 320]
    made = {size: made_up.backtests(size, ROWS, levels) for size in sizes}
    whole = growth(lambda size: lambda: _learned(made[size]), sizes, 3 if quick else 5)
    searched = {size: _searched(made[size]) for size in sizes}  # how long a search is depends on the series, not on their number
    each = [taken / searched[size] for size, taken in zip(sizes, whole.cpu, strict=True)]
    linear = slope(sizes, each)
    train, test = made[40], made_up.backtests(200, ROWS, levels, seed=1)
    mine, found = clock(lambda: _learned(train))
    numbers = (found.bias, found.scale, found.growth, found.floor)
    ours = _score(test, lambda one: spread(one.half, one.distance, numbers, student(levels)))
    quality, peer = f"mean WIS on 200 other series: ours {ours:.4f}", ""
    distance, error = (np.concatenate([getattr(one, name) for one in train]) for name in ("distance", "error"))
    try:
        theirs, lines = clock(lambda: notebooks.quantile_regressions(distance, error, levels))
        scored = _score(test, lambda one: lines[:, 0] + np.outer(one.distance, lines[:, 1]))
        quality += f", statsmodels {scored:.4f}"
        peer = f"statsmodels, a linear quantile regression for each of {len(LEVELS)} levels, 40 series: {seconds(theirs.cpu)} cpu, "
        peer += f"ours {seconds(mine.cpu)}"
    except MissingError as reason:
        peer = f"not run: {reason}"
    return Finding(
        22,
        f"discrepancy pooled over {sizes[-1]} series of {ROWS} rows, {len(LEVELS)} levels (made up)",
        "<= 1 s cpu; an evaluation's slope in series <= 1.1",
        "0.1 s",
        f"{seconds(whole.cpu[-1])} cpu for {searched[sizes[-1]]} evaluations",
        verdict(True, whole.cpu[-1] <= 1.0 and linear <= 1.1, whole.cpu[-1] <= 0.1),
        quality,
        peer,
        {
            "ours": mine, "sizes": sizes, "of": "series, one evaluation", "cpu": each, "slope": linear,
            "floor": sizes[-1] * ROWS * len(LEVELS) / machine.rates().exponentials,
            "floor_of": "a square root for each row and level, at the price of an exponential",
            "tenfold": "the same: linear, and nothing is kept but the backtests",
        },
    )  # fmt: skip


def _opened() -> database.Database:
    try:
        return database.open_database(ROOT / "build" / "database")
    except UnreadableError as reason:
        raise MissingError("no database in build/: run `make repro` first") from reason


def goal_23(quick: bool) -> Finding:
    """The record as it was known on many days."""
    opened = _opened()
    sizes = [2, 4, 8, 16] if quick else [2, 4, 8, 16, 32]

    def views(count: int) -> Callable[[], int]:
        days = [DAYS[int(i)] for i in np.linspace(0, len(DAYS) - 1, count)]
        return lambda: sum(database.as_of(opened, day).observations.height for day in days)

    grown = growth(views, sizes)
    view = database.as_of(opened, DAYS[-1]).observations
    moved = float(sizes[-1]) * (opened.folder / database.HISTORY).stat().st_size
    quality, peer = f"{view.height:,} values stood on {DAYS[-1]}", ""
    try:
        read, whole = clock(lambda: notebooks.values_by_day(ROOT / "registry"), 1 if quick else 5)
        theirs, last = clock(lambda: notebooks.known_by(whole, DAYS[-1]))
        quality += f"; the notebook keeps {len(last):,}, those withdrawn, in doubt or set aside by a rule among them"
        peer = f"pandas: {seconds(read.cpu)} cpu to read the files, then {seconds(theirs.cpu)} a day"
    except MissingError as reason:
        peer = f"not run: {reason}"
    return Finding(
        23,
        f"the shipped record as known on {sizes[-1]} days",
        "slope in origins <= 1.1, <= 0.2 s cpu a day",
        "0.05 s",
        f"{seconds(grown.cpu[-1] / sizes[-1])} cpu a day",
        verdict(True, grown.slope <= 1.1 and grown.cpu[-1] / sizes[-1] <= 0.2, grown.cpu[-1] / sizes[-1] <= 0.05),
        quality,
        peer,
        {
            "sizes": sizes, "of": "days", "cpu": grown.cpu, "slope": grown.slope,
            "floor": 2.0 * moved / machine.rates().copied_bytes, "floor_of": "the compressed history read once a day and written",
            "tenfold": "the same: a filter; goal 14 asks ten million rows",
        },
    )  # fmt: skip


def _peak(kind: str, size: int) -> float:
    words = [sys.executable, "-m", "benchmarks.peak", kind, str(size)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise MissingError(f"{' '.join(words[1:])}: {(done.stderr or done.stdout).strip().splitlines()[-1]}")
    return float(json.loads(done.stdout))


def goal_26(quick: bool) -> Finding:
    """Peak memory against the number of draws and of origins: the least of three fresh processes."""
    _opened()
    grids = {"replicates of a fit": [500, 1000, 2000, 4000], "origins": [2, 8, 32], "simulated schedules": [10, 40, 160]}
    if quick:
        grids = {name: sizes[:-1] for name, sizes in grids.items()}
    runs = 1 if quick else 3  # a busy machine gives memory back later, so a peak may be too high and never too low
    peaks = {name: [min(_peak(name.split()[-1], size) for _ in range(runs)) for size in sizes] for name, sizes in grids.items()}
    slopes = {name: slope(grids[name], peaks[name]) for name in grids}
    grown = {name: found[-1] / found[0] for name, found in peaks.items()}
    return Finding(
        26,
        "peak memory of a process against draws and origins",
        "at most 1.2 times over the sizes",
        "",
        "; ".join(
            f"{name} {grids[name][0]} to {grids[name][-1]}: {peaks[name][0]:.0f} to {peaks[name][-1]:.0f} MB" for name in grids
        ),
        verdict(True, max(grown.values()) <= 1.2, None),
        "libraries included, which are most of it; of a fit also its frozen curve, of origins all forecasts made there",
        "none: a notebook keeps what it made until it is closed",
        {"peak": peaks, "of": grids, "slopes": slopes, "times": grown},
    )
