"""How commands become one program: errors as one line, commands of other modules, a help page in sections.

Errors the program knows are one line on stderr and an exit code; anything else is a defect.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from functools import wraps
from typing import ParamSpec, TypeVar

import click

from foresaid.errors import ForesaidError

P = ParamSpec("P")
R = TypeVar("R")


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


class Sections(click.Group):
    """A group that lists its commands by section, each with the whole first sentence of its help."""

    sections: dict[str, list[str]]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write one list a section, in the order of a first visit."""
        for title, names in self.sections.items():
            with formatter.section(title):
                formatter.write_dl([(name, self.commands[name].get_short_help_str(limit=200)) for name in names])


def add(group: click.Group, commands: Iterable[click.Command]) -> list[str]:
    """Add commands that are defined elsewhere, with errors printed as here; return their names, sorted."""
    added = []
    for command in commands:
        if isinstance(command, click.Group):
            for inner in command.commands.values():
                inner.callback = plain_errors(inner.callback) if inner.callback else None
        elif command.callback:
            command.callback = plain_errors(command.callback)
        group.add_command(command)
        added.append(str(command.name))
    return sorted(added)
