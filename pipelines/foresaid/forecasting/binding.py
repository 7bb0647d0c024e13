"""A frozen curve on the outcomes of its target: each with the covariates that the ledger recorded with it.

A conditional forecast names no model; it is applied, without a refit, to whatever its target turned out to bind. Nothing is looked
up in the record, so that no later edit of the record changes a score. A model whose covariates were not published by the day of
its outcome is kept as a row without a forecast, so that it can be counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import polars as pl

from foresaid.fitting.frozen_curve import Curve
from foresaid.forecasting.predict import predict
from foresaid.laws._loader import load as load_law
from foresaid.registry.view import RELEASE_YEAR, release_year


@dataclass(frozen=True)
class Subject:
    """A model with its outcome, in the unit of the quantity, and the raw covariates as first published."""

    subject_id: str
    cluster: str
    released_on: date | None
    observed: float
    covariates: Mapping[str, float] = field(default_factory=dict)

    def covariate(self, name: str) -> float:
        """A raw covariate, NaN where it was not published; the release year follows from the day of the release."""
        if name == RELEASE_YEAR:
            return release_year(self.released_on) if self.released_on is not None else float("nan")
        return float(self.covariates.get(name, float("nan")))


def apply(curve: Curve, subjects: Sequence[Subject]) -> pl.DataFrame:
    """The curve on subjects: point and quantiles beside each, null and NaN where it makes no forecast, and what it is about."""
    record = curve.record
    columns = [
        item.apply(np.array([one.covariate(item.quantity_id) for one in subjects], dtype=float)) for item in curve.covariates
    ]
    out = predict(
        load_law(record.law, record.settings), curve, np.column_stack(columns) if columns else np.empty((len(subjects), 0))
    )
    return pl.DataFrame(
        {
            "subject_id": [one.subject_id for one in subjects],
            "cluster": [one.cluster for one in subjects],
            "released_on": [one.released_on for one in subjects],
            "observed": [one.observed for one in subjects],
        },
        schema={"subject_id": pl.String, "cluster": pl.String, "released_on": pl.Date, "observed": pl.Float64},
    ).with_columns(
        split=pl.lit("larger" if record.series else "released"),
        target_id=pl.lit(record.target_id),
        quantity_id=pl.lit(record.quantity_id),
        series=pl.lit(record.series),
        status=pl.lit(record.status),
        distance=pl.lit(None, dtype=pl.Float64),
        point=pl.Series(out.point, dtype=pl.Float64).fill_nan(None),
        quantiles=pl.Series(out.quantiles.tolist(), dtype=pl.List(pl.Float64)),
    )
