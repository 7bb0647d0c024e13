"""A log that shows two faces: forks and rollbacks brought to a witness, signed notes with a bit flipped."""

from __future__ import annotations

import random
from collections.abc import Iterator
from hashlib import sha256

from tests.attacks import build
from tests.attacks import world as worlds
from tests.attacks.mutate import room
from tests.attacks.table import Scale, Tally, timed

from foresaid.errors import LedgerError
from foresaid.ledger import layout
from foresaid.ledger.log import checkpoint, manifest, signed_note, witness
from foresaid.ledger.log.manifest import Checkpoint
from foresaid.ledger.log.policy import Policy


def names(prefix: str, number: int) -> list[str]:
    """Names of batches."""
    return [sha256(f"{prefix}{order}".encode()).hexdigest() for order in range(number)]


def signed(listed: list[str]) -> bytes:
    """The checkpoint of these batches, signed by the log."""
    head = Checkpoint(build.ORIGIN, len(listed), manifest.root(listed))
    return head.encode() + worlds.SIGNER.sign(head.text)


def brought(seen: witness.WitnessedState, old: int, listed: list[str], proof: list[bytes]) -> bool:
    """Whether the witness cosigns."""
    kept: list[witness.WitnessedState] = []
    try:
        line = witness.cosign(signed(listed), old, proof, seen, [worlds.SIGNER.verifier], worlds.WATCHER, 1, kept.append)
    except LedgerError:
        return False
    return bool(line) and len(kept) == 1


def remembered_wrongly(scale: Scale) -> Tally:
    """A bit of the checkpoint flips in memory between hashing and signing: nothing may be signed (a log once died of it)."""
    chance = random.Random(scale.seed)
    with room() as place, timed(Tally("a bit flipped in memory before signing is signed")) as tally:
        folder = build.build(place / "ledger", 12)
        again = checkpoint.reread_elsewhere(folder)
        sound = manifest.parse_checkpoint((folder / layout.CHECKPOINT).read_bytes())
        if not checkpoint.sign(sound, worlds.SIGNER, again):
            raise AssertionError("the sound checkpoint is not signed")
        for order in range(scale.of(50, 1000, 1000)):
            size, root = sound.size, bytearray(sound.root)
            if order % 10 == 0:
                size ^= 1 << chance.randrange(20)
            else:
                bit = order % 256 if order < 256 else chance.randrange(256)
                root[bit // 8] ^= 1 << bit % 8
            try:
                checkpoint.sign(Checkpoint(sound.origin, size, bytes(root)), worlds.SIGNER, again)
                tally.count(False, f"size {size}, root {root.hex()}")
            except LedgerError:
                tally.count(True)
            except Exception as error:
                tally.escaped(error, f"size {size}")
    return tally


def attacks(scale: Scale) -> Iterator[Tally]:
    """Forks, rollbacks, honest growth; flips in a note with two signers."""
    chance = random.Random(scale.seed)
    number = scale.of(50, 2000, 2000)
    forks, growths = Tally("witness cosigns a fork or a rollback"), Tally("witness refuses honest growth")
    for order in range(number):
        size = chance.randrange(1, 60)
        base = names("a", 120)
        seen = witness.WitnessedState(build.ORIGIN, size, manifest.root(base[:size]))
        new = chance.randrange(size, 120)
        with timed(growths):
            growths.count(brought(seen, size, base[:new], witness.consistency(size, base[:new])), f"{size} to {new}")
        kind = order % 6
        changed = [*base[:new]]
        place = chance.randrange(size)
        if kind == 0:
            changed[place] = names("b", 1)[0]
        elif kind == 1:
            del changed[place]
        elif kind == 2:
            changed.insert(place, names("b", 1)[0])
        elif kind == 3 and size > 1:
            other = (place + 1) % size
            changed[place], changed[other] = changed[other], changed[place]
        elif kind == 4:
            changed = base[: size - 1]
        else:
            changed = [*names("c", size), *changed[size:]]
        true_proof = witness.consistency(size, base[:new])
        proofs = [true_proof, [], [chance.randbytes(32) for _ in true_proof]]
        if size <= len(changed):
            proofs.append(witness.consistency(size, changed))
        with timed(forks):
            accepted = any(brought(seen, old, changed, proof) for proof in proofs for old in (size, len(changed), 0))
            forks.count(not accepted, f"kind {kind}, size {size}")
    yield forks
    yield growths
    two = signed(names("a", 5))
    two = checkpoint.with_signature(two, worlds.WATCHER.sign(signed_note.parse_note(two).text, 7))
    policy = Policy(log=worlds.SIGNER.verifier, witnesses={"a": worlds.WATCHER.verifier}, quorum="a")
    with timed(Tally("a note with one bit flipped passes for signed by both")) as tally:
        for place in range(8 * len(two)):
            changed_note = bytearray(two)
            changed_note[place // 8] ^= 1 << place % 8
            try:
                found = checkpoint.judge(bytes(changed_note), policy)
                tally.count(bool(found.wrong or found.missing), f"bit {place}")
            except LedgerError:
                tally.count(True)
            except Exception as error:
                tally.escaped(error, f"bit {place}")
    yield tally
    yield remembered_wrongly(scale)
