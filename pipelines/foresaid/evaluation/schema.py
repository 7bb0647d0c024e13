"""Columns of forecast and score tables: what `hindcast` and `score` write is what `report` reads."""

from __future__ import annotations

import polars as pl

from foresaid.scoring.row_scores import ROW_SCORES

KEY = (
    "evidence",
    "case",
    "split",
    "law",
    "role",
    "target_id",
    "quantity_id",
    "series",
    "subject_id",
    "cluster",
    "released_on",
    "as_of",
)

UNITS = ("release", "maker", "resolution")  # what counts as one, see units.py


COVERAGES = (0.5, 0.8, 0.9, 0.95)


SCORED = pl.Schema(
    {
        **dict.fromkeys(KEY[:10], pl.String()),
        "released_on": pl.Date(),
        "as_of": pl.Date(),
        "release": pl.String(),
        "maker": pl.String(),
        "resolution": pl.Float64(),
        "observed": pl.Float64(),
        "point": pl.Float64(),
        "median": pl.Float64(),
        **dict.fromkeys(("lower_80", "upper_80", "lower_95", "upper_95"), pl.Float64()),
        **dict.fromkeys((one.name for one in ROW_SCORES), pl.Float64()),
        **dict.fromkeys((f"covered_{round(100 * level)}" for level in COVERAGES), pl.Boolean()),
        "status": pl.String(),
        "distance": pl.Float64(),
    }
)


SCHEMA = pl.Schema(
    {
        **dict.fromkeys(
            ("case", "split", "law", "role", "target_id", "quantity_id", "series", "subject_id", "cluster"), pl.String()
        ),
        **dict.fromkeys(("released_on", "as_of", "until"), pl.Date()),
        "observed": pl.Float64(),
        "status": pl.String(),
        **dict.fromkeys(("distance", "point", "mean"), pl.Float64()),
        "quantiles": pl.List(pl.Float64()),
    }
)
