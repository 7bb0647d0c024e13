"""Which models have open weights: what sources state, filled in where they agree, and never over what stands."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.conftest import ROOT

from foresaid.cli.main import main
from foresaid.registry import csv_files, formats, load, open_weights
from foresaid.sources._reading import StatedModel

TINY = ROOT / "tests" / "data" / "registry"


def models(registry: Path) -> dict[str, str]:
    rows = csv_files.read(registry / "models.csv", "models.csv", formats.MODELS).items
    return {row.model_id: row.open_weights for row in rows}


def told(**said: str) -> list[StatedModel]:
    return [StatedModel(f"acme/{name.replace('_', '-')}", open_weights=word) for name, word in said.items()]


def test_sources_that_contradict_each_other_or_say_nothing_fill_no_cell() -> None:
    catalogue, _ = load.read_catalogue(TINY)
    found = open_weights.stated(
        catalogue, {"a": told(tiny_1b="yes", tiny_7b="yes"), "b": told(tiny_1b="yes", tiny_7b="no", nobody="no")}
    )

    assert found == {"acme/tiny-1b": {"a": {"yes"}, "b": {"yes"}}, "acme/tiny-7b": {"a": {"yes"}, "b": {"no"}}}
    assert open_weights.agreed(found) == {"acme/tiny-1b": "yes"}
    assert open_weights.stated(catalogue, {"a": told(tiny_1b="")}) == {}


def test_an_empty_cell_is_filled_and_what_stands_is_kept_byte_for_byte() -> None:
    raw = (TINY / "models.csv").read_bytes()
    once = open_weights.filled(raw, {"acme/tiny-1b": "yes"})
    again = open_weights.filled(once, {"acme/tiny-1b": "no", "acme/tiny-7b": "no"})

    table = csv_files.parse(again, "models.csv", formats.MODELS)
    assert table.problems == []
    assert {row.model_id: row.open_weights for row in table.items if row.open_weights} == {
        "acme/tiny-1b": "yes",
        "acme/tiny-7b": "no",
    }
    kept = [line for line in raw.splitlines() if not line.startswith((b"acme/tiny-1b,", b"acme/tiny-7b,"))]
    assert [line for line in again.splitlines() if not line.startswith((b"acme/tiny-1b,", b"acme/tiny-7b,"))] == kept


def test_a_word_that_is_none_is_refused() -> None:
    raw = (TINY / "models.csv").read_bytes()
    (problem,) = csv_files.parse(open_weights.filled(raw, {"acme/tiny-1b": "maybe"}), "models.csv", formats.MODELS).problems

    assert (problem.column, problem.expected) == ("open_weights", "one of yes, no, (empty)")


def test_the_record_says_what_its_sources_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the command, on the real record and the real files, where the mirror is at hand."""
    mirror = os.environ.get("FORESAID_MIRROR")
    if not mirror:
        pytest.skip("FORESAID_MIRROR is not set: no upstream files to compare with")
    shutil.copytree(
        ROOT / "registry", tmp_path / "registry", ignore=shutil.ignore_patterns("ledger", "experiments", "observations.csv")
    )
    shutil.copyfile(ROOT / "params.yaml", tmp_path / "params.yaml")
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["models", "weights", "--from", mirror, "--dry-run"])

    assert done.output.splitlines() == ["models weights: 0 cells would be filled, 0 models on which sources disagree"]
    path = tmp_path / "registry" / "models.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text(
        "".join(line.removesuffix(",yes\n") + ("\n" if line.endswith(",yes\n") else "") for line in text.splitlines(True)),
        encoding="utf-8",
    )
    assert set(models(tmp_path / "registry").values()) == {"", "no"}
    done = CliRunner().invoke(main, ["models", "weights", "--from", mirror])

    assert done.exit_code == 0, done.output
    assert models(tmp_path / "registry") == models(ROOT / "registry")
