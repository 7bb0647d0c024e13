"""Array types that every room shares: float arrays, the signature of a compiled curve, and arrays as columns of lists."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import polars as pl

Array = NDArray[np.float64]


Columns = Callable[[Array, Array, Array, Array, Array], None]  # parameters, constants, x by columns; fills curve and Jacobian


def sigmoid(z: Array) -> Array:
    """Return 1 / (1 + exp(-z)) without overflow.

    >>> sigmoid(np.array([-800.0, 0.0, 800.0])).tolist()
    [0.0, 0.5, 1.0]
    """
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1.0, e) / (1.0 + e)


def middle(x: Array) -> Array:
    """Return the middle of the range of each column of (n, k), as (k,): where laws measure logarithms of sizes from.

    >>> middle(np.array([[0.0, 2.0], [1.0, 4.0], [8.0, 3.0]])).tolist()
    [4.0, 3.0]
    """
    return np.asarray((x.min(axis=0) + x.max(axis=0)) / 2.0)


def aligned(count: int) -> Array:
    """Return room for so many numbers that begins where a line of the processor's cache does: rows of eight then cross none."""
    whole = np.empty(count + 8)
    first = -(whole.ctypes.data // whole.itemsize) % 8
    return whole[first : first + count]


def list_column(values: Array | None, rows: int) -> pl.Series:
    """Return one list a row of numbers (rows, L), or nulls where there are none: a hundredth of the time that Python lists take.

    >>> list_column(np.array([[1.0, np.nan]]), 1).to_list(), list_column(None, 2).to_list()
    ([[1.0, nan]], [None, None])
    """
    import polars as pl  # who computes without frames does not pay for it

    if values is None or not rows:
        return pl.Series([None] * rows, dtype=pl.List(pl.Float64))
    return pl.Series(np.ascontiguousarray(values), dtype=pl.Array(pl.Float64, values.shape[1])).arr.to_list()


def list_values(column: pl.Series, width: int) -> Array:
    """Return the numbers (rows, width) of a column of lists; a row without a list, and a number that is null, are NaN.

    >>> import polars as pl
    >>> list_values(pl.Series([[1.0, 2.0], None], dtype=pl.List(pl.Float64)), 2).tolist()
    [[1.0, 2.0], [nan, nan]]
    """
    import polars as pl

    filled = column.fill_null(pl.Series([[math.nan] * width], dtype=pl.List(pl.Float64)))
    return np.array(filled.explode().fill_null(math.nan).to_numpy(), dtype=float).reshape(len(column), width)
