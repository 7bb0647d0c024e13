"""A ceiling below one that no file states, estimated for a board from the boards that are at their end.

Where items are wrong a board ends below one, and nobody says where. So the ceilings of all boards are taken for draws of one
logit-normal distribution, learned on the boards *at their end* on the day: high, still measured, and without a rise for a year
(partial pooling). A board's own ceiling is that distribution above its record. A law is asked on the way to each of a few equally
likely ceilings, and its answers are mixed. How it was chosen: docs/results-frontier.md, section 8.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit
from scipy.stats import norm

from foresaid.arrays import Array
from foresaid.laws._frontier_rows import LEVELS, MONTH, Board, Question
from foresaid.laws._frontier_scale import EDGE
from foresaid.laws._frontier_still import STILL

Law = Callable[[Sequence[Board], float, Sequence[Question]], Array]


@dataclass(frozen=True)
class Settings:
    """When a board is at its end, the prior of a ceiling, and at how many ceilings a law is asked.

    At its end: a record of at least `level` without a rise for `months`, though `fewest` models came. The prior counts as
    `boards` boards whose logit has mean `centre` and standard deviation `spread`.
    """

    months: float = 12.0
    level: float = 0.5
    fewest: int = 3
    boards: float = 2.0
    centre: float = 3.5
    spread: float = 1.5
    points: int = 5


def at_its_end(one: Board, origin: float, settings: Settings) -> bool:
    """Whether a board, as known at the origin, has stopped rising."""
    before = origin - settings.months * MONTH
    record = one.frontier(origin, 1)
    came = int(((one.day > before) & (one.day <= origin)).sum())
    return record >= settings.level and came >= settings.fewest and record - one.frontier(before, 1) <= STILL


def pooled(boards: Sequence[Board], origin: float, settings: Settings) -> tuple[float, float]:
    """Mean and standard deviation of the logit of a ceiling over boards: those at their end with the prior's own `boards`.

    The mean of records and prior weighted by their number, the variance about it likewise.

    >>> pooled([], 0.0, Settings())
    (3.5, 1.5)
    """
    ends = np.array([one.frontier(origin, 1) for one in boards if at_its_end(one, origin, settings)])
    found = logit(np.clip(ends, EDGE, 1.0 - EDGE))
    weight = settings.boards + len(found)
    mean = (settings.boards * settings.centre + found.sum()) / weight
    about = settings.boards * (settings.spread**2 + (settings.centre - mean) ** 2) + ((found - mean) ** 2).sum()
    return float(mean), float(np.sqrt(about / weight))


def ceilings(one: Board, origin: float, mean: float, sd: float, points: int) -> Array:
    """Equally likely ceilings (points,) of a board: quantiles of the logit-normal above its record, at most one."""
    record = float(np.clip(one.frontier(origin, 1), EDGE, 1.0 - EDGE))
    least = float(logit(record))
    below = norm.cdf(least, mean, sd)
    levels = below + (1.0 - below) * (np.arange(points) + 0.5) / points
    found = expit(norm.ppf(np.minimum(levels, 1.0 - 1e-12), mean, sd))
    return np.asarray(np.clip(found, max(record, one.value.max(initial=0.0)), 1.0))


def to_ceilings(law: Law, settings: Settings | None = None) -> Law:
    """The law asked on the way to each of the estimated ceilings, its answers mixed with equal weights."""
    settings = settings or Settings()

    def told(boards: Sequence[Board], origin: float, questions: Sequence[Question]) -> Array:
        mean, sd = pooled(boards, origin, settings)
        tops = {one.name: ceilings(one, origin, mean, sd, settings.points) for one in boards}
        answers = []
        for k in range(settings.points):
            scaled = [Board(one.name, one.family, one.day, one.value / tops[one.name][k]) for one in boards]
            asked = law(scaled, origin, questions)
            answers.append(asked * np.array([tops[one.board][k] for one in questions])[:, None])
        return np.asarray(np.quantile(np.hstack(answers), LEVELS, axis=1).T)

    return told
