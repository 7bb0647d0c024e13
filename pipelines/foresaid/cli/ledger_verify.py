"""The commands that look and change nothing: is the ledger whole, does a page show all of it, what is proven of a forecast."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import click

from foresaid.cli._ledger_context import THERE
from foresaid.cli.group import P, R, project
from foresaid.cli.names import ENTRY
from foresaid.cli.output import leave_with
from foresaid.ledger.log.stamp_kinds import KINDS

if TYPE_CHECKING:
    from foresaid.ledger.entries.batch import Batch
    from foresaid.ledger.state.index import Clock
    from foresaid.ledger.verify.verify import Evidence, Finding


class Verified(TypedDict):
    """What every check found. `exit` is the exit code; `findings` are wrong, `incomplete` is evidence that is missing."""

    checkpoint: dict[str, Any] | None
    checks: list[str]
    counts: dict[str, int]
    accounting: dict[str, int]
    findings: list[dict[str, Any]]
    incomplete: list[dict[str, Any]]
    notes: list[str]
    pending: list[str]
    time: str
    exit: int


class Shown(TypedDict):
    """A target in words, or the forecasts under an id or in a batch, with state, versions, scores and what is proven."""

    target: list[str]
    forecasts: list[dict[str, Any]]


class Heads(TypedDict):
    """The batches without a child, the number of all, and those that no checkpoint covers yet."""

    heads: list[str]
    batches: int
    pending: list[str]


def trusted_options(command: Callable[P, R]) -> Callable[P, R]:
    """One option for each kind of stamp, by which a reader brings what they trust."""
    for kind in reversed(KINDS):
        command = click.option(f"--{kind.TRUSTED}", type=THERE, help=kind.TRUSTED_WORDS)(command)
    return command


def _evidence(
    policy: Path | None,
    known: Sequence[Path],
    data: Path | None,
    trusted: Mapping[str, Path | None],
    page: Path | None,
    asked: set[str],
) -> Evidence:
    from foresaid.ledger.log import git_history
    from foresaid.ledger.log import policy as policies
    from foresaid.ledger.provenance import adopted_digest
    from foresaid.ledger.verify.verify import Evidence
    from foresaid.project import KNOWN
    from foresaid.registry.same_model import names

    return Evidence(
        policy=policies.load(policy) if policy else None,
        known=tuple(path.read_bytes() for path in known),
        history=git_history.read(project().ledger) if project().ledger.is_dir() else None,
        data=data or project().snapshots,
        known_models=project().registry / KNOWN,
        aliases=names(project().registry),
        trusted={
            kind.NAME: kind.parse_trusted(path.read_text(encoding="ascii", errors="replace"))
            for kind in KINDS
            if (path := trusted.get(kind.TRUSTED.replace("-", "_")))
        },
        report=page.read_bytes() if page else None,
        adopted=adopted_digest(project().registry / "adopted"),
        now=datetime.now(UTC),
        asked=frozenset(asked),
    )


@click.command()
@click.option("--policy", type=THERE, help="Your own trust policy, with roots beside it in tsa/; else the ledger's copy.")
@click.option("--known", type=THERE, multiple=True, help="A checkpoint you kept; the log must continue it.")
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), help="Folder of training snapshots, <sha256>.jsonl.gz.")
@trusted_options
@click.option("--git", "asked_git", is_flag=True, help="The git history must be there to check (else exit 5).")
@click.option("--strict", is_flag=True, help="Batches that no checkpoint covers yet count as incomplete evidence (exit 5).")
def verify(
    policy: Path | None,
    known: tuple[Path, ...],
    data: Path | None,
    asked_git: bool,
    strict: bool,
    **trusted: Path | None,
) -> Verified:
    """Check the ledger: V01 to V20. Exit 0 when all checks passed, 5 when evidence is incomplete.

    Example: foresaid verify --known my-checkpoint
    """
    asked = {"V16"} | ({"V13"} if asked_git else set())
    return _verify(_evidence(policy, known, data, trusted, None, asked), strict)


def _verify(evidence: Evidence, strict: bool, only: tuple[str, ...] = (), also: Sequence[Finding] = ()) -> Verified:
    from foresaid.fitting.frozen_curve import from_plain
    from foresaid.ledger.state import accounting
    from foresaid.ledger.verify import verify as check

    checks = {name: item for name, item in check.CHECKS.items() if not only or name in only or name in check.INTEGRITY}
    if only:
        checks["V10"] = check.CHECKS["V10"]
    result = check.verify(project().ledger, check_curve=from_plain, checks=checks, evidence=evidence)
    result = replace(result, findings=(*result.findings, *also))
    code = result.exit_code(strict)
    leave_with(code)
    for finding in result.findings:
        click.echo(str(finding), err=True)
    for finding in result.incomplete:
        click.echo(f"incomplete: {finding}", err=True)
    if 3 in {number for number, members in check.EXITS.items() if {f.code for f in result.findings} & set(members)}:
        for title, data in (*(("you kept", one) for one in evidence.known), ("here", result.head)):
            click.echo(f"the checkpoint {title}:\n{_printable(data)}", err=True)
    if result.checkpoint is not None:
        click.echo(
            f"checkpoint: signed by {result.signed_by}" if result.signed_by else "checkpoint: signed by no key of the policy"
        )
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
    return {**result.as_dict(), "exit": code}  # type: ignore[typeddict-item]  # as_dict has these keys


SHOWN_BYTES = 8192  # no checkpoint is longer


def _printable(data: bytes) -> str:
    """Bytes of somebody else's for a terminal: printable ASCII and line ends, all else as its escape."""
    text = data[:SHOWN_BYTES].decode("ascii", "backslashreplace")
    return "".join(sign if sign == "\n" or " " <= sign <= "~" else f"\\x{ord(sign):02x}" for sign in text)


