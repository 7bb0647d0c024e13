"""The command that starts a registry of one's own."""

from __future__ import annotations

import re
import shlex
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import TypedDict

import click


class NewRegistry(TypedDict):
    """A registry that was made: its folder, the names it was given, and its files."""

    folder: str
    origin: str
    author: str
    files: list[str]


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), help="A new or empty folder.")
@click.option("--origin", default="", help="Name of the log, which stands in every checkpoint; NAME/registry by default.")
@click.option("--author", default="", help="In whose name entries are made; the name of the folder by default.")
@click.option("--no-git", is_flag=True, help="Make no git repository of the folder.")
def init(folder: Path, origin: str, author: str, no_git: bool) -> NewRegistry:
    """Start a registry of your own in FOLDER: settings, an empty record and ledger, a law and a reader, tests and workflows.

    FOLDER is new or empty. Names are lower-case letters, digits and . _ / -, at most 128 characters.

    Example: foresaid init acme-evals --author acme
    """
    from foresaid.pipeline import new_project

    name = re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-") or "registry"
    author = author or name
    origin = origin or f"{author}/registry"
    made = new_project.create(folder, origin, author, datetime.now(UTC).date(), not no_git)
    install = "" if shutil.which("dvc") else "pip install -r requirements.lock && "
    steps = f"cd {shlex.quote(str(folder))} && {install}dvc repro && foresaid verify"
    click.echo(f"init: {len(made)} files in {folder}; next: {steps}, then README.md")
    return {"folder": str(folder), "origin": origin, "author": author, "files": made}


COMMANDS: tuple[click.Command, ...] = (init,)
