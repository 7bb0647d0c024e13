"""The exponential and the logarithm in plain arithmetic, for compiled kernels.

The C library's own are called one number at a time and choose their code by processor. These use nothing but addition,
multiplication, division and the bits of a double, each rounded as IEEE 754 says, so a compiler can run them on as many
numbers at once as the processor has room for, and every processor gives the same last digit. NumPy's engine does not use them.
"""

from __future__ import annotations

import numpy as np

LN2_HIGH = 6.93147180369123816490e-01  # ln 2 in two parts; the first has trailing zeros, so that k * LN2_HIGH is exact
LN2_LOW = 1.90821492927058770002e-10
PER_LN2 = 1.44269504088896338700e00
ROUND = 6755399441055744.0  # 1.5 * 2^52: adding and taking it away rounds to a whole number
SQRT_HALF = 0x3FE6A09E667F3BCD  # the bits of sqrt(1/2)


def exp(x: float) -> float:
    """Return e^x to within two units in the last place; x is held within -708 and 709.

    x = k ln 2 + r with |r| <= ln 2 / 2, then Taylor's polynomial of degree 13 in r, times 2^k through the exponent's bits.

    >>> [round(float(exp(x)), 12) for x in (-1.0, 0.0, 2.5)]
    [0.367879441171, 1.0, 12.182493960703]
    """
    x = min(max(x, -708.0), 709.0)
    k = x * PER_LN2 + ROUND - ROUND
    r = x - k * LN2_HIGH - k * LN2_LOW
    e = 1.0 / 6227020800.0
    e = e * r + 1.0 / 479001600.0
    e = e * r + 1.0 / 39916800.0
    e = e * r + 1.0 / 3628800.0
    e = e * r + 1.0 / 362880.0
    e = e * r + 1.0 / 40320.0
    e = e * r + 1.0 / 5040.0
    e = e * r + 1.0 / 720.0
    e = e * r + 1.0 / 120.0
    e = e * r + 1.0 / 24.0
    e = e * r + 1.0 / 6.0
    e = e * r + 0.5
    e = e * r + 1.0
    e = e * r + 1.0
    return float(e * np.int64((np.int64(k) + np.int64(1023)) << np.int64(52)).view(np.float64))


def log(x: float) -> float:
    """Return ln x to within two units in the last place, for normal x > 0.

    x = 2^k m with m between sqrt(1/2) and sqrt(2), then ln m = 2 artanh(s), s = (m - 1) / (m + 1), by the rational terms of
    fdlibm's e_log.c (Sun Microsystems 1993).

    >>> [round(float(log(x)), 12) for x in (0.5, 1.0, 20.0)]
    [-0.69314718056, 0.0, 2.995732273554]
    """
    bits = np.float64(x).view(np.int64)
    k = (bits - np.int64(SQRT_HALF)) >> np.int64(52)
    m = np.int64(bits - (k << np.int64(52))).view(np.float64)
    f = m - 1.0
    s = f / (2.0 + f)
    z = s * s
    tail = 1.479819860511658591e-01
    tail = tail * z + 1.531383769920937332e-01
    tail = tail * z + 1.818357216161805012e-01
    tail = tail * z + 2.222219843214978396e-01
    tail = tail * z + 2.857142874366239149e-01
    tail = tail * z + 3.999999999940941908e-01
    tail = tail * z + 6.666666666666735130e-01
    half = 0.5 * f * f
    return float(k * LN2_HIGH - ((half - (s * (half + tail * z) + k * LN2_LOW)) - f))
