"""Publication lag: how far the frontier of models already released still rises as their scores are published.

A download shows the models released by a day only as far as anyone has measured them. Between two downloads the frontier *of the
models released by the earlier one's day* still moves; that movement, pooled over boards, is added to a forecast whose starting
point was read off a download as it stood. Added up in shares it carries a board near its ceiling onto the ceiling itself; on
Gompertz's scale (`on_line`) a rise is worth less there, as growth is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from foresaid.arrays import Array
from foresaid.laws._frontier_rows import LEVELS, Board
from foresaid.laws._frontier_scale import to_line, to_share


@dataclass(frozen=True)
class Lag:
    """Rises (n,) of the frontier of models released by a day, one a board and pair of downloads, over about `months` months.

    In shares, or on Gompertz's scale where `on_line`.
    """

    rises: Array
    months: float
    on_line: bool = False


def rises(earlier: Sequence[Board], later: Sequence[Board], day: float, top: int) -> Array:
    """Rise of each board's frontier of models released by `day` from one download to the next; boards in both, by name.

    A fall, by a corrected score, counts as it is.
    """
    after = {one.name: one for one in later}
    found = [
        after[one.name].frontier(day, top) - one.frontier(day, top)
        for one in sorted(earlier, key=lambda one: one.name)
        if one.name in after
    ]
    return np.array([value for value in found if np.isfinite(value)])


def with_lag(quantiles: Array, lag: Lag, months: float) -> Array:
    """Add the lag to quantiles (n, 200) in shares: the distribution of the sum of forecast and rise, at most 1.

    Over a time other than the lag's own the chance of a rise is scaled by months / lag.months, at most to what a doubled time
    gives: publication is nearly over after that.
    """
    share = min(months / lag.months, 2.0)
    risen = lag.rises[lag.rises != 0.0]
    chance = min(share * len(risen) / max(len(lag.rises), 1), 1.0)
    if not len(risen) or chance == 0.0:
        return quantiles
    values = np.concatenate([[0.0], risen])
    weights = np.concatenate([[1.0 - chance], np.full(len(risen), chance / len(risen))])
    found = np.empty_like(quantiles)
    for i, row in enumerate(quantiles):
        if lag.on_line:  # a share within the edge of the scale that does not rise stays what it is
            raised = to_share(to_line(row)[:, None] + values[None, :])
            sums = np.where(values[None, :] == 0.0, row[:, None], raised).ravel()
        else:
            sums = np.clip(row[:, None] + values[None, :], 0.0, 1.0).ravel()
        weight = np.tile(weights, len(row))
        order = np.argsort(sums, kind="stable")
        middle = (np.cumsum(weight[order]) - 0.5 * weight[order]) / weight.sum()
        found[i] = np.interp(LEVELS, middle, sums[order])
    return found
