"""The account of upstream rows: counted without the readers, every row that gave no value named."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path

import pytest
from tests.worlds import tiny

from foresaid.registry.update import row_account
from foresaid.registry.update.row_account import FileCount, account, declared, rows_of, summary, write
from foresaid.sources import _loader as sources

DATA = Path(__file__).parents[2] / "data"


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """A registry of one source whose vintage lies in a mirror, with one row that no reader takes."""
    shutil.copytree(DATA / "registry", tmp_path / "registry")
    folder = tmp_path / "mirror" / "tiny-2024-05"
    folder.mkdir(parents=True)
    rows = "Model,mmlu,training_tokens\nTiny 1B,0.31,200000000000\nTiny 7B,0.44,\nNobody,,\n"
    (folder / "scores.csv").write_text(rows, encoding="utf-8")
    card = tmp_path / "registry" / "sources" / "tiny" / "source.toml"
    head = card.read_text(encoding="utf-8").split("[[vintage]]")[0]
    vintage = 'known_on = 2024-05-31\ncommit = "0123456789abcdef"\ndirectory = "tiny-2024-05"\n'
    files = f'files = [{{path = "scores.csv", sha256 = "{"0" * 64}", bytes = 1}}]\n'
    card.write_text(f"{head}[[vintage]]\n{vintage}{files}", encoding="utf-8")
    monkeypatch.setattr(sources, "find", lambda name: tiny.read)
    return tmp_path / "mirror", tmp_path / "registry"


def test_a_row_without_a_value_is_named_with_its_line_and_the_counts_add_up(world: tuple[Path, Path]) -> None:
    mirror, registry = world
    counted, lost = account("tiny", mirror, registry, {})

    assert [(one.file, one.row, one.first_cell, one.reason) for one in lost] == [("scores.csv", 4, "Nobody", row_account.UNSAID)]
    assert counted == [FileCount("tiny", "2024-05-31", "scores.csv", 3, None, 2, 1, True)]
    assert all(one.rows == one.taken + one.left_out for one in counted)


def test_the_mirrors_own_count_stands_beside_ours_and_a_difference_is_said(world: tuple[Path, Path]) -> None:
    mirror, registry = world
    (mirror / "SOURCES.yaml").write_text(
        "sources:\n- {id: t, directory: tiny-2024-05, files: [{path: scores.csv, rows: 7}, {path: more.csv, rows: 2}]}\n"
    )
    counted, lost = account("tiny", mirror, registry, declared(mirror))
    said = summary("tiny", counted, lost, [{"no such model": 2}, {"no such model": 1}])

    assert [(one.file, one.listed, one.read) for one in counted] == [("more.csv", 2, False), ("scores.csv", 7, True)]
    assert said.splitlines() == [
        "  rows: 3 upstream in 1 files read, 2 taken, 1 left out; 1 files not read",
        "  scores.csv: 3 rows here, 7 by SOURCES.yaml",
        "  SOURCES.yaml: 0 row counts agree, 1 differ",
        "  by the reader: 3 x no such model",
    ]


@pytest.mark.parametrize("text", ["", "[", "sources: 3", "sources: [{id: x}]", "\xff\xfe"])
def test_a_mirror_that_says_nothing_of_use_gives_no_counts(text: str, tmp_path: Path) -> None:
    (tmp_path / "SOURCES.yaml").write_bytes(text.encode("latin-1"))

    assert declared(tmp_path) == {}
    assert declared(tmp_path / "nowhere") == {}


def test_rows_are_counted_as_the_format_has_them(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes('\ufeffname,x\n"two\nlines",1\n\nlast,2\n'.encode())
    (tmp_path / "a.jsonl").write_text('{"a": 1}\n\n{"a": 2}\n', encoding="utf-8")
    (tmp_path / "a.json").write_text("[1, 2, 3]", encoding="utf-8")
    (tmp_path / "bad.csv").write_bytes(b"name\n\xff\n")

    assert rows_of(tmp_path / "a.csv") == [(3, "two\nlines"), (5, "last")]
    assert [row for row, _ in rows_of(tmp_path / "a.jsonl")] == [1, 3]
    assert rows_of(tmp_path / "a.json") == [(0, "a.json")]
    assert rows_of(tmp_path / "bad.csv") == rows_of(tmp_path / "none.csv") == rows_of(tmp_path / "none.parquet") == []


def test_the_account_is_written_as_tables_and_as_json(world: tuple[Path, Path], tmp_path: Path) -> None:
    mirror, registry = world
    counted, lost = account("tiny", mirror, registry, {})
    write(tmp_path / "update", counted, lost)

    assert (tmp_path / "update/files.csv").read_text() == (
        "source,known_on,file,rows,listed,taken,left_out,read\ntiny,2024-05-31,scores.csv,3,,2,1,True\n"
    )
    assert json.loads((tmp_path / "update/left-out.json").read_text())[0]["first_cell"] == "Nobody"


def test_a_source_that_is_refused_stops_no_other_and_is_counted(
    world: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror, registry = world
    monkeypatch.setattr(sources, "names", lambda: ["tiny"])
    said: list[str] = []

    # The file is not the one whose digest the card has: the source is refused, by name and with the reason.
    assert row_account.run(mirror, registry, tmp_path / "build", date(2026, 11, 21), True, said.append) == 1
    assert said[0].startswith("tiny: refused\n")
    assert said[-1] == "update: 0 files and 0 rows left out are listed in build/update/"
