"""`registry/ledger/verify.sh` needs none of our software. It must say what the program says, with the same exit code."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest
from tests.attacks import build, script, world
from tests.conftest import ROOT

from foresaid.ledger import layout, store
from foresaid.ledger.entries.resolutions import Redaction
from foresaid.ledger.entries.schema import ForecastEntry, Sealed
from foresaid.ledger.log import anchors, manifest, merkle, policy
from foresaid.ledger.log.signed_note import LOG, Signer
from foresaid.ledger.verify.snapshot import Evidence
from foresaid.ledger.verify.verify import verify

GOLDEN = ROOT / "tests" / "data" / "golden"
FIRST = "9e482a6653c65cce28706c1c854ad1b2851ee32770f76ca6e441114d97a9c53c"
SECOND = "2e7aeffd9d350046f6d24939020b27a52a38bc87178ecf1efa326d1336a57ae8"
LEAVES = (
    "1219e1793f9286d67ef49e88da43808b4a313868151ae26873c9dac10221d960",
    "e895dcc28577b8712c5c83dbe67a99a4e016f4653b1df6b215052370bce155fe",
)
TREE_ROOT = "oPauLfKT5ErxFzTJ/4qXivKJ2sBGBaUB0ikzYyOeqaM="
CHECKPOINT = f"""\
example.org/lm-forecasts
2
{TREE_ROOT}

