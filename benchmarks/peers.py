"""What others do, written out where their code cannot be had. Each stand-in says so in its label.

ObsScaling's imputation and fit (its code is used where FORESAID_OBSSCALING names a checkout that has it), Sloth's training by
Adam, and METR's hierarchical bootstrap; the published fits of the Chinchilla law are in chinchilla.py. Plain on purpose: as they
do it.
"""

from __future__ import annotations

import importlib
import itertools
import math
import os
import pkgutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import curve_fit
from scipy.special import expit

from benchmarks.measure import MissingError, module
from foresaid.arrays import Array

ROUNDS = 1000
TOLERANCE = 1e-4


def obsscaling_imputer() -> tuple[Callable[[Array], Array], str]:
    """Return the imputation and its label: their own class where it can be had, the algorithm as described where not."""
    folder = os.environ.get("FORESAID_OBSSCALING")
    if not folder:
        return impute_as_described, "stand-in for ObsScaling (its algorithm as described: no FORESAID_OBSSCALING)"
    try:
        theirs = _their_class(Path(folder), "PCAImputer")
        made = theirs(n_components=1, max_iter=ROUNDS, tol=TOLERANCE, boundary=[0.0, 1.0])
    except Exception as error:  # whatever a foreign checkout raises, the reason is said and the stand-in runs
        said = " ".join(f"{type(error).__name__}: {error}".split()) or type(error).__name__
        return impute_as_described, f"stand-in for ObsScaling (its checkout could not be used: {said})"
    return _calling(made), "ObsScaling's own PCAImputer"


def _their_class(folder: Path, name: str) -> Any:
    """Find a class in the module or package `utils` of a checkout, which may import its neighbours."""
    sys.path.insert(0, str(folder))
    try:
        package = importlib.import_module("utils")
        below = [f"utils.{item.name}" for item in pkgutil.iter_modules(getattr(package, "__path__", []))]
        for found in (package, *map(importlib.import_module, below)):
            if hasattr(found, name):
                return getattr(found, name)
    finally:
        sys.path.remove(str(folder))
    raise MissingError(f"no {name} in utils")


def _calling(imputer: Any) -> Callable[[Array], Array]:
    return lambda x: np.asarray(imputer.fit_transform(x), dtype=float)


def impute_as_described(x: Array) -> Array:
    """Standardise, fill by the mean, then 1,000 rounds of a rank-one PCA; the stop compares the whole matrix and never fires."""
    from sklearn.decomposition import PCA
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(x)
    z = scaler.transform(x)
    missing = np.isnan(z)
    z[missing] = 0.0
    for _ in range(ROUNDS):
        pca = PCA(n_components=1).fit(z)
        rebuilt = pca.inverse_transform(pca.transform(z))
        z[missing] = rebuilt[missing]
        if np.allclose(z, rebuilt, atol=TOLERANCE):
            break
    return np.asarray(np.clip(scaler.inverse_transform(z), 0.0, 1.0))


def planes(x: Array) -> Array:
    """Return the first three of five principal components of filled predictors."""
    from sklearn.decomposition import PCA

    return np.asarray(PCA(n_components=5).fit_transform(x)[:, :3])


def fit_sigmoid(pcs: Array, y: Array) -> float:
    """Fit the sigmoid with a floor as ObsScaling calls curve_fit; return the sum of squares."""

    def model(x: Array, b0: float, b1: float, b2: float, b3: float, floor: float) -> Array:
        return np.asarray(floor + (1.0 - floor) * expit(b0 + b1 * x[:, 0] + b2 * x[:, 1] + b3 * x[:, 2]))

    bounds = ([-np.inf] * 4 + [0.0], [np.inf] * 4 + [0.2])
    try:
        p, _ = curve_fit(model, pcs, y, p0=[0.0, 0.03, 0.03, 0.03, 0.0], bounds=bounds, maxfev=10_000)
    except RuntimeError:
        return math.inf
    return float(((model(pcs, *p) - y) ** 2).sum())


