"""The commands that run a published protocol on files one has fetched. They write nothing; each imports when it runs."""

from __future__ import annotations

from pathlib import Path

import click

FOLDER = click.argument("folder", type=click.Path(path_type=Path, file_okay=False))


@click.group()
def protocol() -> None:
    """Run a published forecasting protocol on its own files and print its figures.

    Example: foresaid protocol benchpress benchpress/
    """


@protocol.command(name="benchpress")
@FOLDER
@click.option(
    "--folds", type=click.IntRange(1, 30), default=30, show_default=True, help="How many of the 30 folds, from the first."
)
@click.option("--law", "with_law", is_flag=True, help="With the capability law and the mean of both: a minute or two a fold.")
@click.option("--releases", is_flag=True, help="Instead ask for the releases of 2025-11 to 2026-04 with five scores revealed.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Seed of random starts and of revealed scores.")
def benchpress(folder: Path, folds: int, with_law: bool, releases: bool, seed: int) -> None:
    """Matrix completion by BenchPress's protocol (arXiv 2606.24020): held-out cells of the committed folds.

    FOLDER is a checkout of microsoft/benchpress at 108c099. Printed are the medians of benchmarks, BenchPress's own completion
    (printed there: 4.60 points median absolute error), and with --law the capability law and the mean of both.

    Example: foresaid protocol benchpress benchpress/ --law --folds 3
    """
    from datetime import date

    import numpy as np

    from foresaid.laws._capability_kernel import Settings
    from foresaid.reproducible import generator
    from foresaid.studies.capability import benchpress as work
    from foresaid.studies.capability import benchpress_mean, benchpress_releases
    from foresaid.text import columns, number

    matrix, hidden = work.read(folder)
    if releases:
        parts = []
        for month in benchpress_releases.months(date(2025, 11, 1), date(2026, 4, 1)):
            found = benchpress_releases.ask_month(matrix, month, 10, 1.1, generator(seed, "benchpress", str(month)))
            parts += [found] if found is not None else []
        for name, value in benchpress_releases.figures(parts, work.PER_CENT_LIMIT).items():
            click.echo(f"{name}: {number(value)}")
        return
    errors: dict[str, list[np.ndarray]] = {"median of the benchmark": [], "BenchPress's completion": []}
    law, both, start = [], [], None
    for number_of, cells in enumerate(hidden[:folds]):
        rng = generator(seed, "benchpress", str(number_of))
        errors["median of the benchmark"].append(work.benchmark_medians(matrix, cells))
        errors["BenchPress's completion"].append(benchpress_mean.completion_errors(matrix, cells, rng))
        if with_law:
            fold, model = work.run_fold(matrix, cells, Settings(), start)
            start = work.named(model)
            law.append(fold)
            both.append(benchpress_mean.mean_of_forms(matrix, fold, cells, generator(seed, "benchpress", str(number_of))))
            click.echo(f"fold {number_of + 1} of {folds}: {number(float(np.median(np.abs(fold.median - fold.outcome))))}", err=True)
    rows = [["method", "median absolute error, median of folds"]]
    rows += [[name, number(float(np.median([np.median(one) for one in parts])))] for name, parts in errors.items()]
    for line in columns(rows, (0,)):
        click.echo(line)
    if with_law:
        tables = {"capability law": work.figures(law), "mean of both": work.figures(benchpress_mean.intervals(both))}
        named = list(tables["capability law"])
        for line in columns([["", *tables], *([name, *(number(one[name]) for one in tables.values())] for name in named)], (0,)):
            click.echo(line)


@protocol.command(name="frontier")
@FOLDER
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Seed of the simulated releases.")
def frontier(folder: Path, seed: int) -> None:
    """Ask every frontier law for the best value 3, 6 and 12 months after cut-offs from 2024-01 to 2026-01, and score it.

    FOLDER holds Epoch's eci_benchmarks.csv and eci_scores.csv as downloaded on 2026-08-11. Scores are CRPS in shares of one, with
    skill over pooled past jumps and its 5 and 95 % bootstrap bounds by board family.

    Example: foresaid protocol frontier downloads/
    """
    from foresaid.studies.frontier import boards, forms, protocol, tables
    from foresaid.text import columns

    found, cells = boards.read(folder)
    rows, quantiles = protocol.run(found, forms.forms(cells, seed))
    for title, table in tables.tables(rows, forms.with_mean(quantiles), seed):
        click.echo("")
        click.echo(title)
        for line in columns(table, (0,)):
            click.echo(line)


COMMANDS: tuple[click.Command, ...] = (protocol,)
