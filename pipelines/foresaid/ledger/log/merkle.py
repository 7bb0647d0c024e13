"""RFC 6962 Merkle trees: one hash for a list of lines, and short proofs about it.

The root changes with any change, insertion, deletion or reordering of the leaves. An inclusion proof shows that a leaf
is in the tree, a consistency proof that a smaller tree is the beginning of a larger one. Everything here is a pure
function of bytes. Proofs are rebuilt from all leaves, which is linear in their number and fast enough for a registry.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

HASH_BYTES = 32


def leaf_hash(leaf: bytes) -> bytes:
    """Hash of a leaf: SHA-256(0x00 || leaf) (RFC 6962, section 2.1).

    >>> leaf_hash(b"").hex()
    '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d'
    """
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node: SHA-256(0x01 || left || right), so that no node can pass for a leaf."""
    return sha256(b"\x01" + left + right).digest()


def _split(n: int) -> int:
    """Largest power of two below n, for n > 1."""
    return 1 << (n - 1).bit_length() - 1


def root(hashes: Sequence[bytes]) -> bytes:
    """Root of the tree over these leaf hashes; of no leaves, SHA-256 of nothing.

    >>> root([]).hex()
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
    >>> root([leaf_hash(b"")]) == leaf_hash(b"")
    True
    """
    stack: list[tuple[int, bytes]] = []  # perfect subtrees, as (height, hash), larger ones first
    for digest in hashes:
        height, current = 0, digest
        while stack and stack[-1][0] == height:
            current = node_hash(stack.pop()[1], current)
            height += 1
        stack.append((height, current))
    if not stack:
        return sha256(b"").digest()
    result = stack.pop()[1]
    while stack:
        result = node_hash(stack.pop()[1], result)
    return result


def inclusion_proof(index: int, hashes: Sequence[bytes]) -> list[bytes]:
    """Path from leaf `index` to the root, nearest sibling first (RFC 6962, section 2.1.1)."""
    n = len(hashes)
    if not 0 <= index < n:
        raise ValueError(f"leaf {index} of a tree with {n} leaves")
    if n == 1:
        return []
    k = _split(n)
    if index < k:
        return [*inclusion_proof(index, hashes[:k]), root(hashes[k:])]
    return [*inclusion_proof(index - k, hashes[k:]), root(hashes[:k])]


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], expected: bytes) -> bool:
    """Whether the proof leads from the leaf hash to the root (RFC 9162, section 2.1.3.2).

    >>> a, b = leaf_hash(b"a"), leaf_hash(b"b")
    >>> verify_inclusion(0, 2, a, [b], root([a, b])), verify_inclusion(1, 2, a, [b], root([a, b]))
    (True, False)
    """
    if not 0 <= index < size or any(len(part) != HASH_BYTES for part in (leaf, expected, *proof)):
        return False
    position, last, current = index, size - 1, leaf
    for part in proof:
        if last == 0:
            return False
        if position & 1 or position == last:
            current = node_hash(part, current)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            current = node_hash(current, part)
        position, last = position >> 1, last >> 1
    return last == 0 and current == expected


def consistency_proof(old: int, hashes: Sequence[bytes]) -> list[bytes]:
    """Proof that the first `old` leaves are the beginning of all of them (RFC 6962, section 2.1.2)."""
    if not 0 <= old <= len(hashes):
        raise ValueError(f"tree of {old} leaves inside a tree of {len(hashes)}")

    def descend(m: int, part: Sequence[bytes], whole: bool) -> list[bytes]:
        n = len(part)
        if m == n:
            return [] if whole else [root(part)]
        k = _split(n)
        if m <= k:
            return [*descend(m, part[:k], whole), root(part[k:])]
        return [*descend(m - k, part[k:], False), root(part[:k])]

    return descend(old, hashes, True) if old else []


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the proof shows the old tree to be a beginning of the new one (RFC 9162, section 2.1.4.2).

    The empty tree is a beginning of every tree, with an empty proof.
    """
    if not 0 <= old <= new or any(len(part) != HASH_BYTES for part in (old_root, new_root, *proof)):
        return False
    if old == new:
        return not proof and old_root == new_root
    if old == 0:
        return not proof and old_root == sha256(b"").digest()
    path = list(proof)
    if old & (old - 1) == 0:  # the old tree is perfect: its root is the first step, and left out of the proof
        path.insert(0, old_root)
    if not path:
        return False
    position, last = old - 1, new - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    before = after = path[0]
    for part in path[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            before, after = node_hash(part, before), node_hash(part, after)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            after = node_hash(after, part)
        position, last = position >> 1, last >> 1
    return last == 0 and before == old_root and after == new_root
