"""What one clone has built another gets without running a stage: from a folder, and from an S3-compatible server of this machine.

The server is started by the test on the loopback interface and stopped by it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from tests.conftest import ROOT

pytestmark = pytest.mark.slow
LAW = "compute_sigmoid"
OUTPUTS = ("build/database", f"build/fits/{LAW}", "build/inputs", "build/needs")
BUCKET = "published"
PART = (f"fit@{LAW}", "--with-deps")  # of the graph: its last stages take minutes


DOCUMENTED = ("/srv/foresaid", "s3://published/foresaid", "http://127.0.0.1:9000")  # what docs/running.md names


@dataclass(frozen=True)
class Store:
    """A remote as a person names it: its address, where its server listens, and which block of the document is about it."""

    address: str
    server: str
    block: int


def documented(block: int, store: Store) -> list[list[str]]:
    """The commands of a block of docs/running.md, *Sharing what was built*, about this store."""
    text = (
        (ROOT / "docs" / "running.md").read_text(encoding="utf-8").partition("## Sharing what was built")[2].partition("\n## ")[0]
    )
    lines = re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL)[block].splitlines()
    folder, address, server = DOCUMENTED
    places = {folder: store.address, address: store.address, server: store.server}
    return [[places.get(word, word) for word in line.split()] for line in lines]


def run(folder: Path, *words: str, program: Path | None = None) -> str:
    """Type a command in a clone. With `program`, what is found there stands before everything else."""
    places = [*([str(program)] if program else []), str(Path(sys.executable).parent), os.environ["PATH"]]
    environment = {
        **os.environ, "PATH": os.pathsep.join(places), "DVC_NO_ANALYTICS": "1", "DVC_SITE_CACHE_DIR": str(folder / ".dvc/tmp/site"),
        "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true", "GIT_CONFIG_GLOBAL": os.devnull,
    }  # fmt: skip
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False, env=environment, timeout=300)
    assert done.returncode == 0, f"{words}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def commit(folder: Path) -> None:
    run(folder, "git", "add", "-A")
    run(folder, "git", "-c", "user.name=test", "-c", "user.email=test@example.org", "commit", "-q", "-m", "Publish")


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with the shipped graph and record and few replicates, built up to the fit of one law."""
    folder = tmp_path_factory.mktemp("remotes") / "origin"
    folder.mkdir()
    for name in ("dvc.yaml", "requirements.lock", ".gitignore", ".dvcignore"):
        if (ROOT / name).is_file():
            shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "registry", folder / "registry")
    shutil.copytree(ROOT / "pipelines/foresaid", folder / "pipelines/foresaid", ignore=shutil.ignore_patterns("__pycache__"))
    settings = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    (folder / "params.yaml").write_text(yaml.safe_dump(settings | {"replicates": 5, "workers": 1}), encoding="utf-8")
    run(folder, "git", "init", "-q", "-b", "main")
    run(folder, "dvc", "init", "-q")
    run(folder, "dvc", "repro", "-q", f"fit@{LAW}")
    commit(folder)
    return folder


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A place that holds what is published: a folder, or a bucket of a server that lives as long as the test."""
    if request.param == "folder":
        yield Store(str(tmp_path / "store"), "", 0)
        return
    import boto3
    from moto.server import ThreadedMotoServer

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its libraries
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        try:
            host, port = server.get_host_and_port()
            address = f"http://{host}:{port}"
            keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing", "region_name": "us-east-1"}
            boto3.client("s3", endpoint_url=address, **keys).create_bucket(Bucket=BUCKET)
            yield Store(f"s3://{BUCKET}/foresaid", address, 1)
        finally:
            server.stop()


def bytes_of(folder: Path) -> dict[str, bytes]:
    """Every output by its path."""
    files = [path for name in OUTPUTS for path in (folder / name).rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_what_was_pushed_is_pulled_with_the_same_bytes_and_no_stage_runs(origin: Path, store: Store, tmp_path: Path) -> None:
    published = Path(shutil.copytree(origin, tmp_path / "published"))
    *settings, push = documented(store.block, store)
    for words in settings:
        run(published, *words)
    commit(published)
    run(published, *push, *PART)
    wanted = bytes_of(published)
    assert {name.rsplit("/", 1)[0] for name in wanted} >= {"build/database", f"build/fits/{LAW}"}

    pull, repro = documented(2, store)
    run(tmp_path, "git", "clone", "-q", "published", "pulled")
    assert bytes_of(tmp_path / "pulled") == {}
    run(tmp_path / "pulled", *pull, *PART)
    assert bytes_of(tmp_path / "pulled") == wanted

    trap = tmp_path / "trap"  # a `foresaid` that fails: a stage that ran would be seen
    trap.mkdir()
    (trap / "foresaid").write_text("#!/bin/sh\nexit 9\n", encoding="utf-8")
    (trap / "foresaid").chmod(0o755)
    run(tmp_path, "git", "clone", "-q", "published", "again")
    told = run(tmp_path / "again", *repro, PART[0], program=trap)
    assert "Running stage" not in told
    assert bytes_of(tmp_path / "again") == wanted
    assert run(tmp_path / "again", "git", "status", "--porcelain") == ""
