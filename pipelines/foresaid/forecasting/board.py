"""Known rows as a baseline reads them: values, day, family, maker, line, tier, effort and other scores as arrays, cut by a mask.

A baseline looks at a few hundred subsets of one table. Arrays make that cheap, and names become numbers once, by one list for the
known and the asked rows. Who made a model and where it stands among its siblings comes from models.csv (`Lineage`); a subject that
is not there has no maker and no line but its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from foresaid.arrays import Array
from foresaid.confusables import model_of
from foresaid.files import read_frame
from foresaid.fitting.data import Target, TrainingTable
from foresaid.registry.database import Database
from foresaid.registry.systems import effort_number, split

Kept = TypeVar("Kept")
EDGE = 0.004  # a share this close to 0 or 1 says no more than the edge itself, as in laws/_capability_rows.py


@dataclass(frozen=True)
class Lineage:
    """Maker, line and tier of each model of the record."""

    models: Mapping[str, tuple[str, str, str]]

    def of(self, subject: str) -> tuple[str, str]:
        """Maker, and line with tier, of a subject; its own name where nobody said."""
        model = model_of(subject)
        maker, line, tier = self.models.get(model, ("", "", ""))
        return maker or f"?{model}", f"{maker}/{line}/{tier}" if line else f"?{model}"


UNKNOWN = Lineage({})


def lineage(database: Database) -> Lineage:
    """Read maker, line and tier of every model from the exported record."""
    models = read_frame(database.folder / "model.parquet", ["model_id", "organisation", "line", "tier"])
    return Lineage({str(name): (maker or "", line or "", tier or "") for name, maker, line, tier in models.iter_rows()})


@cache
def effort_of(subject: str) -> float:
    """Effort in the name of a system, NaN where none is stated.

    >>> effort_of("m[effort=high;agent=codex]"), effort_of("m")
    (4.0, nan)
    """
    _, _, system = subject.partition("[")
    words = dict(pair.split("=", 1) for pair in split(system.rstrip("]"))[0].split(";") if "=" in pair)
    found = effort_number(words.get("effort", ""))
    return float("nan") if found is None else found


def to_probit(share: Array) -> Array:
    """Normal quantile of a share kept EDGE off 0 and 1; NaN stays NaN.

    >>> to_probit(np.array([0.5, 1.0])).round(3).tolist()
    [0.0, 2.652]
    """
    from scipy.special import ndtri  # those who only read scores do not pay for it

    return np.asarray(ndtri(np.clip(share, EDGE, 1.0 - EDGE)))


def from_probit(z: Array) -> Array:
    """The share of a probit score."""
    from scipy.special import ndtr

    return np.asarray(ndtr(z))


class Board:
    """n rows as columns; a column of some of the rows is cut when it is looked at, since few baselines look at more than three."""

    def __init__(self, of: Board | None = None, rows: NDArray[np.bool_] | None = None, **columns: NDArray[Any]) -> None:
        """Take the `rows` of another board (all of them: None), with these columns in place of its own."""
        self._of, self._rows, self._kept = of, rows, dict[Hashable, Any]()
        vars(self).update(columns)

    def _cut(self, name: str) -> Any:
        assert self._of is not None, f"{name}: a board that is cut from no other has every column"
        whole = getattr(self._of, name)
        return whole if self._rows is None else whole[self._rows]

    @cached_property
    def y(self) -> Array:
        """Values on the curve's scale, turned over where less is better (`turned`), so that the best is always the greatest."""
        return self._cut("y")  # type: ignore[no-any-return]

    @cached_property
    def x(self) -> Array:
        """Covariates (n, k) as the law has them."""
        return self._cut("x")  # type: ignore[no-any-return]

    @cached_property
    def probits(self) -> Array:
        """The other scores (n, k)."""
        return self._cut("probits")  # type: ignore[no-any-return]

    @cached_property
    def day(self) -> Array:
        """Days of release; NaN: undated."""
        return self._cut("day")  # type: ignore[no-any-return]

    @cached_property
    def family(self) -> NDArray[np.intp]:
        """Numbers that stand for names, the same in all boards that are held against each other; so are `maker` and `place`."""
        return self._cut("family")  # type: ignore[no-any-return]

    @cached_property
    def maker(self) -> NDArray[np.intp]:
        """Makers."""
        return self._cut("maker")  # type: ignore[no-any-return]

    @cached_property
    def place(self) -> NDArray[np.intp]:
        """Line and tier."""
        return self._cut("place")  # type: ignore[no-any-return]

    @cached_property
    def effort(self) -> Array:
        """Effort; NaN: unstated."""
        return self._cut("effort")  # type: ignore[no-any-return]

    @cached_property
    def name(self) -> NDArray[np.bytes_]:
        """What tells a row, with all that is said of it, from every other."""
        return self._cut("name")  # type: ignore[no-any-return]

    @cached_property
    def digest(self) -> bytes:
        """What tells these rows, in this order, from all others."""
        return hashlib.blake2b(self.name.tobytes(), digest_size=16).digest()

    @property
    def n(self) -> int:
        """Number of rows."""
        return len(self.name)

    def where(self, keep: NDArray[np.bool_]) -> Board:
        """Return the rows for which `keep` is true."""
        return Board(self, keep)

    def saying(self, y: Array) -> Board:
        """Return the same rows with other values."""
        return Board(self, y=y)

    def kept(self, key: Hashable, make: Callable[[Board], Kept]) -> Kept:
        """Return what `make` says of these rows, worked out once a key: many rows are forecast from the same others."""
        if key not in self._kept:
            self._kept[key] = make(self)
        return self._kept[key]  # type: ignore[no-any-return]


