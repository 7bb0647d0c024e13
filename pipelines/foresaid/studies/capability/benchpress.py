"""BenchPress's public protocol of matrix completion, run by the capability law on the committed folds.

84 models x 133 benchmarks, 2,604 known cells; 10 seeds x 3 folds hide a third of the cells of every model (arXiv 2606.24020; folds
and matrix of microsoft/benchpress at 108c099). Aggregates as its method_comparison/README.md defines them: a figure per fold, then
the median of the 30. Columns in other units than per cent (Elo, ratings, dollars) are brought to shares by the range of their
training cells and back; they count in the median, not in the mean absolute error.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from foresaid.arrays import Array
from foresaid.errors import UnreadableError
from foresaid.laws._capability_kernel import Settings, names, prior
from foresaid.laws._capability_lines import launch, propose_lineage
from foresaid.laws._capability_model import Model, fit, joint, predictive
from foresaid.laws._capability_rows import SCHEMA, cells

MATRIX, FOLDS = "website/data.json", "benchpress/evaluation/folds/folds_s10_f3_bs42_ms1.json"
LOW, HIGH = 0.1, 0.9  # where the range of a column without a ceiling is put
PER_CENT_LIMIT = 110.0  # cells above count in no mean error (Elo, dollars)
ROUGH = 0.01  # slope at which a fold's fit may end: 30 folds of 270 parameters are not worth eight digits
REASONING = 3.0  # the effort of a model that reasons; one that does not has none stated


@dataclass(frozen=True)
class Matrix:
    """Scores (M, B), NaN where unknown, with what the file says of each model."""

    models: tuple[dict[str, Any], ...]
    benchmarks: tuple[str, ...]
    scores: Array


@dataclass(frozen=True)
class Fold:
    """Held-out cells of one fold: outcome, median, and bounds of the 80 and 90 % intervals, in the benchmark's unit; each (k,)."""

    row: Array
    column: Array
    outcome: Array
    median: Array
    low: Array
    high: Array
    low_80: Array
    high_80: Array


def read(folder: Path) -> tuple[Matrix, list[list[tuple[int, int]]]]:
    """Read the matrix and the held-out cells of the 30 folds; UnreadableError where a file is missing."""
    for name in (MATRIX, FOLDS):
        if not (folder / name).exists():
            raise UnreadableError(f"{folder / name} is missing; fetch microsoft/benchpress at 108c099")
    site = json.loads((folder / MATRIX).read_text(encoding="utf-8"))
    scores = np.array([[np.nan if value is None else float(value) for value in row] for row in site["observed"]])
    folds = json.loads((folder / FOLDS).read_text(encoding="utf-8"))["folds"]
    boards = tuple(str(board["id"]) for board in site["benchmarks"])
    return Matrix(tuple(site["models"]), boards, scores), [[(int(i), int(j)) for i, j in fold["test_cells"]] for fold in folds]


def day_of(text: str) -> date:
    """Read a day, a month (its first) or a year (its middle)."""
    parts = [int(part) for part in text.split("-")]
    return date(*(parts + [7, 1][len(parts) - 1 :])[:3]) if len(parts) < 3 else date(*parts)


def scales(matrix: Matrix, train: Array) -> tuple[Array, Array]:
    """Offset and span (B,) that bring each column to shares: 0 and 100 for per cent, else by the range of its training cells."""
    offset, span = np.zeros(len(matrix.benchmarks)), np.full(len(matrix.benchmarks), 100.0)
    for j in range(len(matrix.benchmarks)):
        seen = train[np.isfinite(train[:, j]), j]
        if seen.size and seen.max() > PER_CENT_LIMIT:
            width = max(float(np.ptp(seen)), 1e-9) / (HIGH - LOW)
            offset[j], span[j] = seen.min() - LOW * width, width
    return offset, span


