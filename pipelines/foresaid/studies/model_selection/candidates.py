"""Which model families to evaluate, asked of the record: the candidates, their plane, and how much each budget buys.

studies/model_selection/v_optimal.py searches; this module makes what it searches from the record and turns the answer into a table
and a chart's data. The claim that ten to twenty well-chosen models are enough is a curve here, not a sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from foresaid.arrays import Array
from foresaid.errors import ParameterError
from foresaid.fitting.components import components
from foresaid.registry.view import View
from foresaid.studies.model_selection.v_optimal import Choice, select

COMPONENTS = 3
SIZE = "params_total"


@dataclass(frozen=True)
class Candidates:
    """Models that could be evaluated: families (n,) and their places in the plane (n, K), centred on all of them."""

    families: tuple[str, ...]
    scores: Array


def candidates(view: View, metrics: Sequence[str], source: str, most_parameters: float | None = None) -> Candidates:
    """Return the models of a source with a value on every metric, within a number of parameters.

    A model with a gap is left out: its place in the plane would be a guess. So is one of unknown size when a size
    is asked for. Raises ParameterError when nothing is left.
    """
    wide = view.wide([*metrics, SIZE], (source,)).filter(pl.col("kind") == "model").drop_nulls(list(metrics))
    if most_parameters is not None:
        wide = wide.filter(pl.col(SIZE) <= most_parameters)
    if wide.height <= COMPONENTS:
        limit = "" if most_parameters is None else f" of at most {most_parameters:g} parameters"
        raise ParameterError(
            f"select: found {wide.height} models{limit} in {source} with all of {', '.join(metrics)}; "
            f"expected at least {COMPONENTS + 1}, name other metrics or another source"
        )
    values, one = wide.select(metrics).to_numpy().astype(float)[None], np.ones((1, wide.height))
    return Candidates(tuple(wide["family"]), components(values, one, COMPONENTS).scores(values)[0])


def chosen(pool: Candidates, budget: int, include: Sequence[str] = ()) -> Choice:
    """Return the best whole families within a budget of models, some always in; ParameterError where nothing fits."""
    smallest = sum(pool.families.count(name) for name in set(include))
    found = select(pool.scores, pool.families, [budget], include)
    if not found:
        least = max(COMPONENTS, smallest)
        raise ParameterError(
            f"select: found a budget of {budget} models, expected at least {least}, and families that fit in it and span the plane"
        )
    return found[0]


def curve(pool: Candidates, budgets: Sequence[int], include: Sequence[str] = ()) -> list[Choice]:
    """Return the best choice at each budget that admits one: a chart of the objective against the number of models.

    The least possible objective is the number of components, when every candidate is evaluated. Ruan, Maddison, Hashimoto,
    arXiv 2405.10938v3, section 5: they recommend 10 to 20 models.

    >>> line = np.array([[1.0], [2.0], [-3.0], [0.5]])
    >>> [round(one.objective, 3) for one in curve(Candidates(("a", "a", "b", "c"), line), [1, 2, 3, 4])]
    [1.583, 1.541, 1.018, 1.0]
    """
    return select(pool.scores, pool.families, list(budgets), include)


def lines(pool: Candidates, choice: Choice) -> list[str]:
    """Return a choice as it is printed."""
    sizes = ", ".join(f"{name} ({pool.families.count(name)})" for name in choice.families)
    how = (
        "the best there is: all sets were compared or ruled out"
        if choice.gap == 0
        else f"within {choice.gap:.2%} of the best there is"
    )
    return [
        f"families: {sizes}",
        f"models: {choice.models} of a budget of {choice.budget}",
        f"candidates: {len(pool.families)} in {len(set(pool.families))} families",
        f"objective: {choice.objective:.2f} ({pool.scores.shape[1]} if all candidates were evaluated), {how}",
    ]
