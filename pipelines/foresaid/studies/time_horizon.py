"""Time horizons: how long a task may be for an agent to do it half of the time, with resampling at three levels.

Runs of one agent on one task share its length and weight, so a resample is fully told by two numbers for each agent and task:
the weight drawn and the weight of the successes drawn. All replicates and agents are then fitted together by Newton's
method, each with two parameters. Drawing is kept apart from fitting, so that other code can be fed the same draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from foresaid.arrays import Array
from foresaid.errors import BadCell, ParameterError, RecordError
from foresaid.files import read_csv

ITERATIONS = 60
GRADIENT = 1e-10  # of the mean log likelihood, per unit of the standardised logarithm
STEEP = 50.0  # per standard deviation of log2 length: beyond this the curve is a step and its place is between two tasks
CHUNK = 64


@dataclass(frozen=True)
class TaskRuns:
    """What was run: A agents on T tasks.

    `minutes` (T,) is how long people take, `families` (T,) names what belongs together, `runs` and `successes` (A, T) are counts
    (0 runs where an agent did not try), `weights` (A, T) the weight of each run.
    """

    minutes: Array
    families: tuple[str, ...]
    runs: NDArray[np.int64]
    successes: NDArray[np.int64]
    weights: Array


@dataclass(frozen=True)
class Horizons:
    """Fitted curves of R replicates and A agents: P(success) = s(intercept + slope log2 minutes), each (R, A).

    `converged` is false where no curve exists (all runs succeed or all fail) or the runs are separated by length.
    """

    intercept: Array
    slope: Array
    converged: NDArray[np.bool_]

    def log2_minutes(self, probability: float = 0.5) -> Array:
        """Return log2 of the length done with this probability (R, A), NaN without a curve.

        >>> Horizons(np.array([[2.0]]), np.array([[-0.5]]), np.array([[True]])).log2_minutes().tolist()
        [[4.0]]
        """
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray((np.log(probability / (1.0 - probability)) - self.intercept) / self.slope)


def task_runs(
    agents: Sequence[str],
    tasks: Sequence[str],
    families: Sequence[str],
    minutes: Array,
    success: Array,
    weights: Array | None = None,
) -> tuple[TaskRuns, tuple[str, ...], tuple[str, ...]]:
    """Gather single runs into cells; return them with the names of the agents and of the tasks, in order.

    Raises ParameterError when a task has two lengths or families, when runs of one agent and task differ in weight, or when an
    outcome is neither 0 nor 1.

    >>> minutes, success = np.array([4.0, 8.0, 4.0]), np.array([1.0, 0.0, 1.0])
    >>> cells, _, names = task_runs(["a", "a", "b"], ["t", "u", "t"], ["f", "f", "f"], minutes, success)
    >>> cells.runs.tolist(), cells.successes.tolist(), names
    ([[1, 1], [1, 0]], [[1, 0], [1, 0]], ('t', 'u'))
    """
    own = np.ones(len(tasks)) if weights is None else weights
    agent_names, agent = np.unique(np.array(agents), return_inverse=True)
    task_names, first, task = np.unique(np.array(tasks), return_index=True, return_inverse=True)
    family, length = np.array(families)[first], np.asarray(minutes, dtype=float)[first]
    mixed = (np.array(families) != family[task]) | (minutes != length[task])
    if mixed.any() or not (length > 0).all():
        raise ParameterError(
            f"tasks: {task_names[task[mixed]][:10].tolist()} have two families or lengths, or one that is not positive"
        )
    if not np.isin(success, (0.0, 1.0)).all():
        raise ParameterError("runs: found outcomes other than 0 and 1, expected a success to be 1 and a failure 0")
    shape = (len(agent_names), len(task_names))
    runs, successes = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    np.add.at(runs, (agent, task), 1)
    np.add.at(successes, (agent, task), success.astype(np.int64))
    weight = np.zeros(shape)
    weight[agent, task] = own
    if (weight[agent, task] != own).any():
        raise ParameterError("runs: found different weights for one agent and task, expected one")
    cells = TaskRuns(length, tuple(family.tolist()), runs, successes, weight)
    return cells, tuple(agent_names.tolist()), tuple(task_names.tolist())


def read_runs(path: Path) -> tuple[TaskRuns, tuple[str, ...]]:
    """Read single runs from a CSV file with columns agent, task, family, minutes, success and optionally weight.

    Returns the cells and the agents' names. Raises UnreadableError for a file that cannot be read as UTF-8, RecordError for a
    column that is missing or a cell that is no number, and ParameterError as `task_runs` does.
    """
    names = ("agent", "task", "family", "minutes", "success")
    _, rows = read_csv(path, "a CSV file in UTF-8")
    if not rows or any(name not in rows[0] for name in names):
        raise RecordError(f"{path}: found columns {', '.join(rows[0]) if rows else 'none'}, expected {', '.join(names)} and rows")
    wanted = ("minutes", "success", "weight") if "weight" in rows[0] else ("minutes", "success")
    numbers: dict[str, list[float]] = {name: [] for name in wanted}
    bad = []
    for at, row in enumerate(rows, start=2):
        for name in wanted:
            try:
                value = float(row[name])
            except (TypeError, ValueError):
                value = np.nan
            if not np.isfinite(value) or value < 0:
                bad.append(BadCell(str(path), at, name, repr(row[name]), "a finite number that is not negative"))
            numbers[name].append(value)
    if bad:
        raise RecordError.collect(bad)
    agents, tasks, families = ([row[name] for row in rows] for name in names[:3])
    weights = np.array(numbers["weight"]) if "weight" in numbers else None
    cells, agent_names, _ = task_runs(agents, tasks, families, np.array(numbers["minutes"]), np.array(numbers["success"]), weights)
    return cells, agent_names


def summarise(
    cells: TaskRuns, agents: Sequence[str], replicates: int, rng: np.random.Generator
) -> list[tuple[str, float, float, float]]:
    """Return for each agent its 50 % horizon in minutes and the ends of its 95 % interval over replicates that have a curve.

    Raises ParameterError for fewer than one replicate.
    """
    if replicates < 1:
        raise ParameterError(f"time horizon: found {replicates} replicates, expected at least 1")
    point = fit_horizons(cells.minutes, (cells.runs * cells.weights)[None], (cells.successes * cells.weights)[None])
    drawn = fit_horizons(cells.minutes, *resample(cells, replicates, rng))
    made = []
    for at, agent in enumerate(agents):
        found = drawn.log2_minutes()[drawn.converged[:, at], at]
        ends = np.quantile(found, [0.025, 0.975]) if found.size else np.array([np.nan, np.nan])
        middle = point.log2_minutes()[0, at] if point.converged[0, at] else np.nan
        made.append((agent, float(2.0**middle), float(2.0 ** ends[0]), float(2.0 ** ends[1])))
    return made


def resample(cells: TaskRuns, replicates: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Draw families, then tasks within each family drawn, then runs within each task drawn; return weights and successes (R, A, T).

    Exactly the distribution of copying rows: a family drawn k times draws its tasks k times over, and among equal runs only the
    number of successes counts, which is binomial. The draws depend on the sorted names of families and the order of tasks.

    >>> cells = TaskRuns(np.ones(2), ("f", "f"), np.full((1, 2), 3), np.full((1, 2), 2), np.ones((1, 2)))
    >>> total, success = resample(cells, 5, np.random.default_rng(0))
    >>> total.sum(axis=(1, 2)).tolist(), bool((success <= total).all())
    ([6.0, 6.0, 6.0, 6.0, 6.0], True)
    """
    names, member = np.unique(np.array(cells.families), return_inverse=True)
    drawn = rng.multinomial(len(names), np.full(len(names), 1.0 / len(names)), size=replicates)
    times = np.zeros((replicates, len(member)), dtype=np.int64)
    for family in range(len(names)):
        tasks = np.flatnonzero(member == family)
        times[:, tasks] = rng.multinomial(drawn[:, family] * len(tasks), np.full(len(tasks), 1.0 / len(tasks)))
    runs = times[:, None, :] * cells.runs
    share = cells.successes / np.maximum(cells.runs, 1)
    # Binomial draws are dear; a cell whose runs all ended alike needs none.
    certain = (share == 0.0) | (share == 1.0)
    success = np.where(certain, runs * (share == 1.0), 0)
    agent, task = np.nonzero(~certain)
    success[:, agent, task] = rng.binomial(runs[:, agent, task], share[agent, task])
    return runs * cells.weights, success * cells.weights


