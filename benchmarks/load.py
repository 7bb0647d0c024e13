"""Ten million observations into a validated DuckDB, beside a plain read of the same file: seconds and peak memory, medians.

    python benchmarks/load.py            # 10 million rows, three runs of each, a few minutes and 1.1 GB of disk
    python benchmarks/load.py 1000000 1  # fewer rows, one run

Every measurement is a process of its own, start-up and imports left out, two threads each. `foresaid` is `bulk.load`: every rule
of the quality gate (known ids, finite values, bounds by quantity, zero for missing, dates in order, one row a key). The others
only read. As-of queries run on the loaded table with integer-coded keys: coding them once, one day for the whole record, the same
for one benchmark, and twenty days. Figures depend on the machine; ratios less so. Made up are the rows, never a result.
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from foresaid.registry.checks.rows import Known

ROWS, RUNS, THREADS = 10_000_000, 3, 2
SUBJECTS, QUANTITIES = 5_000, 400
CASES = ("foresaid csv", "duckdb csv", "polars csv", "foresaid parquet", "duckdb parquet", "polars parquet", "as-of")


def make(folder: Path, rows: int) -> None:
    """Write observations.csv and observations.parquet: 5,000 models, 400 benchmarks, two settings, revised up to three times."""
    import duckdb

    connection = duckdb.connect(config={"threads": THREADS})
    connection.execute(
        f"""
        create table made as select
            'org-' || (i % 50) || '/model-' || (i % {SUBJECTS}) as subject_id,
            'benchmark_' || ((i // {SUBJECTS}) % {QUANTITIES}) as quantity_id,
            case when (i // {SUBJECTS * QUANTITIES}) % 2 = 0 then '' else 'high' end as setting,
            date '2023-01-01' + cast(hash(i) % 200 + 200 * (i // {2 * SUBJECTS * QUANTITIES}) as integer) as known_on,
            round(0.1 + 0.8 * (hash(i * 7 + 1) % 1000003) / 1000003.0, 9) as value,
            round(0.01 + 0.01 * (hash(i * 3 + 5) % 1009) / 1009.0, 5) as stderr,
            1000 as n,
            date '2026-11-21' as recorded_on,
            'reported' as status,
            '' as note
        from range({rows}) as r(i)
        """
    )
    connection.execute(f"copy made to '{folder}/observations.csv' (header)")
    connection.execute(f"copy made to '{folder}/observations.parquet' (format parquet, compression zstd)")


def measure(case: str, folder: Path) -> dict[str, float]:
    """Run one case in this process; return seconds by step and the peak of its memory in MB."""
    who, _, kind = case.partition(" ")
    path = folder / f"observations.{kind or 'parquet'}"
    taken: dict[str, float] = {}
    began = 0.0  # processor seconds of all threads: steadier than the clock where others share the machine
    if who == "polars":
        import polars as pl

        start, began = time.perf_counter(), time.process_time()
        frame = pl.read_csv(path) if kind == "csv" else pl.read_parquet(path)
        assert frame.height
    elif who == "duckdb":
        import duckdb

        connection = duckdb.connect(config={"threads": THREADS, "preserve_insertion_order": False})
        start, began = time.perf_counter(), time.process_time()
        connection.execute(f"create table t as from read_{kind}('{path}')")
    else:
        from foresaid.registry import database
        from foresaid.registry.checks import bulk

        known = _known()
        staged = database.staging()
        staged.execute(f"set threads = {THREADS}")
        start, began = time.perf_counter(), time.process_time()
        bulk.load(staged, path, path.name, known, ())
    taken["load"] = time.perf_counter() - start
    taken["cpu"] = time.process_time() - began
    if who == "as-of":
        start = time.perf_counter()
        bulk.code(staged)
        taken["coding"] = time.perf_counter() - start
        days = [date(2023, month, 15) for month in range(1, 13)] + [date(2024, month, 15) for month in range(1, 9)]
        for step, queries in (
            ("one day", [(days[10], "true")]),
            ("one benchmark", [(days[10], "quantity_id = 'benchmark_7'")]),
            ("twenty days", [(day, "true") for day in days]),
        ):
            start = time.perf_counter()
            for day, where in queries:
                staged.execute(f"create or replace temporary table answer as {bulk.as_of(day, where)}")
            taken[step] = time.perf_counter() - start
        del taken["load"], taken["cpu"]
    taken["peak MB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return taken


def _known() -> Known:
    from foresaid.registry.checks.rows import Known
    from foresaid.registry.formats import ModelRow, QuantityRow

    models = [f"org-{number % 50}/model-{number}" for number in range(SUBJECTS)]
    cards = [f"benchmark_{number}" for number in range(QUANTITIES)]
    return Known(
        {name: ModelRow(name, "f", "o", None, "", "", None, None, None, None, "base", "") for name in models},
        {name: QuantityRow(name, name, "benchmark", "fraction", 0.0, 1.0, 0.25, "higher", None, "", "", "s") for name in cards},
    )


def main(rows: int, runs: int) -> None:
    """Measure every case in turn, `runs` times, and print the medians."""
    with tempfile.TemporaryDirectory() as home:
        # In a process of its own: a child begins with the peak of its parent's memory.
        subprocess.run([sys.executable, __file__, "--make", str(rows), home], check=True)
        found: dict[str, list[dict[str, float]]] = {case: [] for case in CASES}
        for _ in range(runs):
            for case in CASES:  # in turn, so that a busy moment of the machine does not fall on one case alone
                words = [sys.executable, __file__, "--case", case, home]
                done = subprocess.run(words, capture_output=True, text=True, check=True)
                found[case].append(json.loads(done.stdout))
        medians = {
            case: {step: statistics.median(item[step] for item in items) for step in items[0]} for case, items in found.items()
        }
    print(f"{rows:,} rows, medians of {runs}, {THREADS} threads")
    for case, steps in medians.items():
        print(f"{case:18s} " + "  ".join(f"{step} {value:.2f}" for step, value in steps.items()))
    for kind in ("csv", "parquet"):
        ours = medians[f"foresaid {kind}"]["load"]
        others = {who: medians[f"{who} {kind}"]["load"] for who in ("duckdb", "polars")}
        faster = min(others, key=lambda who: others[who])
        cpu = {who: medians[f"{who} {kind}"]["cpu"] for who in ("foresaid", "duckdb", "polars")}
        print(f"{kind}: processor time {cpu['foresaid'] / min(cpu['duckdb'], cpu['polars']):.2f} times the least of the others")
        print(f"{kind}: {ours / others[faster]:.2f} times {faster}, the faster; {ours / others['duckdb']:.2f} times duckdb")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--case"]:
        print(json.dumps(measure(sys.argv[2], Path(sys.argv[3]))))
    elif sys.argv[1:2] == ["--make"]:
        make(Path(sys.argv[3]), int(sys.argv[2]))
    else:
        arguments = [int(word) for word in sys.argv[1:]]
        main(*(arguments + [ROWS, RUNS][len(arguments) :]))
