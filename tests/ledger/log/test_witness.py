"""Proofs as files, and a witness that signs only what continues what it saw."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.attacks.build import ORIGIN
from tests.ledger.log.test_signed_note import LOG_KEY, LOG_VKEY, WITNESS_KEY, WITNESS_VKEY
from tests.ledger.test_store import OPENING, forecast, write

from foresaid.errors import LedgerError
from foresaid.ledger import store
from foresaid.ledger.log import inclusion_proof, manifest, policy, witness
from foresaid.ledger.log.checkpoint import sign, with_signature
from foresaid.ledger.log.manifest import Checkpoint

NAMES = [f"{number:064x}" for number in range(9)]
POLICY = policy.parse(f"log {LOG_VKEY}\nquorum none\n".encode())


def signed(names: list[str]) -> bytes:
    head = Checkpoint(ORIGIN, len(names), manifest.root(names))
    return sign(head, LOG_KEY, (head.size, head.root.hex()))


def cosign(path: Path, names: list[str], old: int | None = None, proof_of: list[str] | None = None) -> bytes:
    seen = witness.read(path, ORIGIN)
    made = witness.consistency(seen.size, proof_of or names) if seen.size <= len(names) else []
    return witness.cosign(
        signed(names),
        seen.size if old is None else old,
        made,
        seen,
        [LOG_KEY.verifier],
        WITNESS_KEY,
        7,
        lambda s: witness.write(path, s),
    )


def test_every_batch_of_every_size_is_proved_and_no_other(tmp_path: Path) -> None:
    for size in range(1, len(NAMES) + 1):
        for name in NAMES[:size]:
            made = inclusion_proof.parse(inclusion_proof.prove(name, NAMES, signed(NAMES[:size])).encode())
            assert inclusion_proof.check(made, name, POLICY).size == size
            for other in set(NAMES) - {name}:
                with pytest.raises(LedgerError, match="does not lead"):
                    inclusion_proof.check(made, other, POLICY)


def test_a_proof_has_the_form_of_the_specification_and_no_flipped_bit_passes() -> None:
    data = inclusion_proof.prove(NAMES[4], NAMES, signed(NAMES)).encode()

    assert data.startswith(b"c2sp.org/tlog-proof@v1\nindex 4\n")
    for place in range(len(data)):
        for bit in range(8):
            changed = bytearray(data)
            changed[place] ^= 1 << bit
            with pytest.raises(LedgerError):
                inclusion_proof.check(inclusion_proof.parse(bytes(changed)), NAMES[4], POLICY)


def test_what_is_not_in_the_log_cannot_be_proved() -> None:
    with pytest.raises(LedgerError, match="not under the checkpoint"):
        inclusion_proof.prove(NAMES[5], NAMES, signed(NAMES[:5]))
    bare = inclusion_proof.prove(NAMES[1], NAMES, Checkpoint(ORIGIN, 9, manifest.root(NAMES)).encode())
    with pytest.raises(LedgerError, match="not signed"):
        inclusion_proof.check(bare, NAMES[1], POLICY)


def test_a_witness_follows_every_growth_and_refuses_every_fork_and_rollback(tmp_path: Path) -> None:
    accepted = refused = 0
    for old in range(len(NAMES) + 1):
        for new in range(len(NAMES) + 1):
            path = tmp_path / f"{old}-{new}.json"
            cosign(path, NAMES[:old])
            if new >= old:
                cosign(path, NAMES[:new])
                accepted += 1
            else:
                with pytest.raises(LedgerError, match="does not continue"):
                    cosign(path, NAMES[:new])
                refused += 1
            for changed in range(min(old, new)):
                fork = [*NAMES[:changed], "f" * 64, *NAMES[changed + 1 : new]]
                with pytest.raises(LedgerError, match="does not continue"):
                    cosign(path, fork, proof_of=fork if new >= old else None)
                refused += 1
    assert (accepted, refused) == (55, 330)


def test_the_memory_is_written_before_the_signature_is_given_away(tmp_path: Path) -> None:
    path = tmp_path / "seen.json"
    cosign(path, NAMES[:3])

    def crash(seen: witness.WitnessedState) -> None:
        raise OSError(28, "No space left on device")

    seen = witness.read(path, ORIGIN)
    made = witness.consistency(3, NAMES)
    with pytest.raises(OSError, match="No space"):
        witness.cosign(signed(NAMES), 3, made, seen, [LOG_KEY.verifier], WITNESS_KEY, 7, crash)
    assert json.loads(path.read_text())[ORIGIN]["size"] == 3
    with pytest.raises(LedgerError, match="last saw 3"):
        cosign(path, NAMES, old=2)
    path.write_text("{", encoding="ascii")
    with pytest.raises(LedgerError, match="memory cannot be read"):
        cosign(path, NAMES)


def test_a_witness_signs_nothing_the_log_did_not_sign(tmp_path: Path) -> None:
    seen = witness.read(tmp_path / "seen.json", ORIGIN)
    head = Checkpoint(ORIGIN, 2, manifest.root(NAMES[:2])).encode()

    with pytest.raises(LedgerError, match="not signed by"):
        witness.cosign(head, 0, [], seen, [LOG_KEY.verifier], WITNESS_KEY, 7, lambda s: None)


def test_a_signed_log_goes_on_only_with_its_key_and_a_quorum_is_required(tmp_path: Path) -> None:
    from foresaid.ledger.verify.verify import Evidence, verify

    folder = tmp_path / "ledger"
    store.create(folder, ORIGIN)
    write(folder, OPENING)
    store.sequence(folder, ORIGIN, LOG_KEY)
    wanted = policy.parse(f"log {LOG_VKEY}\nwitness a {WITNESS_VKEY}\nquorum a\n".encode())
    evidence = Evidence(policy=wanted)
    assert verify(folder, evidence=evidence).exit_code() == 5

    head = (folder / "log/checkpoint").read_bytes()
    names = [batch.sha256 for batch in store.read(folder)]
    line = cosign(tmp_path / "seen.json", names)
    (folder / "log/checkpoint").write_bytes(with_signature(head, line))
    assert verify(folder, evidence=evidence).exit_code() == 0

    write(folder, [forecast("a")], minutes=1)
    with pytest.raises(LedgerError, match="give --key"):
        store.sequence(folder, ORIGIN)
    (folder / "log/checkpoint").write_bytes(Checkpoint(ORIGIN, 1, manifest.root(names)).encode())
    assert verify(folder, evidence=evidence).exit_code() == 4
