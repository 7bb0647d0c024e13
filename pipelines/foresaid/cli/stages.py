"""The stages of `dvc repro` as commands, one each, with the same name as in dvc.yaml, and what compiles the laws beforehand."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import click

from foresaid.cli.group import P, R, project


@click.command()
def inputs() -> None:
    """Write down for every stage the settings and the code it runs on, so that a change runs what it touches and no more.

    Example: foresaid inputs
    """
    from foresaid import params
    from foresaid.pipeline.inputs import run

    count = run(params.load(project().params), Path(__file__).parents[1], project().lock, project().build)
    click.echo(f"inputs: {count} stages")


@click.command()
def ingest() -> None:
    """Check every row of the record and write it as tables; any bad row stops it.

    Example: foresaid ingest
    """
    from foresaid import params
    from foresaid.pipeline.ingest import run

    wanted = params.load(project().params).sources
    mirror = os.environ.get("FORESAID_MIRROR")
    run(
        project().registry, wanted, project().build, project().metrics / "ingest.json", Path(mirror) if mirror else None, click.echo
    )
    click.echo("ingest: the record is sound")


@click.command()
def database() -> None:
    """Load the checked tables into DuckDB under the schema and export them.

    Example: foresaid database
    """
    from foresaid import params
    from foresaid.pipeline.database import run

    counts = run(params.load(project().params).sources, project().build)
    click.echo("database: " + ", ".join(f"{count} rows of {table}" for table, count in counts.items()))


@click.command(name="compile")
def compile_laws() -> None:
    """Compile every law's kernel now, once on a machine, so that no later command waits for it; set-up does this.

    Example: foresaid compile
    """
    from foresaid.fitting import least_squares
    from foresaid.laws import _loader as laws

    least_squares.ready([getattr(laws.law_class(name), "columns", None) for name in laws.names()])
    click.echo("compile: ready")


def spread(command: Callable[P, R]) -> Callable[P, R]:
    """Give a command that fits the options that say where its work runs; no choice changes a result."""
    choices = click.Choice(["threads", "processes", "dask"])
    for option in (
        click.option("--scheduler", envvar="FORESAID_SCHEDULER", default="", help="Address of a Dask scheduler: tcp://HOST:PORT."),
        click.option(
            "--backend", envvar="FORESAID_BACKEND", type=choices, default="threads", show_default=True, help="Kind of worker."
        ),
        click.option("--workers", envvar="FORESAID_WORKERS", type=int, default=None, help="How many; params.yaml says by default."),
    ):
        command = option(command)
    return command


@click.command()
@click.argument("law")
@spread
def fit(law: str, workers: int | None, backend: str, scheduler: str) -> None:
    """Fit one law to all its targets at the as-of date.

    Example: foresaid fit observational --workers 2
    """
    from foresaid import parallel, params
    from foresaid.errors import ParameterError
    from foresaid.pipeline.fit import run

    loaded = params.load(project().params)
    if law not in loaded.laws:
        raise ParameterError(f"fit: found the law {law}, expected one of params.yaml: {', '.join(loaded.laws)}")
    with parallel.using(loaded.workers if workers is None else workers, backend, scheduler):
        counts = run(law, loaded, project().build, project().metrics)
    click.echo(f"fit {law}: " + (", ".join(f"{count} {status}" for status, count in sorted(counts.items())) or "no targets"))


@click.command()
@click.option("--full", is_flag=True, help="Take every month of the rolling origins and print the table; a quarter of an hour.")
@spread
def hindcast(full: bool, workers: int | None, backend: str, scheduler: str) -> None:
    """Make past forecasts again from old vintages and set them beside the observed scores.

    Example: foresaid hindcast --workers 2
    """
    from foresaid import parallel, params
    from foresaid.pipeline.hindcast import run, run_full

    loaded = params.load(project().params)
    with parallel.using(loaded.workers if workers is None else workers, backend, scheduler):
        if full:
            from foresaid.report import rolling_origin_tables

            for line in rolling_origin_tables.lines(run_full(loaded, project().build)):
                click.echo(line)
            return
        counts = run(loaded, project().build, project().registry, project().metrics)
    click.echo("hindcast: " + ", ".join(f"{count} forecasts in {case}" for case, count in counts.items()))


@click.command()
def freeze() -> None:
    """Freeze what the open round does not have yet; without an open round, say so.

    Example: foresaid freeze
    """
    from foresaid import params
    from foresaid.pipeline.freeze import run

    receipt = run(params.load(project().params), project().build, project().registry, project().root, datetime.now(UTC))
    if receipt.round is None:
        click.echo("freeze: no round is open, nothing to freeze")
        return
    click.echo(f"freeze: round {receipt.round} holds {receipt.frozen} forecasts, {receipt.added} of them new")
    for name in receipt.drift:
        click.echo(f"drift: {name}: the draft differs from what was frozen; the frozen forecast stands", err=True)


@click.command()
def score() -> None:
    """Score the ledger, the adopted record and the hindcast against the observed scores.

    Example: foresaid score
    """
    from foresaid import params
    from foresaid.pipeline.score import run

    counts = run(params.load(project().params), project().build, project().registry, project().metrics)
    click.echo("score: " + ", ".join(f"{count} {kind}" for kind, count in counts.items()))


@click.command()
def report() -> None:
    """Render the pages.

    Example: foresaid report
    """
    from foresaid import params
    from foresaid.pipeline.report import run

    here = project()
    templates = here.root / "reports/templates"
    pages = run(params.load(here.params), here.build, here.registry, here.metrics, templates, here.site)
    click.echo(f"report: {pages} pages in {here.site}, open {here.site / 'index.html'}")


COMMANDS: tuple[click.Command, ...] = (inputs, ingest, database, fit, hindcast, freeze, score, report)
