import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from foresaid import log, merkle
from foresaid.canonical import dump_line
from foresaid.errors import UnreadableError
from foresaid.verify import CHECKS, EXITS, verify

ORIGIN = "example.org/lm-forecasts"
HEADER: dict[str, Any] = {
    "type": "batch/v1",
    "origin": ORIGIN,
    "author": "example.org/alice",
    "as_of": "2026-11-20",
    "frozen_at": "2026-11-21T02:00:00Z",
    "data": [{"name": "scores", "sha256": "ab" * 32, "bytes": 10, "rows": 2, "max_observed_on": "2026-11-18"}],
    "code": {"git": "3f" * 20, "dirty": False, "version": "0.1.0"},
}
ROUND: dict[str, Any] = {
    "type": "round/v1",
    "id": "r",
    "deadline": "2026-12-01T00:00:00Z",
    "reveal_by": "2027-06-01T00:00:00Z",
    "revision": "first",
    "score": "wis",
    "reports": "all",
    "unit_of_count": "target",
    "universe": "every target/v1 line with round r",
}
TARGET: dict[str, Any] = {
    "type": "target/v1",
    "id": "t",
    "round": "r",
    "benchmark": "mmlu",
    "metric": "accuracy",
    "unit": "fraction",
    "min": "0",
    "max": "1",
    "source": "s",
    "known_rule": "k",
    "void_if": "v",
    "binding": "every model",
}


def forecast(method: str, primary: bool = False, value: str = "0.5", **changes: Any) -> dict[str, Any]:
    prediction = {"kind": "quantiles", "levels": ["0.5"], "values": [value]}
    line = {"type": "forecast/v1", "id": f"r/t/{method}", "target": "t", "method": method, "primary": primary}
    return {**line, "prediction": prediction, **changes}


