"""What counts as one: the release and the maker behind a forecast, and the step between two possible outcomes.

A release is one launch of one maker, as models.csv says: all its sizes, tiers and previews are one independent observation, since
scores rise and fall together. Runs and checkpoints were never launched; their unit is the series they belong to, and their maker
the source that trained and published them. A subject unknown to the record is a release of its own, and its family stands for its
maker.

The resolution of a score is one item, 1 / `items` of quantities.csv, for shares; elsewhere, and where the number of items is not
known, the last digit in which all values of the quantity are printed. A quantity with more than PRINTED digits was computed and not
printed: its outcomes count as exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from foresaid.evaluation.schema import UNITS
from foresaid.files import read_frame
from foresaid.registry.database import HISTORY, Database
from foresaid.registry.systems import models_of
from foresaid.registry.view import SHARE

PRINTED = 6  # digits after the point; with more, a value is the result of a computation


@dataclass(frozen=True)
class Units:
    """What the record knows: `subjects` (subject_id, release, maker), and the resolution of each quantity, 0 where exact."""

    subjects: pl.DataFrame
    resolutions: dict[str, float]


NOTHING = Units(pl.DataFrame(schema=dict.fromkeys(("subject_id", "release", "maker"), pl.String())), {})


def printed_step(values: pl.Series) -> float:
    """Unit of the last printed digit of the values, 0 where they have more than PRINTED digits.

    >>> printed_step(pl.Series([12.5, 3.25])), printed_step(pl.Series([1 / 3])), printed_step(pl.Series([20.0, 30.0]))
    (0.01, 0.0, 1.0)
    """
    for digits in range(PRINTED + 1):
        if ((values - values.round(digits)).abs() <= 1e-12 * values.abs()).all():
            return float(10.0**-digits)
    return 0.0


def of(database: Database) -> Units:
    """Read releases, makers and resolutions from the exported record."""
    folder = database.folder
    quantities = read_frame(folder / "quantity.parquet", ["quantity_id", "unit", "items"])
    history = read_frame(folder / HISTORY, ["subject_id", "quantity_id", "source_id", "value", "counts"]).filter("counts")
    steps = {str(name): 1.0 / items for name, unit, items in quantities.iter_rows() if items and unit == SHARE}
    for (name,), part in history.filter(~pl.col("quantity_id").is_in(list(steps))).group_by(["quantity_id"], maintain_order=True):
        steps[str(name)] = printed_step(part["value"])
    models = read_frame(folder / "model.parquet", ["model_id", "release", "organisation"])
    source = history.group_by("subject_id").agg(source=pl.col("source_id").min())
    subjects = (
        read_frame(folder / "subject.parquet", ["subject_id", "kind", "model_id"])
        .join(models, on="model_id", how="left")
        .join(source, on="subject_id", how="left")
        .select(
            "subject_id",
            release=pl.col("release"),
            maker=pl.when(pl.col("kind") == "model").then(pl.col("organisation")).otherwise(pl.col("source")),
        )
        .sort("subject_id")
    )
    return Units(subjects, steps)


def attach(rows: pl.DataFrame, units: Units) -> pl.DataFrame:
    """Add `release`, `maker` and `resolution` to forecasts (subject_id, quantity_id, split, series, cluster)."""
    bare = rows.drop([name for name in UNITS if name in rows.columns])
    # Systems of one model are one launch; a run or checkpoint has no brackets in its name.
    known = units.subjects.rename({"subject_id": "model_id"})
    named = bare.with_columns(model_id=models_of("subject_id"))
    joined = named.join(known, on="model_id", how="left", maintain_order="left").drop("model_id")
    steps = pl.DataFrame(
        {"quantity_id": list(units.resolutions), "resolution": list(units.resolutions.values())},
        schema={"quantity_id": pl.String, "resolution": pl.Float64},
    )
    return complete(joined.join(steps, on="quantity_id", how="left", maintain_order="left"))


def complete(rows: pl.DataFrame) -> pl.DataFrame:
    """Fill what the record does not say: a subject is its own release, its family its maker, an outcome exact.

    Runs held out by scale (`split` larger) count by series, where they have one.
    """
    absent = {"release": pl.String, "maker": pl.String, "resolution": pl.Float64}
    whole = rows.with_columns(pl.lit(None, dtype=kind).alias(name) for name, kind in absent.items() if name not in rows.columns)
    if {"split", "series"} <= set(rows.columns):  # rolling origins hold out by date alone
        series: pl.Expr = pl.when((pl.col("split") == "larger") & (pl.col("series") != "")).then("series")
    else:
        series = pl.lit(None, dtype=pl.String)
    return whole.with_columns(
        release=pl.coalesce(series, "release", models_of("subject_id")),
        maker=pl.coalesce("maker", "cluster"),
        resolution=pl.col("resolution").fill_null(0.0),
    )
