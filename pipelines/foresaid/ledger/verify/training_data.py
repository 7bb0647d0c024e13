"""Training snapshots read again at verify time: are they what a batch named, and had they seen an answer?

A snapshot (`ledger/training_snapshots.py`) is a file of canonical lines, one training row each; `subject_id` and `known_on` of each
row are looked at. A row of a model that a forecast of the batch is about, under any of its names, is a leak, and so is a row
that became known after the batch's cut-off.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from foresaid import confusables
from foresaid.confusables import skeleton
from foresaid.errors import LeakError, LedgerError
from foresaid.ledger import training_snapshots
from foresaid.ledger.entries.schema import Data
from foresaid.ledger.entries.targets import TargetEntry, known_digest


@dataclass(frozen=True)
class TrainingSubjects:
    """What a snapshot holds: its digest and size, the row known last, each subject with its first row, and the digest of the rows
    of each target (a curve names the digest of its own).
    """

    sha256: str
    bytes: int
    rows: int
    latest: str
    latest_row: int
    subjects: Mapping[str, int]
    bodies: frozenset[str]


def read(path: Path, stated: int) -> TrainingSubjects:
    """Read a snapshot line by line, up to the number of bytes that its batch states."""
    digest, size, rows, latest, latest_row = sha256(), 0, 0, "", 0
    subjects: dict[str, int] = {}
    bodies: set[str] = set()
    body, about = sha256(), ""
    for rows, line in enumerate(training_snapshots.lines(path, stated), start=1):  # the count is wanted after the loop
        digest.update(line)
        size += len(line)
        try:
            row = json.loads(line)
            subject, known_on, target = str(row["subject_id"]), str(row["known_on"]), str(row.get("target_id", ""))
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
            raise LedgerError(f"line {rows}: found no training row, expected subject_id and known_on") from None
        if target != about and rows > 1:
            bodies.add(body.hexdigest())
            body = sha256()
        about = target
        body.update(line)
        subjects.setdefault(subject, rows)
        if known_on > latest:
            latest, latest_row = known_on, rows
    bodies.add(body.hexdigest())
    return TrainingSubjects(digest.hexdigest(), size, rows, latest, latest_row, subjects, frozenset(bodies))


def read_known(folder: Path, digest: str) -> list[str]:
    """The list of models that were known when a target was set, by its digest; LedgerError where it is absent or another one."""
    path = folder / f"{digest}.txt"
    try:
        found = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise LedgerError(f"the list of known models {digest} is absent") from None
    if known_digest(found) != digest:
        raise LedgerError(f"the list of known models {digest} holds other names than its digest says")
    return found


def look(name: str, aliases: Mapping[str, str]) -> str:
    """How the model behind a name looks: another effort or scaffold of a target is the target."""
    return skeleton(confusables.resolve(confusables.model_of(name), aliases))


def again(target: TargetEntry, subjects: Iterable[str], aliases: Mapping[str, str]) -> dict[str, str]:
    """Outcome subjects that are an earlier one under another name (an alias, a merged id, another effort), led to that one.

    One model would count twice. Where each system of a model is an outcome, its systems are told apart.
    """
    first: dict[tuple[str, str], str] = {}
    found = {}
    for name in filter(None, subjects):
        system = name.removeprefix(confusables.model_of(name)) if target.system == "each" else ""
        earlier = first.setdefault((look(name, aliases), system), name)
        if earlier != name:
            found[name] = earlier
    return found


def problems(
    seen: TrainingSubjects, item: Data, as_of: str, models: Collection[str], aliases: Mapping[str, str]
) -> list[tuple[str, str, str]]:
    """What is wrong with a snapshot, as (what, found, expected): other bytes, late rows, rows of a target."""
    found = []
    for what, is_, should in (
        ("SHA-256", seen.sha256, item.sha256),
        ("bytes", str(seen.bytes), str(item.bytes)),
        ("rows", str(seen.rows), str(item.rows)),
        ("last day", seen.latest or item.max_observed_on, item.max_observed_on),
    ):
        if is_ != should:
            found.append((f"data {item.name}: another {what}", is_, should))
    if seen.latest > as_of:
        found.append((f"data {item.name}: row {seen.latest_row} was known after the cut-off", seen.latest, f"at most {as_of}"))
    try:
        wanted = {look(model, aliases): model for model in models}
        named = {name: look(name, aliases) for name in seen.subjects} if wanted else {}
    except LeakError as error:
        return [*found, (f"data {item.name}: {error}", "", "")]
    for name, seems in named.items():
        if seems in wanted:
            what = f"data {item.name}: row {seen.subjects[name]} belongs to target {wanted[seems]}"
            found.append((what, name.encode("ascii", "backslashreplace").decode("ascii"), "no row of a model that is forecast"))
    return found
