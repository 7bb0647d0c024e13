"""The quantile levels a forecast is stated at, and which sets of levels make central intervals.

Levels are compared with a tolerance far below the step between any two of them, since 0.1 * 3 and 0.3 are one level. WIS is a mean
over levels, so scores on different sets of levels say different things of one distribution and never share a mean.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from foresaid.arrays import Array
from foresaid.errors import ParameterError

LEVELS: tuple[float, ...] = (0.01, 0.025, *(round(0.05 * i, 2) for i in range(1, 20)), 0.975, 0.99)
TOLERANCE = 1e-9  # far above what floating point loses, far below the step between two levels


def is_symmetric(levels: Sequence[float]) -> bool:
    """Whether there are central intervals and a median: an odd number of ascending levels, symmetric about 0.5.

    >>> is_symmetric([0.1, 0.5, 0.9]), is_symmetric([0.1, 0.5])
    (True, False)
    """
    level = np.asarray(levels, dtype=float)
    return bool(len(level) % 2 and np.allclose(level + level[::-1], 1.0, rtol=0.0, atol=TOLERANCE) and (np.diff(level) > 0).all())


def position(levels: Sequence[float], wanted: float) -> int | None:
    """Index of a level, None where it is not among them.

    >>> position([0.1, 0.1 * 3, 0.5], 0.3), position([0.1, 0.5], 0.3)
    (1, None)
    """
    gap = np.abs(np.asarray(levels, dtype=float) - wanted)
    return int(gap.argmin()) if gap.size and gap.min() <= TOLERANCE else None


def same_levels(levels: Sequence[float], others: Sequence[float] = LEVELS) -> bool:
    """Whether two sets hold the same levels in the same order: only then are their WIS comparable.

    >>> same_levels([0.1, 0.1 * 3], [0.1, 0.3]), same_levels([0.01, 0.5, 0.99])
    (True, False)
    """
    return len(levels) == len(others) and bool(np.allclose(levels, others, rtol=0.0, atol=TOLERANCE))


def _levels(levels: Sequence[float]) -> Array:
    level = np.asarray(levels, dtype=float)
    if not is_symmetric(levels):
        raise ParameterError("levels: expected an odd number of ascending levels, symmetric about 0.5")
    return level
