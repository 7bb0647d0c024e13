"""Time stamps by two local authorities, requests and replies exchanged as files."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from tests.attacks import script
from tests.attacks.authority import CONFIGURATION, openssl
from tests.attacks.build import ORIGIN
from tests.ledger.log.test_signed_note import LOG_KEY, LOG_VKEY
from tests.ledger.test_store import OPENING, forecast, write
from tests.worlds.authority import Authority

from foresaid.errors import LedgerError, UnreadableError
from foresaid.ledger import layout, store, timestamping
from foresaid.ledger.log import anchors, policy, rfc3161
from foresaid.ledger.log.anchors import Stamp, times
from foresaid.ledger.log.policy import Policy
from foresaid.ledger.verify.verify import Evidence, VerificationResult, verify


@pytest.fixture(scope="module")
def authorities(tmp_path_factory: pytest.TempPathFactory) -> list[Authority]:
    folder = tmp_path_factory.mktemp("authorities")
    return [Authority(folder / name, name) for name in ("tsa1", "tsa2")]


@pytest.fixture
def wanted(authorities: list[Authority]) -> Policy:
    text = f"log {LOG_VKEY}\nquorum none\n" + "".join(one.policy_line for one in authorities) + "stamps 2\n"
    return policy.with_roots(policy.parse(text.encode()), {one.name: one.root for one in authorities})


@pytest.fixture
def place(tmp_path: Path) -> Path:
    folder = tmp_path / "ledger"
    store.create(folder, ORIGIN)
    write(folder, OPENING)
    store.sequence(folder, ORIGIN, LOG_KEY)
    return folder


def stamped(place: Path, authorities: list[Authority], wanted: Policy) -> None:
    for one in authorities:
        sent = timestamping.request(place)
        timestamping.accept(place, one.reply(sent), one.name, wanted, sent=sent)


def check(place: Path, wanted: Policy) -> VerificationResult:
    return verify(place, ORIGIN, evidence=Evidence(policy=wanted))


def test_two_stamps_prove_the_time_and_one_is_incomplete(place: Path, authorities: list[Authority], wanted: Policy) -> None:
    before = datetime.now(UTC)
    assert (check(place, wanted).exit_code(), check(place, wanted).proved) == (5, {})

    stamped(place, authorities[:1], wanted)
    assert (check(place, wanted).exit_code(), check(place, wanted).proved) == (5, {})

    stamped(place, authorities[1:], wanted)
    result = check(place, wanted)
    (proved,) = result.proved.values()
    assert result.exit_code(strict=True) == 0
    assert timedelta(0) <= proved - before.replace(microsecond=0) < timedelta(minutes=2)
    assert "1 of 1 batches" in result.time


def test_coreutils_and_openssl_alone_reach_the_stamp(place: Path, authorities: list[Authority], wanted: Policy) -> None:
    write(place, [forecast("a")], minutes=1)
    store.sequence(place, ORIGIN, LOG_KEY)
    stamped(place, authorities, wanted)
    script = f"""set -e
    sha256sum --strict --quiet -c log/MANIFEST
    sha256sum --strict --quiet -c log/ANCHORS.sha256
    a=log/anchors/00000002
    test "$(head -n 2 log/MANIFEST | sha256sum | cut -c1-64)" = "$(sed -n 's/^manifest-sha256 //p' $a/subject)"
    test "$(sed '/^$/,$d' $a/checkpoint | sha256sum | cut -c1-64)" = "$(sed -n 's/^checkpoint-sha256 //p' $a/subject)"
    for n in tsa1 tsa2; do
      when=$(openssl ts -reply -in $a/$n.tsr -text 2>/dev/null | sed -n 's/^Time stamp: //p')
      openssl ts -verify -data $a/subject -in $a/$n.tsr -CAfile {authorities[0].folder.parent}/$n/root.pem \\
        -attime "$(date -ud "$when" +%s)" >/dev/null 2>&1
    done
    """

    assert subprocess.run(["sh", "-c", script], cwd=place, check=False).returncode == 0
    (place / "log/anchors/00000002/tsa1.tsr").write_bytes((place / "log/anchors/00000002/tsa2.tsr").read_bytes())
    assert subprocess.run(["sh", "-c", script], cwd=place, check=False, capture_output=True).returncode != 0


def test_a_receipt_proves_a_batch_before_it_is_in_the_log(place: Path, authorities: list[Authority], wanted: Policy) -> None:
    name = write(place, [forecast("a")], minutes=1)
    for one in authorities:
        timestamping.accept(place, one.reply(timestamping.request(place, name)), one.name, wanted, batch=name)

    assert set(check(place, wanted).proved) == {name}
    assert (place / f"receipts/{name}/tsa2.tsr").is_file()


@pytest.mark.parametrize(("begins", "ends"), [(1, 30), (-30, -1)], ids=["not valid yet", "expired"])
def test_a_token_outside_the_validity_of_its_certificate_proves_nothing(
    place: Path, tmp_path: Path, begins: int, ends: int
) -> None:
    """`openssl ts -verify` alone judges the chain by today's date, which a verifier can be years away from."""
    one, now = Authority(tmp_path / "tsa1", "tsa1"), datetime.now(UTC)
    one.certify(now + timedelta(days=begins), now + timedelta(days=ends))
    message = b"forecast-anchor/v1\n"
    reply = one.reply(rfc3161.request(message))
    with pytest.raises(LedgerError, match="time-stamp reply"):
        rfc3161.proved_at(reply, sha256(message).digest(), one.root)

    one.certify(now - timedelta(days=1), now + timedelta(days=1))
    assert rfc3161.proved_at(one.reply(rfc3161.request(message)), sha256(message).digest(), one.root) > now - timedelta(minutes=1)

    text = f"log {LOG_VKEY}\nquorum none\n{one.policy_line}stamps 1\n"
    wanted = policy.with_roots(policy.parse(text.encode()), {one.name: one.root})
    stamped(place, [one], wanted)
    (tmp_path / "policy.txt").write_text(text, encoding="ascii")
    (tmp_path / "roots").mkdir()
    (tmp_path / "roots/tsa1.pem").write_bytes(one.root)
    words = ("--policy", str(tmp_path / "policy.txt"), "--roots", str(tmp_path / "roots"))
    for code, moments in ((0, (-1, 1)), (4, (begins, ends))):
        one.certify(*(now + timedelta(days=days) for days in moments))
        token = place / "log/anchors/00000001/tsa1.tsr"
        token.write_bytes(one.reply(timestamping.request(place)))
        evidence = {path.relative_to(place).as_posix(): path.read_bytes() for path in token.parent.iterdir()}
        (place / layout.SUMS).write_bytes(anchors.sums(evidence))

        assert (code, code) == (check(place, wanted).exit_code(strict=True), script.script(place, *words))


