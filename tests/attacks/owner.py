"""The owner who cheats: edits, renames, drops and rewrites with everything the product has, the key of the log included.

Where hashes alone protect, a rewrite that fixes all hashes passes, and the threat model says so: such rows expect every
try to go unnoticed by a verifier with neither memory nor witness, and none by one that has either.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from tests.attacks import build
from tests.attacks import world as worlds
from tests.attacks.mutate import Check, Mutant, Mutants, room, try_all
from tests.attacks.table import Scale, Tally
from tests.attacks.world import World

from foresaid.ledger import layout
from foresaid.ledger.layout import CHECKPOINT, MANIFEST
from foresaid.ledger.log import anchors, rfc3161
from foresaid.ledger.log import manifest as log
from foresaid.ledger.log.manifest import Checkpoint
from foresaid.ledger.log.signed_note import LOG, Signer

Files = Mapping[str, bytes]


def names_of(files: Files) -> list[str]:
    """The batches in the order of the log."""
    return log.parse_manifest(files[MANIFEST])[0]


@dataclass(frozen=True)
class Owner:
    """What the owner of the log has: the ledger, the log's key, authorities that stamp whatever is sent to them today."""

    files: Files
    world: World

    def manifest(self, changes: Mapping[str, bytes | None]) -> dict[str, bytes | None]:
        """The ledger with other batches: `changes` gives new bytes (None: dropped) for names; names and manifest follow."""
        result: dict[str, bytes | None] = {}
        order: list[str] = []
        for name in names_of(self.files):
            if name in changes:
                result[layout.batch_path(name)] = None
                data = changes[name]
                if data is None:
                    continue
                name = sha256(data).hexdigest()
                result[layout.batch_path(name)] = data
            order.append(name)
        result[MANIFEST] = b"".join(map(log.manifest_line, order))
        return result

    def signed(self, changes: Mapping[str, bytes | None], signer: Signer = worlds.SIGNER) -> dict[str, bytes | None]:
        """The same with everything made anew that the owner can make: checkpoint, one anchor, stamps, sums."""
        result = dict(changes)
        order = log.parse_manifest(changes[MANIFEST] or b"")[0]
        head = Checkpoint(build.ORIGIN, len(order), log.root(order))
        checkpoint = head.encode() + signer.sign(head.text)
        evidence = {name: data for name, data in self.files.items() if name == "policy.txt" or name.startswith("tsa/")}
        for name in self.files:
            if name.startswith(("log/anchors/", "receipts/")):
                result[name] = None
        result[CHECKPOINT] = checkpoint
        if order:
            place = layout.folder(len(order))
            subject = anchors.subject(checkpoint, changes[MANIFEST] or b"", None).encode()
            evidence |= {f"{place}/checkpoint": checkpoint, f"{place}/subject": subject}
            for one in self.world.authorities:
                evidence[f"{place}/{one.name}.tsr"] = one.reply(rfc3161.request(subject))
        result |= evidence
        result[layout.SUMS] = anchors.sums(evidence)
        return {name: data for name, data in result.items() if data is not None or name in self.files}


def descended(files: Files, first: str, data: bytes) -> dict[str, bytes | None]:
    """New bytes for a batch and for everything that names it as an ancestor, all names made to agree."""
    changes: dict[str, bytes | None] = {first: data}
    renamed = {first: sha256(data).hexdigest()}
    for name in names_of(files):
        head, _, rest = files[layout.batch_path(name)].partition(b"\n")
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


def edits(owner: Owner, cascade: bool) -> Iterator[tuple[str, dict[str, bytes | None]]]:
    """A number edited in each batch, with its name and its line, and (`cascade`) with all its descendants."""
    for number, name in enumerate(names_of(owner.files)):
        data = edited(owner.files[layout.batch_path(name)])
        changes: dict[str, bytes | None] = descended(owner.files, name, data) if cascade else {name: data}
        yield f"batch {number} edited", owner.manifest(changes)


def drops(owner: Owner) -> Iterator[tuple[str, dict[str, bytes | None]]]:
    """Each batch dropped, with its line."""
    for number, name in enumerate(names_of(owner.files)):
        yield f"batch {number} dropped", owner.manifest({name: None})


