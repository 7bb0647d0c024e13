"""`foresaid export hubverse` and `foresaid import hubverse`: the registry as a hub, and a hub's forecasts into the ledger."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict

import click

from foresaid.cli.group import project
from foresaid.cli.output import leave_with

if TYPE_CHECKING:
    from foresaid.ledger.hubverse.configuration import Contact, Repository


class Check(TypedDict):
    """One check of one file: its name, how it ended, why, and the first rows at fault of `n_rows`."""

    check: str
    file: str
    status: Literal["success", "failure", "error", "skipped"]
    message: str
    rows: list[dict[str, Any]]
    n_rows: int


class Checked(TypedDict):
    """Every check of every file of a hub, whether all passed, and the ids of the forecasts that were new and old."""

    hub: str
    valid: bool
    checks: list[Check]
    forecasts: list[str]
    already_frozen: int


class Exported(TypedDict):
    """Rows of each table by its path below the hub, without the ending, and forecasts that were left out, by reason."""

    rows: dict[str, int]
    left_out: dict[str, int]


HUB = click.Path(path_type=Path, file_okay=False)


@click.command("hubverse")
@click.argument("folder", type=HUB, help="Folder to write, new or a hub.")
@click.option("--round", "only", help="Only this round; all by default.")
@click.option("--format", "ending", type=click.Choice(["parquet", "csv"]), default="parquet", show_default=True, help="Of tables.")
@click.option("--contact", help="Whom to write to, 'NAME <MAIL>'; stands in admin.json.")
@click.option("--repository", help="Where the hub will lie, HOST:OWNER/NAME; stands in admin.json.")
def export_hub(folder: Path, only: str | None, ending: str, contact: str | None, repository: str | None) -> Exported:
    """Write the ledger's forecasts and outcomes as a Hubverse hub (schema version 6), with the record's scores as target data.

    \b
    Example: foresaid export hubverse hub
             foresaid export hubverse hub --format csv --contact "Ada <ada@example.org>" --repository github:example/hub
    """
    from foresaid import params
    from foresaid.pipeline import hubverse as work

    loaded = params.load(project().params)
    done = work.run(
        project().ledger, project().build, folder, datetime.now(UTC), _contact(contact, loaded.author),
        _repository(repository, loaded.author, loaded.origin), ending, only,
    )  # fmt: skip
    forecasts = {path: count for path, count in done.rows.items() if path.startswith("model-output/")}
    click.echo(f"export: {sum(forecasts.values())} rows of {len(forecasts)} files of forecasts in {folder}/model-output")
    for path, count in done.rows.items():
        if path not in forecasts:
            click.echo(f"export: {count} rows in {folder}/{path}.{ending}")
    for reason, count in sorted(done.left_out.items()):
        click.echo(f"export: left out {count} forecasts: {reason}")
    if not contact or not repository:
        click.echo("admin.json names no real contact or repository; --contact and --repository do", err=True)
    return {"rows": done.rows, "left_out": dict(done.left_out)}


def _contact(given: str | None, author: str) -> Contact:
    from foresaid.errors import ParameterError
    from foresaid.ledger.hubverse.configuration import Contact

    if given is None:
        return Contact(author, f"{re.sub('[^a-z0-9-]', '-', author)}@example.invalid")  # RFC 2606: an address that is nobody's
    found = re.fullmatch(r"\s*(?P<name>[^<>]+?)\s*<(?P<mail>[^<>\s@]+@[^<>\s@]+)>\s*", given)
    if found is None:
        raise ParameterError(f"--contact: found {given}, expected 'NAME <MAIL>'")
    return Contact(found["name"], found["mail"])


def _repository(given: str | None, author: str, origin: str) -> Repository:
    from foresaid.errors import ParameterError
    from foresaid.ledger.hubverse.configuration import Repository

    if given is None:
        return Repository("github", author, origin.rsplit("/", 1)[-1])
    found = re.fullmatch(r"(?P<host>[a-z]+):(?P<owner>[^/\s]+)/(?P<name>[^/\s]+)", given)
    if found is None:
        raise ParameterError(f"--repository: found {given}, expected HOST:OWNER/NAME, for example github:example/hub")
    return Repository(found["host"], found["owner"], found["name"])


@click.command("hubverse")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False, exists=True), help="Folder of the hub.")
@click.option("--model", "models", multiple=True, help="Only this model of the hub, TEAM-MODEL; may be given again.")
@click.option("--dry-run", is_flag=True, help="Only check the files.")
@click.option("--report", type=click.Path(path_type=Path, dir_okay=False), help="File for every check of every file, as JSON.")
def import_hub(folder: Path, models: tuple[str, ...], dry_run: bool, report: Path | None) -> Checked:
    """Freeze the forecasts of a Hubverse hub, one batch a team, after the hub's checks and the ledger's; exit 1 if one fails.

    The tasks must be those that `export hubverse` writes. Nothing is frozen unless every file passes. A team is the author of its
    batch: where the trust policy holds a key of it, the batch waits for the team's signature.

    \b
    Example: foresaid import hubverse hub --model acme-line --dry-run
             foresaid import hubverse hub --report checks.json
    """
    import msgspec

    from foresaid.cli._ledger_context import append
    from foresaid.files import write_bytes
    from foresaid.ledger import store
    from foresaid.pipeline import hubverse as work

    read = work.read(folder, project().ledger, project().registry, project().build, datetime.now(UTC), models)
    if report is not None:
        write_bytes(report, read.report.to_json())
    wrong = [check for check in read.report.checks if check.is_bad]
    for check in wrong:
        click.echo(str(check), err=True)
    click.echo(f"import: {len(read.report.checks)} checks, {len(wrong)} failed")
    if wrong:
        leave_with(1)
    for author, lines in read.by_author.items():
        store.may_add(project().ledger, lines, author)  # of all teams, before the first is frozen
    for author, lines in read.by_author.items():
        if not dry_run:
            append(lines, author=author)
        click.echo(f"import: {len(lines)} forecasts by {author}{' would be frozen' if dry_run else ''}")
    if read.report.already_frozen:
        click.echo(f"import: {read.report.already_frozen} forecasts were frozen before and are left as they are")
    return msgspec.to_builtins(read.report)  # type: ignore[no-any-return]
