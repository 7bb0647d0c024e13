"""The commands for people who forecast: what is asked, a forecast of one's own, and whether what was sent can be taken."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from foresaid.cli._ledger_context import append, author_option
from foresaid.cli.group import project
from foresaid.cli.names import QUESTION, ROUND
from foresaid.cli.output import leave_with
from foresaid.ledger.submission.plain import PlainVerdict, StatedForecast, StatedForecasts, TargetRow

if TYPE_CHECKING:
    from foresaid.ledger.entries.schema import Amendment, ForecastEntry
    from foresaid.ledger.submission.form import Form


@click.group()
def target() -> None:
    """Look at the targets of the ledger: what is asked, in which unit, and until when it can be answered.

    Example: foresaid target list --open
    """


@target.command("list")
@click.option("--open", "only_open", is_flag=True, help="Only targets that can still be answered.")
@click.option("--round", "round_id", type=ROUND, default="", help="Only targets of this round.")
def list_(only_open: bool, round_id: str) -> list[TargetRow]:
    """List the targets: name, what is asked, unit with its bounds, last moment in UTC, and how many forecasts there are.

    Example: foresaid target list --open
    """
    from foresaid.ledger import store
    from foresaid.ledger.submission.open_targets import asked, states
    from foresaid.text import columns

    found = states(store.read(project().ledger), datetime.now(UTC))
    found = [one for one in found if round_id in ("", one.target.round) and not (only_open and one.closed)]
    plain = [one.as_dict() for one in found]
    if not found:
        click.echo("no targets are open" if only_open else "no targets have been set")
        return plain
    head = ["target", "asks", "unit", "from", "to", "answer until (UTC)", "forecasts"]
    rows = [
        [one.name, asked(one.target), one.target.unit, one.target.min, one.target.max,
         f"{one.until:%Y-%m-%d %H:%M}" if not one.closed else f"closed: {one.closed}", str(one.forecasts)]
        for one in found
    ]  # fmt: skip
    for line in columns([head, *rows], (0, 1, 2, 5)):
        click.echo(line)
    return plain


@click.command()
@click.argument("what", metavar="TARGET|FILE", type=QUESTION)
@click.option("--quantiles", multiple=True, help="LEVEL=VALUE,... such as 0.1=0.52,0.5=0.61,0.9=0.70; in the unit of the target.")
@click.option("--normal", nargs=2, metavar="MEAN SD", help="Mean and standard deviation, in the unit of the target.")
@click.option("--unit", default="", help="percent, for a target whose unit is fraction; else values are in the target's unit.")
@author_option
@click.option("--method", default="", help="One word for how you made it: a-z, 0-9, _ and -; `judgement` by default.")
@click.option("--amend", metavar="REASON", default="", help="Change your earlier forecast; the reason is published, both stay.")
@click.option("--dry-run", is_flag=True, help="Print the forecast and write nothing.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the lines to a file, for `ledger seal`.")
def forecast(
    what: str,
    quantiles: tuple[str, ...],
    normal: tuple[str, str] | None,
    unit: str,
    author: str,
    method: str,
    amend: str,
    dry_run: bool,
    out: Path | None,
) -> StatedForecasts:
    """Freeze a forecast of your own: of one TARGET by quantiles or as a normal distribution, or many in a FILE (YAML, JSON, CSV).

    Quantiles between and beyond yours are filled in on straight lines in the normal score of the level. Values keep to the scale
    of the target, and to the record that stands. What is written is one file, pending until it is merged and put into the log.

    \b
    Example: foresaid forecast 2026-12/record-2027-03-31-epoch_weirdml --author jane --quantiles 0.1=0.78,0.5=0.83,0.9=0.9 --dry-run
             foresaid forecast 2026-12/next-claude-opus-epoch_weirdml --author jane --normal 82 5 --unit percent
             foresaid forecast my-forecasts.yaml
    """
    from foresaid.files import write_bytes
    from foresaid.ledger import store
    from foresaid.ledger.entries import schema
    from foresaid.ledger.submission import objections, stated
    from foresaid.ledger.submission.entries import author_of, prepare

    try:
        form = _form(what, quantiles, normal, unit, method)
        objections.raise_for(form.objections if not form.entries else ())
        author = author_of(form, author, f"forecast {what}")
    except objections.ObjectionError as error:
        objections.raise_for([error.told])
        raise
    made = prepare(form, author, store.read(project().ledger), datetime.now(UTC), amend)
    objections.raise_for(made.objections)
    plain = [_plain(entry) for entry in made.entries]
    for one in plain:
        click.echo(
            f"{one['id']} by {author}{', primary' if one['primary'] else ''}: {stated.summary(one['levels'], one['values'])}"
        )
    for note in made.objections:
        click.echo(f"note: {note}")
    batch = ""
    if out is not None:
        write_bytes(out, b"".join(map(schema.encode, made.entries)))
        click.echo(f"{_number_of(len(made.entries), 'forecasts')} in {out}, nothing frozen")
    elif dry_run:
        store.may_add(project().ledger, made.entries, author)
        click.echo(f"{_number_of(len(made.entries), 'forecasts')} can be frozen, and will be without --dry-run")
    else:
        batch = append(made.entries, author=author)["batch"]
    return {"author": author, "batch": batch, "forecasts": plain, "warnings": [note.as_dict() for note in made.objections]}


def _number_of(count: int, things: str) -> str:
    """How many of some things, in words; one loses its s.

    >>> _number_of(1, "forecasts"), _number_of(2, "files")
    ('1 forecast', '2 files')
    """
    return f"{count} {things.removesuffix('s') if count == 1 else things}"


def _plain(entry: ForecastEntry | Amendment) -> StatedForecast:
    from foresaid.ledger.entries.schema import Amendment, Quantiles

    made = entry.prediction
    assert isinstance(made, Quantiles)
    name, primary = (entry.amends, False) if isinstance(entry, Amendment) else (entry.id, entry.primary)
    return {"id": name, "primary": primary, "levels": list(made.levels), "values": list(made.values)}


def _form(what: str, quantiles: tuple[str, ...], normal: tuple[str, str] | None, unit: str, method: str) -> Form:
    """The form that a command line states: a file, or one forecast."""
    from dataclasses import replace

    from foresaid.errors import ParameterError
    from foresaid.ledger.submission.form import METHOD, SUFFIXES, Form, FormEntry, read
    from foresaid.ledger.submission.objections import ObjectionError
    from foresaid.ledger.submission.stated import StatedNormal, StatedQuantiles

    is_file = what.lower().endswith(SUFFIXES) or Path(what).is_file()
    if is_file == bool(quantiles or normal) or (quantiles and normal):
        found = (
            "--quantiles and --normal" if quantiles and normal
            else "a file and numbers beside it" if is_file
            else "a folder" if Path(what).is_dir()
            else "neither --quantiles nor --normal"
        )  # fmt: skip
        raise ParameterError(
            f"forecast {what}: found {found}, expected a file alone, or a target with either --quantiles or --normal"
        )
    if is_file:
        form = read(Path(what))
        entries = [replace(one, method=method or one.method, unit=unit or one.unit) for one in form.entries]
        return Form(form.author, entries, form.objections)
    if normal:
        return Form("", [FormEntry(f"forecast {what}", what, StatedNormal(*normal), method or METHOD, unit)])
    values: dict[str, str] = {}
    for item in ",".join(quantiles).split(","):
        level, equals, value = item.partition("=")
        if not equals or level.strip() in values:
            found = f"{item.strip()[:40]!r}" if not equals else f"the level {level.strip()} twice"
            raise ObjectionError("level_invalid", f"forecast {what}", found, "LEVEL=VALUE,... with each level once")
        values[level.strip()] = value.strip()
    return Form("", [FormEntry(f"forecast {what}", what, StatedQuantiles(values), method or METHOD, unit)])


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), help="Files, folders, or one clone with --base.")
@click.option("--base", default="", metavar="COMMIT", help="PATH is a clone: judge what its commit adds to this one.")
@author_option
def check(paths: tuple[Path, ...], base: str, author: str) -> PlainVerdict:
    """Judge forecasts as a pull request would be: files of numbers, batches, folders of either, or with --base a whole clone.

    No key is needed and nothing is written. Exit 0: they can be taken; 1: they cannot; 2: nothing could be read.

    \b
    Example: foresaid check my-forecasts.yaml
             foresaid check registry/ledger/batches --json
             foresaid check ../their-clone --base origin/main
    """
    from foresaid.errors import ParameterError
    from foresaid.fitting.frozen_curve import from_plain
    from foresaid.ledger.submission import changes
    from foresaid.ledger.submission.judge import Court, judge
    from foresaid.ledger.verify.verify import Evidence
    from foresaid.project import KNOWN
    from foresaid.registry.same_model import names

    if base and len(paths) != 1:
        raise ParameterError(f"check: found {len(paths)} paths with --base, expected one clone")
    here, now = project(), datetime.now(UTC)
    brought = changes.of_clone(paths[0], base) if base else changes.of_paths(paths)
    evidence = Evidence(
        data=here.snapshots, known_models=here.registry / KNOWN, aliases=names(here.registry), now=now, asked=frozenset({"V16"})
    )
    verdict = judge(brought, Court(here.ledger, here.snapshots, evidence, now, from_plain, author))
    plain = verdict.as_dict()
    for one in verdict.all:
        click.echo(f"{one.severity}: {one}")
    for file in verdict.files:
        click.echo(f"{file.path}: {file.kind} by {file.author or 'nobody named'}, {_number_of(file.forecasts, 'forecasts')}")
    told = (
        f"{_number_of(plain['forecasts'], 'forecasts')} in {_number_of(len(verdict.files), 'files')}"
        if verdict.files
        else "no forecast in it"
    )
    click.echo(f"check: {plain['verdict']}: {told}, {_number_of(len(verdict.all), 'objections')}")
    nothing = not verdict.files and all(one.code.startswith("file_") for one in verdict.objections)
    leave_with(0 if verdict.accepted else 2 if nothing else 1)
    return plain


COMMANDS: tuple[click.Command, ...] = (target, forecast, check)
