"""A replayed hindcast as a text table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from foresaid.evaluation.modes import MODES
from foresaid.evaluation.replay_account import Account
from foresaid.text import columns


def table(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Print the rows as lines of a plain table, scores first and what had nothing to score after.

    >>> table([])
    ['replay: nothing was released and scored between the two days']
    """
    scored = [row for row in rows if row["n"]]
    if not scored:
        return ["replay: nothing was released and scored between the two days", *_unscored(rows)]
    head = ("law", "quantity", "n", "releases", "WIS", "MAE", "bias", "cover 50 %", "80 %", "95 %", "skill", "baseline")
    made: list[str] = []
    for mode in MODES:
        part = [_cells(row) for row in scored if row["mode"] == mode]
        if part:
            made += [f"{mode}: {MODES[mode]}", *columns([head, *part], (0, 1, len(head) - 1))]
    return [*made, *_unscored(rows)]


def forecasts(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Print single forecasts (`replay.replay_model`) as lines of a plain table.

    >>> row = dict(quantity="gsm8k", system="a/b", law="x", observed=0.5, median=0.4, lower_80=0.3, upper_80=0.6)
    >>> print("\\n".join(forecasts([{**row, "absolute_error": 0.1, "wis": 0.05}])))
    quantity  system  law  observed  median  from (80 %)   to  abs. error   WIS
    gsm8k     a/b     x         0.5     0.4          0.3  0.6         0.1  0.05
    """
    head = ("quantity", "system", "law", "observed", "median", "from (80 %)", "to", "abs. error", "WIS")
    keys = ("observed", "median", "lower_80", "upper_80", "absolute_error", "wis")
    cells = [
        (row["quantity"], row["system"], row["law"], *("-" if row[key] is None else f"{row[key]:.4g}" for key in keys))
        for row in rows
    ]
    return columns([head, *cells], (0, 1, 2))


def account(counted: Account) -> list[str]:
    """Say in plain lines how many values became known and what became of each."""
    lines = [
        f"{counted.values:,} values of {counted.models:,} models in {counted.releases:,} releases became known between the days; "
        f"{counted.forecast:,} of {counted.forecast_releases:,} releases were forecast by a law"
    ]
    return lines + [f"not forecast: {n:,} {reason}" for reason, n in counted.reasons.items()]


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    shares = ("-" if row[f"coverage_{level}"] is None else f"{100 * row[f'coverage_{level}']:.0f}" for level in (50, 80, 95))
    numbers = (f"{row[key]:.4g}" for key in ("wis", "mae", "bias"))
    skill_score = "-" if row["skill"] is None else f"{row['skill']:+.2f}"
    counts = (str(row["n"]), str(row["n_releases"]))
    return (row["law"], row["quantity"], *counts, *numbers, *shares, skill_score, row["baseline"] or "-")


def _unscored(rows: Sequence[dict[str, Any]]) -> list[str]:
    return [
        f"nothing to score: {row['law']}{', ' + row['quantity'] if row['quantity'] else ''}: {row['reason']}"
        for row in rows
        if not row["n"]
    ]
