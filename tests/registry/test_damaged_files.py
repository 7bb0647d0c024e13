"""Damaged input files: every one is taken whole or refused with a line, and a refusal changes no byte of the record.

A seeded mutator works on the real headers: of the registry's own files and, where FORESAID_MIRROR names them, of upstream files
through their readers. The default is a few hundred files; FORESAID_FUZZ sets another number (`make fuzz`: ten thousand).
"""

from __future__ import annotations

import csv
import io
import os
import random
import shutil
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from tests.worlds.tiny import read

from foresaid.errors import ForesaidError
from foresaid.pipeline import ingest
from foresaid.registry import load, source_card
from foresaid.registry.update.update import Download, update
from foresaid.sources import _loader as sources

ROOT = Path(__file__).parents[2]
DATA = Path(__file__).parents[1] / "data"
TODAY = date(2026, 11, 21)
DAY = date(2026, 11, 20)
NUMBER = int(os.environ.get("FORESAID_FUZZ", "400"))
FILES = ("models.csv", "quantities.csv", "aliases.csv", "merges.csv", "sources/tiny/observations.csv", "sources/tiny/subjects.csv")
ROWS_KEPT = 6  # of an upstream table: damage is found as well in a short file, and ten thousand are soon read
WORDS = (
    b"NaN",
    b"inf",
    b"-0",
    b"1e999",
    b"9" * 400,
    b"null",
    b"\xff\xfe",
    b"\xe2\x80\x8b",
    b"\xd0\xb0",
    b'"',
    b'""',
    b"'",
    b"=1+1",
    b"%",
    b"\\",
)

Mutate = Callable[[bytes, random.Random], bytes]


def flip(raw: bytes, chance: random.Random) -> bytes:
    changed = bytearray(raw)
    for _ in range(chance.randint(1, 8)):
        if changed:
            changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def cut(raw: bytes, chance: random.Random) -> bytes:
    return raw[: chance.randrange(len(raw) + 1)]


def cut_out(raw: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(raw) + 1)
    return raw[:at] + raw[at + chance.randrange(200) :]


def nul(raw: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(raw) + 1)
    return raw[:at] + b"\0" * chance.randint(1, 3) + raw[at:]


def word(raw: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(raw) + 1)
    return raw[:at] + chance.choice(WORDS) + raw[at + chance.randrange(5) :]


def encoded(raw: bytes, chance: random.Random) -> bytes:
    text = raw.decode("utf-8", "replace")
    return text.encode(chance.choice(["utf-16", "utf-16-le", "utf-32", "utf-7", "utf-8-sig", "cp037"]), "replace")


def line_ends(raw: bytes, chance: random.Random) -> bytes:
    return raw.replace(b"\n", chance.choice([b"\r\n", b"\r", b"\n\n", b"\x0b\n", b"\xe2\x80\xa8"]))


def huge(raw: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(raw) + 1)
    return raw[:at] + chance.choice([b"9", b"a", b" ", b"[", b","]) * chance.choice([1_000, 140_000]) + raw[at:]


def two_headers(raw: bytes, chance: random.Random) -> bytes:
    lines = raw.split(b"\n")
    return b"\n".join([chance.choice([lines[0], b"A title" + b"," * lines[0].count(b","), b""]), *lines])


def joined(raw: bytes, chance: random.Random) -> bytes:
    return raw + raw[chance.choice([0, raw.find(b"\n") + 1]) :]


def shuffled(raw: bytes, chance: random.Random) -> bytes:
    head, *rows = raw.split(b"\n")
    chance.shuffle(rows)
    return b"\n".join([head, *rows])


def _table(raw: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(raw.decode("utf-8", "replace"), newline="")))


def _spelt(rows: list[list[str]]) -> bytes:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    return buffer.getvalue().encode()


def columns_moved(raw: bytes, chance: random.Random) -> bytes:
    rows = _table(raw)
    order = list(range(len(rows[0]) if rows else 0))
    chance.shuffle(order)
    return _spelt([[row[place] for place in order if place < len(row)] for row in rows])


def columns_named_otherwise(raw: bytes, chance: random.Random) -> bytes:
    rows = _table(raw)
    if rows and rows[0]:
        chance.shuffle(rows[0])
    return _spelt(rows)


def column_repeated(raw: bytes, chance: random.Random) -> bytes:
    rows = _table(raw)
    place = chance.randrange(max(len(rows[0]) if rows else 1, 1))
    return _spelt([[*row, *row[place : place + 1]] for row in rows])


def column_gone(raw: bytes, chance: random.Random) -> bytes:
    rows = _table(raw)
    place = chance.randrange(max(len(rows[0]) if rows else 1, 1))
    return _spelt([row[:place] + row[place + 1 :] for row in rows])


MUTATIONS: tuple[Mutate, ...] = (
    flip, cut, cut_out, nul, word, encoded, line_ends, huge, two_headers, joined, shuffled, columns_moved,
    columns_named_otherwise, column_repeated, column_gone,
)  # fmt: skip


