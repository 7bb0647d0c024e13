"""What every method of a table is: its title, one sentence, its role, and what it was told of the model it forecasts.

A baseline is what a law must beat. Those of baselines.py and score_baselines.py say so of themselves; which laws are baselines too
(they know only the compute, the size or the date of a model) is said here alone. Whoever picks a best baseline or a reference asks
this module. The reference of a kind of target is named here, before anything is scored; the best baseline of a table is picked
afterwards and is called so.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from foresaid.forecasting.baselines import COMBINED, FOR_RELEASES, FOR_SIZES, Baseline
from foresaid.forecasting.method import COMPUTE, COVARIATES, DATE, LINEAGE, SAME, SCORES, SIZE, Method
from foresaid.forecasting.score_baselines import FOR_SCORES


def _of(listed: Mapping[str, Baseline]) -> list[Method]:
    return [Method(name, one.title, one.sentence, "baseline", one.told) for name, one in listed.items()]


METHODS = {
    one.name: one
    for one in (
        *_of(FOR_RELEASES),
        COMBINED,
        *_of(FOR_SCORES),
        *_of(FOR_SIZES),
        Method("compute_sigmoid", "Compute sigmoid", "a sigmoid in the logarithm of training compute", "baseline", COMPUTE),
        Method("size_sigmoid", "Size sigmoid", "a sigmoid in the logarithm of the number of parameters", "baseline", SIZE),
        Method("growth", "Growth in time", "a curve in the release date alone", "baseline", DATE),
        Method("ensemble_equal", "Equal-weight ensemble", "the average of all laws' quantiles, level by level", "ensemble", SAME),
        Method(
            "ensemble_median",
            "Median ensemble",
            "the median of all laws' quantiles, level by level, with its own interval recalibration",
            "ensemble",
            SAME,
        ),
        Method(
            "ensemble_stacked",
            "Stacked ensemble",
            "the weighted average of the laws' quantiles, weights learned from their earlier scores",
            "ensemble",
            SAME,
        ),
        Method(
            "printed_forms", "Printed coefficients", "the forms as the authors printed them, applied without a refit", "law", SCORES
        ),
        Method(
            "capability",
            "Capability law",
            "one Gaussian model of all scores of all systems, told the release's scores on other benchmarks",
            "law",
            SCORES,
        ),
        Method(
            "capability_unconditional",
            "Capability law, told no score",
            "one Gaussian model of all scores of all systems, told line, tier, effort and day of the release",
            "law",
            LINEAGE,
        ),
        Method("observational", "Observational law", "a sigmoid in principal components of other scores", "law", SCORES),
        Method("uplift", "Uplift of voting", "the score of one sample, moved as on the known models", "law", SCORES),
        Method("ability", "Ability law", "a sigmoid in the first component of the other benchmarks", "law", SCORES),
    )
}
BASELINES = tuple(name for name, one in METHODS.items() if one.role == "baseline")
REFERENCES = {"larger": "last_value", "released": "best_known", "listed": "best_known"}
INFORMED_REFERENCE = "nearest_known_model"


def reference(split: str, name: str) -> str:
    """The method a law's skill is measured against, by how its rows were held out and what it was told.

    Runs held out by scale: the nearest known run. Models: the best score so far; for a law told other scores of the model, and for
    an ensemble of such laws, the nearest known model, which is told the same. Both were named after results had been seen, and
    against the laws: persistence by family is several times worse, and would flatter them.

    >>> reference("released", "observational"), reference("released", "compute_sigmoid"), reference("larger", "chinchilla")
    ('nearest_known_model', 'best_known', 'last_value')
    >>> reference("released", "ensemble_median")
    'nearest_known_model'
    """
    return INFORMED_REFERENCE if split != "larger" and told(name) in (SCORES, SAME) else REFERENCES[split]


def is_baseline() -> pl.Expr:
    """Rows of a score frame whose method is a baseline: by this list, or by the row's role where the method is not on it."""
    return pl.col("law").is_in(list(BASELINES)) | (pl.col("role") == "baseline")


def told(name: str) -> str:
    """What a method knows of the model it forecasts; a law that is not on the list is told its covariates, no more.

    >>> told("training_mean"), told("observational"), told("chinchilla")
    ('nothing', 'other scores', 'its covariates')
    """
    return METHODS[name].told if name in METHODS else COVARIATES
