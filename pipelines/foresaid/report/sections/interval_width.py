"""What a page says of where the width of intervals was learned: a discrepancy of many series, or one factor of a fit's own rows."""

from __future__ import annotations

from typing import Any

from foresaid.text import number


def said(entry: dict[str, Any]) -> str:
    """Say it of one fit as metrics describe it; empty where nothing was learned.

    >>> said({"interval_recalibration": 1.3, "n_backtest_clusters": 4, "discrepancy": None})
    'one factor of 1.30 on the width, from 4 clusters of its own rows'
    >>> said({"interval_recalibration": 1.0, "n_backtest_clusters": 0, "discrepancy": None})
    ''
    """
    found = entry.get("discrepancy")
    if not found:
        if not entry.get("n_backtest_clusters"):
            return ""
        clusters = f"{entry['n_backtest_clusters']} clusters of its own rows"
        return f"one factor of {number(entry['interval_recalibration'])} on the width, from {clusters}"
    numbers = ", ".join(
        f"{name} {number(found[key])}"
        for name, key in (("bias", "bias"), ("growth", "growth"), ("floor", "floor"), ("bootstrap’s spread times", "scale"))
    )
    taught = f"{found['series']} series, {found['independent']} of them independent"
    aside = f"; set aside, far wronger than the rest: {', '.join(found['set_aside'])}" if found["set_aside"] else ""
    return f"discrepancy from {taught}: {numbers}{aside}"
