"""Trying mutants: apply one to a copy of the ledger, run the real check, put the copy back as it was.

The copy lies in memory where there is a memory disk. Every try calls the product's own `verify` on the whole folder, which
reads and hashes every byte anew. In bulk, what the same bytes say is remembered from try to try (`Memory`), and a sample of
the tries is made again without. Workers share nothing: each has its own copy and takes every n-th mutant.
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
from typing import Any

import pytest
from tests.attacks.table import Scale, Tally, timed

from foresaid.errors import ForesaidError, LedgerError
from foresaid.ledger.log import rfc3161
from foresaid.ledger.log import signed_note as note
from foresaid.ledger.verify import snapshot

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


PURE = ((snapshot, "read_batch"), (rfc3161, "proved_at"), (note, "check"))  # functions of their arguments alone
KEPT = 1000  # answers that are remembered; more than a ledger of fifty batches needs
SAMPLE = 50  # one in so many tries with a memory is made again without, and must come to the same


class Memory:
    """What a batch says, and what a signature or a time-stamp reply proves, worked out once for the same bytes.

    These are functions of bytes alone, and a mutant leaves all files but one or two as they were.
    """

    def __init__(self) -> None:
        self.functions = [(module, name, _cached(getattr(module, name))) for module, name in PURE]

    @contextmanager
    def used(self) -> Iterator[None]:
        """The product with this memory; afterwards as before."""
        with pytest.MonkeyPatch.context() as patch:
            for module, name, function in self.functions:
                patch.setattr(module, name, function)
            yield


def _cached(function: Callable[..., Any]) -> Callable[..., Any]:
    """A cache that remembers a refusal too."""
    known: dict[tuple[Any, ...], tuple[Any, str | None]] = {}

    def call(*arguments: Any) -> Any:
        if arguments not in known:
            if len(known) > KEPT:
                known.clear()
            try:
                known[arguments] = function(*arguments), None
            except LedgerError as error:
                known[arguments] = None, str(error)
        value, refused = known[arguments]
        if refused is not None:
            raise LedgerError(refused)
        return value

    return call


def try_again(tally: Tally, folder: Path, mutant: Mutant, check: Check, memory: Memory) -> None:
    """The same with and without the memory: another answer is an escape."""
    found = [Tally(""), Tally("")]
    try_one(found[0], folder, mutant, check)
    with memory.used():
        try_one(found[1], folder, mutant, check)
    tally.add(found[0])
    if (found[0].undetected, found[0].other) != (found[1].undetected, found[1].other):
        tally.example(f"{mutant.name}: another answer from memory")
        tally.other += 1


def _part(files: Mapping[str, bytes], mutants: Mutants, check: Check, bulk: bool, worker: int, workers: int) -> Tally:
    tally, memory = Tally(""), Memory()
    with room() as place:
        folder = put(place / "ledger", files)
        if (found := check(folder)) != 0:
            tally.escaped(f"the sound ledger does not verify: exit {found}", "start")
        for number, mutant in enumerate(mutants()):
            if number % workers == worker:
                with mutated(folder, files, mutant):
                    if not bulk:
                        try_one(tally, folder, mutant, check)
                    elif number // workers % SAMPLE == 0:
                        try_again(tally, folder, mutant, check, memory)
                    else:
                        with memory.used():
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
    scale: Scale,
    attack: str,
    files: Mapping[str, bytes],
    mutants: Mutants,
    check: Check,
    expected: int | None = 0,
    note: str = "",
    bulk: bool = False,
) -> Tally:
    """Try every mutant and count; in `bulk` with a memory."""
    with timed(Tally(attack, expected, note=note)) as tally:
        for part in spread(scale, lambda worker, workers: _part(files, mutants, check, bulk, worker, workers)):
            tally.add(part)
    return tally
