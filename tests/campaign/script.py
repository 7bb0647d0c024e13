"""Two verifiers that share no code: `registry/ledger/verify.sh` must pass and fail with the one in Python.

A try counts as undetected when one of them leaves with 0 and the other does not. Where both notice, but give
different exit codes, the try is only counted in the note: the script reads less, so it may name another reason.
"""

from __future__ import annotations

import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.campaign import blind, build
from tests.campaign import world as worlds
from tests.campaign.mutate import Mutant, mutated, put, room, spread
from tests.campaign.table import Scale, Tally, skip, timed

from foresaid.errors import ForesaidError

SCRIPT = Path(__file__).parents[2] / "registry" / "ledger" / "verify.sh"


def script(folder: Path, *words: str) -> int:
    """The exit code of verify.sh on a ledger."""
    command = ["sh", str(SCRIPT), "--strict", *words, str(folder)]
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=120).returncode
    except subprocess.TimeoutExpired:
        return 0  # a check that never ends has noticed nothing


def missing() -> str:
    """The tool that the script needs and that is not here."""
    return next((tool for tool in ("sh", "openssl", "sha256sum", "basenc", "split") if shutil.which(tool) is None), "")


def mutants(files: blind.Files, scale: Scale) -> Iterator[Mutant]:
    """A part of every kind of damage, the structural ones whole."""
    steps = {"slice": (5000, 5000), "short": (250, 500), "long": (4, 12)}[scale.name]
    chance = random.Random(scale.seed)
    share = scale.of(300, 60, 4)
    yield Mutant("nothing")
    for kind in (blind.flips, blind.cuts, blind.insertions):
        yield from kind(files, scale.seed, steps)
    for whole in (blind.deletions, blind.tails, blind.copies, blind.odd):
        for mutant in whole(files):
            if chance.randrange(scale.of(25, 4, 1)) == 0:
                yield mutant
    for mutant in blind.swaps(files):
        if chance.randrange(share) == 0:
            yield mutant


def attacks(scale: Scale) -> Iterator[Tally]:
    """Every mutant through both."""
    attack = "verify.sh and Python disagree on a mutant"
    if tool := missing():
        yield skip(attack, f"no {tool}")
        return
    with room() as place:
        world = worlds.make(place)
        files = build.files(world.build(place / "ledger", scale.of(5, build.BATCHES, build.BATCHES)))
        words = ("--policy", str(place / "policy.txt"), "--roots", str(place / "tsa"))

        def part(worker: int, workers: int) -> Tally:
            tally, others = Tally(""), 0
            with room() as inner:
                folder = put(inner / "ledger", files)
                for number, mutant in enumerate(mutants(files, scale)):
                    if number % workers != worker:
                        continue
                    with mutated(folder, files, mutant):
                        try:
                            ours = world.check(folder)
                        except ForesaidError as error:
                            ours = error.exit_code
                        theirs = script(folder, *words)
                    others += ours != theirs
                    tally.count((ours == 0) == (theirs == 0), f"{mutant.name}: Python {ours}, verify.sh {theirs}")
            tally.note = str(others)
            return tally

        with timed(Tally(attack)) as tally:
            others = 0
            for counted in spread(scale, part):
                tally.add(counted)
                others += int(counted.note or 0)
            tally.note = f"{others} with another exit code"
        yield tally
