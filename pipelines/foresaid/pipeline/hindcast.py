"""Stage `hindcast`: forecasts made again from old vintages and by rolling origins, beside the observed scores."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from foresaid import parallel
from foresaid.evaluation import rolling_origin, rolling_recalibration, rolling_rows, rolling_scores, units
from foresaid.evaluation.claims import PERIOD
from foresaid.evaluation.hindcast import run_case
from foresaid.evaluation.rolling_recalibration import PLAIN
from foresaid.evaluation.schema import SCHEMA
from foresaid.files import write_frame, write_json
from foresaid.forecasting.floors import floored, items_of
from foresaid.params import Params
from foresaid.project import CACHE
from foresaid.registry import database
from foresaid.registry.database import Database


def by_board(made: pl.DataFrame, items: Mapping[str, int], known: units.Units) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Score forecasts with what earlier origins teach: all that were made, what was asked of whom, and what has no forecast.

    One board after another, since no board teaches another: the quantiles of all of them, three times over, would be the most that
    a hindcast ever holds.
    """
    # An average of forecasts, or one made narrower, may fall below the floor again.
    again = (pl.col("role") == "ensemble") | (pl.col("recalibration") != PLAIN)
    scored, asked, none = [], [], []
    waiting = rolling_recalibration.boards(made) or [made]
    del made
    for _ in parallel.counted(range(len(waiting)), "boards, learning from earlier origins", len(waiting)):
        part = units.attach(floored(waiting.pop(), items), known)
        taught = floored(rolling_recalibration.learned(part), items, again)
        scored.append(rolling_scores.score(taught))
        asked.append(taught.select("mode", "law", "recalibration", "status", pl.col("quantiles").list.head(0)))
        none.append(taught.filter(pl.col("quantiles").is_null() & (pl.col("recalibration") == PLAIN)))
    order = rolling_recalibration.ORDER
    whole = pl.concat([one for one in scored if one.height] or scored[:1]).sort(order)
    return whole, pl.concat(asked), pl.concat(none).sort(order)


def roll(params: Params, connection: Database, cache: Path, full: bool) -> tuple[pl.DataFrame, dict[str, Any]]:
    """Forecast at the rolling origins, in both modes, with what earlier origins teach; return scored rows and their tables."""
    grid = params.rolling
    if grid is None:
        return rolling_scores.score(rolling_recalibration.learned(pl.DataFrame(schema=rolling_rows.SCHEMA))), {}
    days = {mode: rolling_origin.origins(grid, mode, full) for mode in rolling_origin.MODES}
    replicates = grid.full_replicates if full else grid.replicates
    scored, taught, no_forecast = by_board(
        pl.concat([rolling_origin.forecasts(params, connection, mode, days[mode], replicates, cache) for mode in days]),
        items_of(connection),
        units.of(connection),
    )
    return scored, {
        "origins": {
            mode: {"first": each[0].isoformat(), "last": each[-1].isoformat(), "number": len(each), "replicates": replicates}
            for mode, each in days.items()
        },
        "horizons": list(grid.horizons),
        "accounts": rolling_scores.accounts(taught, scored),
        "by_horizon": rolling_scores.by_horizon(scored, no_forecast, grid.horizons, params.seed),
        "recalibrations": rolling_scores.recalibrations(scored, params.seed),
        "by_target": rolling_scores.parts(scored, pl.col("quantity_id")),
        "by_period": rolling_scores.parts(scored, PERIOD),
        "by_distance": rolling_scores.by_distance(scored),
        "by_origin": rolling_scores.by_origin(scored),
    }


def run_full(params: Params, build: Path) -> dict[str, Any]:
    """Take every month of the rolling origins; write build/rolling_full.parquet and .json, no outputs of the pipeline."""
    connection = database.open_database(build / "database")
    scored, tables = roll(params, connection, build / CACHE, full=True)
    connection.close()
    write_frame(build / "rolling_full.parquet", scored)
    write_json(build / "rolling_full.json", tables)
    return tables


def run(params: Params, build: Path, registry: Path, metrics: Path) -> dict[str, int]:
    """Answer every case of params.yaml and the rolling origins; return the number of forecasts by case.

    Writes build/hindcast.parquet (forecasts beside outcomes), build/hindcast_fits.json (the fits behind them),
    build/rolling.parquet and .json (scored rows and tables of the rolling origins) and the metrics hindcast.json and rolling.json.
    """
    connection = database.open_database(build / "database")
    cases = parallel.counted(params.hindcast.items(), "cases", len(params.hindcast))
    answers = [run_case(name, case, params, connection, registry, build / CACHE) for name, case in cases]
    scored, tables = roll(params, connection, build / CACHE, full=False)
    connection.close()
    write_frame(build / "rolling.parquet", scored)
    write_json(build / "rolling.json", tables)
    write_json(metrics / "rolling.json", rolling_scores.brief(tables))
    whole = pl.concat([frame for frame, _ in answers]) if answers else pl.DataFrame(schema=SCHEMA)
    fits = [described for _, made in answers for described in made]
    write_json(build / "hindcast_fits.json", {"fits": fits})
    # The file under git leaves out what is long and only drawn.
    write_json(metrics / "hindcast.json", {"fits": [{k: v for k, v in item.items() if k != "profile"} for item in fits]})
    whole = whole.sort("case", "law", "target_id", "subject_id")
    write_frame(build / "hindcast.parquet", whole)
    counts = {name: whole.filter(pl.col("case") == name).height for name in params.hindcast}
    return {**counts, "rolling origins": scored.filter(pl.col("recalibration") == PLAIN).height}
