"""Leave one family out: how well a benchmark table is forecast for a family of which only its smallest models are known.

The protocol of the sloth paper (Maia Polo et al. 2024, arXiv 2412.06540), made strict: base and chat models have levels of
their own but are held out together, since a chat model gives its base model away; and every setting (number of skills, weight
of the own residual, form of a covariance) is chosen by the same exercise played inside the training rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foresaid.arrays import Array
from foresaid.scoring.levels import LEVELS
from foresaid.scoring.rules import covered, weighted_interval_score

Mask = NDArray[np.bool_]
TOLD = "observational: told the other benchmarks"  # the one method that knows more than sizes and family
NOMINAL = (0.5, 0.8, 0.95)  # central intervals whose coverage is counted


@dataclass(frozen=True)
class Leaderboard:
    """A complete table of scores: `family` and `level` (n,) names, `size` and `tokens` (n,), `y` (n, J), `floor` (J,).

    `level` tells base from chat models within a family.
    """

    family: NDArray[np.str_]
    level: NDArray[np.str_]
    size: Array
    tokens: Array
    y: Array
    floor: Array

    @property
    def chat(self) -> Array:
        """Say which rows are chat models, (n,) of zeros and ones: their level ends so."""
        return np.asarray(np.char.endswith(self.level, "chat"), dtype=float)

    def take(self, rows: Mask) -> Leaderboard:
        """Return these rows."""
        return Leaderboard(self.family[rows], self.level[rows], self.size[rows], self.tokens[rows], self.y[rows], self.floor)


def split(board: Leaderboard, family: str, small: int) -> tuple[Mask, Mask]:
    """Return which rows train and which are forecast when a family is held out but for the `small` smallest of each level.

    >>> names = np.array(["a", "a", "a", "b"])
    >>> board = Leaderboard(names, names, np.array([3.0, 1.0, 2.0, 1.0]), np.ones(4), np.ones((4, 1)), np.zeros(1))
    >>> [part.tolist() for part in split(board, "a", 1)]
    [[False, True, False, True], [True, False, True, False]]
    """
    held = board.family == family
    for level in np.unique(board.level[held]):
        rows = np.flatnonzero(board.level == level)
        held[rows[np.argsort(board.size[rows], kind="stable")[:small]]] = False
    return ~held, held


def eligible(board: Leaderboard, small: int) -> list[str]:
    """Return the families with a level of at least `small` + 2 models."""
    levels, counts = np.unique(board.level, return_counts=True)
    large = levels[counts >= small + 2]
    return sorted(set(board.family[np.isin(board.level, large)].tolist()))


@dataclass(frozen=True)
class Forecasts:
    """What one method says of m models: `points` (K, m, J), one for each of its settings.

    A method that chose its setting on the training rows by itself says which, `chosen`; `quantiles` (m, J, 23) are of that one.
    """

    points: Array
    chosen: int | None = None
    quantiles: Array | None = None


@dataclass(frozen=True)
class Exercise:
    """One family held out but for its `small` smallest models: which rows train, which are forecast; `nested` if only to choose.

    No method may read the scores of the rows to forecast, but for the one that says that it is told the other benchmarks.
    """

    board: Leaderboard
    train: Mask
    test: Mask
    small: int
    nested: bool = False

    @property
    def known(self) -> Leaderboard:
        """The rows that train."""
        return self.board.take(self.train)

    @property
    def asked(self) -> Leaderboard:
        """The rows to forecast."""
        return self.board.take(self.test)

    def errors(self, points: Array) -> Array:
        """Mean absolute error (K,) of forecasts (K, m, J)."""
        return np.asarray(np.abs(points - self.board.y[self.test]).mean(axis=(1, 2)))


def hold_out(board: Leaderboard, family: str, small: int, nested: bool = False) -> Exercise:
    """Return the exercise of one family."""
    return Exercise(board, *split(board, family, small), small, nested)


Method = Callable[[Exercise], dict[str, Forecasts]]  # forecasts by the name of a row of the table


def chosen_within(board: Leaderboard, method: Method, small: int) -> dict[str, int]:
    """Choose for each row of the table the setting with the least mean error when each family of these rows is held out in turn."""
    found: dict[str, list[Array]] = {}
    for family in eligible(board, small):
        exercise = hold_out(board, family, small, nested=True)
        for name, made in method(exercise).items():
            found.setdefault(name, []).append(exercise.errors(made.points))
    return {name: int(np.mean(each, axis=0).argmin()) for name, each in found.items()}


@dataclass(frozen=True)
class HeldOutResult:
    """One row of the table: mean absolute error by family with settings chosen within, and over families with the best known after.

    `wis` and `coverage` (at NOMINAL) are means over families; None where the method gives points alone.
    """

    models: int
    by_family: dict[str, float]
    afterwards: float
    wis: float | None
    coverage: tuple[float, ...] | None

    @property
    def within(self) -> float:
        """Mean over families of the error with settings chosen within."""
        return float(np.mean(list(self.by_family.values())))

    @property
    def standard_error(self) -> float:
        """Standard error of that mean, a family one independent observation."""
        each = list(self.by_family.values())
        return float(np.std(each, ddof=1) / np.sqrt(len(each))) if len(each) > 1 else float("nan")


def _spread(quantiles: Array, y: Array) -> Array:
    """Mean WIS and coverages, (1 + 3,), of one family's quantiles (m, J, 23)."""
    flat, outcome = quantiles.reshape(-1, len(LEVELS)), y.ravel()
    inside = [float(covered(flat, LEVELS, outcome, nominal).mean()) for nominal in NOMINAL]
    return np.array([weighted_interval_score(flat, LEVELS, outcome).wis.mean(), *inside])


def leave_one_out(board: Leaderboard, method: Method, small: int) -> dict[str, HeldOutResult]:
    """Hold every eligible family out in turn; settings are chosen without the rows that are forecast."""
    by_family: dict[str, dict[str, float]] = {}
    table: dict[str, list[Array]] = {}
    spreads: dict[str, list[Array]] = {}
    models = 0
    for family in eligible(board, small):
        exercise = hold_out(board, family, small)
        models += int(exercise.test.sum())
        made = method(exercise)
        open_ = any(len(one.points) > 1 and one.chosen is None for one in made.values())
        inner = chosen_within(exercise.known, method, small) if open_ else {}
        for name, one in made.items():
            found = exercise.errors(one.points)
            chosen = one.chosen if one.chosen is not None else inner.get(name, 0)
            by_family.setdefault(name, {})[family] = float(found[chosen])
            table.setdefault(name, []).append(found)
            if one.quantiles is not None:
                spreads.setdefault(name, []).append(_spread(one.quantiles, exercise.asked.y))
    results = {}
    for name, each in by_family.items():
        spread = np.mean(spreads[name], axis=0).tolist() if name in spreads else None
        afterwards = float(np.mean(table[name], axis=0).min())
        results[name] = HeldOutResult(
            models, each, afterwards, spread[0] if spread else None, tuple(spread[1:]) if spread else None
        )
    return results
