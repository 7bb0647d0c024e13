"""The page of the hindcasts: every case with all its methods beside their baselines, and one verdict a law.

The first page leads with one of them; here they all stand, in the order of params.yaml, after the largest errors of the laws: what
a mean hides, and what a reader who doubts a law asks for first.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from foresaid import text
from foresaid.evaluation.modes import mode_of
from foresaid.registry.systems import models_of
from foresaid.registry.view import SHARE
from foresaid.report import texts
from foresaid.report.case_tables import block, cases, method_title
from foresaid.report.inputs import Material
from foresaid.report.page import Page, PageSet
from foresaid.text import number, signed

LARGEST = 12  # forecasts with the largest absolute error


def page(material: Material) -> Page:
    """The page of all cases."""
    found = [block(material, case) for case in cases(material, "hindcast")]
    values = {"cases": found, "evidence": texts.EVIDENCE, "largest": largest(material), "most": LARGEST}
    return Page("hindcasts.html", "hindcasts.html.j2", values)


def largest(material: Material) -> list[dict[str, Any]]:
    """The forecasts of laws with the largest absolute error on a share, over all cases, each with its mode."""
    rows = material.scores.filter((pl.col("role") == "law") & (pl.col("unit") == SHARE) & pl.col("absolute_error").is_not_null())
    keys = ["evidence", "case", "law", "target_id", "subject_id"]
    ordered = rows.sort(["absolute_error", *keys], descending=[True, *[False] * len(keys)]).head(LARGEST)
    pages = set(material.models["model_id"])
    return [
        {
            "system": row["subject_id"],
            "href": f"models/{texts.slug(row['model'])}.html" if row["model"] in pages else "",
            "quantity": material.quantity(row["quantity_id"]),
            "benchmark": material.benchmark_address(row["quantity_id"]),
            "law": method_title(material, row["law"]),
            "mode": mode_of(row["evidence"], row["split"]),
            "as_of": str(row["as_of"]),
            "median": number(row["median"]),
            "observed": number(row["observed"]),
            "error": signed(row["median"] - row["observed"]),
            "interval": f"{number(row['lower_80'])} to {number(row['upper_80'])}" if row["lower_80"] is not None else text.DASH,
        }
        for row in ordered.with_columns(model=models_of("subject_id")).iter_rows(named=True)
    ]


PAGES = PageSet("hindcasts.html", "Hindcasts", 28, lambda material: [page(material)])
