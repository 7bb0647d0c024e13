"""The command that drafts a round: it writes files and no entry, so that a person reads them before anything is frozen."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TypedDict

import click

from foresaid.cli._ledger_context import THERE
from foresaid.cli.group import given_day, project
from foresaid.cli.names import DAY
from foresaid.cli.output import leave_with


class Draft(TypedDict):
    """What was drafted, what was not asked and why, and which forecasts fail a plausibility check."""

    targets: int
    forecasts: int
    not_asked: dict[str, str]
    problems: list[str]


@click.command()
@click.argument("round_file", type=THERE, help="The questions and settings of the round, YAML.")
@click.option("--as-of", type=DAY, help="The day of the freeze; today by default.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder for the files it writes.")
@click.option("--hindcast", is_flag=True, help="Also put the same questions to the earlier origins of the file: hindcast.md.")
@click.option("--keep-hindcast", is_flag=True, help="The same, and keep its means beside the round file.")
def draft(round_file: Path, as_of: datetime | None, out: Path, hindcast: bool, keep_hindcast: bool) -> Draft:
    """Draft a round: questions, forecasts by every method, training rows, and a card for each target to be read before the freeze.

    Nothing is frozen. Exit 1 where a forecast fails a plausibility check; the files are there all the same.

    Example: foresaid ledger draft registry/rounds/2026-12.yaml --as-of 2026-12-01 --out draft
    """
    from foresaid import params
    from foresaid.pipeline import round as rounds
    from foresaid.studies.rounds import round_file as files

    loaded, day = params.load(project().params), given_day("--as-of", as_of)
    made = rounds.draft(loaded, project().build, project().registry, files.read(round_file), day)
    problems = rounds.write_draft(made, out)
    if hindcast or keep_hindcast:
        rounds.write_hindcast(made, out, project().registry if keep_hindcast else None)
    for name, reason in sorted(made.not_asked.items()):
        click.echo(f"not asked: {name}: {reason}")
    click.echo(f"draft: {len(made.asked)} targets, {len(made.forecasts)} forecasts in {out}; read {out / rounds.CARDS} first")
    for line in problems:
        click.echo(line, err=True)
    leave_with(1 if problems else 0)
    return {
        "targets": len(made.asked),
        "forecasts": len(made.forecasts),
        "not_asked": dict(made.not_asked),
        "problems": list(problems),
    }