— example.org/lm-forecasts vR0guAKRbjTSjRvxLOyQEbj10UUIoPCSQYm4flfpswy2J6WJtltiBgGciTfPHzt6nisJ5siHqBKafpjHHvQpHLmRMwc=
— witness.example/a gdYk+gAAAABrAPsg5dUlf7BLabrTB0InZeOH8uwp+avrA3GAz75KotYSOLTV9pME76PSn9Tsc1Xg5oZSnDpyx/Ls8j0SbbGsvkePDw==
"""
NOW = datetime(2026, 11, 22, tzinfo=UTC)
WORDS = ("--policy", str(GOLDEN / "policy.txt"), "--roots", str(GOLDEN / "tsa"))

pytestmark = pytest.mark.skipif(bool(script.missing()), reason=f"verify.sh wants {script.missing()}")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(GOLDEN / "ledger", tmp_path / "ledger")
    return tmp_path / "ledger"


def ours(folder: Path, known: tuple[bytes, ...] = (), pinned: Path = GOLDEN / "policy.txt") -> int:
    evidence = Evidence(policy=policy.load(pinned), known=known, now=NOW)
    return verify(folder, build.ORIGIN, evidence=evidence).exit_code(strict=True)


def test_the_golden_ledger_is_recomputed_with_coreutils_and_openssl_alone() -> None:
    command = ["sh", str(script.SCRIPT), "--strict", "--leaves", *WORDS, str(GOLDEN / "ledger")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    leaf_1, leaf_2, age, said = done.stdout.splitlines()

    assert age.startswith("verify.sh: newest cosignature: ")
    assert (leaf_1, leaf_2) == LEAVES
    assert f"root {TREE_ROOT}, signed by the log: yes" in said
    assert (GOLDEN / "ledger/log/checkpoint").read_text(encoding="utf-8") == CHECKPOINT
    assert tuple(merkle.leaf_hash(manifest.manifest_line(name)).hex() for name in (FIRST, SECOND)) == LEAVES
    assert ours(GOLDEN / "ledger") == 0


def test_the_golden_checkpoint_is_made_again_to_the_byte(folder: Path) -> None:
    """Ed25519 signatures are deterministic: the same seeds sign the same bytes."""
    head = manifest.Checkpoint(build.ORIGIN, 2, manifest.root([FIRST, SECOND]))
    lines = world.SIGNER.sign(head.text) + world.WATCHER.sign(head.text, 0x6B00FB20)

    assert CHECKPOINT.encode() == head.encode() + lines


def test_the_ledger_of_this_project_passes_the_script() -> None:
    assert script.script(ROOT / "registry" / "ledger") == 0


def edit(name: str, change: Callable[[bytes], bytes], sums: bool = False) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        (folder / name).write_bytes(change((folder / name).read_bytes()))
        if sums:
            fix_sums(folder)

    return spoil


def bent(line: int, place: int) -> Callable[[bytes], bytes]:
    """Another letter at one place of the last word of a line: of base64 or hexadecimal digits, so that only the value changes."""

    def change(data: bytes) -> bytes:
        lines = data.split(b"\n")
        head, space, word = lines[line].rpartition(b" ")
        other = b"1" if word[place : place + 1] == b"0" else b"0"
        lines[line] = head + space + word[:place] + other + word[place + 1 :]
        return b"\n".join(lines)

    return change


def link(folder: Path) -> None:
    (folder / BATCH).rename(folder.parent / "x")
    (folder / BATCH).symlink_to(folder.parent / "x")


def pipe(name: str) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        (folder / name).unlink()
        os.mkfifo(folder / name)

    return spoil


def move_anchor(folder: Path) -> None:
    (folder / ANCHOR).rename(folder / "log/anchors/00000001")
    fix_sums(folder)


def fix_sums(folder: Path) -> None:
    kept = [p for p in folder.rglob("*") if p.is_file() and p.parent.name not in ("log", "ledger") and "batches" not in p.parts]
    evidence = {path.relative_to(folder).as_posix(): path.read_bytes() for path in [*kept, folder / "policy.txt"]}
    (folder / layout.SUMS).write_bytes(anchors.sums(evidence))


def remove(*names: str, sums: bool = True) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        for name in names:
            (folder / name).unlink()
        if sums:
            fix_sums(folder)

    return spoil


def swap_tokens(folder: Path) -> None:
    place = folder / "log/anchors/00000002"
    one, two = (place / "tsa1.tsr").read_bytes(), (place / "tsa2.tsr").read_bytes()
    (place / "tsa1.tsr").write_bytes(two)
    (place / "tsa2.tsr").write_bytes(one)
    fix_sums(folder)


def sign_with(seed: bytes) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        head = manifest.Checkpoint(build.ORIGIN, 2, manifest.root([FIRST, SECOND]))
        key = Signer(build.ORIGIN, LOG, seed)
        (folder / "log/checkpoint").write_bytes(head.encode() + key.sign(head.text))

    return spoil


def _named(folder: Path) -> list[str]:
    batch = next(one for one in store.read(folder) if one.sha256 == SECOND)
    return sorted(entry.id for entry in batch.entries if isinstance(entry, ForecastEntry | Sealed))


def redact(folder: Path) -> None:
    line = Redaction(batch=SECOND, author=build.AUTHOR, forecasts=_named(folder), reason="a court said so")
    build.write(folder, [line], minutes=20)
    store.redact(folder, SECOND)


BATCH = layout.batch_path(FIRST)
ANCHOR = "log/anchors/00000002"

# What is done to the golden ledger, and the exit code of both verifiers
SPOILT: dict[str, tuple[int, Callable[[Path], object]]] = {
    "an edited number": (1, edit(layout.batch_path(SECOND), lambda data: data.replace(b"0.531", b"0.532"))),
    "a missing batch": (1, remove(BATCH)),
    "a foreign file": (1, lambda f: (f / "log/NOTES").write_bytes(b"")),
    "a link": (1, link),
    "a pipe in place of the sums": (1, pipe("log/ANCHORS.sha256")),
    "a pipe in place of a subject": (1, pipe("log/anchors/00000002/subject")),
    "an executable batch": (1, lambda f: (f / BATCH).chmod(0o755)),
    "a cut manifest": (1, edit("log/MANIFEST", lambda data: data[:-1])),
    "a dropped line": (1, edit("log/MANIFEST", lambda data: data.splitlines(keepends=True)[0])),
    "lines in another order": (1, edit("log/MANIFEST", lambda data: b"".join(data.splitlines(keepends=True)[::-1]))),
    "another root": (1, edit("log/checkpoint", bent(2, 4))),
    "corrupt evidence": (1, edit(f"{ANCHOR}/tsa1.tsr", lambda data: data[:-1] + b"x")),
    "sums without files": (1, remove("tsa/tsa1.pem", sums=False)),
    "a false signature": (4, edit("log/checkpoint", bent(4, 20))),
    "a false cosignature": (4, edit("log/checkpoint", bent(5, 40))),
    "a cosignature at another time": (4, edit("log/checkpoint", bent(5, 14))),
    "another key": (4, sign_with(b"\x09" * 32)),
    "no signature": (4, edit("log/checkpoint", lambda data: data.split("—".encode())[0])),
    "no witness": (5, edit("log/checkpoint", lambda data: data[: data.rindex("—".encode())])),
    "an unknown witness": (5, edit("log/checkpoint", lambda data: data.replace(b"witness.example/a", b"witness.example/b"))),
    "an edited subject": (4, edit(f"{ANCHOR}/subject", bent(3, 6), sums=True)),
    "an anchor of another size": (4, move_anchor),
    "stamps of each other": (4, swap_tokens),
    "one stamp of two": (5, remove(f"{ANCHOR}/tsa2.tsr")),
    "no anchor": (5, remove(*(f"{ANCHOR}/{name}" for name in ("subject", "checkpoint", "tsa1.tsr", "tsa2.tsr")))),
    "a batch that waits": (5, lambda f: build.write(f, [build.forecast("late")], minutes=60)),
    "a redacted batch": (5, redact),
}


@pytest.mark.parametrize("name", SPOILT)
def test_both_verifiers_leave_with_the_same_code(folder: Path, name: str) -> None:
    code, spoil = SPOILT[name]
    spoil(folder)

    assert (code, code) == (ours(folder), script.script(folder, *WORDS))


def test_both_see_a_log_that_does_not_continue_the_checkpoint_they_kept(folder: Path, tmp_path: Path) -> None:
    longer = manifest.Checkpoint(build.ORIGIN, 3, manifest.root([FIRST, SECOND, "0" * 64])).encode()
    other = manifest.Checkpoint(build.ORIGIN, 2, manifest.root([SECOND, FIRST])).encode()
    first = manifest.Checkpoint(build.ORIGIN, 1, manifest.root([FIRST])).encode()
    for data, code in ((longer, 3), (other, 3), (first, 0), ((folder / "log/checkpoint").read_bytes(), 0)):
        (tmp_path / "known").write_bytes(data)

        assert (code, code) == (ours(folder, (data,)), script.script(folder, *WORDS, "--known", str(tmp_path / "known")))


def test_both_hold_to_the_readers_policy_and_not_to_the_copy_in_the_ledger(folder: Path, tmp_path: Path) -> None:
    text = (GOLDEN / "policy.txt").read_text(encoding="ascii")
    key = replace(world.SIGNER, seed=b"\x09" * 32).verifier.vkey
    shutil.copytree(GOLDEN / "tsa", tmp_path / "tsa")
    words = ("--policy", str(tmp_path / "policy.txt"), "--roots", str(tmp_path / "tsa"))
    for change, code in (
        (text.replace(world.SIGNER.verifier.vkey, key), 4),
        (text.replace("quorum a", "quorum none"), 0),
        (text.replace("stamps 2", "stamps 0"), 0),
        (
            text.replace(
                "quorum a", f"witness b {replace(world.WATCHER, seed=bytes(32)).verifier.vkey}\ngroup g all a b\nquorum g"
            ),
            5,
        ),
        (
            text.replace(
                "quorum a", f"witness b {replace(world.WATCHER, seed=bytes(32)).verifier.vkey}\ngroup g any a b\nquorum g"
            ),
            0,
        ),
    ):
        (tmp_path / "policy.txt").write_text(change, encoding="ascii")

        assert (code, code) == (ours(folder, pinned=tmp_path / "policy.txt"), script.script(folder, *words))


def test_a_byte_changed_anywhere_is_seen_by_both(folder: Path) -> None:
    files = build.files(folder)
    for name, data in files.items():
        for place in range(0, len(data), 709):
            (folder / name).write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
            assert ours(folder) != 0
            assert script.script(folder, *WORDS) != 0
        (folder / name).write_bytes(data)


def test_what_the_script_cannot_use_is_exit_2(tmp_path: Path) -> None:
    assert script.script(tmp_path / "nothing") == 2
    assert script.script(GOLDEN / "ledger", "--unknown") == 2
    assert script.script(GOLDEN / "ledger", "--policy", str(tmp_path / "nothing")) == 2


def test_the_golden_files_are_those_that_were_committed() -> None:
    """A checkout that rewrote line endings would change these sums."""
    assert sha256((GOLDEN / "ledger/log/MANIFEST").read_bytes()).hexdigest() == (
        "82186883f8d4c5c7213862605963ddcd8d013a389b9cb5cd7e9b93f38843e86c"
    )
