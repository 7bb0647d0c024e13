"""Date -> ability -> benchmark in two steps: abilities run along a straight line in the day, benchmarks are sigmoids of ability.

The usual forecast of collected abilities (after Pimpale et al. 2025, arXiv 2502.15850, who take Elo or a principal component as the
middle step); here the middle step is the ability of `item_response`. A release is told nothing but its day.
"""

from __future__ import annotations

import numpy as np

from foresaid.arrays import Array
from foresaid.forecasting.baseline_rows import Rows
from foresaid.forecasting.item_response import GRID, Items

LEAST_SPREAD = 0.1


def ability_on(items: Items, known: Rows, day: float) -> Array:
    """Weights (G,) on GRID of the ability of a system released on `day` (days): a least-squares line and its residual spread."""
    days = dict(zip(known.system, known.day, strict=True))
    when = np.array([days[name] for name in items.systems])
    off = when - when.mean()
    slope = float((off * items.theta).sum() / max(float((off**2).sum()), 1.0))
    middle = float(items.theta.mean()) + slope * (day - float(when.mean()))
    left = items.theta - items.theta.mean() - slope * off
    spread = max(float(np.sqrt((left**2).sum() / max(len(left) - 2, 1))), LEAST_SPREAD)
    weights = np.exp(-0.5 * ((GRID - middle) / spread) ** 2)
    return np.asarray(weights / weights.sum())
