"""The claims of the rolling origins as a page says them: one sentence a claim, and the row of the table it must agree with.

Sentence and row are spelt from the same claim, side by side, and carry the same key in the page (`data-claim`), so that a test can
read both off the finished page and compare them. Known on the day comes first. Nothing is decided here.
"""

from __future__ import annotations

from typing import Any

from foresaid import text
from foresaid.evaluation.modes import TITLES
from foresaid.evaluation.rolling_scores import EVERY_BOARD
from foresaid.registry.view import SHARE
from foresaid.report import texts
from foresaid.report.case_tables import claim_cells, method_title
from foresaid.report.inputs import Material
from foresaid.scoring.significance import TOO_FEW


def claim_rows(material: Material, mode: str, first_page: bool = False) -> list[dict[str, Any]]:
    """The claims of a mode at its longest horizon as they were computed, in the order of the tables.

    On the first page shares stand once, over all boards, where there are several; other units stand board by board. There the
    order is that of a league table: shares first, the lowest relative WIS first, too few releases last.
    """
    longest = max(material.rolling["horizons"], default=0)
    rows = [row for row in material.rolling["by_horizon"] if row["mode"] == mode and row["horizon"] == longest and row["verdict"]]
    pooled = {row["unit"] for row in rows if row["board"] == EVERY_BOARD}
    kept = [row for row in rows if not first_page or row["unit"] not in pooled or row["board"] == EVERY_BOARD]
    return sorted(kept, key=_place) if first_page else kept


def _place(row: dict[str, Any]) -> tuple[bool, bool, float]:
    """Where a claim stands on the first page: shares first, those that rest on too few releases last, else by relative WIS."""
    ratio = row["relative_wis"]
    return row["unit"] != SHARE, row["verdict"] == TOO_FEW or ratio is None, ratio if ratio is not None else 0.0


def claims_of(material: Material, mode: str, first_page: bool = False) -> list[dict[str, Any]]:
    """The same claims as a page says them."""
    return [_line(material, row) for row in claim_rows(material, mode, first_page)]


def _line(material: Material, row: dict[str, Any]) -> dict[str, Any]:
    claim = {**row, "n": row["n_claim"], "n_releases": row["claim_releases"], "n_makers": row["claim_makers"]}
    law, reference = (method_title(material, row[name]) for name in ("law", "reference"))
    return {
        "key": "/".join((row["mode"], row["board"], row["unit"], row["law"])),
        "mode": TITLES[row["mode"]],
        "where": f"{TITLES[row['mode']].capitalize()}, {row['board']}, {row['unit']}, {row['horizon']} months",
        "sentence": texts.verdict(claim, law, reference),
        "board": row["board"],
        "unit": row["unit"],
        "law": law,
        "href": f"laws/{texts.slug(row['law'])}.html" if row["law"] in material.fitted else "",
        **claim_cells(material, claim),
        "bias": text.signed(row["bias"]),
        "covered": text.percent(row["coverage_80"]),
        "coverage": [text.percent(row[f"coverage_{level}"]) for level in ("50", "80", "95")],
        "scored": f"{row['n']:,}",
        "scored_releases": f"{row['n_releases']:,}",
    }
