"""What upstreams changed between their vintages, by how much, and which scored forecasts that would move.

A forecast is scored on the first value its resolver published and stays so scored. Values are compared on the record alone, row by
row of one key, whatever the upstream's files looked like. The stage `score` makes these tables, a page shows them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from foresaid.files import SAME
from foresaid.registry.view import Quantity

KEY = ["source_id", "subject_id", "quantity_id", "setting"]
CHANGES: dict[str, Any] = {
    "source_id": pl.String,
    "known_on": pl.Date,
    "kind": pl.String,
    "subject_id": pl.String,
    "quantity_id": pl.String,
    "setting": pl.String,
    "before": pl.Float64,
    "value": pl.Float64,
    "change": pl.Float64,
    "previous": pl.Date,
    "note": pl.String,
}


def changes(observations: pl.DataFrame) -> pl.DataFrame:
    """Every row that came after a source's first vintage: new, revised, withdrawn or back, with the value before it.

    `observations` has the columns of the observation table. The result has CHANGES; `change` is null where there was nothing.
    """
    if not observations.height:
        return pl.DataFrame(schema=CHANGES)
    ordered = observations.sort(*KEY, "known_on").with_columns(
        before=pl.col("value").shift(1).over(KEY),
        was=pl.col("status").shift(1).over(KEY),
        first=pl.col("known_on").min().over("source_id"),
    )
    days = ordered.select("source_id", "known_on").unique().sort("source_id", "known_on")
    days = days.with_columns(previous=pl.col("known_on").shift(1).over("source_id"))
    kind = (
        pl.when(pl.col("before").is_null()).then(pl.lit("new"))
        .when(pl.col("status") == "withdrawn").then(pl.lit("withdrawn"))
        .when(pl.col("was") == "withdrawn").then(pl.lit("back"))
        .otherwise(pl.lit("revised"))
    )  # fmt: skip
    later = ordered.filter(pl.col("known_on") > pl.col("first")).join(days, on=["source_id", "known_on"], how="left")
    made = later.with_columns(kind=kind)
    moved = pl.when(pl.col("kind").is_in(["revised", "back"])).then(pl.col("value") - pl.col("before"))
    return made.with_columns(change=moved).select(list(CHANGES)).sort("source_id", "known_on", "kind", "subject_id", "quantity_id")


def totals(changed: pl.DataFrame, units: dict[str, str]) -> pl.DataFrame:
    """For each vintage and unit: how many values were revised, the mean of their absolute changes and the largest.

    Columns source_id, known_on, previous, unit, new, revised, withdrawn, mean_change, largest_change.
    """
    unit = pl.col("quantity_id").replace_strict(units, default="unknown", return_dtype=pl.String)
    return (
        changed.with_columns(unit=unit)
        .group_by("source_id", "known_on", "previous", "unit")
        .agg(
            new=(pl.col("kind") == "new").sum(),
            revised=pl.col("kind").is_in(["revised", "back"]).sum(),
            withdrawn=(pl.col("kind") == "withdrawn").sum(),
            mean_change=pl.col("change").abs().mean(),
            largest_change=pl.col("change").abs().max(),
        )
        .sort("source_id", "known_on", "unit")
    )


def late(changed: pl.DataFrame, observations: pl.DataFrame, models: pl.DataFrame) -> pl.DataFrame:
    """Models a source took up in a later vintage although they were out by the vintage before: no forward test of anything."""
    first = observations.group_by("source_id", "subject_id").agg(known_on=pl.col("known_on").min())
    released = models.select("model_id", "released_on")
    found = (
        changed.filter(pl.col("kind") == "new")
        .select("source_id", "subject_id", "known_on", "previous")
        .unique()
        .join(first, on=["source_id", "subject_id", "known_on"], how="inner")
        .join(released, left_on="subject_id", right_on="model_id", how="inner")
    )
    return found.filter(pl.col("released_on") <= pl.col("previous")).sort("source_id", "known_on", "subject_id")


def moved(scores: pl.DataFrame, observations: pl.DataFrame, resolvers: dict[str, str]) -> pl.DataFrame:
    """Scored forecasts whose outcome has changed since: the value scored, the value now, and the error on either.

    `now` is null where the value was withdrawn. Only the resolver of a quantity counts, as in scoring.
    """
    resolver = pl.col("quantity_id").replace_strict(resolvers, default="", return_dtype=pl.String)
    current = (
        observations.filter((pl.col("source_id") == resolver) & (pl.col("setting") == ""))
        .sort("subject_id", "quantity_id", "known_on")
        .group_by("subject_id", "quantity_id")
        .agg(now=pl.col("value").last(), status=pl.col("status").last(), changed_on=pl.col("known_on").last())
        .with_columns(now=pl.when(pl.col("status").is_in(["reported", "revised"])).then(pl.col("now")))
    )
    joined = scores.drop("status", strict=False).join(current, on=["subject_id", "quantity_id"], how="inner")
    # Scored values went through a Parquet file; one that only lost its last digits there was not revised.
    differs = pl.col("now").is_null() | ((pl.col("now") - pl.col("observed")).abs() > SAME * pl.col("observed").abs())
    names = ("evidence", "case", "law", "target_id", "subject_id", "quantity_id")
    return (
        joined.filter(differs)
        .with_columns(error=(pl.col("median") - pl.col("observed")).abs(), error_now=(pl.col("median") - pl.col("now")).abs())
        .select(*names, "observed", "now", "changed_on", "median", "error", "error_now")
        .sort(names)
    )


def tables(
    scores: pl.DataFrame, observations: pl.DataFrame, models: pl.DataFrame, quantities: Mapping[str, Quantity]
) -> dict[str, pl.DataFrame]:
    """The four tables by name: values that were revised, their sums by vintage, models added late, outcomes that changed since."""
    changed = changes(observations)
    return {
        "revisions": changed.filter(pl.col("kind") != "new"),
        "revisions_by_unit": totals(changed, {name: item.unit for name, item in quantities.items()}),
        "models_added_late": late(changed, observations, models),
        "revisions_of_outcomes": moved(scores, observations, {name: item.resolver for name, item in quantities.items()}),
    }
