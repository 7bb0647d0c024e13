"""The commands of the ledger. Each imports what it needs when it runs, so that --help is instant."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from foresaid.entries import Entry
    from foresaid.policy import Policy
    from foresaid.verify import Evidence

LEDGER = Path("registry/ledger")
SNAPSHOTS = Path("build/snapshots")
FILE = click.Path(path_type=Path, dir_okay=False)
THERE = click.Path(path_type=Path, dir_okay=False, exists=True)


def _append(lines: Sequence[Entry]) -> None:
    """Add one batch in the name of params.yaml's author, and say under which name."""
    from foresaid import freeze, ledger, params
    from foresaid.curve import from_plain

    loaded, now = params.load(Path("params.yaml")), datetime.now(UTC)
    path = ledger.write_batch(
        LEDGER, lines, origin=loaded.origin, author=loaded.author, as_of=now.date(), frozen_at=now, data=[],
        code=freeze.code_state(Path()), check_curve=from_plain,
    )  # fmt: skip
    click.echo(f"batch {path.stem}, pending; `foresaid checkpoint` on the main branch puts it into the log")


def _policy(path: Path | None) -> Policy:
    from foresaid import policy

    if path is not None:
        return policy.load(path)
    return policy.load(LEDGER / policy.POLICY) if (LEDGER / policy.POLICY).is_file() else policy.Policy()


def _evidence(
    policy: Path | None, known: Sequence[Path], data: Path | None, headers: Path | None, page: Path | None, asked: set[str]
) -> Evidence:
    import csv

    from foresaid import calendar_proof, history
    from foresaid import policy as policies
    from foresaid.verify import Evidence

    aliases = {}
    table = Path("registry/aliases.csv")
    if table.is_file():
        with table.open(encoding="utf-8", newline="") as file:
            aliases = {row["alias"]: row["id"] for row in csv.DictReader(file) if row["kind"] == "model"}
    return Evidence(
        policy=policies.load(policy) if policy else None,
        known=tuple(path.read_bytes() for path in known),
        history=history.read(LEDGER) if LEDGER.is_dir() else None,
        data=data or SNAPSHOTS,
        aliases=aliases,
        headers=calendar_proof.parse_headers(headers.read_text(encoding="ascii", errors="replace")) if headers else {},
        report=page.read_bytes() if page else None,
        now=datetime.now(UTC),
        asked=frozenset(asked),
    )


@click.command()
@click.option("--policy", type=THERE, help="Your own trust policy, with roots beside it in tsa/; else the ledger's copy.")
@click.option("--known", type=THERE, multiple=True, help="A checkpoint you kept; the log must continue it.")
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), help="Folder of training snapshots, <sha256>.jsonl.")
@click.option("--block-headers", "headers", type=THERE, help="Bitcoin headers you trust: a line each, height and hex.")
@click.option("--git", "asked_git", is_flag=True, help="The git history must be there to check (else exit 5).")
@click.option("--strict", is_flag=True, help="Batches that no checkpoint covers yet count as incomplete evidence (exit 5).")
@click.option("--json", "as_json", is_flag=True, help="List all findings as JSON.")
def verify(
    policy: Path | None,
    known: tuple[Path, ...],
    data: Path | None,
    headers: Path | None,
    asked_git: bool,
    strict: bool,
    as_json: bool,
) -> None:
    """Check the ledger: V01 to V20. Exit 0 when all checks passed, 5 when evidence is incomplete.

    Example: foresaid verify --known my-checkpoint
    """
    asked = {"V16"} | ({"V13"} if asked_git else set())
    _verify(_evidence(policy, known, data, headers, None, asked), strict, as_json)


