"""The rows of a view by number: which are of a board and source, and whose they are.

A law asks a view for some hundred boards, and looking through all rows for each costs more than the fits. The rows are parted
once a view; a board is then a handful of row numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from foresaid.arrays import Array

Rows = NDArray[np.intp]
NONE: Rows = np.empty(0, dtype=np.intp)


@dataclass(frozen=True)
class CodedRows:
    """Row numbers of each quantity and protocol by source, in their order; of each row its subject (by name), day and value."""

    boards: dict[tuple[str, str], dict[str, Rows]]
    subject: Rows
    known_on: NDArray[np.int32]
    value: Array

    def of(self, quantity_id: str, protocol: str, sources: Sequence[str]) -> Rows:
        """Return the rows of a board that these sources gave."""
        found = self.boards.get((quantity_id, protocol), {})
        return np.concatenate([NONE, *(found[name] for name in dict.fromkeys(sources) if name in found)])


def code(observations: pl.DataFrame) -> CodedRows:
    """Part the rows of a view."""
    groups = observations.with_row_index("at").group_by("quantity_id", "setting", "source_id", maintain_order=True).agg("at")
    boards: dict[tuple[str, str], dict[str, Rows]] = {}
    for quantity_id, setting, source_id, rows in zip(*(groups[name] for name in groups.columns), strict=True):
        boards.setdefault((quantity_id, setting), {})[source_id] = rows.to_numpy().astype(np.intp)
    return CodedRows(
        boards,
        observations["subject_id"].rank("dense").to_numpy().astype(np.intp) - 1,
        observations["known_on"].to_physical().to_numpy(),
        observations["value"].to_numpy(),
    )
