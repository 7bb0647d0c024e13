"""The commands that add one batch of entries: what a person promises, changes, opens, and says of outcomes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import click

from foresaid.cli._ledger_context import THERE, Appended, append, author_option, entry_of, not_ahead
from foresaid.cli.group import project
from foresaid.cli.names import BATCH, FORECAST, ROUND, TARGET
from foresaid.cli.output import leave_with

if TYPE_CHECKING:
    from foresaid.ledger.entries import schema as entries
    from foresaid.ledger.entries.resolutions import Resolution, Void
    from foresaid.ledger.entries.schema import Entry


@click.command()
@click.argument("questions", type=THERE, help="JSONL file of round/v1 and target/v1 lines, canonical JSON (RFC 8785).")
@click.option("--known", type=THERE, help="The list of models known, one id a line; kept in registry/known under its digest.")
def ask(questions: Path, known: Path | None) -> Appended:
    """Freeze round/v1 and target/v1 lines: a round and its questions, in a batch of their own, which is never redacted.

    The list of models known when a target is set must lie in registry/known under the digest that the target names.

    Example: foresaid ledger ask draft/questions.jsonl --known draft/known.txt
    """
    from foresaid.errors import LedgerError
    from foresaid.ledger.entries import schema as entries
    from foresaid.ledger.verify import training_data
    from foresaid.pipeline import outcomes as found
    from foresaid.project import KNOWN

    if known is not None:
        found.keep_known(project().registry, known.read_text(encoding="utf-8").splitlines())
    lines: list[Entry] = []
    for number, record in _read(questions):
        if not isinstance(record, entries.RoundEntry | entries.TargetEntry):
            raise LedgerError(f"{questions}, line {number}: expected round/v1 or target/v1")
        if isinstance(record, entries.TargetEntry):
            training_data.read_known(project().registry / KNOWN, record.known)
        lines.append(record)
    return append(lines)


@click.command()
@click.argument("forecasts", type=THERE, help="JSONL file of forecast/v1 lines, canonical JSON (RFC 8785).")
@click.option("--rows", type=THERE, help="The training rows of a curve or joint, a .jsonl file; kept in registry/snapshots.")
@author_option
def forecast(forecasts: Path, rows: Path | None, author: str) -> Appended:
    """Freeze forecast/v1 lines about targets of an open round, for everybody to read.

    Example: foresaid ledger forecast mine.jsonl
    """
    return append(_read_forecasts(forecasts), rows, author)


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Let an error about a line say in which file the line is."""
    from foresaid.errors import LedgerError

    try:
        yield
    except LedgerError as error:
        raise LedgerError(f"{path}, {error}") from None


def _read(path: Path) -> Iterator[tuple[int, entries.Header | Entry]]:
    from foresaid import canonical_json
    from foresaid.ledger.entries import schema as entries

    with _naming(path):
        for number, value in enumerate(canonical_json.parse_lines(path.read_bytes()), start=1):
            yield number, entries.parse(value, number)


def _read_forecasts(path: Path) -> list[entries.ForecastEntry]:
    from foresaid.errors import LedgerError
    from foresaid.ledger.entries import schema as entries

    found = []
    for number, record in _read(path):
        if not isinstance(record, entries.ForecastEntry):
            raise LedgerError(f"{path}, line {number}: expected forecast/v1")
        found.append(record)
    return found


