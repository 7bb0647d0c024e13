"""The data the goals are measured on: real tables from a folder of upstream files, made-up ones only where no real ones exist.

FORESAID_OBSSCALING names a checkout of ObsScaling; FORESAID_MIRROR a folder of upstream files, laid out as the registry's sources
name them. A goal whose data are absent is skipped by name.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from benchmarks.measure import MissingError
from foresaid.arrays import Array

BASE = ["MMLU", "ARC-C", "HellaSwag", "Winograd", "TruthfulQA", "GSM8K", "XWinograd", "HumanEval"]
EMERGENT = {  # column of the table: lowest and highest score
    "parsinlu_qa_2_acc": (0.25, 1.0),
    "word_unscrambling_2_exact_match": (0.0, 1.0),
    "ipa_transliterate_2_exact_match": (0.0, 1.0),
    "ipa_transliterate_2_bleu": (0.0, 100.0),
    "arithmetic_3ds_2_acc": (0.0, 1.0),
    "arithmetic_3da_2_acc": (0.0, 1.0),
    "arithmetic_2dm_2_acc": (0.0, 1.0),
    "arithmetic_2da_2_acc": (0.0, 1.0),
}
LEADERBOARD = [
    "IFEval",
    "BBH",
    "MATH Lvl 5",
    "GPQA",
    "MUSR",
    "MMLU-PRO",
    "ARC",
    "HellaSwag",
    "MMLU",
    "TruthfulQA",
    "Winogrande",
    "GSM8K",
]
CUT_OFF = 84.0  # 1e21 FLOPs


class Task(NamedTuple):
    """One target: predictors (n, m) with gaps, and the score between 0 and 1 (n,)."""

    name: str
    x: Array
    y: Array


def _folder(*choices: tuple[str, str]) -> Path:
    for variable, below in choices:
        value = os.environ.get(variable)
        if value and (Path(value) / below).is_dir():
            return Path(value) / below
    raise MissingError("no " + " and no ".join(f"{variable} with {below}" for variable, below in choices))


def obsscaling() -> Path:
    """Return the folder of ObsScaling's tables as first published."""
    return _folder(("FORESAID_MIRROR", "ryoungj+ObsScaling@2024-05-31/eval_results"), ("FORESAID_OBSSCALING", "eval_results"))


def emergent() -> list[Task]:
    """Return the eight emergent tasks: seven metrics without GSM8K, models within 84e21 FLOPs, scores brought to [0, 1]."""
    folder = obsscaling()
    rows = pl.read_csv(folder / "base_llm_benchmark_eval.csv").join(
        pl.read_csv(folder / "base_llm_emergent_capability_eval.csv"), on="Model", how="inner", maintain_order="left"
    )
    rows = rows.filter(pl.col("FLOPs (1E21)") <= CUT_OFF)
    metrics = [name for name in BASE if name != "GSM8K"]
    made = []
    for name, (low, high) in EMERGENT.items():
        part = rows.drop_nulls(name)
        y = (part[name].to_numpy().astype(float) - low) / (high - low)
        made.append(Task(name, part.select(metrics).to_numpy().astype(float), y))
    return made


def post_training(complete: bool) -> tuple[Array, list[str]]:
    """Return the eight metrics and the families of the post-training rows: within the cut-off and without gaps, or all of them."""
    folder = obsscaling()
    rows = pl.read_csv(folder / "base_llm_benchmark_eval.csv").join(
        pl.read_csv(folder / "base_llm_post_training_eval.csv").select("Model"), on="Model", how="inner", maintain_order="left"
    )
    if complete:
        rows = rows.filter(pl.col("FLOPs (1E21)") <= CUT_OFF).drop_nulls(BASE)
    return rows.select(BASE).to_numpy().astype(float), rows["Model Family"].to_list()


def chinchilla() -> tuple[Array, Array]:
    """Return parameters and tokens (240, 2) and losses of Epoch's points, the five highest losses dropped; D = C / (6 N)."""
    folder = _folder(("FORESAID_MIRROR", "epoch-research+analyzing-chinchilla/data"))
    rows = pl.read_csv(folder / "svg_extracted_data.csv").sort("loss").head(240)
    size, flops = rows["Model Size"].to_numpy(), rows["Training FLOP"].to_numpy()
    return np.column_stack([size, flops / (6.0 * size)]), rows["loss"].to_numpy()


def leaderboard() -> tuple[Array, Array, list[str], Array, Array]:
    """Return sizes, tokens, families, scores (79, 12) and the scores of guessing, from Sloth's table."""
    folder = _folder(("FORESAID_MIRROR", "felipemaiapolo+sloth/data"))
    rows = pl.read_csv(folder / "data_v2.csv").drop_nulls([*LEADERBOARD, "#Params (B)", "Pretraining Data Size (T)"])
    families = [f"{family}/{instruct}" for family, instruct in zip(rows["Family"], rows["Instruct"], strict=True)]
    floor = pl.read_csv(folder / "lower_bounds.csv").select(LEADERBOARD).to_numpy()[0].astype(float)
    size, tokens = 1e9 * rows["#Params (B)"].to_numpy(), 1e12 * rows["Pretraining Data Size (T)"].to_numpy()
    return size, tokens, families, rows.select(LEADERBOARD).to_numpy().astype(float), floor


def made_up(models: int, benchmarks: int, targets: int, missing: float, seed: int) -> tuple[Array, Array]:
    """Make up scores of models on benchmarks (with gaps) and on targets, near a plane: sizes no public table has."""
    rng = np.random.default_rng(seed)
    plane = rng.normal(size=(models, 3)) * [1.5, 0.6, 0.4]

    def scores(columns: int) -> Array:
        loading = np.abs(rng.normal(size=(3, columns))) * [[1.0], [0.7], [0.7]]
        logit = plane @ loading + rng.normal(size=columns) + 0.15 * rng.normal(size=(models, columns))
        return np.asarray(1.0 / (1.0 + np.exp(-logit)))

    x, y = scores(benchmarks), scores(targets)
    return np.where(rng.random(x.shape) < missing, np.nan, x), y
