"""The ledger on disk: adding a batch, giving batches an order, reading them back.

A batch is one file, named by the SHA-256 of its bytes and written once: any branch may add one, and two branches merge
without a conflict. Only `sequence` touches the two files of the log; it is meant for the protected main branch. Every
write goes to a temporary file, is flushed to the disk and then takes its name in one step, so that a kill or a full
disk leaves either the old state or the new one. Nothing is ever added to a ledger that does not verify.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from foresaid.errors import SHOWN, LedgerError
from foresaid.files import flush_folder
from foresaid.ledger import layout
from foresaid.ledger.durable import add, complete_sums, replace_file, writing
from foresaid.ledger.entries import commitment, rules
from foresaid.ledger.entries import schema as entries
from foresaid.ledger.entries.batch import Batch, read_batch
from foresaid.ledger.entries.resolutions import Redaction
from foresaid.ledger.entries.schema import CheckCurve, Code, Data, Entry, Header
from foresaid.ledger.layout import CHECKPOINT, MANIFEST
from foresaid.ledger.log import author_signature, key_rotation, signed_note
from foresaid.ledger.log import checkpoint as checkpoints
from foresaid.ledger.log import manifest as log
from foresaid.ledger.log.manifest import Checkpoint
from foresaid.ledger.log.signed_note import Signer
from foresaid.ledger.verify.verify import INTEGRITY, Finding, VerificationResult, claims, verify

DRIFT = timedelta(minutes=5)  # two machines' clocks; more is a wrong clock and is refused


def create(ledger: Path, origin: str) -> Checkpoint:
    """Make an empty ledger: an empty manifest, and a checkpoint of size 0 with the root of the empty tree."""
    checkpoint = Checkpoint(origin, 0, log.root([]))
    data = checkpoint.encode()
    try:
        (ledger / MANIFEST).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LedgerError(f"{ledger}: cannot be made: {error.strerror}") from None
    with writing(ledger):
        add(ledger / MANIFEST, b"")
        add(ledger / CHECKPOINT, data)
    return checkpoint


def _whole(
    ledger: Path, origin: str | None, check_curve: CheckCurve | None = None, whole: dict[str, Batch] | None = None
) -> VerificationResult:
    result = verify(ledger, origin, check_curve, INTEGRITY, whole=whole)
    _refuse(ledger, result.findings)
    return result


def _refuse(ledger: Path, findings: Sequence[Finding]) -> None:
    if findings:
        lines = [f"{ledger}: the ledger does not verify: {len(findings)} findings"]
        lines += [str(finding) for finding in findings[:SHOWN]]
        if len(findings) > SHOWN:
            lines.append(f"... and {len(findings) - SHOWN} more")
        raise LedgerError("\n".join(lines))


def read(ledger: Path, origin: str | None = None, check_curve: CheckCurve | None = None) -> list[Batch]:
    """All batches in the order of the log, pending ones (`index` is None) last; a ledger that is not whole is refused."""
    whole: dict[str, Batch] = {}
    return in_full(_whole(ledger, origin, check_curve, whole), whole)


def read_checked(ledger: Path) -> tuple[list[Batch], VerificationResult]:
    """The same, and what all checks found; refused is only what is refused by `read`."""
    whole: dict[str, Batch] = {}
    result = verify(ledger, whole=whole)
    _refuse(ledger, [finding for finding in result.findings if finding.code in INTEGRITY])
    return in_full(result, whole), result


def in_full(result: VerificationResult, whole: Mapping[str, Batch]) -> list[Batch]:
    """The batches of a ledger that was just verified and found whole, in its order, from all that was read."""
    return [replace(whole[outline.sha256], index=outline.index) for outline in result.batches]


def read_admitted(ledger: Path, origin: str | None = None) -> tuple[list[Batch], dict[str, list[str]]]:
    """The same, and by author the names of batches that wait for their author's signature."""
    whole: dict[str, Batch] = {}
    result = _whole(ledger, origin, whole=whole)
    waiting: dict[str, list[str]] = {}
    for name, author in result.unsigned.items():
        waiting.setdefault(author, []).append(name)
    return in_full(result, whole), waiting


def sign_batch(ledger: Path, batch: str, signer: Signer) -> str:
    """Write the author's signature of a batch, pending or in the log; return the author whose name it has."""
    path = ledger / layout.batch_path(batch)
    if not path.is_file():
        raise LedgerError(f"{path}: no such batch")
    made, _ = read_batch(batch, path.read_bytes())
    if made is None or sha256(path.read_bytes()).hexdigest() != batch:
        raise LedgerError(f"{path}: is not a batch of that name; run `foresaid verify`")
    write_files(ledger, {layout.signature_path(batch): author_signature.sign(made.header.origin, batch, signer)})
    return made.header.author


def read_checkpoint(ledger: Path) -> Checkpoint:
    """The newest checkpoint, as it stands in the file."""
    try:
        return log.parse_checkpoint((ledger / CHECKPOINT).read_bytes())
    except OSError as error:
        raise LedgerError(f"{ledger / CHECKPOINT}: cannot be read: {error.strerror}") from None
    except LedgerError as error:
        raise LedgerError(f"{ledger / CHECKPOINT}: {error}") from None


