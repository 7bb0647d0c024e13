"""What became of every value a replay could have forecast: by how many releases, and why the others were not.

A table of scores shows what was forecast. A value no law could forecast stands nowhere in it, so each is counted here, with the
reason: without it "74 rows" may mean that the record held 74, or that 500 were lost on the way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from foresaid.registry import database
from foresaid.registry.database import Database
from foresaid.registry.systems import EACH, models_of

SCORES = ("benchmark", "index")
LEAST = 8  # systems on a board below which neither growth nor the capability law is fitted to it, as params.yaml ships
NO_FORECAST = pl.DataFrame(schema=dict.fromkeys(("law", "role", "subject_id", "quantity_id"), pl.String))
KEY = ["subject_id", "quantity_id", "setting", "source_id"]


@dataclass(frozen=True)
class Account:
    """Values (one a system, quantity, protocol and source) that became known; how many a law forecast; reasons of the others."""

    values: int
    models: int
    releases: int
    forecast: int
    forecast_releases: int
    reasons: dict[str, int]


def account(
    connection: Database, known_on: date, until: date, released_after: date, forecasts: pl.DataFrame, wanted: Sequence[str] = ()
) -> Account:
    """Count what `until` knew and `known_on` did not, of models released after a day, and what of it `forecasts` holds.

    `forecasts` has the columns of NO_FORECAST; only rows whose role is law count. Values of models without a release date belong to
    no day: they are counted among the reasons, and not among the values.
    """
    before, after = (database.as_of(connection, day).of(EACH) for day in (known_on, until))
    scores = [name for name, card in after.quantities.items() if card.kind in SCORES and (not wanted or name in wanted)]
    mine = (pl.col("kind") == "model") & pl.col("quantity_id").is_in(scores)
    known = before.observations.filter(mine)
    new = after.observations.filter(mine).join(known.select(KEY), on=KEY, how="anti").with_columns(model_id=models_of("subject_id"))
    undated = new.filter(pl.col("released_on").is_null())
    releases = database.models(connection).select("model_id", "release")
    new = new.filter(pl.col("released_on") > released_after).join(releases, on="model_id", how="left")
    by_law = forecasts.filter(pl.col("role") == "law").select("subject_id", "quantity_id").unique()
    systems = known.group_by("quantity_id", "setting").agg(systems=pl.col("subject_id").n_unique())
    resolver = pl.DataFrame(
        [(name, card.resolver) for name, card in after.quantities.items()],
        {"quantity_id": pl.String, "resolver": pl.String},
        orient="row",
    )
    told = (
        new.join(by_law.with_columns(forecast=True), on=["subject_id", "quantity_id"], how="left")
        .join(systems, on=["quantity_id", "setting"], how="left")
        .join(resolver, on="quantity_id", how="left")
        .with_columns(pl.col("forecast").fill_null(False), pl.col("systems").fill_null(0))
    )
    rest = told.filter(~pl.col("forecast")).with_columns(
        reason=pl.when(pl.col("source_id") != pl.col("resolver"))
        .then(pl.lit("come from a source that does not resolve their quantity"))
        .when(pl.col("systems") < LEAST)
        .then(pl.lit(f"stand on a board with fewer than {LEAST} systems on the first day"))
        .otherwise(pl.lit("stand on a board that no law of the question reads or could fit"))
    )
    counts = {
        str(reason): int(n)
        for reason, n in rest.group_by("reason").len().sort("len", "reason", descending=[True, False]).iter_rows()
    }
    if undated.height:
        counts["beside these are of models without a release date"] = undated.height
    hit = told.filter("forecast")
    return Account(
        told.height, told["model_id"].n_unique(), told["release"].n_unique(), hit.height, hit["release"].n_unique(), counts
    )
