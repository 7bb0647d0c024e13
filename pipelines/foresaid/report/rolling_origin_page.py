"""The page of the rolling origins: how every law would have done, origin by origin, and what may be concluded from it."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

from foresaid import text
from foresaid.evaluation import modes, rolling_origin
from foresaid.evaluation.rolling_recalibration import PLAIN
from foresaid.report import charts, rolling_origin_tables
from foresaid.report.case_tables import method_title
from foresaid.report.claim_lines import claims_of
from foresaid.report.drawing import Drawing
from foresaid.report.inputs import Material
from foresaid.report.page import Page, PageSet
from foresaid.report.texts import slug
from foresaid.scoring.significance import BETTER
from foresaid.text import count, number, signed

PARTS = {"by_target": "By target", "by_period": "By half-year of release"}
FEWEST_ORIGINS = 3  # a line through fewer says nothing
DRAWN = 6  # methods of one chart: as many as there are dashes and colours


def page(material: Material) -> Page:
    """The verdicts and tables of both modes, known on the day first; a chart where there are origins enough."""
    found = material.rolling
    shown: list[dict[str, Any]] = []
    for mode in rolling_origin.MODES:
        boards = [_board(material, about, rows) for about, rows in rolling_origin_tables.tables(found) if about["mode"] == mode]
        far = [_far(material, row) for row in found["by_distance"] if row["mode"] == mode]
        grid = found.get("origins", {}).get(mode)
        asked = f"{count(grid['number'], 'origin')} from {grid['first']} to {grid['last']}" if grid else ""
        title = modes.TITLES[mode].capitalize()
        parts = [part for name in PARTS for part in _parts(material, name, mode)]
        verdicts = claims_of(material, mode)
        shown.append(
            {
                **{"mode": mode, "title": title, "meaning": modes.MODES[mode], "asked": asked},
                "recalibrations": [_recalibrated(material, row) for row in found.get("recalibrations", []) if row["mode"] == mode],
                **{"boards": boards, "far": far, "verdicts": verdicts, "parts": parts},
            }
        )
    return Page(
        "origins.html",
        "origins.html.j2",
        {
            "head": rolling_origin_tables.HEAD,
            "left": rolling_origin_tables.LEFT,
            "horizons": ", ".join(str(months) for months in found["horizons"]),
            "parts": shown,
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
    return {"title": rolling_origin_tables.caption(about), "rows": shown, "chart": _chart(material, about)}


def _parts(material: Material, name: str, mode: str) -> list[dict[str, Any]]:
    """One table a law and unit: its means by target or by period, beside the reference on the rows both forecast."""
    made: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in material.rolling.get(name, []):
        if row["mode"] != mode:
            continue
        key = tuple(str(row[part]) for part in ("board", "unit", "law", "told", "reference"))
        made.setdefault(key, []).append(
            {
                "group": material.quantity(row["group"]) if name == "by_target" else row["group"],
                "wis": number(row["wis"]),
                "ratio": text.DASH if row["relative_wis"] is None else f"{row['relative_wis']:.2f}",
                "bias": signed(row["bias"]),
                "coverage": [rolling_origin_tables.share(row[f"coverage_{level}"]) for level in (50, 80, 95)],
                **{key: f"{row[column]:,}" for key, column in (("n", "n"), ("releases", "n_releases"), ("makers", "n_makers"))},
            }
        )
    return [
        {
            "title": f"{PARTS[name]}: {method_title(material, law)} (told {told}), {modes.TITLES[mode]}, {board}, {unit}",
            "reference": method_title(material, reference),
            "by": PARTS[name][3:],
            "rows": rows,
        }
        for (board, unit, law, told, reference), rows in made.items()
    ]


def _recalibrated(material: Material, row: dict[str, Any]) -> dict[str, str]:
    bounds = text.DASH if row["lower_95"] is None else f"{row['lower_95']:.2f} to {row['upper_95']:.2f}"
    return {
        "where": f"{row['board']}, {row['unit']}",
        "law": method_title(material, row["law"]),
        "learned": row["recalibration"],
        "n": f"{row['n']:,}",
        "releases": f"{row['n_releases']:,}",
        "before": number(row["baseline_wis"]),
        "wis": number(row["wis"]),
        "ratio": text.DASH if row["relative_wis"] is None else f"{row['relative_wis']:.2f}",
        "bounds": bounds,
        "bias": f"{signed(row['bias_before'])} / {signed(row['bias'])}",
        "covered": f"{rolling_origin_tables.share(row['coverage_80_before'])} / {rolling_origin_tables.share(row['coverage_80'])}",
        "verdict": row["verdict"],
    }


def _chart(material: Material, about: dict[str, Any]) -> Drawing | None:
    keys = ("mode", "unit", "board")
    rows = [
        row
        for row in material.rolling["by_origin"]
        if row["recalibration"] == PLAIN and all(row[key] == about[key] for key in keys) and row["role"] != "baseline"
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
        f"origins-{name.replace('_', '-')}": pl.DataFrame(found.get(name, []), infer_schema_length=None)
        for name in ("by_horizon", "recalibrations", "by_target", "by_period", "by_distance", "by_origin")
    }


PAGES = PageSet("origins.html", "Rolling-origin evaluation", 30, lambda material: [page(material)], downloads)
