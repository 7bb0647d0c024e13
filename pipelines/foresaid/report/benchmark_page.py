"""One page for each benchmark or loss that was forecast: its protocol, the best score over time, and how every method did on it.

Only values of the resolver are shown, since a forecast is scored against no other; of a revised value the current one.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

from foresaid.confusables import model_of
from foresaid.evaluation.modes import mode_of
from foresaid.registry.source_card import Source
from foresaid.registry.systems import EACH, models_of, taken
from foresaid.registry.view import Quantity
from foresaid.report import texts
from foresaid.report.case_tables import cases, method_title, of_case
from foresaid.report.charts import Drawing, frontier
from foresaid.report.inputs import Material
from foresaid.report.page import Page, PageSet
from foresaid.text import DASH, bound, count, number, percent, signed, unit_words

FEWEST = 5  # released models below which a frontier says nothing
LISTED = 25  # newest models on the page; the download has all


def forecast_quantities(material: Material) -> list[str]:
    """Quantities with at least one scored forecast and a row in the record, by their titles."""
    found = set(material.scores["quantity_id"].unique()) & set(material.quantities)
    return sorted(found, key=lambda name: (material.quantity(name).casefold(), name))


def released_scores(material: Material, quantity: Quantity) -> pl.DataFrame:
    """Current scores of the systems of released models by their resolver, oldest release first, with the best so far.

    Columns subject_id, released_on, known_on (first public on), value, best.
    """
    mine = (pl.col("quantity_id") == quantity.quantity_id) & (pl.col("source_id") == quantity.resolver)
    systems = taken(material.observations.filter(mine), EACH)
    ordered = systems.filter(pl.col("setting") == "").sort("subject_id", "known_on")
    current = ordered.group_by("subject_id", maintain_order=True).agg(
        known_on=pl.col("known_on").first(), value=pl.col("value").last(), status=pl.col("status").last()
    )
    dated = material.models.select("model_id", "released_on").drop_nulls("released_on")
    rows = current.filter(pl.col("status").is_in(["reported", "revised"]) & pl.col("value").is_not_null())
    joined = rows.with_columns(model_id=models_of("subject_id")).join(dated, on="model_id", how="inner")
    joined = joined.sort("released_on", "subject_id")
    best = pl.col("value").cum_min() if quantity.direction == "lower" else pl.col("value").cum_max()
    return joined.with_columns(best=best).select("subject_id", "released_on", "known_on", "value", "best")


def _year(day: date) -> float:
    return day.year + (day.timetuple().tm_yday - 1) / 366


def _frontier(material: Material, name: str, rows: pl.DataFrame) -> Drawing | None:
    if rows.height < FEWEST:
        return None
    points = [{"year": _year(row["released_on"]), "value": row["value"], "best": row["best"]} for row in rows.iter_rows(named=True)]
    return frontier(points, f"{material.quantity(name)}: released models", f"score ({unit_words([material.unit(name)])})")


def _methods(material: Material, name: str) -> list[dict[str, Any]]:
    """Every method in every case that forecast the quantity: case by case, the lowest WIS first, baselines after laws."""
    made = []
    for evidence in texts.EVIDENCE:
        for case in cases(material, evidence):
            rows = case.rows.filter(pl.col("quantity_id") == name)
            if not rows.height:
                continue
            intervals = rows["lower_80"].is_not_null().any()
            means = of_case(material.tables["by_quantity"], case).filter(pl.col("quantity_id") == name)
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
                for row in means.with_columns(second=pl.col("role") == "baseline")
                .sort("second", "wis", "law")
                .iter_rows(named=True)
            ]
            mode = mode_of(evidence, rows["split"][0])
            made.append({"evidence": evidence, "title": case.title, "as_of": str(rows["as_of"][0]), "mode": mode, "rows": lines})
    return made


def _facts(quantity: Quantity, source: Source | None) -> list[tuple[str, str]]:
    facts = [
        ("Unit", f"{unit_words([quantity.unit])}, {quantity.direction} is better"),
        ("Bounds", f"{bound(quantity.lower)} to {bound(quantity.upper)}"),
        ("Chance level", number(quantity.chance)),
        ("Protocol", quantity.protocol),
        ("Resolved by", f"{source.title if source else quantity.resolver}: the first value it publishes"),
        ("Licence of the source", source.licence if source else "not in this registry"),
    ]
    return [(words, value) for words, value in facts if value and value != DASH]


def benchmark_pages(material: Material) -> list[Page]:
    """The list of benchmarks that were forecast, and the page of each."""
    listed, pages = [], []
    sources = {one.name: one for one in material.sources}
    for name in forecast_quantities(material):
        quantity = material.quantities[name]
        rows, scored = released_scores(material, quantity), material.scores.filter(pl.col("quantity_id") == name)
        listed.append(
            {
                "title": quantity.title,
                "href": f"{texts.slug(name)}.html",
                "unit": unit_words([quantity.unit]),
                "models": f"{rows.height:,}",
                "best": number(rows["best"][-1]) if rows.height else DASH,
                "forecasts": f"{scored.height:,}",
            }
        )
        linked = set(material.scores.select(models_of("subject_id")).to_series().unique())
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
            "facts": _facts(quantity, sources.get(quantity.resolver)),
            "chart": _frontier(material, name, rows),
            "newest": newest,
            "count": count(rows.height, "released model"),
            "methods": _methods(material, name),
            "evidence": texts.EVIDENCE,
            "key": f"benchmark-{texts.slug(name)}",
        }
        pages.append(Page(f"benchmarks/{texts.slug(name)}.html", "benchmark.html.j2", values))
    return [Page("benchmarks/index.html", "benchmarks.html.j2", {"rows": listed}), *pages]


def downloads(material: Material) -> dict[str, pl.DataFrame]:
    """The scores of released models on each of these benchmarks, with the best so far."""
    return {
        f"benchmark-{texts.slug(name)}": released_scores(material, material.quantities[name])
        for name in forecast_quantities(material)
    }


PAGES = PageSet("benchmarks/index.html", "Benchmarks", 35, benchmark_pages, downloads)