def test_authorities_that_disagree_by_more_than_a_day_are_named_and_the_later_time_counts(
    place: Path, authorities: list[Authority], wanted: Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    stamped(place, authorities, wanted)
    honest = rfc3161.proved_at
    for hours, named in ((23, False), (25, True)):

        def backdated(reply: bytes, digest: bytes, root: bytes, nonce: int | None = None, hours: int = hours) -> datetime:
            return honest(reply, digest, root, nonce) - timedelta(hours=hours if root == authorities[0].root else 0)

        with monkeypatch.context() as patch:
            before = check(place, wanted).proved
            patch.setattr(rfc3161, "proved_at", backdated)
            result = check(place, wanted)
        assert any("authorities disagree by" in note for note in result.notes) == named
        assert all(timedelta(0) <= before[name] - at < timedelta(seconds=5) for name, at in result.proved.items())


def test_a_reply_that_does_not_hold_is_not_kept(place: Path, authorities: list[Authority], wanted: Policy) -> None:
    first, second = authorities
    sent = timestamping.request(place)
    good = first.reply(sent)
    other = first.reply(rfc3161.request(b"another file"))
    for reply, name, words in (
        (good, "tsa2", "time-stamp reply"),  # not under this root
        (other, "tsa1", "ismatch"),
        (first.reply(timestamping.request(place)), "tsa1", "Nonce"),
        (good[:-1], "tsa1", "time-stamp reply"),
        (good + b"\0", "tsa1", "time-stamp reply"),
        (b"", "tsa1", "time-stamp reply"),
        (b"0" * 70_000, "tsa1", "at most"),
        (good, "tsa3", "expected one of the policy"),
    ):
        with pytest.raises((LedgerError, UnreadableError), match=words):
            timestamping.accept(place, reply, name, wanted, sent=sent)
    assert not list(place.glob("log/anchors/*/*.tsr"))
    assert second.name == "tsa2"


@pytest.mark.parametrize("file", ["subject", "checkpoint", "tsa1.tsr", "tsa2.tsr"])
def test_a_flipped_byte_of_an_anchor_is_noticed(place: Path, file: str, authorities: list[Authority], wanted: Policy) -> None:
    stamped(place, authorities, wanted)
    path = place / "log/anchors/00000001" / file
    data = path.read_bytes()
    for position in range(0, len(data), 1 if len(data) < 600 else 37):
        changed = bytearray(data)
        changed[position] ^= 1 << position % 8
        path.write_bytes(changed)
        assert check(place, wanted).exit_code() in (1, 4), position
    path.unlink()
    assert check(place, wanted).exit_code() in (1, 4)


def test_subjects_are_chained_and_a_removed_one_is_seen(place: Path, authorities: list[Authority], wanted: Policy) -> None:
    for number in range(3):
        stamped(place, authorities, wanted)
        write(place, [forecast(f"z{number}")], minutes=number + 1)
        store.sequence(place, ORIGIN, LOG_KEY)
    assert check(place, wanted).findings == ()
    gone = place / "log/anchors/00000002"
    for path in gone.iterdir():
        path.unlink()
    gone.rmdir()
    sums = place / layout.SUMS
    sums.write_bytes(b"".join(line for line in sums.read_bytes().splitlines(keepends=True) if b"/00000002/" not in line))

    assert [(item.code, item.what) for item in check(place, wanted).findings] == [
        ("V09", "another previous"),
        *[("V09", "a time-stamp reply that was here is gone or another one")]
        * 2,  # the next anchor lists those of both authorities
    ]


def test_b9_a_reply_taken_away_later_is_seen_and_makes_no_forecast_late_by_choice(
    place: Path, authorities: list[Authority], wanted: Policy
) -> None:
    stamped(place, authorities, wanted)
    write(place, [forecast("later")], minutes=1)
    store.sequence(place, ORIGIN, LOG_KEY)
    stamped(place, authorities, wanted)
    assert check(place, wanted).exit_code() == 0
    first = place / "log/anchors/00000001"
    for path in first.glob("*.tsr"):
        path.unlink()
    sums = place / layout.SUMS
    sums.write_bytes(b"".join(line for line in sums.read_bytes().splitlines(keepends=True) if b"/00000001/tsa" not in line))

    result = check(place, wanted)

    assert [finding.code for finding in result.findings] == ["V09", "V09"]


def test_a_receipt_of_no_batch_is_named_and_counted_nowhere(place: Path, authorities: list[Authority], wanted: Policy) -> None:
    stamped(place, authorities, wanted)
    store.write_files(place, {f"receipts/{'ab' * 32}/tsa1.tsr": authorities[0].reply(rfc3161.request(b"something"))})

    result = check(place, wanted)

    assert [(finding.code, finding.what) for finding in result.findings] == [("V10", "is about no batch that is here")]
    assert "1 of 1 batches" in result.time


def test_a_reply_that_cannot_be_read_is_no_wrong_one(place: Path, authorities: list[Authority], wanted: Policy) -> None:
    store.write_files(place, {f"{timestamping.anchor(place)}/tsa1.tsr": b"not the ASN.1 that we know"})

    result = check(place, wanted)

    assert (result.findings, result.exit_code()) == ((), 5)
    assert any("not readable here" in finding.what for finding in result.incomplete)


LAYOUTS = {  # certificates that come with the signer's: none, the intermediate one, that and the root
    "under the root": (),
    "with its intermediate certificate": ("middle",),
    "with the whole chain": ("root", "middle"),
}


@pytest.mark.parametrize("layout_of", LAYOUTS)
def test_replies_of_authorities_with_chains_are_read_in_whatever_order_openssl_writes_them(tmp_path: Path, layout_of: str) -> None:
    for trial in range(4):  # the order that DER wants depends on the bytes of the keys
        folder = tmp_path / str(trial)
        root, reply = chained(folder, LAYOUTS[layout_of])
        (folder / "root.pem").write_bytes(root)
        (folder / "reply.tsr").write_bytes(reply)
        (folder / "message").write_bytes(b"message")

        openssl(folder, "ts", "-verify", "-data", "message", "-in", "reply.tsr", "-CAfile", "root.pem")  # raises if it is refused
        at = rfc3161.proved_at(reply, sha256(b"message").digest(), root)

        assert abs(at - datetime.now(UTC)) < timedelta(minutes=5)
        with pytest.raises((LedgerError, UnreadableError)):
            rfc3161.proved_at(reply, sha256(b"other").digest(), root)


def chained(folder: Path, along: tuple[str, ...]) -> tuple[bytes, bytes]:
    """The root and a reply of an authority that signs under an intermediate certificate (or the root) and sends these along."""
    folder.mkdir()
    text = CONFIGURATION.format(name="unused", folder=folder).replace(
        "keyUsage = critical,keyCertSign,cRLSign", "keyUsage = critical,keyCertSign"
    )
    (folder / "openssl.cnf").write_text(text + (f"certs = {folder}/chain.pem\n" if along else ""), encoding="ascii")
    (folder / "serial").write_text("01\n", encoding="ascii")
    chain = (("root", ""), ("middle", "root"), ("leaf", "middle" if along else "root"))
    for name, by in chain:
        openssl(folder, "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", f"{name}.key")
        about = ("-config", "openssl.cnf", "-key", f"{name}.key", "-subj", f"/CN={name}")
        if not by:
            openssl(folder, "req", "-new", "-x509", *about, "-extensions", "root", "-days", "900", "-out", f"{name}.pem")
            continue
        openssl(folder, "req", "-new", *about, "-out", f"{name}.csr")
        openssl(
            folder, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{by}.pem", "-CAkey", f"{by}.key", "-CAcreateserial", "-extfile",
            "openssl.cnf", "-extensions", "leaf" if name == "leaf" else "root", "-days", "800", "-out", f"{name}.pem",
        )  # fmt: skip
    (folder / "chain.pem").write_bytes(b"".join((folder / f"{name}.pem").read_bytes() for name in along))
    (folder / "request.tsq").write_bytes(rfc3161.request(b"message"))
    openssl(folder, "ts", "-reply", "-config", "openssl.cnf", "-queryfile", "request.tsq", "-out", "reply.tsr")
    return (folder / "root.pem").read_bytes(), (folder / "reply.tsr").read_bytes()


def test_the_second_smallest_time_counts_so_that_one_authority_gains_nothing_by_backdating() -> None:
    day = datetime(2026, 12, 1, tzinfo=UTC)
    names = ["a", "b", "c"]
    found = [Stamp("x", day - timedelta(days=900), 2), Stamp("y", day, 2), Stamp("y", day + timedelta(days=5), 3),
             Stamp("x", day + timedelta(days=4), 3), Stamp("y", day - timedelta(days=1), batch="c")]  # fmt: skip

    by_batch, proved = times(found, names, 2)

    assert proved == {"a": day, "b": day, "c": day + timedelta(days=4)}
    assert by_batch["c"]["y"] == day - timedelta(days=1)
    assert times(found, names, 0)[1] == {}
    assert times(found, names, 3)[1] == {}


def test_a_subject_is_read_in_one_spelling_only(place: Path) -> None:
    made = (place / timestamping.anchor(place) / "subject").read_bytes()

    assert anchors.parse_subject(made).encode() == made
    assert sha256(made).hexdigest() != anchors.FIRST
    for bad in (made[:-1], made + b"\n", made.replace(b"size 1", b"size 01"), made.replace(b"\n", b"\r\n"), b"\xff" + made):
        with pytest.raises(LedgerError, match="lines of a subject"):
            anchors.parse_subject(bad)
