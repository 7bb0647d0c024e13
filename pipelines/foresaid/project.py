"""Where the parts of a project lie below its folder.

A project is a folder with `params.yaml`; everything else has its place relative to it, said here once.
"""

from __future__ import annotations

from pathlib import Path

REGISTRY = Path("registry")
LEDGER = REGISTRY / "ledger"
BUILD = Path("build")
SNAPSHOTS = REGISTRY / "snapshots"
METRICS = Path("reports/metrics")
CACHE = "cache/fits"  # below build/: see fitting/cache.py
