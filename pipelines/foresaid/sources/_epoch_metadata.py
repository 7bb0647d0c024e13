"""What a download of Epoch's hub says of itself: `model_metadata.csv` and `benchmark_metadata.csv`, where it brings them.

The first states day and maker of each model version, the second the score column, scale, chance level and ceiling of each table.
Neither is needed, and no download of the mirror holds one yet, so their columns are found by what they are called, in any spelling
of a short list; a column that is not found says nothing. A table that no list in code knows is read by what is stated here, and
left out and counted where its scale is not: no unit is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from foresaid.sources._epoch_names import identify
from foresaid.sources._reading import StatedModel, StatedQuantity
from foresaid.sources._upstream import Line, open_table

MODELS, BENCHMARKS = "model_metadata.csv", "benchmark_metadata.csv"
VERSION = ("modelversion", "version", "modelid", "model")
DAY = ("releasedate", "publicationdate", "releasedon", "date")
MAKER = ("organization", "organisation", "developer", "maker")
NAME = ("displayname", "modelname", "model", "name")
TABLE = ("file", "filename", "table", "tablename", "slug", "benchmarkid", "id", "benchmark", "benchmarkname", "name")
TITLE = ("title", "displayname", "benchmark", "benchmarkname", "name")
COLUMN = ("scorecolumn", "scorefield", "scorename", "column", "metriccolumn", "metric")
SCALE = ("scale", "scorescale", "unit", "scoreunit")
CHANCE = ("chance", "chancelevel", "randombaseline", "randomchance", "randomscore", "baseline")
CEILING = ("ceiling", "maxscore", "maximumscore", "maximum", "max")
SCALES = {
    **dict.fromkeys(("fraction", "proportion", "0-1", "01", "ratio"), Decimal(1)),
    **dict.fromkeys(("percent", "percentage", "%", "0-100"), Decimal("0.01")),
}


@dataclass(frozen=True)
class StatedTable:
    """What the download says of one of its tables; `scale` turns a score into a fraction, None where it is not stated."""

    title: str
    column: str
    scale: Decimal | None
    chance: Decimal | None
    ceiling: Decimal | None

    def quantity(self, quantity_id: str, file: str) -> StatedQuantity | None:
        """The quantity a table would be, on the scale of fractions; nothing where its scale is not stated."""
        if self.scale is None:
            return None
        upper = float(self.ceiling * self.scale) if self.ceiling is not None else 1.0
        chance = float(self.chance * self.scale) if self.chance is not None else None
        protocol = f"column {self.column}, as {BENCHMARKS} of the download states it"
        return StatedQuantity(quantity_id, f"{self.title} (Epoch)", "fraction", 0.0, upper, chance, "higher", protocol, file)


def open_weights(accessibility: str) -> str:
    """Whether weights can be downloaded, under whatever licence, from the word Epoch gives for a model's accessibility.

    >>> [open_weights(word) for word in ("Open weights (non-commercial)", "API access", "Unknown", "")]
    ['yes', 'no', '', '']
    """
    word = accessibility.strip().lower()
    if word.startswith("open weights"):
        return "yes"
    return "no" if word in ("api access", "hosted access (no api)", "unreleased") else ""


def stem(name: str) -> str:
    """A table's name as metadata may spell it: without folder, ending and the mark of collected tables.

    >>> stem("benchmark_data/gso_external.csv"), stem("GSO")
    ('gso', 'gso')
    """
    base = name.rsplit("/", 1)[-1].removesuffix(".csv").removesuffix("_external")
    return re.sub(r"[^a-z0-9]+", "_", base.lower()).strip("_")


def models(folder: Path) -> Iterator[StatedModel]:
    """The models whose day or maker a download states apart from its tables."""
    for line in _lines(folder, MODELS):
        version, day, maker = (_cell(line, names) for names in (VERSION, DAY, MAKER))
        if version and (day or maker):
            yield StatedModel(identify(version)[0], day[:10], maker, _cell(line, NAME), line.file, line.row)


def tables(folder: Path) -> Mapping[str, StatedTable]:
    """What a download states of its tables, by `stem`."""
    found: dict[str, StatedTable] = {}
    for line in _lines(folder, BENCHMARKS):
        scale = SCALES.get(_cell(line, SCALE).lower().replace(" ", ""))
        chance, ceiling = (_decimal(_cell(line, names)) for names in (CHANCE, CEILING))
        stated = StatedTable(_cell(line, TITLE), _cell(line, COLUMN), scale, chance, ceiling)
        for name in _cells(line, TABLE):
            found.setdefault(stem(name), stated)
    return found


def _lines(folder: Path, name: str) -> list[Line]:
    places = sorted(path.relative_to(folder).as_posix() for path in folder.rglob(name))
    return [line for place in places for line in open_table(folder, place)]


def _cells(line: Line, names: Iterable[str]) -> list[str]:
    spelt = {re.sub(r"[^a-z]", "", column.lower()): cell.strip() for column, cell in line.cells.items()}
    return [spelt[name] for name in names if spelt.get(name)]


def _cell(line: Line, names: Iterable[str]) -> str:
    return next(iter(_cells(line, names)), "")


def _decimal(cell: str) -> Decimal | None:
    """A number with or without a percent sign; anything else says nothing."""
    try:
        value = Decimal(cell.removesuffix("%"))
    except InvalidOperation:
        return None
    return (value / 100 if cell.endswith("%") else value) if value.is_finite() else None
