"""Which boards a round may ask, and why not the others: a board must be alive, read lately, and have room above its record.

Pure: frames of the record in, boards out. A board's scale and resolver are those of the record; two sources that measure one board
are one board, as in the capability law.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import polars as pl

from foresaid.laws._capability_record import Choices, enough, every_cell
from foresaid.registry.lineage import maker
from foresaid.studies.rounds.round_file import Alive, Boards, RoundFile

MODELS = ("model_id", "maker", "line", "tier", "release", "released_on", "value")


@dataclass(frozen=True)
class Board:
    """A benchmark or rating: its scale, whose value counts, the day it was read last, and the best value of each model on it.

    `models` has the columns MODELS, maker as targets spell it. `chance`, `ceiling` and `step` (between two possible values) are in
    the board's unit, None or 0 where not known.
    """

    benchmark: str
    kind: Literal["share", "rating"]
    resolver: str
    protocol: str
    unit: str
    direction: str
    low: float
    high: float
    chance: float | None
    ceiling: float | None
    step: float
    read_on: date
    models: pl.DataFrame

    @property
    def best(self) -> float:
        """The best value of any model, by every source that measures the board."""
        found = self.models["value"]
        return float(found.max() if self.direction == "higher" else found.min())  # type: ignore[arg-type]  # floats

    @property
    def way(self) -> float | None:
        """How far the best value is on the way from chance to the ceiling, 0 to 1; None for a rating."""
        if self.kind == "rating":
            return None
        chance, ceiling = self.chance or 0.0, self.high if self.ceiling is None else self.ceiling
        return (self.best - chance) / (ceiling - chance)


def chosen(systems: pl.DataFrame, boards: Mapping[str, Boards]) -> pl.DataFrame:
    """Keep the rows (of `registry.systems.frame`) of the sources and quantities that a round file names."""
    keep = pl.lit(False)
    for source, names in boards.items():
        mine = pl.col("source_id") == source
        keep = keep | (mine if names == "all" else mine & pl.col("benchmark").is_in(list(names)))
    return systems.filter(keep)


def law_choices(settings: Choices, file: RoundFile) -> Choices:
    """The law's choices of params.yaml with the sources of the round: those of the law first and in its order, then the others."""
    sources = [name for name in settings.sources if name in file.boards]
    sources += [name for name in file.boards if name not in sources]
    return Choices(tuple(sources), settings.from_year, settings.minimum_cells, settings.factor, settings.same)


def law_cells(systems: pl.DataFrame, choices: Choices) -> pl.DataFrame:
    """The cells the round's law is fitted to and its boards consist of, from rows of `chosen`, sorted."""
    return enough(every_cell(systems, choices), choices.minimum_cells).sort("system_id", "benchmark")


def shares(
    cells: pl.DataFrame, systems: pl.DataFrame, quantities: pl.DataFrame, choices: Choices, steps: Mapping[str, float]
) -> list[Board]:
    """The boards of the law's cells by name; `systems` (of `chosen`) says which sources measure a board, and when they were read
    last.

    A source that was read and had nothing new of a board is a reading of it: that is how a closed board is told.
    """
    same = {name: one.board for name, one in choices.same.items()}
    measured = systems.with_columns(board=pl.col("benchmark").replace(same)).select("board", "source_id").unique()
    newest = systems.group_by("source_id").agg(pl.col("known_on").max())
    read_on = dict(measured.join(newest, on="source_id").group_by("board").agg(pl.col("known_on").max()).iter_rows())
    found = []
    for row in quantities.filter(pl.col("quantity_id").is_in(cells["benchmark"].unique().to_list())).sort("quantity_id").to_dicts():
        name = row["quantity_id"]
        models = _models(cells.filter(pl.col("benchmark") == name))
        found.append(_board(row, "share", read_on[name], models, choices.ceilings.get(name), steps.get(name, 0.0)))
    return found


def ratings(
    history: pl.DataFrame, cards: pl.DataFrame, quantities: pl.DataFrame, file: RoundFile, steps: Mapping[str, float], as_of: date
) -> list[Board]:
    """The rating boards of a round file by name: of each model the best of the first values of its systems, as outcomes count."""
    known = history.filter((pl.col("known_on") <= as_of) & pl.col("counts") & (pl.col("kind") == "model"))
    named = cards.select("model_id", "line", "tier", "release", maker="organisation")
    wanted = sorted((name, source) for source, names in file.ratings.items() for name in names)
    found = []
    for name, source in wanted:
        rows = known.filter((pl.col("quantity_id") == name) & (pl.col("source_id") == source) & pl.col("released_on").is_not_null())
        about = quantities.filter(pl.col("quantity_id") == name).to_dicts()
        if rows.is_empty() or not about:
            continue
        first = rows.sort("known_on", "value").unique(["subject_id", "setting"], keep="first", maintain_order=True)
        models = _models(first.join(named, left_on="subject_id", right_on="model_id").rename({"subject_id": "model_id"}))
        read_on = rows["known_on"].max()
        assert isinstance(read_on, date)
        found.append(_board(about[0], "rating", read_on, models, None, steps.get(name, 0.0)))
    return found


def _models(rows: pl.DataFrame) -> pl.DataFrame:
    best = rows.sort("value", "model_id", descending=[True, False]).unique("model_id", keep="first", maintain_order=True)
    spelt = {name: maker(name) for name in best["maker"].unique().to_list()}
    return best.with_columns(pl.col("maker").replace(spelt)).select(MODELS).sort("released_on", "model_id")


def _board(
    row: Mapping[str, object],
    kind: Literal["share", "rating"],
    read_on: date,
    models: pl.DataFrame,
    ceiling: float | None,
    step: float,
) -> Board:
    name, resolver, protocol, unit, direction = (
        str(row[key]) for key in ("quantity_id", "resolver", "protocol", "unit", "direction")
    )
    low, high = (float(str(row[key])) for key in ("lower", "upper"))
    chance = None if row["chance"] is None else float(str(row["chance"]))
    return Board(name, kind, resolver, protocol, unit, direction, low, high, chance, ceiling, step, read_on, models)


def closed(board: Board, alive: Alive, as_of: date) -> str:
    """Why a board is not asked, in a few words; nothing where it is.

    Fewer than `fewest` models; nothing read within `read_within` days before the freeze; no model released within
    `measured_within` days before the last reading; a record at `saturated` or more of the way to the ceiling.
    """
    days: list[date] = board.models["released_on"].to_list()
    newest = max(days, default=date.min)
    if board.models.height < alive.fewest:
        return f"{board.models.height} models, fewer than {alive.fewest}"
    if (as_of - board.read_on).days > alive.read_within:
        return f"read last on {board.read_on}, more than {alive.read_within} days before"
    if board.read_on - newest > timedelta(days=alive.measured_within):
        return f"newest model of {newest}, more than {alive.measured_within} days before {board.read_on}"
    if board.way is not None and board.way >= alive.saturated:
        return f"record at {board.way:.2f} of the way to its ceiling, {alive.saturated:g} or more"
    return ""


def parted(boards: Sequence[Board], alive: Alive, as_of: date) -> tuple[list[Board], dict[str, str]]:
    """The boards that are asked, and of the others why not."""
    why = {one.benchmark: closed(one, alive, as_of) for one in boards}
    return [one for one in boards if not why[one.benchmark]], {name: reason for name, reason in why.items() if reason}
