"""Cells as columns, as the baselines read them: one name, day, effort and probit score a cell, in one canonical order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from foresaid.arrays import Array
from foresaid.laws._capability_rows import Benchmarks, cells


@dataclass(frozen=True)
class Rows:
    """n cells as columns, each (n,): names, effort (NaN: not stated), day of release (days), benchmark code, probit score."""

    system: NDArray[np.str_]
    model: NDArray[np.str_]
    maker: NDArray[np.str_]
    line: NDArray[np.str_]
    tier: NDArray[np.str_]
    release: NDArray[np.str_]
    effort: Array
    day: Array
    q: NDArray[np.intp]
    z: Array

    @property
    def n(self) -> int:
        """Number of cells."""
        return len(self.z)

    def where(self, keep: NDArray[np.bool_]) -> Rows:
        """Return the cells for which `keep` is true."""
        return Rows(**{name: getattr(self, name)[keep] for name in self.__dataclass_fields__})


def rows_of(frame: pl.DataFrame, benchmarks: Benchmarks) -> Rows:
    """Bring a frame of cells (`_capability_rows.SCHEMA`) to columns, sorted by system and benchmark."""
    if frame.is_empty():
        nothing = np.empty(0)
        text = np.empty(0, dtype=str)
        return Rows(text, text, text, text, text, text, nothing, nothing, np.empty(0, dtype=np.intp), nothing)
    coded = cells(frame, benchmarks)
    systems = coded.systems

    def of(names: Sequence[str]) -> NDArray[np.str_]:
        return np.array(names)[coded.s]

    return Rows(
        system=of(systems.ids),
        model=of(systems.models),
        maker=of(systems.makers),
        line=of(systems.lines),
        tier=of(systems.tiers),
        release=of(systems.releases),
        effort=systems.effort[coded.s],
        day=np.round(systems.t[coded.s] * 365.25),
        q=coded.q,
        z=coded.z,
    )
