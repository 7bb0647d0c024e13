"""The emergence law put to its use on our own experiment: from early checkpoints alone, at what loss will the task emerge?

For each run and horizon this sees the checkpoints up to the first at which fine-tuning on so many examples has emerged, and
nothing later. What comes out is written down, with the hash of the table it saw, before any later checkpoint is looked at;
simple rules stand beside the law.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from foresaid.arrays import Array
from foresaid.reproducible import generator
from foresaid.studies.emergence.fit import ALPHA_LIMIT, CAP, LAW, SHARED, CheckpointRows, crossing, fit, own_emergence, resampled
from foresaid.studies.emergence.thresholds import CUT, FOUND, means, threshold

HORIZONS = (256, 192)  # forecast when fine-tuning on so many examples first reaches the cut: the larger, the further ahead
PRIMARY = {"method": "pooled_free", "horizon": 256}  # what the experiment is judged by
DRAWS = {"pooled_free": 80, "pooled_prior": 20, "alone_free": 30, "alone_prior": 10}
QUANTILES = (0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975)
ROOT = 20261121
LAST = (
    3  # checkpoints at least, for any forecast; and those whose loss is extended, straight in ln step, to turn a loss into a step
)


def horizon_of(run: pl.DataFrame, size: int) -> int | None:
    """Return the step at which a forecast is made for one run: fine-tuning on `size` examples, or none, first reaches the cut."""
    tuned = pl.col("examples") == size
    few = (pl.col("examples") == 0) & (pl.col("protocol") == "few_shot")
    steps = run.filter((tuned | few) & (pl.col("accuracy") >= CUT))["step"]
    return None if steps.is_empty() else int(steps.to_numpy().min())


def seen(table: pl.DataFrame, size: int) -> pl.DataFrame:
    """Return the part of the early table (subsets averaged) that forecasts of this horizon may see; too short runs are left out."""
    parts = []
    for _, run in table.group_by("run", maintain_order=True):
        stop = horizon_of(run, size)
        if stop is not None and run.filter(pl.col("step") <= stop)["step"].n_unique() >= LAST:
            parts.append(run.filter(pl.col("step") <= stop))
    return pl.concat(parts) if parts else table.clear()


def rows_of(part: pl.DataFrame, names: Sequence[str]) -> CheckpointRows:
    """Return what the law is fitted to: fine-tuned accuracies, and few-shot ones at the size of the few shots."""
    used = part.filter(pl.col("protocol") != "zero_shot").sort("run", "step", "examples")
    size = np.maximum(used["examples"].to_numpy(), LAW.few_shot_size)
    which = np.array([names.index(name) for name in used["run"]], dtype=np.int64)
    columns = (used[name].to_numpy().astype(float) for name in ("text_loss", "accuracy"))
    loss, accuracy = columns
    return CheckpointRows(loss, np.log(size), accuracy, which, used["step"].to_numpy().astype(np.int64))


def _summary(point: float, draws: list[float]) -> dict[str, Any]:
    return {
        "loss": point,
        "quantiles": {str(level): float(value) for level, value in zip(QUANTILES, np.quantile(draws, QUANTILES), strict=True)},
    }


def _found(theta: Array, run: int) -> float:
    return crossing(float(theta[0]), float(theta[1]), float(theta[SHARED + run]), CUT)


def pooled(rows: CheckpointRows, bend: str, names: Sequence[str], group: str) -> tuple[Array, list[dict[str, Any]]]:
    """Fit runs together and return the parameters and each run's forecast; whole runs resampled, then a run's checkpoints."""
    theta = fit(rows, bend)
    draws: list[list[float]] = [[] for _ in names]
    rng = generator(ROOT, "predict", group, bend)
    own = [rows.of(rows.run == run) for run in range(len(names))]
    for _ in range(DRAWS[f"pooled_{bend}"]):
        weights = np.bincount(rng.integers(0, len(names), len(names)), minlength=len(names)).astype(float)
        drawn = fit(rows, bend, weights, theta)
        for run, part in enumerate(own):
            few_shot = own_emergence(part, drawn[:SHARED], resampled(rng, part.step))
            draws[run].append(crossing(float(drawn[0]), float(drawn[1]), few_shot, CUT))
    return theta, [_summary(_found(theta, run), draws[run]) for run in range(len(names))]


def alone(rows: CheckpointRows, bend: str, name: str) -> dict[str, Any]:
    """Fit one run by itself and return its forecast; its checkpoints resampled."""
    rows = CheckpointRows(rows.loss, rows.ln_size, rows.accuracy, np.zeros_like(rows.run), rows.step)
    theta = fit(rows, bend)
    rng = generator(ROOT, "predict", name, bend)
    draws = []
    for _ in range(DRAWS[f"alone_{bend}"]):
        again = rows.of(np.repeat(np.arange(len(rows.loss)), resampled(rng, rows.step).astype(int)))
        draws.append(_found(fit(again, bend, start=theta), 0))
    return _summary(_found(theta, 0), draws)


def line(run: pl.DataFrame) -> dict[str, Any]:
    """Extend the measured thresholds straight in ln D to the size of the few shots; below two, the last loss stands in."""
    sizes, losses = [], []
    for _, part in run.filter(pl.col("examples") > 0).group_by("examples", maintain_order=True):
        found = threshold(part["step"].to_list(), part["text_loss"].to_list(), part["accuracy"].to_list())
        if found.status == FOUND:
            sizes.append(float(np.log(int(part["examples"][0]))))
            losses.append(found.loss)
    if len(sizes) < 2:
        return {"loss": float(run["text_loss"].to_numpy().min()), "thresholds": len(sizes)}
    slope, intercept = np.polyfit(sizes, losses, 1)
    return {"loss": float(intercept + slope * np.log(LAW.few_shot_size)), "thresholds": len(sizes)}


def step_at(run: pl.DataFrame, loss: float) -> float:
    """Return the step at which the run will reach a loss, its last three losses extended straight in ln step."""
    last = run.select("step", "text_loss").unique().sort("step").tail(LAST)
    slope, intercept = np.polyfit(np.log(last["step"].to_numpy()), last["text_loss"].to_numpy(), 1)
    return float(np.exp(min((loss - intercept) / min(float(slope), -1e-6), 20.0)))


def predictions(early: bytes, early_name: str) -> dict[str, Any]:
    """Return everything that is said beforehand, from the bytes of the early table alone."""
    table = means(pl.read_csv(io.BytesIO(early)))
    said: list[dict[str, Any]] = []
    silent: list[dict[str, Any]] = []
    laws: list[dict[str, Any]] = []
    for size in HORIZONS:
        part = seen(table, size)
        silent += [{"run": name, "horizon": size} for name in sorted(set(table["run"]) - set(part["run"]))]
        for (frequency, width), group in part.group_by(["frequency", "width"], maintain_order=True):
            names = sorted(group["run"].unique().to_list())
            rows = rows_of(group, names)
            by_method: dict[str, list[dict[str, Any]]] = {}
            by_corner: list[float] = []
            for bend in ALPHA_LIMIT:
                theta, by_method[f"pooled_{bend}"] = pooled(rows, bend, names, f"{frequency}/{width}/{size}")
                if bend == "free":  # the paper's own point: where the hinge bends, not where the accuracy passes the cut
                    by_corner = [float(corner) for corner in theta[SHARED:]]
                parameters = dict(zip(("slope", "base", "shift", "ln_alpha"), map(float, theta), strict=False))
                laws.append(
                    {"frequency": frequency, "width": width, "horizon": size, "bend": bend, "runs": len(names), **parameters}
                )
                by_method[f"alone_{bend}"] = [
                    alone(rows.of(rows.run == run), bend, f"{name}/{size}") for run, name in enumerate(names)
                ]
            for place, name in enumerate(names):
                run = group.filter(pl.col("run") == name)
                last = {"loss": float(run["text_loss"].to_numpy().min())}
                methods = {**{method: found[place] for method, found in by_method.items()}, "last": last, "line": line(run)}
                methods["pooled_free_corner"] = {"loss": by_corner[place]}
                for found in methods.values():
                    found["step"] = step_at(run, found["loss"])
                few = run.filter(pl.col("protocol") == "few_shot").sort("step")["accuracy"]
                said.append(
                    {
                        "run": name,
                        "horizon": size,
                        "stop_step": int(run["step"].to_numpy().max()),
                        "stop_loss": last["loss"],
                        "checkpoints": run["step"].n_unique(),
                        "few_shot_at_stop": float(few[-1]),
                        "emerged_before": bool(few[-1] >= CUT),
                        "methods": methods,
                    }
                )
    return {
        "early_table": early_name,
        "early_table_sha256": hashlib.sha256(early).hexdigest(),
        "settings": {
            "cut": CUT, "horizons": list(HORIZONS), "primary": PRIMARY, "draws": DRAWS, "cap": CAP,
            "few_shot_size": LAW.few_shot_size, "largest_size": LAW.largest_size, "alpha_limit": ALPHA_LIMIT,
        },
        "predictions": sorted(said, key=lambda row: (row["run"], -row["horizon"])),
        "not_forecast": silent,
        "laws": laws,
        "equal_steps": equal_steps(table),
    }  # fmt: skip


def equal_steps(table: pl.DataFrame) -> list[dict[str, Any]]:
    """Compare the runs of a seed at one step, the earliest at which one of them stops: loss, and accuracy after fine-tuning.

    Both are interpolated in ln step; they are the rivals of the law in ranking pre-training data.
    """
    found = []
    for (seed, width), group in table.group_by(["seed", "width"], maintain_order=True):
        runs = {name: run.sort("step") for (name,), run in group.group_by(["run"], maintain_order=True)}
        step = min(int(run["step"].to_numpy().max()) for run in runs.values())
        for name, run in runs.items():
            tuned = run.filter(pl.col("examples") == HORIZONS[0])
            at = np.log(tuned["step"].to_numpy())
            loss, accuracy = (float(np.interp(np.log(step), at, tuned[column].to_numpy())) for column in ("text_loss", "accuracy"))
            found.append(
                {"run": name, "seed": seed, "width": width, "step": step, "loss": loss, f"accuracy_{HORIZONS[0]}": accuracy}
            )
    return sorted(found, key=lambda row: str(row["run"]))
