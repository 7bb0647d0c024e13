"""What a law is, and how it is fitted: batched robust least squares, the bootstrap, imputation, the fit and the frozen curve.

May import the top files and `registry` (views).
"""

from typing import TYPE_CHECKING

from foresaid import exporting

if TYPE_CHECKING:
    from foresaid.fitting.data import Covariate, Table, Target
    from foresaid.fitting.fit import STATUSES, Fit
    from foresaid.fitting.law import Law, Parameter

__all__ = ["STATUSES", "Covariate", "Fit", "Law", "Parameter", "Table", "Target"]
__getattr__ = exporting(
    __name__,
    {
        "Covariate": "data",
        "Table": "data",
        "Target": "data",
        "Fit": "fit",
        "STATUSES": "fit",
        "Law": "law",
        "Parameter": "law",
    },
)
