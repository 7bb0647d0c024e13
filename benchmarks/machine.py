"""What this machine can do at best, so that a measured cost has a floor to be held against.

Rates of all cores the program uses, each core in a thread of its own: multiply-adds of a matrix product that fits the cache,
exponentials of an array that does, and bytes moved by a copy that does not. The best of five rounds, since a floor is what the
machine can do and not what it does in the mean. A floor is the fewest operations that any exact method needs over such a rate; it
leaves out every fixed cost, so small work looks far from it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from benchmarks.engine import WORKERS

ROUNDS = 5


class Rates(NamedTuple):
    """A second, of all cores together."""

    flops: float
    exponentials: float
    copied_bytes: float


def _best(work: Callable[[Any], object], places: list[Any], amount: float) -> float:
    """The most of `amount` a second of all cores, over rounds in which every core has a place of its own."""
    rates = []
    with ThreadPoolExecutor(len(places)) as pool:
        for _ in range(ROUNDS):
            start = time.process_time()  # not the clock: a busy machine has the same cores
            list(pool.map(work, places))
            rates.append(len(places) ** 2 * amount / (time.process_time() - start))
    return max(rates)


@cache
def rates() -> Rates:
    """Measure the three rates, once in a run."""
    rng = np.random.default_rng(0)
    n, few, many = 1000, 20_000, 8_000_000
    square = [(rng.random((n, n)), np.empty((n, n))) for _ in range(WORKERS)]
    short = [(-rng.random(few), np.empty(few)) for _ in range(WORKERS)]
    long = [(rng.random(many), np.empty(many)) for _ in range(WORKERS)]

    def exponentials(place: Any) -> None:
        for _ in range(500):
            np.exp(place[0], out=place[1])

    return Rates(
        _best(lambda place: np.matmul(place[0], place[0], out=place[1]), square, 2.0 * n**3),
        _best(exponentials, short, 500.0 * few),
        _best(lambda place: np.copyto(place[1], place[0]), long, 16.0 * many),
    )


def said() -> str:
    """The rates in a sentence."""
    found = rates()
    return (
        f"At best: {found.flops / 1e9:.0f} billion multiplications and additions, {found.exponentials / 1e9:.1f} billion "
        f"exponentials and {found.copied_bytes / 1e9:.0f} GB read and written a second, {WORKERS} cores together."
    )
