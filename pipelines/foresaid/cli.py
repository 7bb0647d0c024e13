"""The command line: one short command a verb. Each imports what it needs when it runs, so that --help is instant.

Errors the program knows are one line on stderr and an exit code; anything else is a defect. The environment is set before the
numerical libraries load: one instruction set and one thread, so that the same inputs give the same bytes on another machine.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

import click

from foresaid import __version__
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


@main.command()
@plain_errors
def ingest() -> None:
    """Check every row of the record and write it as tables; any bad row stops it.

    Example: foresaid ingest
    """
    from foresaid import ingest as stage
    from foresaid import params

    stage.ingest(REGISTRY, params.load(Path("params.yaml")).sources, BUILD, METRICS / "ingest.json")
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


@main.command()
@click.argument("law")
@plain_errors
def fit(law: str) -> None:
    """Fit one law to all its targets at the as-of date.

    Example: foresaid fit observational
    """
    from foresaid import fit as stage
    from foresaid import params
    from foresaid.errors import ParameterError

    loaded = params.load(Path("params.yaml"))
    if law not in loaded.laws:
        raise ParameterError(f"fit: found the law {law}, expected one of params.yaml: {', '.join(loaded.laws)}")
    counts = stage.run(law, loaded, BUILD, METRICS)
    click.echo(f"fit {law}: " + (", ".join(f"{count} {status}" for status, count in sorted(counts.items())) or "no targets"))


@main.command()
@plain_errors
def hindcast() -> None:
    """Re-make past forecasts from old vintages and set them beside what came out.

    Example: foresaid hindcast
    """
    from foresaid import hindcast as stage
    from foresaid import params

    counts = stage.run(params.load(Path("params.yaml")), BUILD, REGISTRY, METRICS)
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
@click.argument("name")
@click.option(
    "--from", "mirror", type=click.Path(path_type=Path, exists=True, file_okay=False), envvar="FORESAID_MIRROR", required=True,
    help="Folder that holds a copy of the upstream files, one folder a source.",
)  # fmt: skip
@click.option("--recorded-on", type=click.DateTime(["%Y-%m-%d"]), default=None, help="Day the figures are taken; today by default.")
@plain_errors
def update(name: str, mirror: Path, recorded_on: datetime | None) -> None:
    """Bring a source in: verify its files, say what is new, revised and gone, and append.

    Example: foresaid update obsscaling --from ../mirror
    """
    from foresaid import update as work

    day: date = recorded_on.date() if recorded_on else datetime.now(UTC).date()
    for line in work.update(name, mirror, REGISTRY, day).lines():
        click.echo(line)


@main.command()
@click.option("--strict", is_flag=True, help="Batches that no checkpoint covers yet count as incomplete evidence (exit 5).")
@click.option("--json", "as_json", is_flag=True, help="List all findings as JSON.")
@plain_errors
def verify(strict: bool, as_json: bool) -> None:
    """Check the ledger: every file, name, line, place and the root. Exit 0 when all checks passed.

    Example: foresaid verify
    """
    import json

    from foresaid import verify as check
    from foresaid.curve import from_plain

    result = check.verify(REGISTRY / "ledger", check_curve=from_plain)
    code = result.exit_code(strict)
    if as_json:
        click.echo(json.dumps({**result.as_dict(), "exit": code}, indent=2, sort_keys=True))
        sys.exit(code)
    for finding in result.findings:
        click.echo(str(finding), err=True)
    counted = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in result.counts.items())
    click.echo(result.time)
    click.echo(f"verify: {'all checks passed' if code == 0 else f'FAILED (exit {code})'}: {counted}")
    sys.exit(code)


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
