"""What a page says of the fitted capability law: every system's index, every benchmark's loading, and what measuring it brings."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl

from foresaid.forecasting.complete import quantiles, worth_measuring
from foresaid.laws._capability_index import ability_residuals, reference_index
from foresaid.laws._capability_kernel import names
from foresaid.laws._capability_likelihood import likelihood
from foresaid.laws._capability_model import NEW, Model, joint_of_release
from foresaid.laws._capability_rows import EPOCH, YEAR

FEWEST_PAIRS = 10  # systems on both benchmarks below which no correlation is given


def index(model: Model, rng: np.random.Generator) -> pl.DataFrame:
    """Reference index and rank of every system with standard errors, best first.

    Columns system_id, model_id, maker, line, tier, effort, release, cells, released_on,
    index, index_error, rank, rank_error.
    """
    found, systems = reference_index(model, rng), model.cells.systems
    return pl.DataFrame(
        {
            "system_id": systems.ids,
            "model_id": systems.models,
            "maker": systems.makers,
            "line": systems.lines,
            "tier": systems.tiers,
            "effort": [None if np.isnan(value) else float(value) for value in systems.effort],
            "release": systems.releases,
            "released_on": [EPOCH + timedelta(days=round(years * YEAR)) for years in systems.t],
            "cells": np.bincount(model.cells.s, minlength=systems.n),
            "index": found.value,
            "index_error": found.error,
            "rank": found.rank,
            "rank_error": found.rank_error,
        },
        schema_overrides={"effort": pl.Float64},
    ).sort(pl.col("index").round(9), "system_id", descending=[True, False])


def loadings(model: Model) -> pl.DataFrame:
    """Loading of every benchmark on ability with its standard error, from the average information at the end of the fit.

    Columns benchmark, cells, chance, items, loading, loading_error. The error is by the delta method from that of ln loading and
    leaves out what the sizes of the effects share with it only in so far as the information is an average.
    """
    board = model.cells.benchmarks
    found = likelihood(model.cells, model.settings, model.log_parameters)
    assert found is not None  # the model was conditioned at these parameters
    variance = np.diag(np.linalg.inv(found.information))
    order = names(model.settings, board.names)
    at = [order.index(f"loading: {name}") for name in board.names]
    loading = np.exp(model.log_parameters[at])
    return pl.DataFrame(
        {
            "benchmark": board.names,
            "cells": np.bincount(model.cells.q, minlength=len(board.names)),
            "chance": board.chance,
            "items": [None if np.isnan(value) else int(value) for value in board.items],
            "loading": loading,
            "loading_error": loading * np.sqrt(variance[at]),
        },
        schema_overrides={"items": pl.Int64},
    )


def residual_correlations(model: Model) -> pl.DataFrame:
    """Correlation, over the systems on both, of what ability alone leaves of two benchmarks, the strongest first.

    Columns first, second, systems, correlation; pairs with fewer than FEWEST_PAIRS systems are left out. The law takes these
    residuals to be independent: a large figure says that two boards measure something of their own together.
    """
    cells = model.cells
    table = pl.DataFrame({"s": cells.s, "q": cells.q, "left": ability_residuals(model)})
    pairs = table.join(table, on="s", suffix="_second").filter(pl.col("q") < pl.col("q_second"))
    found = (
        pairs.group_by("q", "q_second")
        .agg(systems=pl.len(), correlation=pl.corr("left", "left_second"))
        .filter((pl.col("systems") >= FEWEST_PAIRS) & pl.col("correlation").is_finite())
    )
    name = dict(enumerate(cells.benchmarks.names))
    return (
        found.with_columns(
            pl.col("q").replace_strict(name, return_dtype=pl.String).alias("first"),
            pl.col("q_second").replace_strict(name, return_dtype=pl.String).alias("second"),
        )
        .select("first", "second", "systems", "correlation")
        .sort(pl.col("correlation").abs().round(9), "first", "second", descending=[True, False, False])
    )


def what_each_adds(model: Model, day: date, factor: float) -> pl.DataFrame:
    """What measuring a benchmark says of all the others, for a model of a line and tier nobody has seen, released on `day`.

    Columns place, benchmark, alone, next, sd. `alone`: information in nats if nothing else is known; `place`: the order in which to
    measure when each time the most informative is taken; `next`: its information then; `sd`: mean standard deviation (points of
    100) of the rest after it. Scores measured on the way are taken at their forecast median.
    """
    found = joint_of_release(model, NEW, "", NEW, None, day)
    alone = {one.benchmark: one.information for one in worth_measuring(found, {}, factor=factor)}
    known: dict[str, float] = {}
    rows: list[dict[str, Any]] = []
    while candidates := worth_measuring(found, known, factor=factor):
        best = max(candidates, key=lambda one: round(one.information, 9))
        rows.append(
            {
                "place": len(rows) + 1,
                "benchmark": best.benchmark,
                "alone": alone[best.benchmark],
                "next": best.information,
                "sd": best.sd,
            }
        )
        median = quantiles(found, known, [0.5])[found.benchmarks.names.index(best.benchmark), 0]
        known[best.benchmark] = float(median)
    return pl.DataFrame(rows)
