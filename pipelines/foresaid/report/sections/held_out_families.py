"""Whole families held out, on the observational law's page: the competitors every law must beat, as they were measured.

The boards are read on demand and are not in the record, so the pages show the tables kept in registry/protocols. What is beaten
and what is not is read off the numbers here, never typed in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from foresaid.studies.held_out_families.leaderboards import FLOORS, SMALL, Measured, Row
from foresaid.studies.held_out_families.protocol import TOLD
from foresaid.text import count

TITLES = {"leaderboard-v1": "Open LLM Leaderboard, first generation", "leaderboard-v2": "Open LLM Leaderboard, second generation"}


def best(rows: Sequence[Row]) -> Row:
    """Return the row with the least error among the methods that know sizes and family alone."""
    return min((row for row in rows if row.method != TOLD), key=lambda row: row.error)


def verdict(name: str, rows: Sequence[Row]) -> str:
    """Say in a sentence whether our best is below the figure Sloth's authors kept, and how sure that is."""
    found = best(rows)
    floor, families = FLOORS[name, found.small]
    near = abs(found.error - floor) <= 2.0 * found.standard_error
    said = "below it" if found.error < floor else "not below it"
    doubt = ", within two standard errors of it either way" if near else ""
    return (
        f"Best method that takes sizes and family alone: {found.method}, {found.error:.4f} ± {found.standard_error:.4f}. "
        f"Sloth’s authors kept {floor:.4f}, with the best number of skills chosen in hindsight, over {families} families that they "
        f"do not name (ours: {found.families}): {said}{doubt}."
    )


def shown(boards: Sequence[Measured]) -> list[dict[str, Any]]:
    """Turn the measured tables into sentences and rows, one part for each board and number of small models left in."""
    made = []
    for board in boards:
        for small in sorted({row.small for row in board.rows}):
            rows = [row for row in board.rows if row.small == small]
            each = [cells(row) for row in rows]
            families = count(rows[0].families, "family", "families")
            made.append(
                {
                    "title": f"{TITLES[board.name]}, {count(small, 'small model')} of each level left in",
                    "intro": f"{families}, {count(rows[0].models, 'model')} forecast. Measured on {board.measured_on}.",
                    "verdict": verdict(board.name, rows),
                    "header": list(each[0]),
                    "rows": [list(one.values()) for one in each],
                }
            )
    return made


def downloads(boards: Sequence[Measured]) -> pl.DataFrame:
    """Return the error of every method on every family, with the digests of the files they were measured on."""
    return pl.DataFrame(
        [
            {
                "board": board.name,
                "small": row.small,
                "method": row.method,
                "family": family,
                "mean_absolute_error": error,
                "measured_on": board.measured_on,
                "data_sha256": board.files[min(board.files)],
            }
            for board in boards
            for row in board.rows
            for family, error in row.by_family.items()
        ]
    )


def _percent(share: float) -> str:
    return f"{100.0 * share:.0f} %"


def cells(row: Row) -> Mapping[str, str]:
    """Spell one row of the table, a number or a dash in each column."""
    inside = [_percent(share) for share in row.coverage] if row.coverage else ["–"] * 3
    return {
        "method": row.method,
        "mean absolute error": f"{row.error:.4f}",
        "± standard error": f"{row.standard_error:.4f}",
        "best setting in hindsight": f"{row.afterwards:.4f}",
        "WIS": f"{row.wis:.4f}" if row.wis is not None else "–",
        **dict(zip(("coverage 50 %", "80 %", "95 %"), inside, strict=True)),
    }


def markdown(measured: Measured) -> list[str]:
    """Write the table, a part for each number of small models left in."""
    lines: list[str] = []
    for small in SMALL:
        rows = [row for row in measured.rows if row.small == small]
        if not rows:
            continue
        lines += [f"{rows[0].families} families, {rows[0].models} models forecast, {small} small left in of each level", ""]
        lines += ["| " + " | ".join(cells(rows[0])) + " |", "| " + " | ".join(["---"] * len(cells(rows[0]))) + " |"]
        lines += ["| " + " | ".join(cells(row).values()) + " |" for row in rows]
        floor, families = FLOORS[measured.name, small]
        lines += ["", f"Sloth's authors: {floor:.4f}, best number of skills picked afterwards, over {families} families.", ""]
    return lines
