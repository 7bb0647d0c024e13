"""The command line: one short command a verb. Each imports what it needs when it runs, so that --help is instant.

Errors the program knows are one line on stderr and an exit code; anything else is a defect. The environment is set before the
numerical libraries load: one instruction set and one thread, so that the same inputs give the same bytes on another machine.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

import click

from foresaid import __version__, ledger_commands
from foresaid.errors import ForesaidError

P = ParamSpec("P")
R = TypeVar("R")

REPRODUCIBLE = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    # OpenBLAS and NumPy choose kernels by processor, and kernels differ in the last digit.
    "OPENBLAS_CORETYPE": "Haswell",
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
}


def plain_errors(command: Callable[P, R]) -> Callable[P, R]:
    """Print an error the program knows as it stands and leave with its exit code."""

    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except ForesaidError as error:
            click.echo(str(error), err=True)
            sys.exit(error.exit_code)
        except OSError as error:
            where = error.filename or "a file"
            click.echo(f"{where}: {error.strerror or error}; expected it to be there and readable, run `dvc repro`", err=True)
            sys.exit(2)

    return wrapped


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="foresaid")
@click.option("--root", type=click.Path(path_type=Path, file_okay=False), default=Path(), help="Folder that holds params.yaml.")
@click.pass_context
def main(context: click.Context, root: Path) -> None:
    """Forecasts of language-model capability, said beforehand and on the record.

    The stages ingest, database, fit, hindcast, freeze, score and report are run by `dvc repro`; update and verify by a person.
    """
    for name, value in REPRODUCIBLE.items():
        os.environ.setdefault(name, value)
    os.chdir(root)
    context.ensure_object(dict)


REGISTRY, BUILD, METRICS = Path("registry"), Path("build"), Path("reports/metrics")
PROTOCOLS = ["gadre-most-compute", "finetuning-larger", "effort-tokens", "pass-at-k", "leaderboard-v1", "leaderboard-v2"]


@main.command()
@plain_errors
def ingest() -> None:
    """Check every row of the record and write it as tables; any bad row stops it.

    Example: foresaid ingest
    """
    from foresaid import ingest as stage
    from foresaid import on_demand, params

    wanted = params.load(Path("params.yaml")).sources
    mirror = os.environ.get("FORESAID_MIRROR")
    for line in on_demand.fetch(REGISTRY, BUILD, wanted, Path(mirror) if mirror else None):
        click.echo(line)
    stage.ingest(REGISTRY, wanted, BUILD, METRICS / "ingest.json")
    click.echo("ingest: the record is sound")


@main.command()
@plain_errors
def database() -> None:
    """Load the checked tables into DuckDB under the schema and export them.

    Example: foresaid database
    """
    from foresaid import database as stage
    from foresaid import params

    counts = stage.run(params.load(Path("params.yaml")).sources, BUILD)
    click.echo("database: " + ", ".join(f"{count} rows of {table}" for table, count in counts.items()))


@main.command(name="compile")
@plain_errors
def compile_laws() -> None:
    """Compile every law's kernel now, once on a machine, so that no later command waits for it; set-up does this.

    Example: foresaid compile
    """
    from foresaid import laws, solver

    solver.ready([getattr(laws.law_class(name), "columns", None) for name in laws.names()])
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


@main.command()
@click.argument("law")
@spread
@plain_errors
def fit(law: str, workers: int | None, backend: str, scheduler: str) -> None:
    """Fit one law to all its targets at the as-of date.

    Example: foresaid fit observational --workers 2
    """
    from foresaid import fit as stage
    from foresaid import parallel, params
    from foresaid.errors import ParameterError

    loaded = params.load(Path("params.yaml"))
    if law not in loaded.laws:
        raise ParameterError(f"fit: found the law {law}, expected one of params.yaml: {', '.join(loaded.laws)}")
    with parallel.using(loaded.workers if workers is None else workers, backend, scheduler):
        counts = stage.run(law, loaded, BUILD, METRICS)
    click.echo(f"fit {law}: " + (", ".join(f"{count} {status}" for status, count in sorted(counts.items())) or "no targets"))


@main.command()
@click.option("--full", is_flag=True, help="Take every month of the rolling origins and print the table; a quarter of an hour.")
@spread
@plain_errors
def hindcast(full: bool, workers: int | None, backend: str, scheduler: str) -> None:
    """Re-make past forecasts from old vintages and set them beside what came out.

    Example: foresaid hindcast --workers 2
    """
    from foresaid import hindcast as stage
    from foresaid import parallel, params

    loaded = params.load(Path("params.yaml"))
    with parallel.using(loaded.workers if workers is None else workers, backend, scheduler):
        if full:
            from foresaid import rolling_text

            for line in rolling_text.lines(stage.run_full(loaded, BUILD)):
                click.echo(line)
            return
        counts = stage.run(loaded, BUILD, REGISTRY, METRICS)
    click.echo("hindcast: " + ", ".join(f"{count} forecasts in {case}" for case, count in counts.items()))


@main.command()
@plain_errors
def freeze() -> None:
    """Freeze what the open round does not have yet; without an open round, say so.

    Example: foresaid freeze
    """
    from foresaid import freeze as stage
    from foresaid import params

    receipt = stage.run(params.load(Path("params.yaml")), BUILD, REGISTRY, Path(), datetime.now(UTC))
    if receipt.round is None:
        click.echo("freeze: no round is open, nothing to freeze")
        return
    click.echo(f"freeze: round {receipt.round} holds {receipt.frozen} forecasts, {receipt.added} of them new")
    for name in receipt.drift:
        click.echo(f"drift: {name}: the draft differs from what was frozen; the frozen forecast stands", err=True)


@main.command()
@plain_errors
def score() -> None:
    """Score the ledger, the adopted record and the hindcast against what came out.

    Example: foresaid score
    """
    from foresaid import params
    from foresaid import score as stage

    counts = stage.run(params.load(Path("params.yaml")), BUILD, REGISTRY, METRICS)
    click.echo("score: " + ", ".join(f"{count} {kind}" for kind, count in counts.items()))


@main.command()
@plain_errors
def report() -> None:
    """Render the pages.

    Example: foresaid report
    """
    from foresaid import params
    from foresaid import report as stage

    pages = stage.run(params.load(Path("params.yaml")), BUILD, REGISTRY, METRICS, Path("reports/templates"), Path("reports/site"))
    click.echo(f"report: {pages} pages in reports/site, open reports/site/index.html")


@main.command()
@click.argument("name", required=False)
@click.option(
    "--from", "mirror", type=click.Path(path_type=Path, exists=True, file_okay=False), envvar="FORESAID_MIRROR", required=True,
    help="A copy of the upstream files, one folder a source; with --known-on the folder of one new download.",
)  # fmt: skip
@click.option("--all", "everything", is_flag=True, help="Bring in every source of registry/sources, and count its rows.")
@click.option("--known-on", type=click.DateTime(["%Y-%m-%d"]), help="Day this new download became public: it becomes a vintage.")
@click.option("--commit", default="n/a", help="The commit of the upstream, for the card of the new vintage.")
@click.option("--part", is_flag=True, help="The download holds only a part: what it lacks was not taken back.")
@click.option(
    "--against", type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder that holds the download before, to compare columns; by default the one beside the new download.",
)  # fmt: skip
@click.option("--skip-unknown", is_flag=True, help="Leave rows of unknown models out, and count them, instead of stopping.")
@click.option("--dry-run", is_flag=True, help="Say what would change and write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print every changed row as JSON.")
@click.option("--recorded-on", type=click.DateTime(["%Y-%m-%d"]), default=None, help="Day the figures are taken; today by default.")
@plain_errors
def update(
    name: str | None,
    mirror: Path,
    everything: bool,
    known_on: datetime | None,
    commit: str,
    part: bool,
    against: Path | None,
    skip_unknown: bool,
    dry_run: bool,
    as_json: bool,
    recorded_on: datetime | None,
) -> None:
    """Bring a source in: verify its files, say what is new, revised and gone, and append.

    Without --known-on the vintages of its card are read from a mirror. With it, the folder is the next download of the same
    upstream: rows are compared by key, and the download becomes a vintage of the card.

    \b
    Example: foresaid update obsscaling --from ../mirror
             foresaid update epoch-hub --from ../epoch-hub@2026-05-01 --known-on 2026-05-01 --dry-run
             foresaid update --all --from ../mirror
    """
    import json

    from foresaid import survey
    from foresaid import update as work
    from foresaid.errors import ParameterError

    day: date = recorded_on.date() if recorded_on else datetime.now(UTC).date()
    if everything == (name is not None):
        raise ParameterError("update: expected the name of one source, or --all")
    if everything:
        if known_on:
            raise ParameterError("update: found --all with --known-on, expected one source for a new download")
        sys.exit(survey.run(mirror, REGISTRY, BUILD, day, dry_run, click.echo))
    download = work.Download(known_on.date(), commit, part, against or mirror.resolve().parent) if known_on else None
    change = work.update(
        str(name), mirror, REGISTRY, day, download=download, build=BUILD, dry_run=dry_run, skip_unknown=skip_unknown
    )
    for line in [json.dumps(change.as_dict(), indent=1)] if as_json else change.lines():
        click.echo(line)


@main.group()
def models() -> None:
    """Look at the models of the record, and say when two of them are one.

    Example: foresaid models show meta-llama/llama-2-7b-hf
    """


@models.command("list")
@click.option("--family", default="", help="Only models of this family.")
@click.option("--undated", is_flag=True, help="Only models without a release date.")
@click.option("--alike", is_flag=True, help="Only pairs of ids that may be one model, with the reason.")
@plain_errors
def models_list(family: str, undated: bool, alike: bool) -> None:
    """List the models of the record: id, family, organisation, release date.

    Example: foresaid models list --alike
    """
    from foresaid import catalogue

    for line in catalogue.listing(REGISTRY, family, undated, alike):
        click.echo(line)


@models.command("show")
@click.argument("model")
@plain_errors
def models_show(model: str) -> None:
    """Show one model: its card, its spellings, what was merged into it, and what each source says of it.

    Example: foresaid models show meta-llama/llama-2-7b-hf
    """
    from foresaid import catalogue

    for line in catalogue.shown(REGISTRY, BUILD, model):
        click.echo(line)


@models.command("merge")
@click.argument("keep")
@click.argument("drop")
@click.option("--reason", required=True, help="How you know that the two are one model.")
@click.option("--even-if", is_flag=True, help="Also where the two disagree about a value: those of KEEP count.")
@click.option("--decided-on", type=click.DateTime(["%Y-%m-%d"]), default=None, help="Day of the decision; today by default.")
@plain_errors
def models_merge(keep: str, drop: str, reason: str, even_if: bool, decided_on: datetime | None) -> None:
    """Decide that DROP is KEEP under another name. Observations stay as they are; every later stage sees one model.

    Example: foresaid models merge acme/tiny-7b acme/tiny7b --reason "same weights, see the model card"
    """
    from foresaid import catalogue

    day: date = decided_on.date() if decided_on else datetime.now(UTC).date()
    for line in catalogue.merge(REGISTRY, BUILD, keep, drop, reason, day, even_if):
        click.echo(line)


@main.command()
@click.option(
    "--from", "mirror", type=click.Path(path_type=Path, exists=True, file_okay=False), envvar="FORESAID_MIRROR", required=True,
    help="Folder that holds a copy of the upstream files, one folder a source.",
)  # fmt: skip
@plain_errors
def traps(mirror: Path) -> None:
    """Catch every known trap of the upstream files on the real files, and write docs/traps.md.

    Example: foresaid traps --from ../mirror
    """
    from foresaid import traps as work
    from foresaid.files import write_bytes

    content, missed = work.table(mirror, REGISTRY)
    write_bytes(Path("docs/traps.md"), content.encode())
    click.echo(f"traps: docs/traps.md written, {missed} rows missed")


@main.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--source", "name", required=True, help="Name of the source that holds your results; a new one is made.")
@click.option("--known-on", type=click.DateTime(["%Y-%m-%d"]), help="First day on which the results were public.")
@click.option("--as", "form", type=click.Choice(["eee", "lm-eval"]), help="Format of the files; found out by default.")
@click.option("--new-quantities", is_flag=True, help="Print rows that would make the unknown quantities known, and import nothing.")
@click.option("--recorded-on", type=click.DateTime(["%Y-%m-%d"]), default=None, help="Day the figures are taken; today by default.")
@plain_errors
def import_(
    files: tuple[Path, ...],
    name: str,
    known_on: datetime | None,
    form: str | None,
    new_quantities: bool,
    recorded_on: datetime | None,
) -> None:
    """Bring in result files of your own: Every Eval Ever records or results of the LM Evaluation Harness.

    Example: foresaid import results_2026-11-20.json --source my-runs --known-on 2026-11-20
    """
    from foresaid import importing
    from foresaid.errors import ParameterError

    day: date = recorded_on.date() if recorded_on else datetime.now(UTC).date()
    read = importing.read_files(files, form)
    if new_quantities:
        quantities, aliases = importing.new_quantities(read, name, REGISTRY)
        for problem in [problem for file in read for problem in file.results.problems]:
            click.echo(str(problem), err=True)
        if importing.open_source(name, REGISTRY, day):
            click.echo(
                f"registry/sources/{name}/source.toml is new: fill in who publishes the results and under which licence", err=True
            )
        for file, rows in (("quantities.csv", quantities), ("aliases.csv", aliases)):
            click.echo(f"# {len(rows)} rows for registry/{file}, to be corrected and put in their place")
            for row in rows:
                click.echo(row)
        return
    if known_on is None:
        raise ParameterError("import: found no --known-on, expected the first day on which the results were public")
    for line in importing.bring_in(read, name, known_on.date(), REGISTRY, day).lines():
        click.echo(line)


@main.command()
@click.option("--as-of", "as_of", type=click.DateTime(["%Y-%m-%d"]), help="The day; that of params.yaml by default.")
@click.option("--known-by", is_flag=True, help="Take today as the day: everything known by now.")
@click.option("--source", "sources", multiple=True, help="Only this source; may be given again.")
@click.option("--quantity", "quantities", multiple=True, help="Only this quantity; may be given again.")
@click.option("--to", required=True, type=click.Path(path_type=Path), help="File to write: .parquet, .csv or .json.")
@plain_errors
def export(as_of: datetime | None, known_by: bool, sources: tuple[str, ...], quantities: tuple[str, ...], to: Path) -> None:
    """Write the record as it stood on a day, with where each value comes from.

    Example: foresaid export --as-of 2024-05-31 --source obsscaling --to scores.csv
    """
    from foresaid import exporting, params
    from foresaid.errors import ParameterError

    if as_of and known_by:
        raise ParameterError("export: found both --as-of and --known-by, expected one of them")
    stated = date.fromisoformat(str(params.load(Path("params.yaml")).as_of))
    day = as_of.date() if as_of else datetime.now(UTC).date() if known_by else stated
    click.echo(f"export: {exporting.export(BUILD, day, to, sources, quantities)} values known by {day} in {to}")


@main.command()
@click.option("--as-of", required=True, type=click.DateTime(["%Y-%m-%d"]), help="Fit on what was known on this day.")
@click.option(
    "--until", required=True, type=click.DateTime(["%Y-%m-%d"]), help="Score on what was released after it and known by this day."
)
@click.option("--law", "laws", multiple=True, help="Only this law; may be given again.")
@click.option("--quantity", "quantities", multiple=True, help="Only this quantity; may be given again.")
@click.option(
    "--by-release-date", "by_release", is_flag=True, help="Let values count from the release of their model, for every law."
)
@click.option("--json", "as_json", is_flag=True, help="Print the rows as JSON.")
@plain_errors
def replay(
    as_of: datetime, until: datetime, laws: tuple[str, ...], quantities: tuple[str, ...], by_release: bool, as_json: bool
) -> None:
    """Freeze in memory what was known on one day, and score it on what was released after it. Writes nothing.

    A law for which nothing was public on the first day is asked by release dates only, in a part of the table that says so: the
    values may have been measured, chosen or revised later.

    Example: foresaid replay --as-of 2024-05-31 --until 2024-10-01
    """
    import json

    from foresaid import database, params
    from foresaid import replay as work

    loaded = params.load(Path("params.yaml"))
    connection = database.open_database(BUILD / "database")
    rows = work.replay(loaded, connection, REGISTRY, as_of.date(), until.date(), laws, quantities, by_release)
    connection.close()
    for line in [json.dumps(rows, indent=1)] if as_json else work.table(rows):
        click.echo(line)


@main.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--metric", default="", help="Column of the score; needed where the file has several.")
@click.option("--baseline", type=float, help="Score of the model that was not pre-trained.")
@click.option("--target", type=float, help="Score that is wanted; needs --maximum.")
@click.option("--maximum", type=float, help="The most tokens you would pre-train on.")
@click.option("--tolerance", type=float, default=1.0, show_default=True, help="Largest miss on a held-out checkpoint.")
@click.option("--fall", type=float, default=0.3, show_default=True, help="Largest fall that counts as noise.")
@click.option("--noise", type=float, default=0.0, show_default=True, help="Standard deviation of one score.")
@plain_errors
def diagnose(
    file: Path,
    metric: str,
    baseline: float | None,
    target: float | None,
    maximum: float | None,
    tolerance: float,
    fall: float,
    noise: float,
) -> None:
    """Say from BLEU at your own checkpoints (CSV: tokens, metric) whether to go on pre-training.

    Example: foresaid diagnose checkpoints.csv --baseline 18.5 --target 30 --maximum 2.6e11
    """
    from foresaid import diagnose as work

    question = work.Question(baseline, target, maximum, tolerance, fall, noise)
    for line in work.diagnose(work.read(file, metric), question).lines():
        click.echo(line)


@main.command()
@click.option("--budget", type=click.IntRange(1), required=True, help="Most models you would evaluate.")
@click.option("--include", multiple=True, help="A family that is evaluated anyway; may be given again.")
@click.option("--max-params", type=float, help="Only models of at most so many parameters, for example 7e9.")
@click.option("--source", default="obsscaling", show_default=True, help="Source whose models are the candidates.")
@click.option(
    "--metric", "metrics", multiple=True, help="A benchmark that spans the plane; those of the observational law by default."
)
@plain_errors
def select(budget: int, include: tuple[str, ...], max_params: float | None, source: str, metrics: tuple[str, ...]) -> None:
    """Choose whole model families to evaluate, so that forecasts of all the others vary least.

    Example: foresaid select --budget 12 --include Llama-2 --max-params 7e9
    """
    from foresaid import database, params, selecting
    from foresaid.errors import ParameterError

    loaded = params.load(Path("params.yaml"))
    if source not in loaded.sources:
        raise ParameterError(f"select: found the source {source}, expected one of params.yaml: {', '.join(loaded.sources)}")
    connection = database.open_database(BUILD / "database")
    view = database.as_of(connection, loaded.fit_as_of)
    connection.close()
    pool = selecting.candidates(view, metrics or loaded.laws["observational"]["metrics"], source, max_params)
    for line in selecting.lines(pool, selecting.chosen(pool, budget, include)):
        click.echo(line)


@main.command()
@plain_errors
def released() -> None:
    """Print how our default, the paper's registered forms and two baselines did on models released later.

    Example: foresaid released
    """
    import polars as pl

    from foresaid import params
    from foresaid import released as work
    from foresaid.errors import UnreadableError

    path, loaded = BUILD / "scores.parquet", params.load(Path("params.yaml"))
    if not path.is_file():
        raise UnreadableError(f"{path}: found no file, expected the output of the stage score; run `dvc repro`")
    for one in work.compare(pl.read_parquet(path), loaded.hindcast, loaded.seed):
        lines = work.markdown(one.beside_preset) + (["", *work.markdown(one.beside_all)] if one.beside_all else [])
        click.echo("\n".join([f"{one.title} ({one.case})", "", *lines, ""]))


@main.command()
@click.argument("name", type=click.Choice(PROTOCOLS))
@click.option(
    "--from", "mirror", type=click.Path(path_type=Path, exists=True, file_okay=False), envvar="FORESAID_MIRROR", default=None,
    help="Folder that holds a copy of the upstream files; needed for those the hindcast does not hold.",
)  # fmt: skip
@plain_errors
def protocol(name: str, mirror: Path | None) -> None:
    """Print the table of one protocol of the laws of compute: largest budgets forecast from smaller ones.

    Example: foresaid protocol effort-tokens --from ../mirror
    """
    import polars as pl

    from foresaid import family_boards, params, protocols
    from foresaid.errors import ParameterError

    loaded = params.load(Path("params.yaml"))
    if name in loaded.hindcast:
        lines = protocols.markdown(protocols.from_hindcast(pl.read_parquet(BUILD / "hindcast.parquet"), name), log=True)
    elif mirror is None:
        raise ParameterError(
            f"protocol {name}: found no --from, expected a folder with the source's files: the record may not keep them"
        )
    elif name in family_boards.COLUMNS:
        folder = protocols.mirror_folder(mirror, REGISTRY, family_boards.SOURCE)
        lines = family_boards.markdown(family_boards.read(folder, name))
    else:
        lines = protocols.on_demand(name, mirror, REGISTRY, loaded.seed, loaded.replicates)
    for line in lines:
        click.echo(line)


@main.command(name="returns")
@click.argument("laws", nargs=-1)
@plain_errors
def returns_of(laws: tuple[str, ...]) -> None:
    """Print what more compute still buys by each fitted loss surface: best splits, losses, and what ten times as much takes off.

    Example: foresaid returns chinchilla
    """
    from foresaid import params, returns
    from foresaid.errors import ParameterError

    loaded = params.load(Path("params.yaml"))
    unknown = sorted(set(laws) - set(loaded.laws))
    if unknown:
        raise ParameterError(f"returns: found {', '.join(unknown)}, expected laws of params.yaml: {', '.join(loaded.laws)}")
    for line in returns.markdown(BUILD, loaded.laws, list(laws) or list(loaded.laws)):
        click.echo(line)


@main.group()
def experiment() -> None:
    """Our own emergence experiment: train, predict, then measure the rest and score (docs/emergence-experiment.md).

    Example: foresaid experiment score
    """


MEASURED = click.option(
    "--to", "folder", type=click.Path(path_type=Path, file_okay=False), default=BUILD / "experiment", show_default=True,
    help="Folder of checkpoints and measurements.",
)  # fmt: skip
BATCH = click.option(
    "--batch", type=click.IntRange(1, 4), required=True, help="Which runs: 1 and 2 the experiment, 3 other widths, 4 a control."
)


@experiment.command(name="run")
@BATCH
@click.option("--held-back", is_flag=True, help="Measure the later checkpoints too; refused before predictions are written.")
@MEASURED
@plain_errors
def experiment_run(batch: int, held_back: bool, folder: Path) -> None:
    """Pre-train and measure, one file a checkpoint; what is there is not done again. Needs PyTorch.

    Example: foresaid experiment run --batch 1
    """
    from foresaid import experiment as work
    from foresaid import experiment_record as record

    if held_back:
        record.check(batch)
    work.run_batch(batch, folder, held_back, click.echo)


@experiment.command(name="predict")
@BATCH
@MEASURED
@plain_errors
def experiment_predict(batch: int, folder: Path) -> None:
    """Write the early table and what the law says of the rest; commit both before anything else.

    Example: foresaid experiment predict --batch 1
    """
    from foresaid import experiment_record as record

    click.echo(f"experiment: {record.predict(batch, folder)} forecasts in {record.predictions_of(batch)}")


@experiment.command(name="score")
@click.option(
    "--from", "folder", type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Measurements to take the table from.",
)  # fmt: skip
@plain_errors
def experiment_score(folder: Path | None) -> None:
    """Set what came out beside what was said; without a folder, from the table in the registry.

    Example: foresaid experiment score
    """
    from foresaid import experiment_record as record

    record.score(folder)
    click.echo(f"experiment: results in {record.RESULTS}")


def _add(group: click.Group, commands: Iterable[click.Command]) -> None:
    """Add commands that are defined elsewhere, with errors printed as here."""
    for command in commands:
        if isinstance(command, click.Group):
            for inner in command.commands.values():
                inner.callback = plain_errors(inner.callback) if inner.callback else None
        elif command.callback:
            command.callback = plain_errors(command.callback)
        group.add_command(command)


_add(main, ledger_commands.COMMANDS)
