"""One page for each benchmark or loss that was forecast: its protocol, its frontier, what is forecast, and how methods did.

The scores over time are the table that the stage `score` left (evaluation/released_scores.py); the page orders and spells rows.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

from foresaid.confusables import model_of
from foresaid.evaluation import rolling_origin
from foresaid.evaluation.modes import TITLES, mode_of
from foresaid.registry.source_card import Source
from foresaid.registry.systems import models_of
from foresaid.registry.view import Quantity
from foresaid.report import open_page, target_words, texts
from foresaid.report.case_tables import Case, cases, method_title, of_case
from foresaid.report.charts import frontier
from foresaid.report.drawing import Drawing
from foresaid.report.inputs import Material
from foresaid.report.page import Page, PageSet
from foresaid.text import DASH, bound, count, number, percent, signed, unit_words

FEWEST = 5  # released models below which a frontier says nothing
LISTED = 25  # newest models on the page; the download has all


def forecast_quantities(material: Material) -> list[str]:
    """Quantities with a scored forecast, a rolling origin or a target in the ledger, and a row in the record, by their titles."""
    asked = {one.entry.benchmark for one in material.targets if one.entry is not None}
    rolled = {row["group"] for row in material.rolling["by_target"]}
    found = ({*material.scores["quantity_id"].unique()} | asked | rolled) & set(material.quantities)
    return sorted(found, key=lambda name: (material.quantity(name).casefold(), name))


def released_scores(material: Material, name: str) -> pl.DataFrame:
    """The rows of one quantity in the table of evaluation/released_scores.py."""
    return material.tables["released_scores"].filter(pl.col("quantity_id") == name).drop("quantity_id")


def _year(day: date) -> float:
    return day.year + (day.timetuple().tm_yday - 1) / 366


def _frontier(material: Material, name: str, rows: pl.DataFrame) -> Drawing | None:
    if rows.height < FEWEST:
        return None
    points = [
        {"name": row["subject_id"], "year": _year(row["released_on"]), "value": row["value"], "best": row["best"]}
        for row in rows.iter_rows(named=True)
    ]
    return frontier(points, f"{material.quantity(name)}: released models", f"score ({unit_words([material.unit(name)])})")


def _methods(material: Material, every: list[Case], name: str) -> list[dict[str, Any]]:
    """Every method in every case that forecast the quantity: case by case, the lowest WIS first, baselines after laws."""
    made = []
    for case in every:
        rows = case.by_quantity.get(name)
        if rows is None:
            continue
        intervals = rows["lower_80"].is_not_null().any()
        means = of_case(material.tables["by_quantity"], case).filter(pl.col("quantity_id") == name)
        ordered = means.with_columns(second=pl.col("role") == "baseline").sort("second", "wis", "law")
        lines = [
            {
                "title": method_title(material, row["law"]),
                "href": f"../laws/{texts.slug(row['law'])}.html" if row["law"] in material.fitted else "",
                "role": row["role"],
                "wis": number(row["wis"]) if intervals else DASH,
                "mae": number(row["mae"]),
                "bias": signed(row["bias"]),
                "coverage": percent(row["coverage_80"]),
                "n": f"{row['n']:,}",
                "releases": f"{row['n_releases']:,}",
            }
            for row in ordered.iter_rows(named=True)
        ]
        mode = mode_of(case.evidence, rows["split"][0])
        made.append({"evidence": case.evidence, "title": case.title, "as_of": str(rows["as_of"][0]), "mode": mode, "rows": lines})
    return made


def _rolling(material: Material, name: str) -> list[dict[str, Any]]:
    """Every law in the rolling origins on the quantity, mode by mode, the lowest relative WIS first."""
    made = []
    for mode in rolling_origin.MODES:
        rows = [row for row in material.rolling["by_target"] if (row["mode"], row["group"]) == (mode, name)]
        lines = [
            {
                "title": method_title(material, row["law"]),
                "href": f"../laws/{texts.slug(row['law'])}.html" if row["law"] in material.fitted else "",
                "told": row["told"],
                "wis": number(row["wis"]),
                "reference": method_title(material, row["reference"]),
                "ratio": DASH if row["relative_wis"] is None else f"{row['relative_wis']:.2f}",
                "bias": signed(row["bias"]),
                "coverage": percent(row["coverage_80"]),
                "n": f"{row['n']:,}",
                "releases": f"{row['n_releases']:,}",
            }
            for row in sorted(rows, key=lambda row: (row["relative_wis"] is None, row["relative_wis"] or 0.0, row["law"]))
        ]
        if lines:
            made.append({"mode": TITLES[mode], "rows": lines})
    return made


def _ahead(material: Material, name: str) -> dict[str, Any]:
    """The targets of the ledger on the quantity: open ones with their charts, settled ones as a table."""
    mine = [one for one in material.targets if one.entry is not None and one.entry.benchmark == name]
    waiting = [one for one in open_page.open_targets(material) if one in mine]
    return {
        "board": open_page.board(material, name, waiting, "../") if waiting else None,
        "cards": [target_words.card(material, one, "../") for one in waiting],
        "settled": [target_words.card(material, one, "../") for one in mine if not one.open],
    }


def saturation(quantity: Quantity, best: float | None) -> str:
    """How far the best score is on the way from chance to the upper bound; nothing for a rating or a loss.

    >>> from types import SimpleNamespace
    >>> saturation(SimpleNamespace(unit="fraction", direction="higher", chance=0.25, upper=1.0), 0.85)
    '80 % of the way from chance to the best possible score'
    """
    if best is None or quantity.unit != "fraction" or quantity.direction != "higher":
        return ""
    low = quantity.chance or 0.0
    return f"{percent((best - low) / (quantity.upper - low))} of the way from chance to the best possible score"


def _facts(quantity: Quantity, source: Source | None) -> list[tuple[str, str]]:
    facts = [
        ("Unit", f"{unit_words([quantity.unit])}, {quantity.direction} is better"),
        ("Bounds", f"{bound(quantity.lower)} to {bound(quantity.upper)}"),
        ("Chance level", number(quantity.chance)),
        ("Items", f"{quantity.items:,}" if quantity.items else ""),
        ("Protocol", quantity.protocol),
        ("Resolved by", f"{source.title if source else quantity.resolver}: the first value it publishes"),
        ("Licence of the source", source.licence if source else "not in this registry"),
    ]
    return [(words, value) for words, value in facts if value and value != DASH]


def benchmark_pages(material: Material) -> list[Page]:
    """The list of benchmarks that were forecast, and the page of each."""
    listed, pages = [], []
    sources = {one.name: one for one in material.sources}
    every = [case for evidence in texts.EVIDENCE for case in cases(material, evidence)]
    linked = set(material.scores.select(models_of("subject_id")).to_series().unique())
    for name in forecast_quantities(material):
        quantity = material.quantities[name]
        rows, scored = released_scores(material, name), material.scores.filter(pl.col("quantity_id") == name)
        listed.append(
            {
                "title": quantity.title,
                "href": f"{texts.slug(name)}.html",
                "unit": unit_words([quantity.unit]),
                "models": f"{rows.height:,}",
                "best": number(rows["best"][-1]) if rows.height else DASH,
                "forecasts": f"{scored.height:,}",
                "open": f"{sum(one.open for one in material.targets if one.entry is not None and one.entry.benchmark == name):,}",
                "rolling": f"{sum(row['n'] for row in material.rolling['by_target'] if row['group'] == name):,}",
            }
        )
        newest = [
            {
                "model_id": row["subject_id"],
                "href": f"../models/{texts.slug(model)}.html" if (model := model_of(row["subject_id"])) in linked else "",
                "released_on": str(row["released_on"]),
                "known_on": str(row["known_on"]),
                "value": number(row["value"]),
                "best": number(row["best"]),
            }
            for row in rows.reverse().head(LISTED).iter_rows(named=True)
        ]
        values = {
            "title": quantity.title,
            "facts": [
                *_facts(quantity, sources.get(quantity.resolver)),
                *((("Saturation", said),) if (said := saturation(quantity, rows["best"][-1] if rows.height else None)) else ()),
            ],
            "chart": _frontier(material, name, rows),
            "newest": newest,
            "count": count(rows.height, "released model"),
            "ahead": _ahead(material, name),
            "methods": _methods(material, every, name),
            "rolling": _rolling(material, name),
            "evidence": texts.EVIDENCE,
            "key": f"benchmark-{texts.slug(name)}",
        }
        pages.append(Page(f"benchmarks/{texts.slug(name)}.html", "benchmark.html.j2", values))
    return [Page("benchmarks/index.html", "benchmarks.html.j2", {"rows": listed}), *pages]


def downloads(material: Material) -> dict[str, pl.DataFrame]:
    """The scores of released models on each of these benchmarks, with the best so far."""
    return {f"benchmark-{texts.slug(name)}": released_scores(material, name) for name in forecast_quantities(material)}


PAGES = PageSet("benchmarks/index.html", "Benchmarks", 35, benchmark_pages, downloads)
