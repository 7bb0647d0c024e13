"""What a law sees: the observations known on one day, as plain frames.

A view is made by `database.as_of` and by nothing else, so a law cannot reach a value that was not public on the day.
Laws ask it for a wide table, one row a subject and one column a quantity, always in the order of the subjects' names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

import numpy as np
import polars as pl

from foresaid.errors import RecordError
from foresaid.registry import coded_rows, systems

SUBJECT_COLUMNS = ("subject_id", "kind", "run", "family", "released_on")
SHARE = "fraction"
RELEASE_YEAR = "release_year"  # the one quantity that is not observed but follows from models.csv

EPOCH, YEAR_DAYS = date(2000, 1, 1), 365.2425


def release_year(day: date) -> float:
    """A release date in years of our era.

    >>> release_year(date(2000, 1, 1))
    2000.0
    """
    return 2000.0 + (day - EPOCH).days / YEAR_DAYS


@dataclass(frozen=True)
class Quantity:
    """One measured quantity: its unit, its bounds and the score of guessing (None where there is no such thing).

    `items` is how many questions it counts, None where that is not known.
    """

    quantity_id: str
    title: str
    kind: str
    unit: str
    lower: float
    upper: float
    chance: float | None
    direction: str
    protocol: str
    resolver: str
    items: int | None = None

    @property
    def counted(self) -> int | None:
        """How many items a share counts, where that is known; None for every other quantity."""
        return self.items if self.unit == SHARE else None


@dataclass(frozen=True)
class View:
    """The record as it stood on `day`.

    `observations` is long: subject_id, quantity_id, setting, source_id, known_on, value, kind, run, family, released_on.
    """

    day: date
    observations: pl.DataFrame
    quantities: dict[str, Quantity]

    def quantity(self, quantity_id: str) -> Quantity:
        """Return the card of a quantity, or refuse an unknown one by name."""
        try:
            return self.quantities[quantity_id]
        except KeyError:
            raise RecordError(
                f"quantities.csv: found no row {quantity_id}, expected one; add it or correct the law's entry in params.yaml"
            ) from None

    @cached_property
    def _taken(self) -> dict[str, View]:
        return {}

    def of(self, which: str) -> View:
        """Return the view of the systems a law takes (`systems.taken`), to which all that is asked of the law's rows is put."""
        if which == systems.DEFAULT:
            return self  # a view that keeps itself would outlive its last user until the garbage collector comes by
        if which not in self._taken:
            self._taken[which] = replace(self, observations=systems.taken(self.observations, which))
        return self._taken[which]

    @cached_property
    def _coded(self) -> coded_rows.CodedRows:
        return coded_rows.code(self.observations)

    def under(self, quantity_id: str, protocol: str = "") -> pl.DataFrame:
        """Return the rows of a quantity that were measured under one protocol; the empty one is the quantity's own."""
        found = self._coded.boards.get((quantity_id, protocol), {})
        return self.observations[np.sort(np.concatenate([coded_rows.NONE, *found.values()]))]

    def wide(
        self, quantity_ids: Sequence[str], sources: Sequence[str], which: str = systems.DEFAULT, protocol: str = ""
    ) -> pl.DataFrame:
        """One row a subject of these sources that has any of the quantities; one column a quantity, null where unknown.

        Beside the quantities: subject_id, kind, run, family, released_on, and `known_on`, the day the last of the values
        used became public. `release_year` is the release date in years of our era. Two sources that give a subject different
        values of one quantity are refused: a law has to name the one it means. `which` says which systems are rows
        (`systems.taken`); rows under another protocol than the quantity's own are left out, or of the first quantity those under
        another than `protocol`.
        """
        view = self.of(which)
        coded = view._coded  # of another view
        parts = [coded.of(name, "" if at else protocol, sources) for at, name in enumerate(quantity_ids)]
        rows = np.concatenate([coded_rows.NONE, *parts])
        column = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
        _, first, subject = np.unique(coded.subject[rows], return_index=True, return_inverse=True)
        cell, times = np.unique(subject * len(parts) + column, return_counts=True)
        if len(cell) < len(rows):
            at = int(np.argmax(times > 1))
            name = view.observations["subject_id"][int(rows[first[cell[at] // len(parts)]])]
            raise RecordError(
                f"{name}, {quantity_ids[cell[at] % len(parts)]}: found values in {times[at]} of the sources {', '.join(sources)}, "
                "expected one; name a single source in params.yaml"
            )
        known_on = np.full(len(first), np.iinfo(np.int32).min, dtype=np.int32)
        np.maximum.at(known_on, subject, coded.known_on[rows])
        values = np.full((len(parts), len(first)), np.nan)
        values[column, subject] = coded.value[rows]
        frame = view.observations.select(SUBJECT_COLUMNS)[rows[first]].hstack(
            [
                pl.Series("known_on", known_on).cast(pl.Date),
                *(pl.Series(name, values[at], nan_to_null=True) for at, name in enumerate(quantity_ids)),
            ]
        )
        if RELEASE_YEAR in quantity_ids:
            days = (pl.col("released_on") - EPOCH).dt.total_days()
            frame = frame.with_columns((2000.0 + days / YEAR_DAYS).alias(RELEASE_YEAR))
        return frame


ZETTA = 1e21  # FLOPs; the unit of the ObsScaling tables, and of the cut-offs, whose plain numbers would not fit a ledger line


def with_best(rows: pl.DataFrame, lower: bool) -> pl.DataFrame:
    """The rows in their order with the column `best`: the lowest (or highest) `value` up to and with each of them.

    >>> with_best(pl.DataFrame({"value": [0.2, 0.5, 0.4]}), lower=False)["best"].to_list()
    [0.2, 0.5, 0.5]
    """
    value = pl.col("value")
    return rows.with_columns(best=value.cum_min() if lower else value.cum_max())
