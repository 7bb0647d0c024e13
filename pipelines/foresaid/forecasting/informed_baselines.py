"""Forecasts a capability law must beat, each told exactly what the law is told.

Nothing is fitted here but a mean, a straight line or a small ridge regression. The first six know nothing of the release but line,
tier, effort, maker and day; the others (`INFORMED`) also see its scores on other benchmarks. A baseline is a point on the probit
scale; its interval is its own record: the errors it made at earlier origins, with both signs so that the median stays the point,
of the same benchmark where there are a dozen, else of all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from foresaid.arrays import Array
from foresaid.forecasting.baseline_rows import Rows, rows_of
from foresaid.laws._capability_rows import Benchmarks

RECENT = 12  # values in the recent mean
DOZEN = 12  # errors a benchmark needs to have intervals of its own
FEWEST_SHARED = 3  # benchmarks two systems must share to be compared
YEAR_DAYS = 365
RIDGE = 1.0  # penalty on standardised logits
SLOPE_LIMIT = 2.0  # probits a year: a trend through two points of one month says nothing


Point = Callable[[Rows, Rows, int, Rows], float]
"""(known cells, asked cells, which of the asked, other cells told of the release) -> probit score, NaN with nothing to say."""


def _newest(rows: Rows, effort: float, limit: float = -np.inf) -> float:
    """Value of the newest day since `limit`, at the nearest effort of that day's models; the best among equals."""
    if not rows.n or rows.day.max() < limit:
        return float("nan")
    last = rows.where(rows.day == rows.day.max())
    gap = np.abs(np.nan_to_num(last.effort, nan=3.0) - (effort if np.isfinite(effort) else 3.0))
    return float(last.z[gap == gap.min()].max())


def _on(known: Rows, q: int) -> Rows:
    return known.where(known.q == q)


def recent_mean(known: Rows, asked: Rows, i: int, told: Rows) -> float:
    """Mean of the twelve newest values of the benchmark."""
    del told
    board = _on(known, int(asked.q[i]))
    order = np.lexsort((board.system, board.day))
    return float(board.z[order[-RECENT:]].mean()) if board.n else float("nan")


def last_of_line_and_tier(known: Rows, asked: Rows, i: int, told: Rows, limit: float = -np.inf) -> float:
    """Last value of the same line and tier on the benchmark, nearest effort; the recent mean where there is none."""
    board = _on(known, int(asked.q[i]))
    found = _newest(board.where((board.line == asked.line[i]) & (board.tier == asked.tier[i])), float(asked.effort[i]), limit)
    return found if np.isfinite(found) else recent_mean(known, asked, i, told)


def last_of_maker(known: Rows, asked: Rows, i: int, told: Rows) -> float:
    """Last value of the same maker on the benchmark, nearest effort; the recent mean where there is none."""
    board = _on(known, int(asked.q[i]))
    found = _newest(board.where(board.maker == asked.maker[i]), float(asked.effort[i]))
    return found if np.isfinite(found) else recent_mean(known, asked, i, told)


def best_so_far(known: Rows, asked: Rows, i: int, told: Rows) -> float:
    """Best value of the benchmark."""
    del told
    board = _on(known, int(asked.q[i]))
    return float(board.z.max()) if board.n else float("nan")


def _line_through(day: Array, z: Array, at: float) -> float:
    if len(z) < 3 or np.ptp(day) < 30:
        return float(z.mean()) if len(z) else float("nan")
    off = day - day.mean()
    slope = float(np.clip((off * (z - z.mean())).sum() / (off**2).sum(), -SLOPE_LIMIT / 365.25, SLOPE_LIMIT / 365.25))
    return float(z.mean() + slope * (at - day.mean()))


def average_trend(known: Rows, asked: Rows, i: int, told: Rows) -> float:
    """Straight line in the release day through all values of the benchmark."""
    del told
    board = _on(known, int(asked.q[i]))
    return _line_through(board.day, board.z, float(asked.day[i]))


