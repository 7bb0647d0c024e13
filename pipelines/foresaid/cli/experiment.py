"""The commands of our own emergence experiment. Each imports what it needs when it runs, so that --help is instant."""

from __future__ import annotations

from pathlib import Path

import click

from foresaid.cli.group import project


@click.group()
def experiment() -> None:
    """Our own emergence experiment: train, predict, then measure the rest and score (docs/emergence-experiment.md).

    Example: foresaid experiment score
    """


MEASURED = click.option(
    "--to", "folder", type=click.Path(path_type=Path, file_okay=False), default=None,
    help="Folder of checkpoints and measurements; build/experiment by default.",
)  # fmt: skip
BATCH = click.option(
    "--batch", type=click.IntRange(1, 4), required=True, help="Which runs: 1 and 2 the experiment, 3 other widths, 4 a control."
)


@experiment.command(name="run")
@BATCH
@click.option("--held-back", is_flag=True, help="Measure the later checkpoints too; refused before predictions are written.")
@MEASURED
def experiment_run(batch: int, held_back: bool, folder: Path | None) -> None:
    """Pre-train and measure, one file a checkpoint; what is there is not done again. Needs PyTorch.

    Example: foresaid experiment run --batch 1
    """
    from foresaid.studies.emergence import experiment as work
    from foresaid.studies.emergence import record

    if held_back:
        record.check(batch, project().root)
    work.run_batch(batch, folder or project().build / "experiment", held_back, click.echo)


@experiment.command(name="predict")
@BATCH
@MEASURED
def experiment_predict(batch: int, folder: Path | None) -> None:
    """Write the early table and the law's predictions of the later checkpoints; commit both before anything else.

    Example: foresaid experiment predict --batch 1
    """
    from foresaid.studies.emergence import record

    said = record.predict(batch, folder or project().build / "experiment", project().root)
    click.echo(f"experiment: {said} forecasts in {record.predictions_of(batch)}")


@experiment.command(name="score")
@click.option(
    "--from", "folder", type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Measurements to take the table from.",
)  # fmt: skip
def experiment_score(folder: Path | None) -> None:
    """Score the predictions against the measurements; without a folder, from the table in the registry.

    Example: foresaid experiment score
    """
    from foresaid.studies.emergence import record

    record.score(folder, project().root)
    click.echo(f"experiment: results in {record.RESULTS}")


COMMANDS: tuple[click.Command, ...] = (experiment,)
