"""The commands about the log: its keys and policy, its checkpoint, who cosigns and stamps that, and what proves a place in it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypedDict

import click

from foresaid.cli._ledger_context import FILE, THERE, Appended, append, entry_of, policy_of
from foresaid.cli.group import P, R, project
from foresaid.cli.names import BATCH
from foresaid.ledger.log.stamp_kinds import KINDS


@click.group()
def key() -> None:
    """Make, bring in and revoke keys; a secret one never goes into the repository.

    Example: foresaid ledger key new foresaid/registry --to ~/foresaid.key
    """


@key.command(name="new")
@click.argument("name", help="What the key signs as: the origin of the log, or the name of a witness or author.")
@click.option(
    "--kind", type=click.Choice(["log", "witness", "author"]), default="log", show_default=True, help="What the key is for."
)
@click.option("--to", "path", type=FILE, required=True, help="The new file; its owner alone may read it.")
def key_new(name: str, kind: str, path: Path) -> dict[str, str]:
    """Make a key pair and print the public half, as it stands in a policy.

    Example: foresaid ledger key new foresaid/registry --to ~/foresaid.key
    """
    import os

    from foresaid.ledger.log import keys

    made = keys.write(name, kind, os.urandom(32), path)
    click.echo(f"log {made.vkey}" if kind == "log" else f"{kind} {name} {made.vkey}")  # as a policy has it
    return {"kind": kind, "name": name, "vkey": made.vkey, "file": str(path)}


@key.command(name="add")
@click.argument("vkey", help="The public half as `foresaid ledger key new` prints it: NAME+ID+KEY (C2SP signed-note).")
@click.option("--reason", required=True, help="Why; it is published.")
def key_add(vkey: str, reason: str) -> Appended:
    """Say that a key signs for this log, from the checkpoint after the next on.

    Example: foresaid ledger key add foresaid/registry+bd1d20b8+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c --reason "new host"
    """
    return append([entry_of(type="key/v1", vkey=vkey, status="added", reason=reason)])


@key.command(name="revoke")
@click.argument("vkey", help="The public half as `foresaid ledger key new` prints it: NAME+ID+KEY (C2SP signed-note).")
@click.option("--reason", required=True, help="Why; it is published.")
def key_revoke(vkey: str, reason: str) -> Appended:
    """Say that a key signs for this log no more, from the checkpoint after the next on.

    Example: foresaid ledger key revoke foresaid/registry+bd1d20b8+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c --reason "lost"
    """
    return append([entry_of(type="key/v1", vkey=vkey, status="revoked", reason=reason)])


@click.command()
@click.argument("path", type=THERE, help="The policy, a text file; see registry/ledger/README.md.")
def policy(path: Path) -> dict[str, int]:
    """Copy a trust policy, and the roots beside it in tsa/, into the ledger. A reader's own copy still wins.

    Example: foresaid ledger policy ../my/policy.txt
    """
    from foresaid.ledger import store
    from foresaid.ledger.layout import POLICY
    from foresaid.ledger.log import policy as policies

    loaded = policies.load(path)
    files = {POLICY: path.read_bytes(), **{f"tsa/{name}.pem": data for name, data in loaded.roots.items()}}
    store.write_files(project().ledger, files, replaced=tuple(files))
    click.echo(f"policy: {len(loaded.witnesses)} witnesses, {len(loaded.authorities)} authorities, {loaded.stamps} stamps wanted")
    return {"witnesses": len(loaded.witnesses), "authorities": len(loaded.authorities), "stamps": loaded.stamps}


@click.command()
@click.argument("batch", type=BATCH)
@click.option("--key", "path", type=THERE, required=True, help="The author's secret key.")
def sign(batch: str, path: Path) -> dict[str, str]:
    """Sign a batch as its author, where the policy has a line `author <name> <vkey>`. It can be done at any time.

    Example: foresaid ledger sign 5bb486448f40ed2f948e0dd258add19dbea7b4653a934ce22b9ba0caf272d442 --key ~/author.key
    """
    from foresaid.ledger import store
    from foresaid.ledger.log import keys

    author = store.sign_batch(project().ledger, batch, keys.read(path, "author"))
    click.echo(f"batch {batch}, by {author}: signed")
    return {"batch": batch, "author": author}


class Cosignature(TypedDict):
    """A witness's line under a checkpoint: of which log, at which size in batches, and whether it was written there."""

    origin: str
    size: int
    line: str
    written: bool


