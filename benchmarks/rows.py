"""Goals 13, 14 and 15: ten million rows in, looked up and scored."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb
import numpy as np
import polars as pl

from benchmarks.measure import Finding, MissingError, Timed, clock, module, ratio, seconds, verdict
from foresaid.arrays import Array
from foresaid.scoring.levels import LEVELS
from foresaid.scoring.rules import pinball, weighted_interval_score

LOAD = Path(__file__).with_name("load.py")
ROWS = 10_000_000
_loaded: dict[tuple[int, int], dict[str, dict[str, float]]] = {}


def _load(quick: bool) -> tuple[int, dict[str, dict[str, float]]]:
    """Run load.py's cases once for both goals: medians by case and step."""
    if not LOAD.exists():
        raise MissingError("benchmarks/load.py is not there yet")
    rows, runs = (1_000_000, 1) if quick else (ROWS, 5)
    if (rows, runs) not in _loaded:
        load = module("benchmarks.load")

        found: dict[str, list[dict[str, float]]] = {case: [] for case in load.CASES}
        with tempfile.TemporaryDirectory() as home:
            subprocess.run([sys.executable, str(LOAD), "--make", str(rows), home], check=True)
            for _ in range(runs):
                for case in load.CASES:
                    words = [sys.executable, str(LOAD), "--case", case, home]
                    done = subprocess.run(words, capture_output=True, text=True, check=False)
                    if done.returncode:
                        raise MissingError(f"load.py could not run the case {case}: {done.stderr.strip().splitlines()[-1]}")
                    found[case].append(json.loads(done.stdout))
        _loaded[rows, runs] = {
            case: {step: statistics.median(item[step] for item in items) for step in items[0]} for case, items in found.items()
        }
    return rows, _loaded[rows, runs]


def goal_13(quick: bool) -> Finding:
    """Ingest with every check, beside plain reads."""
    rows, found = _load(quick)
    csv, parquet = found["foresaid csv"]["load"], found["foresaid parquet"]["load"]
    return Finding(
        13,
        f"ingest {rows:,} rows with checks",
        "CSV <= 7 s, Parquet <= 4 s",
        "",
        f"CSV {seconds(csv)}, Parquet {seconds(parquet)}",
        verdict(rows == ROWS, csv <= 7 and parquet <= 4, None),
        "every rule of the quality gate" + ("" if rows == ROWS else "; fewer rows than the goal asks: no verdict on speed"),
        "plain reads, no check: "
        + ", ".join(
            f"{case} {seconds(steps['load'])}" for case, steps in found.items() if "load" in steps and "foresaid" not in case
        ),
        found,
    )


def goal_14(quick: bool) -> Finding:
    """What was known on a day."""
    rows, found = _load(quick)
    steps = found["as-of"]
    day, one, twenty = steps["one day"], steps["one benchmark"], steps["twenty days"]
    return Finding(
        14,
        f"as-of queries over {rows:,} rows: one date, one benchmark, 20 cut-offs",
        "<= 1.2 s, <= 0.05 s, <= 8 s",
        "",
        f"{seconds(day)}, {seconds(one)}, {seconds(twenty)} (keys coded once in {seconds(steps['coding'])})",
        verdict(rows == ROWS, day <= 1.2 and one <= 0.05 and twenty <= 8, None),
        "latest row known for each key" + ("" if rows == ROWS else "; fewer rows than the goal asks: no verdict on speed"),
        "none: a plain read answers no question",
        steps,
    )


def _plain_duckdb(quantiles: Array, levels: list[float], outcomes: Array, ours: Array) -> tuple[Timed, float]:
    """Time twice the mean pinball loss as one SQL query over a long table in memory, and say how far it is from ours."""
    query = (
        "select forecast, 2 * avg((level - (outcome < quantile)::integer) * (outcome - quantile)) as wis "
        "from long group by forecast order by forecast"
    )
    n, size = quantiles.shape
    with tempfile.TemporaryDirectory() as home:
        long = pl.DataFrame(
            {
                "forecast": np.repeat(np.arange(n), size),
                "level": np.tile(np.array(levels), n),
                "quantile": quantiles.ravel(),
                "outcome": np.repeat(outcomes, size),
            }
        )
        long.write_parquet(Path(home) / "long.parquet")
        connection = duckdb.connect()
        connection.execute(f"create table long as select * from '{home}/long.parquet'")
        timed, found = clock(lambda: connection.sql(query).fetchnumpy()["wis"])
        connection.close()
    return timed, float(np.abs(found - ours).max())


def goal_15(quick: bool) -> Finding:
    """Score ten million quantile rows by the weighted interval score."""
    levels = list(LEVELS)
    rows = (1_000_000 if quick else ROWS) // len(levels)
    rng = np.random.default_rng(15)
    quantiles = np.sort(rng.random((rows, len(levels))), axis=1)
    outcomes = rng.random(rows)
    timed, ours = clock(lambda: weighted_interval_score(quantiles, levels, outcomes).wis)
    half = clock(lambda: pinball(quantiles, levels, outcomes).mean(axis=1))[0]
    try:
        scoringrules = module("scoringrules")
    except MissingError:
        peer, said, off = None, "scoringrules skipped: not installed", "no peer to compare with"
    else:
        peer, theirs = clock(lambda: scoringrules.crps_quantile(outcomes, quantiles, np.array(levels)))
        said = f"scoringrules {scoringrules.__version__} crps_quantile: {seconds(peer.wall)}"
        off = f"WIS equals its figure to {float(np.abs(ours - theirs).max()):.0e}"
    numbers = rows * len(levels)
    base, gap = _plain_duckdb(quantiles, levels, outcomes, ours)
    said += f"; plain DuckDB, one query over rows in memory: {seconds(base.wall)}, equal to {gap:.0e}"
    return Finding(
        15,
        f"score {numbers:,} quantile rows ({rows:,} forecasts of {len(levels)})",
        "<= 0.3 s",
        "0.05 s",
        f"{seconds(timed.wall)} wall for WIS with its parts, {seconds(half.wall)} for pinball"
        + (f"; {ratio(peer.wall / timed.wall)} the peer's" if peer else "")
        + f"; {ratio(base.wall / timed.wall)} plain DuckDB's",
        verdict(numbers > 9_000_000, timed.wall <= 0.3, timed.wall <= 0.05),
        off,
        said,
        {"ours": timed, "pinball": half, "peer": peer, "duckdb": base},
    )
