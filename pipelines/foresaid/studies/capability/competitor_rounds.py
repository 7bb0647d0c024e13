"""The published competitors run by the same pseudo-forward rounds as the law, on the same rows.

Item response (conditional; its ability from the release's other benchmarks, prior by its day), two steps (unconditional),
BenchPress's completion (conditional; intervals from its own errors at earlier origins, as the baselines') and, where training
compute is known, the quantile frontier in compute. All but the completion give their own distributions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

import numpy as np
import polars as pl
from scipy.special import expit, ndtri

from foresaid.arrays import Array
from foresaid.forecasting import compute_frontier, item_response, two_step
from foresaid.forecasting.baseline_rows import Rows, rows_of
from foresaid.forecasting.informed_baselines import closest
from foresaid.forecasting.matrix_completion import Settings, fit_logits, to_logit
from foresaid.laws._capability_rows import EDGE, Benchmarks, cells
from foresaid.reproducible import generator
from foresaid.scoring.levels import LEVELS
from foresaid.studies.capability.protocol import WINDOW, asked, scored, training

RESPONSE, STEPS, COMPLETION, COMPUTE = "item response", "date, ability, benchmark", "BenchPress completion", "compute frontier"


def _table(known: Rows, benchmarks: Benchmarks) -> Array:
    """Systems by benchmarks: shares above chance, NaN where not measured."""
    names, row = np.unique(known.system, return_inverse=True)
    table = np.full((len(names), len(benchmarks.names)), np.nan)
    table[row, known.q] = item_response.shares_of(known, benchmarks)
    return table


def competitor_round(
    frame: pl.DataFrame,
    origin: date,
    seed: int,
    window: int = WINDOW,
    compute: Mapping[str, float] | None = None,
    rows: pl.DataFrame | None = None,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return scored rows of the competitors at an origin, and the completion's points (probit) with outcomes for its errors.

    `compute`: training FLOP by model, where known. `rows`: what is asked, by default the releases of the window.
    """
    train_frame, wanted_frame = training(frame, origin), asked(frame, origin, window) if rows is None else rows
    wanted_frame = wanted_frame.sort("system_id", "benchmark").with_columns(pl.lit(origin).alias("origin"))
    benchmarks = cells(train_frame).benchmarks
    inside = pl.col("release").is_in(wanted_frame["release"].unique().to_list()) & pl.col("benchmark").is_in(list(benchmarks.names))
    known, wanted, pool = (rows_of(one, benchmarks) for one in (train_frame, wanted_frame, frame.filter(inside)))
    items = item_response.fit(known, benchmarks)
    completion = fit_logits(to_logit(_table(known, benchmarks)), Settings(), generator(seed, "completion", str(origin)))
    flops = {name: float(np.log(value)) for name, value in (compute or {}).items()}
    levels: dict[str, list[Array]] = {RESPONSE: [], STEPS: [], COMPUTE: []}
    measured, points = [], []
    for i in range(wanted.n):
        q = int(wanted.q[i])
        told = closest(wanted, i, pool.where((pool.release == wanted.release[i]) & (pool.q != q)))
        prior = two_step.ability_on(items, known, float(wanted.day[i]))
        share = item_response.shares_of(told, benchmarks) if told.n else np.empty(0)
        weights = item_response.posterior(items, told.q, share, prior)
        levels[RESPONSE].append(item_response.quantiles(items, q, weights, LEVELS))
        levels[STEPS].append(item_response.quantiles(items, q, prior, LEVELS))
        row = np.full((1, len(benchmarks.names)), np.nan)
        row[0, told.q] = share
        filled = float(expit(completion.new_rows(to_logit(row))[0, q]))
        points.append(float(ndtri(np.clip(filled, EDGE, 1.0 - EDGE))))
        there = (known.q == q) & np.array([model in flops for model in known.model])
        at = flops.get(str(wanted.model[i]))
        found = None
        if at is not None:
            x = np.array([flops[str(model)] for model in known.model[there]])
            found = compute_frontier.frontier(x, known.z[there], at, LEVELS)
        measured.append(found is not None)
        if found is not None:
            levels[COMPUTE].append(benchmarks.to_share(np.full(len(found), q), found))
    chance, ceiling = benchmarks.chance[wanted.q][:, None], benchmarks.ceiling[wanted.q][:, None]
    tables = []
    for name, told_of in ((RESPONSE, "conditional"), (STEPS, "unconditional")):
        values = chance + (ceiling - chance) * np.array(levels[name])
        tables.append(scored(wanted_frame.with_columns(pl.lit(told_of).alias("told"), pl.lit(name).alias("method")), values))
    if any(measured):
        of_compute = wanted_frame.filter(pl.Series(measured)).with_columns(
            pl.lit("compute").alias("told"), pl.lit(COMPUTE).alias("method")
        )
        tables.append(scored(of_compute, np.array(levels[COMPUTE])))
    found_points = wanted_frame.select("system_id", "benchmark", "origin").with_columns(
        pl.lit(COMPLETION).alias("method"), pl.Series("point", points), pl.Series("z", wanted.z)
    )
    return pl.concat(tables), found_points


def competitor_rounds(
    frame: pl.DataFrame, origins: Iterable[date], seed: int, compute: Mapping[str, float] | None = None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """`competitor_round` at every origin, both results one below the other."""
    parts = [competitor_round(frame, origin, seed, compute=compute) for origin in origins]
    return pl.concat([part[0] for part in parts]), pl.concat([part[1] for part in parts])