def _verify(evidence: Evidence, strict: bool, as_json: bool, only: tuple[str, ...] = ()) -> None:
    import json

    from foresaid import accounting
    from foresaid import verify as check
    from foresaid.curve import from_plain

    checks = {name: item for name, item in check.CHECKS.items() if not only or name in only or name in check.INTEGRITY}
    if only:
        checks["V10"] = check.CHECKS["V10"]
    result = check.verify(LEDGER, check_curve=from_plain, checks=checks, evidence=evidence)
    code = result.exit_code(strict)
    if as_json:
        click.echo(json.dumps({**result.as_dict(), "exit": code}, indent=2, sort_keys=True))
        sys.exit(code)
    for finding in result.findings:
        click.echo(str(finding), err=True)
    for finding in result.incomplete:
        click.echo(f"incomplete: {finding}", err=True)
    if 3 in {number for number, members in check.EXITS.items() if {f.code for f in result.findings} & set(members)}:
        for data in evidence.known:
            click.echo(f"the checkpoint you kept:\n{data.decode('ascii', 'backslashreplace')}", err=True)
        click.echo(f"the checkpoint here:\n{(LEDGER / 'log/checkpoint').read_bytes().decode('utf-8', 'replace')}", err=True)
    for note in result.notes:
        click.echo(note)
    click.echo(result.time)
    click.echo(f"accounting: {accounting.identity(result.accounts)}")
    for row in accounting.universe(result.batches, result.accounts):
        have = row["targets"] - len(row["no_shows"])
        click.echo(
            f"universe: round {row['round']}, {row['author']}: {row['targets']} targets = {have} with a primary forecast "
            f"+ {len(row['no_shows'])} no-shows"
        )
    counted = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in result.counts.items())
    said = {0: "all checks passed", 5: "nothing wrong, evidence incomplete (exit 5)"}.get(code, f"FAILED (exit {code})")
    click.echo(f"verify: {said}: {counted}")
    sys.exit(code)


@click.command(name="verify-report")
@click.argument("page", type=THERE)
@click.option("--policy", type=THERE, help="Your own trust policy.")
def verify_report(page: Path, policy: Path | None) -> None:
    """Check that a ledger page shows every forecast, once, with a state that is true. Exit 7 if one is missing.

    Example: foresaid verify-report reports/site/ledger.html
    """
    _verify(_evidence(policy, (), None, None, page, set()), strict=False, as_json=False, only=("V17", "V18"))


@click.command()
@click.argument("entry")
@click.option("--policy", type=THERE, help="Your own trust policy.")
def show(entry: str, policy: Path | None) -> None:
    """Say which proofs a forecast has and what is not proven. ENTRY is its id, or the name of a batch.

    Example: foresaid show 2026-12/gsm8k_cot/observational
    """
    from foresaid import standing
    from foresaid import verify as check
    from foresaid.errors import ParameterError

    result = check.verify(LEDGER, evidence=_evidence(policy, (), None, None, None, set()))
    batches = standing.batches_by_name(result)
    found = [account for account in result.accounts if entry in (account.id, account.batch)]
    if not found:
        raise ParameterError(
            f"show: found no forecast or batch {entry!a}, expected one of the {len(result.accounts)} in the ledger"
        )
    for account in found:
        about = standing.of(result, account, batches)
        click.echo(f"{account.id} by {account.author}: {account.state}{f' ({account.reason})' if account.reason else ''}")
        for title, lines in (("proven", about.have), ("not proven", (*about.lack, *standing.NEVER))):
            click.echo(f"  {title}:")
            for line in lines:
                click.echo(f"    - {line}")


@click.command()
def heads() -> None:
    """List the batches that have no child yet, and what waits for a checkpoint.

    Example: foresaid heads
    """
    from foresaid import ledger
    from foresaid import verify as check

    result = check.verify(LEDGER, checks=check.INTEGRITY)
    for name in ledger.heads(LEDGER):
        click.echo(f"{name}{'  pending' if name in result.pending else ''}")
    click.echo(
        f"heads: {len(result.batches)} batches, {len(result.pending)} of them wait for `foresaid checkpoint` on the main branch"
    )


@click.group()
def key() -> None:
    """Make keys; a secret one never goes into the repository.

    Example: foresaid key new foresaid/registry --to ~/foresaid.key
    """


@key.command(name="new")
@click.argument("name")
@click.option("--kind", type=click.Choice(["log", "witness"]), default="log", show_default=True, help="What the key is for.")
@click.option("--to", "path", type=FILE, required=True, help="The new file; its owner alone may read it.")
def key_new(name: str, kind: str, path: Path) -> None:
    """Make a key pair and print the public half, as it stands in a policy.

    Example: foresaid key new foresaid/registry --to ~/foresaid.key
    """
    import os

    from foresaid import keys

    made = keys.write(name, kind, os.urandom(32), path)
    click.echo(f"{'log' if kind == 'log' else 'witness <name>'} {made.vkey}")


