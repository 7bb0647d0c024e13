"""Two baselines of the frontier question that treat each board alone: constant growth, and a logistic curve of its own.

Constant growth draws a straight line through the board's frontier path; the logistic law does so on the logit scale. Spread is the
root mean square of the errors the same rule made over the same span earlier, on all boards.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import expit, logit

from foresaid.arrays import Array
from foresaid.laws._frontier_rows import LEVELS, MONTH, Board, Question, path
from foresaid.laws._frontier_scale import EDGE

LAST = 18  # months of the path the line is drawn through


def _line(days: Array, values: Array, at: float) -> float:
    """Straight line through the last months, moved to pass through the last value."""
    days, values = days[-LAST - 1 :], values[-LAST - 1 :]
    if len(days) < 3:
        return float(values[-1])
    off = days - days.mean()
    slope = float((off * (values - values.mean())).sum() / (off**2).sum())
    return float(values[-1] + max(slope, 0.0) * (at - days[-1]))


def _forecast(boards: Sequence[Board], origin: float, questions: Sequence[Question], logistic: bool) -> Array:
    def up(share: Array) -> Array:
        return np.asarray(logit(np.clip(share, EDGE, 1.0 - EDGE))) if logistic else share

    place = {one.name: one for one in boards}
    found = np.empty((len(questions), len(LEVELS)))
    for top, months in sorted({(one.top, one.months) for one in questions}):
        errors, paths = [], {one.name: path(one, origin, top) for one in boards}
        for days, values in paths.values():
            for end in range(3, len(days) - months):
                errors.append(up(values)[end + months] - _line(days[: end + 1], up(values)[: end + 1], days[end + months]))
        quantiles = np.quantile(np.array(errors), LEVELS) if errors else np.zeros(len(LEVELS))
        for i, question in enumerate(questions):
            if (question.top, question.months) == (top, months):
                days, values = paths[question.board]
                middle = _line(days, up(values), origin + months * MONTH)
                raw = expit(middle + quantiles) if logistic else middle + quantiles
                found[i] = np.clip(raw, place[question.board].frontier(origin, top), 1.0)
    return found


def constant_growth(boards: Sequence[Board], origin: float, questions: Sequence[Question]) -> Array:
    """Quantiles (n, 200): the board's own straight line in shares plus the rule's earlier errors over the same span."""
    return _forecast(boards, origin, questions, logistic=False)


def logistic_growth(boards: Sequence[Board], origin: float, questions: Sequence[Question]) -> Array:
    """Quantiles (n, 200): the board's own straight line in logits plus the rule's earlier errors over the same span."""
    return _forecast(boards, origin, questions, logistic=True)
