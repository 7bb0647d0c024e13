"""Many at once: writers on one ledger, freezes in parallel, branches that both froze, merges that lie.

Whoever was told that a freeze is done finds it in the ledger, whole, whoever else wrote at the same time.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.attacks import build
from tests.attacks.faults import Acknowledge, big, child, finish, sound
from tests.attacks.mutate import room
from tests.attacks.table import Scale, Tally, timed

from foresaid.ledger import layout, store
from foresaid.ledger.entries.schema import Entry
from foresaid.ledger.log import git_history
from foresaid.ledger.verify.snapshot import Evidence
from foresaid.ledger.verify.verify import verify


def together(tally: Tally, folder: Path, writers: int, freezes: int, size: str, label: str) -> None:
    """So many processes freeze so many times each; all start at once. Counts every freeze."""
    wait, go = os.pipe()
    before = {batch.sha256 for batch in verify(folder, build.ORIGIN).batches}
    children = []
    for writer in range(writers):

        def work(acknowledge: Acknowledge, writer: int = writer) -> None:
            for number in range(freezes):
                lines: list[Entry] = big(number, f"w{writer}-") if size == "big" else [build.forecast(f"w{writer}-{number}")]
                acknowledge(build.write(folder, lines, minutes=1, author=f"example.org/w{writer}"))
                if number % 5 == 4 or freezes == 1:
                    store.sequence(folder, build.ORIGIN)

        children.append(child(work, reading=wait))
    os.write(go, b"x" * writers)
    acknowledged: set[str] = set()
    for pid, receive in children:
        code, names, wild = finish(pid, receive)
        acknowledged.update(names)
        if wild or code:
            tally.escaped(wild or f"exit {code}", label)
    os.close(wait)
    os.close(go)
    wrong = sound(folder, before | acknowledged)
    if wrong:
        tally.example(f"{label}: {wrong}")
    store.sequence(folder, build.ORIGIN)
    kept = {batch.sha256 for batch in verify(folder, build.ORIGIN).batches}
    tally.tried += writers * freezes
    tally.undetected += writers * freezes - len(kept - before) if not wrong else writers * freezes


def git(folder: Path, *words: str, fine: bool = True) -> subprocess.CompletedProcess[str]:
    """A git command as nobody in particular, without hooks or a person's settings."""
    person = {"NAME": "Nobody", "EMAIL": "nobody@example.org", "DATE": "2026-11-21T00:00:00Z"}
    environment = {f"GIT_{who}_{what}": text for who in ("AUTHOR", "COMMITTER") for what, text in person.items()}
    environment |= {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null", "HOME": "/"}
    done = subprocess.run(
        ["git", "-C", str(folder), "-c", "gc.auto=0", *words], capture_output=True, text=True, check=False, env=environment
    )
    if fine and done.returncode != 0:
        raise RuntimeError(f"git {' '.join(words)}: {done.stdout}{done.stderr}")
    return done


ATTRIBUTES = "registry/ledger/** -text -diff -merge\n"


def repository(folder: Path, batches: int = 3) -> Path:
    """A repository with a ledger in it; gives the place of the ledger."""
    git(folder.parent, "init", "-q", "-b", "main", str(folder))
    (folder / ".gitattributes").write_text(ATTRIBUTES, encoding="ascii")
    place = folder / "registry" / "ledger"
    place.mkdir(parents=True)
    build.build(place, batches)
    save(folder, "start")
    return place


def save(folder: Path, message: str) -> None:
    """Commit everything."""
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", message)


def merges(scale: Scale, place: Path) -> Tally:
    """Two branches that both froze are merged: no conflict, both batches there, and they go into the log."""
    folder = place / "merges"
    where = repository(folder)
    with timed(Tally("two branches that both froze, merged")) as tally:
        for number in range(scale.of(3, 100, 100)):
            names = set()
            git(folder, "branch", "-q", "other")
            names.add(build.write(where, [build.forecast(f"left{number}")], minutes=30 + number, author="example.org/left"))
            save(folder, "left")
            git(folder, "checkout", "-q", "other")
            names.add(build.write(where, [build.forecast(f"right{number}")], minutes=30 + number, author="example.org/right"))
            save(folder, "right")
            git(folder, "checkout", "-q", "main")
            merged = git(folder, "merge", "-q", "--no-edit", "other", fine=False)
            git(folder, "branch", "-q", "-D", "other")
            if merged.returncode != 0:
                git(folder, "merge", "--abort", fine=False)
                tally.count(False, f"merge {number}: {merged.stdout[:100]}")
                continue
            wrong = sound(where, names)
            if not wrong:
                store.sequence(where, build.ORIGIN)
                wrong = "pending after sequencing" if build.check(where) else ""
                save(folder, "log")
            tally.count(not wrong, f"merge {number}: {wrong}")
    return tally


def forks(scale: Scale, place: Path) -> Tally:
    """Two branches that both moved the checkpoint: a conflict, and what git leaves in the tree does not verify."""
    folder = place / "forks"
    where = repository(folder)
    with timed(Tally("two branches that both moved the checkpoint")) as tally:
        for number in range(scale.of(1, 10, 10)):
            git(folder, "branch", "-q", "other")
            for branch in ("main", "other"):
                git(folder, "checkout", "-q", branch)
                build.write(where, [build.forecast(f"{branch}{number}")], minutes=60, author=f"example.org/{branch}")
                store.sequence(where, build.ORIGIN)
                save(folder, branch)
            git(folder, "checkout", "-q", "main")
            merged = git(folder, "merge", "-q", "--no-edit", "other", fine=False)
            tally.count(merged.returncode != 0 and build.check(where) != 0, f"fork {number}")
            git(folder, "merge", "--abort", fine=False)
            git(folder, "branch", "-q", "-D", "other")
    return tally


def evil(folder: Path, kind: str, side: str, target: str) -> None:
    """A merge commit of two honest branches that also does something of its own to a file of the ledger."""
    where = folder / "registry" / "ledger"
    git(folder, "branch", "-q", "other")
    build.write(where, [build.forecast(f"left-{kind}")], minutes=60, author="example.org/left")
    save(folder, "left")
    git(folder, "checkout", "-q", "other")
    build.write(where, [build.forecast(f"right-{kind}")], minutes=60, author="example.org/right")
    save(folder, "right")
    first, second = ("main", "other") if side == "first" else ("other", "main")
    git(folder, "checkout", "-q", first)
    git(folder, "merge", "-q", "--no-commit", "--no-ff", second)
    path = where / target
    if kind == "delete":
        path.unlink()
    elif kind == "edit":
        path.write_bytes(path.read_bytes().replace(b"alice", b"carol").replace(b"left", b"lest").replace(b"right", b"rigid"))
    elif kind == "rename":
        path.rename(path.with_name("0" * 64 + ".jsonl"))
    elif kind == "chmod":
        path.chmod(0o755)
    else:
        path.rename(folder / "moved")
        path.symlink_to(folder / "moved")
    save(folder, "merge")


def evil_merges(scale: Scale, place: Path) -> Tally:
    """Five kinds of evil merge, from either parent, on a batch of the log and on one of either branch that still waits."""
    sides, places = (("first",), ("right",)) if scale.name == "slice" else (("first", "second"), ("log", "left", "right"))
    with timed(Tally("evil merge: delete, edit, rename, chmod, symlink")) as tally:
        for kind in ("delete", "edit", "rename", "chmod", "symlink"):
            for side in sides:
                for whose in places:
                    folder = place / f"evil-{kind}-{side}-{whose}"
                    where = repository(folder)
                    target = layout.batch_path(verify(where).listed[1])
                    if whose != "log":  # which name the batch will have does not depend on where it is written
                        twin = place / f"twin-{kind}-{side}-{whose}"
                        shutil.copytree(where, twin)
                        target = layout.batch_path(
                            build.write(twin, [build.forecast(f"{whose}-{kind}")], minutes=60, author=f"example.org/{whose}")
                        )
                    evil(folder, kind, side, target)
                    evidence = Evidence(history=git_history.read(where), asked=frozenset({"V13"}))
                    codes = {finding.code for finding in verify(where, build.ORIGIN, evidence=evidence).findings}
                    tally.count(bool(codes), f"{kind} of a batch of {whose} in a merge from the {side} parent: {sorted(codes)}")
    return tally


def clean_history(scale: Scale, place: Path) -> Tally:
    """An honest history, merges included, raises no alarm."""
    folder = place / "merges"
    with timed(Tally("alarm on an honest history of merges")) as tally:
        found = git_history.read(folder / "registry" / "ledger")
        tally.count(found is not None and not found.changed and not found.rewritten, str(found)[:150])
    return tally


def attacks(scale: Scale) -> Iterator[Tally]:
    """Writers, freezes, merges."""
    with room(memory=False) as place:
        writers, freezes, runs = 2, scale.of(5, 25, 100), scale.of(1, 4, 10)
        with timed(Tally(f"two writers x {freezes} x {runs}")) as tally:
            for run in range(runs):
                folder = build.build(place / f"writers-{run}", 1)
                together(tally, folder, writers, freezes, "big" if run % 2 else "small", f"run {run}")
        yield tally
        rounds = scale.of(1, 10, 100)
        with timed(Tally(f"24 parallel freezes x {rounds}")) as tally:
            for run in range(rounds):
                together(tally, build.build(place / f"parallel-{run}", 1), 24, 1, "small", f"round {run}")
        yield tally
        yield merges(scale, place)
        yield clean_history(scale, place)
        yield forks(scale, place)
        yield evil_merges(scale, place)
