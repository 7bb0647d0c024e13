"""Bytes that nobody meant: every parser of ledger bytes fed with mutants of good input, raw bytes and typed junk.

A parser may read what it is given, or refuse it as wrong (LedgerError) or as not readable here (UnreadableError). Anything else
is a crash. What is read must be written back as the same bytes where the product can write it: two spellings of one value would
be two hashes.
"""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from tests.attacks import build
from tests.attacks import world as worlds
from tests.attacks.mutate import room
from tests.attacks.table import Scale, Tally, skip, timed

from foresaid import canonical_json
from foresaid.errors import LedgerError, UnreadableError
from foresaid.ledger import layout
from foresaid.ledger.entries import schema as entries
from foresaid.ledger.entries.batch import read_batch
from foresaid.ledger.log import (
    anchors,
    checkpoint,
    inclusion_proof,
    manifest,
    opentimestamps,
    policy,
    rfc3161,
    signed_note,
    witness,
)
from foresaid.ledger.log.policy import Policy
from foresaid.ledger.log.signed_note import Signer
from foresaid.ledger.verify import page as report_check

Parse = Callable[
    [bytes], object
]  # reads bytes; raises LedgerError or UnreadableError, and AssertionError for two spellings of one value


@dataclass(frozen=True)
class Parser:
    """A parser and good input for it."""

    name: str
    parse: Parse
    seeds: tuple[bytes, ...]
    share: int = 1  # one input in so many: for what starts a process each time


def _line(data: bytes) -> None:
    value = canonical_json.parse_line(data)
    assert canonical_json.dump_line(value) == data + b"\n"


def _entry(data: bytes) -> None:
    record = entries.parse(canonical_json.parse_line(data))
    assert entries.encode(record) == data + b"\n"


def _batch(data: bytes) -> None:
    batch, problems = read_batch("0" * 64, data)
    if batch is not None and not problems:
        assert b"".join(map(entries.encode, [batch.header, *batch.entries])) == data


def _manifest(data: bytes) -> None:
    names, problems = manifest.parse_manifest(data)
    if not problems:
        assert b"".join(map(manifest.manifest_line, names)) == data


def _checkpoint(data: bytes) -> None:
    assert data.startswith(manifest.parse_checkpoint(data).encode())


def _note(data: bytes) -> None:
    assert signed_note.parse_note(data).encode() == data


def _judged(data: bytes) -> None:
    checkpoint.judge(data, Policy(log=worlds.SIGNER.verifier, witnesses={"a": worlds.WATCHER.verifier}, quorum="a"))


def _vkey(data: bytes) -> None:
    text = data.decode("latin-1")
    assert signed_note.parse_vkey(text).vkey == text


def _secret(data: bytes) -> None:
    signed_note.parse_signer(data.decode("latin-1"))


def _proof(data: bytes) -> None:
    found = inclusion_proof.parse(data)
    assert found.encode() == data
    inclusion_proof.check(found, "ab" * 32, Policy())


def _growth(data: bytes) -> None:
    witness.parse_proof(data.decode("latin-1"))


def _subject(data: bytes) -> None:
    assert anchors.parse_subject(data).encode() == data


def _policy(data: bytes) -> None:
    policy.parse(data)


def _page(data: bytes) -> None:
    report_check.read(data)


def _headers(data: bytes) -> None:
    opentimestamps.parse_trusted(data.decode("latin-1"))


