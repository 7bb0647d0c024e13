"""The commands of our own emergence experiment. Each imports what it needs when it runs, so that --help is instant."""

from __future__ import annotations

from pathlib import Path

import click

BUILD = Path("build")


@click.group()
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
def experiment_run(batch: int, held_back: bool, folder: Path) -> None:
    """Pre-train and measure, one file a checkpoint; what is there is not done again. Needs PyTorch.

    Example: foresaid experiment run --batch 1
    """
    from foresaid.studies.emergence import experiment as work
    from foresaid.studies.emergence import record

    if held_back:
        record.check(batch)
    work.run_batch(batch, folder, held_back, click.echo)


@experiment.command(name="predict")
@BATCH
@MEASURED
def experiment_predict(batch: int, folder: Path) -> None:
    """Write the early table and the law's predictions of the later checkpoints; commit both before anything else.

    Example: foresaid experiment predict --batch 1
    """
    from foresaid.studies.emergence import record

    click.echo(f"experiment: {record.predict(batch, folder)} forecasts in {record.predictions_of(batch)}")


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

    record.score(folder)
    click.echo(f"experiment: results in {record.RESULTS}")


COMMANDS: tuple[click.Command, ...] = (experiment,)
