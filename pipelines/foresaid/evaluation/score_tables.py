"""The tables of scores that pages show beside those of the metrics: made once, by the stage `score`, and only placed by a page.

A page that averages for itself says a rule a second time, and two pages may then disagree. What stands here is too long for the
metrics that a person reviews, and is kept in build/score_tables, a file a table.
"""

from __future__ import annotations

import polars as pl

from foresaid.evaluation.tables import summarise
from foresaid.registry.systems import models_of

FOLDER = "score_tables"  # below build/
LATER = pl.col("released_on") > pl.col("as_of")


def score_tables(measured: pl.DataFrame, silent: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Means of scored rows (columns SCORED and `unit`) by quantity, of the models released after the day, and by model.

    `silent` are rows that were asked for and have no forecast: evidence, case, law, quantity_id, status. Units never share a mean;
    `n_inside` counts outcomes inside the 80 % interval among `n` forecasts that have one.
    """
    by_model = measured.with_columns(model_id=models_of("subject_id"))
    keys = ["evidence", "case", "law", "quantity_id", "status"]
    return {
        "by_evidence": measured.group_by("evidence")
        .agg(n=pl.len(), coverage_80=pl.col("covered_80").mean(), n_models=pl.col("subject_id").n_unique())
        .sort("evidence"),
        "by_quantity": summarise(measured, ["quantity_id", "unit"]),
        "by_quantity_later": summarise(measured.filter(LATER), ["quantity_id", "unit"]),
        "by_method_later": summarise(measured.filter(LATER), ["unit"]),
        "by_model": summarise(by_model, ["model_id", "unit"]),
        "hits_by_model": by_model.filter(pl.col("covered_80").is_not_null())
        .group_by("evidence", "case", "law", "role", "model_id")
        .agg(n=pl.len(), n_inside=pl.col("covered_80").sum())
        .sort("evidence", "case", "law", "role", "model_id"),
        "no_forecast": silent.group_by(keys).len(name="n").sort(keys),
    }
