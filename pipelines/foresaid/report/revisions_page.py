"""The page of revisions: what upstreams changed between their vintages, by how much, and which scored forecasts it would move.

A forecast is scored on the first value its resolver published and stays so scored; this page shows what the score would be on the
value that stands now. The tables are those of evaluation/revised_outcomes.py, as the stage `score` left them.
"""

from __future__ import annotations

from itertools import pairwise

import polars as pl

from foresaid.report.inputs import Material
from foresaid.report.page import Page, PageSet
from foresaid.text import count, number

SHOWN = 100  # rows of a list on the page; the downloads have all
NAMES = ("revisions", "revisions_by_unit", "models_added_late", "revisions_of_outcomes")  # made by evaluation/revised_outcomes.py


def page(material: Material) -> Page:
    """The page: sources with several vintages, what changed, models added late, forecasts that would move."""
    revised, summed, added, shifted = (material.tables[name] for name in NAMES)
    several = [item for item in material.sources if len(item.vintages) > 1]
    steps = []
    for item in several:
        days = [one.known_on for one in item.vintages]
        for previous, day in pairwise(days):
            rows = summed.filter((pl.col("source_id") == item.name) & (pl.col("known_on") == day))
            steps.append(
                {
                    "source": item.title,
                    "previous": str(previous),
                    "known_on": str(day),
                    "units": [
                        {
                            "unit": row["unit"],
                            "new": f"{row['new']:,}",
                            "revised": f"{row['revised']:,}",
                            "withdrawn": f"{row['withdrawn']:,}",
                            "mean": _or_dash(row["mean_change"]),
                            "largest": _or_dash(row["largest_change"]),
                        }
                        for row in rows.iter_rows(named=True)
                    ],
                }
            )
    revised = revised.sort(pl.col("change").abs(), "source_id", "subject_id", "quantity_id", descending=[True, False, False, False])
    return Page(
        "revisions.html",
        "revisions.html.j2",
        {
            "several": count(len(several), "source"),
            "steps": steps,
            "revised_count": count(revised.height, "value"),
            "revised": [
                {
                    "source": row["source_id"], "known_on": str(row["known_on"]), "subject": row["subject_id"],
                    "quantity": material.quantity(row["quantity_id"]), "setting": row["setting"], "kind": row["kind"],
                    "before": number(row["before"]), "value": number(row["value"]) if row["kind"] != "withdrawn" else "–",
                }
                for row in revised.head(SHOWN).iter_rows(named=True)
            ],
            "late_count": count(added.height, "model"),
            "late": [{**row, "released_on": str(row["released_on"])} for row in added.head(SHOWN).iter_rows(named=True)],
            "moved_count": count(shifted.height, "scored forecast"),
            "moved": [
                {
                    **row, "quantity": material.quantity(row["quantity_id"]), "observed": number(row["observed"]),
                    "now": "withdrawn" if row["now"] is None else number(row["now"]),
                    "error": number(row["error"]), "error_now": _or_dash(row["error_now"]),
                }
                for row in shifted.head(SHOWN).iter_rows(named=True)
            ],
            "shown": SHOWN,
        },
    )  # fmt: skip


def _or_dash(value: float | None) -> str:
    return "–" if value is None else number(value)


def downloads(material: Material) -> dict[str, pl.DataFrame]:
    """The tables of this page, whole."""
    return {name.replace("_", "-"): material.tables[name] for name in NAMES}


PAGES = PageSet("revisions.html", "Revisions", 70, lambda material: [page(material)], downloads)
