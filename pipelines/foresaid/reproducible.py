"""What makes the same inputs give the same bytes: kernels that do not depend on the processor, and random streams with names.

Numerical libraries choose their kernels by processor when they are loaded, and kernels differ in the last digit. So the choice
stands in the environment before any of them is loaded: importing the package sets it (`fix_kernels`), for the commands, the
Python interface and the tests alike, and child processes inherit it. A process that had loaded NumPy before runs on other
kernels; its environment is then left alone, so that its children agree with it, and `kernels_fixed` says so.
"""

from __future__ import annotations

import hashlib
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

KERNELS = {
    "OPENBLAS_NUM_THREADS": "1",  # the program parallelises above the linear algebra
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_CORETYPE": "Haswell",
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
}


def kernels_fixed() -> bool:
    """Whether the environment of this process names every setting of `KERNELS`; a setting of one's own counts as named."""
    return all(name in os.environ for name in KERNELS)


def fix_kernels() -> None:
    """Name instruction set and threads in the environment, unless they are named there or NumPy is loaded already."""
    if "numpy" not in sys.modules:
        for name, value in KERNELS.items():
            os.environ.setdefault(name, value)


def generator(root: int, *names: str) -> np.random.Generator:
    """Return the random stream that belongs to a root seed and a path of names (law, target, purpose).

    Adding a law or a target leaves every other stream as it was, and no stream depends on the order or the place in which
    the work is done.

    >>> float(generator(1, "observational", "bootstrap").random()) == float(
    ...     generator(1, "observational", "bootstrap").random()
    ... )
    True
    >>> float(generator(1, "a").random()) == float(generator(1, "b").random())
    False
    """
    import numpy as np  # not at the top: the package is loaded before NumPy, to choose its kernels

    path = "\x1f".join((str(root), *names)).encode()
    key = int.from_bytes(hashlib.sha256(path).digest()[:16], "big")
    return np.random.Generator(np.random.Philox(key=key))
