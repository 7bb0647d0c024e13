"""Columns and types of the tables that the record is checked into."""

from __future__ import annotations

import polars as pl

SCHEMA = {
    "subject_id": pl.String,
    "quantity_id": pl.String,
    "setting": pl.String,
    "source_id": pl.String,
    "known_on": pl.Date,
    "value": pl.Float64,
    "stderr": pl.Float64,
    "n": pl.Int64,
    "recorded_on": pl.Date,
    "status": pl.String,
    "note": pl.String,
}


MODEL = {
    **dict.fromkeys(("model_id", "family", "organisation"), pl.String),
    "released_on": pl.Date,
    **dict.fromkeys(("released_precision", "release_source"), pl.String),
    **dict.fromkeys(("params_total", "params_active", "training_tokens", "training_flops"), pl.Float64),
    **dict.fromkeys(("kind", "notes", "line", "tier", "release", "line_source", "open_weights"), pl.String),
}


QUANTITY = {
    **dict.fromkeys(("quantity_id", "title", "kind", "unit"), pl.String),
    **dict.fromkeys(("lower", "upper", "chance"), pl.Float64),
    "direction": pl.String,
    "items": pl.Int64,
    **dict.fromkeys(("protocol", "reference", "resolver"), pl.String),
}


SUBJECT = {**dict.fromkeys(("subject_id", "kind", "model_id", "run", "family"), pl.String), "released_on": pl.Date}


KEY = ["subject_id", "quantity_id", "setting", "source_id", "known_on"]


ROWS = {name: kind for name, kind in SCHEMA.items() if name != "source_id"}
