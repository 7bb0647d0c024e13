"""The command line: instant help, one line an error, and the exit codes of the design."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.conftest import ROOT

from foresaid.cli import main


@pytest.mark.parametrize("command", sorted(main.commands))
def test_every_command_has_help_with_an_example(command: str) -> None:
    result = CliRunner().invoke(main, [command, "--help"])

    assert result.exit_code == 0
    assert f"Example: foresaid {command}" in result.output


def test_help_loads_no_numerical_library() -> None:
    code = (
        "import sys; from foresaid.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print(sorted(set(sys.modules) & {'numpy', 'scipy', 'sklearn', 'polars', 'duckdb', 'numba', 'joblib', 'msgspec', 'altair', 'jinja2', 'dvc'}))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "[]"


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
