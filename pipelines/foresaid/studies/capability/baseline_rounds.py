"""The baselines run by the same pseudo-forward rounds as the law, with intervals from their own errors at earlier origins."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

import numpy as np
import polars as pl

from foresaid.arrays import Array
from foresaid.forecasting.informed_baselines import INFORMED, UNINFORMED, error_quantiles, points, quantile_mean
from foresaid.laws._capability_rows import Benchmarks, cells
from foresaid.scoring.levels import LEVELS
from foresaid.studies.capability.protocol import WINDOW, asked, scored, training

OF_ALL = "quantile mean of six"


def baseline_points(frame: pl.DataFrame, origins: Iterable[date], window: int = WINDOW) -> pl.DataFrame:
    """Points and outcomes of every baseline at each origin, in the columns of `informed_baselines.points` and `origin`."""
    tables = []
    for origin in origins:
        known, rows = training(frame, origin), asked(frame, origin, window)
        benchmarks = cells(known).benchmarks
        inside = pl.col("release").is_in(rows["release"].unique().to_list()) & pl.col("benchmark").is_in(list(benchmarks.names))
        table = points(known, rows, frame.filter(inside), benchmarks)
        tables.append(table.with_columns(pl.lit(origin).alias("origin")))
    return pl.concat(tables)


def baseline_rounds(frame: pl.DataFrame, found: pl.DataFrame, origins: Sequence[date], window: int = WINDOW) -> pl.DataFrame:
    """Score the baselines at `origins`; `found` (of `baseline_points`) must reach further back, for their errors.

    At an origin the errors are those of all earlier origins in `found`. The six uninformed ones get told `unconditional`, the
    others `conditional`; the quantile mean of the six is one more of the first kind.
    """
    tables = []
    for origin in origins:
        rows = asked(frame, origin, window).sort("system_id", "benchmark").with_columns(pl.lit(origin).alias("origin"))
        benchmarks = cells(training(frame, origin)).benchmarks
        levels = {name: _levels(found, rows, benchmarks, origin, name) for name in (*UNINFORMED, *INFORMED)}
        levels[OF_ALL] = quantile_mean([levels[name] for name in UNINFORMED])
        for name, quantiles in levels.items():
            told = "conditional" if name in INFORMED else "unconditional"
            tables.append(scored(rows.with_columns(pl.lit(told).alias("told"), pl.lit(name).alias("method")), quantiles))
    return pl.concat(tables)


def _levels(found: pl.DataFrame, rows: pl.DataFrame, benchmarks: Benchmarks, origin: date, name: str) -> Array:
    own = found.filter(pl.col("method") == name)
    past = own.filter((pl.col("origin") < origin) & pl.col("point").is_finite())
    errors, boards = (past["z"] - past["point"]).to_numpy(), past["benchmark"].to_numpy()
    now = own.filter(pl.col("origin") == origin)
    point = rows.join(
        now.select("system_id", "benchmark", "point"), on=["system_id", "benchmark"], how="left", maintain_order="left"
    )
    z = np.stack(
        [
            value + error_quantiles(errors, boards == board, LEVELS)
            for value, board in zip(point["point"].to_list(), point["benchmark"].to_list(), strict=True)
        ]
    )
    place = {board: i for i, board in enumerate(benchmarks.names)}
    return benchmarks.to_share(np.array([place[board] for board in rows["benchmark"]], dtype=np.intp), z)
