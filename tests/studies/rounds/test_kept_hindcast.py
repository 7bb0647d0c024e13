"""The hindcast kept beside the round file: it comes back as it was written, and the documentation prints its numbers."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import pytest
from tests.conftest import ROOT

from foresaid.errors import UnreadableError
from foresaid.studies.rounds import hindcast, kept_hindcast


def kept() -> pl.DataFrame:
    return kept_hindcast.read(ROOT / "registry", "2026-12")


def test_what_is_kept_comes_back_to_six_places(tmp_path: Path) -> None:
    (tmp_path / "rounds").mkdir()
    rows = kept()

    path = kept_hindcast.keep(tmp_path, "2026-12", rows)

    assert kept_hindcast.read(tmp_path, "2026-12").equals(rows)
    assert path.read_bytes() == kept_hindcast.path_of(ROOT / "registry", "2026-12").read_bytes()


def test_a_round_without_one_has_no_row_and_other_columns_are_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "rounds").mkdir()

    assert kept_hindcast.read(tmp_path, "2027-01").is_empty()

    kept_hindcast.path_of(tmp_path, "2027-01").write_text("kind,method\nrecord,jumps\n", encoding="utf-8")
    with pytest.raises(UnreadableError, match=r"2027-01-hindcast.csv: found .*draft it again"):
        kept_hindcast.read(tmp_path, "2027-01")


def test_every_kind_has_its_reference_at_no_skill_and_one_primary() -> None:
    for (kind,), part in kept().group_by(["kind"]):
        reference = part.filter(pl.col("method") == hindcast.REFERENCE[str(kind)])

        assert part["primary"].sum() == 1
        assert reference["skill"].to_list() == [0.0]
        assert part["wis"].is_sorted()


def test_the_documentation_prints_the_rows_that_are_kept() -> None:
    rows = {(row["kind"], row["method"]): hindcast.line(row) for row in kept().iter_rows(named=True)}
    text = (ROOT / "docs" / "rounds.md").read_text(encoding="utf-8")
    found = re.findall(r"^\| ([a-z, ]+) (\| \**(\w+)\** \| \d.*)$", text, re.M)
    printed = [(kind, line, method) for kind, line, method in found if kind in set(kept()["kind"])]

    assert {kind for kind, _, _ in printed} == set(kept()["kind"])
    assert len(printed) >= 20
    assert [(kind, line) for kind, line, method in printed if rows.get((kind, method)) != line] == []
