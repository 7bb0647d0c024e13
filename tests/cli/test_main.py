"""The command line: instant help, one line an error, and the exit codes of the design."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.cli.typed import COMMANDS
from tests.conftest import ROOT

from foresaid.cli.group import Sections
from foresaid.cli.main import main

TYPED_AS = {"ledger verify": "verify", "protocol table": "protocol"}  # commands that have a shorter way to be typed


@pytest.mark.parametrize("command", sorted({*COMMANDS, *main.commands}))
def test_every_command_has_help_with_an_example(command: str) -> None:
    result = CliRunner().invoke(main, [*command.split(), "--help"])

    assert result.exit_code == 0
    assert f"Example: foresaid {TYPED_AS.get(command, command)}" in result.output


HEAVY = {
    "numpy", "scipy", "sklearn", "polars", "duckdb", "numba", "joblib", "distributed", "msgspec", "altair", "vl_convert", "jinja2",
    "cryptography", "dvc",
}  # fmt: skip


def loaded(code: str) -> set[str]:
    """Return which heavy libraries a fresh process has loaded after this code."""
    code = f"import sys\n{code}\nprint(sorted(set(sys.modules) & {HEAVY!r}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(ast.literal_eval(done.stdout.splitlines()[-1]))


def test_every_command_stands_in_one_section_of_the_help() -> None:
    assert isinstance(main, Sections)
    listed = [name for names in main.sections.values() for name in names]

    assert sorted(listed) == sorted(main.commands)


def test_a_narrow_terminal_cuts_no_sentence_of_the_help() -> None:
    text = CliRunner().invoke(main, ["--help"], terminal_width=80).output

    assert "..." not in text.split("[ARGS]...")[1]
    assert "Append to the ledger the forecasts that the open round lacks; without an open round, say so." in " ".join(text.split())


def test_help_loads_no_numerical_library() -> None:
    asked = "from foresaid.cli.main import main\ntry: main(['--help'])\nexcept SystemExit: pass"

    assert loaded(asked) == set()


@pytest.mark.parametrize(
    ("stage", "used"),
    [
        ("ingest", "polars duckdb numpy"),
        ("database", "polars duckdb"),
        ("fit", "polars duckdb numpy scipy msgspec"),
        ("hindcast", "polars duckdb numpy scipy msgspec"),
        ("freeze", "polars duckdb numpy msgspec cryptography"),
        ("score", "polars duckdb numpy msgspec scipy cryptography"),
        ("report", "polars duckdb numpy scipy msgspec altair vl_convert jinja2 cryptography"),
        ("verify", "msgspec cryptography"),
        ("update", "polars duckdb numpy"),
    ],
)
def test_a_stage_loads_only_what_it_uses(stage: str, used: str) -> None:
    # Compiled kernels and their compiler are loaded by the first fit, not by the stage.
    place = {"verify": "ledger.verify.verify", "update": "registry.update.update"}.get(stage, f"pipeline.{stage}")
    assert loaded(f"import foresaid.{place}") <= set(used.split())


def test_the_version_is_the_packages() -> None:
    from foresaid import __version__

    assert __version__ in CliRunner().invoke(main, ["--version"]).output
    assert f'version = "{__version__}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "foresaid", *words], cwd=folder, capture_output=True, text=True, check=False)


def test_an_unknown_law_is_one_line_and_exit_2() -> None:
    done = run(ROOT, "fit", "observatonal")

    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "expected one of params.yaml" in done.stderr


def test_a_folder_without_params_is_one_line_and_exit_2(tmp_path: Path) -> None:
    done = run(tmp_path, "ingest")

    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)


def test_a_missing_ledger_is_an_error_and_not_an_empty_one(tmp_path: Path) -> None:
    done = run(tmp_path, "verify")

    assert done.returncode == 2
    assert "registry/ledger" in done.stderr


def test_the_shipped_ledger_verifies() -> None:
    assert run(ROOT, "verify", "--strict").returncode == 0
