"""The few figures by which two states of the record are compared, and the tables that `dvc plots` draws.

`dvc metrics show` prints one line of them, so they are flat and few; `dvc metrics diff` shows what became of each, and the sign of
its change says whether the record got better: up is better for `skill` and `better`, down for `worse` and `coverage_error`. They
are means over whatever claims there are: where claims were added or removed, a change may be theirs.
"""

from __future__ import annotations

from statistics import fmean, median
from typing import Any

import polars as pl

from foresaid.evaluation import rolling_origin
from foresaid.report.case_tables import best_law, cases, headline, method_title
from foresaid.report.claim_lines import claim_rows
from foresaid.report.inputs import Material
from foresaid.scoring.significance import TOO_FEW

NOMINAL = (0.5, 0.8, 0.9, 0.95)
BANDS = {"place": pl.Int64, "what": pl.String, "observed": pl.Float64, "median": pl.Float64, "lower_80": pl.Float64,
         "upper_80": pl.Float64}  # fmt: skip
RELIABILITY = {"method": pl.String, "nominal": pl.Float64, "coverage": pl.Float64, "n": pl.Int64}
ORIGINS = {"board": pl.String, "method": pl.String, "origin": pl.String, "wis": pl.Float64, "n": pl.Int64}


def figures(material: Material) -> dict[str, float | int | None]:
    """The flat figures, rounded to four digits; None where there is nothing to take a mean of.

    `better` and `worse` count the verdicts of all claims, of cases and of rolling origins; `skill` is the median of 1 − relative
    WIS (positive is better) and `coverage_error` the mean distance of the coverage of 80 % intervals from 0.80, both over the
    claims that rest on enough releases; `scored` counts scored prospective forecasts and `frozen` the forecasts of the ledger.
    """
    means = material.means["summary"]
    keys = ["evidence", "case", "law", "unit"]
    of_cases = (
        material.claims.join(means.select(*keys, "coverage_80"), on=keys, how="left").to_dicts()
        if material.claims.height and means.height
        else []
    )
    rows = [*of_cases, *(row for mode in rolling_origin.MODES for row in claim_rows(material, mode, first_page=True))]
    enough = [row for row in rows if row["verdict"] != TOO_FEW]
    skills = [1 - row["relative_wis"] for row in enough if row["relative_wis"] is not None]
    apart = [abs(row["coverage_80"] - 0.8) for row in enough if row["coverage_80"] is not None]
    return {
        "claims": len(rows),
        "better": sum(row["verdict"].startswith("better") for row in rows),
        "worse": sum(row["verdict"].startswith("worse") for row in rows),
        "skill": round(median(skills), 4) if skills else None,
        "coverage_error": round(fmean(apart), 4) if apart else None,
        "scored": material.scores.filter(pl.col("evidence") == "prospective").height,
        "frozen": material.ledger.counts["forecasts"],
    }


def plots(material: Material) -> dict[str, pl.DataFrame]:
    """The tables that `dvc plots` draws, by the name of their file and template: bands, reliability, origins."""
    return {
        "bands": pl.DataFrame(_bands(material), schema=BANDS),
        "reliability": pl.DataFrame(_reliability(material), schema=RELIABILITY),
        "origins": pl.DataFrame(_origins(material), schema=ORIGINS),
    }


def _bands(material: Material) -> list[dict[str, Any]]:
    """The leading hindcast's best law: forecast median, 80 % interval and outcome, by the outcome."""
    case = headline(cases(material, "hindcast"))
    law = best_law(material, case) if case else None
    if case is None or law is None:
        return []
    rows = case.rows.filter((pl.col("law") == law) & (pl.col("unit") == case.rows["unit"].min()))
    return [
        {
            "place": place,
            "what": f"{material.quantity(row['quantity_id'])}, {row['subject_id']}",
            **{name: row[name] for name in ("observed", "median", "lower_80", "upper_80")},
        }
        for place, row in enumerate(rows.sort("observed", "quantity_id", "subject_id").iter_rows(named=True), 1)
    ]


def _reliability(material: Material) -> list[dict[str, Any]]:
    """Coverage of the intervals beside their nominal level, of every law and baseline of the leading hindcast."""
    case = headline(cases(material, "hindcast"))
    if case is None:
        return []
    means = material.means["summary"].filter((pl.col("evidence") == case.evidence) & (pl.col("case") == case.name))
    return [
        {
            "method": method_title(material, row["law"]),
            "nominal": level,
            "coverage": row[f"coverage_{level * 100:.0f}"],
            "n": row["n"],
        }
        for row in means.filter(pl.col("unit") == case.rows["unit"].min()).sort("law").iter_rows(named=True)
        for level in NOMINAL
        if row[f"coverage_{level * 100:.0f}"] is not None
    ]


def _origins(material: Material) -> list[dict[str, Any]]:
    """Mean WIS of every law and ensemble at each origin, for models known on the day, board by board."""
    rows = [
        row
        for row in material.rolling["by_origin"]
        if row["mode"] == rolling_origin.MODES[0] and row["role"] != "baseline" and row["recalibration"] == "none"
    ]
    made = [
        {
            "board": f"{row['board']} ({row['unit']})",
            "method": method_title(material, row["law"]),
            "origin": row["origin"],
            "wis": row["wis"],
            "n": row["n"],
        }
        for row in rows
    ]
    return sorted(made, key=lambda row: (row["board"], row["method"], row["origin"]))
