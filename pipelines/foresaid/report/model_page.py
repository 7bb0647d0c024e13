"""One page for each released model that was scored: how well was it foreseen?

Every kind of evidence and every case has its own table there; the chart shows the laws alone, in the leading hindcast, since
with the baselines nobody could read it.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from foresaid import text
from foresaid.evaluation.modes import mode_of
from foresaid.registry.lineage import maker
from foresaid.registry.systems import models_of
from foresaid.report import texts
from foresaid.report.case_tables import Case, cases, headline, method_title, of_case
from foresaid.report.charts import intervals
from foresaid.report.inputs import Material
from foresaid.report.page import Page, PageSet
from foresaid.report.targets import address_of
from foresaid.text import number, signed


def scored_models(material: Material) -> list[str]:
    """Released models with at least one scored forecast, newest first."""
    known = material.models.select("model_id", "released_on")
    found = material.scores.select(model_id=models_of("subject_id")).unique().join(known, on="model_id", how="inner")
    return found.sort(["released_on", "model_id"], descending=[True, False], nulls_last=True)["model_id"].to_list()


def model_list(material: Material) -> Page:
    """The list of released models that were scored, with the error of each law in the leading hindcast."""
    first = headline(cases(material, "hindcast"))
    rows = first.rows.filter(pl.col("role") == "law") if first else material.scores.clear()
    rows = rows.filter(pl.col("unit") == pl.col("unit").min())
    names = rows["law"].unique().sort().to_list()
    by_model = (
        of_case(material.tables["by_model"], first, str(rows["unit"].min())) if first else material.tables["by_model"].clear()
    )
    means = {(row["model_id"], row["law"]): row for row in by_model.iter_rows(named=True)}  # all systems of a model in one mean
    cards = {row["model_id"]: row for row in material.models.iter_rows(named=True)}
    listed = []
    for name in scored_models(material):
        cells = [means.get((name, law)) for law in names]
        listed.append(
            {
                **_card(cards[name]),
                "href": f"{texts.slug(name)}.html",
                "cells": [{"mae": number(cell["mae"]), "n": f"{cell['n']:,}"} if cell else None for cell in cells],
            }
        )
    return Page(
        "models/index.html",
        "models.html.j2",
        {
            "rows": listed,
            "columns": 3 + len(names),
            "laws": [method_title(material, law) for law in names],
            "case": first.title if first else "",
            "mode": mode_of(first.evidence, first.rows["split"][0]) if first else "",
            "unit": text.unit_words(rows["unit"]) if rows.height else "",
        },
    )


def _card(row: dict[str, Any]) -> dict[str, Any]:
    precision = {"day": "", "month": " (month known, day assumed)"}.get(row["released_precision"] or "", "")
    return {
        "model_id": row["model_id"],
        "family": row["family"],
        "organisation": row["organisation"],
        "kind": row["kind"],
        "released_on": f"{row['released_on']}{precision}" if row["released_on"] else "no release date found",
        "source": texts.linked(row["release_source"]),
        "sizes": [
            (words, number(row[name]))
            for name, words in (
                ("params_total", "Parameters"),
                ("params_active", "Active parameters"),
                ("training_tokens", "Training tokens"),
                ("training_flops", "Training FLOPs"),
            )
            if row[name] is not None
        ],
        "notes": row["notes"] or "",
    }


def model_pages(material: Material) -> list[Page]:
    """One page for each released model: what every method said of it, and where it landed."""
    cards = {row["model_id"]: row for row in material.models.iter_rows(named=True)}
    wanted = [case for evidence in texts.EVIDENCE for case in cases(material, evidence)]
    first = headline(cases(material, "hindcast"))
    made = []
    for name in scored_models(material):
        parts, made_by = [], maker(cards[name]["organisation"] or "")
        for case in wanted:
            rows = case.by_model.get(name)
            if rows is not None:
                leading = first is not None and (case.evidence, case.name) == (first.evidence, first.name)
                parts.append(_foreseen(material, case, name, rows, leading))
        made.append(
            Page(
                f"models/{texts.slug(name)}.html",
                "model.html.j2",
                {
                    "card": _card(cards[name]),
                    "maker": material.makers.get(made_by, made_by),
                    "maker_href": f"../makers/{texts.slug(made_by)}.html" if made_by else "",
                    "parts": parts,
                    "key": f"model-{texts.slug(name)}",
                    "evidence": texts.EVIDENCE,
                },
            )
        )
    return made


def _measured(material: Material, row: dict[str, Any]) -> str:
    """The quantity of a row, with the system that was measured where it is not the plain model."""
    system = row["subject_id"].partition("[")[2].removesuffix("]").replace(";", ", ")
    return f"{material.quantity(row['quantity_id'])} ({system})" if system else material.quantity(row["quantity_id"])


def _inputs(material: Material, case: Case, row: dict[str, Any]) -> str:
    """Where the page says what a forecast was fitted on; empty where no page does, as of a baseline."""
    if case.evidence == "prospective":
        return f"../{address_of(case.name, row['target_id'])}"
    if case.evidence == "hindcast" and row["law"] in material.fitted:
        return f"../laws/{texts.slug(row['law'])}.html#behind"
    return ""


def _command(case: Case, name: str) -> str:
    """The command that makes these forecasts again, or shows where they stand."""
    if case.evidence == "hindcast":
        return f"foresaid replay --case {case.name} --model {name}"
    return "foresaid ledger show ID" if case.evidence == "prospective" else ""


def _foreseen(material: Material, case: Case, name: str, rows: pl.DataFrame, charted: bool) -> dict[str, Any]:
    known = dict(
        material.tables["released_scores"]
        .filter(models_of("subject_id") == name)
        .select(pl.concat_str("quantity_id", "subject_id", separator=" "), "known_on")
        .iter_rows()
    )
    lines = [
        {
            "quantity": _measured(material, row),
            "benchmark": f"../benchmarks/{texts.slug(row['quantity_id'])}.html"
            if row["quantity_id"] in material.quantities
            else "",
            "inputs": _inputs(material, case, row),
            "known_on": str(known.get(f"{row['quantity_id']} {row['subject_id']}") or text.DASH),
            "unit": text.unit_words([row["unit"]]),
            "method": method_title(material, row["law"]),
            "role": row["role"],
            "status": row["status"],
            "observed": number(row["observed"]),
            "median": number(row["median"]),
            "interval": f"{number(row['lower_80'])} to {number(row['upper_80'])}" if row["lower_80"] is not None else text.DASH,
            "inside": {True: "yes", False: "no", None: text.DASH}[row["covered_80"]],
            "error": signed(row["median"] - row["observed"]),
            "wis": number(row["wis"]) if row["lower_80"] is not None else text.DASH,
        }
        for row in rows.sort("quantity_id", "subject_id", "role", "law", descending=[False, False, True, False]).iter_rows(
            named=True
        )
    ]
    drawn = []
    if charted:
        of_laws = rows.filter((pl.col("role") == "law") & pl.col("lower_80").is_not_null()).sort("quantity_id", "subject_id", "law")
        for unit in of_laws["unit"].unique().sort():
            part = of_laws.filter(pl.col("unit") == unit)
            data = [
                {**row, "quantity": _measured(material, row), "law": method_title(material, row["law"])}
                for row in part.iter_rows(named=True)
            ]
            drawn.append(intervals(data, "Forecasts of each law, and the observed score", text.unit_words([unit])))
    hits = of_case(material.tables["hits_by_model"], case).filter((pl.col("model_id") == name) & (pl.col("role") == "law"))
    said = [f"{method_title(material, row['law'])} {row['n_inside']:,} of {row['n']:,}" for row in hits.iter_rows(named=True)]
    return {
        "evidence": case.evidence,
        "title": case.title,
        "mode": mode_of(case.evidence, rows["split"][0]),
        "as_of": str(rows["as_of"][0]),
        "command": _command(case, name),
        "lines": lines,
        "charts": drawn,
        "summary": f"Observed values inside the 80 % interval: {'; '.join(said)}." if said else "",
    }


def downloads(material: Material) -> dict[str, pl.DataFrame]:
    """The models, and every scored row of each."""
    names = scored_models(material)
    made = {f"model-{texts.slug(name)}": material.scores.filter(models_of("subject_id") == name) for name in names}
    return {**made, "models": material.models.filter(pl.col("model_id").is_in(names))}


PAGES = PageSet("models/index.html", "Models", 40, lambda material: [model_list(material), *model_pages(material)], downloads)
