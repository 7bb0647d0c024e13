"""Series of accuracy against samples or tokens, with the part held out: what the inference-compute protocols forecast."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from foresaid.arrays import Array
from foresaid.fitting.data import Covariate, Target, TrainingTable
from foresaid.scoring.levels import LEVELS
from foresaid.scoring.rules import weighted_interval_score
from foresaid.sources._reading import Reading
from foresaid.sources.pass_at_k import pass_at_k

KS = tuple(int(k) for k in np.unique(np.geomspace(1, 100, 20).round()))  # samples a coverage curve is fitted on


FAR = 10_000


LEAST = 5  # points of an effort curve, the largest budget among them


FELL = 0.01  # a fall or a gain in accuracy below this is no more than the last digit of most reports


NO_DAY = date(1, 1, 1)


@dataclass(frozen=True)
class Held:
    """One series: rows to fit and rows to forecast."""

    train: TrainingTable
    test: TrainingTable


@dataclass(frozen=True)
class Scored:
    """Forecasts of one method: `quantiles` (n, 23), `point` and `outcome` (n,), with the series each belongs to."""

    quantiles: Array
    point: Array
    outcome: Array
    series: tuple[str, ...]

    def line(self, log: bool) -> dict[str, float]:
        """Return count, series, mean WIS, root mean square and mean absolute error (of logarithms with `log`), and coverages."""
        change: Callable[[Array], Array] = np.log if log else np.asarray
        miss = change(self.point) - change(self.outcome)
        return {
            "n": len(self.outcome),
            "series": len(set(self.series)),
            "wis": float(weighted_interval_score(self.quantiles, LEVELS, self.outcome).wis.mean()),
            "rmse": float(np.sqrt((miss**2).mean())),
            "mae": float(np.abs(miss).mean()),
            **{name: self._inside(low, high) for name, low, high in (("50", 0.25, 0.75), ("80", 0.1, 0.9), ("95", 0.025, 0.975))},
        }

    def _inside(self, low: float, high: float) -> float:
        first, last = (self.quantiles[:, LEVELS.index(level)] for level in (low, high))
        return float(((first <= self.outcome) & (self.outcome <= last)).mean())


def from_hindcast(rows: pl.DataFrame, case: str) -> dict[str, Scored]:
    """Return the forecasts of one case by method; rows for which a method made no forecast are left out."""
    made = {}
    for (law,), part in sorted(rows.filter((pl.col("case") == case) & pl.col("point").is_not_null()).group_by("law")):
        part = part.sort("target_id", "subject_id")
        quantiles = np.array(part["quantiles"].to_list())
        made[str(law)] = Scored(quantiles, part["point"].to_numpy(), part["observed"].to_numpy(), tuple(part["target_id"]))
    return made


def _table(name: str, axis: str, x: Sequence[float], y: Sequence[float]) -> TrainingTable:
    """One series in ln x, a point a cluster."""
    target = Target(name, name, name, (Covariate(axis, "ln"),), 0.0, 1.0, 0.0, 1.0, "on demand", name)
    rows = tuple(f"{name}/{value:g}/{i:03d}" for i, value in enumerate(x))
    days = (NO_DAY,) * len(rows)
    return TrainingTable(target, rows, rows, (None,) * len(rows), days, np.log(np.asarray(x, dtype=float))[:, None], np.asarray(y))


def coverage_of(samples: Array, correct: Array, k: int) -> float:
    """Return the unbiased pass@k averaged over problems (P,)."""
    return float(pass_at_k(samples, correct, k).mean())


def solved_counts(reading: Reading) -> dict[str, tuple[Array, Array]]:
    """Return samples and right ones (128,) of each run with 128 problems sampled at least 10,000 times each."""
    pairs: dict[str, list[tuple[float, float]]] = {}
    for score in reading.scores:
        if score.quantity_id == "math_solve_rate" and score.n:
            pairs.setdefault(score.subject, []).append((float(score.n), round(score.value * score.n)))
    columns = {subject: np.array(each, dtype=float).T for subject, each in sorted(pairs.items()) if len(each) >= 128}
    return {subject: (samples, correct) for subject, (samples, correct) in columns.items() if samples.min() >= FAR}


def coverage_series(reading: Reading) -> list[Held]:
    """Coverage at up to 100 samples, and at 10,000, of every run sampled enough that solves anything at 100.

    Both ends are the unbiased estimator on the same samples, so the noise of the problems is shared: what is tested is the law's
    reach in k, not other problems.
    """
    made = []
    for subject, (samples, correct) in solved_counts(reading).items():
        solved = {k: coverage_of(samples, correct, k) for k in (*KS, FAR)}
        if solved[KS[-1]] > 0:
            train = _table(subject, "samples", KS, [solved[k] for k in KS])
            made.append(Held(train, _table(subject, "samples", [FAR], [solved[FAR]])))
    return made


def effort_series(reading: Reading) -> list[Held]:
    """Accuracy by tokens, a series a model, benchmark and axis with at least five points; the largest budget is held out."""
    values: dict[str, dict[str, float]] = {}
    family = {subject.subject_id: subject.family for subject in reading.subjects}
    for score in reading.scores:
        values.setdefault(score.subject, {})[score.quantity_id] = score.value
    points: dict[str, list[tuple[float, float]]] = {}
    for subject, row in sorted(values.items()):
        for axis in ("response_tokens", "thinking_token_budget"):
            for quantity in sorted(set(row) - {"response_tokens", "thinking_token_budget"}):
                if row.get(axis, 0.0) > 0:
                    points.setdefault(f"{family[subject]}/{quantity}/{axis}", []).append((row[axis], row[quantity]))
    made = []
    for name, pairs in sorted(points.items()):
        x, y = np.array(sorted(pairs)).T
        if len(np.unique(x)) >= LEAST:
            last = x == x.max()
            made.append(
                Held(
                    _table(name, "tokens", x[~last].tolist(), y[~last].tolist()),
                    _table(name, "tokens", x[last].tolist(), y[last].tolist()),
                )
            )
    return made


def shapes(held: Sequence[Held]) -> dict[str, int]:
    """Count the series that end in a fall, in a level, and in a rise: the largest budget against the best smaller one."""
    ends = [float(one.test.y.mean() - one.train.y.max()) for one in held]
    return {
        "fell": sum(end < -FELL for end in ends),
        "level": sum(abs(end) <= FELL for end in ends),
        "rose": sum(end > FELL for end in ends),
    }


def mirror_folder(mirror: Path, registry: Path, source: str) -> Path:
    """Return where a mirror keeps the newest vintage of a source."""
    from foresaid.registry import source_card

    place = registry / "sources" / source / "source.toml"
    return mirror / source_card.read(place, str(place), source).vintages[-1].directory
