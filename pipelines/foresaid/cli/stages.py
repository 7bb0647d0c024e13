"""The stages of `dvc repro` as commands, one each, with the same name as in dvc.yaml, and what compiles the laws beforehand."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypedDict

import click

from foresaid.cli.group import P, R, project
from foresaid.cli.names import LAW


class Hindcast(TypedDict, total=False):
    """Forecasts by case; with --full instead the tables of the rolling origins."""

    forecasts: dict[str, int]
    rolling: dict[str, Any]


class Freeze(TypedDict):
    """The open round or null, its forecasts, how many are new, and those whose draft is no longer what was frozen."""

    round: str | None
    frozen: int
    added: int
    mismatch: list[str]


class Site(TypedDict):
    """How many pages were written, and the first of them."""

    pages: int
    index: str


@click.command()
def inputs() -> dict[str, int]:
    """Record for every stage the settings and the code it depends on, so that a change reruns only the stages it affects.

    Example: foresaid inputs
    """
    from foresaid import params
    from foresaid.pipeline.inputs import run

    here = project()
    count = run(params.load(here.params), Path(__file__).parents[1], here.lock, here.build, here.root)
    click.echo(f"inputs: {count} stages")
    return {"stages": count}


@click.command()
def ingest() -> dict[str, Any]:
    """Validate every row of the record and write it as tables; one invalid row stops the stage.

    Example: foresaid ingest
    """
    from foresaid import params
    from foresaid.pipeline.ingest import run

    wanted = params.load(project().params).sources
    mirror = os.environ.get("FORESAID_MIRROR")
    metrics, today = project().metrics / "ingest.json", datetime.now(UTC).date()
    counts = run(project().registry, wanted, project().build, metrics, Path(mirror) if mirror else None, click.echo, today)
    click.echo("ingest: the record is sound")
    return counts


@click.command()
def database() -> dict[str, int]:
    """Load the checked tables into DuckDB under the schema and export them.

    Example: foresaid database
    """
    from foresaid import params
    from foresaid.pipeline.database import run

    counts = run(params.load(project().params).sources, project().build)
    click.echo("database: " + ", ".join(f"{count} rows of {table}" for table, count in counts.items()))
    return counts


@click.command()
def needs() -> dict[str, int]:
    """Join the digests of the tables to the settings and code of every stage that reads them, so that it depends on one file.

    Example: foresaid needs
    """
    from foresaid.pipeline.needs import run

    count = run(project().build)
    click.echo(f"needs: {count} stages")
    return {"stages": count}


@click.command(name="setup")
def compile_laws() -> dict[str, int]:
    """Compile the numerical code of laws and studies (JIT) once on a machine, so that no later command waits; set-up does this.

    Example: foresaid setup
    """
    from foresaid.fitting import _filling, _jit, least_squares, power_sum
    from foresaid.forecasting import _mixture
    from foresaid.laws import _loader as laws
    from foresaid.studies.model_selection import _search

    names = laws.names()
    least_squares.ready([*(getattr(laws.law_class(name), "columns", None) for name in names), power_sum.columns])
    if _jit.available():
        _jit.compiled(_filling.fill, _filling.INPUTS)
        _jit.compiled(_mixture.select, _mixture.PLACES)
        _jit.compiled(_mixture.add_up, _mixture.MEANS)
        _jit.compiled(_search.search, _search.INPUTS)
    click.echo("compile: ready")
    return {"laws": len(names)}


def spread(command: Callable[P, R]) -> Callable[P, R]:
    """Give a command that fits or scores the options that say where its work runs; no choice changes a result."""
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
@click.argument("laws", type=LAW, nargs=-1)
@spread
def fit(laws: tuple[str, ...], workers: int | None, backend: str, scheduler: str) -> dict[str, int]:
    """Fit laws to all their targets at the as-of date: those that are named, or else every law of params.yaml.

    Example: foresaid fit observational --workers 2
    """
    from foresaid import parallel, params
    from foresaid.errors import ParameterError
    from foresaid.pipeline.fit import as_of, run

    loaded = params.load(project().params)
    unknown = [law for law in laws if law not in loaded.laws]
    if unknown:
        raise ParameterError(f"fit: found the law {unknown[0]}, expected one of params.yaml: {', '.join(loaded.laws)}")
    total = Counter[str]()
    with parallel.using(loaded.workers if workers is None else workers, backend, scheduler):
        view = as_of(loaded, project().build)
        for law in laws or loaded.laws:
            counts = run(law, loaded, project().build, view)
            click.echo(
                f"fit {law}: " + (", ".join(f"{count} {status}" for status, count in sorted(counts.items())) or "no targets")
            )
            total.update(counts)
    return dict(total)


@click.command()
@click.option("--full", is_flag=True, help="Rolling-origin evaluation at every month, printed as a table; takes about 15 minutes.")
@spread
def hindcast(full: bool, workers: int | None, backend: str, scheduler: str) -> Hindcast:
    """Hindcast: forecast again from the data known on past days, and compare with the observed scores.

    Example: foresaid hindcast --workers 2
    """
    from foresaid import parallel, params
    from foresaid.pipeline.hindcast import run, run_full

    loaded = params.load(project().params)
    with parallel.using(loaded.workers if workers is None else workers, backend, scheduler):
        if full:
            from foresaid.report import rolling_origin_tables

            tables = run_full(loaded, project().build)
            for line in rolling_origin_tables.lines(tables):
                click.echo(line)
            return {"rolling": tables}
        counts = run(loaded, project().build, project().registry, project().metrics)
    click.echo("hindcast: " + ", ".join(f"{count} forecasts in {case}" for case, count in counts.items()))
    return {"forecasts": counts}


@click.command()
def study() -> dict[str, bool]:
    """Recompute the tables that studies of the record add to the pages, those of a paper beside the printed results among them.

    Example: foresaid study
    """
    from foresaid import params
    from foresaid.pipeline.study import run

    made = run(params.load(project().params), project().build)
    click.echo("study: " + ("the tables of the pages" if made else "the record lacks what a study asks for"))
    return {"tables": bool(made)}


@click.command()
def capability() -> dict[str, Any]:
    """Fit the law of all cells: every system's index and rank, and what each benchmark says of the others.

    Example: foresaid capability
    """
    from foresaid import params
    from foresaid.pipeline.capability import run

    made = run(params.load(project().params), project().build, project().metrics)
    said = f"{made['cells']} cells of {made['systems']} systems on {made['benchmarks']} benchmarks" if made else "not asked for"
    click.echo(f"capability: {said}")
    return made or {}


@click.command()
def freeze() -> Freeze:
    """Append to the ledger the forecasts that the open round lacks; without an open round, say so.

    Example: foresaid freeze
    """
    from foresaid import params
    from foresaid.pipeline.freeze import run

    receipt = run(params.load(project().params), project().build, project().registry, project().root, datetime.now(UTC))
    if receipt.round is None:
        click.echo("freeze: no round is open, nothing to freeze")
        return {"round": None, "frozen": 0, "added": 0, "mismatch": []}
    click.echo(f"freeze: round {receipt.round} holds {receipt.frozen} forecasts, {receipt.added} of them new")
    for name in receipt.mismatch:
        click.echo(f"mismatch: {name}: the draft differs from the frozen forecast, which stands", err=True)
    return {"round": receipt.round, "frozen": receipt.frozen, "added": receipt.added, "mismatch": list(receipt.mismatch)}


@click.command()
@spread
def score(workers: int | None, backend: str, scheduler: str) -> dict[str, int]:
    """Score the ledger, the third-party forecasts and the hindcast against the observed scores.

    Example: foresaid score
    """
    from foresaid import parallel, params
    from foresaid.pipeline.score import run

    loaded = params.load(project().params)
    with parallel.using(loaded.workers if workers is None else workers, backend, scheduler):
        counts = run(loaded, project().build, project().registry, project().metrics)
    click.echo("score: " + ", ".join(f"{count} {kind}" for kind, count in counts.items()))
    return counts


@click.command()
@click.option("--serve", is_flag=True, help="Then show the site on this machine until interrupted (Ctrl-C).")
@click.option("--port", type=click.IntRange(0, 65535), help="Port number for --serve, 8000 by default; 0: any free one.")
def report(serve: bool, port: int | None) -> Site:
    """Render the pages of the site.

    Example: foresaid report --serve
    """
    from foresaid import params
    from foresaid.errors import ParameterError
    from foresaid.pipeline.report import run

    if port is not None and not serve:
        raise ParameterError(f"report: found --port {port} without --serve, expected both: pages are only shown with --serve")
    here = project()
    pages = run(params.load(here.params), here.build, here.registry, here.metrics, here.templates, here.site)
    click.echo(f"report: {pages} pages in {here.site}, open {here.site / 'index.html'}")
    if serve:
        from foresaid.report.serve import address, server

        with server(here.site, 8000 if port is None else port) as shown:
            click.echo(f"report: serving {address(shown)} until interrupted")
            try:
                shown.serve_forever()
            except KeyboardInterrupt:
                click.echo("report: stopped")
    return {"pages": pages, "index": str(here.site / "index.html")}


COMMANDS: tuple[click.Command, ...] = (inputs, ingest, database, needs, fit, hindcast, study, capability, freeze, score, report)