@click.command()
@click.argument("forecasts", type=THERE, help="JSONL file of forecast/v1 lines, canonical JSON (RFC 8785).")
@click.option("--secrets", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder outside the repository.")
@click.option("--reveal-by", required=True, help="Until when they are opened, YYYY-MM-DDTHH:MM:SSZ.")
@author_option
def seal(forecasts: Path, secrets: Path, reveal_by: str, author: str) -> Appended:
    """Freeze forecast/v1 lines without showing them; the secrets to open them go into files outside the repository.

    Example: foresaid ledger seal drafts.jsonl --secrets ~/seals --reveal-by 2027-06-01T00:00:00Z
    """
    import os

    import msgspec

    from foresaid import params
    from foresaid.errors import LedgerError
    from foresaid.ledger import store
    from foresaid.ledger.entries import commitment as work
    from foresaid.ledger.entries import schema as entries

    loaded = params.load(project().params)
    records, author = _read_forecasts(forecasts), author or loaded.author
    store.may_add(project().ledger, records, author)  # what cannot be opened later is not sealed
    batches = store.read(project().ledger)
    rounds = {entry.id: entry for batch in batches for entry in batch.entries if isinstance(entry, entries.RoundEntry)}
    for record in records:
        opened = rounds[record.id.split("/", 1)[0]]
        if reveal_by > opened.reveal_by:
            raise LedgerError(
                f"seal: found --reveal-by {reveal_by}, expected at most {opened.reveal_by}, the reveal_by of round {opened.id}"
            )
    secrets.mkdir(mode=0o700, parents=True, exist_ok=True)
    lines: list[Entry] = []
    for record in records:
        inner = entries.Inner(
            author=author, id=record.id, method=record.method, origin=loaded.origin, prediction=record.prediction,
            primary=record.primary, target=record.target,
        )  # fmt: skip
        nonce = os.urandom(work.NONCE_BYTES)
        sealed = msgspec.convert(msgspec.to_builtins(work.seal(inner, nonce, reveal_by)), entries.Sealed)
        work.write_secret(secrets / f"{sealed.commit}.seal", work.Secret(nonce, inner))  # before the seal is frozen
        lines.append(sealed)
    return append(lines, author=author)


@click.command()
@click.argument("secrets", type=THERE, nargs=-1, required=True, help="Files that `foresaid ledger seal` wrote, .seal.")
@click.option("--rows", type=THERE, help="The training rows of a curve or joint, a .jsonl file; kept in registry/snapshots.")
@author_option
def reveal(secrets: tuple[Path, ...], rows: Path | None, author: str) -> Appended:
    """Open sealed forecasts from their secret files.

    Example: foresaid ledger reveal ~/seals/*.seal
    """
    from foresaid.ledger.entries import commitment as work

    return append([work.read_secret(path).reveal() for path in secrets], rows, author)


@click.command()
@click.argument("forecast", type=FORECAST)
@click.option("--prediction", type=THERE, required=True, help="A file with one canonical line, the new prediction.")
@click.option("--reason", required=True, help="Why; it is published.")
@click.option("--rows", type=THERE, help="The training rows of a curve or joint, a .jsonl file; kept in registry/snapshots.")
@author_option
def amend(forecast: str, prediction: Path, reason: str, rows: Path | None, author: str) -> Appended:
    """Give another prediction under the id of one's own forecast; both stay and both are shown.

    Example: foresaid ledger amend 2026-12/gsm8k_cot/observational --prediction new.json --reason "a wrong unit"
    """
    from foresaid import canonical_json

    with _naming(prediction):
        value = canonical_json.parse_line(prediction.read_bytes().removesuffix(b"\n"))
    return append([entry_of(type="amendment/v1", amends=forecast, reason=reason, prediction=value)], rows, author)


@click.command()
@click.argument("forecast", type=FORECAST)
@click.option("--reason", required=True, help="Why; it is published.")
@author_option
def withdraw(forecast: str, reason: str, author: str) -> Appended:
    """Withdraw one's own forecast; it stays, is listed, and after the deadline is scored all the same.

    Example: foresaid ledger withdraw 2026-12/gsm8k_cot/observational --reason "trained on a wrong table"
    """
    return append([entry_of(type="withdrawal/v1", withdraws=forecast, reason=reason)], author=author)


@click.command()
@click.argument("round_id", type=ROUND)
@click.argument("target", type=TARGET)
@click.option("--value", required=True, help="The score in the unit of the target, a decimal number such as 0.61.")
@click.option("--known-at", required=True, help="When it was first public, YYYY-MM-DD or YYYY-MM-DDTHH:MM:SSZ.")
@click.option("--evidence", type=THERE, required=True, help="The page or table it was read from; its SHA-256 is kept.")
@click.option("--source", required=True, help="Where that was published.")
@click.option("--subject", help="The model, where the target's rule binds several.")
@click.option("--released-on", help="When the model was first available, YYYY-MM-DD; not for a record.")
@click.option(
    "--covariate", "covariates", type=(str, str), multiple=True, help="Another benchmark of the model by that day, and its value."
)
def resolve(
    round_id: str,
    target: str,
    value: str,
    known_at: str,
    evidence: Path,
    source: str,
    subject: str | None,
    released_on: str | None,
    covariates: tuple[tuple[str, str], ...],
) -> Appended:
    """Enter the score of a target. A later entry does not replace an earlier one; both are shown.

    Example: foresaid ledger resolve 2026-12 gsm8k_cot --value 0.61 --known-at 2027-01-05 --evidence page.html --source https://example.org
    """
    not_ahead("--known-at", known_at)
    not_ahead("--released-on", released_on or "")
    snapshot = sha256(evidence.read_bytes()).hexdigest()
    line = entry_of(type="resolution/v1", round=round_id, target=target, value=value, known_at=known_at, snapshot=snapshot,
                    source=source, subject=subject, released_on=released_on,
                    covariates=[{"benchmark": name, "value": known} for name, known in sorted(covariates)])  # fmt: skip
    return append([line])


class Outcomes(Appended):
    """The outcomes that the record has and the ledger lacked, in words, and where the two differ."""

    outcomes: list[str]
    differences: list[str]


@click.command()
@click.option("--dry-run", is_flag=True, help="Only list what would be entered.")
def outcomes(dry_run: bool) -> Outcomes:
    """Enter the outcomes that the record has and the ledger lacks, and name where the two differ (exit 4 if they do).

    Run it after `foresaid update` and `foresaid ingest database`; no stage writes outcomes.

    Example: foresaid ledger outcomes --dry-run
    """
    from foresaid.ledger import store
    from foresaid.pipeline import outcomes as work

    here = project()
    lines, differences = work.proposed(
        store.read(here.ledger), work.read_record(here.registry, here.build), datetime.now(UTC).date()
    )
    for line in lines:
        click.echo(_told(line))
    added = append(lines) if lines and not dry_run else Appended(batch="", entries=0)
    click.echo(f"{len(lines)} outcomes {'to enter' if dry_run else 'entered'}, {len(differences)} differ from the record")
    for difference in differences:
        click.echo(str(difference), err=True)
    if differences:
        leave_with(4)
    return {**added, "outcomes": [_told(line) for line in lines], "differences": [str(one) for one in differences]}


def _told(line: Resolution | Void) -> str:
    from foresaid.ledger.entries.resolutions import Void

    about = f"{line.round}/{line.target}"
    if isinstance(line, Void):
        return f"{about}: void by {line.condition} since {line.on}"
    return f"{about}, {line.subject or 'its one subject'}: {line.value or 'no outcome'}, known since {line.known_at}"


@click.command()
@click.argument("round_id", type=ROUND)
@click.argument("target", type=TARGET)
@click.option("--known-at", required=True, help="When the score was public, YYYY-MM-DD or YYYY-MM-DDTHH:MM:SSZ.")
@click.option("--evidence", type=THERE, required=True, help="The page that shows it; its SHA-256 is kept.")
@click.option("--reason", required=True, help="What it shows; it is published.")
@click.option("--subject", help="The model, where the target's rule binds several.")
def challenge(round_id: str, target: str, known_at: str, evidence: Path, reason: str, subject: str | None) -> Appended:
    """Say that a score was public earlier than the record has it; open for ever, and it can only make it earlier.

    Example: foresaid ledger challenge 2026-12 gsm8k_cot --known-at 2026-11-30 --evidence page.html --reason "archived that day"
    """
    not_ahead("--known-at", known_at)
    digest = sha256(evidence.read_bytes()).hexdigest()
    return append([entry_of(type="challenge/v1", round=round_id, target=target, known_at=known_at, evidence=digest, reason=reason,
                     subject=subject)])  # fmt: skip


@click.command()
@click.argument("round_id", type=ROUND)
@click.argument("target", type=TARGET)
@click.option("--condition", required=True, help="Which condition of its void_if was met.")
@click.option("--on", required=True, help="Since which day, YYYY-MM-DD.")
@click.option("--evidence", type=THERE, required=True, help="What shows that it was met; its SHA-256 is kept.")
@click.option("--reason", required=True, help="Why; it is published.")
def void(round_id: str, target: str, condition: str, on: str, evidence: Path, reason: str) -> Appended:
    """Void a target that met its own void_if: every author's forecast of it at once.

    Example: foresaid ledger void 2026-12 gsm8k_cot --condition no_release --on 2027-12-02 --evidence page.html --reason "none came"
    """
    digest = sha256(evidence.read_bytes()).hexdigest()
    not_ahead("--on", on)
    return append(
        [entry_of(type="void/v1", round=round_id, target=target, condition=condition, on=on, evidence=digest, reason=reason)]
    )


@click.command()
@click.argument("batch", type=BATCH)
@click.option("--reason", required=True, help="Why; it is published.")
def redact(batch: str, reason: str) -> Appended:
    """Remove the bytes of a batch for a legal need. Its name stays in the log and its forecasts count as worst.

    Example: foresaid ledger redact 9e482a6653c65cce28706c1c854ad1b2851ee32770f76ca6e441114d97a9c53c --reason "court order"
    """
    from foresaid.errors import LedgerError
    from foresaid.ledger import store
    from foresaid.ledger.entries import schema as entries

    found = next((one for one in store.read(project().ledger) if one.sha256 == batch), None)
    if found is None or found.index is None:
        raise LedgerError(f"batch {batch}: expected one that is in the log")
    names = sorted(entry.id for entry in found.entries if isinstance(entry, entries.ForecastEntry | entries.Sealed))
    made = append([entry_of(type="redaction/v1", batch=batch, author=found.header.author, forecasts=names, reason=reason)])
    store.redact(project().ledger, batch)
    click.echo(f"batch {batch}: the bytes are gone; remove them from other clones and from git's history yourself")
    return made
