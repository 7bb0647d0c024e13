"""What a frozen curve binds: the models of the record that its rule is about, with covariates and outcome, and the curve on them.

A conditional forecast names no model; it is applied, without a refit, to whatever its rule turns out to mean. A model whose
covariates the record does not have is kept as a row without a forecast, so that it can be counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import polars as pl

from foresaid.fitting.frozen_curve import Curve
from foresaid.forecasting.predict import predict
from foresaid.laws._loader import load as load_law
from foresaid.registry.systems import DEFAULT
from foresaid.registry.view import View


def bound(curve: Curve, view: View, published: View, after: date, entered: Mapping[str, float]) -> pl.DataFrame:
    """What a curve binds: subjects released after the day whose value is published, and those whose outcome was entered.

    Columns subject_id, cluster, released_on, known, value, and the covariates on the curve's scale as x0, x1, ...
    """
    record = curve.record
    names = [item.quantity_id for item in curve.covariates]
    which = record.settings.get("systems", DEFAULT)
    wide = view.wide([record.quantity_id, *names], tuple(record.settings["sources"]), which)
    member = (pl.col("family") == record.series) | (pl.col("run") == record.series)
    chosen_rows = (member if record.series else pl.col("kind") == "model") & (pl.col("released_on") > after)
    wide = wide.filter(chosen_rows | pl.col("subject_id").is_in(list(entered)))
    first = published.of(which).under(record.quantity_id)
    columns = {f"x{i}": item.apply(wide[item.quantity_id].to_numpy().astype(float)) for i, item in enumerate(curve.covariates)}
    mine = pl.DataFrame(
        {"subject_id": list(entered), "entered": list(entered.values())}, {"subject_id": pl.String, "entered": pl.Float64}
    )
    return (
        wide.select("subject_id", cluster="family", released_on="released_on")
        .with_columns(**{name: pl.Series(values, dtype=pl.Float64) for name, values in columns.items()})
        .join(first.select("subject_id", "value"), on="subject_id", how="left")
        .join(mine, on="subject_id", how="full", coalesce=True)  # what the record does not know is declined, not dropped
        .with_columns(known=pl.when(pl.col("entered").is_null()).then(pl.col("released_on")), value=pl.coalesce("entered", "value"))
        .filter(pl.col("value").is_not_null())
        .sort("subject_id")
    )


def apply(curve: Curve, rows: pl.DataFrame) -> pl.DataFrame:
    """The curve on rows of `bound`: point and quantiles beside each, null and NaN where it declines, and what it is about."""
    record = curve.record
    x = rows.select([f"x{i}" for i in range(len(record.covariates))]).to_numpy()
    out = predict(load_law(record.law, record.settings), curve, x)
    return rows.select("subject_id", "cluster", "released_on", "value", "known").with_columns(
        split=pl.lit("larger" if record.series else "released"),
        target_id=pl.lit(record.target_id),
        quantity_id=pl.lit(record.quantity_id),
        series=pl.lit(record.series),
        status=pl.lit(record.status),
        distance=pl.lit(None, dtype=pl.Float64),
        point=pl.Series(out.point, dtype=pl.Float64).fill_nan(None),
        quantiles=pl.Series(out.quantiles.tolist(), dtype=pl.List(pl.Float64)),
    )
