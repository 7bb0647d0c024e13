"""The Python interface: the page's example runs as it stands, names load when asked for, covariates are refused by name."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import numpy as np
import pytest
from tests.conftest import ROOT, Built

import foresaid
from foresaid.errors import LedgerError, ParameterError, UnreadableError
from foresaid.registry.view import View

ROOMS = [
    "foresaid",
    *(f"foresaid.{room}" for room in ("scoring", "registry", "fitting", "laws", "forecasting", "ledger", "evaluation")),
]
EXAMPLE = re.findall(r"```python\n(.*?)```", (ROOT / "docs/api.md").read_text(encoding="utf-8"), flags=re.DOTALL)


@pytest.mark.parametrize("room", ROOMS)
def test_every_exported_name_is_there_and_means_no_module(room: str) -> None:
    package = importlib.import_module(room)
    folder = Path(str(package.__file__)).parent
    modules = {path.stem for path in folder.iterdir()}

    assert all(getattr(package, name) is not None for name in package.__all__)
    assert modules & set(package.__all__) == set()
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        package.nonsense  # noqa: B018


def test_every_exported_name_stands_on_the_page() -> None:
    text = (ROOT / "docs/api.md").read_text(encoding="utf-8")

    functions = [name for name in foresaid.__all__ if name.islower() and not name.startswith("_")]
    assert [name for name in functions if f"`{name}(" not in text or f"foresaid.{name}(" not in EXAMPLE[0] + text] == []


def test_importing_loads_nothing_heavy() -> None:
    code = "import sys, foresaid; dir(foresaid); print(sorted({'numpy', 'polars', 'duckdb', 'scipy', 'click'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


@pytest.fixture(scope="module")
def project(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the shipped settings, ledger and database."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "params.yaml").symlink_to(ROOT / "params.yaml")
    (folder / "registry").symlink_to(ROOT / "registry")
    (folder / "build").mkdir()
    (folder / "build" / "database").symlink_to(built.build / "database")
    return folder


def test_the_example_of_the_page_runs_in_a_project(project: Path) -> None:
    inner = project / "notebooks"
    inner.mkdir()
    done = subprocess.run([sys.executable, "-c", EXAMPLE[0]], cwd=inner, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("converged")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a fresh environment that holds the built wheel and, for everything else, what these tests run with."""
    folder = tmp_path_factory.mktemp("wheel")
    if subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True, check=False).returncode:
        pytest.skip("pip is not in this environment")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    venv.create(folder / "venv", with_pip=False)
    python = folder / "venv" / "bin" / "python"
    wheel = str(next(folder.glob("*.whl")))
    words = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps", "--no-index", "-q", wheel]
    subprocess.run(words, check=True, capture_output=True)
    (site,) = (folder / "venv").glob("lib/*/site-packages")
    # Behind the wheel's own folder, and read without its .pth files: an editable install of the project there stays unseen.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return python


def from_the_wheel(python: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name in ("HOME", "PATH")}
    return subprocess.run([str(python), *words], cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_the_example_runs_from_the_installed_wheel_in_a_folder_without_the_source(
    installed: Path, project: Path, tmp_path: Path
) -> None:
    for name in ("params.yaml", "registry", "build"):
        (tmp_path / name).symlink_to(project / name)
    code = EXAMPLE[0] + "\nprint(foresaid.__file__)"
    done = from_the_wheel(installed, tmp_path, "-c", code)

    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.splitlines()[-1]).is_relative_to(installed.parents[1])


def test_the_wheel_brings_types_templates_and_schema_and_its_command_says_what_it_misses(installed: Path, tmp_path: Path) -> None:
    package = next(installed.parents[1].glob("lib/*/site-packages/foresaid"))
    source = ROOT / "pipelines" / "foresaid"
    kept = {path.relative_to(source) for path in source.rglob("*") if path.is_file() and "__pycache__" not in path.parts}

    assert {path.relative_to(package) for path in package.rglob("*") if "__pycache__" not in path.parts and path.is_file()} >= kept
    assert {Path("py.typed"), Path("registry/schema.sql"), Path("report/templates/base.html.j2")} <= kept
    done = from_the_wheel(installed, tmp_path, "-m", "foresaid", "report")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("params.yaml: No such file or directory; run foresaid inside a project")


