"""Stage `capability`: the law of all cells fitted on the record as of the day of the current curves, and its tables.

It leaves the cells with the fitted log parameters, from which any forecast is one conditioning and no fit, and what a page shows.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from foresaid.errors import UnreadableError
from foresaid.files import read_frame, rounded, write_bytes, write_frame, write_json
from foresaid.laws._capability_kernel import Settings, describe
from foresaid.laws._capability_model import Model, condition_on, fit
from foresaid.laws._capability_record import of_record, read_choices
from foresaid.laws._capability_rows import cells
from foresaid.params import Params
from foresaid.registry import database
from foresaid.reproducible import generator
from foresaid.studies.capability import tables

FOLDER = "capability"  # below build/
FORMAT = "capability-fit/1"
DIGITS = 8  # significant digits of a log parameter: the fit ends within 1e-7
TABLES = ("index", "loadings", "correlations", "adds")
TABLE_DIGITS = 6  # fewer than the fit settles, so that the last digit of the arithmetic does not show


def run(params: Params, build: Path, metrics: Path) -> dict[str, Any]:
    """Fit, write build/capability and reports/metrics/capability.json, and return the metrics; without a section `capability` none.

    Raises RecordError where the record holds no cell the section asks for.
    """
    folder = build / FOLDER
    if not params.capability:
        write_bytes(folder / "model.json", b"null\n")
        write_json(metrics / "capability.json", {})
        return {}
    choices = read_choices(params.capability)
    connection = database.open_database(build / "database")
    frame = of_record(database.systems_as_of(connection, params.fit_as_of), choices)
    connection.close()
    fitted = fit(cells(frame))
    kept = rounded(fitted.log_parameters.tolist(), DIGITS)
    model = condition_on(
        fitted.cells, fitted.settings, np.array(kept)
    )  # the tables are those of the file, not of the end of the search
    names = model.cells.benchmarks.names
    plain = {
        "format": FORMAT,
        "as_of": params.fit_as_of.isoformat(),
        "factor": choices.factor,
        "benchmarks": list(names),
        "log_parameters": kept,
    }
    made = {
        "index": tables.index(model, generator(params.seed, "capability", "ranks")),
        "loadings": tables.loadings(model),
        "correlations": tables.residual_correlations(model),
        "adds": tables.what_each_adds(model, params.fit_as_of, choices.factor),
    }
    write_bytes(folder / "model.json", (json.dumps(plain, indent=1, sort_keys=True, allow_nan=False) + "\n").encode())
    write_frame(folder / "cells.parquet", frame)
    for name, table in made.items():
        write_frame(folder / f"{name}.parquet", table.with_columns(pl.col(pl.Float64).round_sig_figs(TABLE_DIGITS)))
    figures = {
        "as_of": params.fit_as_of.isoformat(),
        "cells": model.cells.n,
        "systems": model.cells.systems.n,
        "releases": len(set(model.cells.systems.releases)),
        "benchmarks": len(names),
        "log_likelihood": model.log_likelihood,
        "sizes": {
            name: value
            for name, value in describe(model.settings, model.log_parameters, names).items()
            if not name.startswith("loading: ")
        },
    }
    write_json(metrics / "capability.json", figures)
    return figures


def read(build: Path) -> tuple[Model, float, date]:
    """Return the fitted law as the stage left it, the factor on its standard deviation, and the day it was fitted as of.

    Raises UnreadableError where the stage has not run, its file is damaged, or the project has no section `capability`.
    """
    path = build / FOLDER / "model.json"
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise UnreadableError(
            f"{path}: found no fitted capability law, expected the output of `foresaid capability`; run it"
        ) from None
    if plain is None:
        raise UnreadableError(f"{path}: found no fit, expected a section capability in params.yaml; add it and run `dvc repro`")
    if plain.get("format") != FORMAT:
        raise UnreadableError(f"{path}: found format {plain.get('format')!r}, expected {FORMAT!r}; run `foresaid capability`")
    found = cells(read_frame(build / FOLDER / "cells.parquet"))
    if list(found.benchmarks.names) != plain["benchmarks"]:
        raise UnreadableError(f"{path}: found other benchmarks than in cells.parquet, expected the same; run `foresaid capability`")
    return (
        condition_on(found, Settings(), np.array(plain["log_parameters"])),
        float(plain["factor"]),
        date.fromisoformat(plain["as_of"]),
    )
