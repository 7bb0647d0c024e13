"""The model ladder: sizes to the loss on a task's right answers, and that loss to the accuracy on the task.

Both steps are fitted for every resample: the first in `design`, on the ends of runs, whose learning rate has decayed; the
second by the common engine, on checkpoints as well, since loss and accuracy go together all along a run. What is frozen is the
chain of both, nine numbers, which asks only for sizes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import polars as pl

from foresaid.arrays import Array, sigmoid
from foresaid.fitting._elementary import exp
from foresaid.fitting.data import Target, TrainingTable
from foresaid.fitting.law import Design, Parameter
from foresaid.fitting.power_sum import fit_power_sum
from foresaid.fitting.robust_loss import Huber
from foresaid.laws._loss_surface import ComputeLaw, power
from foresaid.laws._runs_of_sizes import SIZES, runs_of_sizes
from foresaid.laws._settings import check_preset, read_entries
from foresaid.registry.view import View

ENDS = 6  # runs the five numbers of the first step need at least
EARLY = 0.1  # of a run: its first checkpoints follow neither step
EVERY = 5  # checkpoints, counted back from a run's end: neighbours share their noise; the authors average so many
SLOPES = (3.0, 8.0, 20.0)
SECOND = 4  # parameters of the second step


def _columns(p: Array, c: Array, x: Array, f: Array, J: Array) -> None:
    """Fill the second step and its derivatives for the compiled engine."""
    for i in range(f.size):
        s = 1.0 / (1.0 + exp(-p[2] * (p[3] - x[0, i])))
        inner = p[1] * s * (1.0 - s)
        f[i] = p[0] + p[1] * s
        J[0, i] = 1.0
        J[1, i] = s
        J[2, i] = inner * (p[3] - x[0, i])
        J[3, i] = inner * p[2]


@dataclass(frozen=True)
class Ladder:
    """One accuracy's entry in params.yaml: the task's loss, and prefixes of the runs that enter (nothing named: all)."""

    loss: str
    runs: tuple[str, ...] = ()


@dataclass(frozen=True)
class ModelLadder(ComputeLaw):
    """An accuracy from parameters and tokens in two steps, by way of the loss on the task's right answers.

        L(N, D) = E + A / N^alpha + B / D^beta,   accuracy = floor + gain / (1 + exp(-slope (midpoint - L)))

    `L` is the task's loss in bits per byte; `N` parameters and `D` tokens, above 0; `E`, `A`, `B`, `alpha`, `beta` as in
    `chinchilla`; `floor` and `gain` fractions; `slope` above 0, per bit per byte; `midpoint` in bits per byte. In the
    paper's letters a = -gain, b = floor + gain, k = slope, L0 = midpoint. The first step is fitted to the ends of runs by Huber's
    loss of the logarithm, the second by least squares to every fifth checkpoint behind the first tenth of each run; gain is
    believed 1 - chance with the weight of one row, as the authors' made-up row of loss 0 and accuracy 1 says.
    `preset: authors` takes all checkpoints, averaged over five, and Huber's delta 1e-3 (here 0.01, as for the surfaces).

    Bhagia et al. 2024, arXiv 2412.04403, equations 1 and 2; forms and settings as in their code.

    Do not trust it for tasks whose accuracy has hardly left chance on the ladder (its gain is then an assumption), for other
    corpora, or in the middle of a run. Their own errors at seven billion parameters average 3.8 points.

    >>> law = ModelLadder(sources=("s",))
    >>> point = np.array([0.5, 5.0, 0.35, 5.0, 0.3, 0.25, 0.75, 8.0, 0.75])
    >>> law.curve(point, np.log([[1.3e9, 2.6e11], [7e9, 4e12]])).round(3).tolist()
    [0.765, 0.849]
    """

    sources: tuple[str, ...]
    tasks: dict[str, Ladder] = field(default_factory=dict)
    preset: str = "default"

    name: ClassVar[str] = "ladder"
    title: ClassVar[str] = "Accuracy by way of the task’s loss (model ladder)"
    formula: ClassVar[str] = "L = E + A / N^α + B / D^β,  accuracy = floor + gain / (1 + exp(−slope (midpoint − L)))"
    reference: ClassVar[str] = "Bhagia et al. 2024, arXiv 2412.04403, eq. 1–2"
    limitations: ClassVar[str] = (
        "Where small runs have hardly left chance, the height of the curve is an assumption. One corpus and recipe; ends of "
        "runs only. The authors miss seven billion parameters by 3.8 points on average."
    )
    columns: ClassVar[Any] = staticmethod(_columns)

    @staticmethod
    def read_settings(values: dict[str, Any]) -> dict[str, Any]:
        """Bring the entry of params.yaml into typed form."""
        check_preset(values)
        return {**values, "tasks": read_entries(Ladder, values.get("tasks", {}), "laws, tasks")}

    @property
    def backtests(self) -> bool:
        """The authors' intervals are those of the fit."""
        return self.preset != "authors"

    def features(self, covariates: int) -> int:
        """The second step sees the task's loss alone."""
        del covariates
        return 1

    def tables(self, view: View) -> list[TrainingTable]:
        """One table for each accuracy; `x` holds ln N, ln D, the task's loss, and 1 for the end of a run."""
        made = [self._table(view, quantity_id, task) for quantity_id, task in sorted(self.tasks.items())]
        return [table for table in made if table.n]

    def _table(self, view: View, quantity_id: str, task: Ladder) -> TrainingTable:
        quantity = view.quantity(quantity_id)
        rows, unsized = runs_of_sizes(view, [quantity_id, task.loss], self.sources, task.runs)
        left = pl.col("left")
        rows = rows.with_columns(end=left == 0, early=left >= (1.0 - EARLY) * pl.col("count"), spaced=left % EVERY == 0)
        if self.preset == "authors":
            means = [pl.col(name).rolling_mean(EVERY, min_samples=1).over("run") for name in (quantity_id, task.loss)]
            smooth = rows.filter(~pl.col("early") | pl.col("end")).with_columns(means)
            ends = rows.filter("end").select("subject_id", quantity_id, task.loss)
            kept = smooth.update(ends, on="subject_id")
        else:
            kept = rows.filter((~pl.col("early") & pl.col("spaced")) | pl.col("end"))
        excluded_rows = (
            unsized,
            ("early in a run, or between the checkpoints taken", rows.height - kept.height),
        )
        offset = quantity.chance if quantity.chance is not None else quantity.lower
        target = Target(
            quantity_id, quantity.title, quantity_id, SIZES, offset, quantity.upper - offset, quantity.lower,
            quantity.upper, quantity.resolver, "+".join(sorted(set(kept["family"]))) or None,
        )  # fmt: skip
        logs = [size.apply(kept[size.quantity_id].to_numpy().astype(float)) for size in SIZES]
        return TrainingTable.of_rows(
            target,
            kept,
            "run",
            np.column_stack([*logs, kept[task.loss].to_numpy().astype(float), kept["end"].to_numpy().astype(float)]),
            (kept[quantity_id].to_numpy().astype(float) - offset) / target.span,
            excluded_rows,
        )

    def parameters(self, target: Target, columns: int) -> tuple[Parameter, ...]:
        """The second step's floor, gain, slope and midpoint; the first step's five are fitted in `design`."""
        del target, columns
        return (
            Parameter("floor", "score at a large loss", "share from chance", -0.5, 0.5, (-0.05, 0.05)),
            Parameter("gain", "rise from the floor to the ceiling", "share from chance", 0.0, 1.5, (0.4, 1.0), natural=True),
            Parameter("slope", "how sharply the score rises as the loss falls", "per bit per byte", 0.1, 100.0, (2.0, 20.0)),
            Parameter("midpoint", "loss at half the rise", "bits per byte", -5.0, 10.0, (0.4, 1.2)),
        )

    typical_noise: ClassVar[float] = 0.02

    def prior(self, parameters: Sequence[Parameter]) -> tuple[Array, Array]:
        """Believe the whole rise to be from chance to perfect, with the weight of one row."""
        del parameters
        return np.array([0.0, 1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0, 0.0])

    def design(self, x: Array, weights: Array) -> Design:
        """Fit the first step to the ends of runs, for each copy; the second step sees the loss as it was measured."""
        end = x[:, 3] > 0 if x[:, 3].any() else np.ones(len(x), dtype=bool)
        # A copy that drew no end at all takes them as they are.
        drawn = np.where(weights[:, end].any(axis=1, keepdims=True), weights[:, end], 1.0)
        loss = Huber(1e-3 if self.preset == "authors" else 1e-2)
        first = fit_power_sum(np.exp(x[end, :2]), x[end, 2], drawn, loss=loss, wanted=3)
        chain = np.column_stack(
            [first.floor, first.ln_coefficient[:, 0], first.exponent[:, 0], first.ln_coefficient[:, 1], first.exponent[:, 1]]
        )
        return Design(x[:, 2:3], lambda p: np.column_stack([chain, p]))

    def folded_names(self, names: tuple[str, ...], target: Target) -> tuple[str, ...]:
        """Name the nine frozen numbers."""
        del target
        return ("irreducible", "ln_A", "alpha", "ln_B", "beta", *names)

    @staticmethod
    def task_loss(parameters: Array, x: Array) -> Array:
        """Return the first step: nine frozen numbers (..., 9) and rows that begin with ln N, ln D give (..., n)."""
        floor, a, alpha, b, beta = (parameters[..., i, None] for i in range(5))
        return np.asarray(floor + power(a - alpha * x[..., 0]) + power(b - beta * x[..., 1]))

    def curve(self, parameters: Array, x: Array) -> Array:
        """Evaluate the chain (nine numbers, sizes), or the second step alone (four numbers, the task's loss)."""
        chained = parameters.shape[-1] > SECOND
        loss = self.task_loss(parameters, x) if chained else x[..., 0]
        floor, gain, slope, midpoint = (parameters[..., i, None] for i in range(-SECOND, 0))
        return np.asarray(floor + gain * sigmoid(slope * (midpoint - loss)))

    def jacobian(self, parameters: Array, x: Array) -> Array:
        """Derivative of the second step by its four parameters."""
        _, gain, slope, midpoint = (parameters[..., i, None] for i in range(SECOND))
        s = sigmoid(slope * (midpoint - x[..., 0]))
        inner = gain * s * (1.0 - s)
        return np.stack([np.ones_like(s), s, inner * (midpoint - x[..., 0]), inner * slope], axis=-1)

    def starts(self, x: Array, y: Array) -> Array:
        """For three slopes and three midpoints, floor and gain by least squares."""
        made = []
        for slope in SLOPES:
            for midpoint in np.quantile(x[:, 0], [0.0, 0.3, 0.7]):
                shape = np.column_stack([np.ones(len(y)), sigmoid(slope * (midpoint - x[:, 0]))])
                floor, gain = np.linalg.lstsq(shape, y, rcond=None)[0]
                made.append([float(np.clip(floor, -0.4, 0.4)), float(np.clip(gain, 0.05, 1.4)), slope, float(midpoint)])
        return np.array(made)

    def pre_fit_status(self, table: TrainingTable) -> str | None:
        """The first step needs the ends of several runs."""
        return "too_few_points" if int((table.x[:, 3] > 0).sum()) < ENDS else None

    def horizon(self, x: Array) -> Array:
        """The losses, and one lower than all by a tenth of their range."""
        low, high = float(x[:, 0].min()), float(x[:, 0].max())
        return np.vstack([x, [[low - 0.1 * (high - low)]]])
