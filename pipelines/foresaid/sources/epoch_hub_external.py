"""Epoch AI's Benchmarking Hub, what Epoch collected: boards and reports of others, each under its publisher's own terms.

The files, their traps and their reading are those of `epoch_hub`; this source is apart because Epoch's licence does not cover
it: most of these boards state no licence for results and three forbid a copy (docs/licences.md). Its rows are read on demand
from a download at hand and never stand in registry/. `swe_bench_bash.csv` is of swebench.com although its name does not say so.
"""

from __future__ import annotations

from pathlib import Path

from foresaid.sources._reading import Reading
from foresaid.sources.epoch_hub import read_collected


def read(folder: Path) -> Reading:
    """Read the collected boards of one vintage."""
    return read_collected(folder)
