"""Which key of the log may sign which checkpoint: the reader's own key first, then what `key/v1` entries say.

A `key/v1` entry takes effect from the checkpoint after the one that first holds it. So a new key is brought in, and an old one sent
away, only by a checkpoint that a key still in force has signed; that checkpoint is kept as an anchor, and a reader who knows the
first key walks from anchor to anchor to the newest. A reader who pins a later key begins at the first checkpoint it signed; what
is older is bound by the log's growth (V12) alone. A key that left may come back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from foresaid.errors import LedgerError
from foresaid.ledger.entries.batch import Batch
from foresaid.ledger.entries.resolutions import Key
from foresaid.ledger.log import checkpoint
from foresaid.ledger.log.checkpoint import Judgement
from foresaid.ledger.log.policy import Policy
from foresaid.ledger.log.signed_note import LOG, Verifier, parse_vkey


@dataclass(frozen=True)
class KeyChange:
    """A key of the log that comes or goes: place of the batch that says so, whether it comes, the key."""

    place: int
    added: bool
    key: Verifier


def changes(batches: Iterable[Batch], origin: str) -> list[KeyChange]:
    """The changes of this log's keys, in the order of the log; keys of other names (witnesses) are notices and change nothing."""
    found = []
    for batch in batches:
        for entry in batch.entries:
            if isinstance(entry, Key) and batch.index is not None:
                try:
                    key = parse_vkey(entry.vkey)
                except LedgerError:
                    continue  # the schema has named it already
                if key.name == origin and key.kind == LOG:
                    found.append(KeyChange(batch.index, entry.status == "added", key))
    return found


def in_force(first: Verifier, told: Sequence[KeyChange], size: int) -> list[Verifier]:
    """The keys that may sign the checkpoint after one of this size."""
    keys = {first.vkey: first}
    for change in told:
        if change.place < size:
            if change.added:
                keys[change.key.vkey] = change.key
            else:
                keys.pop(change.key.vkey, None)
    return list(keys.values())


@dataclass
class _Walk:
    """A reader's way over checkpoints of rising size: which keys may sign the next one."""

    policy: Policy
    first: Verifier
    told: Sequence[KeyChange]
    begun: bool  # whether a key in force has signed one, or the reader's own key was there from the start
    held: int = 0  # size of the largest checkpoint so far that a key in force has signed

    @property
    def keys(self) -> list[Verifier]:
        return in_force(self.first, self.told, self.held)

    def step(self, size: int, data: bytes) -> Judgement:
        """Judge the next checkpoint; only one whose signature holds hands over."""
        found = [checkpoint.judge(data, replace(self.policy, log=key)) for key in self.keys]
        if not found:
            return replace(checkpoint.judge(data, replace(self.policy, log=None)), wrong=("every key of the log was revoked",))
        best = min(found, key=lambda one: len(one.wrong))
        if not best.wrong:
            self.held, self.begun = size, True
        return best


def _walk(policy: Policy, first: Verifier, told: Sequence[KeyChange]) -> _Walk:
    mine = [change for change in told if change.key == first]
    return _Walk(policy, first, told, begun=not (mine and mine[0].added))


def judge_all(heads: Mapping[int, bytes], policy: Policy, told: Sequence[KeyChange]) -> dict[int, Judgement]:
    """Judge checkpoints (bytes by size, the newest last), each by the keys in force after the one before it.

    Only a checkpoint whose signature holds hands over: what stands in one that nobody in force has signed brings in no key.
    """
    if policy.log is None:
        return {size: checkpoint.judge(data, policy) for size, data in sorted(heads.items())}
    walk, judged = _walk(policy, policy.log, told), {}
    for size, data in sorted(heads.items()):
        found = walk.step(size, data)
        if walk.begun or size == max(heads):
            judged[size] = found
    return judged


def signers(heads: Mapping[int, bytes], policy: Policy, told: Sequence[KeyChange]) -> list[Verifier]:
    """The keys that may sign the checkpoint after these (bytes by size), for a reader of this policy; none where it names none."""
    if policy.log is None:
        return []
    walk = _walk(policy, policy.log, told)
    for size, data in sorted(heads.items()):
        walk.step(size, data)
    return walk.keys


def may_sign(key: Verifier, told: Sequence[KeyChange], size: int) -> str:
    """Why this key may not sign the checkpoint after one of this size; nothing when it may."""
    mine = [change for change in told if change.key == key]
    if not mine:
        return ""
    before = [change for change in mine if change.place < size]
    if not before and mine[0].added:
        return "the checkpoint that brings a key in is signed by one that was in force before it"
    return "it was revoked" if before and not before[-1].added else ""
