"""What every method of a table is: its title, one sentence, its role, and what it was told of the model it forecasts.

A baseline is what a law must beat. That is a property of the method and is said here alone: the baselines of baselines.py, and the
laws that know only the compute, the size or the date of a model. Whoever picks a best baseline or a reference asks this module. The
reference of a kind of target is named here, before anything is scored; the best baseline of a table is picked afterwards and is
called so.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class Method:
    """One method: `role` is law, baseline or ensemble; `told` is what it knows of the model or run it forecasts."""

    name: str
    title: str
    sentence: str
    role: str
    told: str


NOTHING, FAMILY, MAKER, LINE, SCALE, COMPUTE, SIZE, DATE = (
    "nothing", "family", "maker and effort", "line, tier and effort", "scale of the run", "training compute", "size and tokens",
    "release date",
)  # fmt: skip
SIX = "maker, line, tier, effort and release date"
SCORES = "other scores"
LINEAGE = "line, tier, effort and release date"
SAME, COVARIATES = "what its laws were told", "its covariates"

METHODS = {
    one.name: one
    for one in (
        Method("training_mean", "Mean (climatology)", "the mean score of the training models", "baseline", NOTHING),
        Method("best_known", "Best so far", "the best score of the training models", "baseline", NOTHING),
        Method(
            "last_of_family",
            "Last value (persistence)",
            "the score of the newest known model of the same family",
            "baseline",
            FAMILY,
        ),
        Method(
            "last_of_line_and_tier",
            "Last of line and tier",
            "the last score of the same line and tier, at the nearest effort",
            "baseline",
            LINE,
        ),
        Method("last_of_maker", "Last of maker", "the last score of the same maker, at the nearest effort", "baseline", MAKER),
        Method("recent_mean", "Mean of the last twelve", "the mean of the twelve newest scores", "baseline", NOTHING),
        Method("average_trend", "Average trend", "a line in the release date through all scores, as probits", "baseline", DATE),
        Method("frontier_trend", "Frontier trend", "a line in the release date through the records, as probits", "baseline", DATE),
        Method("mean_of_six", "Mean of six baselines", "the average quantiles of the six that know no score", "baseline", SIX),
        Method(
            "shifted_last",
            "Last of line, shifted",
            "the last of line and tier, moved by the mean surprise of the model's other scores",
            "baseline",
            SCORES,
        ),
        Method(
            "nearest_known_model",
            "Nearest known model",
            "the score of the known model whose other scores are nearest",
            "baseline",
            SCORES,
        ),
        Method("ridge_on_others", "Ridge on other scores", "ridge regression on the model's other scores", "baseline", SCORES),
        Method(
            "sigmoid_of_mean",
            "Line in the mean score",
            "a logistic line in the mean of the model's other scores",
            "baseline",
            SCORES,
        ),
        Method("last_value", "Nearest known run", "the score of the nearest smaller run of the series", "baseline", SCALE),
        Method(
            "straight_line",
            "Straight line",
            "linear regression on the first covariate, or its logarithm, over all known runs",
            "baseline",
            SCALE,
        ),
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
