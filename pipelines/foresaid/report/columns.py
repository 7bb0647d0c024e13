"""What each column of a download means, in one place: the schemas of the tables say it from here.

Names that are headings of a table on a page (they hold a space, or are one plain word of a study) say it themselves.
"""

from __future__ import annotations

import re

MEANINGS = {
    "absolute_error": "Absolute error of the median, in the unit of the target",
    "adjusted_p": "p adjusted for all claims of its kind (Holm)",
    "as_of": "Vintage: only what was public by this day was used",
    "baseline": "Name of the baseline compared with",
    "baseline_wis": "Mean WIS of the baseline on the rows both forecast",
    "batch": "SHA-256 of the batch of the ledger that holds the entry",
    "best": "Best score so far, at the release of this model",
    "best_baseline": "Baseline with the lowest WIS, picked afterwards",
    "bias": "Of a row: 2 × share of the predictive distribution above the outcome − 1. Of means: mean of forecast median − outcome",
    "board": "Leaderboard the score was read from",
    "case": "Name of the hindcast or of the adopted record",
    "chance": "Score of guessing, as a share",
    "cluster": "Family or series whose rows are resampled together",
    "clusters": "Number of families or series",
    "commit": "Commit of the source that was read",
    "covered_50": "Whether the outcome lies inside the central 50 % interval",
    "covered_80": "Whether the outcome lies inside the central 80 % interval",
    "covered_90": "Whether the outcome lies inside the central 90 % interval",
    "covered_95": "Whether the outcome lies inside the central 95 % interval",
    "coverage_50": "Share of outcomes inside the central 50 % interval",
    "coverage_80": "Share of outcomes inside the central 80 % interval",
    "coverage_90": "Share of outcomes inside the central 90 % interval",
    "coverage_95": "Share of outcomes inside the central 95 % interval",
    "cr1_factor": "Small-sample factor of the cluster bootstrap by which deviations are widened",
    "dispersion": "Part of the WIS that is the width of the intervals",
    "distance": "How far the row lies beyond the training rows, in their standard deviations; none where it has no meaning",
    "evidence": "Kind of evidence: prospective, adopted or hindcast",
    "family": "Family of the model",
    "frozen_at_claimed": "When the batch was frozen, as its author claims (UTC)",
    "group": "Value of what the table is broken down by",
    "held_out": "Number of rows held out",
    "horizon": "Months between origin and release",
    "id": "Identifier of the entry",
    "interval_recalibration": "What interval recalibration did: scale of the width, and the series it was learnt from",
    "items": "Number of items of the benchmark",
    "kind": "Kind of row or model",
    "known_on": "First day on which the value was public",
    "law": "Name of the law or baseline",
    "licence": "Licence in words",
    "line": "Line of models the model belongs to",
    "line_source": "Where the line was read",
    "maker": "Maker of the model",
    "mae": "Mean absolute error of the median",
    "median": "Median of the predictive distribution",
    "method": "Name of the method",
    "mode": "What the forecast could look at",
    "model_id": "Identifier of the model: maker/name",
    "mse": "Mean squared error of the median",
    "n": "Number of scored forecasts",
    "n_backtest_clusters": "Number of series the interval recalibration rests on",
    "n_makers": "Number of makers",
    "n_no_forecast": "Number of rows without a forecast",
    "n_releases": "Number of releases, the independent observations",
    "name": "Name",
    "note": "Note of the record",
    "notes": "Notes of the record",
    "observed": "Outcome, in the unit of the target",
    "open_weights": "Whether the weights are open; empty where no source says",
    "organisation": "Organisation that released the model",
    "origin": "Day from which the forecast was made again",
    "overprediction": "Part of the WIS from outcomes below the intervals",
    "p": "p-value of a wild cluster bootstrap by release",
    "params_active": "Active parameters",
    "params_total": "Parameters",
    "pit": "Probability integral transform: share of the predictive distribution below the outcome",
    "place": "Place in the order of the table",
    "point": "Point forecast, in the unit of the target",
    "previous": "Value before the revision",
    "primary": "Whether the author counts it as the forecast of the target",
    "publisher": "Publisher of the figures",
    "quantity_id": "Identifier of the benchmark or loss",
    "reason": "Reason in words",
    "reference": "Reference named before scoring, by what the law was told",
    "reference_wis": "Mean WIS of the reference on the same rows",
    "relative_mae": "Mean absolute error over that of the reference; below 1 is better",
    "relative_wis": "WIS over that of the reference; below 1 is better",
    "relative_wis_best": "WIS over that of the best baseline in hindsight",
    "release": "Launch: all models of one maker on one day",
    "release_source": "Where the release date was read",
    "released_on": "Day of release",
    "released_precision": "Whether the day of release is known or only its month",
    "replicate_restarts_at_best": "Share of bootstrap fits whose restarts agree on the optimum",
    "reread": "Whether the document that gives the release date was at hand when the date was entered",
    "residual_scale": "Scale of the residuals, in the scale of the fit",
    "resolution": "Half the step in which outcomes are published",
    "restarts_at_best": "Share of restarts that reached the best optimum",
    "role": "law or baseline",
    "round": "Round of the ledger",
    "rows": "Number of rows fitted",
    "rule": "Name of the rule",
    "series": "Series of runs the row belongs to; empty for released models",
    "setting": "Setting under which the score was measured",
    "skill": "1 − relative WIS; positive is better",
    "slope": "Slope of the line",
    "source_id": "Name of the source in the record",
    "split": "How rows were held out: released (by date), listed, or larger (by scale)",
    "squared_error": "Squared error of the median",
    "status": "Status of the fit",
    "subject_id": "Model, system or run that was measured",
    "system_id": "System: a model with its effort",
    "target_id": "Target of the law",
    "tier": "Tier of the model within its line",
    "told": "What the law was told of a model beside its release date",
    "training_flops": "Training compute in FLOPs",
    "training_tokens": "Training tokens",
    "type": "Type of the entry",
    "unconverged": "Number of bootstrap fits that did not converge",
    "underprediction": "Part of the WIS from outcomes above the intervals",
    "unit": "Unit of the target",
    "value": "Value, in the unit of the quantity",
    "verdict": "Verdict of the claim",
    "width": "Mean width of the 80 % interval",
    "wis": "Weighted interval score over 23 quantiles (mean where the row is a mean), in the unit of the target; lower is better",
    "x": "Covariate of the law on its own axis",
}
ENDS = re.compile(r"(?P<base>.*?)_?(?P<side>lower|upper)_(?P<level>50|80|90|95)")
COUNT = re.compile(r"n_(?P<what>\w+)")


def meaning(column: str) -> str:
    """Say what a column means: from the list, by the rule of interval ends and counts, or by its own name as words.

    >>> meaning("upper_80"), meaning("maker_lower_95"), meaning("n_origins"), meaning("loss_value")
    ('Upper end of the 80 % interval', 'Lower end of the 95 % interval of maker', 'Number of origins', 'Loss value')
    """
    if column in MEANINGS:
        return MEANINGS[column]
    if found := ENDS.fullmatch(column):
        of = f" of {found['base'].replace('_', ' ')}" if found["base"] else ""
        return f"{found['side'].capitalize()} end of the {found['level']} % interval{of}"
    if found := COUNT.fullmatch(column):
        return f"Number of {found['what'].replace('_', ' ')}"
    words = column.replace("_", " ")
    return words[:1].upper() + words[1:]
