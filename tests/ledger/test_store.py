import os
import stat
import subprocess
import sys
from collections.abc import Sequence
from datetime import date, datetime, timedelta, timezone
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.attacks import build
from tests.attacks.build import HEADER, ORIGIN, ROUND, TIME

from foresaid.errors import LedgerError
from foresaid.ledger import durable, store
from foresaid.ledger.entries.batch import read_batch
from foresaid.ledger.entries.schema import Entry, ForecastEntry, Quantiles, Sealed, TargetEntry
from foresaid.ledger.entries.targets import Named
from foresaid.ledger.log import manifest
from foresaid.ledger.log.manifest import Checkpoint, parse_checkpoint
from foresaid.ledger.verify import snapshot
from foresaid.ledger.verify.verify import VerificationResult, verify


def target(benchmark: str) -> TargetEntry:
    """The target of the golden example, whose model has a plain name."""
    return msgspec.structs.replace(build.target(benchmark), rule=Named(model="model-x", display="Model X"))


def forecast(method: str, primary: bool = False, benchmark: str = "mmlu-pro") -> ForecastEntry:
    name = f"{benchmark}/model-x"
    levels, values = ["0.05", "0.25", "0.5", "0.75", "0.95"], ["0.412", "0.451", "0.471", "0.492", "0.531"]
    prediction = Quantiles(levels=levels, values=values)
    return ForecastEntry(id=f"2026q4/{name}/{method}", target=name, method=method, primary=primary, prediction=prediction)


SEALED = Sealed(
    id="2026q4/gpqa/model-x/obs-v3",
    target="gpqa/model-x",
    commit="a7f5df7b740d25c7d2f58317e7f7483b772f2e171f36a698b4dbcc5bb710ff4e",
    reveal_by="2027-06-01T00:00:00Z",
)
OPENING: list[Entry] = [ROUND, target("mmlu-pro"), target("gpqa")]


def write(folder: Path, lines: Sequence[Entry], minutes: int = 0, **changes: Any) -> str:
    return store.write_batch(folder, lines, **{**HEADER, "frozen_at": TIME + timedelta(minutes=minutes), **changes}).stem


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    store.create(tmp_path / "ledger", ORIGIN)
    return tmp_path / "ledger"


def whole(folder: Path) -> VerificationResult:
    result = verify(folder, ORIGIN)
    assert result.findings == ()
    return result


# The golden example of the ledger's format. To recompute it with coreutils and openssl alone, with b1 and b2 the two
# batch files, M the manifest, and h1, h2 the leaf hashes in hexadecimal:
#   sha256sum b1 b2 M;  (printf '\000'; sed -n 1p M) | sha256sum;  (printf '\000'; sed -n 2p M) | sha256sum
#   printf "01$h1$h2" | xxd -r -p | openssl dgst -sha256 -binary | base64
FIRST = "9e482a6653c65cce28706c1c854ad1b2851ee32770f76ca6e441114d97a9c53c"
SECOND = "2e7aeffd9d350046f6d24939020b27a52a38bc87178ecf1efa326d1336a57ae8"
MANIFEST_SHA256 = "82186883f8d4c5c7213862605963ddcd8d013a389b9cb5cd7e9b93f38843e86c"
ROOT = "oPauLfKT5ErxFzTJ/4qXivKJ2sBGBaUB0ikzYyOeqaM="
FIRST_BYTES = (
    '{"as_of":"2026-11-20","author":"example.org/alice","code":{"dirty":false,"git":"3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f'
    '3f3f3f3f","version":"0.1.0"},"data":[{"bytes":104857,"max_observed_on":"2026-11-18","name":"scores","rows":1234,'
    '"sha256":"abababababababababababababababababababababababababababababababab"}],"frozen_at":"2026-11-21T02:00:00Z"'
    ',"n":3,"origin":"example.org/lm-forecasts","parents":[],"type":"batch/v1"}\n'
    '{"deadline":"2026-12-01T00:00:00Z","id":"2026q4","reports":"all","reveal_by":"2027-06-01T00:00:00Z","revision":"'
    'last-before-deadline","score":"wis","type":"round/v1","unit_of_count":"target","universe":"every target/v1 line '
    'with round 2026q4"}\n'
    '{"benchmark":"mmlu-pro","ceiling":null,"chance":null,"closes":"2027-06-01","direction":"higher","fallbacks":[],"'
    'id":"mmlu-pro/model-x","known":"0000000000000000000000000000000000000000000000000000000000000000","levels":["0.0'
    '5","0.25","0.5","0.75","0.95"],"max":"1","min":"0","nearest_effort":false,"opens":"2026-11-21","protocol":"accur'
    'acy","publish_within":30,"resolution":null,"resolver":"board","round":"2026q4","rule":{"display":"Model X","kind'
    '":"named","model":"model-x"},"same_items":[],"stated":[],"system":"default","type":"target/v1","unit":"fraction"'
    ',"void_if":[{"condition":"no_release","on":null}]}\n'
    '{"benchmark":"gpqa","ceiling":null,"chance":null,"closes":"2027-06-01","direction":"higher","fallbacks":[],"id":'
    '"gpqa/model-x","known":"0000000000000000000000000000000000000000000000000000000000000000","levels":["0.05","0.5"'
    ',"0.95"],"max":"1","min":"0","nearest_effort":false,"opens":"2026-11-21","protocol":"accuracy","publish_within":'
    '30,"resolution":null,"resolver":"board","round":"2026q4","rule":{"display":"Model X","kind":"named","model":"mod'
    'el-x"},"same_items":[],"stated":[],"system":"default","type":"target/v1","unit":"fraction","void_if":[{"conditio'
    'n":"no_release","on":null}]}\n'
)


