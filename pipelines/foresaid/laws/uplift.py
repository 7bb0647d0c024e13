"""What a way of spending compute at test time adds to a model's score: one step in log-odds, the same for every model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from foresaid.arrays import Array, sigmoid
from foresaid.fitting._elementary import exp
from foresaid.fitting.data import Covariate, Target, TrainingTable
from foresaid.fitting.law import Law, Parameter
from foresaid.laws._settings import read_entries
from foresaid.registry.view import View

EDGE = 1e-3  # log-odds of a score nearer to 0 or 1 than this are cut: a handful of right answers more would move them by nats
LEAST = 3


def _columns(p: Array, c: Array, x: Array, f: Array, J: Array) -> None:
    """Fill the curve and its derivatives for the compiled engine."""
    for i in range(f.size):
        base = min(max(x[0, i], EDGE), 1.0 - EDGE)
        odds = base / (1.0 - base) * exp(p[0])
        s = odds / (1.0 + odds)
        f[i] = s
        J[0, i] = s * (1.0 - s)


@dataclass(frozen=True)
class Pair:
    """One quantity's entry in params.yaml: the same benchmark without the extra compute."""

    base: str


@dataclass(frozen=True)
class Uplift(Law):
    """A score with extra test-time compute, from the score without it.

        logit(y) = logit(base) + delta

    `y` and `base` are fractions of one, of the same model on the same benchmark; `delta`, between -5 and 5, in log-odds. One
    number for all models: gains are largest in the middle and vanish near 0 and 1.

    For test-time training as in Akyurek et al. 2024, arXiv 2411.07279 (53 % of ARC by a model of 8 billion parameters; no paired
    scores are public), the form is ours. What is fitted is another such step: a majority vote of five samples over one sample.

    Do not trust it across methods, or from weak models to strong ones without looking: a step may pay only above some skill.

    >>> law = Uplift(sources=("s",))
    >>> law.curve(np.array([0.5]), np.array([[0.1], [0.5], [0.9]])).round(3).tolist()
    [0.155, 0.622, 0.937]
    """

    sources: tuple[str, ...]
    pairs: dict[str, Pair] = field(default_factory=dict)

    name: ClassVar[str] = "uplift"
    reads_same_items: ClassVar[bool] = True
    title: ClassVar[str] = "Uplift of a test-time method"
    formula: ClassVar[str] = "logit(score with) = logit(score without) + δ"
    reference: ClassVar[str] = "ours; for the paired scores of Akyürek et al. 2024, arXiv 2411.07279"
    limitations: ClassVar[str] = (
        "One step for every model is a strong claim: a method may help only models that are right often enough. A step learned for "
        "one method says nothing of another."
    )
    columns: ClassVar[Any] = staticmethod(_columns)

    @staticmethod
    def read_settings(values: dict[str, Any]) -> dict[str, Any]:
        """Bring the entry of params.yaml into typed form."""
        return {**values, "pairs": read_entries(Pair, values.get("pairs", {}), "laws, pairs")}

    def tables(self, view: View) -> list[TrainingTable]:
        """One table for each pair: the models with both scores."""
        made = []
        for quantity_id, pair in sorted(self.pairs.items()):
            quantity = view.quantity(quantity_id)
            view.quantity(pair.base)
            wide = view.wide([quantity_id, pair.base], self.sources).drop_nulls([quantity_id, pair.base])
            target = Target(
                quantity_id, quantity.title, quantity_id, (Covariate(pair.base),), 0.0, 1.0, quantity.lower, quantity.upper,
                quantity.resolver,
            )  # fmt: skip
            made.append(
                TrainingTable.of_rows(
                    target,
                    wide,
                    "family",
                    wide[pair.base].to_numpy().astype(float)[:, None],
                    wide[quantity_id].to_numpy().astype(float),
                )
            )
        return [table for table in made if table.n]

    def parameters(self, target: Target, columns: int) -> tuple[Parameter, ...]:
        """The step."""
        del target, columns
        return (Parameter("delta", "what the method adds", "log-odds", -5.0, 5.0, (-1.0, 2.0)),)

    def curve(self, parameters: Array, x: Array) -> Array:
        """Evaluate the law."""
        base = np.clip(x[..., 0], EDGE, 1.0 - EDGE)
        return np.asarray(sigmoid(np.log(base / (1.0 - base)) + parameters[..., 0, None]))

    def jacobian(self, parameters: Array, x: Array) -> Array:
        """Derivative by the step."""
        s = self.curve(parameters, x)
        return (s * (1.0 - s))[..., None]

    def starts(self, x: Array, y: Array) -> Array:
        """The difference of mean log-odds."""
        means = [float(np.clip(values.mean(), EDGE, 1.0 - EDGE)) for values in (x[:, 0], y)]
        logits = [np.log(mean / (1.0 - mean)) for mean in means]
        return np.array([[logits[1] - logits[0]]])

    def pre_fit_status(self, table: TrainingTable) -> str | None:
        """A step and its scatter need three models."""
        return "too_few_points" if table.n < LEAST else None
