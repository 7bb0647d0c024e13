"""What the laws of a metric against the logarithm of a size share: settings, rows, horizon, the floor.

One target is one family of runs that differ in one size only (words of task data, tokens of pre-training, fine-tuning
examples), since coefficients depend on everything else. A size of zero has no logarithm: those rows are left out and counted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import polars as pl

from foresaid.arrays import Array
from foresaid.fitting.data import Covariate, Target, TrainingTable
from foresaid.fitting.law import Law, Parameter
from foresaid.laws._settings import AtLeastOne, read_entries
from foresaid.registry.view import View

REACH = 8.0  # times the largest size: where fits must agree to count as identified


@dataclass(frozen=True)
class SizeSeries:
    """One quantity's entry in params.yaml: the size it is fitted against, and the runs a family needs to become a target."""

    size: str
    at_least: AtLeastOne = 5


@dataclass(frozen=True)
class SizeLaw(Law):
    """A metric as a function of ln size, one target a family; subclasses say which function."""

    sources: tuple[str, ...]
    series: dict[str, SizeSeries] = field(default_factory=dict)

    noise: ClassVar[str] = "log"

    @staticmethod
    def read_settings(values: dict[str, Any]) -> dict[str, Any]:
        """Bring the entry of params.yaml into typed form."""
        return {**values, "series": read_entries(SizeSeries, values.get("series", {}), "laws, series")}

    def tables(self, view: View) -> list[TrainingTable]:
        """One table for each quantity and family with enough runs, by quantity and family."""
        made = []
        for quantity_id, settings in sorted(self.series.items()):
            quantity = view.quantity(quantity_id)
            view.quantity(settings.size)
            wide = view.wide([quantity_id, settings.size], self.sources)
            wide = wide.filter(pl.col(quantity_id).is_not_null() & pl.col(settings.size).is_not_null())
            covariate = Covariate(settings.size, "ln")
            for family in sorted(set(wide["family"])):
                rows = wide.filter(pl.col("family") == family)
                target = Target(
                    f"{quantity_id}/{family}", f"{quantity.title}, {family}", quantity_id, (covariate,), 0.0, 1.0,
                    quantity.lower, quantity.upper, quantity.resolver, family,
                )  # fmt: skip
                table = _table(target, rows)
                if table.n >= settings.at_least:
                    made.append(table)
        return made

    def horizon(self, x: Array) -> Array:
        """The rows, and eight times the largest size."""
        return np.vstack([x, x.max(axis=0) + np.log(REACH)])


class BentLaw(SizeLaw):
    """A size law that turns from one slope to another."""

    @property
    def random_starts(self) -> int:
        """Half the usual number: the law's own starts cover its shapes, and there is a series for each of sixty fine-tunings."""
        return 100


def floor_parameter(name: str) -> Parameter:
    """Return the loss that stays however far the size grows."""
    return Parameter(name, "loss that no amount of data removes", "nats per token", 0.0, 20.0, (0.0, 3.0), natural=True)


def _table(target: Target, rows: pl.DataFrame) -> TrainingTable:
    size = target.covariates[0]
    x = size.apply(rows[size.quantity_id].to_numpy().astype(float))[:, None]
    excluded = ((f"no logarithm: {size.quantity_id} is zero", int(np.isnan(x).sum())),)
    table = TrainingTable.of_rows(target, rows, "run", x, rows[target.quantity_id].to_numpy().astype(float), excluded)
    return table.where(~np.isnan(x[:, 0]))


def in_order(table: TrainingTable) -> Array:
    """Return the values in the order of size; values at one size are averaged, so that their order cannot matter."""
    sizes, place = np.unique(table.x[:, 0], return_inverse=True)
    return np.asarray(np.bincount(place, weights=table.y) / np.bincount(place, minlength=len(sizes)))
