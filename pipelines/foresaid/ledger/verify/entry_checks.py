"""Checks V14 to V18: entries agree, seals open, nothing leaked, and no forecast is missing from a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from foresaid.errors import ForesaidError, LedgerError, UnreadableError
from foresaid.ledger import layout, training_snapshots
from foresaid.ledger.entries import commitment
from foresaid.ledger.entries import schema as entries
from foresaid.ledger.entries.batch import Batch
from foresaid.ledger.entries.fields import aim_of
from foresaid.ledger.entries.resolutions import Resolution
from foresaid.ledger.entries.schema import Amendment, ForecastEntry, Inner, Reveal, Sealed, TargetEntry
from foresaid.ledger.entries.target_rules import training_of
from foresaid.ledger.state.accounting import accounts, sequenced, universe
from foresaid.ledger.state.index import gather, moment
from foresaid.ledger.verify import page as report_check
from foresaid.ledger.verify import training_data
from foresaid.ledger.verify.page import Verdict
from foresaid.ledger.verify.snapshot import Finding, Snapshot
from foresaid.ledger.verify.training_data import TrainingSubjects


def v14_entries(snapshot: Snapshot) -> Iterator[Finding]:
    """V14: ids are unique and look it, references lead somewhere, an author has one primary forecast for a target."""
    for clash in snapshot.clashes:
        path = layout.batch_path(clash.sha256)
        yield Finding("V14", path, clash.what, clash.found, clash.expected, clash.line)
    for name, reason in snapshot.rejected.items():
        yield Finding("V14", layout.batch_path(name), f"is not let into the log: {reason}", incomplete=True)


def v15_seals(snapshot: Snapshot) -> Iterator[Finding]:
    """V15: every opening has the hash that was sealed."""
    sealed: dict[tuple[str, str], Sealed] = {}
    for batch in snapshot.in_order():
        for number, entry in batch.lines:
            if isinstance(entry, Sealed):
                sealed.setdefault((batch.header.author, entry.id), entry)
            elif isinstance(entry, Reveal):
                mine = sealed.get((batch.header.author, entry.opens))
                if mine is not None and not commitment.opens(entry, mine):
                    found = commitment.commit(bytes.fromhex(entry.nonce), entry.forecast)
                    yield Finding("V15", layout.batch_path(batch.sha256), "opens to another hash", found, mine.commit, number)


def aims_of(batch: Batch) -> set[tuple[str, str]]:
    """The targets, as round and id, about which a batch says a forecast or amends one."""
    aims = {aim_of(one.id) for one in batch.entries if isinstance(one, ForecastEntry | Sealed)}
    aims |= {aim_of(one.opens) for one in batch.entries if isinstance(one, Reveal)}
    return aims | {aim_of(one.amends) for one in batch.entries if isinstance(one, Amendment)}


def v16_data(snapshot: Snapshot) -> Iterator[Finding]:
    """V16: the training snapshots are those that were named, and no row of them is an answer, whenever the answer was entered.

    Nor was any model of an outcome known when its target was set: the list of known models is one of the snapshots.
    """
    folder, asked = snapshot.evidence.data, "V16" in snapshot.evidence.asked
    targets = {(e.round, e.id): e for batch in snapshot.in_order() for e in batch.entries if isinstance(e, TargetEntry)}
    looks: dict[str, frozenset[str]] = {}  # how the models of a list look, by its digest
    about = {aim: {target.model} for aim, target in targets.items() if target.model is not None}
    for batch in snapshot.in_order():
        for number, entry in batch.lines:
            if isinstance(entry, Resolution) and isinstance(entry.subject, str):
                about.setdefault((entry.round, entry.target), set()).add(entry.subject)
            if isinstance(entry, Resolution) and entry.value is not None:
                yield from _known(snapshot, batch, number, entry, targets.get((entry.round, entry.target)), looks)
    yield from _again(snapshot, targets) if about else ()
    seen: dict[str, TrainingSubjects | None] = {}
    for batch in snapshot.in_order():
        models = {model for aim in aims_of(batch) for model in about.get(aim, ())}
        path = layout.batch_path(batch.sha256)
        for item in batch.header.data:
            if item.sha256 not in seen:
                seen[item.sha256] = None
                try:
                    seen[item.sha256] = _read(folder, item)
                except LedgerError as error:
                    yield Finding("V16", path, f"data {item.name}: {error}", line=1)
                if seen[item.sha256] is None and asked:
                    what = f"data {item.name}: snapshot not checked, {item.sha256} is absent; `foresaid freeze` makes it anew"
                    yield Finding("V16", path, what, incomplete=True)
            one = seen[item.sha256]
            if one is not None:
                for what, found, expected in training_data.problems(
                    one, item, batch.header.as_of, models, snapshot.evidence.aliases
                ):
                    yield Finding("V16", path, what, found, expected, line=1)
        read = [seen[item.sha256] for item in batch.header.data]
        yield from _fitted(batch, [one for one in read if one is not None], all(read))


def _again(snapshot: Snapshot, targets: Mapping[tuple[str, str], TargetEntry]) -> Iterator[Finding]:
    """One model entered as two outcomes of a target, under two names."""
    facts = gather(snapshot.in_order())
    for aim in facts.resolutions:
        twice = training_data.again(targets[aim], facts.outcomes(aim), snapshot.evidence.aliases) if aim in targets else {}
        for name, earlier in twice.items():
            what = f"outcome of {'/'.join(aim)} entered again under another name"
            yield Finding("V16", layout.MANIFEST, what, name, f"only {earlier}, which is the same model")


def _fitted(batch: Batch, read: Sequence[TrainingSubjects], whole: bool) -> Iterator[Finding]:
    """Curves whose own rows are not among the rows that the batch names; where one snapshot is absent nothing can be said."""
    bodies = {body for one in read for body in one.bodies} | {one.sha256 for one in read}
    for number, entry in batch.lines if whole and read else ():
        bare = entry.forecast if isinstance(entry, Reveal) else entry
        if isinstance(bare, ForecastEntry | Amendment | Inner):
            told = training_of(bare.prediction) or {}
            digest = told.get("sha256")
            if isinstance(digest, str) and digest not in bodies:
                what = "fitted on other rows than the batch names"
                yield Finding("V16", layout.batch_path(batch.sha256), what, digest, "rows of one target in its data", number)


def _known(
    snapshot: Snapshot,
    batch: Batch,
    number: int,
    entry: Resolution,
    target: TargetEntry | None,
    looks: dict[str, frozenset[str]],
) -> Iterator[Finding]:
    """An outcome of a model that was known when its target was set."""
    model = entry.subject if isinstance(entry.subject, str) else target.model if target is not None else None
    if target is None or model is None or snapshot.evidence.known_models is None:
        return
    path = layout.batch_path(batch.sha256)
    try:
        if target.known not in looks:
            names = training_data.read_known(snapshot.evidence.known_models, target.known)
            looks[target.known] = frozenset(training_data.look(name, snapshot.evidence.aliases) for name in names)
    except LedgerError as error:
        yield Finding("V16", path, f"outcome of {target.round}/{target.id} not checked: {error}", line=number, incomplete=True)
        return
    if training_data.look(model, snapshot.evidence.aliases) in looks[target.known]:
        yield Finding("V16", path, "outcome of a model that was known when its target was set", model, "a later one", number)


def _read(folder: Path | None, item: entries.Data) -> TrainingSubjects | None:
    path = training_snapshots.find(folder, item.sha256)
    if path is None:
        return None
    try:
        return training_data.read(path, item.bytes)
    except UnreadableError:
        return None


def v17_claims(snapshot: Snapshot) -> Iterator[Finding]:
    """V17: no data of a batch is later than its cut-off, nor that than the batch; no page shows a late forecast as prior."""
    for name, batch in snapshot.batches.items():
        for what, found, expected in claims(batch.header):
            yield Finding("V17", layout.batch_path(name), what, found, expected, line=1)
        claimed = moment(batch.header.frozen_at)
        limits = (
            ("in the future", snapshot.evidence.now),
            ("after the moment by which it is proved", snapshot.stamped.proved.get(name)),
        )
        for what, at in limits:
            if at is not None and claimed > at:
                expected = f"at most {at:%Y-%m-%dT%H:%M:%SZ}"
                yield Finding("V17", layout.batch_path(name), f"frozen_at is {what}", batch.header.frozen_at, expected, line=1)
    yield from (Finding("V17", "page", what, found, expected) for what, found, expected in _page(snapshot).untrue)


def claims(header: entries.Header) -> list[tuple[str, str, str]]:
    """Dates of a header that contradict each other, as (what, found, expected)."""
    problems = []
    if header.as_of > header.frozen_at[:10]:
        problems.append(("as_of is after frozen_at", header.as_of, f"at most {header.frozen_at[:10]}"))
    for item in header.data:
        if item.max_observed_on > header.as_of:
            what = f"data {item.name} holds something observed after as_of"
            problems.append((what, item.max_observed_on, f"at most {header.as_of}"))
    return problems


def v18_accounting(snapshot: Snapshot) -> Iterator[Finding]:
    """V18: every forecast line has one state, and a page shows every forecast of the ledger once, with that state."""
    lines, found = sequenced(snapshot.in_order()), len(snapshot.accounts)
    if lines != found:
        yield Finding("V18", layout.MANIFEST, "forecasts without a state of their own", f"{found} states", f"{lines}, one a line")
    yield from (Finding("V18", "page", what, found, expected) for what, found, expected in _page(snapshot).missing)
    if snapshot.evidence.report is not None:
        yield from (Finding("V18", "adopted", what, incomplete=True) for what in adopted_changes(snapshot))


def adopted_changes(snapshot: Snapshot) -> list[str]:
    """Adopted forms that differ from those that the newest batch in the log names: lawful, and worth a look at what changed."""
    named = [batch for batch in snapshot.in_order() if batch.index is not None and isinstance(batch.header.code.adopted, str)]
    if not named or not snapshot.evidence.adopted or named[-1].header.code.adopted == snapshot.evidence.adopted:
        return []
    return [
        f"the adopted forms are not those that batch {named[-1].sha256} names: found SHA-256 {snapshot.evidence.adopted}, "
        f"expected {named[-1].header.code.adopted}"
    ]


def _page(snapshot: Snapshot) -> Verdict:
    """The page compared with the ledger as it stood when the page was made."""
    if snapshot.evidence.report is None:
        return Verdict()
    try:
        seen, data = report_check.read(snapshot.evidence.report)
    except LedgerError as error:
        return Verdict(missing=[(str(error), "", "")])
    on = moment(data["on"]) if data["on"] is not None else None
    clock = replace(snapshot.clock, now=on)
    found = accounts(snapshot.in_order(), clock)
    shown = universe(snapshot.in_order(), found)
    try:
        scores = snapshot.evidence.figures(clock) if snapshot.evidence.figures is not None else None
    except ForesaidError as error:
        return Verdict(missing=[(f"the scores cannot be computed: {error}", "", "")])
    return report_check.compare(seen, data, snapshot.listed[: snapshot.size], snapshot.checkpoint, found, shown, scores)
