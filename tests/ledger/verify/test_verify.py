import html
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import md5, sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest

from foresaid.canonical_json import dump_line
from foresaid.errors import LedgerError, UnreadableError
from foresaid.ledger import layout
from foresaid.ledger.entries import commitment
from foresaid.ledger.entries import schema as entries
from foresaid.ledger.log import anchors, merkle
from foresaid.ledger.log import manifest as log
from foresaid.ledger.log.git_history import History
from foresaid.ledger.log.policy import Policy, with_roots
from foresaid.ledger.log.policy import parse as parse_policy
from foresaid.ledger.state.accounting import universe
from foresaid.ledger.verify import page as report_check
from foresaid.ledger.verify import verify as verification
from foresaid.ledger.verify.verify import CHECKS, EXITS, Evidence, verify

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
    "rule": {"kind": "curve", "binds": "model"},
    "benchmark": "mmlu",
    "protocol": "p",
    "unit": "fraction",
    "direction": "higher",
    "min": "0",
    "max": "1",
    "chance": None,
    "ceiling": None,
    "resolution": None,
    "resolver": "board",
    "fallbacks": [],
    "system": "default",
    "nearest_effort": False,
    "opens": "2026-11-20",
    "closes": "2027-06-01",
    "publish_within": 30,
    "void_if": [],
    "known": "0" * 64,
    "levels": ["0.5"],
    "same_items": [],
    "stated": [],
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
        path = folder / layout.batch_path(name_of(data))
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
FILES = [*(layout.batch_path(name_of(data)) for data in SOUND), "log/MANIFEST", "log/checkpoint"]
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
    path = folder / layout.batch_path(name_of(data))
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


def sums(folder: Path) -> None:
    """Write down the sums of anchors, roots and policy, as a careful forger would."""
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for place in ("log/anchors", "receipts", "tsa")
             for path in folder.glob(f"{place}/**/*") if path.is_file()}  # fmt: skip
    if (folder / "policy.txt").exists():
        files["policy.txt"] = (folder / "policy.txt").read_bytes()
    (folder / layout.SUMS).write_bytes(anchors.sums(files))


def anchor(folder: Path, **more: bytes) -> None:
    """Anchor the checkpoint; `more` are further files of the anchor, or its subject."""
    place = folder / layout.folder(3)
    place.mkdir(parents=True)
    head = (folder / "log/checkpoint").read_bytes()
    subject = anchors.subject(head, (folder / "log/MANIFEST").read_bytes(), None).encode()
    for name, data in {"checkpoint": head, "subject": subject, **more}.items():
        (place / name).write_bytes(data)
    sums(folder)


def other_sum(folder: Path) -> None:
    anchor(folder)
    path = folder / layout.SUMS
    path.write_bytes(path.read_bytes().replace(b"0", b"1", 1))


def chained(folder: Path) -> None:
    anchor(folder, subject=anchors.subject((folder / "log/checkpoint").read_bytes(), b"".join(LINES), b"none").encode())


def garbage_reply(folder: Path) -> Evidence:
    anchor(folder, **{"tsa1.tsr": b"no reply"})
    return Evidence(policy=Policy(authorities={"tsa1": "0" * 64}, roots={"tsa1": ROOT_PEM}))


def garbage_calendar(folder: Path) -> None:
    anchor(folder, **{"subject.ots": b"no proof"})


def old_policy(folder: Path) -> None:
    (folder / "policy.txt").write_bytes(b"bless me\n")
    sums(folder)


def sealing(folder: Path, **changes: Any) -> None:
    inner: dict[str, Any] = {**forecast("s", author="example.org/alice", origin=ORIGIN)}
    record = msgspec.convert(inner, entries.Inner)
    sealed = {"type": "sealed/v1", "id": "r/t/s", "target": "t", "commit": commitment.commit(b"n" * 32, record),
              "reveal_by": "2027-06-01T00:00:00Z"}  # fmt: skip
    opened = {"type": "reveal/v1", "opens": "r/t/s", "nonce": (b"n" * 32).hex(), "forecast": inner}
    put(folder, [*SOUND, after([sealed, {**opened, **changes}])])


ROWS = [{"known_on": "2026-11-18", "subject_id": f"model-{number}"} for number in range(100)]
MODEL_TARGET = {**TARGET, "id": "m", "rule": {"kind": "named", "model": "lab/model-x"}}


