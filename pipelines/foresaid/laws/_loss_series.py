"""What the three laws of score against loss share: their settings, their rows, and what is resampled.

A series is one quantity against one loss, for one run or several runs that share corpus and tokeniser: a loss does not
compare between model series. Scores are brought to chance 0 and perfect 1. Where a series has several runs, whole runs are
resampled; within a single run, blocks of neighbouring checkpoints are, since neighbours share their noise. Blocks say
nothing about how another run of the same kind would differ.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import polars as pl

from foresaid.arrays import Array
from foresaid.fitting.data import Covariate, Target, TrainingTable
from foresaid.fitting.law import Law
from foresaid.laws._settings import read_entries
from foresaid.registry.view import View

LOSS = (0.0, 25.0)  # nats per token; a quantity's own bounds are tighter
STARTS = 12  # thresholds tried, evenly between the smallest and the largest loss
GRID = 129  # thresholds of the profile
LEAST_GAIN = 0.10  # share of the way from chance to perfect
LEAST_FLAT = 3  # rows above the threshold


@dataclass(frozen=True)
class LossSeries:
    """One series' entry in params.yaml, under the quantity it forecasts: the loss, and which runs (nothing named: all).

    Runs are named one by one, or by a prefix of their families where many runs share a corpus.
    """

    loss: str
    runs: tuple[str, ...] = ()
    families: tuple[str, ...] = ()


@dataclass(frozen=True)
class LossLaw(Law):
    """A score as a function of one loss; subclasses say which function."""

    sources: tuple[str, ...]
    series: dict[str, LossSeries] = field(default_factory=dict)
    blocks: int = 10

    noise: ClassVar[str] = "natural"

    @staticmethod
    def read_settings(values: dict[str, Any]) -> dict[str, Any]:
        """Bring the entry of params.yaml into typed form."""
        return {**values, "series": read_entries(LossSeries, values.get("series", {}), "laws, series")}

    def tables(self, view: View) -> list[TrainingTable]:
        """One table for each series, by quantity."""
        return [self.table(view, quantity_id) for quantity_id in sorted(self.series)]

    def table(self, view: View, quantity_id: str) -> TrainingTable:
        """Return the rows of one series: every subject with both the score and the loss."""
        settings = self.series[quantity_id]
        quantity = view.quantity(quantity_id)
        view.quantity(settings.loss)
        wide = view.wide([quantity_id, settings.loss], self.sources).filter(pl.col(quantity_id).is_not_null())
        if settings.runs:
            wide = wide.filter(pl.col("run").is_in(list(settings.runs)))
        if settings.families:
            wide = wide.filter(pl.any_horizontal(pl.col("family").str.starts_with(prefix) for prefix in settings.families))
        known = wide.filter(pl.col(settings.loss).is_not_null())
        offset = quantity.chance if quantity.chance is not None else quantity.lower
        runs, families = sorted(set(known["run"])), sorted(set(known["family"]))
        series = runs[0] if len(runs) == 1 else "+".join(settings.families or families)
        target = Target(
            f"{quantity_id}/{series}" if series else quantity_id,
            f"{quantity.title}, {series}" if series else quantity.title,
            quantity_id,
            (Covariate(settings.loss),),
            offset,
            quantity.upper - offset,
            quantity.lower,
            quantity.upper,
            quantity.resolver,
            series or None,
            progress=-1,
        )
        loss = known[settings.loss].to_numpy().astype(float)
        return TrainingTable.of_rows(
            target,
            known,
            "run" if len(runs) > 1 else blocks(loss, self.blocks),
            loss[:, None],
            (known[quantity_id].to_numpy().astype(float) - offset) / target.span,
            ((f"no {settings.loss}", wide.height - known.height),),
        )

    def horizon(self, x: Array) -> Array:
        """The rows, and a loss lower than all of them by a tenth of their range: what a forecast is asked for."""
        low, high = x[:, 0].min(), x[:, 0].max()
        return np.vstack([x, [[low - 0.1 * (high - low)]]])


def blocks(loss: Array, wanted: int) -> tuple[str, ...]:
    """Name the block of each checkpoint: `wanted` blocks of neighbours in the order of the loss, as even as can be.

    >>> blocks(np.array([3.0, 2.0, 2.5, 2.9]), 2)
    ('block-00', 'block-01', 'block-01', 'block-00')
    """
    rank = np.empty(len(loss), dtype=int)
    rank[np.argsort(-loss, kind="stable")] = np.arange(len(loss))
    return tuple(f"block-{place * wanted // len(loss):02d}" for place in rank)


def thresholds(x: Array, wanted: int) -> Array:
    """Return losses evenly between the smallest and the largest of the rows.

    >>> thresholds(np.array([[2.0], [3.0]]), 3).tolist()
    [2.0, 2.5, 3.0]
    """
    return np.linspace(x[:, 0].min(), x[:, 0].max(), wanted)


def shape_starts(shapes: Array, y: Array, ceiling: float) -> Array:
    """Scale each candidate shape (K, n) to the scores by least squares; return scale and squared error, each (K,)."""
    scale = (shapes @ y) / np.maximum((shapes**2).sum(axis=1), 1e-12)
    scale = np.clip(scale, 1e-3, ceiling)
    return np.column_stack([scale, ((scale[:, None] * shapes - y) ** 2).sum(axis=1)])


def shown(table: TrainingTable, threshold: float, fitted: Array, parameters: int) -> bool:
    """Say whether these rows show a threshold. The rule was written down before any series was fitted.

    All three must hold: at the smallest observed loss the fitted score is a tenth or more of the way from chance to
    perfect; at least three rows have a loss above the threshold, so that a flat part has been seen at all; and the fit beats a
    constant by the Bayesian information criterion.
    """
    loss, n = table.x[:, 0], table.n
    gain = fitted[np.argmin(loss)]
    flat = int((loss > threshold).sum())
    law = n * np.log(max(float(((fitted - table.y) ** 2).mean()), 1e-300)) + parameters * np.log(n)
    constant = n * np.log(max(float(table.y.var()), 1e-300)) + np.log(n)
    return bool(gain >= LEAST_GAIN and flat >= LEAST_FLAT and law < constant)
