"""The cells the capability law is fitted to: one system on one benchmark, on the probit scale, in one canonical order.

A *system* is a model under its system settings (effort). The frame of cells is the only door by which data enter the law; what is
wrong with it is said here, by row, and never later. Rows are sorted before anything is computed, so no result can depend on the
order in which they came.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from foresaid.arrays import Array
from foresaid.errors import BadCell, RecordError

Codes = NDArray[np.intp]
SCHEMA = {
    "system_id": pl.String,
    "model_id": pl.String,
    "maker": pl.String,
    "line": pl.String,
    "tier": pl.String,
    "effort": pl.Float64,  # ordered: none 0, minimal 1, low 2, medium 3, high 4, xhigh 5; null where not stated
    "release": pl.String,
    "released_on": pl.Date,
    "benchmark": pl.String,
    "value": pl.Float64,  # share of one
    "chance": pl.Float64,  # share of one that guessing scores
    "items": pl.Int64,  # number of items the share counts; null where unknown
    "known_on": pl.Date,
}
CEILING = "ceiling"  # share of one that a flawless system scores; a column a frame may have, null and no column: one
OF_SYSTEM = ("model_id", "maker", "line", "tier", "effort", "release", "released_on")
OF_BENCHMARK = ("chance", "items", CEILING)
EDGE = 0.004  # a share this close to 0 or 1 says no more than the edge itself
EPOCH = date(2025, 1, 1)  # the origin of the time axis; a constant, so that a fit does not depend on which rows it saw
YEAR = 365.25
MIDDLE_EFFORT = 3.0


def years(day: date) -> float:
    """Years since 2025-01-01.

    >>> years(date(2025, 1, 1))
    0.0
    """
    return (day - EPOCH).days / YEAR


@dataclass(frozen=True)
class Systems:
    """What the law is told of S systems. Each of the tuples has S entries, as has `t` (years) and `effort` (NaN: not stated)."""

    ids: tuple[str, ...]
    models: tuple[str, ...]
    makers: tuple[str, ...]
    lines: tuple[str, ...]
    tiers: tuple[str, ...]
    releases: tuple[str, ...]
    t: Array
    effort: Array

    @property
    def n(self) -> int:
        """Number of systems."""
        return len(self.ids)

    @property
    def stated(self) -> Array:
        """1.0 where an effort is stated, else 0.0: (S,)."""
        return np.asarray(np.isfinite(self.effort), dtype=float)

    @property
    def step(self) -> Array:
        """Effort in units of two steps above medium, 0 where not stated: (S,)."""
        return np.where(np.isfinite(self.effort), (self.effort - MIDDLE_EFFORT) / 2.0, 0.0)

    def take(self, rows: Sequence[int] | Codes) -> Systems:
        """Return these systems, in this order."""
        index = np.asarray(rows, dtype=np.intp)
        names = ("ids", "models", "makers", "lines", "tiers", "releases")
        parts = {name: tuple(getattr(self, name)[i] for i in index) for name in names}
        return Systems(**parts, t=self.t[index], effort=self.effort[index])


@dataclass(frozen=True)
class Benchmarks:
    """The Q benchmarks of a frame, by name: chance level, number of items (NaN: unknown), ceiling and edge, each (Q,).

    The *ceiling* is the share of one that a flawless system scores: below one where items are wrong. Of N items ceiling * N can be
    solved.
    """

    names: tuple[str, ...]
    chance: Array
    items: Array
    ceiling: Array

    @property
    def edge(self) -> Array:
        """How far shares of the way to the ceiling are kept off 0 and 1: half an item that can be solved, at least EDGE. (Q,)."""
        solvable = np.maximum(self.ceiling * self.items, 1.0)
        return np.maximum(EDGE, np.where(np.isfinite(self.items), 0.5 / solvable, 0.0))

    def to_probit(self, q: Codes, value: Array) -> Array:
        """z = probit((y - chance) / (ceiling - chance)), the share of the way pulled `edge` off 0 and 1: (n,) from (n,)."""
        way = (value - self.chance[q]) / (self.ceiling[q] - self.chance[q])
        return np.asarray(ndtri(np.clip(way, self.edge[q], 1.0 - self.edge[q])))

    def to_share(self, q: Codes, z: Array) -> Array:
        """The inverse, without the edge: y = chance + (ceiling - chance) Phi(z). `z` is (n,) or (n, L)."""
        chance, ceiling = (part if z.ndim == 1 else part[:, None] for part in (self.chance[q], self.ceiling[q]))
        return np.asarray(chance + (ceiling - chance) * ndtr(z))

    def item_variance(self, q: Codes, z: Array) -> Array:
        """Variance (n,) on the probit scale of a share of finitely many items whose expected value has probit z.

        By the delta method y (1 - y / ceiling) / (N (ceiling - chance)^2 phi(z)^2), z held within the edge; 0 where the number of
        items is unknown. That is the binomial variance of the ceiling * N items that can be solved; the others never vary. It is a
        first-order figure: near the edges the true distribution is skewed.
        """
        limit = ndtri(1.0 - self.edge[q])
        at = np.clip(z, -limit, limit)
        share = self.to_share(q, at)
        density = np.exp(-0.5 * at * at) / np.sqrt(2.0 * np.pi)
        with np.errstate(invalid="ignore"):
            slope = (self.ceiling[q] - self.chance[q]) * density
            found = share * (1.0 - share / self.ceiling[q]) / (self.items[q] * slope**2)
        return np.where(np.isfinite(self.items[q]), found, 0.0)


@dataclass(frozen=True)
class Cells:
    """n cells sorted by system, then benchmark: codes of system and benchmark, probit score and item variance, each (n,)."""

    systems: Systems
    benchmarks: Benchmarks
    s: Codes
    q: Codes
    z: Array
    item_variance: Array
    value: Array

    @property
    def n(self) -> int:
        """Number of cells."""
        return len(self.s)

    def where(self, keep: NDArray[np.bool_]) -> Cells:
        """Return the cells for which `keep` is true; systems and benchmarks stay as they are."""
        return replace(
            self, s=self.s[keep], q=self.q[keep], z=self.z[keep], item_variance=self.item_variance[keep], value=self.value[keep]
        )


def cells(frame: pl.DataFrame, benchmarks: Benchmarks | None = None) -> Cells:
    """Check a frame of cells (SCHEMA) and bring it to the canonical order on the probit scale.

    `benchmarks` fixes the codes to those of an earlier fit; by default they are the frame's own, by name. Raises RecordError for
    a missing column, a missing or impossible value, a system or a benchmark that is described in two ways, a cell that stands
    twice, and a benchmark the earlier fit did not know.
    """
    frame = checked(frame)
    known = benchmarks if benchmarks is not None else _benchmarks(frame)
    strange = sorted(set(frame["benchmark"]) - set(known.names))
    if strange:
        raise RecordError(f"cells: found benchmark {strange[0]}, expected one the fit knows; fit again with rows of it")
    frame = frame.sort("system_id", "benchmark")
    table = frame.unique("system_id", keep="first").sort("system_id")
    effort = np.array([np.nan if value is None else value for value in table["effort"]], dtype=float)
    systems = Systems(
        ids=tuple(table["system_id"]),
        models=tuple(table["model_id"]),
        makers=tuple(table["maker"]),
        lines=tuple(table["line"]),
        tiers=tuple(table["tier"]),
        releases=tuple(table["release"]),
        t=np.array([years(day) for day in table["released_on"]]),
        effort=effort,
    )
    s = np.searchsorted(np.array(systems.ids), frame["system_id"].to_numpy()).astype(np.intp)
    place = {name: i for i, name in enumerate(known.names)}
    q = np.array([place[name] for name in frame["benchmark"]], dtype=np.intp)
    value = frame["value"].to_numpy().astype(float)
    z = known.to_probit(q, value)
    return Cells(systems, known, s, q, z, known.item_variance(q, z), value)


def _benchmarks(frame: pl.DataFrame) -> Benchmarks:
    table = frame.unique("benchmark", keep="first").sort("benchmark")
    items = np.array([np.nan if count is None else float(count) for count in table["items"]], dtype=float)
    chance, ceiling = (table[name].to_numpy().astype(float) for name in ("chance", CEILING))
    return Benchmarks(tuple(table["benchmark"]), chance, items, ceiling)


def checked(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with the columns of SCHEMA and CEILING (one where it says none), or raise RecordError naming the first rows
    at fault.
    """
    missing = [name for name in SCHEMA if name not in frame.columns]
    if missing:
        raise RecordError(f"cells: column {missing[0]} is missing; expected {', '.join(SCHEMA)}")
    try:
        ceiling = pl.col(CEILING) if CEILING in frame.columns else pl.lit(None).alias(CEILING)
        frame = frame.select(*(pl.col(name).cast(kind) for name, kind in SCHEMA.items()), ceiling.cast(pl.Float64).fill_null(1.0))
    except pl.exceptions.PolarsError as error:
        raise RecordError(f"cells: {str(error).splitlines()[0]}; expected the types {SCHEMA}") from None
    problems = list(_bad_cells(frame))
    for key, columns in (("system_id", OF_SYSTEM), ("benchmark", OF_BENCHMARK)):
        for column in columns:
            twice = frame.group_by(key).agg(pl.col(column).n_unique().alias("ways")).filter(pl.col("ways") > 1).sort(key)
            problems += [BadCell("cells", None, column, f"two values for {key} {name}", "one value") for name in twice[key]]
    double = frame.group_by("system_id", "benchmark").len().filter(pl.col("len") > 1).sort("system_id", "benchmark")
    problems += [
        BadCell("cells", None, "value", f"{count} rows of {system} on {name}", "one row a cell", "choose or combine them before")
        for system, name, count in double.iter_rows()
    ]
    if problems:
        raise RecordError.collect(problems)
    if frame.is_empty():
        raise RecordError("cells: found no row, expected at least one; check the filters that made the frame")
    return frame


