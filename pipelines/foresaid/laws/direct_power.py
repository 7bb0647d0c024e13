"""Accuracy straight from the training budget, with no loss in between: minus its logarithm is a power of the budget.

It stands beside the ladder, which goes round by a loss: same runs, same tasks. Only ends of runs enter, since nothing here knows
how far the learning rate of a checkpoint in mid-run had decayed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import polars as pl

from foresaid.arrays import Array, middle
from foresaid.errors import ParameterError
from foresaid.fitting._elementary import exp
from foresaid.fitting.data import Target, TrainingTable
from foresaid.fitting.law import Design, Parameter
from foresaid.laws._loss_surface import REACH, ComputeLaw, power
from foresaid.laws._runs_of_sizes import SIZES, runs_of_sizes
from foresaid.laws._settings import read_entries
from foresaid.registry.view import View

BUDGETS = ("compute", "sizes")
EXPONENTS = (0.05, 0.15, 0.3, 0.6)
LN_6 = 1.791759469228055
LEAST, MOST = 1e-3, 0.999  # shares whose logarithm of a logarithm is taken for a start


def _columns(p: Array, c: Array, x: Array, f: Array, J: Array) -> None:
    """Fill the curve and its derivatives for the compiled engine; c[0] is 1 where compute alone counts."""
    # The choice stands outside the loop, and nothing is read back from what a loop fills: only so it runs in vector registers.
    if c[0] > 0.0:
        a, alpha = p[0], p[1]
        for i in range(f.size):
            size = x[0, i] + x[1, i] + LN_6
            term = exp(min(max(a - alpha * size, -80.0), 80.0))
            value = exp(-term)
            f[i] = value
            J[0, i] = -value * term
            J[1, i] = value * term * size
    else:
        a, alpha, b, beta = p[0], p[1], p[2], p[3]
        for i in range(f.size):
            first = exp(min(max(a - alpha * x[0, i], -80.0), 80.0))
            second = exp(min(max(b - beta * x[1, i], -80.0), 80.0))
            value = exp(-first - second)
            f[i] = value
            J[0, i] = -value * first
            J[1, i] = value * first * x[0, i]
            J[2, i] = -value * second
            J[3, i] = value * second * x[1, i]


@dataclass(frozen=True)
class DirectTask:
    """One accuracy's entry in params.yaml: prefixes of the runs that enter (nothing named: all)."""

    runs: tuple[str, ...] = ()


