"""Damage without a thought: bits, cuts, insertions, deletions, swaps and copies of whatever is on the disk.

Bit rot and a clumsy editor do this, and a clumsy cheat. Nothing of it may go unnoticed, whatever the setting.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path

from tests.attacks import build
from tests.attacks import world as worlds
from tests.attacks.mutate import Mutant, room, try_all
from tests.attacks.table import Scale, Tally

from foresaid.ledger.layout import MANIFEST

Files = Mapping[str, bytes]


def record(files: Files) -> list[str]:
    """Files of the log first, since an attack there is the subtler one; then the batches."""
    return sorted(files, key=lambda name: (name.startswith("batches/"), name))


STEPS = {"slice": (150, 250), "short": (8, 32), "long": (1, 1)}
Steps = tuple[int, int]  # every so-manieth byte of the log, and of a batch


def stride_of(name: str, steps: Steps) -> int:
    """How many bytes lie between two tries."""
    return steps[1] if name.startswith("batches/") else steps[0]


def flips(files: Files, seed: int, steps: Steps) -> Iterator[Mutant]:
    """One random bit in every byte of every file (or in every so-manieth), from a random start."""
    chance = random.Random(seed)
    for name in record(files):
        data = files[name]
        stride = stride_of(name, steps)
        for place in range(chance.randrange(min(stride, len(data))), len(data), stride):
            changed = bytearray(data)
            changed[place] ^= 1 << chance.randrange(8)
            yield Mutant(f"bit of byte {place} of {name}", {name: bytes(changed)})


def all_bits(files: Files) -> Iterator[Mutant]:
    """Every bit of every signed or stamped file: checkpoints, subjects, tokens, policy."""
    for name in record(files):
        if not name.startswith("batches/") and name != MANIFEST:
            for place in range(8 * len(files[name])):
                changed = bytearray(files[name])
                changed[place // 8] ^= 1 << place % 8
                yield Mutant(f"bit {place} of {name}", {name: bytes(changed)})


def cuts(files: Files, seed: int, steps: Steps) -> Iterator[Mutant]:
    """Every file cut at every byte (or at every so-manieth, and always the last one)."""
    chance = random.Random(seed)
    for name in record(files):
        data = files[name]
        stride = stride_of(name, steps)
        places = {*range(chance.randrange(min(stride, len(data))), len(data), stride), len(data) - 1}
        for place in sorted(places):
            yield Mutant(f"{name} cut at {place}", {name: data[:place]})


def insertions(files: Files, seed: int, steps: Steps) -> Iterator[Mutant]:
    """A space, a newline, or a random byte at every place (or at every so-manieth)."""
    chance = random.Random(seed)
    for name in record(files):
        data = files[name]
        stride = stride_of(name, steps)
        for place in range(chance.randrange(min(stride, len(data) + 1)), len(data) + 1, stride):
            extra = chance.choice([b" ", b"\n", b"\x00", bytes([chance.randrange(256)])])
            yield Mutant(f"{extra!r} at {place} of {name}", {name: data[:place] + extra + data[place:]})


def deletions(files: Files) -> Iterator[Mutant]:
    """Every file; every line of the manifest; every batch together with its line; every line of every batch."""
    lines = files[MANIFEST].splitlines(keepends=True)
    for name in record(files):
        yield Mutant(f"{name} deleted", {name: None})
        yield Mutant(f"{name} emptied", {name: b""})
    for number, line in enumerate(lines):
        without = b"".join([*lines[:number], *lines[number + 1 :]])
        yield Mutant(f"line {number} of the manifest deleted", {MANIFEST: without})
        yield Mutant(f"batch {number} and its line deleted", {MANIFEST: without, line.split()[1].decode(): None})
    for name in record(files):
        if name.startswith("batches/"):
            inner = files[name].splitlines(keepends=True)
            for number in range(len(inner)):
                yield Mutant(f"line {number} of {name} deleted", {name: b"".join([*inner[:number], *inner[number + 1 :]])})


def tails(files: Files) -> Iterator[Mutant]:
    """The last k batches with their lines, for every k."""
    lines = files[MANIFEST].splitlines(keepends=True)
    for kept in range(len(lines)):
        gone: dict[str, bytes | None] = {line.split()[1].decode(): None for line in lines[kept:]}
        yield Mutant(f"all after batch {kept} dropped", {MANIFEST: b"".join(lines[:kept]), **gone})


def swaps(files: Files) -> Iterator[Mutant]:
    """Every pair of lines of the manifest, and the bytes of every pair of files."""
    lines = files[MANIFEST].splitlines(keepends=True)
    for first, second in combinations(range(len(lines)), 2):
        changed = [*lines]
        changed[first], changed[second] = lines[second], lines[first]
        yield Mutant(f"lines {first} and {second} of the manifest swapped", {MANIFEST: b"".join(changed)})
    for left, right in combinations(record(files), 2):
        if files[left] != files[right]:
            yield Mutant(f"{left} and {right} swapped", {left: files[right], right: files[left]})


def copies(files: Files) -> Iterator[Mutant]:
    """Every line of the manifest again beside itself and at the end; every batch under another name; every line of a batch."""
    lines = files[MANIFEST].splitlines(keepends=True)
    for number, line in enumerate(lines):
        yield Mutant(f"line {number} twice", {MANIFEST: b"".join([*lines[:number], line, *lines[number:]])})
        if number < len(lines) - 1:
            yield Mutant(f"line {number} again at the end", {MANIFEST: b"".join([*lines, line])})
    for name in record(files):
        if name.startswith("batches/"):
            other = f"{name[7:10].strip('/')}"
            changed = "0" if name[-7] != "0" else "1"
            yield Mutant(f"{name} copied", {f"batches/{other}/{name[11:-7]}{changed}.jsonl": files[name]})
            yield Mutant(f"{name} copied beside", {f"{name}.bak": files[name]})
            inner = files[name].splitlines(keepends=True)
            for number, line in enumerate(inner):
                yield Mutant(f"line {number} of {name} twice", {name: b"".join([*inner[:number], line, *inner[number:]])})


def odd(files: Files) -> Iterator[Mutant]:
    """Links, pipes, modes, folders, CRLF, a byte order mark, foreign files."""
    for name in record(files):
        data = files[name]

        def link(folder: Path, name: str = name) -> None:
            (folder / name).rename(folder.parent / "moved")
            (folder / name).symlink_to(folder.parent / "moved")

        def pipe(folder: Path, name: str = name) -> None:
            (folder / name).unlink()
            os.mkfifo(folder / name)

        def run(folder: Path, name: str = name) -> None:
            (folder / name).chmod(0o755)

        def folder_of(folder: Path, name: str = name) -> None:
            (folder / name).unlink()
            (folder / name).mkdir()

        for what, spoil in (("linked", link), ("piped", pipe), ("executable", run), ("a folder", folder_of)):
            yield Mutant(f"{name} {what}", spoil=spoil)
        if b"\n" in data:
            yield Mutant(f"{name} with CRLF", {name: data.replace(b"\n", b"\r\n")})
        yield Mutant(f"{name} with a byte order mark", {name: b"\xef\xbb\xbf" + data})
        yield Mutant(f"{name} in UTF-16", {name: data.decode("latin-1").encode("utf-16")})
    for foreign in ("NOTES", "log/NOTES", "batches/x.jsonl", "batches/ab/x.jsonl", "old/MANIFEST"):
        yield Mutant(f"foreign file {foreign}", {foreign: b"x"})


def attacks(scale: Scale) -> Iterator[Tally]:
    """Every kind of damage on a ledger of fifty batches, signed, witnessed and stamped."""
    with room() as place:
        world = worlds.make(place)
        files = build.files(world.build(place / "ledger", scale.of(5, build.BATCHES, build.BATCHES)))
        check = world.check
        steps = STEPS[scale.name]
        some = "every byte of every file" if steps == (1, 1) else f"log: one byte in {steps[0]}; batches: one in {steps[1]}"
        yield try_all(scale, "one random bit in a byte", files, lambda: flips(files, scale.seed, steps), check, note=some)
        if scale.name == "long":
            yield try_all(
                scale, "every bit of checkpoints, subjects, tokens, policy", files, lambda: all_bits(files), check, bulk=True
            )
        yield try_all(scale, "cut at a byte", files, lambda: cuts(files, scale.seed, steps), check, note=some, bulk=True)
        yield try_all(scale, "a byte inserted", files, lambda: insertions(files, scale.seed, steps), check, note=some, bulk=True)
        yield try_all(scale, "deletion of a file, line or both", files, lambda: deletions(files), check)
        yield try_all(scale, "the last k dropped", files, lambda: tails(files), check)
        yield try_all(scale, "two lines or files swapped", files, lambda: swaps(files), check, bulk=True)
        yield try_all(scale, "a line or batch copied", files, lambda: copies(files), check)
        yield try_all(scale, "links, pipes, modes, line endings, foreign files", files, lambda: odd(files), check)
