"""The claims of the rolling origins as a page says them: one sentence a claim, and the row of the table it must agree with.

Sentence and row are spelt from the same claim, side by side, and carry the same key in the page (`data-claim`), so that a test can
read both off the finished page and compare them. Known on the day comes first. Nothing is decided here.
"""

from __future__ import annotations

from typing import Any

from foresaid import text
from foresaid.evaluation.modes import TITLES
from foresaid.evaluation.rolling_scores import EVERY_BOARD
from foresaid.report import texts
from foresaid.report.case_tables import bounds, method_title
from foresaid.report.inputs import Material


def claims_of(material: Material, mode: str, first_page: bool = False) -> list[dict[str, Any]]:
    """The claims of a mode at its longest horizon, in the order of the tables.

    On the first page shares stand once, over all boards, where there are several; other units stand board by board.
    """
    longest = max(material.rolling["horizons"], default=0)
    rows = [row for row in material.rolling["by_horizon"] if row["mode"] == mode and row["horizon"] == longest and row["verdict"]]
    pooled = {row["unit"] for row in rows if row["board"] == EVERY_BOARD}
    return [_line(material, row) for row in rows if not first_page or row["unit"] not in pooled or row["board"] == EVERY_BOARD]


def _line(material: Material, row: dict[str, Any]) -> dict[str, Any]:
    claim = {**row, "n_releases": row["claim_releases"], "n_makers": row["claim_makers"]}
    law, reference = (method_title(material, row[name]) for name in ("law", "reference"))
    best = text.DASH
    if row["relative_wis_best"] is not None:
        best = f"{method_title(material, row['best_baseline'])}: {row['relative_wis_best']:.2f} on {row['n_best']:,}"
    return {
        "key": "/".join((row["mode"], row["board"], row["unit"], row["law"])),
        "mode": TITLES[row["mode"]],
        "where": f"{TITLES[row['mode']].capitalize()}, {row['board']}, {row['unit']}, {row['horizon']} months",
        "sentence": texts.verdict(claim, law, reference),
        "board": row["board"],
        "unit": row["unit"],
        "law": law,
        "href": f"laws/{texts.slug(row['law'])}.html" if row["law"] in material.fitted else "",
        "told": row["told"],
        "reference": reference,
        "n": f"{row['n_claim']:,}" + (f", {row['n_no_forecast']:,} without a forecast" if row["n_no_forecast"] else ""),
        "releases": f"{row['claim_releases']:,}",
        "makers": f"{row['claim_makers']:,}",
        "ratio": text.DASH if row["relative_wis"] is None else f"{row['relative_wis']:.2f}",
        "bounds": bounds(row, ""),
        "maker_bounds": bounds(row, "maker_"),
        "p": text.probability(row["adjusted_p"]),
        "verdict": row["verdict"],
        "best": best,
        "bias": text.signed(row["bias"]),
        "covered": text.percent(row["coverage_80"]),
    }
