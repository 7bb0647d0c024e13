"""What steps teach: the curvature that J'J leaves out, and on the way to which minimum a start is.

Gauss-Newton's H = J'J leaves out sum_i r_i d^2 r_i / dp^2. Where residuals stay, that part decides how fast the last rounds are: a
quarter of it missing, and every round leaves a quarter of the way. Two gradients say what it was along the step between them, so
once steps settle the missing part is learned, a rank a step. And once one start of a copy has ended at a minimum, others that come
near it need not be driven there again: what their height and gradient have to be on the parabola around it is known.

Each rule stands here twice: for all lanes at once in NumPy (`_all`, the reference), and for one lane of the compiled engine, with
nothing allocated and nothing reordered. A lane is one start of one weighted copy.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foresaid.arrays import Array

SETTLING = 0.7  # share of the last gain; steps that each gain less than this come to an end
SMALL_GAIN = 0.1  # of the objective: larger steps are not near enough to a minimum for learned curvature
INDEPENDENT = 1e-16  # squared cosine; a change of gradient more nearly at right angles to its step teaches rounding only
TINY = 1e-300  # against a division by nought
KNOWN = 8  # minima of a copy that later starts are held against
LEVEL = 1e-7  # scaled gradient below which a place where a start ended may stand for a minimum to others
CLOSE = 1e-4  # of a minimum's value: a start this near above it may be shown to be on its way there
ALIKE = 0.1  # share by which height and gradient above a minimum may differ from those of the parabola around it


def learn_all(rest: Array, H: Array, expected: Array, g: Array, g_before: Array, d: Array, scale: Array) -> Array:
    """Return the missing curvature `rest` (B, P, P) after what the last steps `d` (B, P) taught.

    With y = g - g_before, the missing part obeys rest d = y - (H + H_before) d / 2 =: z on average over the step; the symmetric
    correction of rank one, rest + t t' / (t'd) with t = z - rest d, makes it so (SR1: Conn, Gould and Toint 1991, Mathematical
    Programming 50; for least squares: Dennis, Gay and Welsch 1981, ACM Transactions on Mathematical Software 7(3)). `expected` is
    what was known before the step: H_before d / 2 + rest d.

    >>> one = np.ones((1, 1))
    >>> learn_all(0 * one[None], 2 * one[None], one, 4 * one, one, one, one).tolist()  # H is 2; the gradient went from 1 to 4
    [[[1.0]]]
    """
    t = g - g_before - 0.5 * np.einsum("bij,bj->bi", H, d) - expected
    along = (t * d).sum(axis=1)
    told = along * along > INDEPENDENT * (t * t / (scale + TINY)).sum(axis=1) * (d * d * scale).sum(axis=1)
    more = t[:, :, None] * t[:, None, :] / np.where(told, along, 1.0)[:, None, None]
    return np.where(told[:, None, None], rest + more, rest)


def learn(rest: Array, H: Array, expected: Array, g: Array, g_before: Array, d: Array, scale: Array, t: Array) -> None:
    """`learn_all` for one lane: `rest` is changed, `t` is room for P numbers."""
    P = d.size
    along = size = length = 0.0
    for a in range(P):
        bend = 0.0
        for b in range(P):
            bend += H[a, b] * d[b]
        t[a] = g[a] - g_before[a] - 0.5 * bend - expected[a]
        along += t[a] * d[a]
        size += t[a] * t[a] / (scale[a] + TINY)
        length += d[a] * d[a] * scale[a]
    if along * along > INDEPENDENT * size * length:
        for a in range(P):
            part = t[a] / along
            for b in range(P):
                rest[a, b] += part * t[b]


def settles_all(gain: Array, last_gain: Array, d: Array, d_before: Array, scale: Array) -> NDArray[np.bool_]:
    """Say whether steps (B, P) come to an end: each gains much less than the last one, or turns back.

    Steps that march on down a valley do not, and curvature learned on the way would be that of a bend passed long ago.
    """
    return np.asarray((gain <= SETTLING * last_gain) | ((d * d_before * scale).sum(axis=1) < 0.0))


def settles(gain: float, last_gain: float, d: Array, d_before: Array, scale: Array) -> bool:
    """`settles_all` for one lane."""
    turn = 0.0
    for a in range(d.size):
        turn += d[a] * d_before[a] * scale[a]
    return gain <= SETTLING * last_gain or turn < 0.0


def nearest_all(F: Array, p: Array, g: Array, value: Array, place: Array, gradient: Array, curvature: Array) -> NDArray[np.intp]:
    """Return which of the K minima known of its copy each lane (B) is on its way to; -1 where that is not shown.

    `value` is (B, K), infinite where nothing is known yet, `place` and `gradient` (B, K, P), `curvature` (B, K, P, P). Shown is: a
    little above a minimum (CLOSE), the height is that of the parabola around it, and so is each component of the gradient, to
    within ALIKE of what its height allows: |g_a| <= sqrt(2 height H_aa) on a parabola. H is that of the minimum: on a plateau where
    a parameter acts on nothing it allows nothing, so a start that still feels that parameter goes on, and often leaves.
    """
    if not np.isfinite(value).any():
        return np.full(len(F), -1)
    away = p[:, None, :] - place
    bend = np.einsum("bkij,bkj->bki", curvature, away)
    predicted = (away * (gradient + 0.5 * bend)).sum(axis=2)
    gap = F[:, None] - np.where(np.isfinite(value), value, 0.0)
    error = g[:, None, :] - gradient - bend
    shown = np.isfinite(value) & (gap >= 0.0) & (gap <= 2.0 * CLOSE * value) & (predicted <= CLOSE * value)
    shown &= np.abs(gap - predicted) <= ALIKE * predicted
    shown &= (error * error <= ALIKE * ALIKE * 2.0 * predicted[..., None] * np.einsum("bkii->bki", curvature)).all(axis=2)
    return np.where(shown.any(axis=1), shown.argmax(axis=1), -1)


def nearest(F: float, p: Array, g: Array, known: Array, curvature: Array, count: int) -> int:
    """`nearest_all` for one lane; `known` has a row of value, place and gradient for each of `count` minima."""
    P = p.size
    for k in range(count):
        lowest = known[k, 0]
        gap, predicted = F - lowest, 0.0
        if gap < 0.0 or gap > 2.0 * CLOSE * lowest:
            continue
        for a in range(P):
            bend = 0.0
            for b in range(P):
                bend += curvature[k, a, b] * (p[b] - known[k, 1 + b])
            predicted += (p[a] - known[k, 1 + a]) * (known[k, 1 + P + a] + 0.5 * bend)
        alike = predicted <= CLOSE * lowest and abs(gap - predicted) <= ALIKE * predicted
        for a in range(P):
            error = g[a] - known[k, 1 + P + a]
            for b in range(P):
                error -= curvature[k, a, b] * (p[b] - known[k, 1 + b])
            alike = alike and error * error <= ALIKE * ALIKE * 2.0 * predicted * curvature[k, a, a]
        if alike:
            return k
    return -1