def batch(lines: list[dict[str, Any]], parents: list[str] | None = None, **changes: Any) -> bytes:
    """Bytes of a batch, canonical whatever it says."""
    header = {**HEADER, "parents": sorted(parents or []), "n": len(lines), **changes}
    return b"".join(
        json.dumps(line, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() + b"\n" for line in [header, *lines]
    )


def name_of(data: bytes) -> str:
    return sha256(data).hexdigest()


def put(folder: Path, batches: list[bytes], manifest: bytes | None = None, origin: str = ORIGIN) -> Path:
    """Write a ledger whose hashes, manifest and root all agree, whatever the batches say."""
    if manifest is None:
        manifest = b"".join(log.manifest_line(name_of(data)) for data in batches)
    (folder / "log").mkdir(parents=True, exist_ok=True)
    for data in batches:
        path = folder / log.batch_path(name_of(data))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (folder / "log/MANIFEST").write_bytes(manifest)
    leaves = manifest.splitlines(keepends=True)
    root = merkle.root([merkle.leaf_hash(leaf) for leaf in leaves])
    (folder / "log/checkpoint").write_bytes(log.Checkpoint(origin, len(leaves), root).encode())
    return folder


FIRST = batch([ROUND, TARGET])
SECOND = batch([forecast("a", primary=True), forecast("b")], [name_of(FIRST)])
THIRD = batch([forecast("c")], [name_of(SECOND)])
SOUND = [FIRST, SECOND, THIRD]
FILES = [*(log.batch_path(name_of(data)) for data in SOUND), "log/MANIFEST", "log/checkpoint"]
LINES = [log.manifest_line(name_of(data)) for data in SOUND]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return put(tmp_path / "ledger", SOUND)


def codes(folder: Path) -> set[str]:
    return {finding.code for finding in verify(folder, ORIGIN).findings}


def noticed(folder: Path, file: str) -> bool:
    result = verify(folder, ORIGIN)
    return result.exit_code() == 1 and any(file in finding.file for finding in result.findings)


def test_a_sound_ledger_passes_and_is_counted(folder: Path) -> None:
    result = verify(folder, ORIGIN)

    assert result.findings == ()
    assert (result.exit_code(), result.exit_code(strict=True)) == (0, 0)
    assert {name: result.counts[name] for name in ("batches", "sequenced", "pending", "rounds", "targets", "forecasts")} == {
        "batches": 3,
        "sequenced": 3,
        "pending": 0,
        "rounds": 1,
        "targets": 1,
        "forecasts": 3,
    }
    assert "Time is not proven" in result.time
    assert json.loads(json.dumps(result.as_dict()))["findings"] == []


def test_editing_any_byte_of_the_ledger_is_noticed_and_the_file_is_named(folder: Path) -> None:
    tried, undetected = 0, []
    for file in FILES:
        data = (folder / file).read_bytes()
        for place in range(len(data)):
            changed = bytearray(data)
            changed[place] ^= 1 << place % 8
            (folder / file).write_bytes(changed)
            tried += 1
            if not noticed(folder, file):
                undetected.append((file, place))
        (folder / file).write_bytes(data)

    assert undetected == []
    assert tried == sum((folder / file).stat().st_size for file in FILES)


@pytest.mark.parametrize("file", ["log/MANIFEST", "log/checkpoint", FILES[2]])
def test_a_file_cut_at_any_byte_or_with_a_byte_more_is_noticed(folder: Path, file: str) -> None:
    data = (folder / file).read_bytes()
    for place in range(len(data)):
        (folder / file).write_bytes(data[:place])
        where = "log/checkpoint" if file == "log/MANIFEST" and place % len(LINES[0]) == 0 else file
        assert noticed(folder, where), place
    for place in range(len(data) + 1):
        (folder / file).write_bytes(data[:place] + b" " + data[place:])
        assert noticed(folder, file), place


@pytest.mark.parametrize("file", FILES)
def test_a_deleted_or_renamed_file_is_noticed(folder: Path, file: str) -> None:
    (folder / file).rename(folder / "log" / "old")
    assert noticed(folder, file)
    assert noticed(folder, "log/old")
    (folder / "log" / "old").unlink()
    assert noticed(folder, file)


@pytest.mark.parametrize("kept", range(3))
def test_dropping_the_newest_batches_and_their_lines_is_noticed(folder: Path, kept: int) -> None:
    (folder / "log/MANIFEST").write_bytes(b"".join(LINES[:kept]))
    assert noticed(folder, "log/checkpoint")
    for file in FILES[kept:3]:
        (folder / file).unlink()
    assert noticed(folder, "log/checkpoint")


def test_a_missing_ledger_is_an_error_and_an_empty_one_is_not(tmp_path: Path) -> None:
    empty = put(tmp_path / "empty", [])

    assert verify(empty, ORIGIN).exit_code(strict=True) == 0
    with pytest.raises(UnreadableError, match="no ledger here") as error:
        verify(tmp_path / "nothing")
    assert error.value.exit_code == 2
    shutil.rmtree(empty / "log")
    assert verify(empty).exit_code() == 1
    assert {("V01", "log/MANIFEST"), ("V01", "log/checkpoint")} == {(f.code, f.file) for f in verify(empty).findings}


def test_another_log_than_the_expected_one_is_noticed(folder: Path) -> None:
    assert verify(folder, "example.org/other").exit_code() == 1
    assert verify(folder).exit_code() == 0


def test_a_batch_outside_the_manifest_is_pending_and_only_strictly_wrong(folder: Path) -> None:
    data = batch([forecast("d")], [name_of(THIRD)])
    path = folder / log.batch_path(name_of(data))
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    result = verify(folder, ORIGIN)

    assert (name_of(data),) == result.pending
    assert (result.exit_code(), result.exit_code(strict=True)) == (0, 5)
    assert [item.index for item in result.batches] == [0, 1, 2, None]


def one(data: bytes) -> Callable[[Path], object]:
    """The sound ledger and one more batch, with all hashes in order."""
    return lambda folder: put(folder, [*SOUND, data])


def edit(file: str, change: Callable[[bytes], bytes]) -> Callable[[Path], object]:
    return lambda folder: (folder / file).write_bytes(change((folder / file).read_bytes()))


def raw(line: bytes) -> bytes:
    """A batch whose second line is given as bytes."""
    return batch([], [name_of(THIRD)], n=1) + line + b"\n"


def dump(**changes: Any) -> bytes:
    return dump_line({**forecast("z"), **changes})[:-1]


def after(lines: list[dict[str, Any]], **changes: Any) -> bytes:
    return batch(lines, [name_of(THIRD)], **changes)


def amend(name: str, value: str = "0.5") -> dict[str, Any]:
    prediction = {"kind": "quantiles", "levels": ["0.5"], "values": [value]}
    return {"type": "amendment/v1", "amends": name, "reason": "why", "prediction": prediction}


WITHDRAW = {"type": "withdrawal/v1", "withdraws": "r/t/a", "reason": "why"}

# Broken ledgers, one way each: (the one check that must notice, how it is broken)
ZOO: dict[str, tuple[str, Callable[[Path], object]]] = {
    "extra file": ("V01", lambda f: (f / "log/NOTES").write_bytes(b"")),
    "extra file at the top": ("V01", lambda f: (f / "policy").write_bytes(b"")),
    "extra folder": ("V01", lambda f: (f / "old").mkdir()),
    "extra file among batches": ("V01", lambda f: (f / "batches/notes.txt").write_bytes(b"")),
    "batch in a wrong folder": ("V01", lambda f: (f / "batches/zz").mkdir()),
    "file name that is no text": ("V01", lambda f: (f / "log" / b"\xff\n".decode("utf-8", "surrogateescape")).touch()),
    "file in place of the log": ("V01", lambda f: (f / "log").rename(f / "old").joinpath("x") and (f / "log").write_bytes(b"")),
    "executable batch": ("V01", lambda f: (f / FILES[0]).chmod(0o755)),
    "linked folder": ("V01", lambda f: (f / "batches/00").symlink_to(f / "log")),
    "edited number": ("V02", edit(FILES[1], lambda data: data.replace(b"0.5", b"0.6"))),
    "float": ("V03", one(raw(dump().replace(b'"0.5"]}', b"0.5]}")))),
    "duplicate key": ("V03", one(raw(dump().replace(b'"method"', b'"id":"r/t/z","method"')))),
    "unknown key": ("V03", one(raw(dump(note="x")))),
    "unknown type": ("V03", one(raw(dump(type="bet/v1")))),
    "space": ("V03", one(raw(dump().replace(b":", b": ", 1)))),
    "CRLF": ("V03", one(raw(dump()).replace(b"\n", b"\r\n"))),
    "byte order mark": ("V03", one(b"\xef\xbb\xbf" + raw(dump()))),
    "no last newline": ("V03", one(raw(dump())[:-1])),
    "empty batch": ("V03", one(b"")),
    "not UTF-8": ("V03", one(raw(dump().replace(b"r/t/z", b"r/t/\xff")))),
    "no header": ("V03", one(dump_line(forecast("z")))),
    "two headers": ("V03", one(after([json.loads(after([]))]))),
    "wrong n": ("V03", one(after([forecast("z")], n=2))),
    "deep nesting": ("V03", one(raw(b"[" * 60_000))),
    "huge integer": ("V03", one(raw(b'{"type":' + b"9" * 6000 + b"}"))),
    "look-alike letter": ("V03", one(after([forecast("\u0430")]))),
    "duplicate line": ("V04", lambda f: put(f, SOUND, b"".join([*LINES, LINES[2]]))),
    "manifest with CRLF": ("V04", lambda f: put(f, SOUND, b"".join(LINES[:2]) + LINES[2][:-1] + b"\r\n")),
    "manifest with a comment": ("V04", lambda f: put(f, SOUND, b"# ours\n" + b"".join(LINES))),
    "listed but missing": ("V05", lambda f: put(f, SOUND, b"".join([*LINES, log.manifest_line("0" * 64)]))),
    "swapped lines": ("V06", lambda f: put(f, SOUND, LINES[0] + LINES[2] + LINES[1])),
    "missing parent": ("V06", one(batch([forecast("z")], ["0" * 64]))),
    "other root": ("V07", edit("log/checkpoint", lambda data: data.split(b"\n")[0] + b"\n2\n" + data.split(b"\n", 2)[2])),
    "rollback": ("V07", lambda f: (f / "log/MANIFEST").write_bytes(LINES[0] + LINES[1])),
    "another origin": ("V07", lambda f: put(f, SOUND, origin="example.org/other")),
    "batch of another log": ("V07", one(after([forecast("z")], origin="example.org/other"))),
    "a signature nobody can check": ("V07", edit("log/checkpoint", lambda data: data + b"\xe2\x80\x94 me AAAA\n")),
    "size with a zero": ("V07", edit("log/checkpoint", lambda data: data.replace(b"\n3\n", b"\n03\n"))),
    "other base64 of the root": ("V07", edit("log/checkpoint", lambda data: data[:-4] + bytes([data[-4] + 1]) + data[-3:])),
    "second primary": ("V14", one(after([forecast("z", primary=True)]))),
    "second forecast": ("V14", one(after([forecast("a")]))),
    "second round": ("V14", one(after([ROUND]))),
    "second target": ("V14", one(after([TARGET]))),
    "target of no round": ("V14", one(after([{**TARGET, "round": "q"}]))),
    "forecast of no target": ("V14", one(after([forecast("z", id="r/u/z", target="u")]))),
    "value above its bound": ("V14", one(after([forecast("z", value="1.1")]))),
    "value below its bound": ("V14", one(after([forecast("z", value="-0.1")]))),
    "amendment of nothing": ("V14", one(after([amend("r/t/z")]))),
    "amendment of another's": ("V14", one(after([amend("r/t/a")], author="bob"))),
    "amendment out of bounds": ("V14", one(after([amend("r/t/a", "2")]))),
    "amendment after withdrawal": ("V14", one(after([WITHDRAW, amend("r/t/a")]))),
    "withdrawn twice": ("V14", one(after([WITHDRAW, WITHDRAW]))),
    "data after the cut-off": ("V17", one(after([forecast("z")], as_of="2026-11-17"))),
    "cut-off after the freeze": ("V17", one(after([forecast("z")], as_of="2026-11-22"))),
}


@pytest.mark.parametrize("name", ZOO)
def test_a_broken_ledger_is_noticed_by_its_check(folder: Path, name: str) -> None:
    code, spoil = ZOO[name]
    spoil(folder)
    result = verify(folder, ORIGIN)
    exit_code = next(number for number, members in EXITS.items() if code in members)

    assert code in {finding.code for finding in result.findings}
    assert exit_code == result.exit_code()
    assert all(str(finding).isascii() and "\n" not in str(finding) for finding in result.findings)


@pytest.mark.parametrize("code", CHECKS)
def test_without_any_one_check_some_broken_ledger_would_pass(tmp_path: Path, code: str) -> None:
    """A verifier in which this check is disabled is killed by the test above: nothing else notices."""
    rest = {name: check for name, check in CHECKS.items() if name != code}
    passed = []
    for number, (expected, spoil) in enumerate(ZOO.values()):
        spoil(put(tmp_path / str(number), SOUND))
        if expected == code:
            passed.append(verify(tmp_path / str(number), ORIGIN, checks=rest).exit_code() == 0)

    assert any(passed)


@pytest.mark.parametrize("file", FILES)
def test_a_link_or_a_pipe_in_place_of_a_file_is_noticed(folder: Path, file: str, tmp_path: Path) -> None:
    (folder / file).rename(tmp_path / "moved")
    (folder / file).symlink_to(tmp_path / "moved")
    assert noticed(folder, file)
    (folder / file).unlink()
    subprocess.run(["mkfifo", str(folder / file)], check=True)
    assert noticed(folder, file)


@pytest.mark.parametrize("mode", [0o644, 0o664, 0o444, 0o600, 0o666])
def test_the_mode_that_a_checkout_gives_does_not_matter(folder: Path, mode: int) -> None:
    for file in FILES:
        (folder / file).chmod(mode)

    assert codes(folder) == set()


def test_what_a_killed_writer_left_is_counted_and_does_no_harm(folder: Path) -> None:
    (folder / "log/.tmp-123").write_bytes(b"half a line")
    (folder / "batches/00").mkdir(exist_ok=True)

    assert codes(folder) == set()
    assert verify(folder).counts["stray_files"] == 1


def test_a_curve_that_the_caller_cannot_read_is_a_finding(folder: Path) -> None:
    curve = {"kind": "curve", "curve": {"law": "unheard"}}
    one(after([forecast("z", prediction=curve)]))(folder)

    def refuse(value: dict[str, Any]) -> None:
        raise ValueError(f"no law {value['law']}")

    assert verify(folder, ORIGIN).exit_code() == 0
    assert [(item.code, item.line) for item in verify(folder, ORIGIN, refuse).findings] == [("V03", 2)]


def test_checking_needs_neither_the_numbers_nor_the_database() -> None:
    program = (
        "import sys, foresaid.verify; heavy = {'numpy', 'polars', 'duckdb', 'scipy', 'click', 'jinja2', 'yaml'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    path = str(Path(__file__).parent.parent / "pipelines")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env={"PYTHONPATH": path})

    assert done.stdout == "[]\n"


def test_the_ledger_of_this_project_verifies() -> None:
    folder = Path(__file__).parent.parent / "registry" / "ledger"

    assert [str(finding) for finding in verify(folder).findings] == []
