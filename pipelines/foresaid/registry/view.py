"""What a law sees: the observations known on one day, as plain frames.

A view is made by `database.as_of` and by nothing else, so a law cannot reach a value that was not public on the day.
Laws ask it for a wide table, one row a subject and one column a quantity, always in the order of the subjects' names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import polars as pl

from foresaid.errors import RecordError
from foresaid.registry import systems

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

    def of(self, which: str) -> View:
        """Return the view of the systems a law takes (`systems.taken`), to which all that is asked of the law's rows is put."""
        return self if which == systems.DEFAULT else replace(self, observations=systems.taken(self.observations, which))

    def under(self, quantity_id: str, protocol: str = "") -> pl.DataFrame:
        """Return the rows of a quantity that were measured under one protocol; the empty one is the quantity's own."""
        return self.observations.filter((pl.col("quantity_id") == quantity_id) & (pl.col("setting") == protocol))

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
        mine = pl.col("quantity_id").is_in(list(quantity_ids)) & pl.col("source_id").is_in(list(sources))
        own = pl.when(pl.col("quantity_id").is_in(list(quantity_ids[:1]))).then(pl.lit(protocol)).otherwise(pl.lit(""))
        wanted = systems.taken(self.observations.filter(mine), which).filter(pl.col("setting") == own)
        twice = wanted.group_by("subject_id", "quantity_id").len().filter(pl.col("len") > 1).sort("subject_id")
        if twice.height:
            row = twice.row(0, named=True)
            raise RecordError(
                f"{row['subject_id']}, {row['quantity_id']}: found values in {row['len']} of the sources {', '.join(sources)}, "
                "expected one; name a single source in params.yaml"
            )
        frame = wanted.group_by(*SUBJECT_COLUMNS).agg(
            pl.col("known_on").max(),
            *[pl.col("value").filter(pl.col("quantity_id") == name).first().alias(name) for name in quantity_ids],
        )
        if RELEASE_YEAR in quantity_ids:
            days = (pl.col("released_on") - EPOCH).dt.total_days()
            frame = frame.with_columns((2000.0 + days / YEAR_DAYS).alias(RELEASE_YEAR))
        return frame.sort("subject_id")


ZETTA = 1e21  # FLOPs; the unit of the ObsScaling tables, and of the cut-offs, whose plain numbers would not fit a ledger line


def with_best(rows: pl.DataFrame, lower: bool) -> pl.DataFrame:
    """The rows in their order with the column `best`: the lowest (or highest) `value` up to and with each of them.

    >>> with_best(pl.DataFrame({"value": [0.2, 0.5, 0.4]}), lower=False)["best"].to_list()
    [0.2, 0.5, 0.5]
    """
    value = pl.col("value")
    return rows.with_columns(best=value.cum_min() if lower else value.cum_max())
