"""One line a target to be read before the freeze, and what no forecast may say: plausibility checks against the past.

A check finds what is absurd whatever the future brings; it is mended in the law or in the rule of the draft, never in a number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby, pairwise

import numpy as np
import polars as pl

from foresaid.arrays import Array
from foresaid.evaluation.joint_forecasts import joint_quantiles
from foresaid.forecasting.floors import binomial_floor
from foresaid.ledger.entries.schema import ForecastEntry, JointPrediction, Quantiles, TargetEntry
from foresaid.ledger.entries.targets import NextRelease, RecordBy
from foresaid.scoring.levels import LEVELS
from foresaid.studies.rounds.boards import Board
from foresaid.studies.rounds.questions import Asked
from foresaid.studies.rounds.releases import expected_day

ROUND_NUMBERS = tuple(round(0.1 * i, 1) for i in range(1, 10))
FRESH = timedelta(days=365)  # a last value older than this may lie outside a forecast: much has come since
SLACK = 1e-6  # frozen quantiles have six places


@dataclass(frozen=True)
class Past:
    """A value on the board: which model, released when."""

    value: float
    model: str
    on: date


@dataclass(frozen=True)
class Card:
    """A target in figures: quantiles of its primary at LEVELS in the target's unit, last of its line, best so far, and why."""

    target: TargetEntry
    method: str
    values: Array
    last: Past | None
    best: Past
    why: str

    def at(self, level: float) -> float:
        """The quantile at one of LEVELS."""
        return float(self.values[LEVELS.index(level)])

    def above(self, threshold: float) -> float:
        """The probability of more than a threshold, read off between the quantiles; beyond the outermost, their own."""
        if self.values[0] > threshold:
            return 1.0 - LEVELS[0]
        return 1.0 - float(np.interp(threshold, self.values, LEVELS)) if self.values[-1] > threshold else 1.0 - LEVELS[-1]


def cards(asked: Sequence[Asked], forecasts: Sequence[ForecastEntry], launches: pl.DataFrame) -> list[Card]:
    """The card of each target, in their order, from its primary forecast."""
    primary = {one.target: one for one in forecasts if one.primary}
    found = []
    for one in asked:
        said, target = primary[one.target.id], one.target
        if isinstance(target.rule, NextRelease):
            day = expected_day(target, launches)
            last, why = _last(one.board, target.rule), f"{said.method}, expected {day}"
        else:
            day, last, why = None, None, f"{said.method}, read last {one.board.read_on}"
        values = said_quantiles(said, target, day)
        found.append(Card(target, said.method, values, last, _best(one.board), why))
    return found


def said_quantiles(said: ForecastEntry, target: TargetEntry, day: date | None) -> Array:
    """The quantiles (23,) of a forecast in the unit of its target, of a joint for a release on `day`."""
    if isinstance(said.prediction, JointPrediction):
        return np.array(joint_quantiles(said.prediction, target, day, {})[1])
    assert isinstance(said.prediction, Quantiles)
    return np.array([float(value) for value in said.prediction.values])


def _last(board: Board, rule: NextRelease) -> Past | None:
    mine = pl.any_horizontal(
        *((pl.col("maker") == one.maker) & (pl.col("line") == one.line) & (pl.col("tier") == one.tier) for one in rule.lines)
    )
    rows = board.models.filter(mine).sort("released_on", "value")
    return _past(rows.row(-1, named=True)) if rows.height else None


def _best(board: Board) -> Past:
    return _past(board.models.sort("value", "released_on", descending=[board.direction == "lower", True]).row(-1, named=True))


def _past(row: Mapping[str, object]) -> Past:
    return Past(float(row["value"]), str(row["model_id"]), row["released_on"])  # type: ignore[arg-type]  # columns of MODELS


def number(value: float) -> str:
    """A score as a card spells it: shares with three places, ratings with one.

    >>> number(0.51234), number(151.36)
    ('0.512', '151.4')
    """
    return f"{value:.3f}" if abs(value) <= 1.0 else f"{value:.1f}"


def line(card: Card) -> str:
    """The card as one line: median, 80 % interval, last value, best so far, why; of a record the chances of round numbers."""
    parts = [f"{number(card.at(0.5))} [{number(card.at(0.1))}, {number(card.at(0.9))}]"]
    if card.last is not None:
        parts.append(f"last {number(card.last.value)} ({card.last.model}, {card.last.on})")
    parts.append(f"best {number(card.best.value)} ({card.best.model}, {card.best.on})")
    if isinstance(card.target.rule, RecordBy) and card.target.unit == "fraction":
        over = [f"{card.above(level):.0%} over {level:g}" for level in ROUND_NUMBERS if card.values[0] <= level <= card.values[-1]]
        parts += over
    return f"- {card.target.id}: {'; '.join(parts)}; {card.why}"


