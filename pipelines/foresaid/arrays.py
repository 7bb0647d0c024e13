"""Array types that every room shares: float arrays, and the signature of a compiled curve."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


Columns = Callable[[Array, Array, Array, Array, Array], None]  # parameters, constants, x by columns; fills curve and Jacobian


def sigmoid(z: Array) -> Array:
    """Return 1 / (1 + exp(-z)) without overflow.

    >>> sigmoid(np.array([-800.0, 0.0, 800.0])).tolist()
    [0.0, 0.5, 1.0]
    """
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1.0, e) / (1.0 + e)
