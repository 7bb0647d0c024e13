"""Timing and verdicts: what one measurement is, and when a goal counts as met.

A ratio is taken within one run, in one process tree, on the same data. `wall` is elapsed time, `cpu` the processor time of this
process over all its threads: on a busy machine trust the second. What was not run is named, never guessed.
"""

from __future__ import annotations

import importlib
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

Result = TypeVar("Result")
REPEATS = 5


class MissingError(Exception):
    """Raised for what is not here: a peer, a file or a part of the program that this machine does not have."""


@dataclass(frozen=True)
class Timed:
    """Medians, in seconds, of `repeats` runs."""

    wall: float
    cpu: float
    repeats: int


@dataclass(frozen=True)
class Finding:
    """One goal: what was asked, what was found, how good the answers were on each side."""

    goal: int
    title: str
    asked: str
    stretch: str
    found: str
    verdict: str  # stretch, pass, below, skipped, measured (where nothing was asked)
    quality: str
    peer: str
    numbers: dict[str, Any] = field(default_factory=dict)


def module(name: str) -> Any:
    """Return a peer's module, or say by name that it is not here."""
    try:
        return importlib.import_module(name)
    except ImportError:
        raise MissingError(f"{name} is not installed") from None


def clock(work: Callable[[], Result], repeats: int = REPEATS) -> tuple[Timed, Result]:
    """Run some work `repeats` times after one uncounted run (compiling, warming caches); return medians and the last result."""
    result = work()
    walls, cpus = [], []
    for _ in range(repeats):
        wall, cpu = time.perf_counter(), time.process_time()
        result = work()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return Timed(statistics.median(walls), statistics.median(cpus), repeats), result


def each(work: Callable[[Any], Result], items: list[Any]) -> tuple[Timed, list[Result]]:
    """Run some work once for each item of a sample; return the median of one item, and all results."""
    walls, cpus, results = [], [], []
    for item in items:
        wall, cpu = time.perf_counter(), time.process_time()
        results.append(work(item))
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return Timed(statistics.median(walls), statistics.median(cpus), len(items)), results


@dataclass(frozen=True)
class Growth:
    """Medians of processor seconds by size, and the slope on log axes of the larger half of the sizes."""

    sizes: list[int]
    cpu: list[float]
    slope: float


def growth(make: Callable[[int], Callable[[], Any]], sizes: list[int], repeats: int = REPEATS) -> Growth:
    """Measure the work that `make` prepares for each size; small sizes tell of fixed costs, so the slope is of the larger half."""
    cpu = [clock(make(size), repeats)[0].cpu for size in sizes]
    return Growth(sizes, cpu, slope(sizes, cpu))


def slope(sizes: list[int], times: list[float]) -> float:
    """Slope of time over size on log axes, by least squares over the larger half of the sizes (two at least).

    >>> round(slope([1, 10, 100, 1000], [7.0, 7.0, 10.0, 1000.0]), 9)
    2.0
    """
    half = max(2, len(sizes) // 2 + len(sizes) % 2)
    return float(np.polyfit(np.log(sizes[-half:]), np.log(times[-half:]), 1)[0])


def verdict(good: bool, passes: bool, stretch: bool | None) -> str:
    """Say how a goal stands: `good` is its condition on quality, without which no speed counts."""
    if not (good and passes):
        return "below"
    return "stretch" if stretch else "pass"


def seconds(value: float) -> str:
    """Write a duration in the unit a person would choose.

    >>> seconds(0.00012), seconds(0.02), seconds(2.5), seconds(5754.0)
    ('120 µs', '20.0 ms', '2.50 s', '5,754 s')
    """
    if value < 1e-3:
        return f"{value * 1e6:.3g} µs"
    if value < 1.0:
        return f"{value * 1e3:.1f} ms"
    return f"{value:.2f} s" if value < 100 else f"{value:,.0f} s"


def ratio(value: float) -> str:
    """Write a ratio with three figures at most.

    >>> ratio(45123.4), ratio(21.34)
    ('45,100×', '21.3×')
    """
    return f"{float(f'{value:.3g}'):,.0f}×" if value >= 100 else f"{value:.3g}×"
