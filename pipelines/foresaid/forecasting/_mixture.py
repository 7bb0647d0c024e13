"""The quantiles and the mean of draws with noise around them, compiled: to the byte what forecasting/predict.py makes with NumPy.

Twenty thousand numbers a subject need not be sorted for the few that stand at the levels. They are counted by value into many
narrow buckets; only the buckets in which a wanted place lies are filled and sorted. What does not spread that way (draws that all
agree, one far from all others, none that is finite) is left to NumPy. Sums run in NumPy's order. As in the compiled engine of the
fits nothing is reordered, and the memory is handed in.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from foresaid.arrays import Array
from foresaid.fitting import _jit

PLACES = "21b111i2H"  # kinds of the arguments of `select`: see fitting/_jit.py
MEANS = "21bff2"  # those of `add_up`
BUCKETS = 4096
LOADING = 20_000_000  # numbers sorted in the time in which the compiler of kernels is loaded
MOST = 0.25  # share of the numbers in wanted buckets beyond which sorting all of them is faster


def ascending(room: Array, start: int, end: int) -> None:
    """Sort a stretch: by insertion over ever smaller gaps (Shell 1959), since most stretches hold a handful."""
    gap = 1
    while 9 * gap < end - start:
        gap = 3 * gap + 1
    while gap > 0:
        for j in range(start + gap, end):
            v = room[j]
            k = j - gap
            while k >= start and room[k] > v:
                room[k + gap] = room[k]
                k -= gap
            room[k + gap] = v
        gap //= 3


def select(
    draws: Array, z: Array, multiplies: bool, ends: Array, places: Array, room: Array, counts: Any, out: Array, done: Any
) -> None:
    """Fill `out` (n, M) with the values at ascending `places` (M,) among all draws (n, R), ascending, with all noise `z` (K,).

    `ends` holds how many of the lowest and of the highest draws no place can lie among: what lies further out than the others reach
    is counted into the outermost buckets. `done` says of each subject whether it was found.
    """
    n, R = draws.shape
    K, M, last = z.size, places.size, counts.size - 1
    for i in range(n):
        a = draws[i]
        done[i] = False
        low, high = a[int(ends[0])], a[R - 1 - int(ends[1])]
        if multiplies:
            low, high = low * z[0], high * z[K - 1]
        else:
            low, high = low + z[0], high + z[K - 1]
        per = last / (high - low)
        if not (a[0] > -np.inf and a[R - 1] < np.inf and high > low and 0.0 < per < np.inf) or (multiplies and a[0] < 0.0):
            continue
        for b in range(counts.size):
            counts[b] = 0
        for r in range(R):
            for k in range(K):
                v = a[r] * z[k] if multiplies else a[r] + z[k]
                counts[int(min(max((v - low) * per, 0.0), float(last)))] += 1
        at = before = filled = 0
        for b in range(counts.size):  # counts become where a bucket is filled from, or -1
            inside, wanted = counts[b], False
            while at < M and places[at] < before + inside:
                wanted = True
                out[i, at] = filled + places[at] - before
                at += 1
            before += inside
            counts[b] = filled if wanted else -1
            if wanted:
                filled += inside
        if filled > MOST * R * K:
            continue
        for r in range(R):
            for k in range(K):
                v = a[r] * z[k] if multiplies else a[r] + z[k]
                b = int(min(max((v - low) * per, 0.0), float(last)))
                if counts[b] >= 0:
                    room[counts[b]] = v
                    counts[b] += 1
        start = 0
        for b in range(counts.size):  # where a bucket that was filled ends
            if counts[b] > start:
                ascending(room, start, counts[b])
                start = counts[b]
        for m in range(M):
            out[i, m] = room[int(out[i, m])]
        done[i] = True


def add_up(location: Array, z: Array, multiplies: bool, lower: float, upper: float, total: Array) -> None:
    """Add to `total` (1, n) every draw of `location` (R, n) with every noise, cut at the bounds, draw by draw."""
    R, n = location.shape
    for r in range(R):
        for k in range(z.size):
            for i in range(n):
                v = location[r, i] * z[k] if multiplies else location[r, i] + z[k]
                v = lower if v < lower else v
                total[0, i] += upper if v > upper else v


_sorted_so_far = [0]  # numbers, by this process


def pays(numbers: int) -> bool:
    """Say whether compiled code pays for so many numbers more: it is loaded, or sorting has taken as long as loading would."""
    _sorted_so_far[0] += numbers
    return _jit.loaded() or (_sorted_so_far[0] > LOADING and _jit.available())


def at_places(location: Array, z: Array, multiplies: bool, places: NDArray[np.intp]) -> tuple[Array, NDArray[np.bool_]]:
    """Return the values (n, M) at ascending places among draws (R, n) with noise, and of which subjects they were found (n,)."""
    R, n = location.shape
    size = R * z.size
    draws = np.ascontiguousarray(np.sort(location, axis=0).T)
    # Below the draw with as many others below it there are at most so many numbers: the lowest place lies no lower.
    ends = np.floor([places[0] / z.size, (size - 1 - places[-1]) / z.size]).astype(float)
    out = np.empty((n, len(places)))
    done: NDArray[np.bool_] = np.zeros(n, dtype=np.bool_)
    _jit.compiled(select, PLACES)(
        draws, z, multiplies, ends, places.astype(float), np.empty(size), np.empty(BUCKETS, dtype=np.int64), out, done
    )
    return out, done


def sums(location: Array, z: Array, multiplies: bool, lower: float, upper: float) -> Array:
    """Return the sum (n,) over draws (R, n) and noise of what is left within the bounds."""
    total = np.zeros((1, location.shape[1]))
    _jit.compiled(add_up, MEANS)(np.ascontiguousarray(location), z, multiplies, lower, upper, total)
    return np.asarray(total[0])
