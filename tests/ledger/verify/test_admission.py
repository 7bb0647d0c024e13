"""Pending batches that may not go into the log: merged branches that clash, and names that are not the author's own."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from tests.attacks.build import ORIGIN, ROUND
from tests.ledger.test_store import OPENING, forecast, write

from foresaid.errors import LedgerError
from foresaid.ledger import store
from foresaid.ledger.entries.resolutions import Redaction, Void
from foresaid.ledger.entries.schema import Entry, Withdrawal
from foresaid.ledger.layout import CHECKPOINT
from foresaid.ledger.log import checkpoint, policy
from foresaid.ledger.log.policy import Policy
from foresaid.ledger.log.signed_note import LOG, WITNESS, Signer
from foresaid.ledger.verify.verify import Evidence, VerificationResult, verify

ALICE, BOB = "example.org/alice", "example.org/bob"
KEY, OTHER = Signer(ALICE, LOG, b"\x07" * 32), Signer(ALICE, LOG, b"\x08" * 32)
WATCHER = Signer("witness.example/a", WITNESS, b"\x02" * 32)
LOG_KEY = Signer(ORIGIN, LOG, b"\x01" * 32)
ROOT = Path(__file__).parents[3]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    store.create(tmp_path / "ledger", ORIGIN)
    return tmp_path / "ledger"


def merged(place: Path, other: Path) -> None:
    """What git makes of two branches that only added batches."""
    for path in (other / "batches").rglob("*.jsonl"):
        to = place / path.relative_to(other)
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, to)


def check(place: Path, **evidence: object) -> VerificationResult:
    return verify(place, ORIGIN, evidence=Evidence(**evidence))  # type: ignore[arg-type]


def test_b14_two_branches_that_froze_the_same_round_merge_and_one_of_them_is_listed_as_rejected(
    place: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    shutil.copytree(place, other)
    mine = write(place, [*OPENING, forecast("m", primary=True)])
    theirs = write(other, [*OPENING, forecast("m", primary=True)], minutes=5)
    child = write(other, [forecast("n")], minutes=6)

    merged(place, other)

    result = check(place)
    assert (result.findings, result.exit_code()) == ((), 5)
    winner, loser = sorted([mine, theirs])
    gone = {loser, child} if loser == theirs else {loser}
    assert set(result.rejected) == gone
    assert all("is not let into the log" in str(finding) for finding in result.incomplete)

    assert store.sequence(place, ORIGIN).size == 3 - len(gone)
    assert winner in check(place).listed
    write(place, [forecast("later")], minutes=9)  # the ledger can be written to as before
    store.sequence(place, ORIGIN)
    assert (check(place).findings, set(check(place).rejected)) == ((), gone)


def test_the_same_round_and_targets_by_two_authors_are_one_and_their_forecasts_stand_side_by_side(
    place: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    shutil.copytree(place, other)
    write(place, [*OPENING, forecast("m", primary=True)], author=ALICE)
    write(other, [*OPENING, forecast("m", primary=True)], author=BOB)

    merged(place, other)
    store.sequence(place, ORIGIN)

    result = check(place)
    assert (result.exit_code(strict=True), len(result.accounts), result.rejected) == (0, 2, {})


def test_a_round_of_other_words_under_the_same_name_is_rejected(place: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(place, other)
    first = write(place, OPENING)
    second = write(other, [msgspec.structs.replace(ROUND, deadline="2026-12-02T00:00:00Z")], author=BOB)
    merged(place, other)

    (name,) = check(place).rejected
    assert name == max(first, second)


AFTER = datetime(2027, 6, 3, tzinfo=UTC)
VOID = Void(round="2026q4", target="gpqa/model-x", condition="no_release", on="2027-06-02", evidence="0" * 64, reason="none")


@pytest.mark.parametrize("what", ["withdrawal", "void"])
def test_b14_doing_the_same_thing_on_two_branches_bricks_nothing(place: Path, tmp_path: Path, what: str) -> None:
    write(place, [*OPENING, forecast("m")])
    store.sequence(place, ORIGIN)
    lines: dict[str, list[Entry]] = {
        "withdrawal": [Withdrawal(withdraws=forecast("m").id, reason="wrong")],
        "void": [VOID],
    }
    other = tmp_path / "other"
    shutil.copytree(place, other)
    write(place, lines[what], frozen_at=AFTER)
    write(other, lines[what], frozen_at=AFTER + timedelta(minutes=1))
    merged(place, other)

    store.sequence(place, ORIGIN)

    assert (check(place).findings, len(check(place).rejected), check(place).exit_code()) == ((), 1, 5)


def keyed(place: Path, *more: str) -> Policy:
    text = "".join([f"author {ALICE} {KEY.verifier.vkey}\n", *more])
    store.write_files(place, {"policy.txt": text.encode()}, replaced=("policy.txt",))
    return policy.parse(text.encode())


def test_b15_a_batch_in_the_name_of_an_author_with_a_key_waits_for_their_signature_and_counts_for_nothing(place: Path) -> None:
    write(place, OPENING, author=BOB)
    store.sequence(place, ORIGIN)
    keyed(place)
    batch = write(place, [forecast("m")], minutes=1)

    result = check(place)
    assert (result.findings, list(result.rejected), result.accounts, result.exit_code()) == ((), [batch], (), 5)
    assert store.sequence(place, ORIGIN).size == 1
    assert store.read_admitted(place)[1] == {ALICE: [batch]}

    assert store.sign_batch(place, batch, KEY) == ALICE
    store.sequence(place, ORIGIN)
    assert (check(place).exit_code(strict=True), len(check(place).accounts)) == (0, 1)


def test_b15_nobody_speaks_for_an_author_whose_key_the_policy_has(place: Path) -> None:
    keyed(place)
    mine = write(place, [*OPENING, forecast("m")])
    store.sign_batch(place, mine, KEY)
    store.sequence(place, ORIGIN)

    forged = write(place, [Withdrawal(withdraws=forecast("m").id, reason="in her name")], minutes=1)
    store.sign_batch(place, forged, OTHER)

    result = check(place)
    assert list(result.rejected) == [forged]
    assert [account.state for account in result.accounts] == ["pending"]


def test_in_the_log_a_missing_or_false_signature_is_wrong_for_the_script_as_well(place: Path) -> None:
    batch = write(place, [*OPENING, forecast("m")])
    store.sequence(place, ORIGIN)
    keyed(place)
    assert (check(place).exit_code(), script(place)) == (4, 4)

    store.sign_batch(place, batch, KEY)
    assert (check(place).exit_code(), script(place)) == (0, 0)

    moved = place / f"signatures/{'ab' * 32}.note"
    (place / f"signatures/{batch}.note").rename(moved)
    (place / "log/ANCHORS.sha256").unlink()
    store.write_files(place, {})  # writes the sums anew
    assert (check(place).exit_code(), script(place)) == (4, 4)


def test_a_pending_batch_without_its_signature_is_named_by_the_script_as_well(place: Path) -> None:
    keyed(place)
    write(place, [*OPENING, forecast("m")])

    assert (check(place).exit_code(), script(place)) == (5, 5)


def script(place: Path) -> int:
    shutil.copyfile(ROOT / "registry/ledger/verify.sh", place / "verify.sh")
    return subprocess.run(["sh", "verify.sh"], cwd=place, capture_output=True, check=False).returncode


def test_b8_an_old_state_of_the_log_is_told_by_the_age_of_its_cosignature(place: Path) -> None:
    write(place, OPENING)
    store.sequence(place, ORIGIN, LOG_KEY)
    at = datetime(2026, 11, 21, 2, tzinfo=UTC)
    head = (place / CHECKPOINT).read_bytes()
    text = head.partition(b"\n\n")[0] + b"\n"
    store.write_files(
        place, {CHECKPOINT: checkpoint.with_signature(head, WATCHER.sign(text, int(at.timestamp())))}, replaced=(CHECKPOINT,)
    )
    lines = f"log {LOG_KEY.verifier.vkey}\nwitness a {WATCHER.verifier.vkey}\nquorum a\n"
    wanted = policy.parse(f"{lines}fresh 7\n".encode())

    young = check(place, policy=wanted, now=at + timedelta(days=6))
    old = check(place, policy=wanted, now=at + timedelta(days=8))
    unasked = check(place, policy=policy.parse(lines.encode()), now=at + timedelta(days=800))

    assert (young.exit_code(), old.exit_code(), unasked.exit_code()) == (0, 5, 0)
    assert old.findings == ()
    assert any("newest cosignature: 6 days ago" in note for note in young.notes)
    assert any("newest cosignature: 800 days ago" in note for note in unasked.notes)
    assert check(place, policy=wanted, now=at - timedelta(days=3)).exit_code() == 4


@pytest.mark.parametrize("line", ["fresh 0", "fresh", "fresh 7", f"author {ALICE}", "author UPPER x", f"author {ALICE} nonsense"])
def test_a_policy_says_of_each_new_line_what_it_expected(line: str) -> None:
    with pytest.raises(LedgerError, match="expected"):
        policy.parse(f"{line}\n".encode())


def test_b20_a_redaction_excuses_the_names_it_lists_and_no_other(place: Path) -> None:
    write(place, OPENING)
    first = write(place, [forecast("m")])
    store.sequence(place, ORIGIN)
    gone = Redaction(batch=first, author=ALICE, forecasts=[forecast("m").id], reason="court order")
    write(place, [gone], minutes=1)
    store.sequence(place, ORIGIN)
    store.redact(place, first)

    write(place, [Withdrawal(withdraws=forecast("m").id, reason="listed")], minutes=2)
    with pytest.raises(LedgerError, match="unknown forecast"):
        write(place, [Withdrawal(withdraws=forecast("never-was").id, reason="not listed")], minutes=3)
    with pytest.raises(LedgerError, match="unknown target"):
        write(place, [msgspec.structs.replace(VOID, target="no-such/target")], frozen_at=AFTER)
