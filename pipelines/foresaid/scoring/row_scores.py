"""What every scored forecast gets, in one list: the column, how it is computed, the name of its mean and whether pages show it.

The list gives the table of scores its columns and values, the summaries their means and the pages their headings: a new rule is a
function in `rules` (or wherever it belongs) and one entry here. Coverage is not in it, since it is one column a nominal level.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from foresaid.arrays import Array
from foresaid.scoring.calibration import probability_integral_transform
from foresaid.scoring.levels import LEVELS, is_symmetric, position, same_levels
from foresaid.scoring.rules import IntervalScore, bias, weighted_interval_score


@dataclass(frozen=True)
class ScoredRows:
    """Forecasts beside what was observed: all that a rule may look at.

    `quantiles` (n, L) at `levels` (L,), `point` (n,), `outcome` (n,) and its `resolution` (n,), in the unit of the quantity; `bare`
    (n,) marks forecasts that are a point and no distribution, whose quantiles all equal it.
    """

    quantiles: Array
    levels: list[float]
    point: Array
    outcome: Array
    resolution: Array
    bare: NDArray[np.bool_]

    @cached_property
    def nothing(self) -> Array:
        """NaN for every row: what a rule says that does not apply."""
        return np.full(len(self.outcome), np.nan)

    @cached_property
    def interval(self) -> IntervalScore:
        """WIS and its parts; NaN at other levels than LEVELS, since a mean over others says something else."""
        if not same_levels(self.levels):
            return IntervalScore(self.nothing, self.nothing, self.nothing, self.nothing)
        return weighted_interval_score(self.quantiles, LEVELS, self.outcome)

    def at(self, level: float) -> Array:
        """The quantile at a level, NaN where the forecasts have no such level."""
        where = position(self.levels, level)
        return self.nothing if where is None else self.quantiles[:, where]


@dataclass(frozen=True)
class RowScore:
    """One number for each scored row: `of` gives NaN where there is none.

    `mean` names the column of its mean in summaries, "" where a mean would say nothing; `heading` is what pages call that mean, ""
    where they do not show it. `interval_only` means say nothing for methods without intervals.
    """

    name: str
    of: Callable[[ScoredRows], Array]
    mean: str = ""
    heading: str = ""
    interval_only: bool = False


def _bias(rows: ScoredRows) -> Array:
    return bias(rows.quantiles, rows.levels, rows.outcome, rows.resolution) if is_symmetric(rows.levels) else rows.nothing


def _pit(rows: ScoredRows) -> Array:
    found = probability_integral_transform(rows.quantiles, rows.levels, rows.outcome, rows.resolution)
    return np.where(rows.bare, np.nan, found)


ROW_SCORES = (
    RowScore("wis", lambda rows: rows.interval.wis, "wis", "WIS", interval_only=True),
    RowScore("dispersion", lambda rows: rows.interval.dispersion),
    RowScore("overprediction", lambda rows: rows.interval.overprediction),
    RowScore("underprediction", lambda rows: rows.interval.underprediction),
    RowScore("absolute_error", lambda rows: np.abs(rows.at(0.5) - rows.outcome), "mae", "MAE"),
    RowScore("squared_error", lambda rows: (rows.point - rows.outcome) ** 2, "mse"),
    RowScore("bias", _bias),
    RowScore("pit", _pit),
)
MEANS = tuple(one for one in ROW_SCORES if one.mean)
SHOWN = tuple(one for one in MEANS if one.heading)
