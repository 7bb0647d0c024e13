"""The trust policy: whose signatures and whose time stamps a reader wants to see, and how many.

The lines `log`, `witness`, `group` and `quorum` are those of C2SP tlog-policy. Four keywords are ours: `tsa` names a
time-stamping authority by the SHA-256 of its root certificate, `stamps` says how many of them must agree. A policy without any
key or authority is lawful and proves no time. What is needed must stand in the policy and is never guessed from what is
there. `author` gives an author's public key, one line a key: batches in that name must then be signed by it. `fresh` says how many
days old the newest cosignature may be. The copy in the ledger is a convenience: a reader's own wins.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

from foresaid.errors import LedgerError, UnreadableError
from foresaid.ledger.entries import fields
from foresaid.ledger.layout import POLICY
from foresaid.ledger.log.signed_note import LOG, WITNESS, Verifier, parse_vkey

POLICY_BYTES = 64 * 1024
_WORD = re.compile(r"[a-z0-9][a-z0-9._/-]{0,63}")
_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Policy:
    """Whose signatures and stamps are wanted: the log's key, witnesses and groups of them, authorities, counts."""

    log: Verifier | None = None
    witnesses: Mapping[str, Verifier] = field(default_factory=dict)
    groups: Mapping[str, tuple[int, tuple[str, ...]]] = field(default_factory=dict)
    quorum: str = "none"
    authorities: Mapping[str, str] = field(default_factory=dict)  # name -> SHA-256 of the root's PEM file
    stamps: int = 0
    roots: Mapping[str, bytes] = field(default_factory=dict)  # name -> PEM, as far as they were found
    authors: Mapping[str, tuple[Verifier, ...]] = field(default_factory=dict)  # author -> the keys that may sign for them
    fresh: int = 0  # days; 0: the age of the newest cosignature is told and not judged

    def satisfied(self, seen: Collection[str]) -> bool:
        """Whether cosignatures by these witnesses make up the quorum.

        >>> Policy(groups={"two": (2, ("a", "b", "c"))}, quorum="two").satisfied({"a", "c"})
        True
        """
        if self.quorum == "none":
            return True
        if self.quorum in self.groups:
            needed, members = self.groups[self.quorum]
            return sum(self._member(name, seen) for name in members) >= needed
        return self.quorum in seen

    def _member(self, name: str, seen: Collection[str]) -> bool:
        if name in self.groups:
            needed, members = self.groups[name]
            return sum(self._member(one, seen) for one in members) >= needed
        return name in seen


@dataclass
class _Draft:
    log: Verifier | None = None
    witnesses: dict[str, Verifier] = field(default_factory=dict)
    groups: dict[str, tuple[int, tuple[str, ...]]] = field(default_factory=dict)
    quorum: str | None = None
    authorities: dict[str, str] = field(default_factory=dict)
    stamps: int | None = None
    authors: dict[str, tuple[Verifier, ...]] = field(default_factory=dict)
    fresh: int | None = None


def _log(draft: _Draft, words: list[str]) -> None:
    if draft.log is not None or len(words) not in (1, 2):
        raise LedgerError("expected one line `log <vkey>`")
    draft.log = parse_vkey(words[0])
    if draft.log.kind != LOG:
        raise LedgerError("expected a key of a log")


def _witness(draft: _Draft, words: list[str]) -> None:
    if len(words) not in (2, 3) or not _WORD.fullmatch(words[0]) or words[0] == "none":
        raise LedgerError("expected `witness <name> <vkey>`")
    _new(draft, words[0])
    draft.witnesses[words[0]] = parse_vkey(words[1])
    if draft.witnesses[words[0]].kind != WITNESS:
        raise LedgerError("expected a key of a witness")


def _group(draft: _Draft, words: list[str]) -> None:
    if len(words) < 3 or not _WORD.fullmatch(words[0]) or words[0] == "none":
        raise LedgerError("expected `group <name> <any|all|number> <member>...`")
    _new(draft, words[0])
    members = tuple(words[2:])
    if len(set(members)) != len(members) or any(name not in draft.witnesses and name not in draft.groups for name in members):
        raise LedgerError("expected members that stand above it, each once")
    named = {"any": 1, "all": len(members)}
    needed = named[words[1]] if words[1] in named else int(words[1]) if re.fullmatch(r"[1-9][0-9]?", words[1]) else 0
    if not 1 <= needed <= len(members):
        raise LedgerError(f"found {words[1][:20]!a}, expected any, all or a number from 1 to {len(members)}")
    draft.groups[words[0]] = (needed, members)


def _quorum(draft: _Draft, words: list[str]) -> None:
    if draft.quorum is not None or len(words) != 1 or words[0] not in {"none", *draft.witnesses, *draft.groups}:
        raise LedgerError("expected one line `quorum <name>` of a witness or group above it, or `quorum none`")
    draft.quorum = words[0]


