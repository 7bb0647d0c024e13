"""Git's memory: what a commit or a merge changed is found; an honest history is not accused."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.attacks.build import ORIGIN
from tests.ledger.test_store import OPENING, forecast, whole, write

from foresaid.ledger import store
from foresaid.ledger.log import git_history
from foresaid.ledger.log.manifest import manifest_line
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

    assert codes(clone) == {"V12", "V19"}


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


def test_a_committed_pending_batch_that_is_deleted_here_and_not_yet_committed_is_found(clone: Path) -> None:
    next((clone / "registry/ledger/batches").rglob("*.jsonl")).unlink()

    assert "V13" in codes(clone)


def test_a_log_that_was_moved_back_is_found_by_what_a_tag_the_remote_and_the_reflog_remember(clone: Path) -> None:
    place = clone / "registry/ledger"
    store.sequence(place, ORIGIN)
    commit(clone, "checkpoint")
    git(clone, "tag", "first-round")
    git(clone, "reset", "-q", "--hard", "HEAD~1")
    assert codes(clone) == {"V12"}

    git(clone, "reflog", "expire", "--expire=now", "--all")
    assert codes(clone) == {"V12"}  # the tag still knows

    git(clone, "update-ref", "refs/remotes/origin/main", "first-round^{commit}")
    git(clone, "tag", "-d", "first-round")
    assert codes(clone) == {"V12"}

    git(clone, "update-ref", "-d", "refs/remotes/origin/main")
    assert codes(clone) == set()


def test_replacement_objects_of_a_clone_hide_nothing(clone: Path) -> None:
    place = clone / "registry/ledger"
    before = git(clone, "rev-parse", "HEAD").strip()
    path = next((place / "batches").rglob("*.jsonl"))
    content = path.read_bytes()
    path.write_bytes(content.replace(b"mmlu", b"MMLU"))
    commit(clone, "alter")
    altered = git(clone, "rev-parse", "HEAD").strip()
    path.write_bytes(content)
    commit(clone, "put back")
    git(clone, "replace", altered, before)

    assert "V13" in codes(clone)


def test_a_policy_changed_by_a_commit_is_told_to_who_believes_the_one_in_the_ledger(clone: Path) -> None:
    place = clone / "registry/ledger"
    store.write_files(place, {"policy.txt": b"quorum none\n"})
    commit(clone, "policy")
    store.write_files(place, {"policy.txt": b"# other\nquorum none\n"}, replaced=("policy.txt",))
    commit(clone, "another policy")

    result = verify(place, evidence=Evidence(history=git_history.read(place)))

    assert (result.exit_code(), len(result.pending)) == (0, 1)
    assert any("policy.txt or a root was changed in 1 commits" in note for note in result.notes)


def test_b19_a_history_of_many_checkpoints_is_read_two_manifests_at_a_time(tmp_path: Path) -> None:
    """Every manifest at once would be quadratic: 2,356 MB for four thousand checkpoints."""
    place = long_history(tmp_path, 1500)  # 168 MB of manifests
    program = (
        "import sys; from pathlib import Path; from foresaid.ledger.log import git_history;"
        "print(len(git_history.read(Path(sys.argv[1])).rewritten));"
        "print(next(line for line in open('/proc/self/status') if line.startswith('VmHWM')).split()[1])"
    )
    done = subprocess.run([sys.executable, "-c", program, str(place)], check=True, capture_output=True, text=True)

    rewritten, kilobytes = map(int, done.stdout.split())

    assert rewritten == 0
    assert kilobytes < 100_000


def long_history(folder: Path, count: int) -> Path:
    """A repository in which every commit adds a line to the manifest."""
    git(folder, "init", "-q", "-b", "main")
    grown = b""
    with subprocess.Popen(["git", "fast-import", "--quiet"], cwd=folder, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        for n in range(count):
            grown += manifest_line(f"{n:064x}")
            head = f"commit refs/heads/main\ncommitter t <t@example.org> {n} +0000\ndata 0\n".encode()
            process.stdin.write(head + b"M 100644 inline log/MANIFEST\ndata %d\n" % len(grown) + grown + b"\n")
    git(folder, "reset", "-q", "--hard", "main")
    return folder
