"""Commands find their project as git does, change no working directory, and name what the system refused."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.cli.typed import COMMANDS
from tests.conftest import ROOT, Built

from foresaid import params, project
from foresaid.cli.group import SIGPIPE, system_error
from foresaid.cli.main import main
from foresaid.pipeline import fit


@pytest.fixture(scope="module")
def home(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the shipped settings and ledger, its database and the fit of compute_sigmoid."""
    folder = tmp_path_factory.mktemp("home")
    shutil.copy(ROOT / "params.yaml", folder)
    (folder / "registry").symlink_to(ROOT / "registry")
    shutil.copytree(built.build, folder / "build")
    (folder / "notes" / "deep").mkdir(parents=True)
    return folder


def run(folder: Path, *words: str, code: int = 0) -> str:
    done = subprocess.run([sys.executable, "-m", "foresaid", *words], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert code == 0 or len(done.stderr.splitlines()) == 1
    return done.stdout + done.stderr


PREDICT = ("predict", "compute_sigmoid", "gsm8k_cot", "--covariate", "training_flops=6.3e24")


def test_a_command_says_the_same_from_any_folder_below_and_with_root(home: Path, tmp_path: Path) -> None:
    here = run(home, *PREDICT)

    assert "80% interval" in here
    assert run(home / "notes" / "deep", *PREDICT) == here
    assert run(tmp_path, "--root", str(home), *PREDICT) == here


def test_no_command_leaves_the_working_directory(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home / "notes")
    CliRunner().invoke(main, ["--root", str(home), *PREDICT])

    assert Path.cwd().samefile(home / "notes")


def test_paths_in_messages_are_relative_to_where_one_stands(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home / "notes" / "deep")
    found = project.find(Path())

    assert found is not None
    assert found.registry == Path("../../registry")


@pytest.mark.parametrize("root", ["nowhere", "notes"])
def test_a_root_that_is_no_project_is_one_line(home: Path, root: str) -> None:
    assert "expected" in run(home, "--root", root, "ingest", code=2)


def test_predict_as_json_holds_every_quantile(home: Path) -> None:
    found = json.loads(run(home, *PREDICT, "--json"))

    assert (len(found["levels"]), len(found["quantiles"])) == (23, 23)
    assert found["quantiles"] == sorted(found["quantiles"])
    assert found["covariates"] == {"training_flops": 6.3e24}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("compute_sigmoid", "gsm8k_co"), "did you mean gsm8k_cot?"),
        (("compute_sigmod", "gsm8k_cot"), "expected one of params.yaml"),
        (("compute_sigmoid", "gsm8k_cot"), "covariate training_flops: found no value"),
        (("compute_sigmoid", "gsm8k_cot", "--covariate", "flops=1"), "covariate flops: found it"),
        (("compute_sigmoid", "gsm8k_cot", "--covariate", "training_flops"), "expected NAME=NUMBER"),
        ((*PREDICT[1:], "--covariate", "training_flops=1"), "found --covariate training_flops twice"),
        (("chinchilla", "x"), "expected the output of `foresaid fit chinchilla`"),
    ],
)
def test_predict_refuses_by_name(home: Path, words: tuple[str, ...], message: str) -> None:
    assert message in run(home, "predict", *words, code=2)


@pytest.mark.parametrize(("name", "left"), [("history.parquet", 0), ("history.parquet", 1000), ("quantity.parquet", 4)])
def test_a_cut_parquet_file_is_named(home: Path, tmp_path: Path, name: str, left: int) -> None:
    shutil.copy(home / "params.yaml", tmp_path)
    shutil.copytree(home / "build" / "database", tmp_path / "build" / "database")
    whole = (home / "build" / "database" / name).read_bytes()
    (tmp_path / "build" / "database" / name).write_bytes(whole[:left])

    said = run(tmp_path, "contest", "olmo_mmlu_mc", "--loss", "2.6", code=2)
    assert name in said
    assert "dvc repro" in said


