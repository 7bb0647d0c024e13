"""dvc.yaml says what the code does, and the whole graph runs twice with nothing to do the second time."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.conftest import ROOT

from foresaid import experiment_source, laws

PACKAGE = ROOT / "pipelines" / "foresaid"
STAGES: dict[str, dict[str, Any]] = {
    name: stage.get("do", stage)
    for name, stage in yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"].items()
}
PARAMS = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))


def module_file(name: str) -> Path | None:
    """Return the file of a module of the package, by its name below `foresaid`."""
    base = PACKAGE / name.replace(".", "/")
    return next((path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file()), None)


def imports(path: Path) -> set[Path]:
    """Return the files of the package a file imports, wherever in the file it does."""
    found: set[Path] = set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            node.body = []  # never runs
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "foresaid":
            base = node.module.removeprefix("foresaid").lstrip(".")
            names = [base, *(f"{base}.{alias.name}".lstrip(".") for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name.removeprefix("foresaid.") for alias in node.names if alias.name.startswith("foresaid.")]
        found |= {file for name in names if name and (file := module_file(name))}
    return found


def closure(*start: Path) -> set[Path]:
    """Return all files that importing these loads."""
    seen: set[Path] = set()
    waiting = list(start)
    while waiting:
        path = waiting.pop()
        if path not in seen:
            seen.add(path)
            waiting += imports(path)
    return seen


def listed(stage: str, law: str = "") -> set[Path]:
    """Return the code files a stage lists; a folder stands for its files."""
    found: set[Path] = set()
    for item in STAGES[stage]["deps"]:
        path = ROOT / item.replace("${key}", law)
        if PACKAGE in path.parents or path == PACKAGE:
            found |= set(path.rglob("*.py")) if path.is_dir() else {path}
    return {path for path in found if path.suffix == ".py"}


@pytest.mark.parametrize("stage", sorted(STAGES))
def test_a_stage_lists_exactly_the_code_it_runs(stage: str) -> None:
    law_files = sorted((PACKAGE / "laws").glob("*.py"))
    if stage == "fit":
        for law in laws.names():
            needed = closure(PACKAGE / "fit.py", PACKAGE / "laws" / f"{law}.py", PACKAGE / "laws" / "__init__.py")
            # Shared foundations of other laws may be listed too: a stage list cannot differ from law to law.
            allowed = closure(PACKAGE / "fit.py", *law_files) - {
                path for path in law_files if path.stem != law and path.stem != "__init__"
            }
            assert needed <= listed(stage, law) <= allowed, law
        return
    needed = closure(PACKAGE / f"{stage}.py")
    if PACKAGE / "laws" / "__init__.py" in needed:  # laws are loaded by name
        needed |= closure(*law_files)
    if stage == "report":  # the footer names a digest of the whole program
        needed = set(PACKAGE.rglob("*.py"))

    assert {str(path.relative_to(PACKAGE)) for path in needed} == {str(path.relative_to(PACKAGE)) for path in listed(stage)}


def test_every_stage_says_what_it_does_and_is_a_command_of_its_own_name() -> None:
    for name, stage in STAGES.items():
        assert stage["desc"], name
        assert stage["cmd"].split()[:2] == ["foresaid", name]


def test_laws_of_params_and_files_agree() -> None:
    assert sorted(PARAMS["laws"]) == laws.names()


def test_sources_of_params_have_a_folder_and_a_reader() -> None:
    for name in PARAMS["sources"]:
        assert (ROOT / "registry" / "sources" / name / "observations.csv").is_file()
        own = name == experiment_source.NAME  # our own table has no upstream to read again; its module makes the rows
        assert own or module_file(f"sources.{name.replace('-', '_')}") is not None


def test_the_ledger_is_never_an_output() -> None:
    outputs = [str(item) for stage in STAGES.values() for item in stage.get("outs", [])]

    assert not any("ledger" in item or item.startswith("registry") for item in outputs)


@pytest.mark.parametrize(
    "pure", ["law", "solver", "fitting", "curve", "forecast", "scoring", "evaluate", "preprocess", "baselines"]
)
def test_laws_and_scoring_never_see_the_database_the_pages_or_the_command_line(pure: str) -> None:
    files = closure(PACKAGE / f"{pure}.py", *(PACKAGE / "laws").glob("*.py"))
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert not {name.split(".")[0] for name in names} & {"duckdb", "click", "jinja2", "altair"}, path.name


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    bin_folder = str(Path(sys.executable).parent)
    environment = {**os.environ, "PATH": bin_folder + os.pathsep + os.environ["PATH"], "DVC_NO_ANALYTICS": "1"}
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False, env=environment)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scratch copy of the tracked files, with few replicates and a round set, as a repository of its own."""
    folder = tmp_path_factory.mktemp("scratch") / "clone"
    names = run(ROOT, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard").stdout.split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file() and name != "dvc.lock":
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    text = (folder / "params.yaml").read_text(encoding="utf-8")
    today = run(folder, "date", "-u", "+%Y-%m-%d").stdout.strip()
    text = text.replace("round: null", f'round: {{id: "test", as_of: "{today}", deadline: "{int(today[:4]) + 1}-01-31T00:00:00Z"}}')
    text = text.replace("replicates: 200", "replicates: 8")
    (folder / "params.yaml").write_text(text, encoding="utf-8")
    for words in (["init", "-q"], ["add", "-A"], ["-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-qm", "copy"]):
        assert run(folder, "git", *words).returncode == 0
    done = run(folder, "dvc", "repro")
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def batches(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "registry/ledger/batches").rglob("*.jsonl")}


@pytest.mark.slow
def test_a_set_round_is_frozen_once_the_site_is_written_and_the_ledger_verifies(clone: Path) -> None:
    assert len(batches(clone)) == 1
    assert (clone / "reports/site/index.html").is_file()
    done = run(clone, "foresaid", "verify")
    assert done.returncode == 0, done.stdout + done.stderr
    assert run(clone, "foresaid", "verify", "--strict").returncode == 5  # the main branch has made no checkpoint yet


@pytest.mark.slow
def test_a_second_run_has_nothing_to_do_and_adds_nothing(clone: Path) -> None:
    before = batches(clone)

    done = run(clone, "dvc", "repro")

    assert done.returncode == 0
    assert "Running stage" not in done.stdout
    assert before == batches(clone)
    assert run(clone, "dvc", "status", "--quiet").returncode == 0


@pytest.mark.slow
def test_a_changed_parameter_is_reported_as_drift_and_the_batch_stands(clone: Path) -> None:
    before = batches(clone)
    path = clone / "params.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("components: 3", "components: 2"), encoding="utf-8")

    done = run(clone, "dvc", "repro")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "drift: test/gsm8k_cot/observational" in done.stdout + done.stderr
    assert before == batches(clone)
