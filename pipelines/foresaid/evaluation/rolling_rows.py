"""The rows of the rolling origins: what was asked, once a question, and what each method said of it.

Some thousand questions of a few rows each are answered by a law or a dozen baselines. A frame for each answer cost more than the
forecasts, so what a question says is written once and all answers are laid beside it in one go.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from foresaid.arrays import Array, list_column
from foresaid.forecasting.predict import Forecast
from foresaid.scoring.levels import LEVELS

SCHEMA = pl.Schema(
    {
        "mode": pl.String(),
        "origin": pl.Date(),
        **dict.fromkeys(("law", "role", "board", "unit", "target_id", "quantity_id", "subject_id", "cluster"), pl.String()),
        **dict.fromkeys(("released_on", "public_on"), pl.Date()),
        "horizon": pl.Int64(),
        "trained_on": pl.Int64(),
        **dict.fromkeys(("lower", "upper", "observed", "latest"), pl.Float64()),
        "status": pl.String(),
        **dict.fromkeys(("distance", "point"), pl.Float64()),
        "quantiles": pl.List(pl.Float64()),
    }
)
PER_ROW = ("subject_id", "cluster", "released_on", "public_on", "horizon", "observed", "latest")  # the rest is the question's


@dataclass(frozen=True)
class Answer:
    """What one method says of the rows of one question, given by its place; `far` as of `rolling_origin.beyond`."""

    question: int
    law: str
    role: str
    status: str
    made: Forecast | None = None
    far: Array | None = None


def tabled(questions: Sequence[pl.DataFrame], answers: Sequence[Answer]) -> pl.DataFrame:
    """One row an answer and row asked, made in one go: thousands of frames of a few rows each cost more than the forecasts."""
    if not answers:
        return pl.DataFrame(schema=SCHEMA)
    sizes = np.array([one.height for one in questions])
    first = np.cumsum(sizes) - sizes
    counts = np.array([sizes[one.question] for one in answers])
    rows = np.concatenate([first[one.question] + np.arange(n) for one, n in zip(answers, counts, strict=True)])
    said = pl.DataFrame({name: [getattr(one, name) for one in answers] for name in ("law", "role", "status")})

    ends = np.cumsum(counts)

    def of(part: str, width: tuple[int, ...]) -> Array:
        found = np.full((int(ends[-1]), *width), np.nan)
        for one, n, end in zip(answers, counts, ends, strict=True):
            each = getattr(one, part) if hasattr(one, part) else getattr(one.made, part, None)
            if each is not None:
                found[end - n : end] = each
        return found

    quantiles, point = of("quantiles", (len(LEVELS),)), of("point", ())
    gone = np.isnan(quantiles).any(axis=1)  # rows for which a law makes no forecast
    point[gone] = np.nan
    made = pl.concat(questions)[rows].hstack(said[np.repeat(np.arange(len(answers)), counts)])
    return made.with_columns(
        distance=pl.Series(of("far", ())).fill_nan(None),
        point=pl.Series(point).fill_nan(None),
        quantiles=pl.when(pl.Series(~gone)).then(list_column(quantiles, len(quantiles))),
    ).select(SCHEMA.names())
