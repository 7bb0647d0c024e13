"""One page a maker of models: what is forecast of its next releases, and how well its released models were foreseen.

A maker is the first organisation that the record names for a model, in the spelling of targets (`registry.lineage.maker`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from foresaid import text
from foresaid.evaluation.modes import mode_of
from foresaid.registry.lineage import maker
from foresaid.report import open_page, target_words, texts
from foresaid.report.case_tables import Case, cases, headline, method_title, of_case
from foresaid.report.inputs import Material
from foresaid.report.model_page import scored_models
from foresaid.report.page import Page, PageSet
from foresaid.report.targets import Target
from foresaid.text import count, number, percent, signed


def address(name: str) -> str:
    """Where the page of a maker stands below the site."""
    return f"makers/{texts.slug(name)}.html"


def makers(material: Material) -> dict[str, list[str]]:
    """The makers with a scored model or a target of the ledger, each with its scored models, newest first."""
    found: dict[str, list[str]] = {line.maker: [] for target in material.targets for line in target.lines}
    cards = {row["model_id"]: row for row in material.models.iter_rows(named=True)}
    for model in scored_models(material):
        name = maker(cards[model]["organisation"] or "")
        if name:
            found.setdefault(name, []).append(model)
    return {name: found[name] for name in sorted(found, key=lambda one: ((material.makers.get(one) or one).casefold(), one))}


def asked_of(material: Material, name: str) -> list[Target]:
    """The targets about a line of a maker and of nobody else."""
    return [one for one in material.targets if {line.maker for line in one.lines} == {name}]


def pages(material: Material) -> list[Page]:
    """The list of makers and the page of each."""
    found = makers(material)
    first = headline(cases(material, "hindcast"))
    models = {row["model_id"]: row for row in material.models.iter_rows(named=True)}
    every = [case for evidence in texts.EVIDENCE for case in cases(material, evidence)]
    listed, made = [], []
    for name, mine in found.items():
        asked = asked_of(material, name)
        waiting = [one for one in open_page.open_targets(material) if one in asked]
        listed.append(
            {
                "name": material.makers.get(name, name),
                "href": f"{texts.slug(name)}.html",
                "models": f"{len(mine):,}",
                "open": f"{len(waiting):,}",
            }
        )
        values = {
            "name": material.makers.get(name, name),
            "counted": f"{count(len(waiting), 'open target')}, {count(len(mine), 'scored model')}",
            "best": _best(material, waiting),
            "cards": [target_words.card(material, one, "../") for one in waiting],
            "settled": [target_words.card(material, one, "../") for one in asked if one not in waiting],
            "cases": [part for case in every if (part := _foreseen(material, case, mine)) is not None],
            "models": [_model(material, first, models[one]) for one in mine],
            "leading": first.title if first is not None else "",
            "mode": mode_of(first.evidence, first.rows["split"][0]) if first is not None else "",
        }
        made.append(Page(address(name), "maker.html.j2", values))
    return [Page("makers/index.html", "makers.html.j2", {"rows": listed}), *made]


def _best(material: Material, waiting: list[Target]) -> list[dict[str, str]]:
    """By benchmark the open forecast with the best median: which of the maker's lines is forecast to score highest."""
    made = []
    for _, mine in open_page.by_board(waiting):
        known = [one for one in mine if one.primary is not None and one.primary.at(0.5) is not None]
        if known:
            lower = known[0].entry is not None and known[0].entry.direction == "lower"
            best = min(known, key=lambda one: _median(one) if lower else -_median(one))
            made.append(target_words.card(material, best, "../"))
    return made


def _median(target: Target) -> float:
    median = target.primary.at(0.5) if target.primary is not None else None
    return median if median is not None else 0.0


def _foreseen(material: Material, case: Case, models: list[str]) -> dict[str, Any] | None:
    """How each law of a case did on the maker's models, unit by unit; None where it forecast none of them."""
    rows = of_case(material.tables["by_model"], case).filter(pl.col("model_id").is_in(models) & (pl.col("role") == "law"))
    if rows.is_empty():
        return None
    weight = pl.col("n")

    def mean(name: str) -> pl.Expr:
        return ((pl.col(name) * weight).sum() / weight.filter(pl.col(name).is_not_null()).sum()).alias(name)

    means = rows.group_by("unit", "law").agg(
        *(mean(name) for name in ("wis", "mae", "bias", "coverage_80")), pl.col("n").sum(), models=pl.len()
    )
    lines = [_line(material, row) for row in means.sort("unit", "wis", "law", nulls_last=True).iter_rows(named=True)]
    return {
        "evidence": case.evidence,
        "title": case.title,
        "mode": mode_of(case.evidence, case.rows["split"][0]),
        "as_of": str(case.rows["as_of"][0]),
        "rows": lines,
    }


def _line(material: Material, row: Mapping[str, Any]) -> dict[str, str]:
    return {
        "law": method_title(material, row["law"]),
        "unit": text.unit_words([row["unit"]]),
        "wis": number(row["wis"]),
        "mae": number(row["mae"]),
        "bias": signed(row["bias"]),
        "coverage": percent(row["coverage_80"]),
        "n": f"{row['n']:,}",
        "models": f"{row['models']:,}",
    }


def _model(material: Material, first: Case | None, card: Mapping[str, Any]) -> dict[str, str]:
    """A scored model: released when, and the lowest mean absolute error of a law in the leading hindcast."""
    best = {}
    if first is not None:
        rows = of_case(material.tables["by_model"], first).filter(
            (pl.col("model_id") == card["model_id"]) & (pl.col("role") == "law") & (pl.col("unit") == first.rows["unit"].min())
        )
        best = rows.sort("mae", "law").row(0, named=True) if rows.height else {}
    return {
        "model_id": card["model_id"],
        "href": f"../models/{texts.slug(card['model_id'])}.html",
        "released_on": str(card["released_on"] or text.DASH),
        "mae": number(best.get("mae")),
        "law": method_title(material, best["law"]) if best else text.DASH,
        "n": f"{best['n']:,}" if best else "0",
    }


PAGES = PageSet("makers/index.html", "Makers", 42, pages)
