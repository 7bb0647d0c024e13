"""Whether frontier forecasts stand in the right place, apart from their width, and whether a learned shift would help.

A band that holds 80 % can still lie too low everywhere. The probability integral transform (PIT: the forecast's probability of a
value up to the outcome, ties counted half) is .5 on average where the place is right, above where outcomes come too high. The shift
is what forecasters would do about it: move every forecast on Gompertz's scale by the median error that was known at the cut-off.
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from foresaid.arrays import Array
from foresaid.laws._frontier_rows import MONTH
from foresaid.laws._frontier_scale import to_line, to_share
from foresaid.studies.frontier.protocol import REPLICATES


def transforms(quantiles: Array, outcome: Array) -> Array:
    """PIT of outcomes (n,) under quantiles (n, 200), ties counted half.

    >>> transforms(np.array([[0.1, 0.2, 0.3, 0.4]]), np.array([0.2])).tolist()
    [0.375]
    """
    at = outcome[:, None]
    return np.asarray((quantiles < at - 1e-12).mean(axis=1) + 0.5 * (np.abs(quantiles - at) <= 1e-12).mean(axis=1))


def place(rows: pl.DataFrame, quantiles: Array, rng: np.random.Generator) -> tuple[float, float, float]:
    """Mean PIT less one half, with its 5 and 95 % bootstrap bounds over board families: above 0 where outcomes come too high."""
    off = transforms(quantiles, rows["outcome"].to_numpy()) - 0.5
    families, member = np.unique(rows["family"].to_numpy(), return_inverse=True)
    sums, counts = np.bincount(member, off), np.bincount(member)
    drawn = rng.multinomial(len(families), np.full(len(families), 1.0 / len(families)), size=REPLICATES)
    low, high = np.quantile((drawn @ sums) / (drawn @ counts), [0.05, 0.95])
    return float(off.mean()), float(low), float(high)


def known_before(rows: pl.DataFrame, cutoff: date) -> NDArray[np.intp]:
    """Places of the rows whose outcome was known at a cut-off: their span had ended by then."""
    ends = [day + timedelta(days=round(months * MONTH)) for day, months in rows.select("cutoff", "months").iter_rows()]
    return np.flatnonzero(np.array([end <= cutoff for end in ends]))


def shifted(rows: pl.DataFrame, quantiles: Array) -> Array:
    """Quantiles moved on Gompertz's scale by the median error of the forecasts known at their cut-off; never below today.

    Where nothing was known yet they stay. Errors are outcome less median forecast, of all boards and spans together.
    """
    found = quantiles.copy()
    now, outcome = rows["now"].to_numpy(), rows["outcome"].to_numpy()
    errors = to_line(outcome) - to_line(np.median(quantiles, axis=1))
    for cutoff in sorted(set(rows["cutoff"])):
        before = known_before(rows, cutoff)
        at = np.flatnonzero((rows["cutoff"] == cutoff).to_numpy())
        if len(before):
            moved = to_share(to_line(quantiles[at]) + float(np.median(errors[before])))
            found[at] = np.where(quantiles[at] > now[at, None], np.maximum(moved, now[at, None]), now[at, None])
    return found