def frontier_trend(known: Rows, asked: Rows, i: int, told: Rows) -> float:
    """Straight line in the release day through the values that were records when they came."""
    del told
    board = _on(known, int(asked.q[i]))
    order = np.lexsort((-board.z, board.day))
    day, z = board.day[order], board.z[order]
    record = z > np.r_[-np.inf, np.maximum.accumulate(z)[:-1]] if board.n else np.zeros(0, dtype=bool)
    return _line_through(day[record], z[record], float(asked.day[i]))


def _shifted(known: Rows, asked: Rows, i: int, told: Rows, limit: float) -> float:
    base = last_of_line_and_tier(known, asked, i, told, limit)
    surprises = []
    for j in range(told.n):
        before = last_of_line_and_tier(known, told, j, told, limit)
        if np.isfinite(before):
            surprises.append(told.z[j] - before)
    count = len(surprises)
    return base + (float(np.mean(surprises)) * count / (count + 1.0) if count else 0.0)


def shifted_last(known: Rows, asked: Rows, i: int, told: Rows) -> float:
    """N1: last of line and tier, moved by the mean surprise of the release's n other benchmarks times n / (n + 1)."""
    return _shifted(known, asked, i, closest(asked, i, told), -np.inf)


def shifted_last_one_year(known: Rows, asked: Rows, i: int, told: Rows) -> float:
    """N1 with a limit: a last value older than a year before the release counts as none."""
    return _shifted(known, asked, i, closest(asked, i, told), float(asked.day[i]) - YEAR_DAYS)


def closest(asked: Rows, i: int, told: Rows) -> Rows:
    """The told cells of the same system, else of the same model, else of the release."""
    for own in (told.system == asked.system[i], told.model == asked.model[i]):
        if own.any():
            return told.where(own)
    return told


def _matrix(known: Rows, count: int) -> tuple[Array, NDArray[np.str_]]:
    """Systems by benchmarks, NaN where not measured."""
    names, row = np.unique(known.system, return_inverse=True)
    table = np.full((len(names), count), np.nan)
    table[row, known.q] = known.z
    return table, names


def _profile(asked: Rows, i: int, told: Rows, count: int) -> Array:
    """Mean told score by benchmark of the closest cells: (count,), NaN where none."""
    near = closest(asked, i, told)
    profile = np.full(count, np.nan)
    for q in np.unique(near.q):
        profile[q] = near.z[near.q == q].mean()
    return profile


def nearest_known_model(known: Rows, asked: Rows, i: int, told: Rows) -> float:
    """N2: the value of the known system whose shared benchmarks are nearest (root mean square on the probit scale)."""
    q, count = int(asked.q[i]), int(max(known.q.max(initial=0), asked.q.max(), told.q.max(initial=0))) + 1
    table, _ = _matrix(known, count)
    profile = _profile(asked, i, told, count)
    profile[q] = np.nan
    table = table[np.isfinite(table[:, q])] if table.size else table
    gap = table - profile
    shared = np.isfinite(gap).sum(axis=1)
    least = min(FEWEST_SHARED, int(np.isfinite(profile).sum()))
    if least == 0 or not (shared >= least).any():
        return recent_mean(known, asked, i, told)
    distance = np.sqrt(np.nansum(gap**2, axis=1) / np.maximum(shared, 1))
    distance[shared < least] = np.inf
    return float(table[int(distance.argmin()), q])


def ridge_on_others(known: Rows, asked: Rows, i: int, told: Rows) -> float:
    """N3: ridge regression on the told benchmarks (standardised, gaps filled with the mean, penalty one)."""
    q, columns, table, profile = _regression(known, asked, i, told)
    if not len(columns) or len(table) < 4:
        return recent_mean(known, asked, i, told)
    inputs = table[:, columns]
    centre, spread = np.nanmean(inputs, axis=0), np.maximum(np.nanstd(inputs, axis=0), 0.1)
    from sklearn.linear_model import Ridge  # takes half a second to load, and most stages never ask

    model = Ridge(alpha=RIDGE).fit(np.nan_to_num((inputs - centre) / spread), table[:, q])
    return float(model.predict(((profile[columns] - centre) / spread)[None, :])[0])