def page(made: Sequence[Card], title: str, not_asked: Mapping[str, str], accepted: Mapping[str, str]) -> str:
    """All cards as a page to be read through, with the reasons accepted; below them what is settled when, and boards not asked."""
    head = f"# {title}\n\nMedian and 80 % interval of the primary, last value of the line, best so far, why.\n\n"
    rest = "".join(f"- {name}: {reason}\n" for name, reason in sorted(not_asked.items()))
    when = "".join(f"- {day}: {what}\n" for day, what in calendar(made))
    why = {name: f"; accepted: {reason}" for name, reason in accepted.items()}
    every = "".join(f"{line(card)}{why.get(card.target.id, '')}\n" for card in made)
    return f"{head}{every}\n## What is settled when\n\n{when}\n## Boards not asked\n\n{rest}"


def calendar(made: Sequence[Card]) -> list[tuple[date, str]]:
    """By day how many targets are settled on it at the latest, by kind.

    A release is settled earlier where it comes earlier, `publish_within` days after it: a higher effort may be measured until then.
    """
    found: dict[date, Counter[str]] = {}
    for card in made:
        target = card.target
        record = isinstance(target.rule, RecordBy)
        end = date.fromisoformat(target.rule.by if isinstance(target.rule, RecordBy) else target.closes)
        kind = f"records by {end}" if record else f"releases by {end}"
        found.setdefault(end + timedelta(days=target.publish_within + 1), Counter())[kind] += 1
    return [(day, ", ".join(f"{count} {kind}" for kind, count in sorted(found[day].items()))) for day in sorted(found)]


def problems(made: Sequence[Card], every: Sequence[ForecastEntry], accepted: Mapping[str, str]) -> list[str]:
    """What is absurd, one line each: narrower than counting allows, the last value excluded, a record that falls with time.

    A last value may be excluded where the round file says why (`accepted`, target -> reason); a reason without need is one too
    many.
    """
    excluded = {one: text for one, text in _excluded(made) if one not in accepted}
    needed = {one for one, _ in _excluded(made)}
    idle = [f"{one}: a reason is accepted for it, and no check finds anything" for one in sorted(set(accepted) - needed)]
    return [*_too_narrow(made), *excluded.values(), *_falling(made, every), *idle]


def _too_narrow(made: Sequence[Card]) -> Iterator[str]:
    for card in made:
        target = card.target
        counted = target.unit == "fraction" and target.resolution is not None and isinstance(target.rule, NextRelease)
        items = round(0.5 / float(target.resolution)) if counted and target.resolution else 0
        if items < 2:
            continue
        ceiling = np.array([1.0 if target.ceiling is None else float(target.ceiling)])
        least = binomial_floor(np.full((1, len(LEVELS)), card.at(0.5)), np.array([items]), ceiling)[0]
        low, high = (LEVELS.index(level) for level in (0.1, 0.9))
        if card.values[high] - card.values[low] < least[high] - least[low] - 1.0 / items:
            yield (
                f"{target.id}: 80 % interval {number(card.at(0.1))} to {number(card.at(0.9))} is narrower than "
                f"counting {items} items allows ({number(float(least[low]))} to {number(float(least[high]))})"
            )


def _excluded(made: Sequence[Card]) -> Iterator[tuple[str, str]]:
    for card in made:
        fresh = card.last is not None and date.fromisoformat(card.target.opens) - card.last.on <= FRESH
        if fresh and card.last is not None and not card.values[0] - SLACK <= card.last.value <= card.values[-1] + SLACK:
            yield (
                card.target.id,
                f"{card.target.id}: the last value {number(card.last.value)} ({card.last.model}, {card.last.on}) lies outside "
                f"{number(float(card.values[0]))} to {number(float(card.values[-1]))}, the 98 % interval",
            )


def _falling(made: Sequence[Card], every: Sequence[ForecastEntry]) -> Iterator[str]:
    rules = {card.target.id: card.target for card in made if isinstance(card.target.rule, RecordBy)}
    mine = [one for one in every if one.target in rules and isinstance(one.prediction, Quantiles)]

    def key(one: ForecastEntry) -> tuple[str, str, str]:
        target = rules[one.target]
        assert isinstance(target.rule, RecordBy)
        return target.benchmark, one.method, target.rule.by

    for (benchmark, method), group in groupby(sorted(mine, key=key), key=lambda one: key(one)[:2]):
        for before, after in pairwise(group):
            sign = 1.0 if rules[before.target].direction == "higher" else -1.0
            first, second = (said_quantiles(one, rules[one.target], None) for one in (before, after))
            step = float((sign * (second - first)).min())
            if step < -SLACK:
                fall = f"a quantile of the record falls by {number(-step)}"
                yield f"{benchmark}, {method}: {fall} from {before.target} to {after.target}"