@dataclass(frozen=True)
class DirectPower(ComputeLaw):
    """Minus the logarithm of an accuracy as a power of the training budget.

        -ln(y) = A / C^alpha,   C = 6 N D            with `budget: compute`
        -ln(y) = A / N^alpha + B / D^beta            with `budget: sizes`

    `y` is the accuracy, a fraction above 0 and below 1, or with `from_chance` its share of the way from guessing to perfect; `C`
    training FLOPs of `N` parameters on `D` tokens, above 0; `A`, `B` above 0; `alpha`, `beta` between 0 and 3. Fitted by least
    squares of y itself, so that a score at or below chance needs no logarithm. Raises ParameterError for another budget.

    Krajewski et al. 2025, arXiv 2512.08894: the first form at one ratio of tokens to parameters, the second across ratios.

    Do not trust it for a score still at chance, whose first points say nothing of the exponent; in the middle of a run; for
    multiple choice, where scores jump; or, with `compute`, for runs that split their compute unlike the training rows.

    >>> law = DirectPower(sources=("s",), budget="compute")
    >>> law.curve(np.array([6.0, 0.13]), np.log([[1.3e9, 2.6e11], [7e9, 4e12]])).round(3).tolist()
    [0.504, 0.68]
    >>> DirectPower(sources=("s",)).curve(np.array([4.0, 0.2, 6.0, 0.25]), np.log([[7e9, 4e12]])).round(3).tolist()
    [0.418]
    """

    sources: tuple[str, ...]
    tasks: dict[str, DirectTask] = field(default_factory=dict)
    budget: str = "sizes"
    from_chance: bool = True

    name: ClassVar[str] = "direct_power"
    title: ClassVar[str] = "Accuracy straight from the training budget"
    formula: ClassVar[str] = "−ln(accuracy) = A / N^α + B / D^β,  or A / C^α with C = 6 N D"
    reference: ClassVar[str] = "Krajewski et al. 2025, arXiv 2512.08894"
    limitations: ClassVar[str] = (
        "It sees no loss, so a score still at chance tells it nothing; it cannot jump. One corpus and recipe; ends of runs only."
    )
    columns: ClassVar[Any] = staticmethod(_columns)

    @staticmethod
    def read_settings(values: dict[str, Any]) -> dict[str, Any]:
        """Bring the entry of params.yaml into typed form."""
        if values.get("budget", BUDGETS[1]) not in BUDGETS:
            raise ParameterError(f"params.yaml, laws, budget: found {values['budget']!r}, expected one of {', '.join(BUDGETS)}")
        return {**values, "tasks": read_entries(DirectTask, values.get("tasks", {}), "laws, tasks")}

    @property
    def _alone(self) -> bool:
        """Whether compute alone counts."""
        return self.budget == BUDGETS[0]

    def constants(self) -> Array:
        """Say to the compiled engine which of the two forms it is."""
        return np.array([float(self._alone)])

    def features(self, covariates: int) -> int:
        """Two sizes; whatever else a row holds is not looked at."""
        del covariates
        return len(SIZES)

    def tables(self, view: View) -> list[TrainingTable]:
        """One table for each accuracy, of the ends of runs."""
        made = [self._table(view, quantity_id, task) for quantity_id, task in sorted(self.tasks.items())]
        return [table for table in made if table.n]

    def _table(self, view: View, quantity_id: str, task: DirectTask) -> TrainingTable:
        quantity = view.quantity(quantity_id)
        rows, unsized = runs_of_sizes(view, [quantity_id], self.sources, task.runs)
        kept = rows.filter(pl.col("left") == 0)
        chance = quantity.chance if quantity.chance is not None else quantity.lower
        offset = chance if self.from_chance else quantity.lower
        target = Target(
            quantity_id, quantity.title, quantity_id, SIZES, offset, quantity.upper - offset, quantity.lower,
            quantity.upper, quantity.resolver, "+".join(sorted(set(kept["family"]))) or None,
        )  # fmt: skip
        excluded_rows = (unsized, ("not the end of a run", rows.height - kept.height))
        return TrainingTable(
            target,
            tuple(kept["subject_id"]),
            tuple(kept["run"]),
            tuple(kept["released_on"]),
            tuple(kept["known_on"]),
            np.column_stack([size.apply(kept[size.quantity_id].to_numpy().astype(float)) for size in SIZES]),
            (kept[quantity_id].to_numpy().astype(float) - offset) / target.span,
            tuple(item for item in excluded_rows if item[1]),
        )

    def parameters(self, target: Target, columns: int) -> tuple[Parameter, ...]:
        """Ln of each term in the middle of the rows, and its exponent; a term or an exponent of zero is a simpler law."""
        del target, columns

        def pair(letter: str, exponent: str, what: str) -> tuple[Parameter, Parameter]:
            meaning = f"ln of the {what} term in the middle of the rows"
            return (
                Parameter(f"ln_{letter}", meaning, "", -20.0, 10.0, (-3.0, 1.0), natural=True),
                Parameter(exponent, f"exponent of {what}", "", 0.0, 3.0, (0.02, 0.6), natural=True),
            )

        if self._alone:
            return pair("A", "alpha", "compute")
        return (*pair("A", "alpha", "parameters"), *pair("B", "beta", "tokens"))

    def design(self, x: Array, weights: Array) -> Design:
        """Measure sizes from the middle of the rows; fold back to A and B at a size of one."""
        del weights
        sizes = x[:, : len(SIZES)]
        at = middle(sizes) + (LN_6 / 2.0 if self._alone else 0.0)

        def fold(p: Array) -> Array:
            if self._alone:
                return np.column_stack([p[:, 0] + p[:, 1] * at.sum(), p[:, 1]])
            return np.column_stack([p[:, 0] + p[:, 1] * at[0], p[:, 1], p[:, 2] + p[:, 3] * at[1], p[:, 3]])

        return Design(sizes - at, fold)

    def curve(self, parameters: Array, x: Array) -> Array:
        """Evaluate the law on ln N, ln D."""
        return np.asarray(np.exp(-sum(term for term, _ in self._terms(parameters, x))))

    def _terms(self, parameters: Array, x: Array) -> list[tuple[Array, Array]]:
        sizes = [x[..., 0] + x[..., 1] + LN_6] if self._alone else [x[..., 0], x[..., 1]]
        return [
            (power(parameters[..., 2 * i, None] - parameters[..., 2 * i + 1, None] * size), size) for i, size in enumerate(sizes)
        ]

    def jacobian(self, parameters: Array, x: Array) -> Array:
        """Derivative by ln of each term and its exponent."""
        terms = self._terms(parameters, x)
        y = self.curve(parameters, x)
        return np.stack([part for term, size in terms for part in (-y * term, y * term * size)], axis=-1)

    def starts(self, x: Array, y: Array) -> Array:
        """For four exponents, the value right in the middle of the rows; of two terms both, then either, carry it."""
        level = float(np.median(np.log(-np.log(np.clip(y, LEAST, MOST)))))
        if self._alone:
            return np.array([[level, exponent] for exponent in EXPONENTS])
        split = ((level - np.log(2.0),) * 2, (level - 0.1, level - 2.4), (level - 2.4, level - 0.1))
        return np.array([[a, one, b, two] for a, b in split for one in EXPONENTS[:3] for two in EXPONENTS[:3]])

    def horizon(self, x: Array) -> Array:
        """The rows, and eight times the largest size in both directions."""
        return np.vstack([x, x.max(axis=0) + np.log(REACH)])
