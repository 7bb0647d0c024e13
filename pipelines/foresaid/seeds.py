"""Where randomness comes from: one root seed and the names of things.

A generator is derived from the root seed and a path of names (law, target, purpose), so adding a law or a target leaves
every other result as it was, and no result depends on the order or the place in which the work was done.
"""

from __future__ import annotations

import hashlib

import numpy as np


def generator(root: int, *names: str) -> np.random.Generator:
    """Return the random stream that belongs to these names.

    >>> float(generator(1, "observational", "bootstrap").random()) == float(
    ...     generator(1, "observational", "bootstrap").random()
    ... )
    True
    >>> float(generator(1, "a").random()) == float(generator(1, "b").random())
    False
    """
    path = "\x1f".join((str(root), *names)).encode()
    key = int.from_bytes(hashlib.sha256(path).digest()[:16], "big")
    return np.random.Generator(np.random.Philox(key=key))
