"""What the laws of a loss in parameters and tokens share: their settings, their rows, their scale, their horizon.

One target is one loss on the runs of one training corpus and recipe, since coefficients hold for nothing else. Both sizes
enter as natural logarithms, measured from the middle of the training rows while fitting, so that a coefficient and its
exponent are not one number twice. Runs are resampled whole; checkpoints of one run are one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
import polars as pl

from foresaid.arrays import Array
from foresaid.fitting.data import Covariate, Target, TrainingTable
from foresaid.fitting.law import Law, Parameter
from foresaid.fitting.robust_loss import SETTLED, Huber, RobustLoss
from foresaid.laws._settings import check_preset, read_entries
from foresaid.registry.view import View

REACH = 8.0  # times the largest size in each direction: where fits must agree to count as identified
SCATTER = 0.015  # of ln L between runs that differ in nothing but the seed and the schedule
# Irreducible loss and exponents as printed for other runs: Hoffmann et al. 2022 (1.69, 0.34, 0.28), Besiroglu et al. 2024
# (1.82, 0.35, 0.37), Muennighoff et al. 2023 (1.87, 0.35).
FLOOR, EXPONENT = (1.7, 0.3), (0.32, 0.08)
COMPUTE_AXIS = "training compute, log10 of 6 N D in FLOPs"
LIMIT = 80.0  # beyond any real exponent; the square of its power, met in normal equations, stays finite


@dataclass(frozen=True)
class Surface:
    """One loss' entry in params.yaml: its two sizes, and the groups of runs (a prefix of their family) that share a recipe.

    Each group is a target of its own; no group named means all runs of the sources are one. `at_most` leaves out runs with a
    larger loss: the first steps of a run and runs that were still on their way down obey no law of this kind.
    `prior: false` for runs that what is believed was read off: no belief counts twice.
    """

    parameters: str = "params_total"
    tokens: str = "training_tokens"
    groups: tuple[str, ...] = ()
    at_most: float = float("inf")
    prior: bool = True


class ComputeLaw(Law):
    """A law whose rows begin with ln N and ln D, ordered and drawn along training compute."""

    axis_title: ClassVar[str] = COMPUTE_AXIS

    def place(self, x: Array, progress: int) -> Array | None:
        """Training compute, ln(6 N D)."""
        return np.asarray(np.log(6.0) + progress * (x[:, 0] + x[:, 1]))

    def axis(self, point: Array, x: Array) -> Array:
        """Training compute, log10(6 N D)."""
        del point
        return log10_flops(x)


@dataclass(frozen=True)
class SurfaceLaw(ComputeLaw):
    """A loss as a function of ln parameters and ln tokens; subclasses say which function.

    Errors are even on the logarithm of the loss. With `preset: authors` Huber's loss has the delta of 1e-3 of Hoffmann et al.
    2022, equation 3, and nothing else holds the parameters. By default delta is 0.01, about the scatter between runs, and what
    earlier papers found holds the parameters weakly: `believed` gives centre and spread of each, weighed as if single runs
    scattered by 1.5 %. docs/decisions.md says on which rows this was chosen.
    """

    sources: tuple[str, ...]
    surfaces: dict[str, Surface] = field(default_factory=dict)
    preset: str = "default"

    noise: ClassVar[str] = "log"
    typical_noise: ClassVar[float] = SCATTER
    believed: ClassVar[dict[str, tuple[float, float]]] = {}
    settled: ClassVar[float] = SETTLED  # 0 for a law with valleys: see RobustLoss

    @staticmethod
    def read_settings(values: dict[str, Any]) -> dict[str, Any]:
        """Bring the entry of params.yaml into typed form."""
        check_preset(values)
        return {**values, "surfaces": read_entries(Surface, values.get("surfaces", {}), "laws, surfaces")}

    @property
    def residual_loss(self) -> RobustLoss:
        """Return Huber's loss on ln L."""
        return Huber(1e-3 if self.preset == "authors" else 0.01, self.settled)

    @property
    def backtests(self) -> bool:
        """The authors' intervals are those of the bootstrap."""
        return self.preset != "authors"

    def prior(self, parameters: Sequence[Parameter]) -> tuple[Array, Array]:
        """Return what is believed of each parameter before the rows, as centre and weight."""
        known = self.believed if self.preset == "default" else {}
        centre = np.array([known.get(parameter.name, (0.0, np.inf))[0] for parameter in parameters])
        spread = np.array([known.get(parameter.name, (0.0, np.inf))[1] for parameter in parameters])
        return centre, (SCATTER / spread) ** 2

    def of(self, target: Target) -> Law:
        """Without what earlier papers found where they found it on these runs."""
        surface = self.surfaces.get(target.quantity_id, Surface())
        return self if surface.prior or self.preset != "default" else replace(self, preset="without_prior")

    def tables(self, view: View) -> list[TrainingTable]:
        """One table for each loss and group of runs, by loss and group."""
        made = []
        for quantity_id, surface in sorted(self.surfaces.items()):
            for group in surface.groups or ("",):
                table = self._table(view, quantity_id, surface, group)
                if table.n:
                    made.append(table)
        return made

    def _table(self, view: View, quantity_id: str, surface: Surface, group: str) -> TrainingTable:
        quantity = view.quantity(quantity_id)
        sizes = (surface.parameters, surface.tokens)
        wide = view.wide([quantity_id, *sizes], self.sources)
        # A model that happens to have the sizes is no run of this recipe.
        wide = wide.filter(
            (pl.col("kind") != "model") & pl.col("family").str.starts_with(group) & pl.col(quantity_id).is_not_null()
        )
        covariates = tuple(Covariate(name, "ln") for name in sizes)
        x = np.column_stack([item.apply(wide[item.quantity_id].to_numpy().astype(float)) for item in covariates])
        y = wide[quantity_id].to_numpy().astype(float)
        target = Target(
            f"{quantity_id}/{group}" if group else quantity_id,
            f"{quantity.title}, {group}" if group else quantity.title,
            quantity_id,
            covariates,
            0.0,
            1.0,
            quantity.lower,
            quantity.upper,
            quantity.resolver,
            group or None,
        )
        sized, low = ~np.isnan(x).any(axis=1), y <= surface.at_most
        excluded_rows = (("no size known", int((~sized).sum())), (f"loss above {surface.at_most:g}", int((sized & ~low).sum())))
        return TrainingTable.of_rows(target, wide, "run", x, y, excluded_rows).where(sized & low)

    def horizon(self, x: Array) -> Array:
        """The rows, and eight times the largest size in both directions."""
        return np.vstack([x, x.max(axis=0) + np.log(REACH)])


