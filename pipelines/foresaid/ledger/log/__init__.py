"""The transparency log: manifest, Merkle tree, checkpoints, keys, witnesses, proofs of time.

May import the top files and `ledger`.
"""
