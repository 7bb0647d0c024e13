"""Skill of one method over another on the same rows, with what a few releases can and cannot show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

REPLICATES = 4000
ROW = ("origin", "system_id", "benchmark")


@dataclass(frozen=True)
class Skill:
    """Skill 1 - WIS / reference WIS, its 5 and 95 % bootstrap bounds by release and by maker, its least without one release.

    `interval_by_maker` is the 95 % interval: 2.5 and 97.5 % bounds by maker.
    """

    rows: int
    releases: int
    makers: int
    wis: float
    reference: float
    skill: float
    by_release: tuple[float, float]
    by_maker: tuple[float, float]
    without_one_release: float
    interval_by_maker: tuple[float, float]


def _ratio(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.asarray(1.0 - first / second)


def _bounds(first: np.ndarray, second: np.ndarray, names: list[str], rng: np.random.Generator) -> tuple[tuple[float, ...], float]:
    """Bootstrap bounds over clusters at 5, 95, 2.5 and 97.5 %, and the least skill when any one cluster is left out."""
    keys, member = np.unique(np.array(names), return_inverse=True)
    above, below = np.bincount(member, first), np.bincount(member, second)
    drawn = rng.multinomial(len(keys), np.full(len(keys), 1.0 / len(keys)), size=REPLICATES)
    bounds = np.quantile(_ratio(drawn @ above, drawn @ below), [0.05, 0.95, 0.025, 0.975])
    least = _ratio(above.sum() - above, below.sum() - below).min() if len(keys) > 1 else float("nan")
    return tuple(bounds.tolist()), float(least)


def skill(scores: pl.DataFrame, reference: pl.DataFrame, rng: np.random.Generator) -> Skill:
    """Compare scored rows (see `protocol.scored`) of one method with those of a reference on the rows both have.

    The bootstrap draws whole releases, or whole makers, because scores of one release rise and fall together; percentile bounds.
    """
    both = scores.join(reference.select(*ROW, pl.col("wis").alias("reference")), on=list(ROW), how="inner").sort(*ROW)
    first, second = both["wis"].to_numpy(), both["reference"].to_numpy()
    by_release, least = _bounds(first, second, both["release"].to_list(), rng)
    by_maker, _ = _bounds(first, second, both["maker"].to_list(), rng)
    return Skill(
        len(both),
        both["release"].n_unique(),
        both["maker"].n_unique(),
        float(first.mean()),
        float(second.mean()),
        float(_ratio(first.mean(), second.mean())),
        (by_release[0], by_release[1]),
        (by_maker[0], by_maker[1]),
        least,
        (by_maker[2], by_maker[3]),
    )
