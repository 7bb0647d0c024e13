"""Resampling whole clusters: models of one family, or points of one run, are not independent and go together.

A replicate is a vector of counts over the same rows rather than a copied table, so every fit of a bootstrap shares one
design and the whole bootstrap is one batch.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from foresaid.law import Array


def cluster_weights(clusters: Sequence[str], replicates: int, rng: np.random.Generator) -> Array:
    """Draw as many clusters as there are, with replacement, `replicates` times; return row counts (replicates + 1, n).

    The first row is the data themselves, every count one. The draw depends on the sorted names of the clusters, never on the
    order of the rows.

    >>> w = cluster_weights(["b", "a", "b"], 50, np.random.default_rng(0))
    >>> w[0].tolist(), bool((w[:, 0] == w[:, 2]).all()), bool((w.sum(axis=1) > 0).all())
    ([1.0, 1.0, 1.0], True, True)
    """
    names = sorted(set(clusters))
    position = {name: i for i, name in enumerate(names)}
    member = np.array([position[name] for name in clusters])
    drawn = rng.integers(0, len(names), size=(replicates, len(names)))
    counts = np.zeros((replicates + 1, len(names)))
    counts[0] = 1.0
    for i in range(len(names)):
        counts[1:, i] = (drawn == i).sum(axis=1)
    return counts[:, member]
