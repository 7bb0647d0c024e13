"""The real files a trap sits in, read without the reader, beside what our reader makes of them."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from foresaid.registry import load as ingest
from foresaid.registry import source_card
from foresaid.registry.formats import ModelRow, QuantityRow
from foresaid.registry.source_card import Vintage
from foresaid.sources import _loader as sources
from foresaid.sources._reading import Reading, Score

Row = Mapping[str, str]


@dataclass(frozen=True)
class Found:
    """How many real rows (or cells, or names) a trap sits in, how many the check caught, and how many others it hit."""

    rows: int
    caught: int
    false_alarms: int


@dataclass
class Files:
    """The real files of one entry of SOURCES.yaml, and what our reader makes of them."""

    mirror: Path
    registry: Path
    directory: str
    name: str
    catalogue: ingest.Catalogue
    path: Path = field(init=False)

    def __post_init__(self) -> None:
        self.path = self.mirror / self.directory

    @cached_property
    def reading(self) -> Reading:
        """What the reader of the source says of this folder."""
        return sources.read(self.name, sources.find(self.name), self.path)

    @cached_property
    def vintages(self) -> tuple[Vintage, ...]:
        """The vintages of the source's card."""
        path = self.registry / "sources" / self.name / "source.toml"
        return source_card.read(path, f"{self.name}/source.toml", self.name).vintages

    @cached_property
    def by_row(self) -> dict[tuple[str, int], list[Score]]:
        """Scores by upstream file and row."""
        found: dict[tuple[str, int], list[Score]] = defaultdict(list)
        for score in self.reading.scores:
            found[score.file.removeprefix(f"{self.path.name}/"), score.row or 0].append(score)
        return found

    def rows(self, file: str) -> list[tuple[int, Row]]:
        """The rows of a table with the line each ends in, read without the reader."""
        reader = csv.reader(io.StringIO((self.path / file).read_bytes().decode("utf-8-sig"), newline=""))
        header = next(reader)
        return [(reader.line_num, dict(zip(header, cells, strict=False))) for cells in reader if cells]

    def reported(self, file: str, row: int) -> list[Score]:
        """Values of a row that count: neither suspect nor under a setting nor with a note."""
        return [one for one in self.by_row.get((file, row), []) if one.status == "reported" and not one.note and not one.setting]

    @cached_property
    def quantities(self) -> Mapping[str, QuantityRow]:
        """The quantities of the record."""
        return self.catalogue.known.quantities

    @cached_property
    def models(self) -> Mapping[str, ModelRow]:
        """The models of the record."""
        return self.catalogue.known.models
