"""Results of our own emergence experiment, as the law's page shows it: favourable or not, and nothing typed in.

Numbers come from the results that `foresaid experiment score` computes from the measured table; results that were not made
from the table that is there are refused. Sentences are chosen by the numbers, so a table with another outcome says another thing.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from foresaid import text
from foresaid.studies.emergence.measures import CONTROLS, MAIN_WIDTH
from foresaid.studies.emergence.predict import PRIMARY
from foresaid.text import count, number, percent

METHODS = {
    "pooled_free": "the law, runs of one frequency pooled, free curvature",
    "pooled_free_corner": "the kink of that fit instead of its crossing",
    "alone_free": "the law, each run alone, free curvature",
    "pooled_prior": "the law as specified (prior on the curvature), pooled",
    "alone_prior": "the law as specified, each run alone",
    "last": "baseline: last value (persistence)",
    "line": "baseline: straight line in ln D",
    "hindsight_mean_of_other_seeds": "in hindsight: mean of the other seeds",
}
JUDGED = (str(PRIMARY["method"]), PRIMARY["horizon"])  # said beforehand


def shown(said: dict[str, Any] | None) -> dict[str, Any] | None:
    """Turn results into sentences and tables."""
    if said is None:
        return None
    rows = [row for row in said["accuracy"] if row["frequency"] is None]
    judged = next(row for row in rows if (row["method"], row["horizon"]) == JUDGED)
    return {
        "intro": (
            f"{count(said['runs'], 'small transformer')} trained on a CPU, {count(said['checkpoints'], 'checkpoint')} of which "
            f"{said['held_back_checkpoints']:,} were held back, {said['accuracies']:,} accuracies; {said['forecasts']:,} forecasts "
            "written down before the checkpoints they are about were measured. Ranges are 95 %, whole seeds resampled."
        ),
        "verdict": _verdict(said, judged),
        "accuracy": [_accuracy(row) for row in sorted(rows, key=lambda row: (-row["horizon"], _place(row["method"])))],
        "shifts": _shifts(said["measured"]),
        "frequencies": [f"{one:g}" for one in _frequencies(said["measured"])],
        "ranking": [
            {
                "rule": row["rule"].replace("_", " "),
                "by_loss": percent(row["right_by_loss"]["value"]),
                "pairs": row["right_by_loss"]["rows"],
            }
            for row in said["ranking"]
        ],
        "axis": [_width(row) for row in said["axis"]["widths"]],
        "controls": [_control(row) for row in said["controls"]],
        "unscored": ", ".join(f"{n} {reason.replace('_', ' ')}" for reason, n in said["unscored"].items() if n),
    }


def _place(method: str) -> int:
    return list(METHODS).index(method) if method in METHODS else len(METHODS)


def _range(entry: dict[str, Any], digits: int = 3) -> str:
    return f"{entry['value']:.{digits}f} [{entry['lower_95']:.{digits}f}, {entry['upper_95']:.{digits}f}]"


def _held(entry: dict[str, Any] | None) -> str:
    return text.DASH if entry is None else f"{entry['count']} of {entry['of']}"


def _verdict(said: dict[str, Any], judged: dict[str, Any]) -> list[str]:
    """Say what the judged forecast was worth, in sentences that follow from the numbers."""
    miss, rival = judged["mean_absolute_error"], said["primary_less_rival"]["last"]
    last = next(row for row in said["accuracy"] if (row["method"], row["horizon"], row["frequency"]) == ("last", JUDGED[1], None))
    prior = next(
        row for row in said["accuracy"] if (row["method"], row["horizon"], row["frequency"]) == ("pooled_prior", JUDGED[1], None)
    )
    if rival["upper_95"] < 0:
        better = "It is better than the last value (persistence)"
    elif rival["lower_95"] > 0:
        better = "It is worse than the last value (persistence)"
    else:
        better = "It is not shown to beat the last value (persistence)"
    band = judged["coverage_90"]
    sentences = [
        f"Primary forecast of the few-shot emergence point: mean absolute error {_range(miss)} nats, "
        f"{_held(judged['within_a_tenth_of_a_nat'])} within the paper's 0.1 nats.",
        f"{better}, whose mean absolute error is {_range(last['mean_absolute_error'])}: the difference is {_range(rival)}.",
        f"Coverage of its 90 % intervals: {_held(band)}" + (": far too narrow." if band["upper_95"] < 0.9 else "."),
        "As specified, with the prior on the curvature, the law has a mean absolute error of "
        f"{_range(prior['mean_absolute_error'])}.",
        f"The lead is {_range(said['lead_in_steps'], 2)} times the steps (median), {_range(said['distance_in_nats'])} nats.",
        f"More fine-tuning examples gave a higher loss of emergence for {said['monotone']['higher_with_more_examples']} of "
        f"{said['monotone']['neighbouring_sizes']} neighbouring sizes.",
    ]
    for row in said["controls"]:
        if row["emerged_without_fine_tuning"]:
            sentences.append(
                f"Frequency {row['frequency']:g} was meant as a negative control and is none: "
                f"{row['emerged_without_fine_tuning']} of its {count(row['runs'], 'run')} emerged."
            )
    return sentences


def _accuracy(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "horizon": str(row["horizon"]),
        "method": METHODS.get(row["method"], row["method"].replace("_", " ")),
        "judged": (row["method"], row["horizon"]) == JUDGED,
        "error": _range(row["mean_absolute_error"]),
        "bias": _range(row["bias"]),
        "within": _held(row["within_a_tenth_of_a_nat"]),
        "held_80": _held(row.get("coverage_80")),
        "held_90": _held(row.get("coverage_90")),
        "widened_90": _held(row.get("coverage_90_widened")),
        "factor": number(row["typical_factor_in_steps"]) if "typical_factor_in_steps" in row else text.DASH,
    }


def _frequencies(measured: list[dict[str, Any]]) -> list[float]:
    return sorted({row["frequency"] for row in measured if row["width"] == MAIN_WIDTH and row["frequency"] not in CONTROLS})


def _shifts(measured: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row a fine-tuning size: how much higher the loss of emergence is than without fine-tuning, by frequency."""
    main = {
        (row["examples"], row["frequency"]): row
        for row in measured
        if row["width"] == MAIN_WIDTH and row["protocol"] in ("few_shot", "fine_tuned")
    }
    made = []
    for examples in sorted({size for size, _ in main}):
        cells = [main[examples, frequency] for frequency in _frequencies(measured)]
        part = "loss" if examples == 0 else "shift_from_few_shot"
        made.append(
            {
                "examples": f"{examples:,}" if examples else "none (few-shot): the loss itself",
                "cells": [_range(cell[part]) if cell["found"] else text.DASH for cell in cells],
                "censored": f"{sum(cell['censored'] for cell in cells)} of "
                f"{sum(cell['found'] + cell['censored'] + cell['not_emerged'] for cell in cells)}",
            }
        )
    return made


def _width(row: dict[str, Any]) -> dict[str, str]:
    return {
        "width": f"{row['width']} against {row['against']}",
        "loss": _range(row["loss"]),
        "ln_step": _range(row["ln_step"], 2),
        "runs": str(row["loss"]["rows"]),
    }


def _control(row: dict[str, Any]) -> dict[str, str]:
    false = sum(one["false"] for one in row["forecasts"])
    return {
        "frequency": f"{row['frequency']:g}",
        "runs": str(row["runs"]),
        "emerged": str(row["emerged_without_fine_tuning"]),
        "highest": percent(row["highest_few_shot_accuracy"]),
        "lowest_loss": number(row["lowest_loss"]),
        "false": f"{false} of {len(row['forecasts'])}",
    }


def downloads(said: dict[str, Any]) -> dict[str, pl.DataFrame]:
    """Errors of every method and the measured points of emergence, flat."""
    return {part: pl.DataFrame([_flat(row) for row in said[part]], infer_schema_length=None) for part in ("accuracy", "measured")}


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key, value in row.items():
        made |= {f"{key}_{inner}": one for inner, one in value.items()} if isinstance(value, dict) else {key: value}
    return made
