"""Pseudo-forward rounds: at an origin, forecast every score of the releases of the next weeks, and score it.

Release dates decide what an origin may know, because one download holds no history; a round of this kind is *pseudo-forward* and is
never mixed with rounds on real vintages. A law is asked for every cell of the window whose benchmark had enough cells before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta

import numpy as np
import polars as pl

from foresaid.laws._capability_forecast import Predicted, forecast_release
from foresaid.laws._capability_kernel import Settings
from foresaid.laws._capability_model import Model, fit
from foresaid.laws._capability_rows import cells
from foresaid.scoring.levels import LEVELS
from foresaid.scoring.rules import weighted_interval_score

WINDOW = 69  # days
FEWEST = 8  # training cells a benchmark needs before it is asked
FACTOR = (
    1.1  # on the standard deviation; 1.0 to 1.2 differ by .03 in WIS on origins of 2024 and 2025, 1.1 holds nearest to its levels
)
SINCE = date(2023, 1, 1)  # models released earlier are left out of the fit
KEYS = ("origin", "system_id", "model_id", "maker", "release", "benchmark")
INTERVALS = {str(n): tuple(LEVELS.index(round(0.5 + side * n / 200, 3)) for side in (-1, 1)) for n in (50, 80, 95)}
Fitter = Callable[[pl.DataFrame], Model]


def training(frame: pl.DataFrame, origin: date, since: date = SINCE) -> pl.DataFrame:
    """Cells of models released from `since` to the origin and known by it."""
    return frame.filter(pl.col("released_on").is_between(since, origin) & (pl.col("known_on") <= origin))


def asked(frame: pl.DataFrame, origin: date, window: int = WINDOW, fewest: int = FEWEST, since: date = SINCE) -> pl.DataFrame:
    """Cells of the releases of the next `window` days, on benchmarks with at least `fewest` training cells."""
    enough = training(frame, origin, since).group_by("benchmark").len().filter(pl.col("len") >= fewest)["benchmark"]
    inside = (pl.col("released_on") > origin) & (pl.col("released_on") <= origin + timedelta(days=window))
    return frame.filter(inside & pl.col("benchmark").is_in(enough.to_list()))


def law_forecasts(
    frame: pl.DataFrame, origin: date, model: Model, rows: pl.DataFrame, method: str = "capability", unit: str = "release"
) -> pl.DataFrame:
    """Forecast `rows` by the capability law: one row a cell and TOLD, with mean and sd on the probit scale.

    What is known of a release are its cells on every benchmark the model knows, also those too young to be asked. `unit` says
    what a release is: `release`, the models of a line that came out on one day, or `model_id`, one model at all its efforts.
    """
    known = set(model.cells.benchmarks.names)
    tables = []
    for name in sorted(set(rows[unit])):
        every = frame.filter((pl.col(unit) == name) & pl.col("benchmark").is_in(list(known))).sort("system_id", "benchmark")
        coded = cells(every, model.cells.benchmarks)
        wanted = every.join(rows.select("system_id", "benchmark"), on=["system_id", "benchmark"], how="semi")
        for told, predicted in forecast_release(model, coded).items():
            table = every.with_columns(
                pl.Series("mean", predicted.mean),
                pl.Series("sd", predicted.sd),
                pl.lit(told).alias("told"),
                pl.lit(method).alias("method"),
            )
            tables.append(table.join(wanted.select("system_id", "benchmark"), on=["system_id", "benchmark"], how="semi"))
    return pl.concat(tables).with_columns(pl.lit(origin).alias("origin"))


def quantiles(forecasts: pl.DataFrame, model: Model, factor: float) -> np.ndarray:
    """Quantiles (n, 23) in shares of one of rows made by `law_forecasts`, at `factor` times their standard deviation."""
    place = {name: i for i, name in enumerate(model.cells.benchmarks.names)}
    q = np.array([place[name] for name in forecasts["benchmark"]], dtype=np.intp)
    return Predicted(forecasts["mean"].to_numpy(), forecasts["sd"].to_numpy()).quantiles(model.cells.benchmarks, q, LEVELS, factor)


def scored(forecasts: pl.DataFrame, levels: np.ndarray) -> pl.DataFrame:
    """Add WIS and absolute error in points of 100, and whether the 50, 80 and 95 % intervals held the outcome."""
    observed = forecasts["value"].to_numpy()
    wis = 100.0 * weighted_interval_score(levels, LEVELS, observed).wis
    held = {name: (levels[:, low] <= observed) & (observed <= levels[:, high]) for name, (low, high) in INTERVALS.items()}
    return forecasts.select(*KEYS, "told", "method", observed="value").with_columns(
        pl.Series("wis", wis),
        pl.Series("absolute_error", 100.0 * np.abs(levels[:, len(LEVELS) // 2] - observed)),
        *(pl.Series(f"held_{name}", inside) for name, inside in held.items()),
        *(pl.Series(f"above_{name}", observed > levels[:, high]) for name, (_, high) in INTERVALS.items()),
    )


def rounds(
    frame: pl.DataFrame,
    origins: Iterable[date],
    settings: Settings | None = None,
    factor: float = FACTOR,
    fitter: Fitter | None = None,
    window: int = WINDOW,
) -> pl.DataFrame:
    """Run the law at each origin and return its scored rows of all three TOLD."""
    tables = []
    for origin in origins:
        rows = asked(frame, origin, window)
        model = fitter(training(frame, origin)) if fitter else fit(cells(training(frame, origin)), settings)
        forecasts = law_forecasts(frame, origin, model, rows)
        tables.append(scored(forecasts, quantiles(forecasts, model, factor)))
    return pl.concat(tables)


def summary(scores: pl.DataFrame, by: Sequence[str] = ("method", "told")) -> pl.DataFrame:
    """Mean WIS and absolute error (points) and coverage (per cent) by method and by what it was told."""
    return (
        scores.group_by(*by)
        .agg(
            pl.len().alias("rows"),
            pl.col("release").n_unique().alias("releases"),
            pl.col("wis").mean(),
            pl.col("absolute_error").mean(),
            *((pl.col(f"held_{name}").mean() * 100.0).alias(f"held_{name}") for name in INTERVALS),
        )
        .sort(*by)
    )
