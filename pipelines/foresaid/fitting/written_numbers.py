"""The numbers of a frozen curve as its text has them: eight significant digits, rounded once.

Thousands of curves of a hindcast are applied at once and never written. They have to say what a written one would say, to the last
digit, and need not become text for it.
"""

from __future__ import annotations

import numpy as np

from foresaid.arrays import Array
from foresaid.canonical_json import decimal

DIGITS = 8
PLACES = 15  # after the point: they hold every number of a curve, and the ledger's grammar has room for eighteen
ROOM = 1e18 - 1e11  # the grammar has room for eighteen digits before the point, after rounding
POWERS = 10.0 ** np.arange(PLACES + 1)  # exact


def written(values: Array) -> list[str]:
    """Write numbers (n,) as decimal strings; LedgerError for what is no number or beyond the ledger's grammar."""
    return [decimal(round(float(value), PLACES), DIGITS) for value in values]


def as_written(values: Array) -> Array:
    """Return the numbers that a curve's text holds, which is what `written` writes read back, without writing it.

    A number of so many digits is a whole number over (or times) a power of ten, both exact in a double, so one division gives the
    double that reading would give. What lies so close to a tie that rounding to fifteen places first could decide, and what the
    text has no room for, goes by way of the text.

    >>> as_written(np.array([[2 / 3, -0.0], [123456.789123, 1e-9]])).tolist()
    [[0.66666667, 0.0], [123456.79, 1e-09]]
    """
    size = np.abs(values)
    if not bool((size < ROOM).all()):  # also what is no number
        return np.array([float(item) for item in written(values.ravel())]).reshape(values.shape)
    places = np.minimum(DIGITS - 1 - np.floor(np.log10(np.where(size > 0.0, size, 1.0))), PLACES).astype(int)
    up, down = POWERS[np.maximum(places, 0)], POWERS[np.maximum(-places, 0)]
    scaled = values * up / down
    made = np.asarray(np.rint(scaled) / up * down + 0.0)
    first = np.where(places < PLACES, 0.51 * POWERS[np.maximum(places, 0)] / POWERS[PLACES], 0.0)
    close = np.abs(np.abs(scaled - np.floor(scaled)) - 0.5) < first + 1e-5
    if close.any():
        made[close] = [float(item) for item in written(values[close])]
    return made