def fit_horizons(minutes: Array, total: Array, success: Array, penalty: float = 1e-5) -> Horizons:
    """Fit the success of each agent against log2 of the task's length, by weighted logistic regression.

        maximise sum_t [S_t ln p_t + (W_t - S_t) ln(1 - p_t)] - penalty slope^2 / 2,   p_t = s(intercept + slope log2 minutes_t)

    `minutes` (T,), `total` W and `success` S (R, A, T) as `resample` returns them; the penalty is that of scikit-learn's
    LogisticRegression with C = 1 / penalty. Kwa et al. 2025, arXiv 2503.14499, section 4 (METR). Not to be trusted outside
    the lengths that were tried, nor where successes do not fall with length.

    >>> lengths = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
    >>> even = np.full((1, 1, 5), 4.0)
    >>> fit_horizons(lengths, even, np.array([[[4.0, 3.0, 2.0, 1.0, 0.0]]])).log2_minutes().round(6).tolist()
    [[2.0]]
    """
    x = np.log2(minutes)
    middle, spread = float(x.mean()), max(float(x.std()), 1e-12)
    z = (x - middle) / spread
    parts = [_newton(z, total[i : i + CHUNK], success[i : i + CHUNK], penalty / spread**2) for i in range(0, len(total), CHUNK)]
    a, b, done = (np.concatenate(items) for items in zip(*parts, strict=True))
    return Horizons(a - b * middle / spread, b / spread, done)


