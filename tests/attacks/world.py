"""Everybody who vouches for the ledger under attack: the log's key, a witness, two time-stamping authorities, a reader.

The reader keeps a policy, the authorities' roots and perhaps an earlier checkpoint *beside* the ledger, where no attack reaches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from tests.attacks import authority, build
from tests.attacks.authority import Authority

from foresaid.ledger import store, timestamping
from foresaid.ledger.layout import CHECKPOINT
from foresaid.ledger.log import manifest, policy
from foresaid.ledger.log.policy import Policy
from foresaid.ledger.log.signed_note import LOG, WITNESS, Signer
from foresaid.ledger.verify.snapshot import Evidence
from foresaid.ledger.verify.verify import VerificationResult, verify

# The keys of the golden example of the threat model.
SIGNER = Signer(build.ORIGIN, LOG, b"\x01" * 32)
WATCHER = Signer("witness.example/a", WITNESS, b"\x02" * 32)
WITNESSED_AT = 1_795_226_400  # 2026-11-21T02:00:00Z
NOW = datetime(2026, 11, 22, tzinfo=UTC)


@dataclass(frozen=True)
class World:
    """A place for the reader's own files, the authorities, and the policy in two strengths."""

    place: Path
    authorities: tuple[Authority, ...]
    watched: Policy  # wants the log's key, the witness, and both authorities
    alone: Policy  # the same without a witness

    def evidence(self, known: Sequence[bytes] = (), watched: bool = True) -> Evidence:
        """What the reader brings."""
        return Evidence(policy=self.watched if watched else self.alone, known=tuple(known), now=NOW)

    def verify(self, folder: Path, known: Sequence[bytes] = (), watched: bool = True) -> VerificationResult:
        """The real check with the reader's evidence."""
        return verify(folder, build.ORIGIN, evidence=self.evidence(known, watched))

    def check(self, folder: Path) -> int:
        """Exit code, strict, with a witness in the policy and no memory."""
        return self.verify(folder).exit_code(strict=True)

    def check_alone(self, folder: Path) -> int:
        """Exit code, strict, with neither witness nor memory."""
        return self.verify(folder, watched=False).exit_code(strict=True)

    def vouch(self, folder: Path, watched: bool = True, signer: Signer = SIGNER) -> None:
        """Sign the newest state, have it cosigned, anchor it and have both authorities stamp it."""
        store.sequence(folder, build.ORIGIN, signer, hand_over=True)
        if watched:
            head = manifest.parse_checkpoint((folder / CHECKPOINT).read_bytes())
            line = WATCHER.sign(head.text, WITNESSED_AT + head.size)
            timestamping.add_cosignature(folder, line)
        for one in self.authorities:
            request = timestamping.request(folder)
            timestamping.accept(folder, one.reply(request), one.name, self.watched, sent=request)

    def build(self, folder: Path, batches: int = build.BATCHES) -> Path:
        """A ledger of so many batches: signed, witnessed and stamped twice, half-way and at the end."""
        build.create(folder)
        files = {"policy.txt": (self.place / "policy.txt").read_bytes()}
        files |= {f"tsa/{one.name}.pem": one.root for one in self.authorities}
        store.write_files(folder, files)
        for number in range(batches):
            name = build.write(folder, build.entries_of(number), minutes=10 * number)
            if number == batches // 2:
                self.vouch(folder)
        request = timestamping.request(folder, name)
        timestamping.accept(folder, self.authorities[0].reply(request), self.authorities[0].name, self.watched, name, request)
        self.vouch(folder)
        return folder


def make(place: Path) -> World:
    """Keys, authorities and policy, in a folder of the reader's own."""
    authorities = tuple(authority.make(name, place / name) for name in ("tsa1", "tsa2"))
    lines = [f"log {SIGNER.verifier.vkey}", f"witness a {WATCHER.verifier.vkey}", "quorum a"]
    lines += [f"tsa {one.name} {sha256(one.root).hexdigest()}" for one in authorities]
    lines += ["stamps 2", ""]
    (place / "policy.txt").write_text("\n".join(lines), encoding="ascii")
    (place / "tsa").mkdir()
    for one in authorities:
        (place / "tsa" / f"{one.name}.pem").write_bytes(one.root)
    watched = policy.load(place / "policy.txt")
    return World(place, authorities, watched, replace(watched, quorum="none"))