def _authority(draft: _Draft, words: list[str]) -> None:
    if len(words) != 2 or not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,63}", words[0]) or not _HASH.fullmatch(words[1]):
        raise LedgerError("expected `tsa <authority> <SHA-256 of its root's PEM file>`")
    if words[0] in draft.authorities or words[1] in draft.authorities.values():
        raise LedgerError(f"authority {words[0]} or its root stands here a second time")
    draft.authorities[words[0]] = words[1]


def _stamps(draft: _Draft, words: list[str]) -> None:
    if draft.stamps is not None or len(words) != 1 or not re.fullmatch(r"[0-9]", words[0]):
        raise LedgerError("expected one line `stamps <number>`")
    draft.stamps = int(words[0])


def _author(draft: _Draft, words: list[str]) -> None:
    if len(words) != 2 or not re.fullmatch(fields.ID, words[0]):
        raise LedgerError("expected `author <name> <vkey>`")
    key = parse_vkey(words[1])
    if key.kind != LOG:
        raise LedgerError("expected an author's key; `foresaid ledger key new --kind author` makes one")
    if key in draft.authors.get(words[0], ()):
        raise LedgerError(f"the key {key.vkey} stands here a second time")
    draft.authors[words[0]] = (*draft.authors.get(words[0], ()), key)


def _fresh(draft: _Draft, words: list[str]) -> None:
    if draft.fresh is not None or len(words) != 1 or not re.fullmatch(r"[1-9][0-9]{0,3}", words[0]):
        raise LedgerError("expected one line `fresh <days>`")
    draft.fresh = int(words[0])


def _new(draft: _Draft, name: str) -> None:
    if name in draft.witnesses or name in draft.groups:
        raise LedgerError(f"name {name} stands here a second time")


_KEYWORDS: dict[str, Callable[[_Draft, list[str]], None]] = {
    "log": _log,
    "witness": _witness,
    "group": _group,
    "quorum": _quorum,
    "tsa": _authority,
    "stamps": _stamps,
    "author": _author,
    "fresh": _fresh,
}


def parse(data: bytes) -> Policy:
    """Read a policy; an unknown keyword is refused.

    >>> parse(b"# nobody\\nquorum none\\n") == Policy()
    True
    """
    if len(data) > POLICY_BYTES or not re.fullmatch(rb"[ -~\t\n]*", data):
        raise LedgerError(f"{POLICY}: expected ASCII text of at most {POLICY_BYTES} bytes")
    draft = _Draft()
    for number, line in enumerate(data.decode("ascii").split("\n"), start=1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if words[0] not in _KEYWORDS:
            raise LedgerError(f"{POLICY}, line {number}: found {words[0][:40]!a}, expected one of {', '.join(_KEYWORDS)}")
        try:
            _KEYWORDS[words[0]](draft, words[1:])
        except LedgerError as error:
            raise LedgerError(f"{POLICY}, line {number}: {error}") from None
    if draft.quorum is None and (draft.witnesses or draft.log):
        raise LedgerError(f"{POLICY}: expected a line `quorum`; what is needed is never guessed")
    if draft.stamps is None and draft.authorities:
        raise LedgerError(f"{POLICY}: expected a line `stamps`; what is needed is never guessed")
    if (draft.stamps or 0) > len(draft.authorities):
        raise LedgerError(f"{POLICY}: found stamps {draft.stamps}, expected at most {len(draft.authorities)}, the authorities")
    if draft.fresh and not draft.witnesses:
        raise LedgerError(f"{POLICY}: found fresh {draft.fresh} without a witness, expected one whose cosignature has an age")
    return Policy(
        draft.log, draft.witnesses, draft.groups, draft.quorum or "none", draft.authorities, draft.stamps or 0,
        authors=draft.authors, fresh=draft.fresh or 0,
    )  # fmt: skip


def with_roots(policy: Policy, roots: Mapping[str, bytes]) -> Policy:
    """The policy with the root certificates it pins; one with another hash is refused."""
    kept = {}
    for name, wanted in policy.authorities.items():
        if name not in roots:
            raise LedgerError(f"tsa/{name}.pem: found no such file, expected the root that {POLICY} pins")
        if (found := sha256(roots[name]).hexdigest()) != wanted:
            raise LedgerError(f"tsa/{name}.pem: found SHA-256 {found}, expected {wanted}, which {POLICY} pins")
        kept[name] = roots[name]
    return replace(policy, roots=kept)


def load(path: Path) -> Policy:
    """Read a policy file and the roots beside it in `tsa/`."""
    try:
        policy = parse(path.read_bytes())
        folder = path.parent / "tsa"
        roots = {name: (folder / f"{name}.pem").read_bytes() for name in policy.authorities if (folder / f"{name}.pem").is_file()}
    except OSError as error:
        raise UnreadableError(f"{path}: cannot be read: {error.strerror}") from None
    return with_roots(policy, roots)
