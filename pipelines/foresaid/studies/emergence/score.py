"""What was said beforehand about our own emergence experiment, set beside the outcome.

Reads the whole table and the predictions written down earlier and returns plain numbers: errors and coverage of every
method at every horizon, beside simple rules, and how well each ranks the pre-training data. A forecast that cannot be scored,
since the task never emerged or had emerged before it was made, is counted.
"""

from __future__ import annotations

import hashlib
import io

import numpy as np
import polars as pl

from foresaid.studies.emergence.measures import (
    CONTROLS,
    MAIN_WIDTH,
    Row,
    axis,
    control,
    interval,
    mean,
    measured,
    monotone,
    quality,
    share,
)
from foresaid.studies.emergence.predict import HORIZONS, PRIMARY
from foresaid.studies.emergence.thresholds import CENSORED, FOUND, thresholds

SUCCESS = 0.1  # nats: the paper's criterion
WIDENING = 1.6  # of the bands, found on simulations of this law (docs/decisions.md)
BANDS = {"80": ("0.1", "0.9"), "90": ("0.05", "0.95")}
RIVALS = ("last", "line", "alone_free", "pooled_prior", "hindsight_mean_of_other_seeds")


def _errors(found: list[Row], said: Row) -> tuple[list[Row], Row]:
    """Return one row a scored forecast, and the counts of those that could not be scored."""
    few = {row["run"]: row for row in found if row["protocol"] == "few_shot"}
    rows: list[Row] = []
    unscored = {"emerged_before_the_forecast": 0, "never_emerged": 0, "censored": 0}
    for item in said["predictions"]:
        truth = few[item["run"]]
        if truth["status"] != FOUND or item["emerged_before"]:
            unscored[
                "emerged_before_the_forecast"
                if item["emerged_before"]
                else "censored"
                if truth["status"] == CENSORED
                else "never_emerged"
            ] += 1
            continue
        peers = [
            row["loss"]
            for row in few.values()
            if row["status"] == FOUND and (row["frequency"], row["width"]) == (truth["frequency"], truth["width"])
            if row["run"] != truth["run"]
        ]
        methods = {**item["methods"]}
        if peers:
            methods["hindsight_mean_of_other_seeds"] = {"loss": float(np.mean(peers))}
        for method, forecast in methods.items():
            row = {key: truth[key] for key in ("run", "seed", "frequency", "width")}
            row |= {"horizon": item["horizon"], "method": method, "error": forecast["loss"] - truth["loss"]}
            row |= {
                "absolute": abs(row["error"]),
                "lead": truth["step"] / item["stop_step"],
                "distance": item["stop_loss"] - truth["loss"],
            }
            if "step" in forecast:
                row["ln_step_error"] = float(np.log(forecast["step"] / truth["step"]))
            for band, (low, high) in BANDS.items() if "quantiles" in forecast else ():
                ends = forecast["quantiles"][low], forecast["quantiles"][high]
                middle = forecast["quantiles"]["0.5"]
                row[f"inside_{band}"] = ends[0] <= truth["loss"] <= ends[1]
                wide = [middle + WIDENING * (end - middle) for end in ends]
                row[f"inside_{band}_widened"] = wide[0] <= truth["loss"] <= wide[1]
                row[f"width_{band}"] = ends[1] - ends[0]
            rows.append(row)
    return rows, unscored


def _accuracy(rows: list[Row]) -> list[Row]:
    """Sum the errors up by horizon and method, over 0.2, 0.3 and 0.4 at the main width (frequency None) and by frequency."""
    table = []
    for horizon in HORIZONS:
        for method in sorted({row["method"] for row in rows}):
            for frequency in (None, *sorted({row["frequency"] for row in rows})):
                part = [
                    row
                    for row in rows
                    if row["horizon"] == horizon and row["method"] == method and row["width"] == MAIN_WIDTH
                    if (row["frequency"] not in CONTROLS if frequency is None else row["frequency"] == frequency)
                ]
                if not part:
                    continue
                label = f"{horizon}/{method}/{frequency}"
                entry: Row = {
                    "horizon": horizon,
                    "method": method,
                    "frequency": frequency,
                    "mean_absolute_error": interval(part, mean("absolute"), f"{label}/mae"),
                    "bias": interval(part, mean("error"), f"{label}/bias"),
                    "median_absolute_error": float(np.median([row["absolute"] for row in part])),
                    "largest_absolute_error": max(row["absolute"] for row in part),
                    "within_a_tenth_of_a_nat": share(part, lambda row: bool(row["absolute"] <= SUCCESS)),
                }
                if "ln_step_error" in part[0]:
                    entry["typical_factor_in_steps"] = float(np.exp(np.median([abs(row["ln_step_error"]) for row in part])))
                for band in BANDS if "inside_90" in part[0] else ():
                    entry[f"coverage_{band}"] = share(part, lambda row, band=band: bool(row[f"inside_{band}"]))
                    entry[f"coverage_{band}_widened"] = share(part, lambda row, band=band: bool(row[f"inside_{band}_widened"]))
                    entry[f"median_width_{band}"] = float(np.median([row[f"width_{band}"] for row in part]))
                table.append(entry)
    return table


