"""No known trap of the real files is missed, and the page that says so is what the files give."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from foresaid.cli.main import main
from foresaid.registry.known_defects import page as traps
from foresaid.sources import _loader as sources

ROOT = Path(__file__).parents[3]


def test_every_trap_of_the_mirror_has_an_entry(mirror: Path) -> None:
    assert traps.unlisted(mirror) == []


@pytest.mark.parametrize("entry", traps.LISTED)
def test_every_row_a_trap_sits_in_is_caught(entry: str, mirror: Path) -> None:
    name = traps.SOURCE.get(entry, entry)
    if name not in sources.names():
        pytest.skip(f"source {name} has no reader")
    for number, found in enumerate(traps.measured(mirror, ROOT / "registry", entry)):
        if found is not None:
            assert found.caught == found.rows, f"{entry}, trap {number + 1}: {found}"


def test_the_page_of_traps_is_what_the_real_files_give(mirror: Path, tmp_path: Path) -> None:
    shutil.copy(ROOT / "params.yaml", tmp_path)
    (tmp_path / "registry").symlink_to(ROOT / "registry")
    (tmp_path / "docs").mkdir()
    said = CliRunner().invoke(main, ["--root", str(tmp_path), "traps", "--from", str(mirror)])

    assert (said.exit_code, said.output) == (0, "traps: docs/traps.md written, 0 rows missed\n")
    assert (tmp_path / "docs/traps.md").read_bytes() == (ROOT / "docs/traps.md").read_bytes()


def test_every_entry_names_its_check_and_its_rule() -> None:
    for entry, listed in traps.LISTED.items():
        for trap in listed:
            assert trap.check, entry
            assert trap.rule, entry
