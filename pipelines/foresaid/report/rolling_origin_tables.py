"""The tables of the rolling origins as a person reads them: in a terminal, on the page and in the documents, by one spelling."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from foresaid.text import DASH, columns, number

HEAD = (
    "method", "months", "n", "releases", "WIS", "relative WIS (pairwise)", "relative WIS to the best baseline (95 %)",
    "coverage 50 %", "80 %", "95 %", "recalibrated WIS", "recalibrated coverage 80 %", "verdict",
)  # fmt: skip
LEFT = (0, len(HEAD) - 1)
MODES = {"known": "known on the day", "released": "by release date only"}
BASELINE = "the best baseline"


def tables(found: dict[str, Any]) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """The rows of by_horizon, board by board: what a table is about, and its rows by horizon and skill.

    Each row carries, as `after`, the same method's row with the widths that earlier origins taught.
    """
    keys = ("mode", "unit", "board")
    order: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    after = {(*(row[key] for key in keys), row["horizon"], row["law"]): row for row in found["by_horizon"] if row["recalibrated"]}
    for row in found["by_horizon"]:
        if not row["recalibrated"]:
            about = tuple(row[key] for key in keys)
            order.setdefault(about, []).append({**row, "after": after.get((*about, row["horizon"], row["law"]))})
    for about, rows in order.items():
        yield dict(zip(keys, about, strict=True)), sorted(rows, key=_place)


def _place(row: dict[str, Any]) -> tuple[int, float, str]:
    return row["horizon"], float("inf") if row["pairwise_relative_wis"] is None else row["pairwise_relative_wis"], row["law"]


def caption(about: dict[str, Any]) -> str:
    """What a table is about, in one line."""
    return f"{about['board']}, {about['unit']}, {MODES[about['mode']]}"


def share(value: float | None) -> str:
    """A coverage in whole per cent."""
    return DASH if value is None else f"{100 * value:.0f}"


def ratio(row: dict[str, Any]) -> str:
    """The comparison with the best baseline: ratio, its 95 % interval by release, and the rows both forecast."""
    if row["relative_wis"] is None:
        return DASH
    bounds = "" if row["lower_95"] is None else f" ({row['lower_95']:.2f} to {row['upper_95']:.2f})"
    return f"{row['relative_wis']:.2f}{bounds} on {row['n_common']:,}"


def cells(row: dict[str, Any]) -> tuple[str, ...]:
    """One row, spelt; the columns of HEAD."""
    after = row["after"] or {"wis": None, "coverage_80": None}
    skill = DASH if row["pairwise_relative_wis"] is None else f"{row['pairwise_relative_wis']:.2f}"
    counts = (str(row["horizon"]), f"{row['n']:,}", f"{row['n_releases']:,}")
    shares = (share(row[f"coverage_{level}"]) for level in (50, 80, 95))
    said = row["verdict"] or (BASELINE if row["law"] == row["baseline"] else DASH)
    learned = (number(after["wis"]), share(after["coverage_80"]))
    return (row["law"], *counts, number(row["wis"]), skill, ratio(row), *shares, *learned, said)


def sums(found: dict[str, Any]) -> list[str]:
    """For each mode and method the sum that has to come out: every forecast asked for was scored or declined."""
    said = []
    for row in found["accounts"]:
        why = ", ".join(f"{count} {status}" for status, count in row["reasons"].items())
        counts = f"{row['asked']:,} forecasts = {row['scored']:,} scored + {row['declined']:,} without a forecast"
        said.append(f"{MODES[row['mode']]}, {row['law']}: {counts}" + (f" ({why})" if why else ""))
    return said


def lines(found: dict[str, Any]) -> list[str]:
    """All tables for a terminal, and the sums."""
    said: list[str] = []
    for about, rows in tables(found):
        said += [caption(about), *columns([HEAD, *map(cells, rows)], LEFT), ""]
    return said + sums(found)
