"""The one place that calls the program's engine: when a call is renamed there, it is renamed here."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from foresaid import parallel
from foresaid.arrays import Array
from foresaid.fitting import cache, least_squares
from foresaid.fitting import fit as fitting
from foresaid.fitting.bootstrap import cluster_weights
from foresaid.fitting.components import components
from foresaid.fitting.data import Target
from foresaid.fitting.imputation import impute
from foresaid.fitting.law import Design
from foresaid.fitting.problem import LeastSquaresProblem
from foresaid.laws._sigmoid import SigmoidTarget
from foresaid.laws.observational import Observational

__all__ = ["bootstrap", "components", "fits", "impute", "law", "problem", "solve", "spread", "starts"]

WORKERS = 2


def law(metrics: int, floor: float = 0.2, slope_limit: float = float("inf")) -> Observational:
    """Return the observational law with three components, with the authors' bounds unless a slope limit is given."""
    names = tuple(f"metric_{i}" for i in range(metrics))
    return Observational(sources=(), targets={"target": SigmoidTarget(floor_at_most=floor)}, metrics=names, slope_limit=slope_limit)


def bootstrap(rows: int, replicates: int, seed: int) -> Array:
    """Counts of a bootstrap that draws single rows, without the data themselves: (R, n)."""
    rng = np.random.default_rng(seed)
    return cluster_weights([f"{i:05d}" for i in range(rows)], replicates, rng)[1:]


def problem(of: Observational, design: Design, y: Array) -> LeastSquaresProblem:
    """State the fit of a target on prepared features."""
    target = Target("target", "", "target", (), 0.0, 1.0, 0.0, 1.0, "")
    parameters = of.parameters(target, design.features.shape[-1])
    free = [dataclasses.replace(parameters[0], lower=-np.inf, upper=np.inf), *parameters[1:]]
    return fitting.problem_for(of, design, y, tuple(free))


def starts(of: Observational, x: Array, y: Array, wanted: int, seed: int) -> Array:
    """Return the law's own starts and random ones, `wanted` in all."""
    own = of.starts(x, y)[:wanted]
    parameters = of.parameters(Target("target", "", "target", (), 0.0, 1.0, 0.0, 1.0, ""), x.shape[-1])
    drawn = fitting.random_starts(parameters, max(wanted - len(own), 0), np.random.default_rng(seed))
    return np.vstack([own, drawn])


def solve(made: LeastSquaresProblem, weights: Array, first: Array) -> tuple[Array, Array]:
    """Fit every copy from every start; return the best parameters (R, P) and objectives (R, S), halves of weighted squares."""
    found = least_squares.solve(made, weights, first)
    return found.parameters[np.arange(len(weights)), found.best], found.objective


def spread(
    work: Callable[[Any], Any], tasks: Sequence[Any], workers: int = WORKERS, backend: str = "threads", size: int = 1
) -> list[Any]:
    """Run tasks through the program's parallel layer."""
    with parallel.using(workers, backend):
        return parallel.each(work, tasks, size)


def fits(tables: Sequence[tuple[Any, Any]], replicates: int, folder: Path | None) -> list[fitting.Fit]:
    """Fit whole tables as the pipeline does, those kept in the folder from there: (law, table) pairs."""
    made = [cache.Shard(of, table, 20240531, replicates) for of, table in tables]
    with parallel.using(WORKERS):
        return cache.fit_all(made, folder)