def trained(folder: Path, lines: list[dict[str, str]], **item: Any) -> Evidence:
    """A batch that names a snapshot and forecasts lab/model-x; the snapshot lies beside it."""
    body = b"".join(map(dump_line, lines))
    data = {"name": "scores", "sha256": name_of(body), "bytes": len(body), "rows": len(lines), "max_observed_on": "2026-11-18"}
    line = forecast("a", id="r/m/a", target="m")
    put(folder, [*SOUND, after([MODEL_TARGET, line], data=[{**data, **item}])])
    (folder.parent / "data").mkdir(exist_ok=True)
    (folder.parent / "data" / f"{ {**data, **item}['sha256'] }.jsonl").write_bytes(body)
    aliases = {"Model-X-Preview": "x-beta", "x-beta": "lab/model-x"}
    return Evidence(data=folder.parent / "data", aliases=aliases, asked=frozenset({"V16"}))


def leaked(**row: str) -> Callable[[Path], Evidence]:
    return lambda folder: trained(folder, [*ROWS[:60], {**ROWS[60], **row}, *ROWS[61:]])


def page(folder: Path, change: Callable[[str], str] = str) -> bytes:
    """A page as the report writes it, and what somebody made of it."""
    result = verify(folder, ORIGIN)
    targets = universe(result.batches, result.accounts)
    data = report_check.embedded(result.listed, result.checkpoint, result.accounts, None, targets)
    rows = "".join(
        f'<tr data-forecast="{report_check.name(one.author, one.id)}" data-state="{one.state}"><td>{one.id}</td></tr>'
        for one in result.accounts
    )
    rows += "".join(
        f'<p data-no-show="{report_check.no_show(row["author"], row["round"], target)}">{target}</p>'
        for row in targets
        for target in row["no_shows"]
    )
    return change(f'<table>{rows}</table><pre id="ledger-data">{html.escape(json.dumps(data))}</pre>').encode()


def shown(change: Callable[[str], str]) -> Callable[[Path], Evidence]:
    return lambda folder: Evidence(report=page(folder, change))


