"""Where the ledger's commands meet the world: the folders they work on, the clock, the trust policy, and adding one batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import click

from foresaid.cli.group import P, R, project

if TYPE_CHECKING:
    from foresaid.ledger.entries.schema import Data, Entry
    from foresaid.ledger.log.policy import Policy

FILE = click.Path(path_type=Path, dir_okay=False)
THERE = click.Path(path_type=Path, dir_okay=False, exists=True)


class Appended(TypedDict):
    """The batch that was added: its name (a SHA-256) and how many entries it holds; "" and 0 for none."""

    batch: str
    entries: int


def author_option(command: Callable[P, R]) -> Callable[P, R]:
    """The option by which somebody else than the keeper says who they are."""
    said = "Your name: a-z, 0-9 and . _ / -; else FORESAID_AUTHOR, or what the file says."
    return click.option("--author", envvar="FORESAID_AUTHOR", default="", help=said)(command)


def append(lines: Sequence[Entry], rows: Path | None = None, author: str = "") -> Appended:
    """Add one batch in the name of `author`, by default that of params.yaml, and say under which name.

    `rows` are what its curves were fitted on.
    """
    from foresaid import params
    from foresaid.fitting.frozen_curve import from_plain
    from foresaid.ledger import provenance, store

    loaded, now = params.load(project().params), datetime.now(UTC)
    data = [_kept(rows)] if rows is not None else []
    path = store.write_batch(
        project().ledger, lines, origin=loaded.origin, author=author or loaded.author, as_of=now.date(), frozen_at=now, data=data,
        code=provenance.code_state(project().root), check_curve=from_plain,
    )  # fmt: skip
    click.echo(f"batch {path.stem}, pending; `foresaid ledger checkpoint` on the main branch puts it into the log")
    return {"batch": path.stem, "entries": len(lines)}


def _kept(rows: Path) -> Data:
    """Training rows of one's own, kept among the snapshots, as the header of a batch names them."""
    import gzip

    from foresaid.ledger import training_snapshots
    from foresaid.ledger.entries.schema import Data
    from foresaid.ledger.verify import training_data

    packed = rows.name.endswith(training_snapshots.SUFFIX)
    content = gzip.decompress(rows.read_bytes()) if packed else rows.read_bytes()
    found = training_data.read(rows, len(content))
    training_snapshots.keep(project().snapshots, content)
    return Data(name="own", sha256=found.sha256, bytes=found.bytes, rows=found.rows, max_observed_on=found.latest)


def not_ahead(option: str, text: str) -> None:
    """Refuse a day or time that is still to come: an outcome, once entered, stands for ever."""
    from foresaid.errors import LedgerError

    now = datetime.now(UTC)
    today = now.strftime("%Y-%m-%d" if len(text) == len("2026-11-21") else "%Y-%m-%dT%H:%M:%SZ")
    if text > today:
        raise LedgerError(f"{option}: found {text}, which is still to come, expected at most {today}")


def policy_of(path: Path | None) -> Policy:
    """The policy a reader brings, else the ledger's copy, else one that wants nothing."""
    from foresaid.ledger import layout
    from foresaid.ledger.log import policy

    if path is not None:
        return policy.load(path)
    return policy.load(project().ledger / layout.POLICY) if (project().ledger / layout.POLICY).is_file() else policy.Policy()


def entry_of(**values: Any) -> Entry:
    """An entry from its fields; those that are None are left out."""
    from foresaid.errors import LedgerError
    from foresaid.ledger.entries import schema as entries

    record = entries.parse({name: value for name, value in values.items() if value is not None or name == "released_on"})
    if isinstance(record, entries.Header):
        raise LedgerError("expected an entry, not a header")
    return record