@click.command()
@click.argument("path", type=THERE)
def policy(path: Path) -> None:
    """Copy a trust policy, and the roots beside it in tsa/, into the ledger. A reader's own copy still wins.

    Example: foresaid policy ../my/policy.txt
    """
    from foresaid import ledger
    from foresaid import policy as policies

    loaded = policies.load(path)
    files = {policies.POLICY: path.read_bytes(), **{f"tsa/{name}.pem": data for name, data in loaded.roots.items()}}
    ledger.write_files(LEDGER, files, replaced=tuple(files))
    click.echo(f"policy: {len(loaded.witnesses)} witnesses, {len(loaded.authorities)} authorities, {loaded.stamps} stamps wanted")


@click.command()
@click.option("--key", "path", type=THERE, help="The log's secret key; without it the checkpoint is not signed.")
def checkpoint(path: Path | None) -> None:
    """Put pending batches into the log and sign its state. On the main branch only.

    Example: foresaid checkpoint --key ~/foresaid.key
    """
    from foresaid import keys, ledger, params

    signer = keys.read(path, "log") if path else None
    made = ledger.sequence(LEDGER, params.load(Path("params.yaml")).origin, signer)
    click.echo(f"checkpoint: size {made.size}, root {made.root.hex()}, {'signed' if signer else 'not signed'}")


@click.command()
@click.option("--key", "path", type=THERE, required=True, help="The witness's secret key.")
@click.option("--state", type=FILE, required=True, help="What the witness remembers; kept by the witness.")
@click.option("--policy", type=THERE, help="Policy that names the log's key; else the ledger's copy.")
@click.option("--ledger", "place", type=click.Path(path_type=Path, file_okay=False), default=LEDGER, help="The ledger to look at.")
@click.option("--write", is_flag=True, help="Also put the line under log/checkpoint.")
def witness(path: Path, state: Path, policy: Path | None, place: Path, write: bool) -> None:
    """Cosign the newest checkpoint, if the log only grew since this witness last looked.

    Example: foresaid witness --key ~/witness.key --state ~/witness.json --policy policy.txt
    """
    from foresaid import keys, log, stamping
    from foresaid import witness as work
    from foresaid.errors import LedgerError

    wanted = _policy(policy)
    if wanted.log is None:
        raise LedgerError("witness: the policy names no key of a log; give --policy")
    head = (place / log.CHECKPOINT).read_bytes()
    names, _ = log.parse_manifest((place / log.MANIFEST).read_bytes())
    origin, size = (found := log.parse_checkpoint(head)).origin, found.size
    seen = work.read(state, origin)
    proof = work.consistency(seen.size, names[:size]) if seen.size <= size <= len(names) else []
    seconds = int(datetime.now(UTC).timestamp())
    line = work.cosign(
        head, seen.size, proof, seen, wanted.log, keys.read(path, "witness"), seconds, lambda new: work.write(state, new)
    )
    if write:
        stamping.add_cosignature(place, line)
    click.echo(line.decode("utf-8"), nl=False)


@click.command()
@click.option("--request", "request", type=FILE, help="Write a request (.tsq) to send to an authority.")
@click.option("--response", "response", type=THERE, help="Keep a reply (.tsr) that came back.")
@click.option("--sent", type=THERE, help="The request the reply answers; its nonce must come back.")
@click.option("--authority", help="Name of the authority in the policy.")
@click.option("--batch", default="", help="Stamp this batch instead of the newest checkpoint; works before the merge.")
@click.option("--opentimestamps", "ots", type=THERE, help="Keep an OpenTimestamps proof (.ots) over the subject.")
@click.option("--policy", type=THERE, help="Your own trust policy, with roots beside it in tsa/.")
def stamp(
    request: Path | None, response: Path | None, sent: Path | None, authority: str | None, batch: str, ots: Path | None,
    policy: Path | None,
) -> None:  # fmt: skip
    """Prove time: write a request, send it with curl, keep the reply. Nothing here uses the network.

    Example: foresaid stamp --request subject.tsq, then
    curl -H 'Content-Type: application/timestamp-query' --data-binary @subject.tsq ADDRESS > reply.tsr, then
    foresaid stamp --response reply.tsr --authority NAME
    """
    from foresaid import files, stamping
    from foresaid.errors import ParameterError

    if sum(item is not None for item in (request, response, ots)) != 1:
        raise ParameterError("stamp: expected one of --request, --response and --opentimestamps")
    if request is not None:
        files.write_bytes(request, stamping.request(LEDGER, batch))
        click.echo(f"{request}: a request over {stamping.to_stamp(LEDGER, batch)}")
    elif ots is not None:
        click.echo(
            f"OpenTimestamps: {stamping.accept_calendar(LEDGER, ots.read_bytes())}; without a block header it proves no time"
        )
    elif response is not None:
        if authority is None:
            raise ParameterError("stamp: expected --authority, the name the policy gives it")
        before = sent.read_bytes() if sent else None
        proved = stamping.accept(LEDGER, response.read_bytes(), authority, _policy(policy), batch, before)
        click.echo(f"{authority}: existed by {proved:%Y-%m-%dT%H:%M:%SZ}")