def _against(rows: list[Row], rival: str, name: str) -> Row:
    """Return the primary method's mean absolute error less a rival's, on the same runs: below zero the law is better."""
    of = {
        (row["run"], row["method"]): row
        for row in rows
        if row["horizon"] == PRIMARY["horizon"] and row["width"] == MAIN_WIDTH and row["method"] in (PRIMARY["method"], rival)
        if row["frequency"] not in CONTROLS
    }
    pairs = [
        {"seed": row["seed"], "difference": row["absolute"] - of[run, rival]["absolute"]}
        for (run, method), row in of.items()
        if method == PRIMARY["method"] and (run, rival) in of
    ]
    return interval(pairs, mean("difference"), name)


def _ranking(found: list[Row], said: Row) -> list[Row]:
    """Rank the data of each seed in pairs by what was known early, against the order of emergence by loss and by step."""
    few = {
        row["run"]: row for row in found if row["protocol"] == "few_shot" and row["status"] == FOUND and row["width"] == MAIN_WIDTH
    }
    judged: dict[str, dict[str, float]] = {}
    for item in said["predictions"]:
        for method, forecast in item["methods"].items():
            judged.setdefault(f"{method} loss at {item['horizon']}", {})[item["run"]] = forecast["loss"]
            judged.setdefault(f"{method} step at {item['horizon']}", {})[item["run"]] = -forecast["step"]
    for item in said["equal_steps"]:
        judged.setdefault("lowest loss at equal steps", {})[item["run"]] = -item["loss"]
        judged.setdefault("accuracy after fine-tuning at equal steps", {})[item["run"]] = item["accuracy_256"]
    table = []
    for rule, value in sorted(judged.items()):
        pairs = []
        runs = [few[run] for run in value if run in few and few[run]["frequency"] not in CONTROLS]
        for one in runs:
            for other in runs:
                if one["seed"] == other["seed"] and one["frequency"] < other["frequency"]:
                    order = value[other["run"]] - value[one["run"]]
                    pairs.append(
                        {
                            "seed": one["seed"],
                            "loss": float(order * (other["loss"] - one["loss"]) > 0),
                            "step": float(order * (one["step"] - other["step"]) > 0),
                        }
                    )
        if pairs:
            right = {f"right_by_{axis}": interval(pairs, mean(axis), f"ranking/{rule}/{axis}") for axis in ("loss", "step")}
            table.append({"rule": rule, **right})
    return table


def results(table: bytes, said: Row) -> Row:
    """Return all results as plain numbers, from the bytes of the whole table and what was said beforehand."""
    frame = pl.read_csv(io.BytesIO(table))
    found = thresholds(frame)
    wanted = [row for row in found if row["frequency"] not in CONTROLS]
    errors, unscored = _errors(found, said)
    primary = [row for row in errors if row["horizon"] == PRIMARY["horizon"] and row["method"] == PRIMARY["method"]]
    primary = [row for row in primary if row["width"] == MAIN_WIDTH and row["frequency"] not in CONTROLS]
    return {
        "table_sha256": hashlib.sha256(table).hexdigest(),
        "runs": frame["run"].n_unique(),
        "checkpoints": frame.select("run", "step").n_unique(),
        "accuracies": len(frame),
        "held_back_checkpoints": frame.filter(pl.col("part") == "held_back").select("run", "step").n_unique(),
        "measured": measured(found),
        "monotone": monotone(wanted),
        "quality": quality(found),
        "forecasts": len(said["predictions"]),
        "unscored": unscored,
        "accuracy": _accuracy(errors),
        "lead_in_steps": interval(primary, lambda rows: float(np.median([row["lead"] for row in rows])), "lead"),
        "distance_in_nats": interval(primary, mean("distance"), "distance"),
        "primary_less_rival": {rival: _against(errors, rival, f"against/{rival}") for rival in RIVALS},
        "ranking": _ranking(found, said),
        "axis": axis(found, frame),
        "controls": [control(frequency, frame, found, said) for frequency in CONTROLS],
    }