def choose_families(
    scores: Array, families: Sequence[str], budgets: Sequence[int], forced: Sequence[str], most: int, only: int | None
) -> tuple[dict[int, tuple[float, tuple[str, ...]]], int]:
    """Enumerate sets of families as ObsScaling does: filter a frame of models, invert, trace; `only` stops after so many sets."""
    pd = module("pandas")
    columns = [f"PC-{i + 1}" for i in range(scores.shape[1])]
    frame = pd.DataFrame(scores, columns=columns).assign(family=list(families))
    names = [name for name in dict.fromkeys(families) if name not in forced]
    best: dict[int, tuple[float, tuple[str, ...]]] = dict.fromkeys(budgets, (math.inf, ()))
    seen = 0
    for size in range(1, most - len(forced) + 1):
        for chosen in itertools.combinations(names, size):
            if only is not None and seen >= only:
                return best, seen
            seen += 1
            picked = frame[frame["family"].isin((*forced, *chosen))]
            if len(picked) < scores.shape[1]:
                continue
            rows, whole = picked[columns].to_numpy(), frame[columns].to_numpy()
            gram = rows.T @ rows
            if np.linalg.matrix_rank(gram) < scores.shape[1]:
                continue
            value = float(np.trace(whole.T @ whole @ np.linalg.inv(gram)))
            for budget in budgets:
                if len(rows) <= budget and value < best[budget][0]:
                    best[budget] = (value, tuple(sorted((*forced, *chosen))))
    return best, seen


def adam(rows: Array, y: Array, floor: Array, skills: int, rate: float, steps: int, seed: int = 42) -> tuple[float, float, int]:
    """Train skills as described: SmoothL1 (0.01), Adam, a rate lowered on plateaus, early stopping; return loss, MAE, steps."""
    rng = np.random.default_rng(seed)
    shapes = [(rows.shape[1], skills), (skills, y.shape[1]), (y.shape[1],)]
    p = [rng.uniform(-1, 1, shape) / math.sqrt(shape[0]) for shape in shapes]
    first, second = [np.zeros(shape) for shape in shapes], [np.zeros(shape) for shape in shapes]
    lowest, kept, since, waited, step = math.inf, p, 0, 0, 0
    for step in range(1, steps + 1):
        z = rows @ p[0]
        s = expit(z @ p[1] + p[2])
        r = floor + (1.0 - floor) * s - y
        size = np.abs(r)
        loss = float(np.where(size < 0.01, 50.0 * r * r, size - 0.005).mean())
        if loss < lowest * (1.0 - 1e-4):
            lowest, kept, since, waited = loss, [item.copy() for item in p], 0, 0
        else:
            since, waited = since + 1, waited + 1
        if waited >= 100:
            rate, waited = rate * 0.5, 0
        if since >= 1000:
            break
        pull = np.clip(r / 0.01, -1.0, 1.0) / y.size * (1.0 - floor) * s * (1.0 - s)
        slopes = [rows.T @ (pull @ p[1].T), z.T @ pull, pull.sum(axis=0)]
        for i, slope in enumerate(slopes):
            first[i] = 0.9 * first[i] + 0.1 * slope
            second[i] = 0.999 * second[i] + 0.001 * slope * slope
            p[i] -= rate * (first[i] / (1 - 0.9**step)) / (np.sqrt(second[i] / (1 - 0.999**step)) + 1e-8)
    fitted = floor + (1.0 - floor) * expit(rows @ kept[0] @ kept[1] + kept[2])
    return lowest, float(np.abs(fitted - y).mean()), step


def metr_draw(runs: Any, rng: np.random.Generator) -> Any:
    """Draw families, tasks within each, runs within each task and agent, by copying rows of a pandas frame."""
    pd = module("pandas")
    by_family = dict(list(runs.groupby("family")))
    names = list(by_family)
    parts: list[Any] = []
    for family in rng.choice(names, len(names)):
        by_task = dict(list(by_family[family].groupby("task")))
        tasks = list(by_task)
        parts.extend(by_task[task] for task in rng.choice(tasks, len(tasks)))
    drawn = pd.concat([part.assign(copy=i) for i, part in enumerate(parts)], ignore_index=True)
    return drawn.groupby(["copy", "agent"], sort=False).sample(frac=1.0, replace=True, random_state=rng)


def metr_horizons(drawn: Any, penalty: float, tolerance: float = 1e-4) -> Array:
    """Fit each agent by scikit-learn's weighted logistic regression on log2 of the length; return log2 horizons by agent."""
    from sklearn.linear_model import LogisticRegression

    found = []
    for _, part in drawn.groupby("agent", sort=True):
        model = LogisticRegression(C=1.0 / penalty, tol=tolerance, max_iter=10_000)
        model.fit(np.log2(part[["minutes"]].to_numpy()), part["success"], sample_weight=part["weight"])
        found.append(-model.intercept_[0] / model.coef_[0, 0])
    return np.array(found)
