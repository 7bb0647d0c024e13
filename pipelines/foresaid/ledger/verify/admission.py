"""Which pending batches may go into the log: two branches can be merged that both froze, and nobody speaks in another's name.

Batches are added on any branch, so what is pending may contradict what is in the log, or another pending batch, or claim to
be by an author whose key the policy has and who did not sign it. Such a batch is rejected: it stays where it is, is listed
with the reason, counts for nothing, and stops nobody. What is in the log goes before what is pending; of two pending ones,
parents go first, then the lower name. A child of a rejected batch is rejected with it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from foresaid.errors import LedgerError
from foresaid.ledger import layout
from foresaid.ledger.entries import rules
from foresaid.ledger.entries.batch import Batch
from foresaid.ledger.log import author_signature

if TYPE_CHECKING:
    from foresaid.ledger.verify.snapshot import Snapshot


def unsigned(snapshot: Snapshot) -> dict[str, str]:
    """Batches in the name of an author of the policy without a good signature by one of their keys, with the reason."""
    found = {}
    for name, batch in snapshot.batches.items():
        keys = snapshot.policy.authors.get(batch.header.author, ())
        data = snapshot.files.get(layout.signature_path(name))
        if not keys:
            continue
        if data is None:
            found[name] = f"is in the name of {batch.header.author}, who did not sign it; `foresaid ledger sign` does"
            continue
        try:
            author_signature.check(data, batch.header.origin, name, keys)
        except LedgerError as error:
            found[name] = f"is in the name of {batch.header.author}, but {error}"
    return found


def sift(
    batches: Sequence[Batch], listed: Collection[str], redacted: Collection[str], waiting: Mapping[str, str]
) -> tuple[dict[str, str], list[rules.Clash]]:
    """The pending batches that are rejected, each with the reason, and what contradicts itself among the rest.

    `batches` are in the order of the log, pending ones last; `waiting` are batches that lack their author's signature.
    """
    rejected = {batch.sha256: waiting[batch.sha256] for batch in batches if batch.sha256 in waiting and batch.sha256 not in listed}
    while True:
        for batch in batches:
            gone = [parent for parent in batch.header.parents if parent in rejected]
            if gone and batch.sha256 not in listed:
                rejected.setdefault(batch.sha256, f"its parent {gone[0]} is not let in")
        clashes = rules.clashes([batch for batch in batches if batch.sha256 not in rejected], redacted)
        first = next((clash for clash in clashes if clash.sha256 not in listed), None)
        if first is None:
            return rejected, clashes
        rejected[first.sha256] = f"line {first.line}: {first.what}: found {first.found}, expected {first.expected}"
