"""Every reader whose source may be excerpted, on the first rows of real files: without a mirror, on any machine."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from tests.worlds.excerpts import FOLDER, plain

from foresaid.errors import ForesaidError
from foresaid.registry import source_card
from foresaid.sources import _loader as sources

NAMES = sorted(path.name for path in FOLDER.iterdir() if path.is_dir())
TABLES = [(name, path.relative_to(FOLDER / name)) for name in NAMES for path in sorted((FOLDER / name).rglob("*.csv"))]


def test_an_excerpt_is_there_only_where_the_licence_of_the_source_allows_a_copy() -> None:
    registry = FOLDER.parents[2] / "registry" / "sources"
    for name in NAMES:
        assert source_card.read(registry / name / "source.toml", name, name).redistribution == "yes", name


@pytest.mark.parametrize("name", NAMES)
def test_a_reader_makes_of_the_first_rows_what_it_made_of_them(name: str) -> None:
    kept = json.loads((FOLDER / name / "read.json").read_text(encoding="utf-8"))

    assert plain(sources.find(name)(FOLDER / name)) == kept


@pytest.mark.parametrize(("name", "table"), TABLES, ids=str)
def test_a_column_that_is_not_there_is_refused_and_never_read_as_another(name: str, table: Path, tmp_path: Path) -> None:
    shutil.copytree(FOLDER / name, tmp_path / name)
    path = tmp_path / name / table
    head, *rows = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([b"what-nobody-knows," + head, *(b"0.5," + row for row in rows)]))
    kept = json.loads((FOLDER / name / "read.json").read_text(encoding="utf-8"))
    try:
        reading = sources.read(name, sources.find(name), tmp_path / name)
    except ForesaidError:
        return
    assert plain(reading) == kept  # a reader that goes by names may pass over a column that is new