def damaged(raw: bytes, chance: random.Random) -> bytes:
    """One or two mutations of a file; one that cannot be parsed any more is damaged enough."""
    for _ in range(chance.choice([1, 1, 1, 2])):
        try:
            raw = chance.choice(MUTATIONS)(raw, chance)
        except csv.Error:
            return raw
    return raw


def refusal(work: Callable[[], object]) -> str | None:
    """What the program says against its input, or None where it took it; anything else that is raised fails the test."""
    try:
        work()
    except ForesaidError as error:
        return str(error)
    return None


def attempt(name: str, folder: Path) -> str | None:
    """Run the reader of a source as `update` does."""
    return refusal(lambda: sources.read(name, sources.find(name), folder))


def state(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("shard", range(4))
def test_a_damaged_file_of_the_registry_is_loaded_whole_or_refused(shard: int, tmp_path: Path) -> None:
    registry, build = tmp_path / "registry", tmp_path / "build"
    shutil.copytree(DATA / "registry", registry)
    (registry / "merges.csv").write_text("model_id,kept_as,decided_on,reason\n")
    whole = state(registry)
    ingest.run(registry, ["tiny"], build, tmp_path / "ingest.json")
    chance = random.Random(f"registry {shard}")
    outcomes: Counter[str] = Counter()
    for _ in range(NUMBER // 10):
        path = registry / chance.choice(FILES)
        path.write_bytes(damaged(whole[path], chance))
        before = state(registry), state(build)
        said = refusal(lambda: ingest.run(registry, ["tiny"], build, tmp_path / "ingest.json"))
        outcomes["taken" if said is None else "refused"] += 1
        if said is not None:
            assert said.strip()
            assert before == (state(registry), state(build))
        path.write_bytes(whole[path])

    assert outcomes["refused"] > outcomes["taken"] > 0


@pytest.mark.parametrize("shard", range(4))
def test_a_damaged_download_is_taken_whole_or_refused_and_the_record_stays(shard: int, tmp_path: Path) -> None:
    shutil.copytree(DATA / "registry", tmp_path / "kept")
    raw = (DATA / "mirror/tiny@2024-10-01/scores.csv").read_bytes().replace(b"0.45", b"0.46")
    download = tmp_path / "tiny@2026-11-20"
    download.mkdir()
    chance = random.Random(f"download {shard}")
    outcomes: Counter[str] = Counter()
    for _ in range(NUMBER // 10):
        registry = tmp_path / "registry"
        shutil.copytree(tmp_path / "kept", registry, dirs_exist_ok=True)
        before = state(registry)
        (download / "scores.csv").write_bytes(damaged(raw, chance))
        said = refusal(lambda: update("tiny", download, tmp_path / "registry", TODAY, read, download=Download(DAY)))
        outcomes["taken" if said is None else "refused"] += 1
        if said is not None:
            assert said.strip()
            assert before == state(registry)
            continue
        load.load(registry, ["tiny"])
        for path, content in before.items():
            lines = path.read_bytes().split(b"\n")
            assert [line for line in content.split(b"\n") if line not in lines] == []
        shutil.rmtree(registry)

    assert outcomes["refused"] > outcomes["taken"] > 0


def upstreams() -> list[tuple[str, str, str]]:
    """Source, folder and path of every pinned table or document of a source with a reader; large documents are left out."""
    found = []
    for name in sources.names():
        path = ROOT / "registry/sources" / name / "source.toml"
        if path.is_file():
            vintage = source_card.read(path, name, name).vintages[-1]
            chosen = [file for file in vintage.files if file.bytes < 500_000 or file.path.endswith(".csv")]
            found += [(name, vintage.directory, file.path) for file in chosen[:: max(len(chosen) // 6, 1)]]
    return found


def test_a_damaged_upstream_file_never_breaks_its_reader(tmp_path: Path) -> None:
    mirror = os.environ.get("FORESAID_MIRROR")
    if not mirror:
        pytest.skip("FORESAID_MIRROR is not set: no upstream files to damage")
    chance = random.Random("upstream")
    chosen = upstreams()
    raws: dict[tuple[str, str], bytes] = {}
    for _, directory, path in chosen:
        raw = (Path(mirror) / directory / path).read_bytes()
        if path.endswith(".csv"):
            raw = b"".join(raw.splitlines(keepends=True)[: ROWS_KEPT + 1])
        raws[directory, path] = raw
    refused = 0
    for _ in range(NUMBER // 5):
        name, directory, path = chance.choice(chosen)
        folder = tmp_path / directory
        for (other, near), raw in raws.items():
            if other == directory:
                (folder / near).parent.mkdir(parents=True, exist_ok=True)
                (folder / near).write_bytes(damaged(raw, chance) if near == path else raw)
        said = attempt(name, folder)
        if said is not None:
            refused += 1
            assert said.strip()
        shutil.rmtree(folder)

    assert refused > NUMBER // 20