def adopted_drops(owner: Owner) -> Iterator[tuple[str, dict[str, bytes | None]]]:
    """Each batch that no later one speaks of dropped, and its children given to its parents: no gap is left."""
    names = names_of(owner.files)
    for number, gone in enumerate(names[1:], start=1):
        data = owner.files[layout.batch_path(gone)]
        ids = re.findall(rb'"id":"([^"]*)"', data)
        if any(b'"amends":"' + one in later or b'"withdraws":"' + one in later for one in ids for later in owner.files.values()):
            continue
        up = re.findall(rb"[0-9a-f]{64}", (re.search(rb'"parents":\[([^\]]*)\]', data) or [b"", b""])[1])
        changes: dict[str, bytes | None] = {gone: None}
        renamed: dict[str, list[str]] = {gone: [one.decode() for one in up]}
        for name in names[number + 1 :]:
            head, _, rest = owner.files[layout.batch_path(name)].partition(b"\n")
            parents = re.search(rb'"parents":\[([^\]]*)\]', head)
            assert parents is not None
            old = [one.decode() for one in re.findall(rb"[0-9a-f]{64}", parents[1])]
            if any(one in renamed for one in old):
                new = sorted({other for one in old for other in renamed.get(one, [one])})
                text = ",".join(f'"{one}"' for one in new).encode()
                changed = head[: parents.start(1)] + text + head[parents.end(1) :] + b"\n" + rest
                changes[name] = changed
                renamed[name] = [sha256(changed).hexdigest()]
        yield f"batch {number} dropped, its children adopted", owner.manifest(changes)


def put_back(owner: Owner) -> Iterator[tuple[str, dict[str, bytes | None]]]:
    """The state at each anchor, as it was signed and cosigned then, in place of the newest: no key is needed."""
    names = names_of(owner.files)
    for path in sorted(owner.files):
        match = re.fullmatch(r"log/anchors/([0-9]{8})/checkpoint", path)
        if match is None or int(match[1]) >= len(names):
            continue
        size = int(match[1])
        changes = {**owner.manifest(dict.fromkeys(names[size:])), CHECKPOINT: owner.files[path]}
        for name in owner.files:
            later = re.match(r"log/anchors/([0-9]{8})/", name)
            if name.startswith("receipts/") or (later is not None and int(later[1]) > size):
                changes[name] = None
        left = {name: data for name, data in owner.files.items() if layout.is_evidence(name) and changes.get(name, b"") is not None}
        yield f"the state of size {size} put back", {**changes, layout.SUMS: anchors.sums(left)}


def taken_replies(owner: Owner) -> Iterator[tuple[str, dict[str, bytes | None]]]:
    """The replies under each anchor but the newest taken away, one or all, with the sums made to fit: forecasts turn late."""
    found = sorted(name for name in owner.files if re.fullmatch(r"log/anchors/[0-9]{8}/[a-z0-9]+\.tsr", name))
    newest = max(name.split("/")[2] for name in found)
    old = [name for name in found if name.split("/")[2] != newest]
    for gone in [*([name] for name in old), old]:
        left = {name: data for name, data in owner.files.items() if layout.is_evidence(name) and name not in gone}
        yield f"{', '.join(gone)} taken away", {**dict.fromkeys(gone), layout.SUMS: anchors.sums(left)}


def rollbacks(owner: Owner) -> Iterator[tuple[str, dict[str, bytes | None]]]:
    """The last k batches taken back."""
    names = names_of(owner.files)
    for kept in range(len(names)):
        yield f"all after batch {kept} taken back", owner.manifest(dict.fromkeys(names[kept:]))


SHADOWS = ((b'"type":"', b'"type":"round/v2",'), (b'"id":"', b'"id":"other",'), (b'"values":[', b'"values":["0.9"],'))


