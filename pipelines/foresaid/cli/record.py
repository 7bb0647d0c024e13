"""The commands that look after the record: bring sources in, look at models, take results of your own, write the record out.

Each imports what it needs when it runs, so that --help is instant.
"""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime
from pathlib import Path

import click

from foresaid.cli.group import project


@click.command()
@click.argument("name", required=False)
@click.option(
    "--from", "mirror", type=click.Path(path_type=Path, exists=True, file_okay=False), envvar="FORESAID_MIRROR", required=True,
    help="A copy of the sources' files, one folder a source; with --known-on the folder of one new download.",
)  # fmt: skip
@click.option("--all", "everything", is_flag=True, help="Bring in every source of registry/sources, and count its rows.")
@click.option("--known-on", type=click.DateTime(["%Y-%m-%d"]), help="Day this new download became public: it becomes a vintage.")
@click.option("--commit", default="n/a", help="The commit of the upstream, for the card of the new vintage.")
@click.option("--part", is_flag=True, help="The download holds only a part: what it lacks was not taken back.")
@click.option(
    "--against", type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder that holds the download before, to compare columns; by default the one beside the new download.",
)  # fmt: skip
@click.option("--skip-unknown", is_flag=True, help="Leave rows of unknown models out, and count them, instead of stopping.")
@click.option("--dry-run", is_flag=True, help="Say what would change and write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print every changed row as JSON.")
@click.option("--recorded-on", type=click.DateTime(["%Y-%m-%d"]), default=None, help="Day the figures are taken; today by default.")
def update(
    name: str | None,
    mirror: Path,
    everything: bool,
    known_on: datetime | None,
    commit: str,
    part: bool,
    against: Path | None,
    skip_unknown: bool,
    dry_run: bool,
    as_json: bool,
    recorded_on: datetime | None,
) -> None:
    """Bring a source in: verify its files, say what is new, revised and gone, and append.

    Without --known-on the vintages of its card are read from a mirror. With it, the folder is the next download of the same
    upstream: rows are compared by key, and the download becomes a vintage of the card.

    \b
    Example: foresaid update obsscaling --from ../mirror
             foresaid update epoch-hub --from ../epoch-hub@2026-05-01 --known-on 2026-05-01 --dry-run
             foresaid update --all --from ../mirror
    """
    import json

    from foresaid.errors import ParameterError
    from foresaid.registry.update import row_account
    from foresaid.registry.update import update as work

    day: date = recorded_on.date() if recorded_on else datetime.now(UTC).date()
    if everything == (name is not None):
        raise ParameterError("update: expected the name of one source, or --all")
    if everything:
        if known_on:
            raise ParameterError("update: found --all with --known-on, expected one source for a new download")
        sys.exit(row_account.run(mirror, project().registry, project().build, day, dry_run, click.echo))
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
    )
    for line in [json.dumps(change.as_dict(), indent=1)] if as_json else change.lines():
        click.echo(line)


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

    day: date = decided_on.date() if decided_on else datetime.now(UTC).date()
    for line in model_catalogue.merge(project().registry, project().build, keep, drop, reason, day, even_if):
        click.echo(line)


@click.command()
@click.option(
    "--from", "mirror", type=click.Path(path_type=Path, exists=True, file_okay=False), envvar="FORESAID_MIRROR", required=True,
    help="Folder that holds a copy of the sources' files, one folder a source.",
)  # fmt: skip
def traps(mirror: Path) -> None:
    """Check the detectors of known defects in the sources' files on the real files, and write docs/traps.md.

    Example: foresaid traps --from ../mirror
    """
    from foresaid.files import write_bytes
    from foresaid.registry.known_defects import page as work

    content, missed = work.table(mirror, project().registry)
    write_bytes(project().root / "docs/traps.md", content.encode())
    click.echo(f"traps: docs/traps.md written, {missed} rows missed")


@click.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--source", "name", required=True, help="Name of the source that holds your results; a new one is made.")
@click.option("--known-on", type=click.DateTime(["%Y-%m-%d"]), help="First day on which the results were public.")
@click.option("--as", "form", type=click.Choice(["eee", "lm-eval"]), help="Format of the files; found out by default.")
@click.option("--new-quantities", is_flag=True, help="Print rows that would make the unknown quantities known, and import nothing.")
@click.option("--recorded-on", type=click.DateTime(["%Y-%m-%d"]), default=None, help="Day the figures are taken; today by default.")
def import_(
    files: tuple[Path, ...],
    name: str,
    known_on: datetime | None,
    form: str | None,
    new_quantities: bool,
    recorded_on: datetime | None,
) -> None:
    """Bring in result files of your own: Every Eval Ever records or results of the LM Evaluation Harness.

    Example: foresaid import results_2026-11-20.json --source my-runs --known-on 2026-11-20
    """
    from foresaid.errors import ParameterError
    from foresaid.registry.update import import_results

    day: date = recorded_on.date() if recorded_on else datetime.now(UTC).date()
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
        return
    if known_on is None:
        raise ParameterError("import: found no --known-on, expected the first day on which the results were public")
    for line in import_results.bring_in(read, name, known_on.date(), project().registry, day).lines():
        click.echo(line)


@click.command()
@click.option("--as-of", "as_of", type=click.DateTime(["%Y-%m-%d"]), help="The day; that of params.yaml by default.")
@click.option("--known-by", is_flag=True, help="Take today as the day: everything known by now.")
@click.option("--source", "sources", multiple=True, help="Only this source; may be given again.")
@click.option("--quantity", "quantities", multiple=True, help="Only this quantity; may be given again.")
@click.option("--to", required=True, type=click.Path(path_type=Path), help="File to write: .parquet, .csv or .json.")
def export(as_of: datetime | None, known_by: bool, sources: tuple[str, ...], quantities: tuple[str, ...], to: Path) -> None:
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
    click.echo(f"export: {exporting.export(project().build, day, to, sources, quantities)} values known by {day} in {to}")


COMMANDS: tuple[click.Command, ...] = (update, models, traps, import_, export)