class Stamped(TypedDict):
    """What is stamped (a batch or the newest checkpoint), the files written, and by when an authority says it existed (UTC)."""

    subject: str
    files: list[str]
    authority: str | None
    existed_by: str | None


class Inclusion(TypedDict):
    """A batch in a log: its origin, size in batches and root (RFC 9162, hexadecimal); the proof's file, or the proof itself."""

    batch: str
    origin: str
    size: int
    root: str
    proof: str


class Checkpoint(TypedDict):
    """The log's size in batches, its root (RFC 9162) in hexadecimal, and whether it is signed."""

    size: int
    root: str
    signed: bool


@click.command()
@click.option("--key", "path", type=THERE, help="The log's secret key; without it the checkpoint is not signed.")
@click.option("--hand-over", is_flag=True, help="Let pending key/v1 entries in: other keys sign from the next checkpoint on.")
def checkpoint(path: Path | None, hand_over: bool) -> Checkpoint:
    """Put pending batches into the log and sign its state. On the main branch only.

    Example: foresaid ledger checkpoint --key ~/foresaid.key
    """
    from foresaid import params
    from foresaid.ledger import store, timestamping
    from foresaid.ledger.log import keys

    signer = keys.read(path, "log") if path else None
    made = store.sequence(project().ledger, params.load(project().params).origin, signer, hand_over)
    if hand_over:
        timestamping.anchor(project().ledger)  # readers walk to the new key over this checkpoint
    click.echo(f"checkpoint: size {made.size}, root {made.root.hex()}, {'signed' if signer else 'not signed'}")
    return {"size": made.size, "root": made.root.hex(), "signed": signer is not None}


@click.command()
@click.option("--key", "path", type=THERE, required=True, help="The witness's secret key.")
@click.option("--state", type=FILE, required=True, help="What the witness remembers; kept by the witness.")
@click.option("--policy", type=THERE, help="Policy that names the log's key; else the ledger's copy.")
@click.option("--ledger", "place", type=click.Path(path_type=Path, file_okay=False), default=None, help="The ledger to look at.")
@click.option("--write", is_flag=True, help="Also put the line under log/checkpoint.")
def witness(path: Path, state: Path, policy: Path | None, place: Path | None, write: bool) -> Cosignature:
    """Cosign the newest checkpoint, if the log only grew since this witness last looked. Follows key/v1 entries.

    Example: foresaid ledger witness --key ~/witness.key --state ~/witness.json --policy policy.txt
    """
    from foresaid.errors import LedgerError
    from foresaid.ledger import layout, timestamping
    from foresaid.ledger.log import keys, manifest
    from foresaid.ledger.log import witness as work
    from foresaid.ledger.verify import signers as hand_over

    wanted = policy_of(policy)
    if wanted.log is None:
        raise LedgerError("witness: the policy names no key of a log; give --policy")
    place = place or project().ledger
    head = (place / layout.CHECKPOINT).read_bytes()
    names, _ = manifest.parse_manifest((place / layout.MANIFEST).read_bytes())
    found = manifest.parse_checkpoint(head)
    seen = work.read(state, found.origin)
    proof = work.consistency(seen.size, names[: found.size]) if seen.size <= found.size <= len(names) else []
    may_sign = hand_over.signers(place, wanted, found)
    line = work.cosign(
        head, seen.size, proof, seen, may_sign, keys.read(path, "witness"), int(datetime.now(UTC).timestamp()),
        lambda new: work.write(state, new),
    )  # fmt: skip
    if write:
        timestamping.add_cosignature(place, line)
    click.echo(line.decode("utf-8"), nl=False)
    return {"origin": found.origin, "size": found.size, "line": line.decode("utf-8").rstrip("\n"), "written": write}


def kept_options(command: Callable[P, R]) -> Callable[P, R]:
    """One option for each kind of stamp beside RFC 3161, to keep a proof."""
    for kind in reversed(KINDS):
        command = click.option(f"--{kind.NAME}", type=THERE, help=f"Keep a proof by {kind.TITLE} over the subject.")(command)
    return command