def _bad_cells(frame: pl.DataFrame) -> Iterable[BadCell]:
    numbered = frame.with_row_index("row", offset=1)
    for column in SCHEMA:
        if column not in ("effort", "items", "known_on"):
            for row in numbered.filter(pl.col(column).is_null())["row"]:
                yield BadCell("cells", row, column, "nothing", "a value")
    ranges = (("value", 0.0, 1.0, "a share within [0, 1]"), ("chance", 0.0, 0.99, "a share within [0, 0.99]"))
    for column, low, high, expected in ranges:
        bad = numbered.filter(pl.col(column).is_nan() | ~pl.col(column).is_between(low, high))
        for row, found in bad.select("row", column).iter_rows():
            yield BadCell("cells", row, column, str(found), expected, "divide percent by 100")
    bad = numbered.filter(pl.col(CEILING).is_nan() | (pl.col(CEILING) > 1.0) | (pl.col(CEILING) <= pl.col("chance")))
    for row, found in bad.select("row", CEILING).iter_rows():
        yield BadCell("cells", row, CEILING, str(found), "a share above chance and at most 1, or nothing")
    for row, found in numbered.filter(~pl.col("effort").is_finite()).select("row", "effort").iter_rows():
        yield BadCell("cells", row, "effort", str(found), "a finite number or nothing")
    for row, found in numbered.filter(pl.col("items") < 1).select("row", "items").iter_rows():
        yield BadCell("cells", row, "items", str(found), "at least 1 or nothing")
