"""When a task will emerge in a person's own training runs, from the accuracies after fine-tuning of the checkpoints so far.

The rule is the mean of what the emergence law says and of the last loss seen: on our own experiment the law came 0.11 nats too
low and the last loss, which can only be too high, 0.10 too high. That was noticed with the results in sight, so the rule is
registered for the next experiment and not proven (docs/emergence-experiment.md). The band is the law's about the rule, with the
discrepancy that the forecasts of our experiment taught (forecasting/discrepancy.py): its runs share fits, and there are no more
independent errors than fits.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from scipy.optimize import brentq
from scipy.special import ndtri

from foresaid.arrays import Array
from foresaid.errors import BadCell, ParameterError, RecordError
from foresaid.files import read_csv
from foresaid.fitting.discrepancy import Discrepancy, spread, student
from foresaid.forecasting.discrepancy import SeriesBacktest, learn
from foresaid.laws.emergence import Emergence
from foresaid.reproducible import generator
from foresaid.scoring.levels import LEVELS
from foresaid.studies.emergence.fit import CAP, SHARED, CheckpointRows, crossing, fit, own_emergence, resampled
from foresaid.studies.emergence.thresholds import FOUND, means, thresholds

LEAST = 3  # checkpoints of a run, as in our experiment
DRAWS = 80
PRIMARY, HORIZON = "pooled_free", 256  # whose errors on our experiment are the discrepancy
COLUMNS = ("run", "step", "loss", "examples", "accuracy")


@dataclass(frozen=True)
class OwnCheckpoints:
    """The rows of a file: run names; by row run, step, loss (nats), fine-tuning examples (0: few-shot), accuracy, FLOPs or NaN."""

    names: tuple[str, ...]
    run: np.ndarray[tuple[int, ...], np.dtype[np.int64]]
    step: Array
    loss: Array
    examples: Array
    accuracy: Array
    flops: Array


@dataclass(frozen=True)
class RunForecast:
    """The loss at which a run's few-shot accuracy reaches the cut: rule, law and last loss; quantiles (levels,); how far ahead.

    `steps` and `flops` say at which step and compute the rule's loss is reached, with 80 % ends; NaN where the losses do not say.
    `emerged`: it has happened already.
    """

    run: str
    point: float
    law: float
    last: float
    quantiles: Array
    last_step: float
    steps: tuple[float, float, float]
    last_flops: float
    flops: tuple[float, float, float]
    emerged: bool


def read(path: Path) -> OwnCheckpoints:
    """Read a CSV file with columns run, step, loss, examples, accuracy and optionally flops.

    Raises UnreadableError for a file that is not there, RecordError naming the row for a cell that is no finite number, an accuracy
    outside [0, 1], or a loss or step not above 0.
    """
    header, rows = read_csv(path, f"a CSV file with the columns {', '.join(COLUMNS)}")
    missing = [name for name in COLUMNS if name not in header]
    if missing or not rows:
        what = f"no column {missing[0]}" if missing else "no rows"
        raise ParameterError(f"{path}: found {what}, expected {', '.join(COLUMNS)} and optionally flops, one row a measurement")
    wanted = {
        "step": (0.0, math.inf, "a number above 0"), "loss": (0.0, math.inf, "a loss above 0, in nats per token"),
        "examples": (-1.0, math.inf, "how many fine-tuning examples, 0 for few-shot"),
        "accuracy": (-1e-12, 1.0, "a fraction in [0, 1]; divide percentages by 100"), "flops": (0.0, math.inf, "FLOPs above 0"),
    }  # fmt: skip
    problems: list[BadCell] = []
    columns: dict[str, list[float]] = {name: [] for name in wanted}
    for number, row in enumerate(rows, start=2):
        for name, (above, most, expected) in wanted.items():
            text = row.get(name)
            if name == "flops" and name not in header:
                columns[name].append(math.nan)
                continue
            try:
                value = float(text or "")
            except ValueError:
                value = math.nan
            if not (math.isfinite(value) and above < value <= most):
                problems.append(BadCell(str(path), number, name, text or "", expected))
            columns[name].append(value)
    if problems:
        raise RecordError.collect(problems)
    names = tuple(sorted({row["run"] for row in rows}))
    array = {name: np.array(values) for name, values in columns.items()}
    which = np.array([names.index(row["run"]) for row in rows], dtype=np.int64)
    return OwnCheckpoints(names, which, array["step"], array["loss"], array["examples"], array["accuracy"], array["flops"])


def experience(folder: Path) -> Discrepancy | None:
    """Learn from the forecasts of our own experiment how wrong the rule has been beyond its last checkpoint, or None."""
    measured = {
        row["run"]: row["loss"]
        for row in thresholds(pl.read_csv(folder / "table.csv"))
        if row["protocol"] == "few_shot" and row["status"] == FOUND
    }
    groups = {row["run"]: f"{row['frequency']}/{row['width']}" for row in means(pl.read_csv(folder / "table.csv")).to_dicts()}
    series = []
    for path in sorted(folder.glob("predictions-*.json")):
        for said in json.loads(path.read_text(encoding="utf-8"))["predictions"]:
            if said["horizon"] == HORIZON and not said["emerged_before"] and said["run"] in measured:
                series.append(_played(said, float(measured[said["run"]]), f"{path.name}/{groups[said['run']]}"))
    return learn(series, "own experiment", 0.0, 1)


def _played(said: dict[str, object], observed: float, shared: str) -> SeriesBacktest:
    methods, stop = said["methods"], said["stop_loss"]
    assert isinstance(methods, dict)
    assert isinstance(stop, float)
    found = methods[PRIMARY]
    level = np.array([float(name) for name in found["quantiles"]])
    value = np.array(list(found["quantiles"].values()))
    order = np.argsort(level)
    # Nine levels were registered; between them the band is drawn straight on the scale of a normal distribution.
    half = np.interp(ndtri(np.array(LEVELS)), ndtri(level[order]), value[order] - float(found["quantiles"]["0.5"]))
    point = 0.5 * (float(found["loss"]) + stop)
    away = max(stop - float(found["loss"]), 0.0)
    return SeriesBacktest(
        str(said["run"]), "own experiment", frozenset({shared}), half[None], np.array([observed - point]), np.array([away])
    )


def forecast(
    own: OwnCheckpoints, chance: float, few_shot_size: int, cut: float, known: Discrepancy | None, seed: int
) -> list[RunForecast]:
    """Forecast every run of a file together: they share slope, base, shift and bend, and each has an emergence of its own.

    Raises ParameterError for fewer than two fine-tuning sizes, or a run with fewer than three checkpoints.
    """
    sizes = sorted({int(size) for size in own.examples if size > few_shot_size})
    if len(sizes) < 2:
        raise ParameterError(
            f"emergence: found fine-tuning sizes {sizes}, expected at least two above {few_shot_size}: they move the emergence"
        )
    for at, name in enumerate(own.names):
        count = len(set(own.step[own.run == at]))
        if count < LEAST:
            raise ParameterError(f"emergence: found {count} checkpoints of {name}, expected at least {LEAST}")
    law = Emergence(chance=chance, few_shot_size=few_shot_size, largest_size=sizes[-1])
    cap = chance + (CAP - 0.25) * (1.0 - chance) / 0.75
    rows = CheckpointRows(
        own.loss, np.log(np.maximum(own.examples, few_shot_size)), own.accuracy, own.run, own.step.astype(np.int64)
    )
    theta = fit(rows, "free", law=law, cap=cap)
    draws: list[list[float]] = [[] for _ in own.names]
    rng = generator(seed, "emergence", *own.names)
    for _ in range(DRAWS):
        weights = np.bincount(rng.integers(0, len(own.names), len(own.names)), minlength=len(own.names)).astype(float)
        drawn = fit(rows, "free", weights, theta, law, cap) if len(own.names) > 1 else theta
        for at in range(len(own.names)):
            part = rows.of(rows.run == at)
            few_shot = own_emergence(part, drawn[:SHARED], resampled(rng, part.step), law, cap)
            draws[at].append(crossing(float(drawn[0]), float(drawn[1]), few_shot, cut))
    return [_of_run(own, at, theta, np.array(draws[at]), cut, known) for at in range(len(own.names))]


def _of_run(own: OwnCheckpoints, at: int, theta: Array, draws: Array, cut: float, known: Discrepancy | None) -> RunForecast:
    mine = own.run == at
    last = float(own.loss[mine].min())
    law = crossing(float(theta[0]), float(theta[1]), float(theta[SHARED + at]), cut)
    point = 0.5 * (law + last)
    half = np.quantile(draws, LEVELS) - np.median(draws)
    if known is not None:
        away = np.array([max(last - law, 0.0)])
        numbers = (known.bias, known.scale, known.growth, known.floor)
        quantiles = point + spread(half[None], away, numbers, student(np.array(LEVELS)))[0]
    else:
        quantiles = point + half
    few = mine & (own.examples == 0)
    ends = [float(np.interp(level, LEVELS, quantiles)) for level in (0.5, 0.9, 0.1)]  # a lower loss comes later
    steps, flops = (_reached(column[mine], own.loss[mine], ends) for column in (own.step, own.flops))
    return RunForecast(
        own.names[at], point, law, last, quantiles, float(own.step[mine].max()), steps, float(own.flops[mine].max()), flops,
        bool(few.any() and (own.accuracy[few] >= cut).any()),
    )  # fmt: skip


def _reached(along: Array, loss: Array, wanted: Sequence[float]) -> tuple[float, float, float]:
    """Say where along (steps or FLOPs) a run reaches three losses, by loss = E + A along^-a through its checkpoints; else NaN.

    The floor is searched on a grid below the lowest loss, and the line in logarithms fitted by least squares for each.
    """
    nowhere = (math.nan, math.nan, math.nan)
    if np.isnan(along).any():
        return nowhere
    place, first = np.unique(along, return_index=True)
    level = loss[first]
    if len(place) < LEAST:
        return nowhere
    best, least = (0.0, 0.0, -1.0), math.inf
    for floor in np.linspace(0.0, 0.98 * float(level.min()), 50) if len(place) > LEAST else (0.0,):
        slope, intercept = np.polyfit(np.log(place), np.log(level - floor), 1)
        error = float(((floor + np.exp(intercept + slope * np.log(place)) - level) ** 2).sum())
        if slope < 0 and error < least:
            best, least = (float(floor), float(intercept), float(slope)), error
    if not math.isfinite(least):
        return nowhere
    floor, intercept, slope = best

    def there(at: float) -> float:
        if at <= floor:
            return math.inf
        low, high = np.log(place[0]) - 5.0, np.log(place[-1]) + 40.0
        gap = [floor + math.exp(intercept + slope * end) - at for end in (low, high)]
        if gap[0] < 0 or gap[1] > 0:
            return math.inf
        return math.exp(brentq(lambda z: floor + math.exp(intercept + slope * z) - at, low, high))

    return there(wanted[0]), there(wanted[1]), there(wanted[2])


def ranked(made: Sequence[RunForecast]) -> list[RunForecast]:
    """Order runs by the step at which the task should emerge, the earliest first: which data or recipe is best for the task."""
    return sorted(made, key=lambda one: (math.inf if math.isnan(one.steps[0]) else one.steps[0], -one.point, one.run))


def finite(value: object) -> object:
    """Put None in place of what is no finite number, in lists too: JSON has no infinity.

    >>> finite([1.0, math.inf]), finite("a")
    ([1.0, None], 'a')
    """
    if isinstance(value, list):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
