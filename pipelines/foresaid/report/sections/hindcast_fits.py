"""The fits behind the hindcasts, as a law's page shows them: status, rows, and what the rows left open.

A hindcast is only as good as the fit it came from, so every such fit has its status on the page. Cases with many targets are
counted by status; the rows themselves are in the downloads.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import polars as pl

from foresaid.fitting.fit import STATUSES
from foresaid.report.charts import profile
from foresaid.report.inputs import Material
from foresaid.text import count, number

LISTED = 12  # targets of one case that are listed one by one
PROFILES = 3  # profile charts of one case


def behind(material: Material, law: str) -> list[dict[str, Any]]:
    """Return the fits of one law, case by case, in the order of params.yaml."""
    made = []
    for name, case in material.params.hindcast.items():
        fits = [item for item in material.hindcast_fits if item["case"] == name and item["law"] == law]
        if not fits:
            continue
        states = Counter(item["status"] for item in fits)
        made.append(
            {
                "title": case.title,
                "n": count(len(fits), "fit"),
                "states": ", ".join(f"{n} {status}" for status, n in sorted(states.items())),
                "rows": [_row(item) for item in fits] if len(fits) <= LISTED else [],
                "profiles": [drawn(item) for item in fits if item["profile"]][:PROFILES] if len(fits) <= LISTED else [],
            }
        )
    return made


def _row(item: dict[str, Any]) -> dict[str, str]:
    return {
        "title": item["title"],
        "status": item["status"],
        "reason": "" if item["reason"] == STATUSES.get(item["status"]) else item["reason"],
        "rows": f"{item['rows']:,}",
        "held_out": f"{item['held_out']:,}",
    }


def drawn(item: dict[str, Any]) -> dict[str, Any]:
    """Draw the profile of one fit: how well each value fits, and what it forecasts. Logarithms are undone for the reader."""
    kept = item["profile"]
    name, values = kept["parameter"], kept["values"]
    if name.startswith("ln_"):
        name, values = name.removeprefix("ln_"), np.exp(values).tolist()
    chart = profile(values, kept["rms"], kept["forecast"], kept["admissible"], item["title"], name)
    inside = [value for value, ok in zip(values, kept["admissible"], strict=True) if ok]
    if inside:
        forecasts = [value for value, ok in zip(kept["forecast"], kept["admissible"], strict=True) if ok]
        said = f"Values of {name} from {number(min(inside))} to {number(max(inside))} fit equally well (shaded)"
        said += (
            f" and forecast {number(min(forecasts))} to {number(max(forecasts))} at the furthest point, on the scale of the curve."
        )
    else:
        said = f"No value of {name} fits well enough to be shaded. Right: what each forecasts at the furthest point."
    return {"drawing": chart, "caption": f"{said} {count(item['rows'], 'row')}, status {item['status']}."}


def downloads(material: Material) -> dict[str, pl.DataFrame]:
    """Return every fit behind a hindcast as one table."""
    flat = [
        {k: v for k, v in item.items() if k not in ("parameters", "profile", "excluded_rows")} for item in material.hindcast_fits
    ]
    return {"hindcast-fits": pl.DataFrame(flat, infer_schema_length=None)}
