"""The command line: instant help, one line an error, and the exit codes of the design."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.attacks.build import ORIGIN
from tests.cli.typed import COMMANDS
from tests.conftest import ROOT
from tests.ledger.test_store import OPENING, forecast, write

from foresaid.cli.group import RUN, Sections
from foresaid.cli.main import main
from foresaid.ledger import store

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
        ("database", "polars duckdb numpy"),
        ("fit", "polars duckdb numpy scipy msgspec"),
        ("hindcast", "polars duckdb numpy scipy msgspec"),
        ("freeze", "polars duckdb numpy msgspec cryptography"),
        ("score", "polars duckdb numpy msgspec scipy cryptography"),
        ("report", "polars duckdb numpy scipy msgspec joblib vl_convert jinja2 cryptography"),
        ("verify", "msgspec cryptography"),
        ("update", "polars duckdb numpy"),
    ],
)
def test_a_stage_loads_only_what_it_uses(stage: str, used: str) -> None:
    # Compiled kernels and their compiler are loaded by the first fit, not by the stage.
    place = {"verify": "ledger.verify.verify", "update": "registry.update.update"}.get(stage, f"pipeline.{stage}")
    assert loaded(f"import foresaid.{place}") <= set(used.split())


WITHOUT_RUN = """
import importlib.abc, sys
from foresaid.cli.group import RUN

class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {*RUN, "llvmlite"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
"""


def light(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Type a command where no library of the extra `run` is installed."""
    code = f"{WITHOUT_RUN}\nfrom foresaid.cli.main import main\nmain({list(words)!r}, prog_name='foresaid')"
    return subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "typed",
    ["verify --strict", "ledger heads", "ledger verify", "models show meta-llama/llama-2-7b-hf", "licences", "origins", "sort"],
)
def test_the_record_is_read_and_the_ledger_verified_without_the_libraries_that_fit(typed: str) -> None:
    done = light(ROOT, *typed.split())

    assert (done.returncode, done.stderr) == (0, "")


def test_a_forecast_is_shown_with_its_scores_without_them(tmp_path: Path) -> None:
    place = tmp_path / "registry/ledger"
    store.create(place, ORIGIN)
    write(place, [*OPENING, forecast("a")])
    for name in ("models.csv", "aliases.csv", "merges.csv", "quantities.csv", "licences.csv"):
        (tmp_path / "registry" / name).write_bytes((ROOT / "registry" / name).read_bytes())
    (tmp_path / "registry" / "sources").symlink_to(ROOT / "registry" / "sources")
    text = (ROOT / "params.yaml").read_text(encoding="utf-8").replace("origin: foresaid/registry ", f"origin: {ORIGIN} ")
    (tmp_path / "params.yaml").write_text(text, encoding="utf-8")
    light(tmp_path, "ledger", "checkpoint")
    done = light(tmp_path, "ledger", "show", "2026q4/mmlu-pro/model-x/a")

    assert (done.returncode, done.stderr) == (0, "")
    assert "quantiles 0.05: 0.412" in done.stdout


def test_scores_are_computed_from_python_without_them() -> None:
    code = f"{WITHOUT_RUN}\nimport foresaid; foresaid.score, foresaid.verify, foresaid.read_curve, foresaid.View; print('ready')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert (done.stdout, done.stderr) == ("ready\n", "")


@pytest.mark.parametrize("typed", ["fit chinchilla", "report", "hindcast"])
def test_what_needs_them_says_which_extra_brings_them(typed: str, tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    done = light(tmp_path, *typed.split())

    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert "pip install 'foresaid[run]'" in done.stderr


def test_the_modules_named_are_those_of_the_extra() -> None:
    extra = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]["run"]
    module = {"scikit-learn": "sklearn", "vl-convert-python": "vl_convert", "ruamel.yaml.clib": ""}
    names = {re.split(r"[<>=;]", line)[0] for line in extra}

    assert {module.get(name, name) for name in names} - {""} == RUN


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
