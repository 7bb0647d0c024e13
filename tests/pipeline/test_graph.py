"""dvc.yaml says what the code does, and the whole graph runs twice with nothing to do the second time."""

from __future__ import annotations

import copy
import os
import re
import shutil
import subprocess
import sys
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.conftest import ROOT, without_entries

from foresaid.fitting import dependencies
from foresaid.laws import _loader as laws
from foresaid.pipeline import inputs, needs

PACKAGE = ROOT / "pipelines" / "foresaid"
STAGES: dict[str, dict[str, Any]] = {
    name: stage.get("do", stage)
    for name, stage in yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"].items()
}
PARAMS = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))


def test_a_stage_depends_on_its_own_inputs_and_names_code_and_settings_nowhere_else() -> None:
    for name, stage in STAGES.items():
        if name == "inputs":
            assert stage["deps"] == ["params.yaml", "pipelines/foresaid", "requirements.lock"]
            continue
        if name == "needs":
            assert stage["deps"] == ["build/inputs", "build/database/digests.json"]
            continue
        own = "fit/${key}" if name == "fit" else name
        assert f"build/{'inputs' if f'{own}.json' in needs.BEFORE else 'needs'}/{own}.json" in stage["deps"]
        assert not any(item.endswith((".py", ".lock", ".yaml")) or item == "pipelines/foresaid" for item in stage["deps"]), name
        assert "params" not in stage, name


def test_every_stage_says_what_it_does_and_is_a_command_of_its_own_name() -> None:
    for name, stage in STAGES.items():
        assert stage["desc"], name
        assert stage["cmd"].split()[:2] == ["foresaid", name]
    assert set(STAGES) == {"inputs", "needs", *inputs.SETTINGS}


