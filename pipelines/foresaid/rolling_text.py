"""The tables of the rolling origins as a person reads them: in a terminal, on the page and in the documents, by one spelling."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from foresaid.wording import DASH, number

HEAD = ("method", "n", "releases", "WIS", "skill", "against the best baseline (95 %)", "50 %", "80 %", "95 %", "verdict")
MODES = {"known": "known on the day", "released": "by release date only"}


def tables(found: dict[str, Any]) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """The rows of by_horizon, table by table: what a table is about, and its methods by relative skill."""
    keys = ("mode", "unit", "board", "recalibrated", "horizon")
    order: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in found["by_horizon"]:
        order.setdefault(tuple(row[key] for key in keys), []).append(row)
    for about, rows in order.items():
        worst = float("inf")
        yield (
            dict(zip(keys, about, strict=True)),
            sorted(rows, key=lambda row: (worst if row["relative_skill"] is None else row["relative_skill"], row["law"])),
        )


def caption(about: dict[str, Any], baseline: str | None) -> str:
    """What a table is about, in one line."""
    after = "widths learned from earlier origins" if about["recalibrated"] else "as forecast"
    where = f"{about['board']}, {about['unit']}, {MODES[about['mode']]}, {after}"
    return f"{where}, released within {about['horizon']} months; best baseline: {baseline or 'none'}"


def cells(row: dict[str, Any]) -> tuple[str, ...]:
    """One method's row, spelt; the columns of HEAD."""
    shares = [DASH if row[f"coverage_{level}"] is None else f"{100 * row[f'coverage_{level}']:.0f}" for level in (50, 80, 95)]
    ratio = DASH
    if row["relative_wis"] is not None:
        ratio = f"{row['relative_wis']:.2f}"
        if row["lower_95"] is not None:
            ratio += f" ({row['lower_95']:.2f} to {row['upper_95']:.2f})"
        ratio += f" on {row['n_common']:,}"
    skill = DASH if row["relative_skill"] is None else f"{row['relative_skill']:.2f}"
    counts = (f"{row['n']:,}", f"{row['n_releases']:,}")
    return (row["law"], *counts, number(row["wis"]), skill, ratio, *shares, row["verdict"] or "the baseline")


def columns(rows: Sequence[Sequence[str]], left: Sequence[int]) -> list[str]:
    """Set rows of cells in columns for a terminal; the columns named in `left` are flush left."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    made = []
    for row in rows:
        padded = (cell.ljust(widths[i]) if i in left else cell.rjust(widths[i]) for i, cell in enumerate(row))
        made.append("  ".join(padded).rstrip())
    return made


def lines(found: dict[str, Any]) -> list[str]:
    """All tables for a terminal, and the sum that has to come out."""
    said: list[str] = []
    for about, rows in tables(found):
        said += [caption(about, rows[0]["baseline"]), *columns([HEAD, *map(cells, rows)], (0, len(HEAD) - 1)), ""]
    for row in found["accounts"]:
        why = ", ".join(f"{count} {status}" for status, count in row["reasons"].items())
        sums = f"{row['asked']:,} forecasts = {row['scored']:,} scored + {row['declined']:,} declined"
        said.append(f"{MODES[row['mode']]}, {row['law']}: {sums}" + (f" ({why})" if why else ""))
    return said
