"""What a stage runs on is all it loads: no module missing, no setting unread, no other law's file."""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest
from tests.conftest import ROOT, Built

from foresaid import params
from foresaid.errors import ParameterError, UnreadableError
from foresaid.fitting import dependencies
from foresaid.laws import _loader as laws
from foresaid.pipeline import fit, freeze, inputs, score
from foresaid.pipeline.hindcast import run

PACKAGE = ROOT / "pipelines" / "foresaid"
SHIPPED = params.load(ROOT / "params.yaml")


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package of two laws, in which each stage is a file of its own."""
    files = {
        "__init__": "",
        "pipeline/__init__": "",
        **dict.fromkeys((f"pipeline/{stage}" for stage in inputs.SETTINGS), "from foresaid import shared\nimport os"),
        "pipeline/fit": "from foresaid.laws import _loader\nfrom foresaid.deep.inner import x",
        "shared": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from foresaid import never",
        "never": "",
        "surface": "def f():\n    from foresaid import shared",
        "deep/__init__": "",
        "deep/inner": "x = 1",
        "laws/__init__": "",
        "laws/_loader": "",
        "laws/first": "import foresaid.surface",
        "laws/second": "",
    }
    for name, text in files.items():
        path = tmp_path / "foresaid" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "foresaid"


def with_laws(*names: str) -> params.Params:
    return dataclasses.replace(SHIPPED, laws={name: {"delta": 0.1} for name in names})


def written(package: Path, used: params.Params) -> dict[str, dict[str, Any]]:
    locked = package.parent / "requirements.lock"
    if not locked.is_file():
        locked.write_text("numpy==1")
    build = package.parent / "build"
    count = inputs.run(used, package, locked, build)
    found = {
        path.relative_to(build / "inputs").with_suffix("").as_posix(): json.loads(path.read_text())
        for path in (build / "inputs").rglob("*.json")
    }
    assert count == len(found)
    return found


def test_a_law_lists_its_own_file_and_what_it_imports_wherever_it_does(package: Path) -> None:
    found = written(package, with_laws("first", "second"))

    shared = {
        "__init__.py",
        "pipeline/__init__.py",
        "pipeline/fit.py",
        "laws/__init__.py",
        "laws/_loader.py",
        "deep/__init__.py",
        "deep/inner.py",
    }
    assert set(found["fit/first"]["code"]) == shared | {"laws/first.py", "surface.py", "shared.py"}
    assert set(found["fit/second"]["code"]) == shared | {"laws/second.py"}
    assert found["fit/first"]["settings"]["laws"] == {"first": {"delta": 0.1}}


def test_an_import_for_the_type_checker_alone_is_none(package: Path) -> None:
    assert set(written(package, with_laws())["score"]["code"]) == {
        "__init__.py",
        "pipeline/__init__.py",
        "pipeline/score.py",
        "shared.py",
    }


@pytest.mark.parametrize(
    ("changed", "moved"),
    [
        ("surface.py", {"fit/first", "report"}),
        ("laws/second.py", {"fit/second", "report"}),
        ("never.py", {"report"}),
        ("pipeline/score.py", {"score", "report"}),
    ],
)
def test_a_change_moves_the_stages_that_run_it_and_no_other(package: Path, changed: str, moved: set[str]) -> None:
    before = written(package, with_laws("first", "second"))
    (package / changed).write_text((package / changed).read_text() + "\n# changed", encoding="utf-8")
    after = written(package, with_laws("first", "second"))

    assert {name for name in before if before[name] != after[name]} == moved


def test_a_changed_library_moves_every_stage(package: Path) -> None:
    before = written(package, with_laws("first"))
    (package.parent / "requirements.lock").write_text("numpy==2")

    assert all(before[name] != entry for name, entry in written(package, with_laws("first")).items())


@pytest.mark.parametrize(
    ("change", "moved"),
    [
        ({"workers": 1}, set()),
        ({"sources": ("one",)}, {"ingest", "database", "study", "score", "report"}),
        ({"seed": 1}, {"fit/first", "hindcast", "score", "study", "capability", "report"}),
        ({"capability": {"factor": 1.2}}, {"capability", "report"}),
        ({"author": "someone"}, {"freeze", "score", "report"}),
        ({"laws": {"first": {"delta": 0.2}}}, {"fit/first", "hindcast", "study", "freeze", "score", "report"}),
    ],
)
def test_a_changed_setting_moves_the_stages_that_read_it(package: Path, change: dict[str, Any], moved: set[str]) -> None:
    before = written(package, with_laws("first"))
    after = written(package, dataclasses.replace(with_laws("first"), **change))

    assert {name for name in before if before[name] != after[name]} == moved


@pytest.mark.parametrize(("day", "moved"), [(SHIPPED.as_of, set()), (date(2026, 1, 1), {"fit/first", "capability", "study"})])
def test_a_round_refits_only_for_another_day(package: Path, day: date, moved: set[str]) -> None:
    before = written(package, with_laws("first"))
    opened = params.RoundSettings("2026-11", day, "2026-12-08T00:00:00Z")
    after = written(package, dataclasses.replace(with_laws("first"), round=opened))

    assert {name for name in before if before[name] != after[name]} == {"freeze", "report"} | moved


def test_a_source_that_is_read_on_demand_brings_its_reader(package: Path) -> None:
    (package / "sources").mkdir()
    for name, text in {
        "sources/__init__": "",
        "sources/_loader": "",
        "sources/big_board": "",
        "sources/other": "",
        "pipeline/ingest": "import foresaid.sources._loader",
    }.items():
        (package / f"{name}.py").write_text(text, encoding="utf-8")
    written(package, dataclasses.replace(with_laws("first"), sources=("big-board", "no-reader")))
    listed = json.loads((package.parent / "build" / "inputs" / "ingest.json").read_text())["code"]

    assert "sources/big_board.py" in listed
    assert "sources/other.py" not in listed


def test_a_law_without_a_file_is_refused_by_name(package: Path) -> None:
    with pytest.raises(ParameterError, match="found third, expected the name of a file"):
        written(package, with_laws("third"))


def test_missing_pins_are_refused(package: Path) -> None:
    with pytest.raises(UnreadableError, match=r"requirements\.lock: .*expected the pinned libraries"):
        inputs.run(with_laws(), package, package / "requirements.lock", package.parent / "build")


LOADED = "print(*sorted(m.__file__ for n, m in sys.modules.items() if n.split('.')[0] == 'foresaid' and m.__file__), sep='\\n')"


@pytest.mark.parametrize(
    ("stage", "law"), [*((name, "") for name in inputs.SETTINGS if name != "fit"), ("fit", "chinchilla"), ("fit", "observational")]
)
def test_what_a_running_stage_loads_is_listed(stage: str, law: str) -> None:
    listed = inputs.code(PACKAGE, dependencies.graph(PACKAGE), stage, [law] if law else laws.names())
    which = [law] if law else laws.names() if PACKAGE / inputs.LAWS in listed else []
    words = [f"foresaid.pipeline.{stage}", *(f"foresaid.laws.{name}" for name in which)]
    script = f"import sys\nimport {', '.join(words)}\n{LOADED}"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = {Path(line) for line in done.stdout.split()}

    assert PACKAGE / "pipeline" / f"{stage}.py" in loaded
    assert loaded <= listed


class Watched(params.Params):
    """Parameters that remember which of their fields were read."""

    read: ClassVar[set[str]] = set()

    def __getattribute__(self, name: str) -> Any:
        if name in {field.name for field in dataclasses.fields(params.Params)}:
            Watched.read.add(name)
        return super().__getattribute__(name)


def test_a_stage_reads_no_setting_it_does_not_list(built: Built, tmp_path: Path) -> None:
    shutil.copytree(built.registry, tmp_path / "registry")
    shutil.copytree(built.build / "database", tmp_path / "build" / "database")
    shutil.copytree(built.build / "observations", tmp_path / "build" / "observations")
    case = dataclasses.replace(SHIPPED.hindcast["obsscaling-2024-05"], laws=("compute_sigmoid",))
    small = dataclasses.replace(built.params, replicates=4, hindcast={"case": case}, rolling=None)
    used = Watched(**{field.name: getattr(small, field.name) for field in dataclasses.fields(small)})
    build, registry, metrics = tmp_path / "build", tmp_path / "registry", tmp_path / "metrics"

    def reads(stage: Callable[[], object]) -> set[str]:
        Watched.read.clear()
        stage()
        return set(Watched.read) - {"workers"}

    found = {
        "fit": reads(lambda: [fit.run(law, used, build) for law in small.laws]),
        "hindcast": reads(lambda: run(used, build, registry, metrics)),
        "freeze": reads(lambda: freeze.run(used, build, registry, ROOT, datetime(2026, 11, 21, tzinfo=UTC))),
        "score": reads(lambda: score.run(used, build, registry, metrics)),
    }
    assert {"as_of", "round"} & found["fit"]  # behind Params.fit_as_of
    found["fit"] -= {"as_of", "round"}
    assert {stage: read - set(inputs.SETTINGS[stage]) for stage, read in found.items()} == {stage: set() for stage in found}
    assert {"laws", "seed"} <= found["fit"] & found["hindcast"]


def test_every_setting_but_the_number_of_workers_reaches_the_pages() -> None:
    assert set(inputs.SETTINGS["report"]) == {field.name for field in dataclasses.fields(params.Params)} - {"workers"}
