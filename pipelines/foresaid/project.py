"""Where the parts of a project lie below its folder.

A project is a folder with `params.yaml`; everything else has its place relative to it, said here once.
"""

from __future__ import annotations

from pathlib import Path

REPRODUCIBLE = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    # OpenBLAS and NumPy choose kernels by processor, and kernels differ in the last digit.
    "OPENBLAS_CORETYPE": "Haswell",
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
}


REGISTRY, BUILD, METRICS = Path("registry"), Path("build"), Path("reports/metrics")


CACHE = "cache/fits"  # below build/: see shards.py


LEDGER = Path("registry/ledger")


SNAPSHOTS = Path("build/snapshots")