@click.command(name="verify-report")
@click.argument("page", help="The page, or the folder of a whole site.", type=click.Path(exists=True, path_type=Path))
@click.option("--policy", type=THERE, help="Your own trust policy.")
def verify_report(page: Path, policy: Path | None) -> Verified:
    """Check that a ledger page shows every forecast, once, with a state and scores that are true. Exit 7 if one is not.

    PAGE is the page, or the folder of a whole site: then the page and data file of every forecast, the claimed scores of the first
    page, the entries as downloads and the feed are checked too. The scores are computed anew from the ledger, and the adopted forms
    compared with those that the newest batch names.

    \b
    Example: foresaid ledger verify-report reports/site/ledger.html
             foresaid ledger verify-report reports/site
    """
    from functools import partial

    from foresaid.errors import UnreadableError
    from foresaid.pipeline import score

    place = page / "ledger.html" if page.is_dir() else page
    if not place.is_file():
        raise UnreadableError(f"{place}: found no such file, expected the ledger page of a site; run `foresaid report`")
    evidence = replace(_evidence(policy, (), None, {}, place, set()), figures=partial(score.figures, project().registry))
    also = _site(page, evidence) if page.is_dir() else []
    return _verify(evidence, strict=False, only=("V17", "V18"), also=also)


def _site(site: Path, evidence: Evidence) -> list[Finding]:
    """What the other pages and data files of a site say otherwise than the ledger; nothing where the ledger does not verify."""
    from foresaid.errors import LedgerError
    from foresaid.ledger import store
    from foresaid.ledger.state.index import Clock, moment
    from foresaid.ledger.verify import page as shown
    from foresaid.ledger.verify import verify as check
    from foresaid.pipeline import score
    from foresaid.report import ledger_check, targets

    result = check.verify(project().ledger, evidence=check.Evidence(policy=evidence.policy))
    try:
        _, data = shown.read(evidence.report or b"")
    except LedgerError:
        return []  # the check of the ledger page itself says so
    if result.findings:
        return []
    clock = Clock(moment(data["on"]) if data["on"] else None, result.policy.stamps > 0, result.proved)
    done = score.scored(project().registry, clock)
    batches = store.read(project().ledger)
    read_again = targets.read(batches, clock, done.accounts, targets.snapshots(batches, project().snapshots))
    known = ledger_check.Known(
        result, done.accounts, batches, done.table, done.crossings, clock, read_again, evidence.policy is not None
    )
    return list(ledger_check.check(site, known))


