"""How commands become one program: which project they work on, errors as one line, a help page in sections.

Every command gets here what all have: errors in one line, and the options --json, -q and -v with progress (see `output`).

Errors the program knows are one line on stderr and an exit code; anything else is a defect. Nothing changes the working
directory: a command's own paths come from `project()`, paths its user types are relative to where the user stands.
"""

from __future__ import annotations

import errno
import os
import re
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from functools import wraps
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

import click

from foresaid.cli import output
from foresaid.cli.names import Name
from foresaid.errors import ForesaidError, ParameterError
from foresaid.project import Layout

P = ParamSpec("P")
R = TypeVar("R")


SIGPIPE = 128 + 13  # what a shell reports of a program whose reader went away
INTERRUPTED = 128 + 2  # the same of one that was interrupted from the keyboard
RUN = {"dvc", "jinja2", "joblib", "numba", "scipy", "sklearn", "vl_convert"}  # modules of the extra `run`
ADVICE = {
    errno.ENOENT: "expected it to be there: correct the path, or run `dvc repro` if a stage makes it",
    errno.EACCES: "expected permission: change the owner or the mode of the file or its folder",
    errno.EPERM: "expected permission: change the owner or the mode of the file or its folder",
    errno.EROFS: "expected a file system that can be written to",
    errno.ENOSPC: "expected room: free some space and run the command again; files are replaced whole or left as they were",
    errno.EDQUOT: "expected room within the quota: free some space and run the command again",
    errno.EISDIR: "expected a file: correct the path",
    errno.ENOTDIR: "expected a folder: correct the path",
    errno.EMFILE: "expected fewer open files: raise `ulimit -n`, or use fewer workers",
    errno.ENOMEM: "expected more memory: use fewer workers",
}


def project() -> Layout:
    """Return the project the running command works on: that of --root, or the nearest upwards; else the folder one stands in."""
    context = click.get_current_context(silent=True)
    found = context.find_object(Layout) if context else None
    return found or Layout()


def given_day(option: str, given: datetime | None) -> date:
    """The day an option names, or today in UTC; a day that is still to come is refused."""
    today = datetime.now(UTC).date()
    if given is not None and given.date() > today:
        raise ParameterError(f"{option} {given.date()}: expected {today} or earlier: it is still to come")
    return given.date() if given else today


def system_error(error: OSError) -> str:
    """Say in one line what the operating system refused and who must act.

    >>> system_error(OSError(errno.EROFS, "Read-only file system", "build/x"))
    'build/x: Read-only file system; expected a file system that can be written to'
    """
    advice = ADVICE.get(error.errno or 0, "expected the system to allow it: mend that and run the command again")
    return f"{error.filename or 'a file or the output'}: {error.strerror or error}; {advice}"


def usage_error(error: click.ClickException) -> str:
    """Say in one line what is wrong with what was typed, and where its help is.

    >>> usage_error(click.UsageError("No such option: --laws"))
    'foresaid: No such option: --laws; see foresaid --help'
    """
    context = getattr(error, "ctx", None)
    name = context.command_path if context else "foresaid"
    return f"{name}: {' '.join(error.format_message().split()).rstrip('.')}; see {name} --help"


