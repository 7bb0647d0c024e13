"""Frontier by past jumps: today's frontier plus how far the frontiers of all boards rose over spans of the same length.

`pooled` draws one distribution for every board and is the baseline of this question. `by_level` weights a past jump by how near
its board then stood to where the asked board stands today: a board near zero can take off, one near its ceiling cannot.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from foresaid.arrays import Array
from foresaid.laws._frontier_rows import LEVELS, MONTH, Board, Question
from foresaid.laws._frontier_scale import to_line, to_share


@dataclass(frozen=True)
class Settings:
    """Bandwidth in level (share above chance) of `by_level`; on which scale jumps add up; fewest models on a board at the start."""

    bandwidth: float = 0.15
    on_line: bool = False
    fewest: int = 3


@dataclass(frozen=True)
class Jumps:
    """Past jumps of one span: level at the start and rise, each (n,), on the scale of shares."""

    start: Array
    end: Array


def past_jumps(boards: Sequence[Board], origin: float, top: int, months: int, fewest: int) -> Jumps:
    """Rises over `months` months that ended by the origin, monthly, on every board that had `fewest` models at the start.

    As in a question, a span counts only where a model released in it stands on the board.
    """
    span = months * MONTH
    starts, ends = [], []
    for one in boards:
        if len(one.day) < max(fewest, top):
            continue
        first = np.sort(one.day)[max(fewest, top) - 1]
        until = origin
        while until - span >= first:
            if one.measured_within(until - span, until):
                starts.append(one.frontier(until - span, top))
                ends.append(one.frontier(until, top))
            until -= MONTH
    return Jumps(np.array(starts), np.array(ends))


def _weighted(values: Array, weights: Array) -> Array:
    order = np.argsort(values, kind="stable")
    share = (np.cumsum(weights[order]) - 0.5 * weights[order]) / weights.sum()
    return np.asarray(np.interp(LEVELS, share, values[order]))


def _forecast(boards: Sequence[Board], origin: float, questions: Sequence[Question], settings: Settings, by_level: bool) -> Array:
    place = {one.name: one for one in boards}
    pools = {key: past_jumps(boards, origin, *key, settings.fewest) for key in sorted({(one.top, one.months) for one in questions})}
    found = np.empty((len(questions), len(LEVELS)))
    for i, question in enumerate(questions):
        pool = pools[question.top, question.months]
        now = place[question.board].frontier(origin, question.top)
        if not len(pool.start):
            found[i] = now
            continue
        weights = np.ones_like(pool.start)
        if by_level:
            weights = np.exp(-0.5 * ((pool.start - now) / settings.bandwidth) ** 2) + 1e-6
        if settings.on_line:
            rise = _weighted(to_line(pool.end) - to_line(pool.start), weights)
            found[i] = np.maximum(now, to_share(to_line(np.array([now]))[0] + rise))
        else:
            found[i] = np.minimum(now + _weighted(pool.end - pool.start, weights), 1.0)
    return found


def pooled(boards: Sequence[Board], origin: float, questions: Sequence[Question], settings: Settings | None = None) -> Array:
    """Quantiles (n, 200) of each question: today's frontier plus the pooled past jumps, at most 1."""
    return _forecast(boards, origin, questions, settings or Settings(), by_level=False)


def by_level(boards: Sequence[Board], origin: float, questions: Sequence[Question], settings: Settings | None = None) -> Array:
    """Quantiles (n, 200) of each question: past jumps weighted by exp(-((level then - level now) / bandwidth)^2 / 2)."""
    return _forecast(boards, origin, questions, settings or Settings(), by_level=True)


def no_change(boards: Sequence[Board], origin: float, questions: Sequence[Question]) -> Array:
    """Quantiles (n, 200), all equal: today's frontier."""
    place = {one.name: one for one in boards}
    return np.array([[place[one.board].frontier(origin, one.top)] * len(LEVELS) for one in questions])
