"""What our own emergence experiment measured: where the task emerges, how data, fine-tuning and width move it, and the control.

Seeds are the unit: intervals resample whole seeds, since runs of a seed share their starting weights and rows. A comparison of two
frequencies or widths is made within seeds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl

from foresaid.reproducible import generator
from foresaid.studies.emergence.predict import PRIMARY, ROOT
from foresaid.studies.emergence.thresholds import CENSORED, FOUND, NOT_EMERGED
from foresaid.studies.simulations.emergence import binomial_interval

RESAMPLES = 2000
MAIN_WIDTH, CONTROLS = 64, (0.05, 0.1)  # at the latter no emergence was expected, and it came

Row = dict[str, Any]


def interval(rows: Sequence[Row], statistic: Callable[[Sequence[Row]], float], name: str) -> Row:
    """Return a statistic of rows that carry a seed, with its 95 % interval over resampled seeds.

    >>> interval([{"seed": seed, "x": 1.0} for seed in range(3)], lambda rows: float(np.mean([row["x"] for row in rows])), "x")
    {'value': 1.0, 'lower_95': 1.0, 'upper_95': 1.0, 'rows': 3, 'seeds': 3}
    """
    seeds = sorted({row["seed"] for row in rows})
    if not seeds:
        return {"value": None, "rows": 0, "seeds": 0}
    of = {seed: [row for row in rows if row["seed"] == seed] for seed in seeds}
    rng = generator(ROOT, "score", name)
    drawn = [statistic([row for at in rng.integers(0, len(seeds), len(seeds)) for row in of[seeds[at]]]) for _ in range(RESAMPLES)]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return {"value": statistic(rows), "lower_95": float(low), "upper_95": float(high), "rows": len(rows), "seeds": len(seeds)}


def mean(key: str) -> Callable[[Sequence[Row]], float]:
    """Return the statistic that averages one cell."""
    return lambda rows: float(np.mean([row[key] for row in rows]))


def share(rows: Sequence[Row], holds: Callable[..., bool]) -> Row:
    """Count the rows for which something holds, with the exact 95 % interval of the share.

    >>> share([{"x": 1}, {"x": 2}], lambda row: row["x"] > 1)["count"]
    1
    """
    hits = sum(holds(row) for row in rows)
    low, high = binomial_interval(hits, len(rows)) if rows else (0.0, 1.0)
    return {"count": hits, "of": len(rows), "share": hits / len(rows) if rows else None, "lower_95": low, "upper_95": high}


def measured(found: list[Row]) -> list[Row]:
    """Return, by width, frequency and protocol or size, how many runs emerged, were censored, never did, fell back; and where."""
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in found:
        groups.setdefault((row["width"], row["frequency"], row["protocol"], row["examples"]), []).append(row)
    few = {row["run"]: row for row in found if row["protocol"] == "few_shot"}
    table = []
    for (width, frequency, protocol, examples), rows in sorted(groups.items()):
        met = [row for row in rows if row["status"] == FOUND]
        shifts = [
            {"seed": row["seed"], "shift": row["loss"] - few[row["run"]]["loss"]}
            for row in met
            if few[row["run"]]["status"] == FOUND
        ]
        label = f"{width}/{frequency}/{protocol}/{examples}"
        table.append(
            {
                "width": width,
                "frequency": frequency,
                "protocol": protocol,
                "examples": examples,
                **{status: sum(row["status"] == status for row in rows) for status in (FOUND, CENSORED, NOT_EMERGED)},
                "reversals": sum(row["reversals"] > 0 for row in rows),
                "loss": interval(met, mean("loss"), f"{label}/loss"),
                "step_median": float(np.median([row["step"] for row in met])) if met else None,
                "shift_from_few_shot": interval(shifts, mean("shift"), f"{label}/shift"),
            }
        )
    return table


def monotone(found: list[Row]) -> Row:
    """Count neighbouring sizes of a run, both measured, at which more examples moved emergence to a higher loss."""
    of: dict[str, list[Row]] = {}
    for row in found:
        if row["status"] == FOUND and row["protocol"] != "zero_shot":
            of.setdefault(row["run"], []).append(row)
    steps = [
        later["loss"] > earlier["loss"]
        for rows in of.values()
        for earlier, later in pairwise(sorted(rows, key=lambda row: row["examples"]))
    ]
    return {"neighbouring_sizes": len(steps), "higher_with_more_examples": int(np.sum(steps))}


def quality(found: list[Row]) -> list[Row]:
    """Compare frequencies within seeds: how much higher the loss, and how much sooner the step, at which the task emerges."""
    few = {
        (row["width"], row["frequency"], row["seed"]): row
        for row in found
        if row["protocol"] == "few_shot" and row["status"] == FOUND
    }
    table = []
    for width in sorted({key[0] for key in few}):
        levels = sorted({key[1] for key in few if key[0] == width})
        for place, low in enumerate(levels):
            for high in levels[place + 1 :]:
                pairs = [
                    {
                        "seed": seed,
                        "loss": few[width, high, seed]["loss"] - row["loss"],
                        "ln_step": float(np.log(few[width, high, seed]["step"] / row["step"])),
                    }
                    for (at, level, seed), row in few.items()
                    if (at, level) == (width, low) and (width, high, seed) in few
                ]
                effect = {key: interval(pairs, mean(key), f"quality/{width}/{low}/{high}/{key}") for key in ("loss", "ln_step")}
                table.append(
                    {"width": width, "from": low, "to": high, **effect, "higher_loss": sum(pair["loss"] > 0 for pair in pairs)}
                )
    return table


def axis(found: list[Row], table: pl.DataFrame) -> Row:
    """Ask whether loss is the right axis: how it varies over seeds beside the step, and over widths at one frequency."""
    few = [row for row in found if row["protocol"] == "few_shot" and row["status"] == FOUND]
    spread = []
    for width, frequency in sorted({(row["width"], row["frequency"]) for row in few}):
        rows = [row for row in few if (row["width"], row["frequency"]) == (width, frequency)]
        if len(rows) < 3:
            continue
        falls = []  # nats lost for a factor e in steps, where the task emerges
        for row in rows:
            run = table.filter(pl.col("run") == row["run"]).select("step", "text_loss").unique().sort("step")
            at = int(np.clip(np.searchsorted(run["step"].to_numpy(), row["step"]), 1, len(run) - 1))
            (first, before), (second, after) = run.row(at - 1), run.row(at)
            falls.append((before - after) / np.log(second / first))
        spread.append(
            {
                "width": width,
                "frequency": frequency,
                "runs": len(rows),
                "deviation_of_loss": float(np.std([row["loss"] for row in rows], ddof=1)),
                "deviation_of_ln_step": float(np.std([np.log(row["step"]) for row in rows], ddof=1)),
                "the_same_in_nats": float(np.std([np.log(row["step"]) for row in rows], ddof=1) * np.mean(falls)),
            }
        )
    of = {(row["width"], row["frequency"], row["seed"]): row for row in few}
    widths = []
    for width in sorted({row["width"] for row in few} - {MAIN_WIDTH}):
        pairs = [
            {"seed": row["seed"], "loss": row["loss"] - of[MAIN_WIDTH, row["frequency"], row["seed"]]["loss"],
             "ln_step": float(np.log(row["step"] / of[MAIN_WIDTH, row["frequency"], row["seed"]]["step"]))}
            for row in few
            if row["width"] == width and (MAIN_WIDTH, row["frequency"], row["seed"]) in of
        ]  # fmt: skip
        effect = {key: interval(pairs, mean(key), f"width/{width}/{key}") for key in ("loss", "ln_step")}
        widths.append({"width": width, "against": MAIN_WIDTH, **effect})
    return {"spread_over_seeds": spread, "widths": widths}


def control(frequency: float, table: pl.DataFrame, found: list[Row], said: Row) -> Row:
    """Say what became of a frequency at which no emergence was expected, and of what the law said would.

    A forecast is false when its run went below the loss it names and the task had not emerged by the end.
    """
    runs = table.filter(pl.col("frequency") == frequency)
    mine = [row for row in found if row["frequency"] == frequency]
    last = runs.filter(pl.col("step") == pl.col("step").max().over("run")) if len(runs) else runs
    lowest = {row["run"]: float(runs.filter(pl.col("run") == row["run"])["text_loss"].to_numpy().min()) for row in mine}
    emerged = {row["run"] for row in mine if row["protocol"] == "few_shot" and row["status"] == FOUND}
    forecasts = [
        {"run": item["run"], "horizon": item["horizon"], "lowest_loss": lowest[item["run"]], "forecast": method["loss"],
         "false": method["loss"] > lowest[item["run"]] and item["run"] not in emerged}
        for item in said["predictions"]
        if item["run"] in lowest
        for name, method in item["methods"].items()
        if name == PRIMARY["method"]
    ]  # fmt: skip
    best = runs.filter(pl.col("protocol") == "few_shot")["accuracy"].to_list()
    return {
        "frequency": frequency,
        "runs": runs["run"].n_unique(),
        "forecasts": forecasts,
        "emerged_without_fine_tuning": sum(row["status"] == FOUND and row["protocol"] == "few_shot" for row in mine),
        "highest_few_shot_accuracy": max(best, default=None),
        "lowest_loss": min(runs["text_loss"].to_list(), default=None),
        "fine_tuned_at_the_end": {
            str(size): float(np.mean(last.filter(pl.col("examples") == size)["accuracy"].to_list()))
            for size in sorted(set(last["examples"].to_list()) - {0})
        },
        "reversals_by_examples": {
            str(row_size): sum(row["reversals"] > 0 for row in mine if row["examples"] == row_size)
            for row_size in sorted({row["examples"] for row in mine} - {0})
        },
    }
