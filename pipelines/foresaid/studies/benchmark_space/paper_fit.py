"""The observational law exactly as its authors fit it: their start, their optimisers, their populations.

Two optimisers on one objective stop at weights that forecast differently (Persian QA: -0.19 and +1.29 on the third
component), and the authors registered where theirs stopped. Reproducing their digits therefore needs their optimiser, which
is kept here and nowhere else: the law itself (laws/observational.py) looks for the best optimum and regularises it.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from foresaid.arrays import Array, sigmoid
from foresaid.fitting.components import components
from foresaid.fitting.imputation import Imputation, apply_imputation, impute
from foresaid.registry.view import ZETTA, View

METRICS = ("mmlu", "arc_challenge", "hellaswag", "winogrande", "truthfulqa", "gsm8k", "xwinograd", "humaneval")
WITHOUT_GSM8K = tuple(name for name in METRICS if name != "gsm8k")
CHAT_METRICS = tuple(name for name in METRICS if name != "xwinograd")
COMPUTE_UNKNOWN = ("Mistral", "Mixtral", "Qwen2")  # families their emergent and leaderboard tests leave out
START = 0.03
LARGEST_FLOOR = 0.2
EVALUATIONS = 20_000


@dataclass(frozen=True)
class Task:
    """One task as the authors set it up.

    The score is brought to (score - chance) / span. Training rows have at most `zettaflops` of training compute or, where that is
    None, lie below the best tenth of scores. `optimiser` is `bfgs` (no floor) or `trf` (floor between 0 and 0.2).
    `set_aside` keeps the pre-registered models out of training whatever their compute.
    """

    quantity_id: str
    chance: float
    span: float
    metrics: tuple[str, ...]
    zettaflops: float | None
    optimiser: str
    with_compute_only: bool = False
    set_aside: bool = False


def _tasks() -> dict[str, Task]:
    made = [
        Task("bigbench_word_unscrambling", 0.0, 1.0, METRICS, 84.0, "bfgs", True),
        Task("bigbench_parsinlu_qa", 0.25, 0.75, METRICS, 84.0, "bfgs", True),
        Task("bigbench_arithmetic_3ds", 0.0, 1.0, WITHOUT_GSM8K, 22.0, "bfgs", True),
        Task("bigbench_arithmetic_2dm", 0.0, 1.0, WITHOUT_GSM8K, 22.0, "bfgs", True),
        *(
            Task(name, 0.0, 1.0, WITHOUT_GSM8K, 84.0, "trf", set_aside=True)
            for name in ("gsm8k_naive", "gsm8k_cot", "gsm8k_cot_self_consistency")
        ),
        Task("leaderboard_gpqa", 0.25, 0.75, WITHOUT_GSM8K, 168.0, "bfgs", True),
        Task("leaderboard_math_hard", 0.0, 1.0, WITHOUT_GSM8K, 252.0, "bfgs", True),
        Task("leaderboard_bbh", 0.26243, 0.73757, WITHOUT_GSM8K, 84.0, "bfgs", True),
        Task("agentbench_overall", 0.0, 10.0, CHAT_METRICS, None, "trf"),
        Task("agentboard_success_rate", 0.0, 1.0, CHAT_METRICS, None, "trf"),
    ]
    return {task.quantity_id: task for task in made}


TASKS = _tasks()


@dataclass(frozen=True)
class PaperRows:
    """Models of one task: benchmarks `x` (n, m), scores `y` (n,) on the scale of the fit, compute (n,) in FLOPs, and who trains."""

    subjects: tuple[str, ...]
    families: tuple[str, ...]
    x: Array
    y: Array
    flops: Array
    trains: np.ndarray[tuple[int], np.dtype[np.bool_]]


def evaluated_families(view: View) -> list[str]:
    """Return the families the authors evaluated themselves: those with a score on an emergent or post-training task."""
    tasks = ["bigbench_word_unscrambling", "gsm8k_naive", "bbh_naive"]
    wide = view.wide(tasks, ("obsscaling",))
    return sorted(set(wide.filter(pl.any_horizontal(pl.col(tasks).is_not_null()))["family"]))


def rows(view: View, task: Task, registered: frozenset[str] = frozenset()) -> PaperRows:
    """Return the models of a task in a view; `registered` are the models of the pre-registration."""
    wide = view.wide([*task.metrics, task.quantity_id, "training_flops"], ("obsscaling",))
    wide = wide.filter((pl.col("kind") == "model") & pl.col(task.quantity_id).is_not_null())
    if task.zettaflops is not None:
        wide = wide.filter(pl.col("family").is_in(evaluated_families(view)))
    if task.with_compute_only:
        wide = wide.filter(~pl.col("family").is_in(COMPUTE_UNKNOWN))
    wide = wide.filter(pl.any_horizontal(pl.col(list(task.metrics)).is_not_null()))
    flops = wide["training_flops"].to_numpy().astype(float)
    y = (wide[task.quantity_id].to_numpy().astype(float) - task.chance) / task.span
    if task.zettaflops is None:
        trains = np.ones(len(y), dtype=bool)
        trains[np.argsort(-y, kind="stable")[: int(0.1 * len(y))]] = False
    else:
        trains = flops <= task.zettaflops * ZETTA
    if task.set_aside:
        trains &= ~np.isin(wide["subject_id"].to_numpy(), sorted(registered))
    x = wide.select(task.metrics).to_numpy().astype(float)
    return PaperRows(tuple(wide["subject_id"]), tuple(wide["family"]), x, y, flops, trains)


@dataclass(frozen=True)
class PaperFit:
    """A sigmoid on raw covariates: floor + (1 - floor) s(intercept + x . weights), with the rule that fills missing covariates."""

    intercept: float
    weights: Array
    floor: float
    imputation: Imputation | None = field(default=None)

    def score(self, x: Array) -> Array:
        """Return the logit (n,) of rows (n, m); NaN where a covariate is missing and cannot be filled."""
        filled = x if self.imputation is None else apply_imputation(self.imputation, x)
        return np.asarray(self.intercept + filled @ self.weights)

    def predict(self, x: Array) -> Array:
        """Return the forecast score (n,) of rows (n, m) on the scale of the fit.

        >>> PaperFit(0.0, np.array([1.0]), 0.5).predict(np.array([[0.0]])).tolist()
        [0.75]
        """
        return np.asarray(self.floor + (1.0 - self.floor) * sigmoid(self.score(x)))


def _stop(features: Array, y: Array, optimiser: str) -> Array:
    """Return where the authors' optimiser stops: intercept, weights, floor."""
    from scipy.optimize import OptimizeWarning, curve_fit, minimize

    k = features.shape[1]
    start = np.array([0.0, *[START] * k])
    if optimiser == "bfgs":  # their Huber loss with delta 1 is half the square for scores between 0 and 1

        def half_squares(p: Array) -> float:
            return 0.5 * float(np.sum((sigmoid(p[0] + features @ p[1:]) - y) ** 2))

        found = minimize(half_squares, start, method="BFGS")
        return np.append(found.x, 0.0)

    def curve(z: Array, *p: float) -> Array:
        return np.asarray(p[-1] + (1.0 - p[-1]) * sigmoid(p[0] + z @ np.array(p[1:-1])))

    bounds = ([-np.inf] * (k + 1) + [0.0], [np.inf] * (k + 1) + [LARGEST_FLOOR])
    with warnings.catch_warnings():  # with fewer rows than parameters it has no covariance, and none is asked for
        warnings.simplefilter("ignore", OptimizeWarning)
        return np.asarray(curve_fit(curve, features, y, p0=[*start, 0.0], bounds=bounds, maxfev=EVALUATIONS)[0])


def fit(x: Array, y: Array, optimiser: str, wanted: int = 3) -> PaperFit:
    """Fit training rows: benchmarks `x` (n, m) with gaps as NaN, `y` (n,), and so many components.

    Ruan, Maddison, Hashimoto, arXiv 2405.10938v3, algorithm A.1 and their code: rank-one imputation, components centred and not
    standardised, one start at 0.03. Not the best optimum, on purpose: see the module.
    """
    one = np.ones((1, len(x)))
    imputed = impute(x, one)
    plane = components(imputed.values, one, wanted)
    p = _stop(plane.scores(imputed.values)[0], y, optimiser)
    weights = plane.loadings[0].T @ p[1:-1]
    return PaperFit(float(p[0] - weights @ plane.centre[0]), weights, float(p[-1]), imputed.rule)


def fit_compute(flops: Array, y: Array, optimiser: str) -> PaperFit:
    """Fit the compute baseline to training rows: `flops` (n,) above 0; its covariate is ln(FLOPs / 1e21)."""
    p = _stop(np.log(flops / ZETTA)[:, None], y, optimiser)
    return PaperFit(float(p[0]), p[1:-1], float(p[-1]))
