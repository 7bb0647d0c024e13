"""Two verifiers that share no code: `registry/ledger/verify.sh` must pass and fail with the one in Python.

A try counts as undetected when one of them leaves with 0 and the other does not. Where both notice, but give
different exit codes, the try is only counted in the note: the script reads less, so it may name another reason.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.attacks import blind, build
from tests.attacks import world as worlds
from tests.attacks.mutate import Mutant, Mutants, mutated, put, room, spread
from tests.attacks.table import Scale, Tally, skip, timed
from tests.attacks.world import World

from foresaid.errors import ForesaidError
from foresaid.ledger import layout
from foresaid.ledger.entries.resolutions import Key
from foresaid.ledger.entries.schema import Entry
from foresaid.ledger.layout import is_evidence
from foresaid.ledger.log import anchors, manifest
from foresaid.ledger.log.signed_note import LOG, Signer

SCRIPT = Path(__file__).parents[2] / "registry" / "ledger" / "verify.sh"


def script(folder: Path, *words: str, temporary: Path | None = None) -> int:
    """The exit code of verify.sh on a ledger; its temporary files can be put into memory."""
    command = ["sh", str(SCRIPT), "--strict", *words, str(folder)]
    known = {**os.environ, "TMPDIR": str(temporary)} if temporary else None
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=120, env=known)
    except subprocess.TimeoutExpired:
        return 0  # a check that never ends has noticed nothing
    return done.returncode


def missing() -> str:
    """The tool that the script needs and that is not here."""
    return next((tool for tool in ("sh", "openssl", "sha256sum", "basenc", "split") if shutil.which(tool) is None), "")


def mutants(files: blind.Files, scale: Scale) -> Iterator[Mutant]:
    """A part of every kind of damage, the structural ones whole."""
    steps = {"slice": (5000, 5000), "short": (400, 1200), "long": (200, 800)}[scale.name]
    chance = random.Random(scale.seed)
    share = scale.of(300, 60, 20)
    yield Mutant("nothing")
    for kind in (blind.flips, blind.cuts, blind.insertions):
        yield from kind(files, scale.seed, steps)
    for whole in (blind.deletions, blind.tails, blind.copies, blind.odd):
        for mutant in whole(files):
            if chance.randrange(scale.of(25, 6, 2)) == 0:
                yield mutant
    for mutant in blind.swaps(files):
        if chance.randrange(share) == 0:
            yield mutant


def handed_over(place: Path) -> tuple[World, Path]:
    """A ledger whose first key brought in another, left, and came back, witnessed and stamped; readers pin the first."""
    world = worlds.make(place)
    folder = build.create(place / "ledger")
    second = Signer(build.ORIGIN, LOG, b"\x07" * 32)
    here, there = worlds.SIGNER.verifier.vkey, second.verifier.vkey
    steps: tuple[tuple[list[Entry], Signer], ...] = (
        (build.entries_of(0), worlds.SIGNER),
        ([Key(vkey=there, status="added", reason='a "new" machine')], worlds.SIGNER),
        ([Key(vkey=here, status="revoked", reason="an old machine")], second),
        (build.entries_of(1), second),
        ([Key(vkey=here, status="added", reason="found again"), Key(vkey=there, status="revoked", reason="lost")], second),
        (build.entries_of(3), worlds.SIGNER),
    )
    for number, (lines, signer) in enumerate(steps):
        build.write(folder, lines, minutes=10 * number)
        world.vouch(folder, signer=signer)
    return world, folder


def changed_keys(folder: Path, files: blind.Files) -> Iterator[Mutant]:
    """Each checkpoint signed by each key there is or is not; each anchor away, with its subject and stamps."""
    heads = [name for name in files if name.endswith("/checkpoint")]
    for name in heads:
        head = manifest.parse_checkpoint(files[name])
        for seed in (1, 7, 9):
            signer = Signer(build.ORIGIN, LOG, bytes([seed]) * 32)
            lines = files[name].split(b"\n\n")[1].splitlines(keepends=True)
            kept = b"".join(line for line in lines if line.split()[1].decode() != build.ORIGIN)
            changed = {name: head.encode() + signer.sign(head.text) + kept}
            yield Mutant(f"{name} signed by key {seed}", with_sums(files, changed))
    for place in {name.rpartition("/")[0] for name in heads if "anchors" in name}:
        gone: dict[str, bytes | None] = {name: None for name in files if name.startswith(f"{place}/")}
        yield Mutant(f"{place} away", with_sums(files, gone))


def with_sums(files: blind.Files, changes: Mapping[str, bytes | None]) -> dict[str, bytes | None]:
    """The changes, and sums of evidence that agree with them."""
    after = {**files, **changes}
    return {
        **changes,
        layout.SUMS: anchors.sums({name: data for name, data in after.items() if data is not None and is_evidence(name)}),
    }


def attacks(scale: Scale) -> Iterator[Tally]:
    """Every mutant through both, of a ledger with one key and of one whose keys changed."""
    if tool := missing():
        yield skip("verify.sh and Python disagree on a mutant", f"no {tool}")
        return
    with room() as place:
        world = worlds.make(place)
        files = build.files(world.build(place / "ledger", scale.of(5, build.BATCHES, build.BATCHES)))
        yield both(scale, "verify.sh and Python disagree on a mutant", world, files, lambda: mutants(files, scale))
    with room() as place:
        world, folder = handed_over(place)
        rotated = build.files(folder)
        keys = [*changed_keys(folder, rotated)]
        some = Scale("slice", scale.workers, scale.seed)
        everything = (
            keys[:4]
            if scale.name == "slice"
            else [*keys, *(mutants(rotated, some) if scale.name == "short" else structural(rotated))]
        )
        yield both(scale, "they disagree where keys changed", world, rotated, lambda: iter([Mutant("nothing"), *everything]))


def structural(files: blind.Files) -> Iterator[Mutant]:
    """Every deletion, copy and dropped tail."""
    for whole in (blind.deletions, blind.tails, blind.copies):
        yield from whole(files)


def both(scale: Scale, attack: str, world: World, files: blind.Files, made: Mutants) -> Tally:
    """Try mutants on both verifiers."""
    words = ("--policy", str(world.place / "policy.txt"), "--roots", str(world.place / "tsa"))

    def part(worker: int, workers: int) -> Tally:
        tally, others = Tally(""), 0
        with room() as inner:
            folder = put(inner / "ledger", files)
            for number, mutant in enumerate(made()):
                if number % workers != worker:
                    continue
                with mutated(folder, files, mutant):
                    try:
                        ours = world.check(folder)
                    except ForesaidError as error:
                        ours = error.exit_code
                    theirs = script(folder, *words, temporary=inner)
                others += ours != theirs
                agree = (ours == 0) == (theirs == 0) and (mutant.name != "nothing" or ours == 0)
                tally.count(agree, f"{mutant.name}: Python {ours}, verify.sh {theirs}")
        tally.note = str(others)
        return tally

    with timed(Tally(attack)) as tally:
        others = 0
        for counted in spread(scale, part):
            tally.add(counted)
            others += int(counted.note or 0)
        tally.note = f"{others} with another exit code"
    return tally
