"""What one evaluation of the capability law's likelihood costs, by cells, benchmarks and systems, in parts and by dense algebra.

    OPENBLAS_NUM_THREADS=1 python -m benchmarks.capability FOLDER DAY > registry/protocols/capability-cost.csv

FOLDER holds data_v1.csv and open-llm-leaderboard_old.csv of felipemaiapolo/sloth: 197 models on 110 tasks, and 7,169 models on six;
DAY is the day to print. Cells are real; the second table states no day of a model, so only its size is used and nothing is
forecast from it. Processor seconds of one thread, the median of three where three take less than about ten seconds. *dense* is the
least that algebra on all cells needs, one factorisation and one inverse of their covariance, without a single slope; *parts* is the
law as it is, with every slope.
"""

from __future__ import annotations

import csv
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
from scipy.linalg import lapack

from foresaid.laws._capability_kernel import Settings, cell_covariance, prior, unpack
from foresaid.laws._capability_likelihood import likelihood
from foresaid.laws._capability_lines import launch, propose_lineage
from foresaid.laws._capability_rows import SCHEMA, Cells, cells

LONG, WIDE = "open-llm-leaderboard_old.csv", "data_v1.csv"
BOARDS = ("ARC", "HellaSwag", "MMLU", "TruthfulQA", "Winogrande", "GSM8K")
NOT_TASKS = 8  # leading columns of data_v1.csv that are no score
ENOUGH = 10.0  # seconds spent, after which one measurement must do
DENSE_LIMIT = 6000  # cells; beyond, dense algebra is not run
COLUMNS = ("measured_on", "axis", "cells", "benchmarks", "systems", "form", "seconds")


def _frame(rows: list[tuple[str, date, str, float]]) -> pl.DataFrame:
    """Cells of (model, day, benchmark, share): one system a model, line and tier by rule from its name."""
    found = []
    for name, day, board, value in rows:
        line = propose_lineage(name.split("/")[-1], "unnamed")
        about = (name, name, "unnamed", line.line, line.tier, None, launch(line.line, str(day)), day)
        found.append((*about, board, min(max(value, 0.0), 1.0), 0.0, None, day))
    return pl.DataFrame(found, schema=SCHEMA, orient="row").unique(["system_id", "benchmark"], keep="first", maintain_order=True)


def wide(folder: Path) -> pl.DataFrame:
    """197 models on 110 tasks."""
    with (folder / WIDE).open(encoding="utf-8", newline="") as stream:
        head, *rows = csv.reader(stream)
    return _frame(
        [
            (row[1], date.fromisoformat(row[4]) if row[4] else date(2024, 1, 1), board, float(text))
            for row in rows
            for board, text in zip(head[NOT_TASKS:], row[NOT_TASKS:], strict=True)
            if text
        ]
    )


def long(folder: Path, systems: int) -> pl.DataFrame:
    """The first `systems` models of the leaderboard on its six benchmarks, all on one day, since it states none."""
    with (folder / LONG).open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))[:systems]
    return _frame(
        [
            (str(i) + "/" + row["Model"][-60:], date(2024, 1, 1), board, float(row[board]) / 100.0)
            for i, row in enumerate(rows)
            for board in BOARDS
            if row[board]
        ]
    )


def _seconds(work: Callable[[], object]) -> float:
    taken: list[float] = []
    while len(taken) < 3 and sum(taken) < ENOUGH:
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return float(np.median(taken))


def _dense(found: Cells, at: np.ndarray) -> None:
    sizes = unpack(Settings(), at)
    own = (found.systems, found.s, found.q)
    K = cell_covariance(Settings(), sizes, own, own)
    K[np.diag_indices(found.n)] += sizes.noise[found.q] + found.item_variance
    lapack.dpotri(lapack.dpotrf(K, lower=1)[0], lower=1)


def measure(axis: str, frame: pl.DataFrame, day: date) -> list[tuple[object, ...]]:
    """Rows of COLUMNS for one table."""
    found = cells(frame)
    at = prior(Settings(), len(found.benchmarks.names))[0]
    size = (found.n, len(found.benchmarks.names), found.systems.n)
    forms = {"parts": lambda: likelihood(found, Settings(), at, with_information=False)}
    if found.n <= DENSE_LIMIT:
        forms["dense"] = lambda: _dense(found, at)
    rows: list[tuple[object, ...]] = [(str(day), axis, *size, form, f"{_seconds(work):.3g}") for form, work in forms.items()]
    print(*rows, sep="\n", file=sys.stderr, flush=True)
    return rows


def main(folder: Path, day: date) -> None:
    """Print every row as CSV."""
    rng, whole = np.random.default_rng(1), wide(folder)
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(COLUMNS)
    boards, systems = sorted(set(whole["benchmark"])), sorted(set(whole["system_id"]))
    for n in (600, 1200, 2400, 4800, 9600, whole.height):
        keep = np.sort(rng.choice(whole.height, min(n, whole.height), replace=False))
        writer.writerows(measure("cells", whole[keep], day))
    for n in (6, 13, 27, 54, len(boards)):
        chosen = rng.choice(boards, n, replace=False).tolist()
        writer.writerows(measure("benchmarks", whole.filter(pl.col("benchmark").is_in(chosen)), day))
    for n in (12, 25, 50, 100, len(systems)):
        chosen = rng.choice(systems, n, replace=False).tolist()
        writer.writerows(measure("models", whole.filter(pl.col("system_id").is_in(chosen)), day))
    for n in (250, 500, 1000, 2000, 3000):
        writer.writerows(measure("models, six benchmarks", long(folder, n), day))


if __name__ == "__main__":
    main(Path(sys.argv[1]), date.fromisoformat(sys.argv[2]))
