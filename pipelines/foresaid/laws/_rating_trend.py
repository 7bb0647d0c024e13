"""Ratings without a ceiling by a local trend: level and slope of the record wander, by marginal likelihood of the one path.

The same process as the frontier's local trend (`_frontier_process`), on the rating's own scale brought to unit spread.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from foresaid.arrays import Array
from foresaid.laws._frontier_process import YEAR, condition, fit
from foresaid.laws._frontier_rows import LEVELS, MONTH

FEWEST = 6  # months of path


def trend(day: Array, value: Array, at: float, origin: float) -> Array:
    """Quantiles (200) of the record on day `at`, from the monthly path of the record up to `origin`; never below today's record."""
    now = float(value.max())
    days = origin - MONTH * np.arange(int((origin - day.min()) // MONTH), -1, -1.0)
    path = np.array([value[day <= one].max() for one in days if (day <= one).any()])
    days = days[-len(path) :]
    spread = float(path.std())
    if len(path) < FEWEST or spread < 1e-9:
        return np.full(len(LEVELS), now)
    times, level = (days - origin) / YEAR, (path - path[-1]) / spread
    shared = fit("trend", [(times, level)])
    mean, sd = condition("trend", shared, times, level, np.array([(at - origin) / YEAR]))
    return np.asarray(np.maximum(now, path[-1] + spread * (mean[0] + sd[0] * ndtri(LEVELS))))
