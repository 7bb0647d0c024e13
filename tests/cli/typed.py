"""What can be typed: every command by its words, and the examples that its help gives."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import click

from foresaid.cli.group import Verb
from foresaid.cli.main import main


def commands(group: click.Group = main, before: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command that is no group, by its words; one with named forms beside its plain one is both."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*before, name))
        if isinstance(command, Verb) or not isinstance(command, click.Group):
            yield (*before, name), command


COMMANDS = {" ".join(words): command for words, command in commands()}


def examples(command: click.Command) -> list[list[str]]:
    """The example lines of a help text as words, without the name of the program; what is no call of it is left out."""
    lines = (command.help or "").partition("Example:")[2].splitlines()
    typed = [line.strip().removesuffix(", then") for line in lines]
    return [shlex.split(line.removeprefix("foresaid "), comments=True) for line in typed if line.startswith("foresaid ")]