def frame(matrix: Matrix, values: Array, offset: Array, span: Array) -> pl.DataFrame:
    """Cells of a matrix in the law's schema; a model that reasons has the effort REASONING stated."""
    rows = []
    for i, model in enumerate(matrix.models):
        lineage = propose_lineage(str(model["id"]), str(model["provider"]))
        day = day_of(str(model["release_date"]))
        effort = REASONING if model["reasoning"] else None
        about = (
            model["id"],
            model["id"],
            model["provider"],
            lineage.line,
            lineage.tier,
            effort,
            launch(lineage.line, str(day)),
            day,
        )
        for j in np.flatnonzero(np.isfinite(values[i])):
            share = min(max((values[i, j] - offset[j]) / span[j], 0.0), 1.0)
            rows.append((*about, matrix.benchmarks[j], share, 0.0, None, day))
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def named(model: Model) -> dict[str, float]:
    """Log parameters of a fitted law by name, from which the next fold may start."""
    return dict(zip(names(model.settings, model.cells.benchmarks.names), model.log_parameters.tolist(), strict=True))


def run_fold(
    matrix: Matrix, hidden: Sequence[tuple[int, int]], settings: Settings, start: Mapping[str, float] | None = None
) -> tuple[Fold, Model]:
    """Fit on the cells a fold leaves and forecast those it hides; `start` moves where the search begins, not where it ends."""
    train = matrix.scores.copy()
    rows, columns = np.array([i for i, _ in hidden]), np.array([j for _, j in hidden])
    train[rows, columns] = np.nan
    offset, span = scales(matrix, train)
    coded = cells(frame(matrix, train, offset, span))
    centre = prior(settings, len(coded.benchmarks.names))[0]
    order = names(settings, coded.benchmarks.names)
    begin = np.array([(start or {}).get(name, value) for name, value in zip(order, centre, strict=True)])
    model = fit(coded, settings, begin, ROUGH)
    place = {name: q for q, name in enumerate(coded.benchmarks.names)}
    known = np.array([matrix.benchmarks[j] in place for j in columns])
    rows, columns = rows[known], columns[known]
    system = {name: s for s, name in enumerate(coded.systems.ids)}
    s = np.array([system[str(matrix.models[i]["id"])] for i in rows], dtype=np.intp)
    q = np.array([place[matrix.benchmarks[j]] for j in columns], dtype=np.intp)
    found = joint(model, coded.systems, s, q)
    mean, sd = predictive(found, found.mean, np.diag(found.covariance))

    def at(times: float) -> Array:
        return np.asarray(offset[columns] + span[columns] * coded.benchmarks.to_share(q, mean + times * sd))

    outcome = matrix.scores[rows, columns]
    bounds = (at(-1.6448536), at(1.6448536), at(-1.2815516), at(1.2815516))
    return Fold(rows.astype(float), columns.astype(float), outcome, at(0.0), *bounds), model


def benchmark_medians(matrix: Matrix, hidden: Sequence[tuple[int, int]]) -> Array:
    """Absolute errors (k,) of the protocol's simplest forecast: the median of the benchmark's cells the fold leaves."""
    train = matrix.scores.copy()
    rows, columns = np.array([i for i, _ in hidden]), np.array([j for _, j in hidden])
    train[rows, columns] = np.nan
    return np.asarray(np.abs(np.nanmedian(train, axis=0)[columns] - matrix.scores[rows, columns]))


def figures(folds: Iterable[Fold]) -> dict[str, float]:
    """The protocol's figures: per fold, then the median over folds; coverage and width pooled over all cells."""
    many = list(folds)
    errors = [np.abs(fold.median - fold.outcome) for fold in many]
    plain = [error[fold.outcome <= PER_CENT_LIMIT] for error, fold in zip(errors, many, strict=True)]
    held = np.concatenate([(fold.low <= fold.outcome) & (fold.outcome <= fold.high) for fold in many])
    held_80 = np.concatenate([(fold.low_80 <= fold.outcome) & (fold.outcome <= fold.high_80) for fold in many])
    widths = np.concatenate([fold.high - fold.low for fold in many])
    return {
        "cells": float(sum(len(error) for error in errors)),
        "median absolute error, median of folds": float(np.median([np.median(error) for error in errors])),
        "median absolute error, pooled": float(np.median(np.concatenate(errors))),
        "mean absolute error (cells <= 110)": float(np.mean(np.concatenate(plain))),
        "root mean square error (cells <= 110)": float(np.sqrt(np.mean(np.concatenate(plain) ** 2))),
        "coverage of 80 %": float(held_80.mean()),
        "coverage of 90 %": float(held.mean()),
        "median width of 90 %": float(np.median(widths)),
    }