def heads(ledger: Path) -> list[str]:
    """Names of the batches that no other batch names as its parent, sorted: the parents of the next one."""
    return _heads(_whole(ledger, None).batches)


def _heads(batches: Sequence[Batch]) -> list[str]:
    parents = {parent for batch in batches for parent in batch.header.parents}
    return sorted({batch.sha256 for batch in batches} - parents)


def write_batch(
    ledger: Path,
    lines: Sequence[Entry],
    *,
    origin: str,
    author: str,
    as_of: date,
    frozen_at: datetime,
    data: Sequence[Data],
    code: Code,
    parents: Sequence[str] | None = None,
    check_curve: CheckCurve | None = None,
) -> Path:
    """Freeze entries: write one batch under the name of its SHA-256 and return where it stands. It is then pending.

    The parents are the heads of the ledger unless given. Entries may refer to what is in the batch or in its
    ancestors. The same bytes again change nothing. Where the clock of this machine is behind that of a parent by no more than
    `DRIFT`, the batch takes its parent's time.
    """
    if not lines:
        raise LedgerError("nothing to freeze: the batch would have no entry")
    if frozen_at.tzinfo is None:
        raise LedgerError(f"frozen_at {frozen_at.isoformat()} has no time zone")
    with writing(ledger):
        old = _whole(ledger, origin)
        batches = list(old.batches)
        mine = sorted(set(_heads(batches) if parents is None else parents))
        header = Header(
            origin=origin,
            author=author,
            parents=mine,
            as_of=as_of.isoformat(),
            frozen_at=_after(frozen_at, [one.header.frozen_at for one in batches if one.sha256 in mine]),
            data=list(data),
            code=code,
            n=len(lines),
        )
        content = b"".join(entries.encode(line, number) for number, line in enumerate([header, *lines], start=1))
        name = sha256(content).hexdigest()
        path = ledger / layout.batch_path(name)
        if all(batch.sha256 != name for batch in batches):
            _admit(name, content, batches, check_curve, old.redacted)
            add(path, content)
    return path


def _after(frozen_at: datetime, parents: Sequence[str]) -> str:
    """The time of a batch: the clock's, or that of the newest parent where the clock is behind it by a little."""
    at = frozen_at.astimezone(UTC)
    newest = max((datetime.fromisoformat(one) for one in parents), default=at)
    return (newest if at < newest <= at + DRIFT else at).strftime("%Y-%m-%dT%H:%M:%SZ")


def _admit(name: str, content: bytes, batches: Sequence[Batch], check_curve: CheckCurve | None, redacted: Collection[str]) -> None:
    """Refuse a batch with which the ledger would not verify any more."""
    batch, bad = read_batch(name, content, check_curve)
    problems = [f"line {number}: {reason}" for number, reason in bad]
    if batch is not None:
        known = {other.sha256: other for other in batches}
        problems += [f"line 1: parent {parent} is not in the ledger" for parent in batch.header.parents if parent not in known]
        problems += [f"line 1: {what}: found {found}, expected {want}" for what, found, want in claims(batch.header)]
        ancestors, wave = set[str](), set(batch.header.parents)
        while wave:
            ancestors |= wave
            wave = {up for one in wave if one in known for up in known[one].header.parents} - ancestors
        line_of_descent = [other for other in batches if other.sha256 in ancestors]
        found_clashes = rules.clashes([*line_of_descent, batch], redacted)
        if len(line_of_descent) < len(batches):
            found_clashes += rules.clashes([*batches, batch], redacted)
        problems += _closed(batch, line_of_descent)
        clashes = dict.fromkeys(clash for clash in found_clashes if clash.sha256 == name)
        problems += [f"line {c.line}: {c.what}: found {c.found}, expected {c.expected}" for c in clashes]
    if problems:
        shown = [*problems[:SHOWN], *([f"... and {len(problems) - SHOWN} more"] if len(problems) > SHOWN else [])]
        raise LedgerError("\n".join(["the batch is refused, nothing was written", *shown]))


def may_add(ledger: Path, lines: Sequence[Entry], author: str) -> None:
    """Refuse entries that the rules would refuse as they stand; nothing is written."""
    batches = _whole(ledger, None).batches
    code = Code(git=None, dirty=False, version="0")
    rows = Data(name="own", sha256="0" * 64, bytes=0, rows=0, max_observed_on="9999-12-31")  # named when it is opened
    header = Header(
        origin="", author=author, parents=[], as_of="9999-12-31", frozen_at="9999-12-31T00:00:00Z", data=[rows], code=code,
        n=len(lines),
    )  # fmt: skip
    batch = Batch("", header, tuple(enumerate(lines, start=1)))
    problems = [clash for clash in rules.clashes([*batches, batch]) if clash.sha256 == ""]
    if problems:
        shown = [f"line {c.line}: {c.what}: found {c.found}, expected {c.expected}" for c in problems[:SHOWN]]
        raise LedgerError("\n".join(["refused, nothing was written", *shown]))


