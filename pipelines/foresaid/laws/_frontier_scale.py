"""The scale on which a frontier grows in a straight line: Gompertz's, by which it slows as it nears the ceiling and never turns.

g = -ln(-ln y): Gompertz's curve y = exp(-exp(-rate (t - middle))) is a straight line in g. It is asymmetric: fast
at the start, slow at the end (Gompertz 1825; as a growth curve for forecasts Meade and Islam 1995, Int. J. Forecasting 11, 199).
"""

from __future__ import annotations

import numpy as np

from foresaid.arrays import Array

EDGE = 0.004  # a share this close to 0 or 1 says no more than the edge itself; the same as in the capability law


def to_line(share: Array) -> Array:
    """g = -ln(-ln y), the share pulled EDGE off 0 and 1: (n,) from (n,).

    >>> (to_line(np.array([np.exp(-1.0)])).round(12) + 0.0).tolist()
    [0.0]
    """
    return np.asarray(-np.log(-np.log(np.clip(share, EDGE, 1.0 - EDGE))))


def to_share(line: Array) -> Array:
    """Return y = exp(-exp(-g)), the inverse without the edge, of any shape."""
    return np.asarray(np.exp(-np.exp(-np.clip(line, -50.0, 50.0))))
