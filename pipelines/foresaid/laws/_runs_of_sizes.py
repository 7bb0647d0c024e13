"""Runs with their sizes, in the order of training, and where each of them ends: what laws of a score on sizes read alike.

Accuracy and loss of a checkpoint in mid-run are not those of a run that ended there, so a law must know which row is an end.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from foresaid.fitting.data import Covariate
from foresaid.registry.view import View

SIZES = (Covariate("params_total", "ln"), Covariate("training_tokens", "ln"))


def runs_of_sizes(
    view: View, values: Sequence[str], sources: Sequence[str], prefixes: Sequence[str]
) -> tuple[pl.DataFrame, tuple[str, int]]:
    """Return the rows that have all `values` and both sizes, ordered by run and tokens, and how many lack a number of parameters.

    `prefixes` are those of the runs that enter (none: all). Two columns are added: `left`, checkpoints of the run that follow, 0 at
    its end, and `count`, checkpoints of the run.
    """
    parameters, tokens = (size.quantity_id for size in SIZES)
    wide = view.wide([*values, parameters, tokens], sources).drop_nulls([*values, tokens])
    if prefixes:
        wide = wide.filter(pl.any_horizontal(pl.col("run").str.starts_with(prefix) for prefix in prefixes))
    unsized = wide.filter(pl.col(parameters).is_null()).height
    rows = wide.drop_nulls(parameters).sort("run", tokens, "subject_id")
    left, count = pl.int_range(pl.len()).reverse().over("run"), pl.len().over("run")
    return rows.with_columns(left=left, count=count), ("no size known", unsized)