def test_the_golden_example_comes_out_to_the_byte(folder: Path) -> None:
    first = write(folder, OPENING)
    second = write(folder, [forecast("obs-v3", primary=True), SEALED], minutes=10)
    checkpoint = store.sequence(folder, ORIGIN)

    assert (first, second) == (FIRST, SECOND)
    assert (folder / f"batches/9e/{FIRST}.jsonl").read_text(encoding="utf-8") == FIRST_BYTES
    assert len(FIRST_BYTES) == 1855
    assert (folder / f"batches/2e/{SECOND}.jsonl").stat().st_size == 919
    assert f"{ORIGIN}\n2\n{ROOT}\n\n" == (folder / "log/checkpoint").read_text(encoding="ascii")
    assert sha256((folder / "log/MANIFEST").read_bytes()).hexdigest() == MANIFEST_SHA256
    assert checkpoint == parse_checkpoint((folder / "log/checkpoint").read_bytes())
    assert whole(folder).counts["forecasts"] == 1


def test_coreutils_agree_with_us(folder: Path) -> None:
    write(folder, OPENING)
    write(folder, [forecast("obs-v3")], minutes=10)
    store.sequence(folder, ORIGIN)
    command = ["sha256sum", "--strict", "--quiet", "-c", "log/MANIFEST"]

    assert subprocess.run(command, cwd=folder, check=False, capture_output=True).returncode == 0
    path = next(folder.glob("batches/*/*.jsonl"))
    path.write_bytes(path.read_bytes().replace(b"alice", b"carol"))
    assert subprocess.run(command, cwd=folder, check=False, capture_output=True).returncode == 1


def test_an_empty_ledger_verifies_and_a_missing_one_does_not(folder: Path) -> None:
    assert (folder / "log/MANIFEST").read_bytes() == b""
    assert Checkpoint(ORIGIN, 0, bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")) == (
        store.read_checkpoint(folder)
    )
    assert whole(folder).counts["batches"] == 0
    assert store.heads(folder) == []
    assert store.sequence(folder, ORIGIN).size == 0
    with pytest.raises(LedgerError, match="no ledger here"):
        write(folder / "elsewhere", OPENING)


def test_making_a_ledger_twice_is_harmless_and_never_overwrites(folder: Path) -> None:
    store.create(folder, ORIGIN)
    write(folder, OPENING)
    store.sequence(folder, ORIGIN)

    with pytest.raises(LedgerError, match="exists with other bytes"):
        store.create(folder, ORIGIN)
    assert whole(folder).counts["sequenced"] == 1


def test_the_same_bytes_again_change_nothing(folder: Path) -> None:
    first = write(folder, OPENING, parents=[])
    before = (folder / f"batches/{first[:2]}/{first}.jsonl").stat()

    assert first == write(folder, OPENING, parents=[])
    assert before == (folder / f"batches/{first[:2]}/{first}.jsonl").stat()
    assert stat.S_IMODE(before.st_mode) == 0o644


def test_a_batch_is_pending_until_it_is_sequenced(folder: Path) -> None:
    first = write(folder, OPENING)

    assert whole(folder).pending == (first,)
    assert (whole(folder).exit_code(), whole(folder).exit_code(strict=True)) == (0, 5)
    assert [batch.index for batch in store.read(folder)] == [None]
    store.sequence(folder, ORIGIN)
    assert whole(folder).exit_code(strict=True) == 0
    assert [batch.index for batch in store.read(folder)] == [0]


def test_the_parents_are_the_heads(folder: Path) -> None:
    first = write(folder, OPENING)
    left = write(folder, [forecast("a")], minutes=1)
    right = write(folder, [forecast("b")], minutes=2, parents=[first])

    assert sorted([left, right]) == store.heads(folder)
    last = write(folder, [forecast("c")], minutes=3)
    assert sorted([left, right]) == store.read(folder)[-1].header.parents
    assert [last] == store.heads(folder)


