"""The leak guard: no forecast has seen its answer.

Pure functions over the rows a law was fitted on and the targets it forecasts. Every row must have been public by the
cut-off, the cut-off must not lie after the freeze, no row may belong to a target under any of its names or be another system
of it, and a target must be released after the freeze. For a hindcast pass the cut-off as the day of the freeze.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from foresaid.confusables import _folded, _follow, model_of
from foresaid.errors import SHOWN, LeakError


@dataclass(frozen=True)
class TrainingRow:
    """One value that a law was fitted on: what was measured, on whom, who said so, since when it is public."""

    subject_id: str
    quantity_id: str
    source_id: str
    known_on: date
    released_on: date | None = None


@dataclass(frozen=True)
class GuardedTarget:
    """A model that is forecast; `released_on` is None as long as it is not released."""

    model_id: str
    released_on: date | None = None


def check_training(
    rows: Iterable[TrainingRow],
    as_of: date,
    frozen_on: date,
    targets: Iterable[GuardedTarget],
    aliases: Mapping[str, str] | None = None,
) -> int:
    """Refuse a fit that could have seen its answer; return the number of rows checked.

    >>> row = TrainingRow("gpt-2", "mmlu", "obsscaling", known_on=date(2024, 5, 1))
    >>> check_training([row], date(2024, 6, 1), date(2024, 6, 2), [GuardedTarget("gpt-9")])
    1
    >>> check_training([row], date(2024, 4, 1), date(2024, 6, 2), [GuardedTarget("gpt-9")])
    Traceback (most recent call last):
    foresaid.errors.LeakError: training row 1, gpt-2, mmlu from obsscaling: known on 2024-05-01, expected at most \
2024-04-01, the cut-off; leave the row out or move the cut-off
    """
    folded = _folded(aliases or {})
    problems: list[str] = []
    if as_of > frozen_on:
        problems.append(f"cut-off: as_of is {as_of}, expected at most {frozen_on}, the day of the freeze")
    named: dict[str, str] = {}
    for target in targets:
        named[_follow(model_of(target.model_id), folded)] = target.model_id
        if target.released_on is not None and target.released_on <= frozen_on:
            problems.append(
                f"target {target.model_id}: released on {target.released_on}, expected after {frozen_on}, "
                "the day of the freeze; it can only be a hindcast"
            )
    ids: dict[str, str] = {}
    number = 0
    for number, row in enumerate(rows, start=1):
        where = f"training row {number}, {row.subject_id}, {row.quantity_id} from {row.source_id}"
        subject = ids.get(row.subject_id)
        if subject is None:
            subject = ids[row.subject_id] = _follow(model_of(row.subject_id), folded)
        if subject in named:
            problems.append(f"{where}: known on {row.known_on}, belongs to target {named[subject]}; hold the model out")
        if row.known_on > as_of:
            problems.append(
                f"{where}: known on {row.known_on}, expected at most {as_of}, the cut-off; leave the row out or move the cut-off"
            )
        if row.released_on is not None and row.released_on > as_of:
            problems.append(
                f"{where}: known on {row.known_on}, but its model is released on {row.released_on}, "
                f"expected at most {as_of}, the cut-off; hold the model out or correct its dates"
            )
    if problems:
        shown = problems[:SHOWN]
        if len(problems) > SHOWN:
            shown.append(f"... and {len(problems) - SHOWN} more: {len(problems)} leaks in all, nothing was frozen")
        raise LeakError("\n".join(shown))
    return number
