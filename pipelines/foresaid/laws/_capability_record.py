"""The record's systems as cells of the capability law: which rows count, and what becomes of two sources that measure one board.

Pure: frames in, one frame in `_capability_rows.SCHEMA` out. The record's own words stand as they are: its scale of effort
(`registry.systems`; a thinking budget by what the maker's own API takes it for, `unknown` as not stated), its tiers (a size such as
`34b` is a tier) and its releases (all models of a maker of one day). No rule here looks at whether a score is high or low, but for
the best of several protocols of one source.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Any

import polars as pl

from foresaid.errors import ParameterError, RecordError
from foresaid.laws._capability_rows import CEILING, SCHEMA, checked
from foresaid.laws._settings import check_types, read_entries


@dataclass(frozen=True)
class Same:
    """Another quantity on which the same board stands, and the shares there that 0 and 1 of this one stand for."""

    board: str
    zero: float = 0.0
    one: float = 1.0


@dataclass(frozen=True)
class Choices:
    """The section `capability` of params.yaml: which rows the law sees, and the factor on its standard deviation."""

    sources: tuple[str, ...]
    from_year: int
    minimum_cells: int
    factor: float
    same: dict[str, Same] = field(default_factory=dict)

    @property
    def ceilings(self) -> dict[str, float]:
        """The ceiling of each board on which another quantity states one below 1."""
        return {one.board: one.one for one in self.same.values() if one.one < 1.0}


def read_choices(section: Mapping[str, Any]) -> Choices:
    """Read the section; ParameterError for an unknown or missing key, a wrong type, and numbers out of range."""
    known = [one.name for one in fields(Choices)]
    strange = sorted(set(section) - set(known)) or [name for name in known[:-1] if name not in section]
    if strange:
        raise ParameterError(f"params.yaml, capability: found a wrong or no key {strange[0]}, expected {', '.join(known)}")
    values = {name: value for name, value in section.items() if name != "same"}
    check_types(Choices, values, "capability")
    for name, least in (("from_year", 1950), ("minimum_cells", 2)):
        if not values[name] >= least:
            raise ParameterError(f"params.yaml, capability, {name}: found {values[name]}, expected at least {least}")
    if not 0.0 < values["factor"] < 10.0:
        raise ParameterError(f"params.yaml, capability, factor: found {values['factor']}, expected a number above 0 and below 10")
    same = read_entries(Same, section.get("same") or {}, "capability, same")
    for name, one in same.items():
        if not 0.0 <= one.zero < one.one <= 1.0:
            raise ParameterError(
                f"params.yaml, capability, same, {name}: found zero {one.zero} and one {one.one}, expected 0 <= zero < one <= 1"
            )
    return Choices(tuple(values["sources"]), values["from_year"], values["minimum_cells"], float(values["factor"]), same)


def of_record(systems: pl.DataFrame, choices: Choices) -> pl.DataFrame:
    """Return the cells (SCHEMA, sorted) that the law is fitted to, from a frame of `registry.systems.frame`.

    Those of `every_cell` on boards with at least `minimum_cells` cells and more than one value. Raises RecordError where nothing is
    left, and for a row that `checked` refuses.
    """
    kept = enough(every_cell(systems, choices), choices.minimum_cells)
    if kept.is_empty():
        raise RecordError(
            f"capability: found no board with {choices.minimum_cells} cells in {', '.join(choices.sources)} from "
            f"{choices.from_year} on, expected one; see capability in params.yaml"
        )
    return checked(kept).sort("system_id", "benchmark")


def enough(cells: pl.DataFrame, least: int) -> pl.DataFrame:
    """Keep the cells of boards with at least `least` cells and more than one value."""
    boards = cells.group_by("benchmark").agg(pl.len().alias("count"), pl.col("value").n_unique().alias("values"))
    return cells.join(boards.filter((pl.col("count") >= least) & (pl.col("values") > 1)), on="benchmark", how="semi")


def every_cell(systems: pl.DataFrame, choices: Choices) -> pl.DataFrame:
    """Return all cells (SCHEMA and CEILING, sorted) the law could be told, also on boards with too few to fit.

    Kept are shares of which more is better, of `sources`, of models released from `from_year` on. A quantity of `same` is brought
    to its board: zero + (one - zero) value. Of several protocols of one system the best value counts. Of several sources the first
    in `sources` that holds a model on a board counts for that model: a later one would count one measurement twice. Items are the
    inverse of the record's resolution.
    """
    names = list(choices.same)
    moved = pl.DataFrame(
        {
            "benchmark": names,
            "board": [choices.same[name].board for name in names],
            "zero": [choices.same[name].zero for name in names],
            "one": [choices.same[name].one for name in names],
        },
        schema={"benchmark": pl.String, "board": pl.String, "zero": pl.Float64, "one": pl.Float64},
    )
    place = pl.DataFrame(
        {"source_id": choices.sources, "place": range(len(choices.sources))}, schema={"source_id": pl.String, "place": pl.Int64}
    )
    about = systems.group_by("benchmark").agg(
        board_chance=pl.col("chance").first().fill_null(0.0), board_resolution=pl.col("resolution").first()
    )
    rows = (
        systems.filter(
            (pl.col("unit") == "fraction")
            & (pl.col("direction") == "higher")
            & (pl.col("released_on") >= date(choices.from_year, 1, 1))
        )
        .join(place, on="source_id")
        .join(moved, on="benchmark", how="left")
        .with_columns(
            board=pl.coalesce("board", "benchmark"),
            value=pl.col("zero").fill_null(0.0) + (pl.col("one").fill_null(1.0) - pl.col("zero").fill_null(0.0)) * pl.col("value"),
        )
        .filter(pl.col("place") == pl.col("place").min().over("model_id", "board"))
        .sort("system_id", "board", "value", "protocol", descending=[False, False, True, False])
        .unique(["system_id", "board"], keep="first", maintain_order=True)
        .join(about, left_on="board", right_on="benchmark", how="left")
    )
    named = rows.select(
        *(name for name in SCHEMA if name not in ("benchmark", "chance", "items")),
        benchmark="board",
        chance=pl.col("board_chance").fill_null(0.0),
        items=(1.0 / pl.col("board_resolution")).round().cast(pl.Int64),
    ).with_columns(pl.col("benchmark").replace_strict(choices.ceilings, default=1.0, return_dtype=pl.Float64).alias(CEILING))
    return named.select([*SCHEMA, CEILING]).sort("system_id", "benchmark")