@cache
def parsers() -> tuple[Parser, ...]:
    """Every parser of ledger bytes, with seeds from a ledger the product made."""
    with room() as place:
        world = worlds.make(place)
        files = build.files(world.build(place / "ledger", 22))
        names = manifest.parse_manifest(files[layout.MANIFEST])[0]
        root, message = world.authorities[0].root, b"message"
        query = rfc3161.request(message)
        reply = world.authorities[0].reply(query)
    batches = tuple(data for name, data in files.items() if name.startswith("batches/"))
    lines = tuple({line for data in batches for line in data.splitlines()})
    head = files[layout.CHECKPOINT]
    subjects = tuple(data for name, data in files.items() if name.endswith("/subject"))
    growth = b"".join(base64.b64encode(one) + b"\n" for one in witness.consistency(5, names))
    targets = [{"round": "r", "author": "a", "targets": 2, "no_shows": ["t"]}]
    ours = report_check.embedded(names, manifest.parse_checkpoint(head), [], None, targets)
    page = f'<table><tr data-forecast="a b" data-state="c"></tr></table><pre id="ledger-data">{json.dumps(ours)}</pre>'.encode()

    def _reply(data: bytes) -> None:
        rfc3161.proved_at(data, sha256(message).digest(), root)

    def _request(data: bytes) -> None:
        rfc3161.nonce_of(data)

    def _ots(data: bytes) -> None:
        opentimestamps.read(data, message)

    made = (
        Parser("canonical line", _line, lines),
        Parser("entry", _entry, lines),
        Parser("batch", _batch, batches),
        Parser("manifest", _manifest, (files[layout.MANIFEST], b"")),
        Parser("checkpoint", _checkpoint, (head, manifest.parse_checkpoint(head).encode())),
        Parser("signed note", _note, (head,)),
        Parser("signatures under a policy", _judged, (head,)),
        Parser("public key", _vkey, (worlds.SIGNER.verifier.vkey.encode(), worlds.WATCHER.verifier.vkey.encode())),
        Parser("secret key", _secret, (_key_file(worlds.SIGNER),)),
        Parser("inclusion proof", _proof, (inclusion_proof.prove(names[3], names, head).encode(),)),
        Parser("consistency proof", _growth, (growth,)),
        Parser("subject", _subject, subjects),
        Parser("policy", _policy, (files["policy.txt"],)),
        Parser("time-stamp reply", _reply, (reply,)),
        Parser("time-stamp request", _request, (query,)),
        Parser("ledger page", _page, (page,)),
        Parser("block headers", _headers, (b"0 " + b"00" * 80 + b"\n",)),
    )
    if opentimestamps.read(OTS, message) is None:
        return made
    return (*made, Parser("OpenTimestamps proof", _ots, (OTS,), 20))


# A proof that is no proof yet: the magic bytes, version, SHA-256, the digest, and a pending attestation.
OTS = (
    b"\x00OpenTimestamps\x00\x00Proof\x00\xbf\x89\xe2\xe8\x84\xe8\x92\x94\x01\x08" + sha256(b"message").digest()
    + b"\x00\x83\xdf\xe3\r.\xf9\x0c\x8e\x1e\x1dhttps://calendar.example.org/"
)  # fmt: skip


def _key_file(signer: Signer) -> bytes:
    secret = base64.b64encode(bytes([signer.kind]) + signer.seed)
    return f"PRIVATE+KEY+{signer.name}+{signer.verifier.id.hex()}+".encode() + secret


TYPED = (
    b"null", b"true", b"NaN", b"Infinity", b"1e400", b"-0", b"0.1", b"1" * 400, b"9007199254740992", b"[]", b"{}", b'""',
    b"[" * 3000, b'{"a":' * 200, b'"\\ud800"', b'"\\u0000"', b'{"type":[]}', b'{"type":{"type":1}}', b'"\xef\xbb\xbf"', b"\xff\xfe",
    b"\r\n", b"\x00", "\u202e".encode(), "\u200b".encode(), "é".encode(), "e\u0301".encode(), b"\xe2\x80\x94 ", b"=", b"==", b"-1",
    b"+1", b"1_000", b" ", b"\t",
)  # fmt: skip


@st.composite
def mutants(draw: st.DrawFn, seeds: tuple[bytes, ...]) -> bytes:
    """Good input with a few cuts, copies, flips, or junk put where something stood."""
    data = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(data)))
        end = min(len(data), place + draw(st.sampled_from((0, 1, 2, 4, 8, 64, 400))))
        kind = draw(st.integers(0, 4))
        if kind == 0:
            data = data[:place] + data[end:]
        elif kind == 1:
            data = data[:place] + draw(st.binary(max_size=8)) + data[end:]
        elif kind == 2:
            data = data[:place] + draw(st.sampled_from(TYPED)) + data[end:]
        elif kind == 3:
            data = data[:end] + data[place:]
        else:  # another value of JSON in the place of one
            values = list(re.finditer(rb'(?<=:)("[^"]*"|[0-9]+|true|false|\[[^\]]*\])', data))
            if values:
                match = values[draw(st.integers(0, len(values) - 1))]
                data = data[: match.start()] + draw(st.sampled_from(TYPED)) + data[match.end() :]
    return data


