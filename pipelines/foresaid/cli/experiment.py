"""The commands of our own emergence experiment. Each imports what it needs when it runs, so that --help is instant."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypedDict

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
def experiment_run(batch: int, held_back: bool, folder: Path | None) -> dict[str, str]:
    """Pre-train and measure, one file a checkpoint; what is there is not done again. Needs PyTorch.

    Example: foresaid experiment run --batch 1
    """
    from foresaid.studies.emergence import experiment as work
    from foresaid.studies.emergence import record

    if held_back:
        record.check(batch, project().root)
    place = folder or project().build / "experiment"
    work.run_batch(batch, place, held_back, click.echo)
    return {"folder": str(place)}


@experiment.command(name="predict")
@BATCH
@MEASURED
def experiment_predict(batch: int, folder: Path | None) -> dict[str, int]:
    """Write the early table and the law's predictions of the later checkpoints; commit both before anything else.

    Example: foresaid experiment predict --batch 1
    """
    from foresaid.studies.emergence import record

    said = record.predict(batch, folder or project().build / "experiment", project().root)
    click.echo(f"experiment: {said} forecasts in {record.predictions_of(batch)}")
    return {"forecasts": said}


@experiment.command(name="score")
@click.option(
    "--from", "folder", type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Measurements to take the table from.",
)  # fmt: skip
def experiment_score(folder: Path | None) -> dict[str, str]:
    """Score the predictions against the measurements; without a folder, from the table in the registry.

    Example: foresaid experiment score
    """
    from foresaid.studies.emergence import record

    record.score(folder, project().root)
    click.echo(f"experiment: results in {record.RESULTS}")
    return {"results": str(record.RESULTS)}


class Emergence(TypedDict):
    """Forecasts by run: loss in nats per token, compute in FLOPs; what never happens is null."""

    levels: list[float]
    runs: list[dict[str, Any]]


@click.command()
@click.argument(
    "checkpoints",
    help="CSV file: run, step, loss (nats per token), examples, accuracy.",
    type=click.Path(path_type=Path, dir_okay=False),
)
@click.option(
    "--chance",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.25,
    show_default=True,
    help="Accuracy by guessing, a share of one.",
)
@click.option(
    "--cut", type=click.FloatRange(0, 1), help="Accuracy that counts as emerged, a share of one; chance + 0.1 by default."
)
@click.option("--few-shot-size", type=click.IntRange(2), default=12, show_default=True, help="Examples a few-shot question shows.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Seed of the resampling.")
def emergence(checkpoints: Path, chance: float, cut: float | None, few_shot_size: int, seed: int) -> Emergence:
    """Forecast at which loss, step and compute a task will emerge in your own runs, from accuracies after fine-tuning.

    CHECKPOINTS is a CSV file with columns run, step, loss (nats per token), examples (fine-tuning size, 0 for few-shot), accuracy
    and optionally flops; at least three checkpoints a run and two sizes. The runs of a file are fitted together. Writes nothing.

    Example: foresaid emergence own-runs.csv --chance 0.25
    """
    import numpy as np

    from foresaid.errors import ParameterError
    from foresaid.scoring.levels import LEVELS
    from foresaid.studies.emergence import own_checkpoints as work
    from foresaid.studies.emergence.record import FOLDER
    from foresaid.text import columns, number

    wanted = chance + 0.1 if cut is None else cut
    if not chance < wanted < 1.0:
        raise ParameterError(f"emergence: found --cut {wanted:g}, expected an accuracy between chance ({chance:g}) and 1")
    folder = project().root / FOLDER
    known = work.experience(folder) if (folder / "table.csv").exists() else None
    made = work.ranked(work.forecast(work.read(checkpoints), chance, few_shot_size, wanted, known, seed))
    rows = [
        ["run, earliest first", "loss", "80 % from", "to", "law", "last loss", "step", "80 % from", "to", "times the last step"]
    ]
    for one in made:
        low, high = (float(np.interp(level, LEVELS, one.quantiles)) for level in (0.1, 0.9))
        steps = [number(value) if np.isfinite(value) else "never" for value in one.steps]
        ahead = number(one.steps[0] / one.last_step) if np.isfinite(one.steps[0]) else "-"
        name = one.run + (" (has emerged)" if one.emerged else "")
        rows.append([name, *map(number, (one.point, low, high, one.law, one.last)), *steps, ahead])
    for line in columns(rows, (0,)):
        click.echo(line)
    for one in made:
        if np.isfinite(one.last_flops):
            at, first, last = (f"{value:.3g}" if np.isfinite(value) else "never" for value in one.flops)
            click.echo(f"{one.run}: {at} FLOPs (80 % {first} to {last}), {one.flops[0] / one.last_flops:.3g} times the last so far")
    click.echo(
        "bands: the law's resampling alone; it held far less than it claims on our own experiment"
        if known is None
        else f"bands: with the errors of {known.series} runs of our own experiment, which share {known.independent} fits"
    )
    told = [{**vars(one), **{name: list(vars(one)[name]) for name in ("quantiles", "steps", "flops")}} for one in made]
    return {"levels": list(LEVELS), "runs": [{name: work.finite(value) for name, value in one.items()} for one in told]}


COMMANDS: tuple[click.Command, ...] = (experiment,)
QUESTIONS: tuple[click.Command, ...] = (emergence,)
