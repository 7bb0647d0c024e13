"""The page of the capability law: who stands where, how surely, what each benchmark says, and how the law did on new releases."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import polars as pl

from foresaid.report import charts
from foresaid.report.drawing import Drawing
from foresaid.report.inputs import Capability, Material
from foresaid.report.page import Page, PageSet
from foresaid.text import DASH, count, number, signed

Z80 = 1.2815515655446004  # half-width of an 80 % normal interval in standard errors
LISTED = 40  # systems on the page; the download has all
PAIRS = 15


def page(material: Material) -> Page:
    """The index over time, ranks, loadings, what each benchmark adds, and the protocol; without the law a page that says so."""
    found = material.capability
    values: dict[str, Any] = {"found": None}
    if found is not None:
        items = dict(found.loadings.select("benchmark", "items").iter_rows())
        values = {
            "found": found.metrics | {"systems": count(found.metrics["systems"], "system")},
            "chart": _chart(found),
            "ranks": [_rank(row) for row in found.index.head(LISTED).iter_rows(named=True)],
            "loadings": [_loading(material, row) for row in found.loadings.sort("benchmark").iter_rows(named=True)],
            "adds": [_adds(material, row, items.get(row["benchmark"])) for row in found.adds.iter_rows(named=True)],
            "pairs": [_pair(material, row) for row in found.correlations.head(PAIRS).iter_rows(named=True)],
            "sizes": [{"name": name, "value": number(value)} for name, value in sorted(found.metrics["sizes"].items())],
            "cost_chart": _cost_chart(found),
            "costs": found.costs,
            "protocol": [{name: text or DASH for name, text in row.items()} for row in found.protocol],
        }
    return Page("capability.html", "capability.html.j2", values)


def _year(day: date) -> float:
    return day.year + (day.timetuple().tm_yday - 1) / 366


def _chart(found: Capability) -> Drawing | None:
    """The best system of every model, since the efforts of one model would hide each other."""
    best = found.index.unique("model_id", keep="first", maintain_order=True).sort("released_on", "model_id")
    points = [
        {
            "name": row["model_id"],
            "year": _year(row["released_on"]),
            "value": row["index"],
            "lower_80": row["index"] - Z80 * row["index_error"],
            "upper_80": row["index"] + Z80 * row["index_error"],
        }
        for row in best.iter_rows(named=True)
    ]
    return charts.index_over_time(points, "Reference index by release", "reference index (probit units)") if points else None


VARIED = {"cells": "cells", "benchmarks": "benchmarks", "models": "systems", "models, six benchmarks": "systems"}


def _cost_chart(found: Capability) -> Drawing | None:
    """One line for what was varied and for how it was computed; the size is that of what was varied."""
    points = [
        {
            "series": row["axis"] + (", dense algebra" if row["form"] == "dense" else ""),
            "size": float(row[VARIED[row["axis"]]]),
            "seconds": float(row["seconds"]),
        }
        for row in sorted(found.costs, key=lambda row: (row["form"] == "dense", list(VARIED).index(row["axis"])))
        if row["form"] == "parts" or row["axis"] == "cells"
    ]
    return charts.costs(points, "Cost of one evaluation of the likelihood", "processor seconds") if points else None


def _rank(row: Mapping[str, Any]) -> dict[str, str]:
    return {
        "system": row["system_id"],
        "released_on": str(row["released_on"]),
        "cells": f"{row['cells']:,}",
        "index": signed(row["index"]),
        "error": number(row["index_error"]),
        "rank": number(row["rank"]),
        "rank_error": number(row["rank_error"]),
    }


def _loading(material: Material, row: Mapping[str, Any]) -> dict[str, str]:
    return {
        "benchmark": material.quantity(row["benchmark"]),
        "cells": f"{row['cells']:,}",
        "items": f"{row['items']:,}" if row["items"] is not None else DASH,
        "loading": number(row["loading"]),
        "error": number(row["loading_error"]),
    }


def _adds(material: Material, row: Mapping[str, Any], items: int | None) -> dict[str, str]:
    """The number of items stands for the cost of a measurement: the record knows no other."""
    return {
        "items": f"{items:,}" if items is not None else DASH,
        "by_item": number(1000.0 * row["alone"] / items) if items is not None else DASH,
        "place": str(row["place"]),
        "benchmark": material.quantity(row["benchmark"]),
        "alone": number(row["alone"]),
        "next": number(row["next"]),
        "sd": number(row["sd"]),
    }


def _pair(material: Material, row: Mapping[str, Any]) -> dict[str, str]:
    return {
        "first": material.quantity(row["first"]),
        "second": material.quantity(row["second"]),
        "systems": f"{row['systems']:,}",
        "correlation": signed(row["correlation"]),
    }


def downloads(material: Material) -> dict[str, pl.DataFrame]:
    """The index of every system, the loadings, the correlations and what each benchmark adds."""
    found = material.capability
    if found is None:
        return {}
    return {
        "capability-index": found.index,
        "capability-loadings": found.loadings,
        "capability-correlations": found.correlations,
        "capability-adds": found.adds,
    }


PAGES = PageSet("capability.html", "Capability", 25, lambda material: [page(material)], downloads)
