"""What the resolver of each quantity published of released models, and the best score so far at each release.

Only values of the resolver are taken, since a forecast is scored against no other; of a revised value the current one. A model
whose release has no day cannot be put in order and is left out. Made by the stage `score`; a page shows the rows.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from foresaid.registry.systems import EACH, models_of, taken
from foresaid.registry.view import Quantity

SCHEMA = pl.Schema(
    {
        **dict.fromkeys(("quantity_id", "subject_id"), pl.String()),
        **dict.fromkeys(("released_on", "known_on"), pl.Date()),
        **dict.fromkeys(("value", "best"), pl.Float64()),
    }
)


def released_scores(observations: pl.DataFrame, models: pl.DataFrame, quantities: Mapping[str, Quantity]) -> pl.DataFrame:
    """Return the current scores of the systems of released models by quantity, oldest release first, with the best so far.

    Columns quantity_id, subject_id, released_on, known_on (first public on), value, and `best`: the lowest value up to and with the
    row where lower is better, else the highest. `observations` are all vintages of all sources, `quantities` those wanted.
    """
    resolvers = {name: (quantity.resolver, quantity.direction == "lower") for name, quantity in quantities.items()}
    asked = pl.DataFrame(
        [(name, *stated) for name, stated in resolvers.items()],
        schema={"quantity_id": pl.String, "source_id": pl.String, "lower": pl.Boolean},
        orient="row",
    )
    systems = taken(observations.join(asked, on=("quantity_id", "source_id"), how="semi"), EACH)
    ordered = systems.filter(pl.col("setting") == "").sort("quantity_id", "subject_id", "known_on")
    current = ordered.group_by("quantity_id", "subject_id", maintain_order=True).agg(
        known_on=pl.col("known_on").first(), value=pl.col("value").last(), status=pl.col("status").last()
    )
    rows = current.filter(pl.col("status").is_in(["reported", "revised"]) & pl.col("value").is_not_null())
    dated = models.select("model_id", "released_on").drop_nulls("released_on")
    joined = rows.with_columns(model_id=models_of("subject_id")).join(dated, on="model_id", how="inner")
    value = pl.col("value")
    told = joined.join(asked.select("quantity_id", "lower"), on="quantity_id", how="left")
    return (
        told.sort("quantity_id", "released_on", "subject_id")
        .with_columns(best=pl.when("lower").then(value.cum_min()).otherwise(value.cum_max()).over("quantity_id"))
        .select(list(SCHEMA))
        .cast(dict(SCHEMA))  # type: ignore[arg-type]  # a schema is a mapping of names to types
    )
