"""What a user would pick instead, for every number of the page: a notebook, a package, a spreadsheet, or nothing there is.

Many rows follow from what the goals timed beside ours; `other_tools` times the rest. Every row says how its figure is known: timed,
extrapolated from a part of the work, by hand (nobody can time that here), or that there is nothing to be had.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

WAITING = "see waiting"


@dataclass(frozen=True)
class Instead:
    """One row: a piece of work, what we take, what a user would pick, what that takes, and how the figure is known.

    Both are processor seconds; None where nothing was timed, and then `see` says where ours stands on the page.
    """

    work: str
    ours: float | None
    pick: str
    theirs: float | None
    how: str
    see: str = ""


@dataclass(frozen=True)
class FromGoal:
    """A row that follows from a goal: where its numbers hold seconds of the peer, times how many, and how that is known."""

    goal: int
    work: str
    pick: str
    place: tuple[str, ...]
    times: float
    how: str


FIT = ("peer_each", "cpu")
FROM_GOALS = (
    FromGoal(1, "bootstrap of eight emergent tasks, 1,000 draws", "ObsScaling's notebook", FIT, 8_000, "extrapolated (goal 1)"),
    FromGoal(2, "one fit", "scipy curve_fit in a loop", FIT, 1, "timed in goal 2"),
    FromGoal(3, "fill a table of 150 x 40", "ObsScaling's imputer", FIT, 1, "timed in goal 3"),
    FromGoal(4, "choose families, 431,909 sets", "ObsScaling's notebook", ("peer_each_cpu",), 431_909, "extrapolated (goal 4)"),
    FromGoal(5, "bootstrap of the Chinchilla law, 1,000 draws", "Epoch's notebook", FIT, 1_000, "extrapolated (goal 5)"),
    FromGoal(6, "fit of the Chinchilla law", "Epoch's grid of 4,500 starts", FIT, 4_500, "extrapolated (goal 6)"),
    FromGoal(7, "wild bootstrap, 1,000 draws", "simple-scaling-laws", ("peer", "cpu"), 1, "timed in goal 7"),
    FromGoal(8, "joint skills", "Sloth's training, three rates", FIT, 3, "timed in goal 8"),
    FromGoal(9, "time horizons, 1,000 draws", "METR's code", FIT, 1_000, "extrapolated (goal 9)"),
    FromGoal(10, "the planned load", "curve_fit in a loop, one start", ("2", *FIT), 800_000, "extrapolated (goal 2)"),
    FromGoal(12, "eight starts a replicate", "curve_fit from eight starts", ("2", *FIT), 8, "eight times goal 2's fit"),
    FromGoal(18, "one benchmark more, 200 draws", "the notebook again: 41 targets", ("2", *FIT), 41 * 200, "extrapolated (goal 2)"),
)  # fmt: skip


NOTHING = (
    ("cost against size", "goal 11", "not to be had: a loop is linear by construction"),
    ("the same bytes however it was spread", "goal 19", "not to be had"),
    ("a forecast of a release by line, tier and day", "goals 21, 24", "not to be had: packages want scores of it or features"),
    ("`hindcast --full`", WAITING, "not to be had: a loop over laws, targets and days, without vintages to loop over"),
)


NOTHING = (
    ("cost against size", "goal 11", "not to be had: a loop is linear by construction"),
    ("the same bytes however it was spread", "goal 19", "not to be had"),
    ("a forecast of a release by line, tier and day", "goals 21, 24", "not to be had: packages want its scores or features"),
    ("`hindcast --full`", WAITING, "not to be had: a loop over laws, targets and days, without vintages to loop over"),
)


def from_goals(rows: Mapping[int, Mapping[str, Any]]) -> list[Instead]:
    """The rows that follow from the goals of this run or an earlier one; a goal that was not run gives a row that says so."""
    made = []
    for item in FROM_GOALS:
        goal, place = (int(item.place[0]), item.place[1:]) if item.place[0].isdigit() else (item.goal, item.place)
        value: Any = rows.get(goal, {}).get("numbers", {})
        for name in place:
            value = value.get(name) if isinstance(value, Mapping) else None
        theirs = float(value) * item.times if isinstance(value, float | int) else None
        how = f"not run (goal {goal})" if theirs is None else item.how
        made.append(Instead(item.work, None, item.pick, theirs, how, f"goal {item.goal}"))
    return [*made, *(Instead(work, None, "none", None, how, see) for work, see, how in NOTHING)]