def _closed(batch: Batch, before: Sequence[Batch]) -> list[str]:
    """Openings of this batch whose hash is not the one that was sealed."""
    mine = [entry for one in [*before, batch] if one.header.author == batch.header.author for entry in one.entries]
    sealed = {entry.id: entry for entry in mine if isinstance(entry, entries.Sealed)}
    return [
        f"line {number}: opens to another hash than was sealed under {entry.opens}"
        for number, entry in batch.lines
        if isinstance(entry, entries.Reveal) and entry.opens in sealed and not commitment.opens(entry, sealed[entry.opens])
    ]


def sequence(ledger: Path, origin: str, signer: Signer | None = None, hand_over: bool = False) -> Checkpoint:
    """Append pending batches to the manifest, parents first and ties by name, and move the checkpoint.

    The manifest is replaced first. Then everything is read from the disk again and the root computed anew; only if it is the
    same, and the checkpoint is still the one we started from, the new checkpoint takes its place. With a key, another process
    reads everything once more before anything is signed. After a crash in between the manifest is longer than the checkpoint
    says: the rest counts as pending, and the next call goes on. Pending key/v1 entries of this log are let in only by `hand_over`.
    """
    with writing(ledger):
        old = _whole(ledger, origin)
        before = (ledger / CHECKPOINT).read_bytes()
        if old.checkpoint is None or log.parse_checkpoint(before) != old.checkpoint:
            raise LedgerError(f"{ledger / CHECKPOINT}: changed while it was read")
        if not old.pending and (signer is None or _signed_by(before, signer)):
            return old.checkpoint
        if signer is None and signed_note.parse_note(before).signatures:
            raise LedgerError(f"{ledger / CHECKPOINT}: is signed, so the next one must be; give --key")
        _may_sign(ledger, old, origin, signer, hand_over)
        listed = [*old.listed, *(batch.sha256 for batch in old.batches if batch.index is None)]
        manifest = b"".join(log.manifest_line(name) for name in listed)
        if not manifest.startswith((ledger / MANIFEST).read_bytes()):
            raise LedgerError(f"{ledger / MANIFEST}: changed while it was read")
        new = Checkpoint(origin, len(listed), log.root(listed))
        replace_file(ledger / MANIFEST, manifest)
        again = _whole(ledger, origin)
        names, _ = log.parse_manifest((ledger / MANIFEST).read_bytes())
        if log.root(names) != new.root or {batch.sha256 for batch in again.batches} | set(again.redacted) != set(names):
            raise LedgerError(f"{ledger}: the root read back from the disk is another one; the checkpoint stays")
        data = new.encode() if signer is None else checkpoints.sign(new, signer, checkpoints.reread_elsewhere(ledger))
        if (ledger / CHECKPOINT).read_bytes() != before:
            raise LedgerError(f"{ledger / CHECKPOINT}: someone else moved it; the checkpoint stays")
        replace_file(ledger / CHECKPOINT, data)
        _whole(ledger, origin)
    return new


def _may_sign(ledger: Path, old: VerificationResult, origin: str, signer: Signer | None, hand_over: bool) -> None:
    """Refuse a key that the log has sent away or does not have yet, and a change of keys that nobody asked for."""
    size = len(old.listed)
    ahead = (replace(batch, index=size + i) for i, batch in enumerate(one for one in old.batches if one.index is None))
    told = key_rotation.changes([*(one for one in old.batches if one.index is not None), *ahead], origin)
    if not hand_over and any(change.place >= size for change in told):
        raise LedgerError(f"{ledger}: a pending key/v1 entry would change who signs; if it is meant, give --hand-over")
    if signer is not None and (reason := key_rotation.may_sign(signer.verifier, told, size)):
        raise LedgerError(f"{ledger}: the key {signer.verifier.vkey} may not sign: {reason}")


def _signed_by(data: bytes, signer: Signer) -> bool:
    return signed_note.check(signed_note.parse_note(data), signer.verifier) is not None


def write_files(ledger: Path, files: Mapping[str, bytes], replaced: Collection[str] = ()) -> None:
    """Add files beside the batches (anchors, replies, policy, roots), and their sums.

    A file that exists must have these bytes already, unless it is one that may be `replaced`.
    """
    with writing(ledger):
        complete_sums(ledger, replacing=[name for name in replaced if (ledger / name).exists()])
        for name, data in files.items():
            if name in replaced and (ledger / name).exists():
                replace_file(ledger / name, data)
            else:
                add(ledger / name, data)
        complete_sums(ledger)


def redact(ledger: Path, name: str) -> None:
    """Remove the bytes of a batch that a redaction/v1 line names; its line in the manifest stays."""
    with writing(ledger):
        old = _whole(ledger, None)
        named = {entry.batch for batch in old.batches for entry in batch.entries if isinstance(entry, Redaction)}
        if name not in named:
            raise LedgerError(f"batch {name}: no redaction/v1 line names it; the bytes stay")
        (ledger / layout.batch_path(name)).unlink()
        flush_folder((ledger / layout.batch_path(name)).parent)
