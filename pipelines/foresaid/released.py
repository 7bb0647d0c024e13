"""The released models of the pre-registration: our default beside the paper's own form and the compute and size baselines.

Rows are pooled on one scale and resampled by model family, since the models of a family are one draw. What the preset lacks, it
lacks: the authors gave no interval, so its WIS is its absolute error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from foresaid.forecast import LEVELS
from foresaid.law import Array
from foresaid.scoring import covered, weighted_interval_score

PRESET = "printed form"
REPLICATES = 2000


@dataclass(frozen=True)
class Line:
    """One forecaster on one task (or all of them): rows, families, MAE, WIS with a 90 % range over families, 80 % coverage."""

    task: str
    forecaster: str
    rows: int
    families: int
    mae: float
    wis: float
    low: float
    high: float
    coverage: float


def with_preset(forecasts: pl.DataFrame, printed: pl.DataFrame) -> pl.DataFrame:
    """Add the printed form's points to hindcast rows as one more forecaster, for the subjects and tasks it has.

    `forecasts` has law, quantity_id, subject_id, cluster, value, point and quantiles; `printed` has quantity_id, subject_id, point.
    """
    facts = forecasts.select("quantity_id", "subject_id", "cluster", "value").unique()
    points = printed.select("quantity_id", "subject_id", "point").drop_nulls().join(facts, on=["quantity_id", "subject_id"])
    preset = points.with_columns(
        pl.lit(PRESET).alias("law"),
        pl.concat_list([pl.col("point")] * len(LEVELS)).alias("quantiles"),
    )
    columns = ["law", "quantity_id", "subject_id", "cluster", "value", "point", "quantiles"]
    return pl.concat([forecasts.drop_nulls("point").select(columns), preset.select(columns)])


def table(rows: pl.DataFrame, forecasters: Sequence[str], rng: np.random.Generator) -> list[Line]:
    """Score forecasters on the rows all of them answered, task by task and pooled.

    Returns nothing for a task without a common row. Scores are in the unit of the quantities, which must share one scale.
    """
    rows = rows.filter(pl.col("law").is_in(list(forecasters)))
    common = rows.group_by("quantity_id", "subject_id").agg(pl.col("law").n_unique()).filter(pl.col("law") == len(forecasters))
    rows = rows.join(common.select("quantity_id", "subject_id"), on=["quantity_id", "subject_id"])
    made = []
    for task in [*sorted(set(rows["quantity_id"])), "all"]:
        part = rows if task == "all" else rows.filter(pl.col("quantity_id") == task)
        made += [_line(task, name, part.filter(pl.col("law") == name), rng) for name in forecasters if part.height]
    return made


def _line(task: str, name: str, part: pl.DataFrame, rng: np.random.Generator) -> Line:
    quantiles, outcome = np.array(part["quantiles"].to_list()), part["value"].to_numpy()
    wis = weighted_interval_score(quantiles, LEVELS, outcome).wis
    low, high = clustered(wis, list(part["cluster"]), rng)
    mae = float(np.abs(part["point"].to_numpy() - outcome).mean())
    inside = float("nan") if name == PRESET else float(covered(quantiles, LEVELS, outcome, 0.8).mean())
    return Line(task, name, part.height, part["cluster"].n_unique(), mae, float(wis.mean()), low, high, inside)


def clustered(values: Array, clusters: Sequence[str], rng: np.random.Generator) -> tuple[float, float]:
    """Return the 90 % range of a mean (n,) when whole clusters are drawn again.

    >>> clustered(np.array([1.0, 1.0, 1.0]), ["a", "a", "b"], np.random.default_rng(0))
    (1.0, 1.0)
    """
    names, member = np.unique(np.asarray(clusters), return_inverse=True)
    total = np.bincount(member, weights=values)
    count = np.bincount(member)
    drawn = rng.integers(0, len(names), (REPLICATES, len(names)))
    means = total[drawn].sum(axis=1) / count[drawn].sum(axis=1)
    return float(np.quantile(means, 0.05)), float(np.quantile(means, 0.95))


def markdown(lines: Sequence[Line]) -> list[str]:
    """Return the table as Markdown."""
    made = [
        "| task | forecaster | rows (families) | MAE | WIS (90 % range) | 80 % interval holds |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for one in lines:
        share = "no interval" if np.isnan(one.coverage) else f"{one.coverage:.0%}"
        spread = f"{one.wis:.4f} ({one.low:.4f} to {one.high:.4f})"
        made.append(f"| {one.task} | {one.forecaster} | {one.rows} ({one.families}) | {one.mae:.4f} | {spread} | {share} |")
    return made