@click.command()
@click.argument("batch")
@click.option("--to", "path", type=FILE, help="Write the proof here.")
@click.option("--check", "proof", type=THERE, help="Check this proof instead; needs no ledger.")
@click.option("--policy", type=THERE, help="Policy the proof's checkpoint must satisfy.")
def prove(batch: str, path: Path | None, proof: Path | None, policy: Path | None) -> None:
    """Write a C2SP .tlog-proof that a batch is in the log, or check one.

    Example: foresaid prove 5bb486448f40ed2f948e0dd258add19dbea7b4653a934ce22b9ba0caf272d442 --to mine.tlog-proof
    """
    from foresaid import files, log
    from foresaid import proof as work

    if proof is not None:
        head = work.check(work.parse(proof.read_bytes()), batch, _policy(policy))
        click.echo(f"batch {batch} is in {head.origin}, size {head.size}, root {head.root.hex()}")
        return
    names, _ = log.parse_manifest((LEDGER / log.MANIFEST).read_bytes())
    made = work.prove(batch, names, (LEDGER / log.CHECKPOINT).read_bytes()).encode()
    if path is None:
        click.echo(made.decode("utf-8"), nl=False)
    else:
        files.write_bytes(path, made)
        click.echo(f"{path}: proof of batch {batch}")