def _newton(z: Array, total: Array, success: Array, penalty: float) -> tuple[Array, Array, NDArray[np.bool_]]:
    shape = total.shape[:2]
    weight, hits = total.reshape(-1, len(z)), success.reshape(-1, len(z))
    mass, won = weight.sum(axis=1), hits.sum(axis=1)
    answer, done = np.full((len(mass), 2), np.nan), np.zeros(len(mass), dtype=bool)
    lanes = np.flatnonzero((won > 0) & (won < mass))
    basis = np.column_stack([np.ones_like(z), z, z * z])
    pull = (hits @ basis[:, :2])[lanes]
    weight, mass = weight[lanes], mass[lanes]
    last = np.column_stack([np.log(won[lanes] / (mass - won[lanes])), np.full(len(lanes), -1.0)])
    step, best = np.zeros_like(last), np.full(len(lanes), -np.inf)
    for _ in range(ITERATIONS):
        if lanes.size == 0:
            break
        p = last + step
        logit = p[:, :1] + p[:, 1:] * z
        e = np.exp(-np.abs(logit))
        one = 1.0 / (1.0 + e)
        probability = np.where(logit >= 0, one, e * one)
        likelihood = (p * pull).sum(axis=1) - np.einsum("nt,nt->n", weight, np.maximum(logit, 0.0) - np.log(one))
        likelihood -= 0.5 * penalty * p[:, 1] ** 2
        uphill = likelihood >= best - 1e-12 * np.abs(likelihood)
        slope = pull - (weight * probability) @ basis[:, :2]
        slope[:, 1] -= penalty * p[:, 1]
        moments = (weight * (e * one * one)) @ basis
        moments[:, 2] += penalty
        determinant = np.maximum(moments[:, 0] * moments[:, 2] - moments[:, 1] ** 2, 1e-300)
        newton = np.column_stack([
            (moments[:, 2] * slope[:, 0] - moments[:, 1] * slope[:, 1]) / determinant,
            (moments[:, 0] * slope[:, 1] - moments[:, 1] * slope[:, 0]) / determinant,
        ])  # fmt: skip
        # A step that went too far is halved until it does not lower the likelihood.
        last, best = np.where(uphill[:, None], p, last), np.where(uphill, likelihood, best)
        step = np.where(uphill[:, None], newton, 0.5 * step)
        here = (uphill & (np.abs(slope).max(axis=1) <= GRADIENT * mass)) | (np.abs(step).max(axis=1) < 1e-14)
        out = here | (np.abs(last[:, 1]) > STEEP)
        if out.any():
            answer[lanes[out]], done[lanes[out]] = last[out], here[out]
            lanes, last, step, best, pull, weight, mass = (item[~out] for item in (lanes, last, step, best, pull, weight, mass))
    answer[lanes] = last
    done &= ~_separated(z, total.reshape(-1, len(z)), hits)
    return answer[:, 0].reshape(shape), answer[:, 1].reshape(shape), done.reshape(shape)


def _separated(z: Array, total: Array, hits: Array) -> NDArray[np.bool_]:
    """Say for which rows one length parts all successes from all failures, so that the slope has no end."""
    won, lost = hits > 0, total - hits > 1e-9 * total
    longest_won, shortest_won = np.where(won, z, -np.inf).max(axis=1), np.where(won, z, np.inf).min(axis=1)
    longest_lost, shortest_lost = np.where(lost, z, -np.inf).max(axis=1), np.where(lost, z, np.inf).min(axis=1)
    return np.asarray((longest_won <= shortest_lost) | (longest_lost <= shortest_won))