def shadows(owner: Owner, fresh: bool) -> Iterator[tuple[str, dict[str, bytes | None]]]:
    """A second key with another value in each batch: in place, or as a batch with all hashes in order.

    Two readers of JSON would take two values from it, so no line may have the same key twice.
    """
    for number, name in enumerate(names_of(owner.files)):
        data = owner.files[layout.batch_path(name)]
        lines = data.split(b"\n")
        place = 1 if len(lines) > 2 else 0
        for key, first in SHADOWS:
            if key in lines[place]:
                at = lines[place].index(key)
                changed = b"\n".join([*lines[:place], lines[place][:at] + first + lines[place][at:], *lines[place + 1 :]])
                what = f"second {key[1:-3].decode()} in batch {number}"
                new = descended(owner.files, name, changed)
                yield what, owner.manifest(new) if fresh else {layout.batch_path(name): changed}


def reordered(owner: Owner) -> Iterator[tuple[str, dict[str, bytes | None]]]:
    """Two neighbours change places in the log: a child would stand before its parent."""
    names = names_of(owner.files)
    for number in range(len(names) - 1):
        order = [*names[:number], names[number + 1], names[number], *names[number + 2 :]]
        yield f"batches {number} and {number + 1} in another order", {MANIFEST: b"".join(map(log.manifest_line, order))}


Changes = Callable[[], Iterator[tuple[str, dict[str, bytes | None]]]]


def attacks(scale: Scale) -> Iterator[Tally]:
    """Without the key; with it against a reader who remembers nothing, who remembers, who asks a witness."""
    with room() as place:
        world = worlds.make(place)
        files = build.files(world.build(place / "ledger", scale.of(5, build.BATCHES, build.BATCHES)))
        owner = Owner(files, world)
        known = files[CHECKPOINT]

        def plain(changes: Changes) -> Mutants:
            return lambda: (Mutant(name, change) for name, change in changes())

        def anew(changes: Changes, signer: Signer = worlds.SIGNER) -> Mutants:
            return lambda: (Mutant(name, owner.signed(change, signer)) for name, change in changes())

        def remembering(folder: Path) -> int:
            return world.verify(folder, [known], watched=False).exit_code(strict=True)

        alone, watched = world.check_alone, world.check
        attack = "an old cosigned state put back, no key"
        note = "residual without `fresh DAYS`; the age is printed"
        yield try_all(scale, f"{attack}; witness in the policy", files, plain(lambda: put_back(owner)), watched, None, note)
        yield try_all(scale, f"{attack}; reader with a checkpoint", files, plain(lambda: put_back(owner)), remembering)
        yield try_all(scale, "replies of old anchors taken away, sums fixed", files, plain(lambda: taken_replies(owner)), alone)
        yield try_all(scale, "edit, rename, new manifest line", files, plain(lambda: edits(owner, False)), alone)
        yield try_all(scale, "edit, rename, all descendants and lines", files, plain(lambda: edits(owner, True)), alone)
        thief = Signer(build.ORIGIN, LOG, b"\x07" * 32)
        yield try_all(scale, "the same, signed with another key", files, anew(lambda: edits(owner, True), thief), alone)
        yield try_all(scale, "second JSON key, in place", files, plain(lambda: shadows(owner, False)), alone)
        yield try_all(scale, "second JSON key, signed anew", files, anew(lambda: shadows(owner, True)), alone)
        yield try_all(scale, "another order, signed anew", files, anew(lambda: reordered(owner)), alone)
        settings: tuple[tuple[str, Check, bool], ...] = (
            ("no memory, no witness", alone, True),
            ("reader with a checkpoint", remembering, False),
            ("witness in the policy", watched, False),
        )
        for setting, check, residual in settings:
            one, every = (1, None) if residual else (0, 0)
            cheats: tuple[tuple[str, Changes, int | None, str], ...] = (
                ("drops one", lambda: drops(owner), one, "the newest; parents show the others"),
                ("drops one and lets its children be adopted", lambda: adopted_drops(owner), every, "residual, said on every page"),
                ("edits, with all descendants", lambda: edits(owner, True), every, "residual, said on every page"),
                ("takes back the last k", lambda: rollbacks(owner), every, "residual, said on every page"),
            )
            for what, changes, expected, note in cheats:
                attack = f"owner {what}, signs anew; {setting}"
                yield try_all(scale, attack, files, anew(changes), check, expected, note if residual else "")
