"""What is published: a wheel and a source archive that make each other, installed where nothing else is."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest
import yaml
from tests.conftest import ROOT

from foresaid import __version__

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source archive, and with the wheel made from that archive alone."""
    folder = tmp_path_factory.mktemp("archives")
    hatchling = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    subprocess.run([*hatchling, "-t", "sdist"], cwd=ROOT, check=True, capture_output=True)
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(folder / "source", filter="data")
    (source,) = (folder / "source").iterdir()
    subprocess.run([*hatchling, "-t", "wheel"], cwd=source, check=True, capture_output=True)
    return folder


def test_the_wheel_from_the_source_archive_holds_the_whole_package(archives: Path) -> None:
    (wheel,) = archives.glob("*.whl")
    package = ROOT / "pipelines" / "foresaid"
    wanted = {f"foresaid/{path.relative_to(package).as_posix()}" for path in package.rglob("*") if path.is_file()}
    with zipfile.ZipFile(wheel) as packed:
        held = {name for name in packed.namelist() if name.startswith("foresaid/")}
        about = packed.read(next(name for name in packed.namelist() if name.endswith("METADATA"))).decode("utf-8")

    assert held == {name for name in wanted if "__pycache__" not in name and not name.endswith(".pyc")}
    assert {"run", "docs", "dev", "cluster"} <= set(re.findall(r"(?m)^Provides-Extra: (\S+)$", about))


def test_neither_archive_is_large(archives: Path) -> None:
    assert all(path.stat().st_size < 16 << 20 for path in [*archives.glob("*.whl"), *archives.glob("*.tar.gz")])


def pins(lock: str) -> set[str]:
    return set(re.findall(r"(?m)^([a-z0-9.-]+==[^ ;\\]+)", (ROOT / lock).read_text(encoding="utf-8")))


def test_the_light_lock_is_the_smaller_part_of_the_whole() -> None:
    assert pins("requirements-light.lock") < pins("requirements.lock")
    assert not [
        pin for pin in pins("requirements-light.lock") if pin.partition("==")[0] in ("scipy", "scikit-learn", "numba", "dvc")
    ]


@pytest.fixture(scope="module")
def light(archives: Path) -> Path:
    """The Python of an empty environment that holds the wheel and the libraries of the light lock, and nothing else."""
    if subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True, check=False).returncode:
        pytest.skip("pip is not in this environment")
    venv.create(archives / "venv", with_pip=False)
    python = archives / "venv" / "bin" / "python"
    (wheel,) = archives.glob("*.whl")
    words = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps", "--no-index", "-q", str(wheel)]
    subprocess.run(words, check=True, capture_output=True)
    (site,) = (archives / "venv").glob("lib/*/site-packages")
    for pin in pins("requirements-light.lock"):  # no index is asked: they are taken over from where these tests run
        for file in distribution(pin.partition("==")[0]).files or ():
            if ".." not in file.parts and "__pycache__" not in file.parts:
                (site / file).parent.mkdir(parents=True, exist_ok=True)
                (site / file).symlink_to(Path(str(file.locate())).resolve())
    return python


def run(python: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name in ("HOME", "PATH")}
    return subprocess.run(
        [str(python), "-m", "foresaid", *words], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def test_the_light_environment_verifies_and_reads(light: Path) -> None:
    assert run(light, "--version").stdout == f"foresaid, version {__version__}\n"
    for words in (("verify", "--strict"), ("ledger", "heads"), ("licences",), ("models", "list", "--family", "Llama-2")):
        done = run(light, *words)
        assert (done.returncode, done.stderr) == (0, ""), words


def test_the_light_environment_has_none_of_what_fits_and_says_so(light: Path) -> None:
    done = run(light, "fit", "chinchilla")

    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert "pip install 'foresaid[run]'" in done.stderr


def test_the_version_and_licence_are_cited_as_they_are() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert (cited["version"], cited["license"]) == (project["version"], project["license"])
