"""The owner who cheats: edits, renames, drops and rewrites with everything the product has, the key of the log included.

Where hashes alone protect, a rewrite that fixes all hashes passes, and the threat model says so: such rows expect every
try to go unnoticed by a verifier with neither memory nor witness, and none by one that has either.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from hashlib import sha256

from tests.campaign import build
from tests.campaign.mutate import Mutant, room, try_all
from tests.campaign.table import Scale, Tally

from foresaid import log
from foresaid.log import CHECKPOINT, MANIFEST, Checkpoint

Files = Mapping[str, bytes]


def names_of(files: Files) -> list[str]:
    """The batches in the order of the log."""
    return log.parse_manifest(files[MANIFEST])[0]


def signed(names: list[str]) -> bytes:
    """The checkpoint of these batches, as the owner of the log can make it."""
    return Checkpoint(build.ORIGIN, len(names), log.root(names)).encode()


def replaced(files: Files, changes: Mapping[str, bytes | None], resign: bool = True) -> dict[str, bytes | None]:
    """The ledger with other batches: `changes` gives new bytes (None: dropped) for names; the manifest follows.

    The names of rewritten batches are fixed, and with `resign` the checkpoint.
    """
    result: dict[str, bytes | None] = {}
    order: list[str] = []
    for name in names_of(files):
        if name in changes:
            result[log.batch_path(name)] = None
            data = changes[name]
            if data is None:
                continue
            name = sha256(data).hexdigest()
            result[log.batch_path(name)] = data
        order.append(name)
    result[MANIFEST] = b"".join(map(log.manifest_line, order))
    if resign:
        result[CHECKPOINT] = signed(order)
    return result


def descended(files: Files, first: str, data: bytes) -> dict[str, bytes | None]:
    """New bytes for a batch and for everything that names it as an ancestor, all names made to agree."""
    changes: dict[str, bytes | None] = {first: data}
    renamed = {first: sha256(data).hexdigest()}
    for name in names_of(files):
        head, _, rest = files[log.batch_path(name)].partition(b"\n")
        parents = re.search(rb'"parents":\[([^\]]*)\]', head)
        if name == first or parents is None:
            continue
        old = parents[1].decode().replace('"', "").split(",") if parents[1] else []
        if any(parent in renamed for parent in old):
            new = ",".join(f'"{parent}"' for parent in sorted(renamed.get(parent, parent) for parent in old))
            changed = head[: parents.start(1)] + new.encode() + head[parents.end(1) :] + b"\n" + rest
            changes[name] = changed
            renamed[name] = sha256(changed).hexdigest()
    return changes


def edited(data: bytes) -> bytes:
    """The batch with a better number in it, or, where it has none, other words."""
    for old, new in ((b'"0.412"', b'"0.413"'), (b"every target", b"every other target")):
        if old in data:
            return data.replace(old, new, 1)
    raise AssertionError("nothing to edit")


def edits(files: Files, cascade: bool, resign: bool) -> Iterator[Mutant]:
    """A number edited in each batch; with its name, its line, and (`cascade`) its descendants; perhaps signed anew."""
    for number, name in enumerate(names_of(files)):
        data = edited(files[log.batch_path(name)])
        changes: dict[str, bytes | None] = descended(files, name, data) if cascade else {name: data}
        yield Mutant(f"batch {number} edited", replaced(files, changes, resign))


def drops(files: Files) -> Iterator[Mutant]:
    """Each batch dropped, with its line, and the rest signed anew."""
    for number, name in enumerate(names_of(files)):
        yield Mutant(f"batch {number} dropped", replaced(files, {name: None}))


def rollbacks(files: Files) -> Iterator[Mutant]:
    """The last k batches taken back, and the rest signed anew."""
    names = names_of(files)
    for kept in range(len(names)):
        yield Mutant(f"all after batch {kept} taken back", replaced(files, dict.fromkeys(names[kept:])))


def shadows(files: Files, fresh: bool) -> Iterator[Mutant]:
    """A second key with another value in each batch: in place, or as a batch with all hashes in order.

    Two readers of JSON would take two values from it, so no line may have the same key twice.
    """
    for number, name in enumerate(names_of(files)):
        data = files[log.batch_path(name)]
        lines = data.split(b"\n")
        place = 1 if len(lines) > 2 else 0
        for key, first in (
            (b'"type":"', b'"type":"round/v1",'),
            (b'"id":"', b'"id":"other",'),
            (b'"values":[', b'"values":["0.9"],'),
        ):
            if key in lines[place]:
                at = lines[place].index(key)
                changed = b"\n".join([*lines[:place], lines[place][:at] + first + lines[place][at:], *lines[place + 1 :]])
                what = f"second {key[1:-3].decode()} in batch {number}"
                if fresh:
                    yield Mutant(what, replaced(files, descended(files, name, changed)))
                else:
                    yield Mutant(what, {log.batch_path(name): changed})


def reordered(files: Files) -> Iterator[Mutant]:
    """Two neighbours change places in the log, and it is signed anew: a child would stand before its parent."""
    names = names_of(files)
    for number in range(len(names) - 1):
        order = [*names[:number], names[number + 1], names[number], *names[number + 2 :]]
        manifest = b"".join(map(log.manifest_line, order))
        yield Mutant(f"batches {number} and {number + 1} in another order", {MANIFEST: manifest, CHECKPOINT: signed(order)})


def attacks(scale: Scale) -> Iterator[Tally]:
    """Without the key, and with it."""
    with room() as place:
        files = build.files(build.build(place / "ledger", scale.of(8, build.BATCHES, build.BATCHES)))
    check = build.check
    yield try_all(scale, "edit, rename, new manifest line", files, lambda: edits(files, False, False), check)
    yield try_all(scale, "edit, rename, all descendants and lines", files, lambda: edits(files, True, False), check)
    yield try_all(scale, "second JSON key, in place", files, lambda: shadows(files, False), check)
    yield try_all(scale, "second JSON key, signed anew", files, lambda: shadows(files, True), check)
    yield try_all(scale, "another order, signed anew", files, lambda: reordered(files), check)
    alone = "no memory, no witness"
    yield try_all(scale, f"owner drops one, signs anew; {alone}", files, lambda: drops(files), check, 1, "the newest")
    yield try_all(scale, f"owner edits, signs all anew; {alone}", files, lambda: edits(files, True, True), check, None, "residual")
    yield try_all(scale, f"owner takes back the last k; {alone}", files, lambda: rollbacks(files), check, None, "residual")
