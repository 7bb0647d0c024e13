"""Keys of the log change by entries: the new one signs later checkpoints, the old one no longer does."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.test_ledger import OPENING, ORIGIN, folder, forecast, write
from tests.test_note import LOG_KEY

from foresaid import checkpoint, ledger, log, stamping, verify
from foresaid.errors import LedgerError
from foresaid.note import LOG, Signer
from foresaid.outcomes import Key
from foresaid.policy import Policy
from foresaid.snapshot import Evidence

__all__ = ["folder"]  # a fixture
NEW_KEY = Signer(ORIGIN, LOG, b"\x07" * 32)
THIEF = Signer(ORIGIN, LOG, b"\x09" * 32)


def findings(place: Path, pinned: Signer = LOG_KEY) -> list[str]:
    result = verify.verify(place, evidence=Evidence(policy=Policy(log=pinned.verifier)))
    return [f"{item.code} {item.file}" for item in result.findings]


def handed_over(place: Path) -> None:
    """A log whose first key brought in another and left."""
    write(place, OPENING)
    ledger.sequence(place, ORIGIN, LOG_KEY)
    added = Key(vkey=NEW_KEY.verifier.vkey, status="added", reason="a new machine")
    gone = Key(vkey=LOG_KEY.verifier.vkey, status="revoked", reason="an old machine")
    write(place, [added, gone], minutes=1)
    ledger.sequence(place, ORIGIN, LOG_KEY, hand_over=True)
    stamping.anchor(place)


def signed_anyway(place: Path, signer: Signer) -> None:
    """Put another signature under the newest checkpoint, as one who holds the files and a key can."""
    head = log.parse_checkpoint((place / "log/checkpoint").read_bytes())
    (place / "log/checkpoint").write_bytes(checkpoint.sign(head, signer, (head.size, head.root.hex())))


def test_the_new_key_signs_later_checkpoints_and_the_old_one_no_longer_does(folder: Path) -> None:
    handed_over(folder)
    assert findings(folder) == []
    write(folder, [forecast("a")], minutes=2)
    with pytest.raises(LedgerError, match="may not sign: it was revoked"):
        ledger.sequence(folder, ORIGIN, LOG_KEY)
    ledger.sequence(folder, ORIGIN, NEW_KEY)

    assert findings(folder) == findings(folder, NEW_KEY) == []
    for other in (LOG_KEY, THIEF):
        signed_anyway(folder, other)
        assert findings(folder) == findings(folder, NEW_KEY) == ["V08 log/checkpoint"]


def test_a_new_key_does_not_bring_itself_in(folder: Path) -> None:
    write(folder, OPENING)
    ledger.sequence(folder, ORIGIN, LOG_KEY)
    write(folder, [Key(vkey=THIEF.verifier.vkey, status="added", reason="please")], minutes=1)

    with pytest.raises(LedgerError, match="give --hand-over"):
        ledger.sequence(folder, ORIGIN, LOG_KEY)
    with pytest.raises(LedgerError, match="in force before it"):
        ledger.sequence(folder, ORIGIN, THIEF, hand_over=True)
    ledger.sequence(folder, ORIGIN, LOG_KEY, hand_over=True)
    signed_anyway(folder, THIEF)
    stamping.anchor(folder)
    assert "V08 log/checkpoint" in findings(folder)
    write(folder, [forecast("a")], minutes=2)
    ledger.sequence(folder, ORIGIN, THIEF)
    assert "V08 log/checkpoint" in findings(folder)  # no key in force signed the checkpoint that handed over


def test_without_the_anchor_of_the_hand_over_the_new_key_is_not_believed(folder: Path) -> None:
    write(folder, OPENING)
    write(folder, [Key(vkey=NEW_KEY.verifier.vkey, status="added", reason="a new machine")], minutes=1)
    ledger.sequence(folder, ORIGIN, LOG_KEY, hand_over=True)
    write(folder, [forecast("a")], minutes=2)
    ledger.sequence(folder, ORIGIN, NEW_KEY)

    assert findings(folder) == ["V08 log/checkpoint"]
    assert findings(folder, NEW_KEY) == []


def test_before_the_old_key_leaves_both_may_sign(folder: Path) -> None:
    write(folder, OPENING)
    write(folder, [Key(vkey=NEW_KEY.verifier.vkey, status="added", reason="a second machine")], minutes=1)
    ledger.sequence(folder, ORIGIN, LOG_KEY, hand_over=True)
    stamping.anchor(folder)
    write(folder, [forecast("a")], minutes=2)
    ledger.sequence(folder, ORIGIN, LOG_KEY)
    assert findings(folder) == []
    signed_anyway(folder, NEW_KEY)
    assert findings(folder) == []


def test_a_log_without_a_key_to_send_away_has_none_left(folder: Path) -> None:
    write(folder, OPENING)
    write(folder, [Key(vkey=LOG_KEY.verifier.vkey, status="revoked", reason="lost")], minutes=1)
    ledger.sequence(folder, ORIGIN, LOG_KEY, hand_over=True)
    stamping.anchor(folder)
    assert findings(folder) == []
    write(folder, [forecast("a")], minutes=2)
    ledger.sequence(folder, ORIGIN, NEW_KEY)

    assert findings(folder) == ["V08 log/checkpoint"]


def test_keys_of_another_name_are_notices_and_change_nothing(folder: Path) -> None:
    stranger = Signer("witness.example/z", LOG, b"\x05" * 32)
    write(folder, [*OPENING, Key(vkey=stranger.verifier.vkey, status="added", reason="hello")])
    ledger.sequence(folder, ORIGIN, LOG_KEY)

    assert findings(folder) == []
