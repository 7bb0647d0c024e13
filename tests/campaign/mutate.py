"""Trying mutants: apply one to a copy of the ledger, run the real check, put the copy back as it was.

The copy lies in memory where there is a memory disk. Every try calls the product's own `verify` on the whole folder;
nothing is cached between tries. Workers share nothing: each has its own copy and takes every n-th mutant.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

from tests.campaign.table import Scale, Tally, timed

from foresaid.errors import ForesaidError

Check = Callable[[Path], int]  # the exit code of a verifier on a ledger


@dataclass(frozen=True)
class Mutant:
    """A change of a ledger: bytes for each file (None deletes it), and whatever else has to be done."""

    name: str
    changes: Mapping[str, bytes | None] = field(default_factory=dict)
    spoil: Callable[[Path], object] | None = None


Mutants = Callable[[], Iterator[Mutant]]


@contextmanager
def room(memory: bool = True) -> Iterator[Path]:
    """A folder in memory if there is one, else (or if a flush shall be a flush) on the disk; gone afterwards."""
    shared = Path("/dev/shm")
    where = str(shared) if memory and os.access(shared, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="campaign-", dir=where, ignore_cleanup_errors=True) as name:
        yield Path(name)


def put(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Write a ledger file by file."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


@contextmanager
def mutated(folder: Path, files: Mapping[str, bytes], mutant: Mutant) -> Iterator[None]:
    """The ledger with the change in it; afterwards as before."""
    made: list[Path] = []
    try:
        for name, data in mutant.changes.items():
            path = folder / name
            if data is None:
                path.unlink()
            else:
                if not path.parent.is_dir():
                    path.parent.mkdir(parents=True)
                    made.append(path.parent)
                path.write_bytes(data)
        if mutant.spoil is not None:
            mutant.spoil(folder)
        yield
    finally:
        if mutant.spoil is not None:
            shutil.rmtree(folder)
            put(folder, files)
        else:
            for name in mutant.changes:
                if name in files:
                    (folder / name).parent.mkdir(parents=True, exist_ok=True)
                    (folder / name).write_bytes(files[name])
                else:
                    (folder / name).unlink()
            for path in made:
                if path.is_dir() and not any(path.iterdir()):
                    path.rmdir()


def try_one(tally: Tally, folder: Path, mutant: Mutant, check: Check) -> None:
    """Count one mutant that stands on the disk: noticed if the exit code is not 0 or the product refuses to read it."""
    try:
        noticed = check(folder) != 0
    except ForesaidError:
        noticed = True
    except Exception as error:
        tally.escaped(error, mutant.name)
        return
    tally.count(noticed, mutant.name)


def _part(files: Mapping[str, bytes], mutants: Mutants, check: Check, worker: int, workers: int) -> Tally:
    tally = Tally("")
    with room() as place:
        folder = put(place / "ledger", files)
        if (found := check(folder)) != 0:
            tally.escaped(f"the sound ledger does not verify: exit {found}", "start")
        for number, mutant in enumerate(mutants()):
            if number % workers == worker:
                with mutated(folder, files, mutant):
                    try_one(tally, folder, mutant, check)
        if (found := check(folder)) != 0:
            tally.escaped(f"the ledger was not put back as it was: exit {found}", "end")
    return tally


def spread(scale: Scale, part: Callable[[int, int], Tally]) -> Iterator[Tally]:
    """Run a part in every worker and give back what each counted."""
    if scale.workers == 1:
        yield part(0, 1)
        return
    context = multiprocessing.get_context("fork")

    def work(worker: int, end: Connection) -> None:
        try:
            end.send(part(worker, scale.workers))
        except BaseException as error:
            lost = Tally("")
            lost.escaped(error, f"worker {worker}")
            end.send(lost)

    started = []
    for worker in range(scale.workers):
        receive, send = context.Pipe(duplex=False)
        process = context.Process(target=work, args=(worker, send))
        process.start()
        send.close()
        started.append((process, receive))
    for process, receive in started:
        try:
            yield receive.recv()
        except EOFError:
            lost = Tally("")
            lost.escaped(f"exit {process.exitcode}", "a worker died")
            yield lost
        process.join()


def try_all(
    scale: Scale, attack: str, files: Mapping[str, bytes], mutants: Mutants, check: Check, expected: int | None = 0, note: str = ""
) -> Tally:
    """Try every mutant and count."""
    with timed(Tally(attack, expected, note=note)) as tally:
        for part in spread(scale, lambda worker, workers: _part(files, mutants, check, worker, workers)):
            tally.add(part)
    return tally