def _drop_output() -> None:
    """Send what is left in the buffer of stdout nowhere: flushed at exit it would fail once more and make the exit code 120."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def plain_errors(command: Callable[P, R]) -> Callable[P, R]:
    """Print an error the program knows as it stands and leave with its exit code; a reader that went away is no error."""

    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            try:
                return command(*args, **kwargs)
            finally:
                sys.stdout.flush()  # here, so that what the system refuses is told as everything else is
        except ForesaidError as error:
            click.echo(str(error), err=True)
            sys.exit(error.exit_code)
        except BrokenPipeError:
            _drop_output()
            sys.exit(SIGPIPE)
        except ModuleNotFoundError as error:
            library = (error.name or "").partition(".")[0]
            if library not in RUN:
                raise
            click.echo(f"foresaid: found no {library}, expected it to fit, replay or render; pip install 'foresaid[run]'", err=True)
            sys.exit(2)
        except OSError as error:
            click.echo(system_error(error), err=True)
            _drop_output()
            sys.exit(2)

    return wrapped


class Typed(click.Context):
    """What was typed: a command is called by its words alone, and an error in reading them names it."""

    @property
    def command_path(self) -> str:
        """The words of the command; click would put the files of `foresaid import FILES...` before the name of a form."""
        return f"{self.parent.command_path} {self.info_name}" if self.parent else self.info_name or ""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> bool | None:
        """Give an error in reading the words this command, where it has none yet."""
        if isinstance(error, click.UsageError) and error.ctx is None:
            error.ctx = self
        return super().__exit__(kind, error, trace)


class Sections(click.Group):
    """A group that lists its commands by section, each with the whole first sentence of its help."""

    sections: dict[str, list[str]]
    context_class = Typed

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the words; an empty one is refused: it would quietly mean this folder, or all names."""
        for before, word in zip(["", *args], args, strict=False):
            if not word.strip() or re.fullmatch(r"--[a-z-]+=\s*", word):
                where = f" after {before}" if before and not word.strip() else ""
                raise click.UsageError(f"found {word!r}{where}, expected a value; is a variable of the shell unset?", ctx)
        return super().parse_args(ctx, args)

    def main(self, *args: Any, standalone_mode: bool = True, **kwargs: Any) -> Any:
        """Run the program; what fails outside a command, as the help page on a full disk, is told as inside one."""
        run: Callable[..., Any] = plain_errors(super().main)
        if not standalone_mode:
            return run(*args, standalone_mode=False, **kwargs)
        try:
            code = run(*args, standalone_mode=False, **kwargs)
        except click.exceptions.NoArgsIsHelpError as error:
            error.show()  # who types a group alone gets its help
            code = error.exit_code
        except click.ClickException as error:
            click.echo(usage_error(error), err=True)
            code = error.exit_code
        except click.Abort:
            code = INTERRUPTED
        sys.exit(code)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write one list a section, in the order of a first visit."""
        for title, names in self.sections.items():
            with formatter.section(title):
                formatter.write_dl([(name, self.commands[name].get_short_help_str(limit=200)) for name in names])


class Verb(click.Group):
    """A command that has named forms beside its plain one: `export hubverse DIR` beside `export --to FILE`.

    The first word decides; a file of that name is given as ./NAME.
    """

    allow_interspersed_args = True  # as of a command: options may stand behind its files
    allow_extra_args = False

    def __init__(self, plain: click.Command, forms: Iterable[click.Command]) -> None:
        super().__init__(plain.name, {str(form.name): form for form in forms}, callback=plain.callback, params=plain.params)
        self.help = plain.help

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Leave the words of a form to it; read all others as the plain command does."""
        if args and args[0] in self.commands:
            ctx.args = list(args)
            return ctx.args
        return click.Command.parse_args(self, ctx, args)

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """The usage of the plain command; the forms are listed below it."""
        return click.Command.collect_usage_pieces(self, ctx)

    def invoke(self, ctx: click.Context) -> object:
        """Run the form whose name came first, or the plain command."""
        if not (ctx.args and ctx.args[0] in self.commands):
            return click.Command.invoke(self, ctx)
        name, *rest = ctx.args
        with self.commands[name].make_context(name, rest, parent=ctx) as inner:
            return self.commands[name].invoke(inner)


def _wrap(command: click.Command) -> None:
    command.context_class = Typed
    if isinstance(command, click.Group):
        for inner in command.commands.values():
            _wrap(inner)
    is_plain = not isinstance(command, click.Group) or isinstance(command, Verb)
    if is_plain and command.callback and not hasattr(command.callback, "__wrapped__"):  # a command may stand in two groups
        command.callback = plain_errors(output.speaking(command.callback))
        for parameter in command.params:
            if isinstance(parameter, click.Argument) and isinstance(parameter.type, Name):
                parameter.help = parameter.help or f"{parameter.type.words[0].upper()}{parameter.type.words[1:]}."
        command.params += output.options()


def add(group: click.Group, commands: Iterable[click.Command]) -> list[str]:
    """Add commands that are defined elsewhere, with errors printed as here; return their names, sorted."""
    added = []
    for command in commands:
        _wrap(command)
        group.add_command(command)
        added.append(str(command.name))
    return sorted(added)