def test_the_order_is_parents_first_and_ties_by_name_whoever_sequences(folder: Path) -> None:
    first = write(folder, OPENING)
    sides = sorted(write(folder, [forecast(f"m{i}")], minutes=i, parents=[first]) for i in range(1, 6))
    last = write(folder, [forecast("last")], minutes=9)
    store.sequence(folder, ORIGIN)

    assert [first, *sides, last] == [batch.sha256 for batch in store.read(folder)]


def test_a_ledger_is_parsed_once_and_read_whole(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = write(folder, OPENING)
    write(folder, [forecast("a")], minutes=1)
    store.sequence(folder, ORIGIN)
    parsed = []

    def noted(name: str, *given: Any) -> Any:
        parsed.append(name)
        return read_batch(name, *given)

    monkeypatch.setattr(snapshot, "read_batch", noted)
    batches, result = store.read_checked(folder)

    assert parsed == sorted(batch.sha256 for batch in batches)
    assert batches[0].sha256 == first
    assert [batch.index for batch in batches] == [0, 1]
    (entry,) = batches[1].entries
    assert isinstance(entry, ForecastEntry)
    assert isinstance(entry.prediction, Quantiles)
    assert entry == forecast("a")
    assert result.counts == whole(folder).counts
    assert store.read(folder) == batches == store.read_admitted(folder)[0]


def test_what_no_reader_takes_is_refused_by_who_checks_more(folder: Path) -> None:
    name = write(folder, OPENING)
    path = folder / "batches" / name[:2] / f"{name}.jsonl"
    path.chmod(0o644)
    path.write_bytes(path.read_bytes().replace(b"mmlu-pro", b"mmlu-bro"))

    with pytest.raises(LedgerError, match="does not verify") as one:
        store.read(folder)
    with pytest.raises(LedgerError, match="does not verify") as other:
        store.read_checked(folder)
    assert str(one.value) == str(other.value)


def test_local_time_is_written_as_utc(folder: Path) -> None:
    write(folder, OPENING, frozen_at=datetime(2026, 11, 21, 9, 0, 0, 5, tzinfo=timezone(timedelta(hours=7))))

    assert store.read(folder)[0].header.frozen_at == "2026-11-21T02:00:00Z"


@pytest.mark.parametrize(
    ("lines", "changes", "reason"),
    [
        ([], {}, "nothing to freeze"),
        ([forecast("a")], {"frozen_at": datetime(2026, 11, 21)}, "no time zone"),
        ([forecast("a")], {"origin": "example.org/other"}, "another log"),
        ([forecast("a")], {"parents": ["0" * 64]}, "parent 0{64} is not in the ledger"),
        ([forecast("a")], {"parents": []}, "forecast of an unknown target"),
        ([forecast("a")], {"as_of": date(2026, 11, 22)}, "as_of is after frozen_at"),
        ([forecast("a")], {"as_of": date(2026, 11, 17)}, "observed after as_of"),
        ([msgspec.structs.replace(ROUND, deadline="2026-12-02T00:00:00Z")], {}, "round id used twice"),
        ([msgspec.structs.replace(target("gpqa"), max="100")], {}, "target id used twice"),
        ([forecast("a"), forecast("a")], {}, "forecast id used twice"),
        ([forecast("a", True), forecast("b", True)], {}, "second primary"),
        ([forecast("a", benchmark="arc")], {}, "unknown target"),
        ([forecast("a b")], {}, "line 2: forecast/v1"),
    ],
)
def test_a_batch_that_would_break_the_ledger_is_refused(
    folder: Path, lines: list[Entry], changes: dict[str, Any], reason: str
) -> None:
    write(folder, OPENING)
    before = sorted(folder.rglob("*"))

    with pytest.raises(LedgerError, match=reason):
        write(folder, lines, minutes=1, **changes)
    assert before == sorted(folder.rglob("*"))
    whole(folder)


def test_nothing_is_added_to_a_broken_ledger(folder: Path) -> None:
    first = write(folder, OPENING)
    path = folder / f"batches/{first[:2]}/{first}.jsonl"
    path.write_bytes(path.read_bytes().replace(b"alice", b"carol"))

    with pytest.raises(LedgerError, match="does not verify"):
        write(folder, [forecast("a")])
    with pytest.raises(LedgerError, match="does not verify"):
        store.sequence(folder, ORIGIN)
    assert (folder / "log/MANIFEST").read_bytes() == b""


def test_an_interrupted_sequencing_is_pending_and_is_finished_by_the_next(folder: Path) -> None:
    write(folder, OPENING)
    store.sequence(folder, ORIGIN)
    old = (folder / "log/checkpoint").read_bytes()
    second = write(folder, [forecast("a")], minutes=1)
    new = store.sequence(folder, ORIGIN)
    (folder / "log/checkpoint").write_bytes(old)
    (folder / "log/.tmp-1").write_bytes(b"half")

    assert whole(folder).pending == (second,)
    assert whole(folder).counts["stray_files"] == 1
    assert new == store.sequence(folder, ORIGIN)
    assert whole(folder).exit_code(strict=True) == 0
    assert not (folder / "log/.tmp-1").exists()


@pytest.mark.parametrize("place", ["log/checkpoint", "log/MANIFEST"])
def test_the_checkpoint_moves_only_after_the_root_was_read_back(folder: Path, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk (or another writer) changes a file between our reading it and our moving the checkpoint."""
    write(folder, OPENING)
    before = (folder / "log/checkpoint").read_bytes()
    replace = os.replace

    def spoil(source: Path, target: Path) -> None:
        replace(source, target)
        data = bytearray((folder / place).read_bytes())
        data[3] ^= 1
        (folder / place).write_bytes(data)

    monkeypatch.setattr(os, "replace", spoil)
    with pytest.raises(LedgerError):
        store.sequence(folder, ORIGIN)
    if place != "log/checkpoint":
        assert before == (folder / "log/checkpoint").read_bytes()


def test_a_checkpoint_moved_by_someone_else_stays(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder, OPENING)
    write(folder, [forecast("a")], minutes=1)
    replace = os.replace
    others: list[bytes] = []

    def race(source: Path, target: Path) -> None:
        replace(source, target)
        if not others:
            names = [batch.sha256 for batch in verify(folder).batches][:1]
            others.append(Checkpoint(ORIGIN, 1, manifest.root(names)).encode())
            (folder / "log/checkpoint").write_bytes(others[0])

    monkeypatch.setattr(os, "replace", race)
    with pytest.raises(LedgerError, match="someone else moved it"):
        store.sequence(folder, ORIGIN)
    assert others[0] == (folder / "log/checkpoint").read_bytes()


def test_without_hard_links_a_batch_is_still_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(source: Path, target: Path) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    write(folder, OPENING)

    assert whole(folder).counts["batches"] == 1


def test_a_full_disk_leaves_the_ledger_as_it_was(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(LedgerError, match="No space left on device"):
            write(folder, OPENING)
    assert set(whole(folder).counts.values()) == {0}


WRITER = """
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from foresaid.ledger import store as ledger
from foresaid.ledger.entries.schema import Code, ForecastEntry, Quantiles

folder, author, origin = Path(sys.argv[1]), sys.argv[2], "example.org/lm-forecasts"
for number in range(15):
    line = ForecastEntry(
        id=f"2026q4/gpqa/model-x/m{number}",
        target="gpqa/model-x",
        method=f"m{number}",
        primary=False,
        prediction=Quantiles(levels=["0.05", "0.5", "0.95"], values=["0.1", "0.4", "0.8"]),
    )
    ledger.write_batch(
        folder,
        [line],
        origin=origin,
        author=author,
        as_of=date(2026, 11, 20),
        frozen_at=datetime(2026, 11, 21, 3, tzinfo=UTC),
        data=[],
        code=Code(git=None, dirty=False, version="0.1.0"),
    )
    if number % 5 == 4:
        ledger.sequence(folder, origin)
"""


def test_two_processes_that_write_at_once_lose_nothing(folder: Path) -> None:
    write(folder, OPENING)
    environment = {"PYTHONPATH": str(Path(store.__file__).parents[2])}
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(folder), author], env=environment) for author in ("ann", "bob")]

    assert [writer.wait() for writer in writers] == [0, 0]
    store.sequence(folder, ORIGIN)
    result = whole(folder)
    assert tuple(result.counts[name] for name in ("batches", "sequenced", "forecasts", "stray_files")) == (31, 31, 30, 0)


def test_evidence_that_a_killed_writer_added_without_its_sum_is_summed_by_the_next(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder, OPENING)
    store.write_files(folder, {"policy.txt": b"quorum none\n"})
    with monkeypatch.context() as patch:
        patch.setattr(durable, "replace_file", lambda path, data: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            store.write_files(folder, {"tsa/tsa1.pem": b"a root"})
    assert {"V02"} == {finding.code for finding in verify(folder, ORIGIN).findings}

    write(folder, [forecast("a")], minutes=1)
    assert verify(folder, ORIGIN).findings == ()


def test_a_sum_that_stands_there_is_never_made_to_fit(folder: Path) -> None:
    store.write_files(folder, {"policy.txt": b"quorum none\n"})
    (folder / "policy.txt").write_bytes(b"quorum  none\n")

    with pytest.raises(LedgerError, match="does not verify"):
        write(folder, OPENING)
