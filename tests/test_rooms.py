"""Imports point down: a room knows the rooms before it in this order and no others, and no two modules import each other."""

from __future__ import annotations

from itertools import pairwise

import pytest
from tests.conftest import ROOT

from foresaid.fitting.dependencies import graph, reached

PACKAGE = ROOT / "pipelines" / "foresaid"
TOP = ""
ORDER = (
    TOP, "scoring", "sources", "registry", "fitting", "laws", "forecasting", "ledger",
    "evaluation", "studies", "report", "pipeline", "cli",
)  # fmt: skip
EDGES = {
    (here.relative_to(PACKAGE).as_posix(), there.relative_to(PACKAGE).as_posix())
    for here, found in graph(PACKAGE).items()
    for there in found
    if there.name != "__init__.py"  # importing a module loads the packages above it, which import nothing below them
}
FILES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))


def room(name: str) -> str:
    return name.split("/")[0] if "/" in name else TOP


def test_every_package_is_a_room() -> None:
    assert {room(name) for name in FILES} == set(ORDER)


def test_the_top_holds_a_dozen_modules_at_most() -> None:
    assert len([name for name in FILES if room(name) == TOP and not name.startswith("__")]) <= 12


@pytest.mark.parametrize("name", ORDER)
def test_imports_point_down(name: str) -> None:
    up = [
        f"{here} -> {there}"
        for here, there in sorted(EDGES)
        if room(here) == name and here != "__main__.py" and ORDER.index(room(there)) > ORDER.index(name)
    ]
    assert up == []


def test_the_ledger_imports_the_top_files_alone() -> None:
    assert [
        f"{here} -> {there}" for here, there in sorted(EDGES) if room(here) == "ledger" and room(there) not in ("ledger", TOP)
    ] == []


def test_no_two_modules_import_each_other_in_a_circle() -> None:
    below: dict[str, set[str]] = {name: set() for name in FILES}
    for here, there in EDGES:
        below[here].add(there)
    left = list(FILES)
    while free := [name for name in left if not below[name] & set(left)]:
        left = [name for name in left if name not in free]
    assert left == []


def test_laws_fits_and_scores_see_no_database_no_page_and_no_command_line() -> None:
    for name in ("scoring", "fitting", "laws"):
        start = [PACKAGE / file for file in FILES if room(file) == name]
        for path in reached(PACKAGE, start):
            words = path.read_text(encoding="utf-8").split()
            assert not {"duckdb", "click", "jinja2", "altair"} & {
                after.split(".")[0] for before, after in pairwise(words) if before in ("import", "from")
            }, path.name


@pytest.mark.parametrize("name", [file for file in FILES if file.endswith("__init__.py")])
def test_each_package_says_what_it_holds_and_what_it_may_import(name: str) -> None:
    text = (PACKAGE / name).read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 120
    assert name == "__init__.py" or "May import" in text
