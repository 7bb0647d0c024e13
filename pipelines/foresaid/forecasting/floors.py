"""The least width of a forecast of a share: the noise of counting its items, whatever the curve says.

A share of N items answered right with chance p varies by the binomial law even if p were known without error. A forecast narrower
than that claims to know the outcome of single questions. The floor only moves quantiles outward, so it can cost sharpness and never
coverage. Where the number of items is not known there is no floor.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from foresaid.arrays import Array, list_column, list_values
from foresaid.files import read_frame
from foresaid.registry.database import Database
from foresaid.registry.view import SHARE
from foresaid.scoring.levels import LEVELS


def items_of(database: Database) -> dict[str, int]:
    """Number of items of each share of the record that has one."""
    rows = read_frame(database.folder / "quantity.parquet", ["quantity_id", "unit", "items"]).iter_rows()
    return {str(name): int(items) for name, unit, items in rows if unit == SHARE and items}


def binomial_floor(quantiles: Array, items: Array, ceiling: Array | None = None) -> Array:
    """Move quantiles (n, 23) of shares outward to at least those of Binomial(items, p) / items, p their median; `items` is (n,).

    p is kept half an item off 0 and 1: a model that failed all of N questions may pass one of the next N. Below the median the
    lesser of the two quantiles stands, above it the greater, so every central interval holds the binomial one. Quantiles must not
    descend. With `ceiling` (n,), the share that a flawless system scores, only ceiling * items can be solved and vary, and no
    quantile is moved above it.

    >>> narrow = np.full((1, 23), 0.0)
    >>> binomial_floor(narrow, np.array([100]))[0, [0, 11, 21, 22]].tolist()
    [0.0, 0.0, 0.02, 0.03]
    """
    from scipy.stats import binom  # takes most of a second to load, and most stages set no floor

    if ceiling is not None:
        top = ceiling[:, None]
        return np.asarray(top * binomial_floor(quantiles / top, np.maximum(np.round(ceiling * items), 1.0)))
    level = np.array(LEVELS)
    count = np.asarray(items, dtype=float)[:, None]
    middle = quantiles[:, [len(level) // 2]]
    p = np.clip(middle, 0.5 / count, 1.0 - 0.5 / count)
    # Forecasts that differ in width alone share their median, and the binomial quantiles are slow to find.
    apart, of = np.unique((count + 1j * p)[:, 0], return_inverse=True)
    counted = (binom.ppf(level[None, :], apart.real[:, None], apart.imag[:, None]) / apart.real[:, None])[of]
    return np.where(level < 0.5, np.minimum(quantiles, counted), np.where(level > 0.5, np.maximum(quantiles, counted), quantiles))


def floored(forecasts: pl.DataFrame, items: Mapping[str, int], among: pl.Expr | None = None) -> pl.DataFrame:
    """Apply the floor to rows (quantity_id, quantiles) whose number of items is known; rows without a forecast stay as they are.

    `among` names the rows that may lie below it, where the others are known to lie above.
    """
    known = pl.col("quantity_id").is_in(list(items)) & pl.col("quantiles").is_not_null()
    known &= pl.lit(value=True) if among is None else among
    numbered = forecasts.with_row_index("at")
    mine = numbered.filter(known)
    if not mine.height:
        return forecasts
    quantiles = list_values(mine["quantiles"], len(LEVELS))
    made = np.isfinite(quantiles).all(axis=1)
    counts = np.array([items[name] for name in mine["quantity_id"]])
    quantiles[made] = binomial_floor(quantiles[made], counts[made])
    moved = pl.DataFrame({"at": mine["at"], "floor": list_column(quantiles, len(quantiles))})
    joined = numbered.join(moved, on="at", how="left", maintain_order="left")
    return joined.with_columns(quantiles=pl.coalesce("floor", "quantiles")).drop("at", "floor")
