"""Git's memory: what a commit or a merge changed is found; an honest history is not accused."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.attacks.build import ORIGIN
from tests.ledger.test_store import OPENING, forecast, whole, write

from foresaid.ledger import store
from foresaid.ledger.log import git_history
from foresaid.ledger.verify.verify import Evidence, verify


def git(folder: Path, *words: str) -> str:
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "merge.renames=false", *words]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


def commit(folder: Path, words: str) -> None:
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", words)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A repository with a ledger of one batch on main, and a branch that froze another."""
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / ".gitattributes").write_text("registry/ledger/** -text -diff -merge\n", encoding="ascii")
    place = tmp_path / "registry/ledger"
    store.create(place, ORIGIN)
    write(place, OPENING)
    store.sequence(place, ORIGIN)
    commit(tmp_path, "first")
    git(tmp_path, "checkout", "-qb", "side")
    write(place, [forecast("side")], minutes=1)
    commit(tmp_path, "freeze on a branch")
    git(tmp_path, "checkout", "-q", "main")
    write(place, [forecast("main")], minutes=2)
    commit(tmp_path, "freeze on main")
    return tmp_path


def codes(clone: Path) -> set[str]:
    place = clone / "registry/ledger"
    found = git_history.read(place)
    assert found is not None
    return {finding.code for finding in verify(place, evidence=Evidence(history=found)).findings}


def test_two_branches_that_both_froze_merge_without_a_conflict_and_lose_nothing(clone: Path) -> None:
    git(clone, "merge", "-q", "--no-edit", "side")
    place = clone / "registry/ledger"
    store.sequence(place, ORIGIN)
    commit(clone, "checkpoint")

    assert whole(place).counts["forecasts"] == 2
    assert whole(place).exit_code(strict=True) == 0
    assert codes(clone) == set()


def drop(place: Path) -> None:
    sorted(place.glob("batches/*/*.jsonl"))[0].unlink()


def alter(place: Path) -> None:
    path = sorted(place.glob("batches/*/*.jsonl"))[0]
    path.write_bytes(path.read_bytes().replace(b"alice", b"carol"))


def link(place: Path) -> None:
    path = sorted(place.glob("batches/*/*.jsonl"))[0]
    path.unlink()
    path.symlink_to("elsewhere")


def rename(place: Path) -> None:
    path = sorted(place.glob("batches/*/*.jsonl"))[0]
    path.rename(path.with_name("0" * 64 + ".jsonl"))


@pytest.mark.parametrize("evil", [drop, alter, link, rename])
def test_what_is_changed_inside_a_merge_is_found_even_when_it_is_put_back(clone: Path, evil: Callable[[Path], None]) -> None:
    place = clone / "registry/ledger"
    before = {path: path.read_bytes() for path in place.rglob("*.jsonl")}
    git(clone, "merge", "-q", "--no-commit", "--no-ff", "side")
    evil(place)
    commit(clone, "merge")
    for path in place.rglob("*.jsonl"):
        path.unlink()
    git(clone, "checkout", "-q", "main~1", "--", "registry/ledger")
    for path, data in before.items():
        path.write_bytes(data)
    commit(clone, "as if nothing had been")

    assert "V13" in codes(clone)


def test_a_manifest_that_was_cut_or_rewritten_is_found(clone: Path) -> None:
    place = clone / "registry/ledger"
    store.sequence(place, ORIGIN)
    commit(clone, "checkpoint")
    git(clone, "checkout", "-q", "HEAD~1", "--", "registry/ledger/log")
    commit(clone, "roll back")

    assert codes(clone) == {"V19"}


def test_dates_of_commits_do_not_matter_and_elsewhere_there_is_no_history(
    clone: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "ledger"
    store.create(outside, ORIGIN)

    assert git_history.read(outside) is None
    asked = Evidence(asked=frozenset({"V13"}))
    assert verify(outside, evidence=asked).exit_code() == 5
    old = {"GIT_AUTHOR_DATE": "2020-01-01T00:00:00Z", "GIT_COMMITTER_DATE": "2020-01-01T00:00:00Z", "PATH": os.environ["PATH"]}
    words = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-q", "--allow-empty", "-m", "old"]
    subprocess.run(words, cwd=clone, check=True, env=old)
    assert codes(clone) == set()
