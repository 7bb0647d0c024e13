"""The commands that look after the catalogue of the record: models, spellings, licences, and the order of its files.

Each imports what it needs when it runs, so that --help is instant.
"""

from __future__ import annotations

from datetime import datetime

import click

from foresaid.cli.group import given_day, project


@click.group()
def models() -> None:
    """Look at the models of the record, and say when two of them are one.

    Example: foresaid models show meta-llama/llama-2-7b-hf
    """


@models.command("list")
@click.option("--family", default="", help="Only models of this family.")
@click.option("--undated", is_flag=True, help="Only models without a release date.")
@click.option("--alike", is_flag=True, help="Only pairs of ids that may be one model, with the reason.")
def models_list(family: str, undated: bool, alike: bool) -> None:
    """List the models of the record: id, family, organisation, release date.

    Example: foresaid models list --alike
    """
    from foresaid.registry import model_catalogue

    for line in model_catalogue.listing(project().registry, family, undated, alike):
        click.echo(line)


@models.command("show")
@click.argument("model")
def models_show(model: str) -> None:
    """Show one model: its card, its spellings, what was merged into it, and what each source says of it.

    Example: foresaid models show meta-llama/llama-2-7b-hf
    """
    from foresaid.registry import model_catalogue

    for line in model_catalogue.shown(project().registry, project().build, model):
        click.echo(line)


@models.command("merge")
@click.argument("keep")
@click.argument("drop")
@click.option("--reason", required=True, help="How you know that the two are one model.")
@click.option("--even-if", is_flag=True, help="Also where the two disagree about a value: those of KEEP count.")
@click.option("--decided-on", type=click.DateTime(["%Y-%m-%d"]), default=None, help="Day of the decision; today by default.")
def models_merge(keep: str, drop: str, reason: str, even_if: bool, decided_on: datetime | None) -> None:
    """Decide that DROP is KEEP under another name. Observations stay as they are; every later stage sees one model.

    Example: foresaid models merge acme/tiny-7b acme/tiny7b --reason "same weights, see the model card"
    """
    from foresaid.registry import model_catalogue

    day = given_day("--decided-on", decided_on)
    for line in model_catalogue.merge(project().registry, project().build, keep, drop, reason, day, even_if):
        click.echo(line)


@click.command()
def sort() -> None:
    """Put the rows of every file of the record in the order of their keys, each line kept byte for byte.

    Example: foresaid sort
    """
    from foresaid.registry import load

    for line in load.sort(project().registry):
        click.echo(line)


COMMANDS: tuple[click.Command, ...] = (models, sort)
