"""What a command says, said once for all of them: its result, the same as JSON, quiet and verbose, and progress while one waits.

A command prints lines for a person and returns its result as data; its return annotation is the type of that. `speaking` gives
every command the options --json, -q and -v: with --json the lines are dropped and the result is printed as one JSON document, whose
schema is read off the annotation; a command that returns nothing has its lines as the result. Results go to stdout; notes, progress
and errors to stderr.
"""

from __future__ import annotations

import io
import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, redirect_stdout
from functools import wraps
from typing import Any, ParamSpec, TypedDict

import click

from foresaid.project import Layout

P = ParamSpec("P")
DIGITS = 10  # significant digits of a number in JSON
META = "foresaid"  # key of what the options say in click's own store
CHECK = "FORESAID_CHECK_RESULTS"  # set in tests: every result is checked against its type, printed or not


class Lines(TypedDict):
    """The result of a command that has no table or figures: what it would print."""

    lines: list[str]


class Row(TypedDict):
    """A row of a table: name of the column to its value; columns differ by what is asked."""


class StudyTable(TypedDict):
    """One table of a study: rows in the order of the header."""

    key: str
    caption: str
    header: list[str]
    rows: list[list[Any]]


class Section(TypedDict):
    """What a study says: sentences, then tables. `laws` are those whose pages show it."""

    key: str
    title: str
    laws: list[str]
    said: list[str]
    tables: list[StudyTable]
    command: str


class Table(TypedDict):
    """A table with its title."""

    title: str
    rows: list[Row]


def _keep(context: click.Context, parameter: click.Parameter, value: object) -> None:
    context.meta.setdefault(META, {})[parameter.name] = value


def options() -> list[click.Option]:
    """The options that every command has."""
    rest: dict[str, Any] = {"is_flag": True, "expose_value": False, "callback": _keep}
    return [
        click.Option(
            ["--json", "as_json"], help="Print the result as one JSON document, numbers in the units of the table.", **rest
        ),
        click.Option(["-q", "--quiet", "quiet"], help="Print errors alone, no progress; the exit code tells.", **rest),
        click.Option(["-v", "--verbose", "verbose"], help="Also say which project it works on, its steps and seconds.", **rest),
    ]


def leave_with(code: int) -> None:
    """Let the running command end with this exit code once its result is printed."""
    click.get_current_context().meta.setdefault(META, {})["code"] = code


def table(head: Sequence[str], rows: Sequence[Sequence[Any]], left: Sequence[int] = (0,), names: Sequence[str] = ()) -> list[Row]:
    """Print a table and return its rows under the names of its columns; `names` where two columns share a heading."""
    from foresaid.text import columns, number

    def cell(value: object) -> str:
        return number(value) if isinstance(value, float) else "–" if value is None else str(value)

    for line in columns([list(head), *([cell(value) for value in row] for row in rows)], left):
        click.echo(line)
    keys = list(names or head)
    assert len(set(keys)) == len(keys) == len(head), "columns of one name: give `names`"
    return [dict(zip(keys, row, strict=True)) for row in rows]  # type: ignore[misc]  # Row has any key


def result_type(function: Any) -> Any:
    """The type of the result of a command's function: its return annotation, or Lines where it returns nothing."""
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    said = getattr(function, "__annotations__", {}).get("return")
    found = eval(said, function.__globals__) if isinstance(said, str) else said  # annotations are text here
    return Lines if found is None else found


def _anything(kind: type) -> dict[str, Any]:
    """The schema of what has no fixed form: a document that is itself a schema, for one."""
    if kind is not object:
        raise NotImplementedError(kind)
    return {"description": "any value"}


def schema(command: click.Command, name: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of what `foresaid NAME --json` prints."""
    import msgspec

    found = msgspec.json.schema(result_type(command.callback), schema_hook=_anything)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": f"foresaid {name}", **found}


def as_json(result: object) -> str:
    """A result as a JSON document; a number that is not finite is null.

    >>> as_json({"wis": float("nan"), "count": 3})
    '{\\n "wis": null,\\n "count": 3\\n}'
    """
    import json

    import msgspec

    from foresaid.files import rounded

    plain = msgspec.to_builtins(result, enc_hook=str, builtin_types=(float,))
    return json.dumps(rounded(plain, DIGITS), indent=1, ensure_ascii=False)


def check(result: object, wanted: Any, name: str) -> None:
    """Raise TypeError where a result is not what its type, and so its published schema, says."""
    import json

    import msgspec

    try:
        msgspec.convert(json.loads(as_json(result)), wanted)
    except msgspec.ValidationError as error:
        raise TypeError(f"{name}: found a result that is not of its type: {error}") from None


def speaking(command: Callable[P, object]) -> Callable[P, None]:
    """Run a command with its progress shown, and print its result as the options ask."""

    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> None:
        from foresaid.cli.progress import showing

        context = click.get_current_context()
        name, said = context.command_path.removeprefix("foresaid "), context.meta.setdefault(META, {})
        asked, quiet, verbose = (bool(said.get(option)) for option in ("as_json", "quiet", "verbose"))
        start, worked = time.monotonic(), time.process_time()
        if verbose and (layout := context.find_object(Layout)):
            click.echo(f"{name}: project {layout.root.resolve()}", err=True)
        dropped = io.StringIO()
        with ExitStack() as stack:
            stack.enter_context(showing(name, quiet=quiet, verbose=verbose, prints=not asked))
            if asked or quiet:
                stack.enter_context(redirect_stdout(dropped))
            result = command(*args, **kwargs)
        if os.environ.get(CHECK) and result is not None:
            check(result, result_type(command), name)
        if asked:
            click.echo(as_json(result if result is not None else {"lines": dropped.getvalue().splitlines()}))
        if verbose:
            spent, processor = time.monotonic() - start, time.process_time() - worked
            click.echo(f"{name}: {spent:.1f} s, {processor:.1f} s of processor time", err=True)
        if code := said.get("code"):
            sys.stdout.flush()
            sys.exit(code)

    return wrapped
