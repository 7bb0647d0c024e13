"""Signed notes: the worked example of the trust model to the byte, and no signature that is not one."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from foresaid.errors import LedgerError
from foresaid.ledger.log import keys, manifest, signed_note
from foresaid.ledger.log.checkpoint import judge, sign, with_signature
from foresaid.ledger.log.manifest import Checkpoint
from foresaid.ledger.log.policy import Policy, parse
from foresaid.ledger.log.signed_note import LOG, WITNESS, Signer, check, parse_note, parse_signer, parse_vkey

ORIGIN = "example.org/lm-forecasts"
LOG_KEY = Signer(ORIGIN, LOG, b"\x01" * 32)
WITNESS_KEY = Signer("witness.example/a", WITNESS, b"\x02" * 32)
# The worked example of the trust model; made by a prototype that shared no code with this program.
LOG_VKEY = "example.org/lm-forecasts+bd1d20b8+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c"
WITNESS_VKEY = "witness.example/a+81d624fa+BIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU"
EXAMPLE = """\
example.org/lm-forecasts
2
CMAH6r+7qPyFfYP8x5cmjzsDOMc7c/QpeUp5kiYZFdc=

— example.org/lm-forecasts vR0guM4MTtAiFq1XNn0AAqwwAEj0WFFSCbV9utx2lIl3mullb5COBXPF9qAk6UscVMI9VPQYJpe0SlYhlT38j90y/ws=
— witness.example/a gdYk+gAAAABrAPsgFRnASxTxnME+s/WLGuaoJ99wD6p9JegjxuMl/s+8IqImHomuZkmcvSgg9qq5kpT81UMXC5JrHHUYUQnsqic8CA==
""".encode()
SECONDS = 0x6B00FB20
# Go's sumdb/note package documents this key and note.
GO_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
).encode()
POLICY = parse(f"log {LOG_VKEY}\nwitness a {WITNESS_VKEY}\nquorum a\n".encode())


def test_the_worked_example_comes_out_to_the_byte() -> None:
    text = EXAMPLE[: EXAMPLE.index(b"\n\n") + 1]

    assert (LOG_KEY.verifier.vkey, WITNESS_KEY.verifier.vkey) == (LOG_VKEY, WITNESS_VKEY)
    assert text + b"\n" + LOG_KEY.sign(text) + WITNESS_KEY.sign(text, SECONDS) == EXAMPLE
    assert parse_note(EXAMPLE).encode() == EXAMPLE
    assert check(parse_note(EXAMPLE), parse_vkey(LOG_VKEY)) == 0
    assert check(parse_note(EXAMPLE), parse_vkey(WITNESS_VKEY)) == SECONDS


def test_the_note_of_go_s_own_documentation_verifies() -> None:
    assert check(parse_note(GO_NOTE), parse_vkey(GO_VKEY)) == 0


def test_no_flipped_bit_of_a_checkpoint_is_accepted_by_a_policy_that_wants_both_signatures() -> None:
    accepted = []
    for place in range(len(EXAMPLE)):
        for bit in range(8):
            changed = bytearray(EXAMPLE)
            changed[place] ^= 1 << bit
            try:
                found = judge(bytes(changed), POLICY)
            except LedgerError:
                continue
            if not found.wrong and not found.missing:
                accepted.append((place, bit))

    assert accepted == []


def test_a_line_by_an_unknown_key_is_ignored_and_does_not_count() -> None:
    stranger = Signer("witness.example/b", WITNESS, b"\x03" * 32)
    data = Checkpoint(ORIGIN, 0, manifest.root([])).encode()
    data += LOG_KEY.sign(data[:-1]) + stranger.sign(data[:-1], 7)

    assert judge(data, POLICY).wrong == ()
    assert "no witness" in judge(data, POLICY).missing[0]


def test_a_signature_without_a_key_to_check_it_is_not_believed() -> None:
    assert "names no key" in judge(EXAMPLE, Policy()).wrong[0]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data[:-1],
        lambda data: data.replace("—".encode(), b"-"),
        lambda data: data.replace(b" vR0g", b"  vR0g"),
        lambda data: data.replace(b"/ws=", b"/wt="),
        lambda data: data.replace(b"\n2\n", b"\n2\r\n"),
        lambda data: data + data.splitlines(keepends=True)[-1] * 15,
        lambda data: data + b"\n",
        lambda data: b"",
        lambda data: b"x" * (signed_note.NOTE_BYTES + 1),
    ],
)
def test_a_note_of_another_form_is_refused(spoil: object) -> None:
    with pytest.raises(LedgerError):
        parse_note(spoil(EXAMPLE))  # type: ignore[operator]


def test_two_signatures_by_one_key_are_refused() -> None:
    with pytest.raises(LedgerError, match="two signatures"):
        check(parse_note(EXAMPLE + LOG_KEY.sign(EXAMPLE[: EXAMPLE.index(b"\n\n") + 1])), LOG_KEY.verifier)


def test_nothing_is_signed_when_the_second_reading_differs_in_any_bit() -> None:
    """A thousand flips between hashing and signing; none yields a signature."""
    good = Checkpoint(ORIGIN, 2, bytes(range(32)))
    again = (2, good.root.hex())
    signed = 0
    for number in range(1000):
        root = bytearray(good.root)
        root[number % 32] ^= 1 << number // 32 % 8
        bad = Checkpoint(ORIGIN, 2, bytes(root)) if number % 4 else Checkpoint(ORIGIN, 2 ^ 1 << number % 16, good.root)
        try:
            sign(bad, LOG_KEY, again)
            signed += 1
        except LedgerError:
            pass

    assert signed == 0
    assert judge(sign(good, LOG_KEY, again), parse(f"log {LOG_VKEY}\nquorum none\n".encode())).wrong == ()


def test_a_newer_cosignature_takes_the_place_of_the_older() -> None:
    text = parse_note(EXAMPLE).text
    data = with_signature(EXAMPLE, WITNESS_KEY.sign(text, SECONDS + 1))

    assert judge(data, POLICY).seen == {"a": SECONDS + 1}
    assert len(parse_note(data).signatures) == 2


def test_a_key_is_written_once_outside_the_repository_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "log.key"
    made = keys.write(ORIGIN, "log", b"\x01" * 32, path)

    assert (made.vkey, path.stat().st_mode & 0o777) == (LOG_VKEY, 0o600)
    assert keys.read(path, "log") == LOG_KEY == parse_signer(path.read_text().rstrip("\n"))
    with pytest.raises(LedgerError, match="File exists"):
        keys.write(ORIGIN, "log", b"\x01" * 32, path)
    with pytest.raises(LedgerError, match="no key of a witness"):
        keys.read(path, "witness")
    path.chmod(0o640)
    with pytest.raises(LedgerError, match="chmod 600"):
        keys.read(path, "log")
    (tmp_path / "clone" / ".git").mkdir(parents=True)
    with pytest.raises(LedgerError, match="inside the repository"):
        keys.write(ORIGIN, "log", b"\x01" * 32, tmp_path / "clone" / "key")
    with pytest.raises(LedgerError, match="expected name"):
        keys.write("two words", "log", b"\x01" * 32, tmp_path / "other")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"log {LOG_VKEY}\n", "a line `quorum`"),
        (f"log {LOG_VKEY}x\nquorum none\n", "base64"),
        (f"log {WITNESS_VKEY}\nquorum none\n", "a key of a log"),
        (f"witness a {LOG_VKEY}\nquorum a\n", "a key of a witness"),
        (f"witness a {WITNESS_VKEY}\nwitness a {WITNESS_VKEY}\nquorum a\n", "a second time"),
        (f"witness a {WITNESS_VKEY}\ngroup g 2 a\nquorum g\n", "from 1 to 1"),
        ("group g any a\n", "stand above it"),
        ("quorum g\n", "quorum"),
        ("tsa one abc\nstamps 1\n", "SHA-256"),
        (f"tsa one {'a' * 64}\n", "a line `stamps`"),
        (f"tsa one {'a' * 64}\nstamps 2\n", "at most 1"),
        (f"tsa one {'a' * 64}\ntsa two {'a' * 64}\nstamps 2\n", "a second time"),
        ("bless me\n", "expected one of log"),
        ("# \xe9\n", "ASCII"),
    ],
)
def test_a_policy_that_says_too_little_or_too_much_is_refused(text: str, words: str) -> None:
    with pytest.raises(LedgerError, match=words):
        parse(text.encode("utf-8"))


def test_a_quorum_counts_groups_of_groups() -> None:
    lines = "".join(f"witness w{i} {Signer(f'w{i}', WITNESS, bytes([i]) * 32).verifier.vkey}\n" for i in range(1, 6))
    policy = parse((lines + "group left 2 w1 w2 w3\ngroup right any w4 w5\ngroup both all left right\nquorum both\n").encode())

    assert policy.satisfied({"w1", "w3", "w5"})
    assert not policy.satisfied({"w1", "w2", "w3"})
    assert not policy.satisfied({"w1", "w4", "w5"})


def test_base64_has_one_spelling() -> None:
    assert signed_note.unbase64(base64.b64encode(b"ab").decode()) == b"ab"
    for bad in ("YWI", "YWJ=", "YW I=", "YW\nI=", "é"):
        with pytest.raises(LedgerError):
            signed_note.unbase64(bad)
