"""What the frontier laws read: boards with their values by day of release, and questions about the best value by a later day.

The *frontier* of a board on a day is the mean of the best `top` values of models released by that day (top 1: the record). A law
sees boards cut at an origin and nothing later; `known` is the only door.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from foresaid.arrays import Array
from foresaid.errors import RecordError

MONTH = 365.25 / 12.0  # days
LEVELS = (np.arange(200) + 0.5) / 200.0
"""Levels of the quantiles a frontier law gives: equal steps, so that twice their mean pinball loss is the CRPS of 200 draws."""


@dataclass(frozen=True)
class Board:
    """A benchmark: its name, its family, and the day (proleptic ordinal) and value (share above chance) of its n models.

    Sorted by day, then value; each of `day` and `value` is (n,).
    """

    name: str
    family: str
    day: Array
    value: Array

    def by(self, day: float) -> Board:
        """Return the board as of `day`: models released by then."""
        keep = self.day <= day
        return Board(self.name, self.family, self.day[keep], self.value[keep])

    def frontier(self, day: float, top: int) -> float:
        """Mean of the best `top` values of models released by `day`; NaN where there are fewer."""
        seen = np.sort(self.value[self.day <= day])
        return float(seen[-top:].mean()) if len(seen) >= top else float("nan")

    def measured_within(self, after: float, until: float) -> bool:
        """Whether a model released after `after` and by `until` stands on the board."""
        return bool(((self.day > after) & (self.day <= until)).any())


@dataclass(frozen=True)
class Question:
    """The frontier (mean of the best `top`) of `board` by `months` months after the origin."""

    board: str
    top: int
    months: int


def board(name: str, family: str, rows: Iterable[tuple[date, float]]) -> Board:
    """Make a board of (day of release, share above chance) rows in any order; RecordError for a value outside [0, 1]."""
    ordered = sorted((day.toordinal(), float(value)) for day, value in rows)
    for day, value in ordered:
        if not 0.0 <= value <= 1.0:
            raise RecordError(f"board {name}: found {value} on {date.fromordinal(day)}, expected a share within [0, 1]")
    return Board(name, family, np.array([float(day) for day, _ in ordered]), np.array([value for _, value in ordered]))


def known(boards: Sequence[Board], origin: float) -> tuple[Board, ...]:
    """Return the boards as of the origin, by name: what a law may see."""
    return tuple(one.by(origin) for one in sorted(boards, key=lambda one: one.name))


def path(one: Board, origin: float, top: int, step: float = MONTH) -> tuple[Array, Array]:
    """Frontier of a board on a grid of `step` days that ends at the origin: days and values, from the first day that has one."""
    if len(one.day) < top:
        return np.empty(0), np.empty(0)
    count = int((origin - np.sort(one.day)[top - 1]) // step)
    days = origin - step * np.arange(count, -1, -1.0)
    return days, np.array([one.frontier(day, top) for day in days])
