from hashlib import sha256

import pytest
from tests.attacks.vectors import INPUTS as LEAVES
from tests.attacks.vectors import ROOTS

from foresaid.ledger.log.merkle import (
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root,
    verify_consistency,
    verify_inclusion,
)

HASHES = [leaf_hash(bytes([number])) for number in range(64)]


@pytest.mark.parametrize("size", range(9))
def test_the_reference_roots_come_out(size: int) -> None:
    assert ROOTS[size] == root([leaf_hash(leaf) for leaf in LEAVES[:size]]).hex()


def test_a_leaf_is_never_a_node() -> None:
    assert leaf_hash(b"a" * 32 + b"b" * 32) != node_hash(b"a" * 32, b"b" * 32)


def recursive_root(hashes: list[bytes]) -> bytes:
    """The definition of RFC 6962, word for word."""
    if len(hashes) < 2:
        return hashes[0] if hashes else sha256(b"").digest()
    k = max(2**power for power in range(10) if 2**power < len(hashes))
    return sha256(b"\x01" + recursive_root(hashes[:k]) + recursive_root(hashes[k:])).digest()


def test_every_root_to_64_leaves_is_that_of_the_definition() -> None:
    assert [recursive_root(HASHES[:n]) for n in range(65)] == [root(HASHES[:n]) for n in range(65)]


def test_every_inclusion_proof_to_64_leaves_holds_for_its_leaf_alone() -> None:
    for n in range(1, 65):
        top = root(HASHES[:n])
        for index in range(n):
            proof = inclusion_proof(index, HASHES[:n])

            assert verify_inclusion(index, n, HASHES[index], proof, top)
            assert not verify_inclusion((index + 1) % n, n, HASHES[index], proof, top) or n == 1
            assert not verify_inclusion(index, n, HASHES[index], [*proof, top], top)
            assert not proof or not verify_inclusion(index, n, HASHES[index], proof[:-1], top)


def test_every_consistency_proof_to_64_leaves_holds_for_its_roots_alone() -> None:
    for n in range(65):
        top = root(HASHES[:n])
        for old in range(n + 1):
            proof, before = consistency_proof(old, HASHES[:n]), root(HASHES[:old])

            assert verify_consistency(old, n, before, top, proof)
            assert not verify_consistency(old, n, before, leaf_hash(b"other"), proof) or old == 0 < n
            assert not verify_consistency(old, n, leaf_hash(b"other"), top, proof)
            assert not verify_consistency(old, n, before, top, [*proof, top])
            assert not proof or not verify_consistency(old, n, before, top, proof[:-1])


def test_no_proof_with_a_flipped_bit_is_accepted() -> None:
    tried = 0
    for n, index in [(7, 3), (8, 5), (13, 12)]:
        top = root(HASHES[:n])
        proofs = (inclusion_proof(index, HASHES[:n]), consistency_proof(index, HASHES[:n]))
        for kind, proof in enumerate(proofs):
            for part in range(len(proof)):
                for bit in range(256):
                    flipped = bytearray(proof[part])
                    flipped[bit // 8] ^= 1 << bit % 8
                    bad = [*proof[:part], bytes(flipped), *proof[part + 1 :]]
                    tried += 1
                    if kind == 0:
                        assert not verify_inclusion(index, n, HASHES[index], bad, top)
                    else:
                        assert not verify_consistency(index, n, root(HASHES[:index]), top, bad)
    assert tried > 3000


def test_hashes_of_another_length_and_impossible_sizes_are_refused() -> None:
    top = root(HASHES[:3])

    assert not verify_inclusion(0, 3, HASHES[0], [b"short", HASHES[2]], top)
    assert not verify_inclusion(3, 3, HASHES[0], inclusion_proof(0, HASHES[:3]), top)
    assert not verify_inclusion(-1, 3, HASHES[0], [], top)
    assert not verify_consistency(4, 3, top, top, [])
    assert not verify_consistency(-1, 3, top, top, [])
    assert not verify_consistency(2, 3, top, top, [])
    for bad in (3, -1):
        with pytest.raises(ValueError, match="leaves"):
            inclusion_proof(bad, HASHES[:3])
    with pytest.raises(ValueError, match="leaves"):
        consistency_proof(4, HASHES[:3])
