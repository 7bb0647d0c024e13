"""How often a frontier stands still: the chance of no rise over a span, from past spans of boards that stood at a like level.

A record moves by jumps. A law with a smooth path knows how far a board goes and not how often it stays where it is; near a ceiling
that no file states, below one or not, staying is the rule. So the chance of no rise is read off the past spans of all boards near
the level of the asked one, and the law is asked only for what happens otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from foresaid.arrays import Array
from foresaid.laws._frontier_jumps import Jumps, past_jumps
from foresaid.laws._frontier_rows import LEVELS, Board, Question

STILL = 0.001  # a rise of a tenth of a point or less is none: scores are printed to about that


@dataclass(frozen=True)
class Settings:
    """Bandwidth in level (share above chance), fewest models on a board at the start of a past span, and `only_more`.

    With `only_more` the law keeps its own chance of no rise where that is the larger; without, the past's chance replaces it.
    """

    bandwidth: float = 0.15
    fewest: int = 3
    only_more: bool = False


def chance_of_none(pool: Jumps, now: float, bandwidth: float) -> float:
    """Share of past spans without a rise, weighted by exp(-((level then - now) / bandwidth)^2 / 2); 0 where there is none.

    >>> chance_of_none(Jumps(np.array([0.5, 0.5]), np.array([0.5, 0.7])), 0.5, 0.1)
    0.5
    """
    if not len(pool.start):
        return 0.0
    weights = np.exp(-0.5 * ((pool.start - now) / bandwidth) ** 2) + 1e-6
    return float(weights @ (pool.end - pool.start <= STILL) / weights.sum())


def mixed(row: Array, now: float, chance: float) -> Array:
    """Quantiles (200) of a law given that the frontier rises, mixed with `chance` of staying at `now`.

    >>> mixed(np.linspace(0.4, 0.8, 200), 0.6, 0.25)[[0, 49, 50, 199]].round(2).tolist()
    [0.6, 0.6, 0.6, 0.8]
    """
    own = float(np.mean(row <= now + 1e-12))
    if own >= 1.0:
        return np.full(len(LEVELS), now)
    rising = np.clip((LEVELS - chance) / max(1.0 - chance, 1e-12), 0.0, 1.0)
    found = np.interp(own + (1.0 - own) * rising, LEVELS, row)
    return np.where(chance >= LEVELS, now, np.maximum(found, now))


def with_still(
    quantiles: Array, boards: Sequence[Board], origin: float, questions: Sequence[Question], settings: Settings | None = None
) -> Array:
    """Give each question's quantiles (n, 200) the chance of no rise that boards at its level had over as long a span."""
    settings = settings or Settings()
    place = {one.name: one for one in boards}
    pools = {key: past_jumps(boards, origin, *key, settings.fewest) for key in sorted({(one.top, one.months) for one in questions})}
    found = np.empty_like(quantiles)
    for i, question in enumerate(questions):
        now = place[question.board].frontier(origin, question.top)
        chance = chance_of_none(pools[question.top, question.months], now, settings.bandwidth)
        own = float(np.mean(quantiles[i] <= now + 1e-12))
        found[i] = quantiles[i] if settings.only_more and own >= chance else mixed(quantiles[i], now, chance)
    return found
