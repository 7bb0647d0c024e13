"""The command that completes the scores of one's own model by the fitted capability law. It writes nothing and fits nothing."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from foresaid.cli.group import project
from foresaid.cli.names import DAY

SHOWN = 5  # candidates for the next measurement that the table names


@click.command()
@click.argument(
    "scores", required=False, help="CSV file: benchmark, score (share of one).", type=click.Path(path_type=Path, dir_okay=False)
)
@click.option("--line", default="", help="Product line, for example claude; one nobody has seen by default.")
@click.option("--tier", default="plain", show_default=True, help="Tier within the line, for example opus or mini.")
@click.option("--maker", default="", help="Who made it.")
@click.option("--released-on", type=DAY, help="Day of its release; by default the day the law knows.")
@click.option("--effort", default="", help="Reasoning effort or thinking budget of the scores, for example high or 16k.")
@click.option("--costs", type=click.Path(path_type=Path, dir_okay=False), help="CSV of benchmark and cost, in any one unit.")
@click.option("--benchmarks", is_flag=True, help="List the benchmarks the law knows, and end.")
def complete(
    scores: Path | None,
    line: str,
    tier: str,
    maker: str,
    released_on: datetime | None,
    effort: str,
    costs: Path | None,
    benchmarks: bool,
) -> dict[str, Any]:
    """Forecast the benchmarks your model was not measured on from those it was, and say which to measure next.

    SCORES is a CSV file with columns benchmark and score (share of one), all of one model at one effort. Given are medians with 50
    and 80 % intervals of the score a source would publish, and what one more measurement would say of the rest (nats), by unit of
    cost with --costs.

    Example: foresaid complete scores.csv --line claude --tier opus --effort high
    """
    from foresaid.errors import ParameterError
    from foresaid.forecasting.own_scores import read_costs, read_scores
    from foresaid.pipeline import capability
    from foresaid.registry.systems import effort_number
    from foresaid.studies.capability import completion
    from foresaid.text import columns, number

    model, factor, day = capability.read(project().build)
    names = model.cells.benchmarks.names
    if benchmarks:
        for name in names:
            click.echo(name)
        return {"benchmarks": list(names)}
    if scores is None:
        raise ParameterError("complete: found no file, expected a CSV file with columns benchmark and score; see --help")
    step = effort_number(effort)
    if effort and step is None:
        raise ParameterError(
            f"complete, --effort: found {effort}, expected none, low, medium, high, xhigh, or a budget such as 16k"
        )
    known = read_scores(scores, names)
    release = completion.Release(line, tier, maker, step, released_on.date() if released_on else day)
    found = completion.answer(model, factor, release, known, read_costs(costs, names) if costs else None)
    for said in found["remarks"]:
        click.echo(said)
    head = ["benchmark", "known", "median", "50 % from", "to", "80 % from", "to"]
    cells = [
        [row["benchmark"], number(row["known"]), *(number(row[name]) for name in ("q50", "q25", "q75", "q10", "q90"))]
        for row in found["scores"]
    ]
    for text in columns([head, *cells], (0,)):
        click.echo(text)
    if found["next"]:
        click.echo("")
        head = ["measure next", "information, nats", "mean sd of the rest after it, points"]
        rows = [[row["benchmark"], number(row["information"]), number(row["sd_after"])] for row in found["next"][:SHOWN]]
        if costs:
            head += ["cost", "nats by unit of cost"]
            rows = [[*line, number(row["cost"]), number(row["per_cost"])] for line, row in zip(rows, found["next"], strict=False)]
        for text in columns([head, *rows], (0,)):
            click.echo(text)
        click.echo(f"mean sd of what is not known now: {number(found['sd_now'])} points of 100")
    return found


COMMANDS: tuple[click.Command, ...] = (complete,)
