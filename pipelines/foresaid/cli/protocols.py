"""The commands that run a published protocol on files one has fetched. They write nothing; each imports when it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypedDict

import click

from foresaid.cli import questions
from foresaid.cli.output import Table, table

FOLDER = click.argument(
    "folder", help="The files the protocol reads, as said above.", type=click.Path(path_type=Path, file_okay=False)
)


class Protocols(click.Group):
    """A group that takes a name it has no command for as the name of a kept table (`questions.protocol`)."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """Hand every other name, with its options, to the command of tables; that command names what it expects."""
        if args and args[0] not in self.commands:
            return "table", self.commands["table"], args
        return super().resolve_command(ctx, args)


@click.group(cls=Protocols)
def protocol() -> None:
    """Run a published forecasting protocol and print its figures, or the table of one by name (see protocol table --help).

    \b
    Example: foresaid protocol benchpress benchpress/
             foresaid protocol effort-tokens --from ../mirror
    """


protocol.add_command(questions.protocol, "table")


@protocol.command(name="benchpress")
@FOLDER
@click.option(
    "--folds", type=click.IntRange(1, 30), default=30, show_default=True, help="How many of the 30 folds, from the first."
)
@click.option("--law", "with_law", is_flag=True, help="With the capability law and the mean of both: a minute or two a fold.")
@click.option("--releases", is_flag=True, help="Instead ask for the releases of 2025-11 to 2026-04 with five scores revealed.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Seed of random starts and of revealed scores.")
def benchpress(folder: Path, folds: int, with_law: bool, releases: bool, seed: int) -> list[Table]:
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
    from foresaid.text import number

    matrix, hidden = work.read(folder)
    if releases:
        earlier: list[benchpress_releases.Asked] = []
        parts, taught = [], []
        for month in benchpress_releases.months(benchpress_releases.FIRST, date(2026, 4, 1)):
            starts, reveals = (generator(seed, "benchpress", str(month), use) for use in ("starts", "reveals"))
            found = benchpress_releases.ask_month(matrix, month, 10, starts, reveals)
            if found is not None and month >= date(2025, 11, 1):
                taught.append(benchpress_releases.widths(earlier))
                parts.append(found)
            earlier += [found] if found is not None else []
        asked = benchpress_releases.figures(parts, taught, work.PER_CENT_LIMIT)
        for name, value in asked.items():
            click.echo(f"{name}: {number(value)}")
        return [{"title": "releases", "rows": [dict(asked)]}]  # type: ignore[list-item]
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
    rows = [[name, float(np.median([np.median(one) for one in parts]))] for name, parts in errors.items()]
    made: list[Table] = [{"title": "methods", "rows": table(["method", "median absolute error, median of folds"], rows)}]
    if with_law:
        tables = {"capability law": work.figures(law), "mean of both": work.figures(benchpress_mean.intervals(both))}
        named = list(tables["capability law"])
        figures = table(["", *tables], [[name, *(one[name] for one in tables.values())] for name in named])
        made.append({"title": "with the capability law", "rows": figures})
    return made


@protocol.command(name="frontier")
@FOLDER
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Seed of the simulated releases.")
def frontier(folder: Path, seed: int) -> list[Table]:
    """Ask every frontier law for the best value 3, 6 and 12 months after cut-offs from 2024-01 to 2026-01, and score it.

    FOLDER holds Epoch's eci_benchmarks.csv and eci_scores.csv as downloaded on 2026-08-11. Scores are CRPS in shares of one, with
    skill over pooled past jumps and its 5 and 95 % bootstrap bounds by board family.

    Example: foresaid protocol frontier downloads/
    """
    from foresaid.studies.frontier import boards, forms, protocol, tables

    found, cells = boards.read(folder)
    rows, quantiles = protocol.run(found, forms.forms(cells, seed))
    made: list[Table] = []
    for title, (head, *body) in tables.tables(rows, forms.with_mean(quantiles), seed):
        click.echo("")
        click.echo(title)
        made.append({"title": title, "rows": table(head, body)})
    return made


class OwnCurves(TypedDict):
    """Every forecast with its quantiles at `levels`, in the unit of the file, and scores by file and law."""

    levels: list[float]
    forecasts: list[dict[str, Any]]
    scores: list[dict[str, Any]]


@protocol.command(name="larger")
@FOLDER
@click.option(
    "--held-out-share", type=click.FloatRange(0, 1, min_open=True, max_open=True), default=0.25, show_default=True,
    help="Share of each series' largest rows to hold out, where no row is flagged in the column held_out.",
)  # fmt: skip
@click.option("--alone", is_flag=True, help="Leave the record out: neither its rows nor the widths its series teach.")
def larger(folder: Path, held_out_share: float, alone: bool) -> OwnCurves:
    """Forecast the largest rows of curves of your own from the smaller ones, by every law of their kind. Writes nothing.

    FOLDER holds CSV files; the columns say the kind: series, parameters, tokens, bits_per_byte, accuracy (runs of a ladder);
    series, parameters, tokens, loss (sweeps); series, tokens, loss; series, examples, loss (fine-tuning); series, samples,
    coverage; series, tokens, accuracy (inference budgets). A column held_out (0 or 1) names the rows to forecast, whose value may
    be empty; a column chance gives the score of guessing. A series named as a target of the record is trained on its rows too.

    \b
    Example: foresaid protocol larger curves/
             foresaid protocol larger curves/ --held-out-share 0.4 --json
    """
    from foresaid import params
    from foresaid.cli.group import project
    from foresaid.project import CACHE
    from foresaid.registry import database
    from foresaid.report.sections.own_curves import as_plain, lines
    from foresaid.studies.own_curves import files, forecasts

    loaded = params.load(project().params)
    view = None
    if not alone:
        connection = database.open_database(project().build / "database")
        view = database.as_of(connection, loaded.fit_as_of)
        connection.close()
    found, teachers = forecasts.asked(files.read_folder(folder), view, loaded.laws, held_out_share)
    made = forecasts.forecasts(found, teachers, loaded.seed, loaded.replicates, project().build / CACHE)
    for line in lines(made):
        click.echo(line)
    return as_plain(made)  # type: ignore[return-value]  # these keys


COMMANDS: tuple[click.Command, ...] = (protocol,)