def log10_flops(x: Array) -> Array:
    """Return log10(6 N D) of rows that begin with ln N and ln D.

    >>> log10_flops(np.log([[1e9, 1e10]])).round(3).tolist()
    [19.778]
    """
    return np.asarray((np.log(6.0) + x[:, 0] + x[:, 1]) / np.log(10.0))


def power(exponent: Array) -> Array:
    """Exponentiate without overflow."""
    return np.asarray(np.exp(np.clip(exponent, -LIMIT, LIMIT)))


def floor_and_terms(shapes: Array, y: Array) -> Array:
    """Least-squares floor and coefficients (3,) of loss = floor + a shape_1 + b shape_2, each kept positive.

    The starts of a search: for fixed exponents the laws are linear in these.

    >>> shapes = np.array([[1.0, 2.0], [2.0, 1.0], [3.0, 3.0], [1.0, 1.0]])
    >>> floor_and_terms(shapes, 1.0 + 2.0 * shapes[:, 0] + 0.5 * shapes[:, 1]).round(6).tolist()
    [1.0, 2.0, 0.5]
    """
    columns = np.column_stack([np.ones(len(y)), shapes])
    found = np.linalg.lstsq(columns, y, rcond=None)[0]
    least = 0.05 * float(y.min())
    return np.asarray(np.maximum(found, [0.0, least, least]))
