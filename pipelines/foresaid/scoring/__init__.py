"""Proper scoring rules, calibration and significance tests, on arrays; and the quantile levels forecasts are stated at.

May import the top files.
"""

from typing import TYPE_CHECKING

from foresaid import exporting

if TYPE_CHECKING:
    from foresaid.scoring.calibration import calibration_test, coverage_interval
    from foresaid.scoring.levels import LEVELS
    from foresaid.scoring.rules import bias, covered, crps_of_draws, log_score_of_mixture, pinball, weighted_interval_score
    from foresaid.scoring.significance import compare, diebold_mariano, holm, pairwise_relative_wis

__all__ = [
    "LEVELS",
    "bias",
    "calibration_test",
    "compare",
    "coverage_interval",
    "covered",
    "crps_of_draws",
    "diebold_mariano",
    "holm",
    "log_score_of_mixture",
    "pairwise_relative_wis",
    "pinball",
    "weighted_interval_score",
]
__getattr__ = exporting(
    __name__,
    {
        "calibration_test": "calibration",
        "coverage_interval": "calibration",
        "LEVELS": "levels",
        "bias": "rules",
        "covered": "rules",
        "crps_of_draws": "rules",
        "log_score_of_mixture": "rules",
        "pinball": "rules",
        "weighted_interval_score": "rules",
        "compare": "significance",
        "diebold_mariano": "significance",
        "holm": "significance",
        "pairwise_relative_wis": "significance",
    },
)
