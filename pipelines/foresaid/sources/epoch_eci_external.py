"""The scores Epoch AI's index is fitted on, as far as others ran them: each under its publisher's own terms.

File, traps and reading are those of `epoch_eci`; these rows are read on demand and never stand in registry/.
"""

from __future__ import annotations

from pathlib import Path

from foresaid.sources._reading import Reading
from foresaid.sources.epoch_eci import read_matrix


def read(folder: Path) -> Reading:
    """Read the collected rows of the matrix."""
    return read_matrix(folder, own=False)
