"""The targets on which a law is no better than its reference, on its own page: a pooled ratio hides them.

Read off the tables by target that the stages left; nothing is chosen by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from foresaid.studies.law_sections import Cell, LawSection, StudyTable

HEADER = ("target", "case or board", "mode", "rows", "releases", "reference", "relative WIS", "bias")


def sections(
    hindcasts: Iterable[Mapping[str, Any]], rolling: Iterable[Mapping[str, Any]], laws: Sequence[str], title: Callable[[str], str]
) -> list[LawSection]:
    """One section for each law that has a target by itself: those at a relative WIS of 1 or more, worst first.

    `hindcasts` and `rolling` are rows by target with law, group, reference, relative_wis, n, n_releases, bias,
    mode, and case or board.
    """
    every = [(row, str(row["case"])) for row in hindcasts] + [(row, str(row["board"])) for row in rolling]
    made = []
    for law in laws:
        mine = [item for item in every if item[0]["law"] == law and item[0]["relative_wis"] is not None]
        worse = sorted((item for item in mine if item[0]["relative_wis"] >= 1.0), key=lambda item: -float(item[0]["relative_wis"]))
        if not mine:
            continue
        rows = tuple(_row(row, where, title) for row, where in worse)
        said = (
            f"On {len(worse)} of {len(mine)} targets, cases and modes counted apart, this law’s WIS is that of its reference or "
            "higher."
        )
        table = StudyTable("targets", "Targets without skill, the worst first", HEADER, rows)
        made.append(LawSection(f"no-better-{law}", "Where it is no better", (law,), (said,), (table,) if rows else (), ""))
    return made


def _row(row: Mapping[str, Any], where: str, title: Callable[[str], str]) -> tuple[Cell, ...]:
    counts = int(row["n"]), int(row["n_releases"])
    return (
        title(str(row["group"])),
        where,
        str(row["mode"]),
        *counts,
        str(row["reference"]),
        float(row["relative_wis"]),
        float(row["bias"]),
    )
