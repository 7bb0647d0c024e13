"""The quantile levels a forecast is stated at, and which sets of levels make central intervals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from foresaid.arrays import Array
from foresaid.errors import ParameterError

LEVELS: tuple[float, ...] = (0.01, 0.025, *(round(0.05 * i, 2) for i in range(1, 20)), 0.975, 0.99)


def is_symmetric(levels: Sequence[float]) -> bool:
    """Whether there are central intervals and a median: an odd number of ascending levels, symmetric about 0.5.

    >>> is_symmetric([0.1, 0.5, 0.9]), is_symmetric([0.1, 0.5])
    (True, False)
    """
    level = np.asarray(levels, dtype=float)
    return bool(len(level) % 2 and np.allclose(level + level[::-1], 1.0, atol=1e-12) and (np.diff(level) > 0).all())


def _levels(levels: Sequence[float]) -> Array:
    level = np.asarray(levels, dtype=float)
    if not is_symmetric(levels):
        raise ParameterError("levels: expected an odd number of ascending levels, symmetric about 0.5")
    return level