def sigmoid_of_mean(known: Rows, asked: Rows, i: int, told: Rows) -> float:
    """N4: a straight line, on the probit scale, in the mean of the told benchmarks (each centred on the systems known)."""
    q, columns, table, profile = _regression(known, asked, i, told)
    if not len(columns) or len(table) < 4:
        return recent_mean(known, asked, i, told)
    centre = np.nanmean(table[:, columns], axis=0)
    inputs = np.nanmean(table[:, columns] - centre, axis=1, keepdims=True)
    at = float((profile[columns] - centre).mean())
    off = inputs[:, 0] - inputs[:, 0].mean()
    slope = float((off * table[:, q]).sum() / max(float((off**2).sum()), 1e-9))
    return float(table[:, q].mean() + slope * (at - inputs[:, 0].mean()))


def _regression(known: Rows, asked: Rows, i: int, told: Rows) -> tuple[int, NDArray[np.intp], Array, Array]:
    q, count = int(asked.q[i]), int(max(known.q.max(initial=0), asked.q.max(), told.q.max(initial=0))) + 1
    table, _ = _matrix(known, count)
    profile = _profile(asked, i, told, count)
    profile[q] = np.nan
    table = table[np.isfinite(table[:, q])] if table.size else table
    usable = np.isfinite(profile) & (np.isfinite(table).sum(axis=0) >= 4)
    columns = np.flatnonzero(usable)
    if len(columns):
        table = table[np.isfinite(table[:, columns]).any(axis=1)]
    columns = np.array([k for k in columns if len(table) and np.isfinite(table[:, k]).any()], dtype=np.intp)
    return q, columns, table, profile


UNINFORMED: Mapping[str, Point] = {
    "last of line and tier": last_of_line_and_tier,
    "last of maker": last_of_maker,
    "recent mean": recent_mean,
    "best so far": best_so_far,
    "average trend": average_trend,
    "frontier trend": frontier_trend,
}
INFORMED: Mapping[str, Point] = {
    "N1 shifted last": shifted_last,
    "N1 shifted last, one year": shifted_last_one_year,
    "N2 nearest known model": nearest_known_model,
    "N3 ridge on others": ridge_on_others,
    "N4 sigmoid of mean": sigmoid_of_mean,
}


def points(known: pl.DataFrame, asked: pl.DataFrame, every: pl.DataFrame, benchmarks: Benchmarks) -> pl.DataFrame:
    """Point forecasts (probit scale) of the asked cells by every baseline: one row a cell and baseline.

    `every` holds all cells of the asked releases; a baseline told of a release never sees the asked benchmark of that release.
    """
    train, wanted, pool = (rows_of(frame, benchmarks) for frame in (known, asked, every))
    found = []
    for i in range(wanted.n):
        told = pool.where((pool.release == wanted.release[i]) & (pool.q != wanted.q[i]))
        for name, point in (*UNINFORMED.items(), *INFORMED.items()):
            found.append(
                (str(wanted.system[i]), benchmarks.names[int(wanted.q[i])], name, point(train, wanted, i, told), float(wanted.z[i]))
            )
    schema = {"system_id": pl.String, "benchmark": pl.String, "method": pl.String, "point": pl.Float64, "z": pl.Float64}
    return pl.DataFrame(found, schema=schema, orient="row")


def error_quantiles(errors: Array, own: NDArray[np.bool_], levels: Sequence[float]) -> Array:
    """Quantiles (L,) of past errors and their negatives: those of the benchmark (`own`) if a DOZEN, else all; 0 without any."""
    used = errors[own] if own.sum() >= DOZEN else errors
    both = np.concatenate([used, -used]) if used.size else np.zeros(1)
    return np.asarray(np.quantile(both, levels))


def quantile_mean(forecasts: Sequence[Array]) -> Array:
    """Mean of quantile forecasts level by level (Vincent's average): (n, L) from several (n, L)."""
    return np.asarray(np.mean(np.stack(forecasts), axis=0))
