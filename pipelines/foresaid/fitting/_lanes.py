"""The algebra of one step of the compiled engine: sums over rows and the damped solve within bounds.

Nothing here may reorder arithmetic, and nothing allocates (see fitting/_compiled.py). fitting/least_squares.py does the same for
all lanes at once.
"""

from __future__ import annotations

from typing import Any

from foresaid.arrays import Array


def dot(a: Array, i: int, b: Array, j: int) -> float:
    """Return sum over the columns of a[i] b[j] in four partial sums: the meaning of compiling.four_lanes."""
    parts = (a[i] * b[j]).reshape(-1, 4).sum(axis=0)
    return float((parts[0] + parts[1]) + (parts[2] + parts[3]))


def step(H: Array, g: Array, damp: Array, p: Array, low: Array, high: Array, L: Array, d: Array, held: Any) -> bool:
    """Solve the damped system, holding what is or would be outside its bounds; False when it is not positive.

    Cholesky's method without roots: L has ones on its diagonal, which is left out, and keeps there what the pivots are divided by;
    above it stand the pivots' multiples.
    """
    P = p.size
    for a in range(P):
        held[a] = (p[a] <= low[a] and g[a] > 0) or (p[a] >= high[a] and g[a] < 0)
        d[a] = 0.0
    for _ in range(P + 1):
        for a in range(P):
            if held[a]:
                continue
            right, s = -g[a], H[a, a] + damp[a]
            for b in range(P):
                if held[b]:
                    right -= H[a, b] * d[b]
            for b in range(a):
                if held[b]:
                    continue
                u = H[a, b]
                for e in range(b):
                    if not held[e]:
                        u -= L[e, a] * L[b, e]
                L[b, a], L[a, b] = u, u * L[b, b]
                right -= L[a, b] * L[b, P]
                s -= L[a, b] * u
            if not s > 0:
                return False
            L[a, a], L[a, P] = 1.0 / s, right
        for a in range(P - 1, -1, -1):
            if held[a]:
                continue
            s = L[a, P] * L[a, a]
            for b in range(a + 1, P):
                if not held[b]:
                    s -= L[b, a] * d[b]
            d[a] = s
        crossed = False
        for a in range(P):
            ahead = p[a] + d[a]
            if not held[a] and (ahead < low[a] or ahead > high[a]):
                d[a] = min(max(ahead, low[a]), high[a]) - p[a]
                held[a] = crossed = True
        if not crossed:
            return True
    return True