@click.command()
@click.option("--request", "request", type=FILE, help="Write a request (.tsq) to send to an authority.")
@click.option("--response", "response", type=THERE, help="Keep a reply (.tsr) that came back.")
@click.option("--sent", type=THERE, help="The request the reply answers; its nonce must come back.")
@click.option("--authority", help="Name of the authority in the policy.")
@click.option("--batch", default="", type=BATCH, help="Stamp this batch instead of the newest checkpoint; works before the merge.")
@kept_options
@click.option("--policy", type=THERE, help="Your own trust policy, with roots beside it in tsa/.")
def stamp(
    request: Path | None, response: Path | None, sent: Path | None, authority: str | None, batch: str, policy: Path | None,
    **other: Path | None,
) -> Stamped:  # fmt: skip
    """Prove time: write a request, send it with curl, keep the reply. Nothing here uses the network.

    Example: foresaid ledger stamp --request subject.tsq, then
    curl -H 'Content-Type: application/timestamp-query' --data-binary @subject.tsq ADDRESS > reply.tsr, then
    foresaid ledger stamp --response reply.tsr --authority NAME
    """
    from foresaid import files
    from foresaid.errors import ParameterError
    from foresaid.ledger import timestamping

    if sum(item is not None for item in (request, response, *other.values())) != 1:
        raise ParameterError(f"stamp: expected one of --request, --response and {', '.join(f'--{kind.NAME}' for kind in KINDS)}")
    made: Stamped = {"subject": batch or "checkpoint", "files": [], "authority": authority, "existed_by": None}
    if request is not None:
        made["files"].append(str(request))
        files.write_bytes(request, timestamping.request(project().ledger, batch))
        click.echo(f"{request}: a request over {timestamping.to_stamp(project().ledger, batch)}")
    for kind in KINDS:
        if (proof := other.get(kind.NAME)) is not None:
            kept = timestamping.accept_other(project().ledger, proof.read_bytes(), kind)
            made["files"].append(str(kept))
            click.echo(f"{kind.TITLE}: {kept}; without {kind.TRUSTED.replace('-', ' ')} of your own it proves no time")
    if response is not None:
        if authority is None:
            raise ParameterError("stamp: expected --authority, the name the policy gives it")
        before = sent.read_bytes() if sent else None
        proved = timestamping.accept(project().ledger, response.read_bytes(), authority, policy_of(policy), batch, before)
        made["existed_by"] = f"{proved:%Y-%m-%dT%H:%M:%SZ}"
        click.echo(f"{authority}: existed by {made['existed_by']}")
    return made


@click.command()
@click.argument("batch", type=BATCH)
@click.option("--to", "path", type=FILE, help="Write the proof here.")
@click.option("--check", "proof", type=THERE, help="Check this proof instead; needs no ledger.")
@click.option("--policy", type=THERE, help="Policy the proof's checkpoint must satisfy.")
@click.option("--ledger", "place", type=click.Path(path_type=Path, file_okay=False, exists=True),
              help="With --check: a ledger whose key/v1 entries lead from the policy's key to the one that signed.")  # fmt: skip
def prove(batch: str, path: Path | None, proof: Path | None, policy: Path | None, place: Path | None) -> Inclusion:
    """Write a C2SP .tlog-proof that a batch is in the log, or check one.

    Example: foresaid ledger prove 9e482a6653c65cce28706c1c854ad1b2851ee32770f76ca6e441114d97a9c53c --to mine.tlog-proof
    """
    from foresaid import files
    from foresaid.ledger import layout
    from foresaid.ledger.log import inclusion_proof as work
    from foresaid.ledger.log import manifest
    from foresaid.ledger.verify import signers as hand_over

    if proof is not None:
        read, wanted = work.parse(proof.read_bytes()), policy_of(policy)
        may_sign = hand_over.signers(place, wanted, manifest.parse_checkpoint(read.checkpoint)) if place and wanted.log else []
        head = work.check(read, batch, wanted, may_sign)
        click.echo(f"batch {batch} is in {head.origin}, size {head.size}, root {head.root.hex()}")
        return {"batch": batch, "origin": head.origin, "size": head.size, "root": head.root.hex(), "proof": str(proof)}
    names, _ = manifest.parse_manifest((project().ledger / layout.MANIFEST).read_bytes())
    checkpoint = (project().ledger / layout.CHECKPOINT).read_bytes()
    made, head = work.prove(batch, names, checkpoint).encode(), manifest.parse_checkpoint(checkpoint)
    if path is None:
        click.echo(made.decode("utf-8"), nl=False)
    else:
        files.write_bytes(path, made)
        click.echo(f"{path}: proof of batch {batch}")
    written = made.decode("utf-8") if path is None else str(path)
    return {"batch": batch, "origin": head.origin, "size": head.size, "root": head.root.hex(), "proof": written}