def cold_run() -> list[list[list[str]]]:
    """The stages that a cold `make repro` runs without DVC: one step after another, in each of them lanes side by side."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    recipe = text[text.index("repro: .venv") : text.index("test: .venv")]
    assert recipe.index("foresaid report && dvc commit --quiet --force; } || wait\n") < recipe.index("@dvc repro --all-pipelines\n")
    lines = [line for line in recipe.splitlines() if "foresaid " in line]
    assert all("wait $$!" in line for line in lines if " & " in line)
    return [[re.findall(r"foresaid ([a-z]+)", lane) for lane in line.split(" & ")] for line in lines]


def test_a_cold_run_makes_every_stage_once_and_after_all_that_it_needs() -> None:
    steps = cold_run()
    made_by = {
        item if isinstance(item, str) else next(iter(item)): name for name, stage in STAGES.items() for item in stage["outs"]
    }
    # What `inputs` writes `needs` alone reads, in the line below: by it DVC knows which stages a change reaches.
    made_by = {out.replace("/${key}", "").replace("${key}.json", ""): name for out, name in made_by.items() if name != "inputs"}
    done: set[str] = set()
    for lanes in steps:
        for lane in lanes:
            before = set(done)
            for name in lane:
                needed = {
                    made_by[out] for item in STAGES[name]["deps"] for out in made_by if f"{item}/".startswith(out.rstrip("/") + "/")
                }
                assert needed <= before, name
                before.add(name)
        done |= {name for lane in lanes for name in lane}
    assert sorted(name for lanes in steps for lane in lanes for name in lane) == sorted(STAGES)


def test_laws_of_params_and_files_agree() -> None:
    assert sorted(PARAMS["laws"]) == laws.names()


def test_sources_of_params_have_a_folder_and_a_reader_or_an_experiment_of_our_own() -> None:
    for name in PARAMS["sources"]:
        folder = ROOT / "registry" / "sources" / name
        assert (folder / "observations.csv").is_file()
        (directory,) = {entry["directory"] for entry in tomllib.loads((folder / "source.toml").read_text())["vintage"][:1]}
        own = ROOT / "registry" / "experiments" / directory / "table.csv"
        assert own.is_file() or (PACKAGE / "sources" / f"{name.replace('-', '_')}.py").is_file()


def test_every_table_of_the_record_is_a_dependency_of_the_stage_that_reads_it() -> None:
    tables = {f"registry/{path.name}" for path in (ROOT / "registry").glob("*.csv")}
    later = {"registry/events.csv": "score", "registry/same_items.csv": "freeze"}  # read where targets are made and resolved

    assert tables - later.keys() <= set(STAGES["ingest"]["deps"])
    assert all({table, "registry"} & set(STAGES[stage]["deps"]) for table, stage in later.items())


def test_dvc_passes_by_no_folder_that_a_stage_reads_or_writes() -> None:
    lines = (ROOT / ".dvcignore").read_text(encoding="utf-8").splitlines()
    folders = [ROOT / line.strip("/") for line in lines if line.startswith("/")]
    edges = dependencies.graph(PACKAGE)
    listed = {str(item) for stage in STAGES.values() for item in [*stage["deps"], *stage["outs"]] if isinstance(item, str)}
    read = {path for stage in inputs.SETTINGS for path in inputs.code(PACKAGE, edges, stage, PARAMS["laws"], PARAMS["sources"])}
    read |= {ROOT / item for item in listed}

    assert all(line.endswith("/") for line in lines if not line.startswith("#"))  # patterns that need not be tried on files
    assert PACKAGE / "pipeline" / "starter" in folders
    assert not [path for path in read if any(path.is_relative_to(folder) for folder in folders)]


def test_the_ledger_is_never_an_output() -> None:
    outputs = [str(item) for stage in STAGES.values() for item in stage.get("outs", [])]

    assert not any("ledger" in item or item.startswith("registry") for item in outputs)


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    bin_folder = str(Path(sys.executable).parent)
    environment = {**os.environ, "PATH": bin_folder + os.pathsep + os.environ["PATH"], "DVC_NO_ANALYTICS": "1"}
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False, env=environment)


LAWS = {"observational", "compute_sigmoid", "size_sigmoid", "loss_threshold", "chinchilla", "emergence"}  # one of each kind


def few(shipped: dict[str, Any]) -> dict[str, Any]:
    """The shipped parameters with a round, few laws, few replicates and few cells: every stage has its work, and little of it.

    The shipped settings themselves are run by the main job, after the tests.
    """
    day = datetime.now(UTC).date()
    made = copy.deepcopy(shipped) | {"replicates": 8}
    made["round"] = {"id": "test", "as_of": day.isoformat(), "deadline": f"{day.year + 1}-01-31T00:00:00Z"}
    made["laws"] = {name: settings for name, settings in made["laws"].items() if name in LAWS}
    for case in [*made["hindcast"].values(), made["rolling"]]:
        case["laws"] = [name for name in case["laws"] if name in LAWS]
    # One case for each way of holding out rows.
    splits = {case["split"]: name for name, case in reversed(made["hindcast"].items()) if case["laws"]}
    made["hindcast"] = {name: made["hindcast"][name] for name in splits.values()}
    made["rolling"] |= {"every": 24, "replicates": 4, "full_replicates": 4, "laws": made["rolling"]["laws"][:2]}
    made["capability"] |= {"from_year": 2025, "minimum_cells": 40}
    return made


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scratch copy of the tracked files, with an empty ledger, few replicates and a round set, as a repository of its own."""
    folder = tmp_path_factory.mktemp("scratch") / "clone"
    names = run(ROOT, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard").stdout.split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file() and name != "dvc.lock":
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    without_entries(folder / "registry")
    (folder / "params.yaml").write_text(yaml.safe_dump(few(PARAMS), sort_keys=False), encoding="utf-8")
    for words in (["init", "-q"], ["add", "-A"], ["-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-qm", "copy"]):
        assert run(folder, "git", *words).returncode == 0
    done = run(folder, "dvc", "repro")
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def batches(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "registry/ledger/batches").rglob("*.jsonl")}


@pytest.mark.slow
def test_a_set_round_is_frozen_once_the_site_is_written_and_the_ledger_verifies(clone: Path) -> None:
    assert len(batches(clone)) == 2  # the questions, and the forecasts that answer them
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
def test_results_that_are_handed_to_dvc_are_locked_as_those_it_made(clone: Path) -> None:
    locked = (clone / "dvc.lock").read_bytes()
    assert run(clone, "foresaid", "fit").returncode == 0  # all laws in one process, over what each made in its own
    (clone / "dvc.lock").unlink()
    shutil.rmtree(clone / ".dvc/cache/files")

    done = run(clone, "dvc", "commit", "--quiet", "--force")

    assert done.returncode == 0, done.stdout + done.stderr
    assert locked == (clone / "dvc.lock").read_bytes()
    assert run(clone, "dvc", "status", "--quiet").returncode == 0


@pytest.mark.slow
def test_a_changed_parameter_is_reported_as_mismatch_and_the_batch_stands(clone: Path) -> None:
    before = batches(clone)
    path = clone / "params.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("components: 3", "components: 2"), encoding="utf-8")

    done = run(clone, "dvc", "repro", "freeze")  # this stage and those before it: no page has a part in the claim

    assert done.returncode == 0, done.stdout + done.stderr
    assert "mismatch: test/gsm8k_cot/observational" in done.stdout + done.stderr
    assert before == batches(clone)
