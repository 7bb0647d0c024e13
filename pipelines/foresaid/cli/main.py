"""The command line: one short command a verb. Each imports what it needs when it runs, so that --help is instant."""

from __future__ import annotations

from pathlib import Path

import click

from foresaid import __version__
from foresaid.cli import (
    catalogue,
    complete,
    experiment,
    init,
    ledger,
    protocols,
    questions,
    record,
    schemas,
    stages,
    studies,
    submission,
)
from foresaid.cli.group import Sections, add, plain_errors
from foresaid.project import Layout, at, find, use_own_code


@click.group(cls=Sections, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="foresaid")
@click.option(
    "--root",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of params.yaml; else looked for upwards.",
)
@click.pass_context
@plain_errors
def main(context: click.Context, root: Path | None) -> None:
    """Forecasts of language-model capability, frozen before the models exist and scored afterwards.

    `dvc repro` runs the stages; all else is for a person.
    """
    context.obj = (find(Path()) or Layout()) if root is None else at(root)
    use_own_code(context.obj)


main.sections = {
    "The stages of `dvc repro`, in order": add(main, stages.COMMANDS),
    "Questions to laws and forecasts": add(
        main, (*questions.COMMANDS, *complete.COMMANDS, *studies.COMMANDS, *protocols.COMMANDS, *experiment.QUESTIONS)
    ),
    "The record": add(main, (*record.COMMANDS, *catalogue.COMMANDS, *schemas.COMMANDS)),
    "Forecasts of your own": add(main, submission.COMMANDS),
    "The ledger": add(main, ledger.COMMANDS),
    "Set-up and our own experiment": add(main, (*init.COMMANDS, stages.compile_laws, *experiment.COMMANDS)),
}
main.sections["The stages of `dvc repro`, in order"] = [str(command.name) for command in stages.COMMANDS]
