"""The real embedded record, loaded once for all tests that look at it."""

from __future__ import annotations

import dataclasses
import os
import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import hypothesis
import pytest

from foresaid import params
from foresaid.fitting import least_squares
from foresaid.laws import _loader as laws
from foresaid.ledger import store
from foresaid.params import Params
from foresaid.pipeline import fit, ingest
from foresaid.pipeline.database import run
from foresaid.registry import database
from foresaid.registry.view import View

ROOT = Path(__file__).parents[1]
# How long an example takes says how busy the machine is, not whether the code is right.
hypothesis.settings.register_profile("any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("any machine")
os.environ["FORESAID_CHECK_RESULTS"] = (
    "1"  # every command that any test runs, here or in a process of its own, is held to its schema
)


@dataclass(frozen=True)
class Built:
    """A copy of the record with its database, and fits of two laws with few replicates."""

    registry: Path
    build: Path
    metrics: Path
    params: Params

    def as_of(self, day: str) -> View:
        """Return the record as it stood on a day."""
        connection = database.open_database(self.build / "database")
        view = database.as_of(connection, date.fromisoformat(day))
        connection.close()
        return view


NEEDS_STAGES = {"built", "clone", "installed", "mirror"}  # fixtures that run stages, build the wheel or read upstream files


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as slow what stands on such a fixture; single tests that take seconds say so themselves."""
    for item in items:
        if NEEDS_STAGES & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session", autouse=True)
def _kernels_are_ready() -> None:
    """Compile before the first test: no test's time holds a compiler's."""
    least_squares.ready([getattr(laws.law_class(name), "columns", None) for name in laws.names()])


def without_entries(registry: Path) -> None:
    """Empty the ledger of a copy of the registry, so that a test freezes its own rounds whatever the repository's ledger holds."""
    ledger = registry / "ledger"
    for name in ("batches", "log"):
        shutil.rmtree(ledger / name, ignore_errors=True)
    for path in (*registry.glob("known/*.txt"), *registry.glob("snapshots/*.gz")):
        path.unlink()
    store.create(ledger, params.load(ROOT / "params.yaml").origin)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Run ingest, database and two fits on a copy of the shipped registry, with an empty ledger."""
    folder = tmp_path_factory.mktemp("record")
    shutil.copytree(ROOT / "registry", folder / "registry")
    without_entries(folder / "registry")
    shipped = params.load(ROOT / "params.yaml")
    small = dataclasses.replace(
        shipped, replicates=10, laws={name: shipped.laws[name] for name in ("observational", "compute_sigmoid")}
    )
    ingest.run(folder / "registry", small.sources, folder / "build", folder / "metrics" / "ingest.json")
    run(small.sources, folder / "build")
    for name in small.laws:
        fit.run(name, small, folder / "build")
    return Built(folder / "registry", folder / "build", folder / "metrics", small)


ON_DEMAND = ("epoch-hub-external", "epoch-eci-external", "weirdml-board")  # boards that laws of params.yaml name


@pytest.fixture(scope="session")
def mirrored(mirror: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of the shipped record together with the boards of the upstream files that may not be kept in it."""
    build = tmp_path_factory.mktemp("mirrored")
    names = [*params.load(ROOT / "params.yaml").sources, *ON_DEMAND]
    ingest.run(ROOT / "registry", names, build, build / "ingest.json", mirror, lambda line: None)
    run(names, build)
    return build / "database"


@pytest.fixture(scope="session")
def mirror() -> Path:
    """The folder of the upstream files, which are not in the repository; without it the test says that it was skipped."""
    folder = os.environ.get("FORESAID_MIRROR")
    if not folder:
        pytest.skip("FORESAID_MIRROR is not set: the upstream files are not in the repository")
    return Path(folder)