@pytest.fixture(scope="module")
def damaged(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose derived files a test damages one by one."""
    folder = tmp_path_factory.mktemp("damaged")
    shutil.copy(home / "params.yaml", folder)
    (folder / "registry").symlink_to(ROOT / "registry")
    shutil.copytree(home / "build", folder / "build")
    loaded = params.load(folder / "params.yaml")
    fit.run("chinchilla", dataclasses.replace(loaded, replicates=3), folder / "build")
    return folder


READS = {
    "build/database/": (("export", "--to", "out.csv"),),
    "build/tables/": (("database",),),
    "build/observations/": (("database",),),
    "build/fits/": (("returns", "chinchilla"), ("predict", "compute_sigmoid", "gsm8k_cot", "--covariate", "training_flops=1e24")),
}


@pytest.mark.parametrize("kind", ["empty", "cut", "noise"])
def test_a_damaged_derived_file_is_named_by_whoever_reads_it(damaged: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.chdir(damaged)
    named = set()
    for place, reads in READS.items():
        for path in sorted(path for path in (damaged / place).rglob("*") if path.is_file())[:8]:
            whole = path.read_bytes()
            path.write_bytes({"empty": b"", "cut": whole[: len(whole) // 2], "noise": b"\xff\x00 noise " * 9}[kind])
            for words in reads:
                done = CliRunner().invoke(main, [*words])
                assert done.exception is None or isinstance(done.exception, SystemExit), (path, words, done.exception)
                assert done.exit_code in (0, 1, 2), (path, words)
                if done.exit_code:
                    assert len(done.stderr.splitlines()) == 1, (path, words, done.stderr)
                    named |= {path.name} if path.name in done.stderr else set()
            path.write_bytes(whole)

    assert {"observation.parquet", "drawing.parquet"} <= named


def test_a_reader_that_goes_away_is_no_error(home: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([sys.executable, "-m", "foresaid", *PREDICT], cwd=home, stdout=write, stderr=subprocess.PIPE, check=False)
    os.close(write)

    assert (done.returncode, done.stderr) == (SIGPIPE, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("buffered", [True, False])
@pytest.mark.parametrize("arguments", [PREDICT, ["--help"], ["--version"], ["ledger", "--help"]], ids=" ".join)
def test_a_full_disk_is_called_full(home: Path, arguments: list[str], buffered: bool) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, *([] if buffered else ["-u"]), "-m", "foresaid", *arguments],
            cwd=home,
            env=environment,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert done.returncode == 2, done.stderr
    assert "free some space" in done.stderr
    assert "Traceback" not in done.stderr
    assert "ignored" not in done.stderr


def test_what_the_system_refuses_names_the_file_and_who_must_act() -> None:
    assert system_error(FileNotFoundError(2, "No such file or directory", "x")).startswith("x: No such file or directory; expected")
    assert "permission" in system_error(PermissionError(13, "Permission denied", "x"))


TIMES = "agent,task,family,minutes,success\n" + "".join(
    f"{agent},t{i},f{i // 3},{2**i},{int(i + j < top)}\n" for agent, top in (("a", 6), ("b", 9)) for i in range(8) for j in range(4)
)


def test_time_horizons_of_a_table_of_runs(tmp_path: Path) -> None:
    (tmp_path / "runs.csv").write_text(TIMES, encoding="utf-8")
    said = run(tmp_path, "time-horizon", "runs.csv", "--replicates", "50").splitlines()

    assert [line.split()[0] for line in said] == ["agent", "a", "b"]
    assert float(said[1].split()[1]) < float(said[2].split()[1])


@pytest.mark.parametrize(
    ("old", "new"), [("minutes", "hours"), ("a,t0,f0,1,1", "a,t0,f0,x,1"), ("a,t0,f0,1,1", "a,t0,f0,1,2"), ("a,t0,f0,1,1", "a,t0")]
)
def test_a_bad_table_of_runs_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path("runs.csv").write_text(TIMES.replace(old, new, 1), encoding="utf-8")
    result = CliRunner().invoke(main, ["time-horizon", "runs.csv"])

    assert result.exit_code in (1, 2)
    assert isinstance(result.exception, SystemExit)


@pytest.mark.parametrize("command", sorted(set(COMMANDS) - {"setup", "schema"}))
def test_without_a_project_no_command_fails_but_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, command.split())

    assert isinstance(result.exception, SystemExit)
    assert list(tmp_path.iterdir()) == []