def turned(y: Array, target: Target) -> Array:
    """Values on the curve's scale as a baseline sees them, the greater the better; the way back is the same.

    Where less is better the bounds of the quantity change places: a value as far above the one as it was below the other.
    """
    return (target.lower + target.upper - 2.0 * target.offset) / target.span - y if target.lower_is_better else y


def _days(released: Sequence[date | None]) -> Array:
    return np.array([np.nan if day is None else float(day.toordinal()) for day in released])


def _probits(table: TrainingTable) -> Array:
    shares = np.full(table.x.shape, np.nan)
    for k, one in enumerate(table.target.covariates):
        raw = one.scale.undo(table.x[:, k])
        if not one.scale.outside(np.array([0.0, 1.0])) and ((raw >= 0.0) & (raw <= 1.0) | np.isnan(raw)).all():
            shares[:, k] = raw
    return to_probit(shares)


def _names(table: TrainingTable) -> NDArray[np.bytes_]:
    """One digest a row of all that a baseline may see of it but its lineage."""
    said, target = zip(table.subjects, table.clusters, table.released_on, strict=True), repr(table.target).encode()
    x, y = np.ascontiguousarray(table.x), np.ascontiguousarray(table.y)
    rows = [target + repr(one).encode() + x[i].tobytes() + y[i].tobytes() for i, one in enumerate(said)]
    return np.array([hashlib.blake2b(row, digest_size=16).digest() for row in rows], dtype="S16")


def board(table: TrainingTable, who: Lineage, numbers: dict[str, int]) -> Board:
    """The rows of a table as a board; `numbers` stand for names, and grow by those that are new."""

    def of(names: Sequence[str]) -> NDArray[np.intp]:
        return np.array([numbers.setdefault(name, len(numbers)) for name in names], dtype=np.intp)

    told = [who.of(name) for name in table.subjects]
    return Board(
        y=turned(table.y, table.target),
        x=table.x,
        probits=_probits(table),
        day=_days(table.released_on),
        family=of(table.clusters),
        maker=of([maker for maker, _ in told]),
        place=of([place for _, place in told]),
        effort=np.array([effort_of(name) for name in table.subjects], dtype=float),
        name=_names(table),
    )


def boards(known: TrainingTable, asked: TrainingTable, who: Lineage = UNKNOWN) -> tuple[Board, Board]:
    """The known and the asked rows of one target as boards with one numbering of names."""
    numbers: dict[str, int] = {}
    return board(known, who, numbers), board(asked, who, numbers)
