"""The commands that bring figures into the record and write it out: sources, results of your own, an export.

Each imports what it needs when it runs, so that --help is instant.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click

from foresaid.cli.group import Verb, given_day, project
from foresaid.cli.hubverse import export_hub, import_hub
from foresaid.cli.names import DAY, QUANTITY, SOURCE
from foresaid.cli.output import leave_with


@click.command()
@click.argument("name", type=SOURCE, required=False)
@click.option(
    "--from", "mirror", type=click.Path(path_type=Path, exists=True, file_okay=False), envvar="FORESAID_MIRROR", required=True,
    help="A copy of the sources' files, one folder a source; with --known-on the folder of one new download.",
)  # fmt: skip
@click.option("--all", "everything", is_flag=True, help="Bring in every source of registry/sources, and count its rows.")
@click.option("--known-on", type=DAY, help="Day this new download became public: it becomes a vintage.")
@click.option("--commit", default="n/a", help="The commit of the upstream, for the card of the new vintage.")
@click.option("--part", is_flag=True, help="The download holds only a part: what it lacks was not taken back.")
@click.option(
    "--against", type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder that holds the download before, to compare columns; by default the one beside the new download.",
)  # fmt: skip
@click.option("--skip-unknown", is_flag=True, help="Leave rows of unknown models out, and count them, instead of stopping.")
@click.option("--accept", is_flag=True, help="Take spellings, models and quantities that the files make known into the record.")
@click.option("--dry-run", is_flag=True, help="Say what would change and write nothing.")
@click.option("--recorded-on", type=DAY, default=None, help="Day the figures are taken; today by default.")
def update(
    name: str | None,
    mirror: Path,
    everything: bool,
    known_on: datetime | None,
    commit: str,
    part: bool,
    against: Path | None,
    skip_unknown: bool,
    accept: bool,
    dry_run: bool,
    recorded_on: datetime | None,
) -> dict[str, Any] | None:
    """Bring a source in: verify its files, say what is new, revised and gone, and append.

    Without --known-on the vintages of its card are read from a mirror. With it, the folder is the next download of the same
    upstream: rows are compared by key, and the download becomes a vintage of the card.

    \b
    Example: foresaid update obsscaling --from ../mirror
             foresaid update epoch-hub --from ../epoch-hub@2026-05-01 --known-on 2026-05-01 --dry-run
             foresaid update --all --from ../mirror
    """
    from foresaid.errors import ParameterError
    from foresaid.registry.update import row_account
    from foresaid.registry.update import update as work

    day = given_day("--recorded-on", recorded_on)
    if everything == (name is not None):
        raise ParameterError("update: expected the name of one source, or --all")
    if everything:
        if known_on:
            raise ParameterError("update: found --all with --known-on, expected one source for a new download")
        leave_with(row_account.run(mirror, project().registry, project().build, day, dry_run, click.echo))
        return None
    download = work.Download(known_on.date(), commit, part, against or mirror.resolve().parent) if known_on else None
    change = work.update(
        str(name),
        mirror,
        project().registry,
        day,
        download=download,
        build=project().build,
        dry_run=dry_run,
        skip_unknown=skip_unknown,
        accept=accept,
    )
    for line in change.lines():
        click.echo(line)
    return change.as_dict()


@click.command()
@click.option(
    "--from", "mirror", type=click.Path(path_type=Path, exists=True, file_okay=False), envvar="FORESAID_MIRROR", required=True,
    help="Folder that holds a copy of the sources' files, one folder a source.",
)  # fmt: skip
def traps(mirror: Path) -> dict[str, int]:
    """Check the detectors of known defects in the sources' files on the real files, and write docs/traps.md.

    Example: foresaid traps --from ../mirror
    """
    from foresaid.files import write_bytes
    from foresaid.registry.known_defects import page as work

    content, missed = work.table(mirror, project().registry)
    write_bytes(project().root / "docs/traps.md", content.encode())
    click.echo(f"traps: docs/traps.md written, {missed} rows missed")
    return {"missed": missed}


@click.command("import")
@click.argument(
    "files",
    nargs=-1,
    required=True,
    help="JSON, JSONL, CSV or TSV files of results.",
    type=click.Path(path_type=Path, dir_okay=False),
)
@click.option("--source", "name", type=SOURCE, required=True, help="Name of the source that holds your results; a new one is made.")
@click.option("--known-on", type=DAY, help="First day on which the results were public.")
@click.option(
    "--as",
    "form",
    type=click.Choice(["eee", "open-llm-leaderboard", "inspect", "helm", "lm-eval"]),
    help="Format of the files; found out by default.",
)
@click.option(
    "--mapping", "how", type=click.Path(path_type=Path, dir_okay=False),
    help="A mapping file (YAML) that says what the columns of one CSV, TSV or JSONL table are.",
)  # fmt: skip
@click.option("--accept", is_flag=True, help="With --mapping: take spellings and models that the table states into the record.")
@click.option(
    "--repeats", type=click.Choice(["refuse", "apart", "mean"]), default="refuse", show_default=True,
    help="What becomes of several runs of one system.",
)  # fmt: skip
@click.option("--publisher", default="", help="Who publishes the results: written into the card of the source.")
@click.option("--licence", default="", help="Their licence, which allows a copy: written into the card of the source.")
@click.option("--new-quantities", is_flag=True, help="Print rows that would make the unknown quantities known, and import nothing.")
@click.option("--recorded-on", type=DAY, default=None, help="Day the figures are taken; today by default.")
def import_(
    files: tuple[Path, ...],
    name: str,
    known_on: datetime | None,
    form: str | None,
    how: Path | None,
    accept: bool,
    repeats: str,
    publisher: str,
    licence: str,
    new_quantities: bool,
    recorded_on: datetime | None,
) -> dict[str, Any] | None:
    """Bring in results of your own: files of a known format, or any table by a mapping file of a few lines.

    \b
    Example: foresaid import results_2026-11-20.json --source my-runs --known-on 2026-11-20
             foresaid import losses.csv --mapping losses.yaml --source my-runs --known-on 2026-11-20
    """
    from foresaid.errors import ParameterError
    from foresaid.registry.update import import_results

    day = given_day("--recorded-on", recorded_on)
    if how is not None:
        if known_on is None or len(files) != 1 or form or new_quantities:
            raise ParameterError("import: expected one table and --known-on with --mapping, and neither --as nor --new-quantities")
        change = import_results.bring_in_table(
            files[0], how, name, known_on.date(), project().registry, day, publisher, licence, accept, repeats
        )
        for line in change.lines():
            click.echo(line)
        return change.as_dict()
    if tables := [file for file in files if file.suffix.lower() in (".csv", ".tsv")]:
        raise ParameterError(f"import: found {tables[0]}, a table, expected --mapping MAP.yaml that says what its columns are")
    read = import_results.read_files(files, form)
    if new_quantities:
        quantities, aliases = import_results.new_quantities(read, name, project().registry)
        for problem in [problem for file in read for problem in file.results.problems]:
            click.echo(str(problem), err=True)
        if import_results.open_source(name, project().registry, day):
            click.echo(
                f"registry/sources/{name}/source.toml is new: fill in who publishes the results and under which licence", err=True
            )
        for file, rows in (("quantities.csv", quantities), ("aliases.csv", aliases)):
            click.echo(f"# {len(rows)} rows for registry/{file}, to be corrected and put in their place")
            for row in rows:
                click.echo(row)
        return None
    if known_on is None:
        raise ParameterError("import: found no --known-on, expected the first day on which the results were public")
    change = import_results.bring_in(read, name, known_on.date(), project().registry, day, publisher, licence, repeats)
    for line in change.lines():
        click.echo(line)
    return change.as_dict()


@click.command()
@click.option("--as-of", "as_of", type=DAY, help="The day; that of params.yaml by default.")
@click.option("--known-by", is_flag=True, help="Take today as the day: everything known by now.")
@click.option("--source", "sources", type=SOURCE, multiple=True, help="Only this source; may be given again.")
@click.option("--quantity", "quantities", type=QUANTITY, multiple=True, help="Only this quantity; may be given again.")
@click.option("--to", required=True, type=click.Path(path_type=Path), help="File to write: .parquet, .csv or .json.")
def export(
    as_of: datetime | None, known_by: bool, sources: tuple[str, ...], quantities: tuple[str, ...], to: Path
) -> dict[str, Any]:
    """Write the record as it stood on a day, with where each value comes from.

    Example: foresaid export --as-of 2024-05-31 --source obsscaling --to scores.csv
    """
    from foresaid import params
    from foresaid.errors import ParameterError
    from foresaid.registry import export as exporting

    if as_of and known_by:
        raise ParameterError("export: found both --as-of and --known-by, expected one of them")
    stated = date.fromisoformat(str(params.load(project().params).as_of))
    day = as_of.date() if as_of else datetime.now(UTC).date() if known_by else stated
    values = exporting.export(project().build, day, to, sources, quantities)
    click.echo(f"export: {values} values known by {day} in {to}")
    return {"values": values, "known_by": str(day), "file": str(to)}


COMMANDS: tuple[click.Command, ...] = (update, Verb(import_, [import_hub]), Verb(export, [export_hub]), traps)