def without_data(text: str, name: str) -> str:
    """Drop a forecast from table and data alike, and make totals and digest agree again."""
    table, _, rest = text.partition('<pre id="ledger-data">')
    data = json.loads(html.unescape(rest.removesuffix("</pre>")))
    data["forecasts"] = [row for row in data["forecasts"] if row[1] != name]
    data["totals"]["forecasts"] -= 1
    data["totals"]["pending"] -= 1
    del data["digest"]
    data["digest"] = sha256(json.dumps(data, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    row = re.sub(rf'<tr data-forecast="[^"]* {name}".*?</tr>', "", table)
    return f'{row}<pre id="ledger-data">{html.escape(json.dumps(data))}</pre>'


def late_as_prior(folder: Path) -> Evidence:
    put(folder, [*SOUND, after([forecast("late")], frozen_at="2026-12-02T00:00:00Z")])
    return Evidence(
        report=page(folder, lambda text: text.replace('"late"', '"scored"').replace("&quot;late&quot;", "&quot;scored&quot;"))
    )


def pending_since(folder: Path) -> Evidence:
    data = after([forecast("z")])
    path = folder / layout.batch_path(name_of(data))
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    return Evidence(now=datetime(2026, 11, 29, tzinfo=UTC))


def known(size: int, root: bytes) -> Callable[[Path], Evidence]:
    return lambda folder: Evidence(known=(log.Checkpoint(ORIGIN, size, root).encode(),))


def git(*changed: tuple[str, str, str], rewritten: tuple[tuple[str, str], ...] = ()) -> Callable[[Path], Evidence]:
    return lambda folder: Evidence(history=History(changed, rewritten, shallow=False))


LOG_VKEY = "example.org/lm-forecasts+bd1d20b8+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c"
ROOT_PEM = b"no certificate"
OUTCOME = {"round": "r", "target": "t"}
RESOLVE = {
    "type": "resolution/v1", **OUTCOME, "value": "0.5", "known_at": "2026-11-21", "released_on": "2026-11-21", "snapshot": "0" * 64,
    "source": "s", "covariates": [],
}  # fmt: skip
VOID = {
    "type": "void/v1", **OUTCOME, "condition": "already_released", "on": "2026-11-20", "evidence": "0" * 64, "reason": "r",
}  # fmt: skip
CURVE = {
    "law": "unheard", "quantity_id": "mmlu", "series": "", "resolver": "board", "lower": "0", "upper": "1",
    "training": {"as_of": "2026-11-20", "max_known_on": "2026-11-18"},
}  # fmt: skip


def curve(**changes: Any) -> dict[str, Any]:
    return {"kind": "curve", "curve": {**CURVE, **changes}}


LATE_CURVE = curve(training={"as_of": "2026-11-21", "max_known_on": "2026-11-18"})
OWN_LEVELS = {"kind": "quantiles", "levels": ["0.4"], "values": ["0.5"]}

WITHDRAW = {"type": "withdrawal/v1", "withdraws": "r/t/a", "reason": "why"}

# Broken ledgers, one way each: (the one check that must notice, how it is broken)
ZOO: dict[str, tuple[str, Callable[[Path], object]]] = {
    "extra file": ("V01", lambda f: (f / "log/NOTES").write_bytes(b"")),
    "extra file at the top": ("V01", lambda f: (f / "notes").write_bytes(b"")),
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
    "second round": ("V14", one(after([{**ROUND, "universe": "another"}]))),
    "second target": ("V14", one(after([{**TARGET, "max": "2"}]))),
    "target of no round": ("V14", one(after([{**TARGET, "round": "q"}]))),
    "forecast of no target": ("V14", one(after([forecast("z", id="r/u/z", target="u")]))),
    "value above its bound": ("V14", one(after([forecast("z", value="1.1")]))),
    "value below its bound": ("V14", one(after([forecast("z", value="-0.1")]))),
    "amendment of nothing": ("V14", one(after([amend("r/t/z")]))),
    "amendment of another's": ("V14", one(after([amend("r/t/a")], author="bob"))),
    "amendment out of bounds": ("V14", one(after([amend("r/t/a", "2")]))),
    "amendment after withdrawal": ("V14", one(after([WITHDRAW, amend("r/t/a")]))),
    "withdrawn twice": ("V14", one(after([WITHDRAW, WITHDRAW]))),
    "a target that looks like another": ("V14", one(after([{**TARGET, "id": "t1"}, {**TARGET, "id": "tl"}]))),
    "opening of nothing": ("V14", lambda f: sealing(f, opens="r/t/q", forecast=forecast("q", author="a", origin=ORIGIN))),
    "a score known after its batch": ("V14", one(after([{**RESOLVE, "subject": "m", "known_at": "2027-01-01"}]))),
    "a score of a model that was out": ("V14", one(after([{**RESOLVE, "subject": "m", "released_on": "2026-11-20"}]))),
    "a void that the target did not foresee": ("V14", one(after([{**VOID, "condition": "board_closed"}]))),
    "a curve of another quantity": ("V14", one(after([forecast("z", prediction=curve(quantity_id="gsm8k"))]))),
    "a curve fitted too late": (
        "V14",
        one(after([forecast("z", prediction=LATE_CURVE)])),
    ),
    "a curve on the answer": ("V14", one(after([forecast("z", prediction=curve(covariates=[{"quantity_id": "mmlu"}]))]))),
    "levels of one's own": (
        "V14",
        one(after([forecast("z", prediction=OWN_LEVELS)])),
    ),
    "a score of no subject": ("V14", one(after([RESOLVE]))),
    "void twice": ("V14", one(after([VOID, VOID]))),
    "redaction of nothing": (
        "V14",
        one(after([{"type": "redaction/v1", "batch": "0" * 64, "author": "a", "forecasts": [], "reason": "r"}])),
    ),
    "other sum": ("V02", other_sum),
    "unsigned": ("V08", lambda f: Evidence(policy=parse_policy(f"log {LOG_VKEY}\nquorum none\n".encode()))),
    "unreadable policy": ("V08", old_policy),
    "another previous subject": ("V09", chained),
    "no time-stamp reply": ("V10", garbage_reply),
    "no calendar proof": ("V11", garbage_calendar),
    "rolled back": ("V12", known(4, b"x" * 32)),
    "forked": ("V12", known(2, b"x" * 32)),
    "changed in git": ("V13", git(("c" * 40, "M", FILES[0]))),
    "deleted in git": ("V13", git(("c" * 40, "D", "log/anchors/00000001/subject"))),
    "manifest rewritten in git": ("V19", git(rewritten=(("c" * 40, "d" * 40),))),
    "opens to another value": ("V15", lambda f: sealing(f, nonce="0" * 64)),
    "a row of the target": ("V16", leaked(subject_id="lab/model-x")),
    "a row of the target in capitals": ("V16", leaked(subject_id="Lab/Model-X")),
    "a row of the target by an alias": ("V16", leaked(subject_id="model-x-preview")),
    "a row of the target by a look-alike": ("V16", leaked(subject_id="lab/m\u043edel-x")),
    "a row known too late": (
        "V16",
        lambda f: trained(f, [*ROWS, {**ROWS[0], "known_on": "2026-11-21"}], max_observed_on="2026-11-18"),
    ),
    "another snapshot": ("V16", lambda f: trained(f, ROWS, sha256="0" * 64)),
    "fewer rows": ("V16", lambda f: trained(f, ROWS, rows=99)),
    "no training row": ("V16", lambda f: trained(f, [*ROWS, {"x": "y"}])),
    "a row less on the page": ("V18", shown(lambda text: re.sub(r"<tr.*?</tr>", "", text, count=1))),
    "a forecast less on the page": ("V18", shown(lambda text: without_data(text, "r/t/b"))),
    "a page without data": ("V18", shown(lambda text: "<p>nothing</p>")),
    "a page with another leaf": ("V18", shown(lambda text: re.sub(r"(leaves&quot;: \[&quot;)[0-9a-f]", r"\1x", text))),
    "late shown as scored": ("V17", late_as_prior),
    "pending too long": ("V20", pending_since),
    "data after the cut-off": ("V17", one(after([forecast("z")], as_of="2026-11-17"))),
    "cut-off after the freeze": ("V17", one(after([forecast("z")], as_of="2026-11-22"))),
}


@pytest.mark.parametrize("name", ZOO)
def test_a_broken_ledger_is_noticed_by_its_check(folder: Path, name: str) -> None:
    code, spoil = ZOO[name]
    brought = spoil(folder)
    result = verify(folder, ORIGIN, evidence=brought if isinstance(brought, Evidence) else None)
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
        if expected != code:
            continue
        brought = spoil(put(tmp_path / str(number) / "ledger", SOUND))
        evidence = brought if isinstance(brought, Evidence) else None
        passed.append(verify(tmp_path / str(number) / "ledger", ORIGIN, checks=rest, evidence=evidence).exit_code() == 0)

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
    one(after([forecast("z", prediction=curve())]))(folder)

    def refuse(value: dict[str, Any]) -> None:
        raise ValueError(f"no law {value['law']}")

    assert verify(folder, ORIGIN).exit_code() == 0
    assert [(item.code, item.line) for item in verify(folder, ORIGIN, refuse).findings] == [("V03", 2)]


def test_checking_needs_neither_the_numbers_nor_the_database() -> None:
    program = (
        "import sys, foresaid.ledger.verify.verify; heavy = {'numpy', 'polars', 'duckdb', 'scipy', 'click', 'jinja2', 'yaml'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    path = str(Path(__file__).parents[3] / "pipelines")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env={"PYTHONPATH": path})

    assert done.stdout == "[]\n"


def test_the_ledger_of_this_project_verifies() -> None:
    folder = Path(__file__).parents[3] / "registry" / "ledger"

    assert [str(finding) for finding in verify(folder).findings] == []


def test_a_page_that_shows_everything_passes_and_one_forecast_less_is_exit_7(folder: Path) -> None:
    assert verify(folder, ORIGIN, evidence=Evidence(report=page(folder))).exit_code() == 0
    for name in ("r/t/a", "r/t/b", "r/t/c"):
        spoilt = Evidence(report=page(folder, lambda text, name=name: without_data(text, name)))  # type: ignore[misc]
        assert verify(folder, ORIGIN, evidence=spoilt).exit_code() == 7


def test_a_clean_snapshot_passes_and_an_absent_one_is_incomplete(folder: Path) -> None:
    evidence = trained(folder, ROWS)

    assert verify(folder, ORIGIN, evidence=evidence).findings == ()
    shutil.rmtree(folder.parent / "data")
    result = verify(folder, ORIGIN, evidence=evidence)
    assert (result.findings, result.exit_code()) == ((), 5)
    assert "snapshot not checked" in str(result.incomplete[0])


def test_one_leaked_row_among_a_hundred_thousand_is_found_and_named(folder: Path) -> None:
    rows = [{"known_on": "2026-11-18", "subject_id": f"model-{number}"} for number in range(100_000)]
    rows[61_803]["subject_id"] = "MODEL-X-Preview"
    result = verify(folder, ORIGIN, evidence=trained(folder, rows))

    assert result.exit_code() == 6
    assert any("row 61804 belongs to target lab/model-x" in str(finding) for finding in result.findings)


def test_redaction_keeps_the_leaf_and_counts_as_worst(folder: Path) -> None:
    line = {"type": "redaction/v1", "batch": name_of(SECOND), "author": "example.org/alice", "forecasts": ["r/t/a", "r/t/b"],
            "reason": "court order"}  # fmt: skip
    put(folder, [*SOUND, after([line])])
    before = verify(folder, ORIGIN).checkpoint
    (folder / layout.batch_path(name_of(SECOND))).unlink()
    result = verify(folder, ORIGIN)

    assert (result.findings, result.exit_code(), result.checkpoint) == ((), 5, before)
    assert {name: n for name, n in result.totals.items() if n} == {"forecasts": 3, "pending": 1, "redacted": 2}


def test_several_findings_leave_by_the_first_of_1_3_4_6_7_5(folder: Path) -> None:
    signed = parse_policy(f"log {LOG_VKEY}\nquorum none\n".encode())
    empty = Evidence(report=b"", policy=signed, known=(log.Checkpoint(ORIGIN, 9, b"x" * 32).encode(),))

    assert verify(folder, ORIGIN, evidence=empty).exit_code() == 3
    assert verify(folder, ORIGIN, evidence=Evidence(report=b"", policy=signed)).exit_code() == 4
    assert verify(folder, ORIGIN, evidence=Evidence(report=b"")).exit_code() == 7
    (folder / "log/x").touch()
    assert verify(folder, ORIGIN, evidence=empty).exit_code() == 1


def test_many_batches_of_few_lines_are_remarked_upon(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert verify(folder).notes == ()
    monkeypatch.setattr(verification, "MANY", 3)

    assert verify(folder).notes == (
        "3 batches hold 1.7 lines each on average; freeze more at once, each costs a file and an opening",
    )


def test_block_headers_without_a_proof_to_check_are_incomplete_evidence(folder: Path) -> None:
    result = verify(folder, evidence=Evidence(trusted={"opentimestamps": {1: bytes(80)}}))

    assert [finding.code for finding in result.incomplete] == ["V11"]
    assert result.exit_code() == 5


# Two blocks each, and one MD5: X. Wang, D. Feng, X. Lai, H. Yu, Collisions for Hash Functions MD4, MD5, HAVAL-128 and RIPEMD,
# IACR ePrint 2004/199. Whatever follows both, the MD5 stays the same.
COLLIDING = (
    "d131dd02c5e6eec4693d9a0698aff95c2fcab58712467eab4004583eb8fb7f8955ad340609f4b30283e488832571415a085125e8f7cdc99fd91dbdf280373c5b"
    "d8823e3156348f5bae6dacd436c919c6dd53e2b487da03fd02396306d248cda0e99f33420f577ee8ce54b67080a80d1ec69821bcb6a8839396f9652b6ff72a70",
    "d131dd02c5e6eec4693d9a0698aff95c2fcab50712467eab4004583eb8fb7f8955ad340609f4b30283e4888325f1415a085125e8f7cdc99fd91dbd7280373c5b"
    "d8823e3156348f5bae6dacd436c919c6dd53e23487da03fd02396306d248cda0e99f33420f577ee8ce54b67080280d1ec69821bcb6a8839396f965ab6ff72a70",
)


def test_two_files_of_one_md5_are_two_to_the_ledger(folder: Path) -> None:
    """DVC, which goes by MD5, keeps one of two such files in the place of both."""
    (one, name), (other, other_name) = ((data, name_of(data)) for data in (bytes.fromhex(text) + b"\n" for text in COLLIDING))
    assert md5(one).digest() == md5(other).digest()
    assert one != other

    for place in ("log/anchors/00000003/tsa1.tsr", "tsa/tsa1.pem", "policy.txt"):  # evidence: the sums that were written down
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(one)
        sums(folder)
        assert f"V02 {place}" not in {f"{finding.code} {finding.file}" for finding in verify(folder).findings}
        path.write_bytes(other)
        assert f"V02 {place}" in {f"{finding.code} {finding.file}" for finding in verify(folder).findings}
        path.unlink()
        sums(folder)

    wanted = parse_policy(f"tsa tsa1 {name}\nstamps 1\n".encode())  # roots: the policy pins their SHA-256
    assert with_roots(wanted, {"tsa1": one}).roots == {"tsa1": one}
    with pytest.raises(LedgerError, match=f"found SHA-256 {other_name}, expected {name}"):
        with_roots(wanted, {"tsa1": other})

    evidence = trained(folder, ROWS)  # training rows: the SHA-256 and the bytes that the batch names
    assert verify(folder, evidence=evidence).findings == ()
    (snapshot,) = (folder.parent / "data").iterdir()
    for content in (one, other):
        snapshot.write_bytes(content)
        assert {finding.code for finding in verify(folder, evidence=evidence).findings} == {"V16"}
