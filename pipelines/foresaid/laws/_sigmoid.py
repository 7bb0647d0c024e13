"""The sigmoid with a floor that three laws share: components, compute and size all enter one linear score.

    y = floor + (1 - floor) * s(intercept + sum_j weight_j x_j),   s(z) = 1 / (1 + exp(-z))

Ruan, Maddison and Hashimoto (arXiv 2405.10938v3, equations 3 to 8) with floor = 1 - h. Features are standardised before the
fit, so that a bound on a slope means the same for every law, and folded back onto raw covariates afterwards.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import polars as pl

from foresaid.arrays import Array, sigmoid
from foresaid.errors import ParameterError
from foresaid.fitting._elementary import exp
from foresaid.fitting.data import Covariate, Target, TrainingTable
from foresaid.fitting.law import Design, Law, Parameter
from foresaid.laws._settings import NotNegative, Positive, read_entries
from foresaid.registry.systems import DEFAULT, TAKEN
from foresaid.registry.view import ZETTA, View

LOGIT_CLIP = 0.01  # scores are pulled this far off 0 and 1 for the linear start


@dataclass(frozen=True)
class SigmoidTarget:
    """One target's entry in params.yaml.

    `without` names metrics that may not predict it (a benchmark must not predict itself); `floor_at_most` is the largest
    floor; `training_zettaflops_at_most` is the paper's compute cut-off, used only by hindcasts that ask for it.
    """

    without: tuple[str, ...] = ()
    floor_at_most: float = 0.0
    training_zettaflops_at_most: float | None = None


def _columns(p: Array, c: Array, x: Array, f: Array, J: Array) -> None:
    """Fill the curve and its derivatives for the compiled engine."""
    k = x.shape[0]
    floor = p[k + 1]
    for i in range(f.size):
        f[i] = p[0]
    for j in range(k):
        for i in range(f.size):
            f[i] += p[j + 1] * x[j, i]
    for i in range(f.size):
        s = 1.0 / (1.0 + exp(-f[i]))
        J[0, i] = (1.0 - floor) * s * (1.0 - s)
        J[k + 1, i] = 1.0 - s
        f[i] = floor + (1.0 - floor) * s
    for j in range(k):
        for i in range(f.size):
            J[j + 1, i] = J[0, i] * x[j, i]


@dataclass(frozen=True)
class SigmoidLaw(Law):
    """A sigmoid of a linear score of the covariates; subclasses say which covariates.

    `slope_limit` bounds the change of the logit for one standard deviation of a feature, and `ridge` pulls it to zero (a weight on
    half its square, beside the sum of half squared residuals): without either, rows that a step separates have no optimum.
    `apply_cutoffs` trains below the
    paper's compute cut-offs. `search` is `many` (several starts, the default) or `authors` (their single start, whose
    optimum need not be the best one, and no ridge: only for comparison with printed numbers). `systems` says which rows of a model
    are rows of the law: `default` (no effort, tools or scaffold named), `each` system, or of each model the `highest_effort`.
    """

    sources: tuple[str, ...]
    targets: dict[str, SigmoidTarget] = field(default_factory=dict)
    slope_limit: Positive = 12.0
    ridge: NotNegative = 0.0
    apply_cutoffs: bool = False
    search: str = "many"
    systems: str = DEFAULT

    noise: ClassVar[str] = "natural"
    columns: ClassVar[Any] = staticmethod(_columns)

    @staticmethod
    def read_settings(values: dict[str, Any]) -> dict[str, Any]:
        """Bring the entry of params.yaml into typed form."""
        if (found := values.get("systems", DEFAULT)) not in TAKEN:
            raise ParameterError(f"params.yaml, laws, systems: found {found!r:.80}, expected one of {', '.join(TAKEN)}")
        return {**values, "targets": read_entries(SigmoidTarget, values.get("targets", {}), "laws, targets")}

    @abstractmethod
    def covariates(self, target: SigmoidTarget) -> tuple[Covariate, ...]:
        """Return the raw covariates that predict this target."""

    def entry(self, quantity_id: str) -> SigmoidTarget:
        """The entry of a quantity; that of a quantity `targets` does not name has nothing of its own."""
        return self.targets.get(quantity_id, SigmoidTarget())

    def parameters(self, target: Target, columns: int) -> tuple[Parameter, ...]:
        """Intercept, one slope per standard deviation of each feature, and the floor."""
        meaning = "change of the logit for one standard deviation of the feature"
        limit, floor = self.slope_limit, self.entry(target.quantity_id).floor_at_most
        slopes = [Parameter(f"slope_{i + 1}", meaning, "logit", -limit, limit, (-3.0, 3.0)) for i in range(columns)]
        return (
            Parameter("intercept", "logit of the score of an average row", "logit", -60.0, 60.0, (-4.0, 4.0)),
            *slopes,
            Parameter(
                "floor",
                "score that is left when the logit falls",
                "share",
                0.0,
                floor,
                (0.0, floor),
                natural=True,
            ),
        )

    def curve(self, parameters: Array, x: Array) -> Array:
        """Evaluate the sigmoid; the last parameter is the floor."""
        floor = parameters[..., -1:]
        score = parameters[..., :1] + np.einsum("...nk,...k->...n", x, parameters[..., 1:-1])
        return np.asarray(floor + (1.0 - floor) * sigmoid(score))

    def jacobian(self, parameters: Array, x: Array) -> Array:
        """Derivative by intercept, slopes and floor."""
        floor = parameters[..., -1:]
        s = sigmoid(parameters[..., :1] + np.einsum("...nk,...k->...n", x, parameters[..., 1:-1]))
        inner = (1.0 - floor) * s * (1.0 - s)
        wide = np.broadcast_to(x, (*inner.shape, x.shape[-1]))
        return np.concatenate([inner[..., None], inner[..., None] * wide, (1.0 - s)[..., None]], axis=-1)

    def tables(self, view: View) -> list[TrainingTable]:
        """One table for each target that has any: models with a known score and known covariates."""
        made = [self.table(view, quantity_id) for quantity_id in sorted(self.targets)]
        return [table for table in made if table.n]

    typical_noise: ClassVar[float] = 0.05  # with the usual ridge a slope of 0 give or take 2.9 logits a standard deviation

    def prior(self, parameters: Sequence[Parameter]) -> tuple[Array, Array]:
        """Pull the slopes, not intercept or floor, to zero by `ridge`; the authors did not."""
        weight = np.zeros(len(parameters))
        weight[1:-1] = 0.0 if self.search == "authors" else self.ridge
        return np.zeros(len(parameters)), weight

    @property
    def random_starts(self) -> int:
        """The authors tried no other start than their own."""
        return 0 if self.search == "authors" else super().random_starts

    @property
    def backtests(self) -> bool:
        """The authors gave no intervals."""
        return self.search != "authors"

    def place(self, x: Array, progress: int) -> Array | None:
        """None: rows go by release date, which is no covariate."""
        del x, progress
        return None

    def along(self, table: TrainingTable) -> Array:
        """Release dates, as days; a model without one counts as old."""
        return np.array([float("-inf") if day is None else float(day.toordinal()) for day in table.released_on])

    def table(self, view: View, quantity_id: str, protocol: str = "") -> TrainingTable:
        """Return the rows of one target; a model with no covariate at all is left out."""
        settings = self.entry(quantity_id)
        covariates = self.covariates(settings)
        quantity = view.quantity(quantity_id)
        offset = quantity.chance if quantity.chance is not None else quantity.lower
        named = (f"{quantity_id}[{protocol}]", f"{quantity.title} ({protocol})") if protocol else (quantity_id, quantity.title)
        target = Target(
            *named, quantity_id, covariates, offset, quantity.upper - offset,
            quantity.lower, quantity.upper, quantity.resolver, protocol=protocol, lower_is_better=quantity.direction == "lower",
        )  # fmt: skip
        names = [covariate.quantity_id for covariate in covariates]
        columns = list(dict.fromkeys([quantity_id, *names, "training_flops"]))
        wide = view.wide(columns, self.sources, self.systems, protocol).filter(
            (pl.col("kind") == "model") & pl.col(quantity_id).is_not_null()
        )
        if self.apply_cutoffs and settings.training_zettaflops_at_most is not None:
            wide = wide.filter(pl.col("training_flops") <= settings.training_zettaflops_at_most * ZETTA)
        raw = wide.select(names).to_numpy().astype(float) if wide.height else np.empty((0, len(names)))
        x = np.column_stack([covariate.apply(raw[:, i]) for i, covariate in enumerate(covariates)])
        y = (wide[quantity_id].to_numpy().astype(float) - offset) / target.span
        table = TrainingTable.of_rows(target, wide, "family", x, y)
        return table.where(self.usable(x))

    def usable(self, x: Array) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Say which rows have the covariates the law needs: all of them, unless the law fills gaps."""
        return np.asarray(~np.isnan(x).any(axis=1))

    def design(self, x: Array, weights: Array) -> Design:
        """Standardise the covariates under each weighting and remember the way back."""
        total = weights.sum(axis=1)[:, None]
        centre = weights @ x / total
        spread = np.sqrt((weights[:, None, :] @ (x - centre[:, None, :]) ** 2)[:, 0] / total)
        spread = np.where(spread > 0, spread, 1.0)

        def fold(parameters: Array) -> Array:
            slopes = parameters[:, 1:-1] / spread
            intercept = parameters[:, 0] - (slopes * centre).sum(axis=1)
            return np.column_stack([intercept, slopes, parameters[:, -1]])

        return Design((x - centre[:, None, :]) / spread[:, None, :], fold)

    def folded_names(self, names: tuple[str, ...], target: Target) -> tuple[str, ...]:
        """Name the frozen parameters after the covariates they multiply."""
        del names
        return ("intercept", *(covariate.quantity_id for covariate in target.covariates), "floor")

    def starts(self, x: Array, y: Array) -> Array:
        """Return two starts: flat (as the authors) and a ridge fit of the clipped logit."""
        k = x.shape[1]
        flat = np.concatenate([[0.0], np.full(k, 0.03), [0.0]])
        if self.search == "authors":
            return flat[None, :]
        logit = np.log(np.clip(y, LOGIT_CLIP, 1 - LOGIT_CLIP) / (1 - np.clip(y, LOGIT_CLIP, 1 - LOGIT_CLIP)))
        wide = np.column_stack([np.ones(len(y)), x])
        ridge = np.linalg.solve(wide.T @ wide + 0.1 * np.eye(k + 1), wide.T @ logit)
        return np.vstack([flat, np.concatenate([ridge, [0.0]])])

    def post_fit_status(self, table: TrainingTable, point: Array) -> str | None:
        """Call the fit separable when a slope has run to its limit."""
        del table
        return "separable" if (np.abs(point[1:-1]) >= self.slope_limit * (1 - 1e-9)).any() else None
