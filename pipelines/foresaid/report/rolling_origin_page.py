"""The page of the rolling origins: how every law would have done, month by month, and what may be concluded from it."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

from foresaid.evaluation import rolling_origin
from foresaid.report import charts, rolling_origin_tables
from foresaid.report.case_tables import method_title
from foresaid.report.inputs import Material
from foresaid.report.page import Page, PageSet
from foresaid.report.texts import slug
from foresaid.scoring.significance import BETTER
from foresaid.text import count, number, signed

FEWEST_ORIGINS = 3  # a line through fewer says nothing
DRAWN = 6  # methods of one chart: as many as there are dashes and colours


def page(material: Material) -> Page:
    """The tables of both modes, one a board, and a chart where there are origins enough."""
    found = material.rolling
    parts: list[dict[str, Any]] = []
    for mode, meaning in rolling_origin.MODES.items():
        boards = [_board(material, about, rows) for about, rows in rolling_origin_tables.tables(found) if about["mode"] == mode]
        far = [_far(material, row) for row in found["by_distance"] if row["mode"] == mode]
        parts.append({"mode": mode, "title": rolling_origin_tables.MODES[mode], "meaning": meaning, "boards": boards, "far": far})
    asked = found.get("origins")
    return Page(
        "origins.html",
        "origins.html.j2",
        {
            "head": rolling_origin_tables.HEAD,
            "asked": f"{count(asked['number'], 'origin')} from {asked['first']} to {asked['last']}" if asked else "",
            "horizons": ", ".join(str(months) for months in found["horizons"]),
            "parts": parts,
            "sums": rolling_origin_tables.sums(found),
        },
    )


def _board(material: Material, about: dict[str, Any], rows: list[dict[str, Any]]) -> dict[str, Any]:
    def cell(text: str, at: int) -> dict[str, Any]:
        return {"text": text, "left": at in rolling_origin_tables.LEFT}

    shown = [
        {
            "title": method_title(material, row["law"]),
            "href": f"laws/{slug(row['law'])}.html" if row["law"] in material.fitted else "",
            "cells": [cell(text, at) for at, text in enumerate(rolling_origin_tables.cells(row)) if at],
            "logit": number(row["wis_logit"]),
            "revised": number(row["wis_revised"]),
            "better": (row["verdict"] or "").startswith(BETTER),
        }
        for row in rows
    ]
    best = {row["horizon"]: row["baseline"] for row in rows if row["baseline"]}
    said = "; ".join(f"{months} months: {method_title(material, name)}" for months, name in sorted(best.items()))
    return {
        "title": rolling_origin_tables.caption(about),
        "rows": shown,
        "baselines": said or "none",
        "chart": _chart(material, about),
    }


def _chart(material: Material, about: dict[str, Any]) -> charts.Drawing | None:
    keys = ("mode", "unit", "board")
    rows = [
        row
        for row in material.rolling["by_origin"]
        if not row["recalibrated"] and all(row[key] == about[key] for key in keys) and row["role"] != "baseline"
    ]
    if len({row["origin"] for row in rows}) < FEWEST_ORIGINS:
        return None
    names = sorted({row["law"] for row in rows})[:DRAWN]
    points = [
        {"method": method_title(material, row["law"]), "year": _year(row["origin"]), "value": row["wis"]}
        for row in rows
        if row["law"] in names
    ]
    return charts.over_time(points, rolling_origin_tables.caption(about), f"mean WIS ({about['unit']}), models of the next year")


def _year(origin: str) -> float:
    day = date.fromisoformat(origin)
    return day.year + (day.month - 1) / 12


def _far(material: Material, row: dict[str, Any]) -> dict[str, str]:
    return {
        "where": f"{row['board']}, {row['unit']}",
        "law": method_title(material, row["law"]),
        "bin": row["bin"],
        "n": f"{row['n']:,}",
        "releases": f"{row['n_releases']:,}",
        "wis": number(row["wis"]),
        "mae": number(row["mae"]),
        "bias": signed(row["bias"]),
        "covered": rolling_origin_tables.share(row["coverage_80"]),
    }


def downloads(material: Material) -> dict[str, pl.DataFrame]:
    """The tables of this page, whole."""
    found = material.rolling
    return {
        f"origins-{name.replace('_', '-')}": pl.DataFrame(found[name], infer_schema_length=None)
        for name in ("by_horizon", "by_distance", "by_origin")
    }


PAGES = PageSet("origins.html", "Rolling-origin evaluation", 30, lambda material: [page(material)], downloads)
