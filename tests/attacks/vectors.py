"""Proof vectors: the good proofs of the reference tree of Certificate Transparency and every way of spoiling one.

The cases and the kinds of damage are those of the published vectors of transparency-dev/merkle (inclusion and consistency,
98 each there). The bytes are not copied from there: they are generated from the definitions of RFC 6962, sections 2.1 to
2.1.2, by the second implementation below, which is written from the text alone, with lists, and shares nothing with the
product. Its verdict needs no verification algorithm either: a proof is good if it is *the* proof of the definition.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from tests.attacks.table import Scale, Tally, timed

from foresaid.ledger.log import merkle

# The eight inputs of the reference tree, and its roots for sizes 0 to 8.
INPUTS = [bytes.fromhex(text) for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657")]
INPUTS.append(bytes.fromhex("606162636465666768696a6b6c6d6e6f"))
ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
LEAVES = [(1, 1), (1, 8), (6, 8), (3, 3), (2, 5), (7, 8)]  # inclusion: leaf counted from 1, size
SIZES = [(1, 1), (1, 8), (6, 8), (2, 5), (6, 7), (8, 8)]  # consistency: old size, new size
NOTHING = sha256(b"").digest()
SOMETHING = sha256(b"some other root").digest()


def largest_power(n: int) -> int:
    """k, the largest power of two smaller than n."""
    k = 1
    while 2 * k < n:
        k *= 2
    return k


def mth(d: list[bytes]) -> bytes:
    """Merkle tree hash (RFC 6962, section 2.1)."""
    if len(d) == 0:
        return sha256(b"").digest()
    if len(d) == 1:
        return sha256(bytes([0]) + d[0]).digest()
    k = largest_power(len(d))
    return sha256(bytes([1]) + mth(d[:k]) + mth(d[k:])).digest()


def path(m: int, d: list[bytes]) -> list[bytes]:
    """Audit path of leaf m (RFC 6962, section 2.1.1)."""
    if len(d) == 1:
        return []
    k = largest_power(len(d))
    return [*path(m, d[:k]), mth(d[k:])] if m < k else [*path(m - k, d[k:]), mth(d[:k])]


def subproof(m: int, d: list[bytes], b: bool) -> list[bytes]:
    """SUBPROOF(m, D[n], b) (RFC 6962, section 2.1.2)."""
    if m == len(d):
        return [] if b else [mth(d)]
    k = largest_power(len(d))
    return [*subproof(m, d[:k], b), mth(d[k:])] if m <= k else [*subproof(m - k, d[k:], False), mth(d[:k])]


@dataclass(frozen=True)
class Inclusion:
    """A claim that a leaf is in a tree."""

    name: str
    index: int
    size: int
    leaf: bytes
    proof: tuple[bytes, ...]
    root: bytes

    def good(self) -> bool:
        """The verdict of the definition on the reference tree."""
        if not 0 <= self.index < self.size <= len(INPUTS):
            return False
        d = INPUTS[: self.size]
        return self.leaf == mth([d[self.index]]) and self.root == mth(d) and list(self.proof) == path(self.index, d)

    def ours(self) -> bool:
        """The verdict of the product."""
        return merkle.verify_inclusion(self.index, self.size, self.leaf, self.proof, self.root)


@dataclass(frozen=True)
class Consistency:
    """A claim that one tree is the beginning of another."""

    name: str
    old: int
    new: int
    old_root: bytes
    new_root: bytes
    proof: tuple[bytes, ...]

    def good(self) -> bool:
        """The verdict of the definition on the reference tree."""
        if not 0 <= self.old <= self.new <= len(INPUTS):
            return False
        if self.old_root != mth(INPUTS[: self.old]) or self.new_root != mth(INPUTS[: self.new]):
            return False
        return list(self.proof) == (subproof(self.old, INPUTS[: self.new], True) if self.old else [])

    def ours(self) -> bool:
        """The verdict of the product."""
        return merkle.verify_consistency(self.old, self.new, self.old_root, self.new_root, self.proof)


def spoiled(proof: Sequence[bytes], roots: Sequence[tuple[str, bytes]]) -> Iterator[tuple[str, tuple[bytes, ...]]]:
    """A proof with garbage at either end, with a bit flipped in each part, with a part removed or put in."""
    good = tuple(proof)
    for name, extra in [("garbage", b""), *roots]:
        yield f"trailing {name}", (*good, extra)
        yield f"preceding {name}", (extra, *good)
    for place, part in enumerate(good):
        yield f"bit 3 of part {place} flipped", (*good[:place], bytes([part[0] ^ 8]) + part[1:], *good[place + 1 :])
    if good:
        yield "last part removed", good[:-1]
    if len(good) > 1:
        yield "first part doubled", (good[0], *good)
        yield "first part put last", (*good[1:], good[0])
        yield "part inserted", (good[0], SOMETHING, *good[1:])


def inclusions() -> Iterator[Inclusion]:
    """Good proofs first, each followed by its damage."""
    for number, size in LEAVES:
        index, d = number - 1, INPUTS[:size]
        leaf, root, proof = mth([d[index]]), mth(d), tuple(path(index, d))
        case = f"leaf {index} of {size}"
        yield Inclusion(f"{case}: good", index, size, leaf, proof, root)
        for name, i, n in [
            ("index - 1", index - 1, size),
            ("index + 1", index + 1, size),
            ("index ^ 2", index ^ 2, size),
            ("size * 2", index, size * 2),
            ("size // 2", index, size // 2),
            ("size 0", index, 0),
        ]:
            if (i, n) != (index, size):
                yield Inclusion(f"{case}: {name}", i, n, leaf, proof, root)
        yield Inclusion(f"{case}: wrong leaf", index, size, b"WrongLeaf", proof, root)
        yield Inclusion(f"{case}: empty root", index, size, leaf, proof, NOTHING)
        yield Inclusion(f"{case}: random root", index, size, leaf, proof, SOMETHING)
        for name, wrong in spoiled(proof, [("root", root)]):
            yield Inclusion(f"{case}: {name}", index, size, leaf, wrong, root)
    yield Inclusion("size 0", 0, 0, b"", (), NOTHING)
    yield Inclusion("beyond the end", 1, 1, mth(INPUTS[:1]), (), mth(INPUTS[:1]))


def consistencies() -> Iterator[Consistency]:
    """Good proofs first, each followed by its damage."""
    for old, new in SIZES:
        before, after, proof = mth(INPUTS[:old]), mth(INPUTS[:new]), tuple(subproof(old, INPUTS[:new], True))
        case = f"{old} in {new}"
        yield Consistency(f"{case}: good", old, new, before, after, proof)
        for name, m, n in [
            ("old - 1", old - 1, new),
            ("old + 1", old + 1, new),
            ("old ^ 2", old ^ 2, new),
            ("new * 2", old, new * 2),
            ("new // 2", old, new // 2),
            ("sizes swapped", new, old),
        ]:
            if (m, n) != (old, new):
                yield Consistency(f"{case}: {name}", m, n, before, after, proof)
        for name, one, two in [
            ("wrong old root", b"WrongRoot", after),
            ("wrong new root", before, b"WrongRoot"),
            ("random old root", SOMETHING, after),
            ("empty new root", before, NOTHING),
        ]:
            yield Consistency(f"{case}: {name}", old, new, one, two, proof)
        if before != after:
            yield Consistency(f"{case}: roots swapped", old, new, after, before, proof)
        for name, wrong in spoiled(proof, [("old root", before), ("new root", after)]):
            yield Consistency(f"{case}: {name}", old, new, before, after, wrong)
    yield Consistency("0 in 0", 0, 0, NOTHING, NOTHING, ())
    yield Consistency("0 in 5", 0, 5, NOTHING, mth(INPUTS[:5]), ())
    yield Consistency("0 in 5 with a proof", 0, 5, NOTHING, mth(INPUTS[:5]), (NOTHING,))
    yield Consistency("0 in 0 with another root", 0, 0, NOTHING, SOMETHING, ())
    # The published vectors let two equal roots of any length pass; a root is 32 bytes here.
    yield Consistency("1 in 1, roots of 12 bytes", 1, 1, b"don't care 1", b"don't care 1", ())


def attacks(scale: Scale) -> Iterator[Tally]:
    """Reference roots, vectors, and every proof to 64 leaves against the definition."""
    with timed(Tally("reference roots, sizes 0 to 8")) as tally:
        for size, text in enumerate(ROOTS):
            found = merkle.root([merkle.leaf_hash(leaf) for leaf in INPUTS[:size]]).hex()
            tally.count(text == found == mth(INPUTS[:size]).hex(), f"size {size}")
    yield tally
    for name, cases in (("inclusion", [*inclusions()]), ("consistency", [*consistencies()])):
        with timed(Tally(f"{name} vectors")) as tally:
            for case in cases:
                tally.count(case.ours() == case.good(), case.name)
            tally.note = f"{sum(case.good() for case in cases)} good, {sum(not case.good() for case in cases)} spoiled"
        yield tally
    top = scale.of(20, 64, 64)
    d = [bytes([number]) for number in range(top)]
    hashes = [merkle.leaf_hash(leaf) for leaf in d]
    with timed(Tally(f"all proofs to {top} leaves are those of the definition")) as tally:
        for n in range(top + 1):
            after = mth(d[:n])
            tally.count(after == merkle.root(hashes[:n]), f"root {n}")
            for m in range(n):
                proof = path(m, d[:n])
                same = proof == merkle.inclusion_proof(m, hashes[:n])
                tally.count(same and merkle.verify_inclusion(m, n, hashes[m], proof, after), f"leaf {m} of {n}")
                steps = subproof(m, d[:n], True) if m else []
                same = steps == merkle.consistency_proof(m, hashes[:n])
                tally.count(same and merkle.verify_consistency(m, n, mth(d[:m]), after, steps), f"{m} in {n}")
    yield tally