def hypothesis_run(parser: Parser, tally: Tally, examples: int, seed_: int) -> None:
    """So many inputs, none of them shrunk: the count is of inputs tried, failures included."""

    @seed(seed_)
    @settings(
        max_examples=max(1, examples // parser.share),
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.one_of(mutants(parser.seeds), mutants(parser.seeds), st.binary(max_size=300), st.sampled_from(parser.seeds)))
    def feed(data: bytes) -> None:
        try:
            parser.parse(data)
        except (LedgerError, UnreadableError) as error:
            message = str(error)
            if not message.isascii() or "\n" in message:
                tally.escaped(f"a message that is not one line of ASCII: {message!a}"[:150], f"{data[:60]!r}")
                return
        except AssertionError:
            tally.count(False, f"two spellings of one value: {data[:80]!r}")
            return
        except Exception as error:
            tally.escaped(error, f"{data[:60]!r}")
            return
        tally.count(True)

    feed()


ATHERIS = """
import sys
import atheris

with atheris.instrument_imports(include=["foresaid", "tests.attacks.parsers"]):
    from tests.attacks import parsers
from foresaid.errors import LedgerError, UnreadableError

every = [parser for parser in parsers.parsers() if parser.share == 1]

def feed(data):
    if not data:
        return
    try:
        every[data[0] % len(every)].parse(data[1:])
    except (LedgerError, UnreadableError):
        pass

atheris.Setup(sys.argv, feed)
atheris.Fuzz()
"""


def atheris_run(scale: Scale, seconds: int) -> Tally:
    """Coverage-guided input for all parsers, seeded with the good ones."""
    attack = "input found by coverage (atheris)"
    try:
        import atheris  # noqa: F401
    except ImportError:
        return skip(attack, "no atheris for this Python")
    root = Path(__file__).parents[2]
    with room() as place, timed(Tally(attack)) as tally:
        corpus = place / "corpus"
        corpus.mkdir()
        for number, parser in enumerate(parsers()):
            for order, data in enumerate(parser.seeds[:8]):
                (corpus / f"{number}-{order}").write_bytes(bytes([number]) + data)
        program = place / "fuzz.py"
        program.write_text(ATHERIS, encoding="ascii")
        done = subprocess.run(
            [sys.executable, str(program), str(corpus), f"-max_total_time={seconds}", "-max_len=4096", "-timeout=10",
             f"-seed={scale.seed}", f"-artifact_prefix={place}/"],
            capture_output=True, text=True, errors="replace", check=False, cwd=root,
            env={**os.environ, "PYTHONPATH": f"{root / 'pipelines'}{os.pathsep}{root}"},
        )  # fmt: skip
        runs = re.search(r"Done (\d+) runs", done.stderr)
        if done.returncode != 0:
            last = [line for line in done.stderr.splitlines() if "Error" in line or "Exception" in line][-1:]
            tally.escaped((last or [done.stderr[-150:]])[0], "atheris")
        if runs:
            tally.tried += int(runs[1])
        covered = re.findall(r"cov: (\d+)", done.stderr)
        tally.note = f"{sum(parser.share == 1 for parser in parsers())} parsers, coverage {covered[-1] if covered else '?'}"
    return tally


def attacks(scale: Scale) -> Iterator[Tally]:
    """Hypothesis on each parser, then atheris on all."""
    for parser in parsers():
        with timed(Tally(f"malformed input: {parser.name}")) as tally:
            hypothesis_run(parser, tally, scale.of(40, 1000, 10_000), scale.seed)
        yield tally
    if scale.name != "slice":
        yield atheris_run(scale, scale.of(1, 20, 600))