@click.command()
@click.argument("forecasts", type=THERE)
@click.option("--secrets", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder outside the repository.")
@click.option("--reveal-by", required=True, help="Until when they are opened, YYYY-MM-DDTHH:MM:SSZ.")
def seal(forecasts: Path, secrets: Path, reveal_by: str) -> None:
    """Freeze forecast/v1 lines without showing them; the secrets to open them go into files outside the repository.

    Example: foresaid seal drafts.jsonl --secrets ~/seals --reveal-by 2027-06-01T00:00:00Z
    """
    import os

    import msgspec

    from foresaid import canonical, entries, params
    from foresaid import seal as work
    from foresaid.errors import LedgerError

    loaded = params.load(Path("params.yaml"))
    secrets.mkdir(mode=0o700, parents=True, exist_ok=True)
    lines: list[Entry] = []
    for number, value in enumerate(canonical.parse_lines(forecasts.read_bytes()), start=1):
        record = entries.parse(value, number)
        if not isinstance(record, entries.Forecast):
            raise LedgerError(f"{forecasts}, line {number}: expected forecast/v1")
        inner = entries.Inner(
            author=loaded.author, id=record.id, method=record.method, origin=loaded.origin, prediction=record.prediction,
            primary=record.primary, target=record.target,
        )  # fmt: skip
        nonce = os.urandom(work.NONCE_BYTES)
        sealed = msgspec.convert(msgspec.to_builtins(work.seal(inner, nonce, reveal_by)), entries.Sealed)
        work.write_secret(secrets / f"{sealed.commit}.seal", work.Secret(nonce, inner))  # before the seal is frozen
        lines.append(sealed)
    _append(lines)


@click.command()
@click.argument("secrets", type=THERE, nargs=-1, required=True)
def reveal(secrets: tuple[Path, ...]) -> None:
    """Open sealed forecasts from their secret files.

    Example: foresaid reveal ~/seals/*.seal
    """
    from foresaid import seal as work

    _append([work.read_secret(path).reveal() for path in secrets])


def _entry(**values: Any) -> Entry:
    from foresaid import entries
    from foresaid.errors import LedgerError

    record = entries.parse({name: value for name, value in values.items() if value is not None})
    if isinstance(record, entries.Header):
        raise LedgerError("expected an entry, not a header")
    return record


@click.command()
@click.argument("forecast")
@click.option("--prediction", type=THERE, required=True, help="A file with one canonical line, the new prediction.")
@click.option("--reason", required=True, help="Why; it is published.")
def amend(forecast: str, prediction: Path, reason: str) -> None:
    """Give another prediction under the id of one's own forecast; both stay and both are shown.

    Example: foresaid amend 2026-12/gsm8k_cot/observational --prediction new.json --reason "a wrong unit"
    """
    from foresaid import canonical

    value = canonical.parse_line(prediction.read_bytes().removesuffix(b"\n"))
    _append([_entry(type="amendment/v1", amends=forecast, reason=reason, prediction=value)])


@click.command()
@click.argument("forecast")
@click.option("--reason", required=True, help="Why; it is published.")
def withdraw(forecast: str, reason: str) -> None:
    """Withdraw one's own forecast; it stays, is listed, and after the deadline is scored all the same.

    Example: foresaid withdraw 2026-12/gsm8k_cot/observational --reason "trained on a wrong table"
    """
    _append([_entry(type="withdrawal/v1", withdraws=forecast, reason=reason)])


@click.command()
@click.argument("round_id")
@click.argument("target")
@click.option("--value", required=True, help="The score, as a decimal number.")
@click.option("--known-at", required=True, help="When it was first public, a day or YYYY-MM-DDTHH:MM:SSZ.")
@click.option("--evidence", type=THERE, required=True, help="The page or table it was read from; its SHA-256 is kept.")
@click.option("--source", required=True, help="Where that was published.")
@click.option("--subject", help="The model, where the target's rule binds several.")
def resolve(round_id: str, target: str, value: str, known_at: str, evidence: Path, source: str, subject: str | None) -> None:
    """Enter the score of a target. A later entry does not replace an earlier one; both are shown.

    Example: foresaid resolve 2026-12 gsm8k_cot --value 0.61 --known-at 2027-01-05 --evidence page.html --source https://example.org
    """
    snapshot = sha256(evidence.read_bytes()).hexdigest()
    _append([_entry(type="resolution/v1", round=round_id, target=target, value=value, known_at=known_at, snapshot=snapshot,
                    source=source, subject=subject)])  # fmt: skip


@click.command()
@click.argument("round_id")
@click.argument("target")
@click.option("--known-at", required=True, help="When the score was public, a day or YYYY-MM-DDTHH:MM:SSZ.")
@click.option("--evidence", required=True, help="What shows it, in words.")
@click.option("--subject", help="The model, where the target's rule binds several.")
def challenge(round_id: str, target: str, known_at: str, evidence: str, subject: str | None) -> None:
    """Say that a score was public earlier than the record has it; open for ever, and it can only make it earlier.

    Example: foresaid challenge 2026-12 gsm8k_cot --known-at 2026-11-30 --evidence "archived page of that day"
    """
    _append([_entry(type="challenge/v1", round=round_id, target=target, known_at=known_at, evidence=evidence, subject=subject)])


@click.command()
@click.argument("round_id")
@click.argument("target")
@click.option("--evidence", type=THERE, required=True, help="What shows that void_if was met; its SHA-256 is kept.")
@click.option("--reason", required=True, help="Why; it is published.")
def void(round_id: str, target: str, evidence: Path, reason: str) -> None:
    """Void a target that met its own void_if: every author's forecast of it at once.

    Example: foresaid void 2026-12 gsm8k_cot --evidence page.html --reason "no public score by the day set"
    """
    digest = sha256(evidence.read_bytes()).hexdigest()
    _append([_entry(type="void/v1", round=round_id, target=target, evidence=digest, reason=reason)])


@click.command()
@click.argument("batch")
@click.option("--reason", required=True, help="Why; it is published.")
def redact(batch: str, reason: str) -> None:
    """Remove the bytes of a batch for a legal need. Its name stays in the log and its forecasts count as worst.

    Example: foresaid redact 5bb486448f40ed2f948e0dd258add19dbea7b4653a934ce22b9ba0caf272d442 --reason "court order"
    """
    from foresaid import entries, ledger
    from foresaid.errors import LedgerError

    found = next((one for one in ledger.read(LEDGER) if one.sha256 == batch), None)
    if found is None or found.index is None:
        raise LedgerError(f"batch {batch}: expected one that is in the log")
    names = sorted(entry.id for entry in found.entries if isinstance(entry, entries.Forecast | entries.Sealed))
    _append([_entry(type="redaction/v1", batch=batch, author=found.header.author, forecasts=names, reason=reason)])
    ledger.redact(LEDGER, batch)
    click.echo(f"batch {batch}: the bytes are gone; remove them from other clones and from git's history yourself")


COMMANDS: tuple[click.Command, ...] = (
    verify, verify_report, show, heads, key, policy, checkpoint,
    witness, stamp, prove, seal, reveal, amend, withdraw, resolve, challenge,
    void, redact,
)  # fmt: skip
