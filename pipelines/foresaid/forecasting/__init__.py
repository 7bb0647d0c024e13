"""From a curve to a predictive distribution: prediction, interval recalibration, combination, baselines, splits, leakage checks.

May import the top files, `scoring`, `registry`, `fitting` and `laws`.
"""

from typing import TYPE_CHECKING

from foresaid import exporting

if TYPE_CHECKING:
    from foresaid.forecasting.frozen import FrozenCurve, Score, read_curve, score
    from foresaid.forecasting.predict import Forecast
    from foresaid.forecasting.recalibration import recalibrated_fits

__all__ = [
    "Forecast",
    "FrozenCurve",
    "Score",
    "read_curve",
    "recalibrated_fits",
    "score",
]
__getattr__ = exporting(
    __name__,
    {
        "FrozenCurve": "frozen",
        "Score": "frozen",
        "read_curve": "frozen",
        "score": "frozen",
        "Forecast": "predict",
        "recalibrated_fits": "recalibration",
    },
)
