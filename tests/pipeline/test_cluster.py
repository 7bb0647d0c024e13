"""Fits, hindcasts and scores of a project made by two workers that share no folder with it, byte for byte as on one machine.

A Dask scheduler and two workers, each in a folder of its own with its own copy of nothing: what they need goes to them through the
scheduler, what they make comes back the same way. All of them are on the loopback interface and are ended by the test.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from tests.conftest import ROOT, Built

from foresaid import parallel

pytestmark = pytest.mark.slow
LAW = "compute_sigmoid"
MADE = (f"build/fits/{LAW}", "build/hindcast.parquet", "build/hindcast_fits.json", "build/scores.parquet", "build/score_tables",
        "reports/metrics")  # fmt: skip


def settings() -> dict[str, object]:
    """The shipped settings with one law, one case and few replicates: each of the stages has work, and little of it."""
    made = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    case = next(one for one in made["hindcast"].values() if LAW in one["laws"] and one["split"] == "released")
    kept = {key: item for key, item in made.items() if key not in ("rolling", "capability")}
    return kept | {"replicates": 10, "laws": {LAW: made["laws"][LAW]}, "hindcast": {"one": case | {"laws": [LAW]}}}


@pytest.fixture(scope="module")
def project(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with its database, before any fit."""
    folder = tmp_path_factory.mktemp("cluster") / "project"
    (folder / "build").mkdir(parents=True)
    shutil.copy(ROOT / "requirements.lock", folder)
    (folder / "params.yaml").write_text(yaml.safe_dump(settings()), encoding="utf-8")
    shutil.copytree(built.registry, folder / "registry")
    for name in ("database", "observations", "tables"):
        shutil.copytree(built.build / name, folder / "build" / name)
    return folder


def foresaid(folder: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "foresaid", *words], cwd=folder, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def environment_of_docs() -> dict[str, str]:
    """The environment of a machine on which somebody typed the line of docs/running.md: nothing of what this process has set."""
    bare = {name: value for name, value in os.environ.items() if name not in parallel.SAME}
    lines = (ROOT / "docs/running.md").read_text(encoding="utf-8").splitlines()
    [line] = [line for line in lines if line.startswith("export OPENBLAS")]
    return bare | dict(word.split("=", 1) for word in shlex.split(line)[1:])


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a scheduler with two workers, each started in a folder of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    dask = [sys.executable, "-m", "dask"]
    typed = {
        "scheduler": [*dask, "scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard", "--no-jupyter"],
        **{
            name: [*dask, "worker", address, "--host", "127.0.0.1", "--nthreads", "1", "--no-dashboard", "--no-nanny",
                   "--name", name, "--local-directory", "scratch", "--death-timeout", "60"]
            for name in ("one", "two")
        },
    }  # fmt: skip
    started = []
    try:
        for name, words in typed.items():
            folder = tmp_path_factory.mktemp(f"machine-{name}")
            with (folder / "log").open("w") as log:
                started.append(subprocess.Popen(words, cwd=folder, stdout=log, stderr=log, env=environment_of_docs()))
        _wait(address, 2)
        yield address
    finally:
        for process in reversed(started):
            process.terminate()
        for process in started:
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:  # a worker that is still saying goodbye; what it made is compared already
                process.kill()
                process.wait()


def _wait(address: str, workers: int, patience: float = 120) -> None:
    """Wait until so many workers have come."""
    from distributed import Client

    until = time.monotonic() + patience
    while True:
        try:
            with Client(address, timeout=5) as client:  # type: ignore[no-untyped-call]
                client.wait_for_workers(workers, timeout=until - time.monotonic())
                return
        except OSError:
            if time.monotonic() > until:
                raise


def documented(scheduler: str) -> list[list[str]]:
    """The commands of docs/running.md that run on a cluster, with this scheduler."""
    text = (ROOT / "docs" / "running.md").read_text(encoding="utf-8").partition("## When one machine is not enough")[2]
    lines = re.findall(r"^foresaid (.*)$", text.partition("\n## ")[0], flags=re.MULTILINE)
    return [line.replace("tcp://HOST:8786", scheduler).split() for line in lines]


def bytes_of(folder: Path) -> dict[str, bytes]:
    paths = [folder / name for name in MADE]
    files = [file for path in paths for file in ([path] if path.is_file() else sorted(path.rglob("*"))) if file.is_file()]
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}


def test_fits_hindcasts_and_scores_of_a_cluster_are_those_of_one_machine(project: Path, scheduler: str, tmp_path: Path) -> None:
    alone, spread = (Path(shutil.copytree(project, tmp_path / name)) for name in ("alone", "spread"))
    spread_stages = documented(scheduler)
    assert [words[0] for words in spread_stages] == ["fit", "hindcast", "score"]
    for words in (*spread_stages[:2], ["freeze"], spread_stages[2]):
        foresaid(alone, *words[: words.index("--scheduler") if "--scheduler" in words else None])
        foresaid(spread, *words)

    wanted = bytes_of(alone)
    assert {"build/hindcast.parquet", "build/scores.parquet", f"build/fits/{LAW}/curves.jsonl"} <= set(wanted)
    found = bytes_of(spread)
    assert sorted(found) == sorted(wanted)
    assert [name for name in wanted if found[name] != wanted[name]] == []


def test_the_work_was_done_by_the_workers_in_folders_of_their_own(scheduler: str) -> None:
    def place(_: int) -> tuple[int, str]:  # inside, so that it goes to the workers whole: they cannot import this file
        time.sleep(0.05)  # long enough that the scheduler gives some to each
        return os.getpid(), os.getcwd()

    with parallel.using(scheduler=scheduler):
        places = set(parallel.each(place, list(range(16))))

    assert len({process for process, _ in places}) == 2
    assert len({folder for _, folder in places}) == 2
    assert os.getpid() not in {process for process, _ in places}
