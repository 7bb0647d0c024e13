"""`foresaid schema`: what a file of the project may hold, as JSON Schema, for programs that are not ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click


@click.command("schema")
@click.argument("name", required=False, help="Name of the schema; without it their names are listed.")
@click.option("--write", "folder", type=click.Path(path_type=Path, file_okay=False), help="Write every schema into this folder.")
def schema(name: str | None, folder: Path | None) -> dict[str, Any]:
    """Print the JSON Schema of a kind of file: params, a round, a line of the ledger, a curve, a row of a table.

    \b
    Example: foresaid schema
             foresaid schema ledger-line
             foresaid schema --write docs/schemas
    """
    from foresaid.errors import ParameterError
    from foresaid.files import write
    from foresaid.report import schemas as work

    found = work.schemas()
    if folder is not None:
        write({folder / f"{one}.json": work.text(made) for one, made in found.items()})
        click.echo(f"schema: {len(found)} schemas in {folder}")
        return {"files": len(found)}
    if name is None:
        for one, made in found.items():
            click.echo(f"{one:<20} {made['title']}")
        return {one: made["title"] for one, made in found.items()}
    if name not in found:
        raise ParameterError(f"schema: found {name}, expected one of {', '.join(found)}")
    click.echo(work.text(found[name]).decode(), nl=False)
    return found[name]


COMMANDS: tuple[click.Command, ...] = (schema,)
