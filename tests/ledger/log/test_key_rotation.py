"""Keys of the log change by entries: the new one signs later checkpoints, the old one no longer does."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.attacks import script
from tests.attacks.build import ORIGIN
from tests.ledger.log.test_signed_note import LOG_KEY, WITNESS_KEY
from tests.ledger.test_store import OPENING, folder, forecast, write

from foresaid.errors import LedgerError
from foresaid.ledger import layout, store, timestamping
from foresaid.ledger.entries.forecasts import Withdrawal
from foresaid.ledger.entries.resolutions import Key
from foresaid.ledger.log import checkpoint, inclusion_proof, manifest, witness
from foresaid.ledger.log.policy import Policy
from foresaid.ledger.log.signed_note import LOG, Signer, Verifier
from foresaid.ledger.verify import signers, verify
from foresaid.ledger.verify.snapshot import Evidence

__all__ = ["folder"]  # a fixture
NEW_KEY = Signer(ORIGIN, LOG, b"\x07" * 32)
THIEF = Signer(ORIGIN, LOG, b"\x09" * 32)


def findings(place: Path, pinned: Signer = LOG_KEY) -> list[str]:
    result = verify.verify(place, evidence=Evidence(policy=Policy(log=pinned.verifier)))
    return [f"{item.code} {item.file}" for item in result.findings]


def handed_over(place: Path) -> None:
    """A log whose first key brought in another and left."""
    write(place, OPENING)
    store.sequence(place, ORIGIN, LOG_KEY)
    added = Key(vkey=NEW_KEY.verifier.vkey, status="added", reason="a new machine")
    gone = Key(vkey=LOG_KEY.verifier.vkey, status="revoked", reason="an old machine")
    write(place, [added, gone], minutes=1)
    store.sequence(place, ORIGIN, LOG_KEY, hand_over=True)
    timestamping.anchor(place)


def signed_anyway(place: Path, signer: Signer) -> None:
    """Put another signature under the newest checkpoint, as one who holds the files and a key can."""
    head = manifest.parse_checkpoint((place / "log/checkpoint").read_bytes())
    (place / "log/checkpoint").write_bytes(checkpoint.sign(head, signer, (head.size, head.root.hex())))


def test_the_new_key_signs_later_checkpoints_and_the_old_one_no_longer_does(folder: Path) -> None:
    handed_over(folder)
    assert findings(folder) == []
    write(folder, [forecast("a")], minutes=2)
    with pytest.raises(LedgerError, match="may not sign: it was revoked"):
        store.sequence(folder, ORIGIN, LOG_KEY)
    store.sequence(folder, ORIGIN, NEW_KEY)

    assert findings(folder) == findings(folder, NEW_KEY) == []
    for other in (LOG_KEY, THIEF):
        signed_anyway(folder, other)
        assert findings(folder) == findings(folder, NEW_KEY) == ["V08 log/checkpoint"]


def test_a_new_key_does_not_bring_itself_in(folder: Path) -> None:
    write(folder, OPENING)
    store.sequence(folder, ORIGIN, LOG_KEY)
    write(folder, [Key(vkey=THIEF.verifier.vkey, status="added", reason="please")], minutes=1)

    with pytest.raises(LedgerError, match="give --hand-over"):
        store.sequence(folder, ORIGIN, LOG_KEY)
    with pytest.raises(LedgerError, match="in force before it"):
        store.sequence(folder, ORIGIN, THIEF, hand_over=True)
    store.sequence(folder, ORIGIN, LOG_KEY, hand_over=True)
    signed_anyway(folder, THIEF)
    timestamping.anchor(folder)
    assert "V08 log/checkpoint" in findings(folder)
    write(folder, [forecast("a")], minutes=2)
    store.sequence(folder, ORIGIN, THIEF)
    assert "V08 log/checkpoint" in findings(folder)  # no key in force signed the checkpoint that handed over


def test_without_the_anchor_of_the_hand_over_the_new_key_is_not_believed(folder: Path) -> None:
    write(folder, OPENING)
    write(folder, [Key(vkey=NEW_KEY.verifier.vkey, status="added", reason="a new machine")], minutes=1)
    store.sequence(folder, ORIGIN, LOG_KEY, hand_over=True)
    write(folder, [forecast("a")], minutes=2)
    store.sequence(folder, ORIGIN, NEW_KEY)

    assert findings(folder) == ["V08 log/checkpoint"]
    assert findings(folder, NEW_KEY) == []


def test_before_the_old_key_leaves_both_may_sign(folder: Path) -> None:
    write(folder, OPENING)
    write(folder, [Key(vkey=NEW_KEY.verifier.vkey, status="added", reason="a second machine")], minutes=1)
    store.sequence(folder, ORIGIN, LOG_KEY, hand_over=True)
    timestamping.anchor(folder)
    write(folder, [forecast("a")], minutes=2)
    store.sequence(folder, ORIGIN, LOG_KEY)
    assert findings(folder) == []
    signed_anyway(folder, NEW_KEY)
    assert findings(folder) == []


def test_a_log_without_a_key_to_send_away_has_none_left(folder: Path) -> None:
    write(folder, OPENING)
    write(folder, [Key(vkey=LOG_KEY.verifier.vkey, status="revoked", reason="lost")], minutes=1)
    store.sequence(folder, ORIGIN, LOG_KEY, hand_over=True)
    timestamping.anchor(folder)
    assert findings(folder) == []
    write(folder, [forecast("a")], minutes=2)
    store.sequence(folder, ORIGIN, NEW_KEY)

    assert findings(folder) == ["V08 log/checkpoint"]


def test_keys_of_another_name_are_notices_and_change_nothing(folder: Path) -> None:
    stranger = Signer("witness.example/z", LOG, b"\x05" * 32)
    write(folder, [*OPENING, Key(vkey=stranger.verifier.vkey, status="added", reason="hello")])
    store.sequence(folder, ORIGIN, LOG_KEY)

    assert findings(folder) == []


def returned(place: Path) -> None:
    """The first key is found again, comes back and signs."""
    handed_over(place)
    write(place, [Key(vkey=LOG_KEY.verifier.vkey, status="added", reason="found again")], minutes=2)
    store.sequence(place, ORIGIN, NEW_KEY, hand_over=True)
    timestamping.anchor(place)
    write(place, [forecast("a")], minutes=3)
    store.sequence(place, ORIGIN, LOG_KEY)


def test_a_key_that_left_may_come_back(folder: Path) -> None:
    returned(folder)

    assert findings(folder) == findings(folder, NEW_KEY) == []
    assert findings(folder, THIEF) != []


@pytest.mark.skipif(bool(script.missing()), reason=f"verify.sh wants {script.missing()}")
@pytest.mark.parametrize("signer", [LOG_KEY, NEW_KEY, THIEF], ids=["first key", "new key", "thief"])
@pytest.mark.parametrize("anchored", [True, False], ids=["hand-over kept", "hand-over lost"])
def test_the_script_follows_the_keys_as_the_program_does(folder: Path, tmp_path: Path, signer: Signer, anchored: bool) -> None:
    handed_over(folder)
    write(folder, [forecast("a")], minutes=2)
    store.sequence(folder, ORIGIN, NEW_KEY)
    signed_anyway(folder, signer)
    if not anchored:
        for path in (*(folder / "log/anchors/00000002").iterdir(), folder / "log/ANCHORS.sha256"):
            path.unlink()
    for pinned in (LOG_KEY, NEW_KEY):
        (tmp_path / "policy.txt").write_text(f"log {pinned.verifier.vkey}\nquorum none\n", encoding="ascii")
        code = 0 if signer == NEW_KEY and (anchored or pinned == NEW_KEY) else 4
        if signer == LOG_KEY == pinned and not anchored:
            code = 0  # who is not shown the hand-over still believes the old key: the anchor's chain or a known checkpoint tells

        ours = 4 if findings(folder, pinned) else 0
        assert (code, code) == (ours, script.script(folder, "--policy", str(tmp_path / "policy.txt")))


def test_the_script_is_not_led_by_words_that_only_look_like_a_key_line(folder: Path, tmp_path: Path) -> None:
    """The text of an entry may quote a whole key/v1 line; quotes inside a text are escaped."""
    quoted = f'x","status":"added","type":"key/v1","vkey":"{THIEF.verifier.vkey}"}}'
    write(folder, OPENING)
    write(folder, [forecast("a")], minutes=1)
    write(folder, [Withdrawal(withdraws="2026q4/mmlu-pro/model-x/a", reason=quoted)], minutes=2)
    write(folder, [Key(vkey=NEW_KEY.verifier.vkey, status="added", reason=quoted)], minutes=3)
    store.sequence(folder, ORIGIN, LOG_KEY, hand_over=True)
    timestamping.anchor(folder)
    write(folder, [forecast("b")], minutes=4)
    store.sequence(folder, ORIGIN, NEW_KEY)
    (tmp_path / "policy.txt").write_text(f"log {LOG_KEY.verifier.vkey}\nquorum none\n", encoding="ascii")
    for signer, code in ((NEW_KEY, 0), (LOG_KEY, 0), (THIEF, 4)):
        signed_anyway(folder, signer)

        ours = 4 if findings(folder) else 0
        assert (code, code) == (ours, script.script(folder, "--policy", str(tmp_path / "policy.txt")))


def cosigned(place: Path, pinned: Signer) -> bool:
    """Whether a witness that pins this key, and saw nothing yet, cosigns the newest checkpoint."""
    head = (place / "log/checkpoint").read_bytes()
    names, seen = (
        manifest.parse_manifest((place / "log/MANIFEST").read_bytes())[0],
        witness.WitnessedState(ORIGIN, 0, manifest.root([])),
    )
    try:
        keys = signers.signers(place, Policy(log=pinned.verifier), manifest.parse_checkpoint(head))
        return bool(witness.cosign(head, 0, witness.consistency(0, names), seen, keys, WITNESS_KEY, 1, lambda new: None))
    except LedgerError:
        return False


def test_a_witness_follows_the_keys_and_cosigns_nothing_by_one_that_left(folder: Path) -> None:
    handed_over(folder)
    assert (cosigned(folder, LOG_KEY), cosigned(folder, THIEF)) == (True, False)
    write(folder, [forecast("a")], minutes=2)
    store.sequence(folder, ORIGIN, NEW_KEY)
    assert (cosigned(folder, LOG_KEY), cosigned(folder, NEW_KEY), cosigned(folder, THIEF)) == (True, True, False)
    for signer in (LOG_KEY, THIEF):
        signed_anyway(folder, signer)
        assert (cosigned(folder, LOG_KEY), cosigned(folder, NEW_KEY)) == (False, False)


def test_a_proof_by_a_later_key_is_checked_from_the_first_one_over_a_ledger(folder: Path) -> None:
    returned(folder)
    pinned, listed = Policy(log=LOG_KEY.verifier), manifest.parse_manifest((folder / "log/MANIFEST").read_bytes())[0]

    def made(size: int, signer: Signer, names: list[str] = listed) -> inclusion_proof.InclusionProof:
        head = manifest.Checkpoint(ORIGIN, size, manifest.root(names[:size]))
        return inclusion_proof.prove(names[0], names, checkpoint.sign(head, signer, (head.size, head.root.hex())))

    def keys(one: inclusion_proof.InclusionProof) -> list[Verifier]:
        return signers.signers(folder, pinned, manifest.parse_checkpoint(one.checkpoint))

    by_size = [(1, LOG_KEY), (2, LOG_KEY), (3, NEW_KEY), (4, NEW_KEY), (4, LOG_KEY)]
    for size, signer in by_size:
        one = made(size, signer)
        assert inclusion_proof.check(one, listed[0], pinned, keys(one)).size == size
    with pytest.raises(LedgerError, match="not signed by the log's key"):
        inclusion_proof.check(made(3, NEW_KEY), listed[0], pinned)  # nobody led the reader to the new key
    for size, signer in [(1, NEW_KEY), (3, LOG_KEY), (4, THIEF)]:
        one = made(size, signer)
        with pytest.raises(LedgerError, match="not signed by the log's key"):
            inclusion_proof.check(one, listed[0], pinned, keys(one))
    with pytest.raises(LedgerError, match="is no state of the log"):
        keys(made(3, NEW_KEY, [*listed[:2], "0" * 64]))
    batch = folder / layout.batch_path(listed[1])
    batch.write_bytes(batch.read_bytes().replace(b"an old machine", b"an odd machine"))
    with pytest.raises(LedgerError, match="does not verify: V02"):
        keys(made(3, NEW_KEY))
