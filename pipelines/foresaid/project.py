"""Where the parts of a project lie below its folder.

A project is a folder with `params.yaml`; everything else has its place relative to it, said here once.
"""

from __future__ import annotations

from pathlib import Path

REGISTRY = Path("registry")
LEDGER = REGISTRY / "ledger"
BUILD = Path("build")
SNAPSHOTS = BUILD / "snapshots"
METRICS = Path("reports/metrics")
TEMPLATES = Path("reports/templates")  # a project's own, in place of the package's of the same name; may be absent
SITE = Path("reports/site")
CHARTS = "cache/charts"  # below build/: see report/charts.py
CACHE = "cache/fits"  # below build/: see fitting/cache.py