@pytest.fixture(scope="module")
def view(built: Built) -> View:
    return built.as_of("2024-05-31")


@pytest.fixture(scope="module")
def curve(view: View, project: Path) -> foresaid.FrozenCurve:
    law = foresaid.open_project(project).law("compute_sigmoid")
    return foresaid.freeze(foresaid.fit(law, view, seed=1, replicates=10)["gsm8k_cot"])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "covariate training_flops: found no value"),
        ({"training_flop": 1e24}, "covariate training_flop: found it, .* did you mean training_flops"),
        ({"training_flops": -1.0}, "expected a finite number above 0"),
        ({"training_flops": float("nan")}, "expected a finite number above 0"),
        ({"training_flops": "many"}, "expected a number in raw units"),
        ({"training_flops": None}, "the curve has no rule that fills these"),
    ],
)
def test_covariates_are_refused_by_name(curve: foresaid.FrozenCurve, given: dict[str, float], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        curve.predict(given)


def test_raw_units_are_what_the_curve_was_fitted_on(curve: foresaid.FrozenCurve) -> None:
    flops = np.array([1e21, 1e23, 6.3e24])
    made = curve.predict({"training_flops": flops.tolist()})
    # By hand: floor + (1 - floor) s(a + w ln x), between chance and 1.
    intercept, slope, floor = curve.curve.point
    by_hand = floor + (1 - floor) / (1 + np.exp(-(intercept + slope * np.log(flops))))

    offset, span = float(curve.record.offset), float(curve.record.span)
    np.testing.assert_allclose(made.point, offset + span * by_hand, rtol=1e-12)
    assert made.interval(0.8).shape == (3, 2)
    assert made.to_frame().height == 3 * len(made.levels)


def test_a_curve_read_back_forecasts_the_same(curve: foresaid.FrozenCurve) -> None:
    again = foresaid.read_curve(curve.to_json())

    assert again.to_json() == curve.to_json()
    assert (again.predict({"training_flops": 1e24}).quantiles == curve.predict({"training_flops": 1e24}).quantiles).all()


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"law": 1}', "\xff", "[" * 100_000])
def test_what_is_no_curve_is_refused(text: str) -> None:
    with pytest.raises(LedgerError, match="frozen curve"):
        foresaid.read_curve(text)


def test_a_score_is_the_rules_own(curve: foresaid.FrozenCurve) -> None:
    made = curve.predict({"training_flops": [1e23, 6.3e24]})
    scored = foresaid.score(made, [0.4, 0.9])

    np.testing.assert_allclose(scored.wis, scored.dispersion + scored.overprediction + scored.underprediction)
    inside = (made.interval(0.8)[:, 0] <= scored.outcomes) & (scored.outcomes <= made.interval(0.8)[:, 1])
    assert scored.covered(0.8).tolist() == inside.tolist()
    with pytest.raises(ParameterError, match="expected 2 finite numbers"):
        foresaid.score(made, [0.4])


def test_a_score_counts_an_outcome_within_half_an_item_as_a_hit(curve: foresaid.FrozenCurve) -> None:
    made = curve.predict({"training_flops": 1e23})
    just_above = float(made.interval(0.8)[0, 1]) + 0.004
    exact, counted = foresaid.score(made, just_above), foresaid.score(made, just_above, resolution=1 / 100)

    assert (exact.covered(0.8).tolist(), counted.covered(0.8).tolist()) == ([False], [True])
    assert counted.wis.tolist() == exact.wis.tolist()
    assert abs(counted.pit[0] - 0.5) <= abs(exact.pit[0] - 0.5)


def test_a_folder_in_no_project_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match=r"found no params\.yaml"):
        foresaid.open_project(tmp_path)