@click.command()
@click.argument("entry", type=ENTRY)
@click.option("--policy", type=THERE, help="Your own trust policy.")
def show(entry: str, policy: Path | None) -> Shown:
    """Show a forecast: target, prediction, outcome, its scores, what is proven and what not. ENTRY: its id, or a batch.

    Of a target, ROUND/TARGET, it says in words what is forecast, by when, by what rule, how sure, and what would be a surprise.

    With --json whole curves are there too.

    Example: foresaid ledger show 2026-12/gsm8k_cot/observational
    """
    from foresaid.errors import ParameterError
    from foresaid.ledger import store
    from foresaid.ledger.state import evidence as standing
    from foresaid.ledger.state import story
    from foresaid.ledger.state.index import Clock
    from foresaid.ledger.verify import verify as check
    from foresaid.pipeline import score

    whole: dict[str, Batch] = {}
    result = check.verify(project().ledger, evidence=_evidence(policy, (), None, {}, None, set()), whole=whole)
    batches = standing.batches_by_name(result)
    found = [account for account in result.accounts if entry in (account.id, account.batch)]
    full = [] if result.findings else store.in_full(result, whole)
    clock = Clock(datetime.now(UTC), result.policy.stamps > 0, result.proved)
    if not found and (told_of := _target(entry, full, clock, datetime.now(UTC).date())):
        click.echo("\n".join(told_of))
        return {"target": told_of, "forecasts": []}
    if not found:
        raise ParameterError(
            f"show: found no forecast, target or batch {entry!a}, expected one of the {len(result.accounts)} in the ledger"
        )
    done = score.scored(project().registry, clock, batches=full) if full else None
    tables = (done.table, done.crossings) if done is not None else ([], [])
    read, every = story.read(full, clock), []
    for account in found:
        told = story.whole(read, result, account, batches, *tables)
        every.append(told)
        click.echo(f"{account.id} by {account.author}: {account.state}{f' ({account.reason})' if account.reason else ''}")
        for line in story.lines(told):
            click.echo(f"  {line}")
        for title, lines in (("proven", told["proven"]), ("not proven", told["not_proven"])):
            click.echo(f"  {title}:")
            for line in lines:
                click.echo(f"    - {line}")
    return {"target": [], "forecasts": every}


def _target(entry: str, full: Sequence[Batch], clock: Clock, today: date) -> list[str]:
    """What is to be said of a target, ROUND/TARGET; nothing where the ledger has none of that name."""
    from foresaid.evaluation import target_story
    from foresaid.ledger.entries.fields import aim_of
    from foresaid.ledger.state.index import gather
    from foresaid.ledger.state.versions import versions

    facts = gather(full)
    aim = (entry.partition("/")[0], entry.partition("/")[2])
    if aim not in facts.targets:
        return []
    primary = {key for key, (_, one) in facts.forecasts.items() if getattr(one, "primary", False)}
    primary |= {key for key, (_, one) in facts.reveals.items() if one.forecast.primary}
    said = [
        target_story.Said(author, name.rpartition("/")[2], (author, name) in primary, made)
        for (author, name), found in versions(full, clock).items()
        if aim_of(name) == aim
        for _, made, counts in found
        if counts
    ]
    outcomes = [
        f"outcome {subject}: {one[0].value}, known {one[0].known_at}, {one[0].source}"
        for subject, one in sorted(facts.outcomes(aim).items())
    ]
    told = target_story.lines(facts.targets[aim], said, today)
    return [entry, *told, *(outcomes or ["outcome: none in the ledger yet"])]


@click.command()
def heads() -> Heads:
    """List the batches that have no child yet, and what waits for a checkpoint.

    Example: foresaid ledger heads
    """
    from foresaid.ledger import store
    from foresaid.ledger.verify import verify as check

    result = check.verify(project().ledger, checks=check.INTEGRITY)
    found = store.heads(project().ledger)
    for name in found:
        click.echo(f"{name}{'  pending' if name in result.pending else ''}")
    click.echo(
        f"heads: {len(result.batches)} batches, {len(result.pending)} wait for `foresaid ledger checkpoint` on the main branch"
    )
    return {"heads": list(found), "batches": len(result.batches), "pending": sorted(result.pending)}
